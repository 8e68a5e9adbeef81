"""The pipeline: a report has what its source contains, whatever kind it is, and says what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit import audit, knowledge
from privaudit.capture import archive, read_source
from privaudit.capture.answers import missing_answer
from privaudit.capture.text_folder import answer_file_name
from privaudit.i18n import Translator
from privaudit.model import AccessState, AnswerState, DataClass, Evidence, Verdict
from privaudit.report import json as report_json
from privaudit.report import txt
from privaudit.transport import connect
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs

LISTS = knowledge.load_knowledge(demo=True)


def judged(taken, **wishes):
    return audit.build_report(taken, LISTS, audit.ReportOptions(**wishes))


def without(taken, *questions):
    kept = {key: answer for key, answer in taken.answers.items() if answer.question not in questions}
    return replace(taken, answers=kept)


def test_a_saved_capture_gives_the_same_report(demo_capture, demo_report, tmp_path):
    file = tmp_path / "check.zip"
    archive.write_archive(demo_capture, file)
    again = judged(read_source(file))
    assert again.source.sha256 is not None
    assert replace(again, source=demo_report.source) == demo_report


def test_the_order_in_a_report_depends_on_no_hash_seed(demo_capture, run, tmp_path):
    file = tmp_path / "check.zip"
    archive.write_archive(demo_capture, file)
    reports = {run("audit", file, "--json", "--unknown", "--all-apps", PYTHONHASHSEED=seed).out for seed in "123"}
    assert len(reports) == 1


def test_a_folder_of_the_same_text_gives_the_same_findings(demo_capture, demo_report, tmp_path):
    for answer in demo_capture.answers.values():
        (tmp_path / answer_file_name(answer.key)).write_text(answer.text, encoding="utf-8", newline="\n")
    again = judged(read_source(tmp_path))
    assert [(one.rule, one.package, one.user, one.severity) for one in again.findings] == [
        (one.rule, one.package, one.user, one.severity) for one in demo_report.findings
    ]


@pytest.mark.parametrize("question", ["packages", "appops", "installed", "settings", "roles", "device_policy", "users"])
def test_what_is_missing_makes_the_report_incomplete(demo_capture, question):
    report = judged(without(demo_capture, question))
    assert not report.complete
    shown = txt.render(report, Translator("en"))
    assert "could not be checked" in shown[shown.index("-" * 80) :]


def test_without_app_ops_nothing_is_called_unread_and_nothing_never(demo_capture):
    report = judged(without(demo_capture, "appops", "appops_get"))
    assert {access.history for app in report.apps for access in app.access.values()} == {"unknown"}
    shown = txt.render(report, Translator("en"))
    assert "is based on the permission only" in " ".join(shown.split())
    assert "no record that it read" not in shown
    assert "  no record" not in shown


@pytest.mark.parametrize("without_app_ops", [False, True])
def test_an_app_that_only_the_binary_answer_names_has_that_as_evidence(demo_capture, without_app_ops):
    lenders = {app.package for app in judged(demo_capture).apps}
    assert len(lenders) > 3
    for package in lenders:
        lost = [key for key in demo_capture.answers if key.startswith("installed.") or key.endswith(f".{package}")]
        lost += ["appops"] * without_app_ops
        packages = demo_capture.answer("packages")
        head, block, rest = packages.text.partition(f"  Package [{package}]")
        _, next_block, rest = rest.partition("\n  Package [")
        assert block
        assert next_block
        damaged = demo_capture.with_answers(
            [
                replace(packages, text=f"{head}{next_block[1:]}{rest}"),
                *(missing_answer(key, AnswerState.TIMED_OUT) for key in lost),
            ]
        )
        report = judged(damaged, include_unrecognised=True)
        assert not report.complete
        assert package in {app.package for app in report.apps}
        for finding in report.findings:
            if finding.package == package:
                assert Evidence(question="packages_proto", line=1, text=package) in finding.evidence


def test_an_app_that_only_a_doubtful_block_names_has_that_as_evidence(demo_capture):
    packages = demo_capture.answer("packages")
    for package in {app.package for app in judged(demo_capture).apps}:
        lost = [key for key in demo_capture.answers if key.startswith("installed.") or key.endswith(f".{package}")]
        header = f"  Package [{package}]"
        twice = packages.text.replace(header, f"{header} (1b):\n{header}")
        damaged = demo_capture.with_answers(
            [
                replace(packages, text=twice),
                *(missing_answer(key) for key in (*lost, "packages_proto", "appops")),
            ]
        )
        report = judged(damaged, include_unrecognised=True)
        assert not report.complete
        assert package in {app.package for app in report.apps}
        assert all(finding.evidence for finding in report.findings)


def test_without_package_dumps_nothing_is_not_allowed(demo_capture):
    report = judged(without(demo_capture, "packages", "packages_proto", "package"), include_all_apps=True)
    states = {access.state for app in report.apps for access in app.access.values()}
    assert states == {"unknown"}
    assert report.verdict is not Verdict.NOTHING_FOUND or not report.complete


def test_an_empty_capture_is_not_a_clean_phone(made):
    report = audit.build_report(made.capture({}), LISTS, audit.ReportOptions())
    assert (report.verdict, report.complete) == (Verdict.NOTHING_FOUND, False)
    assert all(row.state is not AnswerState.ANSWERED for row in report.coverage)


def test_coverage_names_no_app(demo_capture):
    taken = demo_capture.with_answers(
        [replace(demo_capture.answer("roles"), key="package.com.example.chat", text="", state=AnswerState.REFUSED)]
    )
    assert "com.example.chat" not in report_json.render(judged(taken))


def test_only_those_the_report_is_about_are_in_it(demo_capture, demo_report):
    assert all(app.is_recognised for app in demo_report.apps)
    everyone = judged(demo_capture, include_all_apps=True)
    assert len({app.package for app in everyone.apps}) == everyone.counts.apps_seen
    assert everyone.findings == demo_report.findings


def test_the_country_is_stamped(demo_capture):
    report = judged(demo_capture, country="CN")
    assert report.knowledge.rules.country == "CN"
    assert report.knowledge.signatures.packages_for_country == 0
    assert judged(demo_capture, country="ZZ").knowledge.signatures.packages_for_country == 5


def test_a_list_of_one_s_own(demo_capture, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[source]\npublisher = "me"\ntitle = "mine"\n[[app]]\npackage = "com.example.chat"\n', encoding="utf-8"
    )
    report = audit.build_report(
        demo_capture, knowledge.load_knowledge(extra_lists=[mine], demo=True), audit.ReportOptions()
    )
    found = [one for one in report.findings if one.package == "com.example.chat"]
    assert {one.severity.value for one in found} == {"medium"}
    assert "a list that you added" in " ".join(txt.render(report, Translator("en")).split())


FORGED = """  Package [com.example.nowhere] (abc1234):
    userId=10999
    pkg=Package{abc1234 com.example.nowhere}
    versionCode=1 minSdk=21 targetSdk=34
    User 0: ceDataInode=1 installed=true hidden=false stopped=false enabled=0 instant=false virtual=false
