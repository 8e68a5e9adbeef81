"""Every shipped signature matches: on a phone with its app the report names publisher, action and date."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from privaudit import knowledge
from privaudit.apk.parts import ApkParts, with_sha256
from privaudit.audit import ReportOptions, build_report
from privaudit.capture import archive, read_source
from privaudit.capture.collector import collect_first_round
from privaudit.findings import run_checks
from privaudit.i18n import Translator
from privaudit.model import AnswerState, LendingVerdict, Source
from privaudit.report import json as report_json
from privaudit.report import txt
from privaudit.transport import connect
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_programs

KNOWN = knowledge.load_knowledge()
RISKY = [part for part in KNOWN.lists if part.kind == "risky"]
ROWS = [(part, number, row) for part in RISKY for number, row in enumerate(part.rows, 1) if row.match_keys]
LENDERS = sorted({row.package for part in KNOWN.lists if part.kind == "lenders" for row in part.rows if row.package})


def home_of(part, number, row):
    """Return the package to install for a row; rows with digests only get an invented name."""
    return row.package or f"com.example.hash{part.id.replace('-', '')}{number}"


def phone_with(packages):
    """Return the borrower's phone with its first lender installed under each of these names."""
    story = load_scenario("borrower")
    lender = story.find_app("com.example.sudaibao")
    copies = (
        replace(lender, package=name, labels={}, app_id=11000 + place, code_path=f"/data/app/~~{place}==/{name}-0==")
        for place, name in enumerate(packages)
    )
    return replace(story, apps=(*story.apps, *copies))


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """Capture such a phone over ADB."""
    packages = dict.fromkeys([*(home_of(*row) for row in ROWS), *LENDERS])
    with (
        AdbdServer(
            programs=build_programs(phone_with(packages)), files={}, key_policy=KeyPolicy(required=False)
        ) as phone,
        connect(
            transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=tmp_path_factory.mktemp("key")
        ) as connection,
    ):
        # The details of each app are for what dumps omit; these tests need none, and 900 of them would take minutes.
        answers = collect_first_round(connection)
    return replace(answers, source=Source(kind="usb", sha256=None))


@pytest.fixture(scope="module")
def report(taken, tmp_path_factory):
    """Save the capture with the digests of APKs."""
    digests = {home_of(*row): digest for row in ROWS for digest in row[2].sha256}
    apks = [
        with_sha256(
            ApkParts(package=package, path=f"/data/app/{package}/base.apk", state=AnswerState.NOT_ASKED), digest
        )
        for package, digest in digests.items()
    ]
    file = tmp_path_factory.mktemp("taken") / "check.zip"
    archive.write_archive(taken.with_apks(apks), file)
    return file


@pytest.fixture(scope="module")
def document(report, tmp_path_factory):

    made = build_report(read_source(report), knowledge.load_knowledge(country="PK"), ReportOptions(country="PK"))
    return json.loads(report_json.render(made)), txt.render(made, Translator("en"), 100)


def test_the_command_gives_the_same(run, report, document):
    done = run("audit", report, "--json", "--country", "PK")
    assert done.code == 3, done.err
    assert {app["package"] for app in json.loads(done.out)["apps"]} == {app["package"] for app in document[0]["apps"]}


def test_every_signature_is_flagged_with_publisher_action_and_date(document):
    assert len({row.package for part, _, row in ROWS if part.source.tier in {"A", "B"} and row.package}) == 2011
    apps = {app["package"]: app for app in document[0]["apps"]}
    shown = " ".join(document[1].split())
    for part, number, row in ROWS:
        app = apps[home_of(part, number, row)]
        matches = {key for key, _ in row.match_keys}
        found = [one for one in app["listed"] if one["signature"] == f"{part.id}#{number}"]
        assert {one["match"] for one in found} == matches, part.id
        for one in found:
            assert (one["publisher"], one["action"], one["date"]) == (
                part.source.publisher,
                part.source.action,
                part.source.date,
            )
            assert (one["tier"], one["via"], one["disputed"]) == (part.source.tier, part.source.via, row.disputed)
        findings = [
            one for one in document[0]["findings"] if one["package"] == app["package"] and one["rule"] == "listed"
        ]
        assert len(findings) == len(app["listed"])
        assert part.source.publisher in shown
        assert (Translator("en").format_date(part.source.date) if part.source.date else "the list has no date") in shown


def test_every_signature_has_the_grade_of_its_tier(document):
    grades = {
        (one["package"], one["message"]["key"].partition("_")[0]): one[
            "severity"
        ]  # what comes after says how it matched
        for one in document[0]["findings"]
        if one["rule"] == "listed"
    }
    for part, number, row in ROWS:
        grade = "info" if part.source.tier == "N" else "medium" if row.disputed else "high"
        assert grades[home_of(part, number, row), f"listed.{part.source.tier}"] == grade, (part.id, number)


def test_every_lender_is_recognised(document):
    apps = {app["package"]: app for app in document[0]["apps"]}
    verdicts = {}
    for package in LENDERS:
        lender = KNOWN.find_lender(package)
        verdict = apps[package]["lending"]["verdict"]
        expected = (
            "embeds"
            if lender.status == "embeds_lending"
            else "yes"
            if lender.confidence is None or apps[package]["listed"]
            else "likely"
        )
        assert verdict == expected, package
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    assert min(verdicts.values()) >= 9


def test_names_alone_flag_nobody(made):
    names = {name for part in RISKY for row in part.rows if not row.match_keys for name in row.names}
    assert len(names) > 3000
    apps = [made.app(f"com.example.name{place}", label=name) for place, name in enumerate(sorted(names))]
    ground = made.ground(*apps, knowledge=KNOWN)
    for app in run_checks(ground.capture, ground.facts, KNOWN).apps:
        assert app.listed == ()
        assert app.lending.verdict in {LendingVerdict.NO, LendingVerdict.LIKELY}