"""


def test_after_a_forged_dump_each_app_is_asked_for_by_name(demo_phone, tmp_path):
    """Text that an app forged into the dump of all packages hides no other app: own dumps contain one app each."""
    plain = build_programs(load_scenario("borrower"))["dumpsys"]

    def dumpsys(argv, stdin):
        answer = plain(argv, stdin)
        if "permission" in argv:
            return replace(answer, out=answer.out.replace(b"\nPackages:\n", b"\nPackages:\n" + FORGED.encode()))
        if "--proto" in argv:
            return replace(answer, out=b"Unknown argument: --proto; use -h for help\n")  # its maker removed it
        return answer

    with (
        demo_phone(dumpsys=dumpsys) as phone,
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=tmp_path) as connection,
    ):
        taken, _ = audit.collect(connection, LISTS, demo=True)
    report = judged(taken)
    states = {(app.package, app.user): app.access[DataClass.CONTACTS].state for app in report.apps}
    assert states["com.example.sudaibao", 0] is AccessState.CAN_READ
    assert states["com.example.kuaiyihua", 999] is AccessState.NOT_ALLOWED
    assert "package.com.example.chat" in taken.answers
    assert not report.complete
    assert "lines that Android does not print there" in " ".join(txt.render(report, Translator("en")).split())


_LENDER = "com.example.loan"
_LINES = "".join(
    f"        android.permission.{name}: granted=true, flags=[ USER_SET|USER_SENSITIVE_WHEN_GRANTED]\n"
    for name in ("READ_CONTACTS", "READ_SMS", "READ_CALL_LOG")
)
_DUMP = f"""Packages:
  Package [{_LENDER}] (b501922):
    appId=10060
    pkg=Package{{b0f3fb3 {_LENDER}}}
    codePath=/data/app/~~x==/{_LENDER}-y==
    versionCode=5 minSdk=23 targetSdk=34
    dataDir=/data/user/0/{_LENDER}
    User 0: ceDataInode=1 installed=true hidden=false suspended=false distractionFlags=0 stopped=false
      gids=[3002, 3003]
      runtime permissions:
{_LINES}
Package Changes:
"""


@pytest.mark.parametrize(
    ("name", "copied"),
    [
        ("whole", lambda text: text),
        ("tabs", lambda text: text.replace(" " * 8, "\t")),
        (
            "folded",
            lambda text: "\n".join(line[at : at + 78] for line in text.split("\n") for at in (0, 78) if line[at:]),
        ),
        ("one line", lambda text: text.replace(_LINES, _LINES.splitlines()[0].strip() + "\n")),
    ],
)
def test_a_copy_that_was_changed_never_clears_a_lender(run, tmp_path, name, copied):
    (tmp_path / "dumpsys_package.txt").write_text(copied(_DUMP), encoding="utf-8")
    (tmp_path / "getprop.txt").write_text("[ro.build.version.sdk]: [34]\n", encoding="utf-8")
    (tmp_path / "pm_list_users.txt").write_text("Users:\n\tUserInfo{0:Owner:c13} running\n", encoding="utf-8")
    listed = f"package:/data/app/~~x==/{_LENDER}-y==/base.apk={_LENDER}\n"
    (tmp_path / "pm_list_packages.txt").write_text(listed, encoding="utf-8")
    done = run("audit", tmp_path, "--details", "--lang", "en", "-o", tmp_path / "report.json")
    report = report_json.read_report(tmp_path / "report.json")
    assert not report.complete
    is_read = name in {"whole", "tabs"}  # tabs are turned back into the blanks that Android prints
    assert done.code == (3 if is_read else 5)
    assert "cannot read" not in done.out
    (row,) = (row for row in report.coverage if row.question == "packages")
    assert row.could_hide == (not is_read)
    states = {one.state for app in report.apps for one in app.access.values()}
    assert states == {AccessState.CAN_READ if is_read else AccessState.UNKNOWN}
    assert ("lines not understood" in done.out) == (not is_read)
