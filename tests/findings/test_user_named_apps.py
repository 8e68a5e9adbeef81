"""``audit --app NAME``: an app that no list knows is reported in full when its owner names it."""

from __future__ import annotations

import pytest

from privaudit import audit, knowledge
from privaudit.findings.named import find_named_apps
from privaudit.i18n import Translator, catalog
from privaudit.report import html, share, txt
from privaudit.report import json as report_json
from privaudit.transport import connect

LISTS = knowledge.load_knowledge(demo=True)


def named(made, name, *labels, package="com.example.unknown"):
    apps = [made.app(f"{package}{n}", label=label) for n, label in enumerate(labels)]
    (query,) = find_named_apps([name], apps)
    return [int(found.removeprefix(package)) for found in query.packages]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("快易花", "快易花"),
        ("易花", "快易花极速版"),
        ("easy LOAN", "EasyLoan – Cash now"),
        ("préstamo", "Mi Pre\u0301stamo"),
        ("prestamo", "Mi Préstamo"),
        ("loan", "Lоаn"),  # with letters of Cyrillic
        ("loan", "L\u200bo\u034fan"),
        ("快贷", "快·贷"),
        ("लोन", "फटाफट लोन"),
    ],
)
def test_a_name_is_seen_as_people_see_it(made, name, label):
    assert named(made, name, label, "Weather") == [0]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("快贷", ("快贷", "快贷记账"), [0]),  # a whole name counts before parts of names
        ("快贷", ("快贷王", "快贷记账"), [0, 1]),
        ("a", ("Camera", "A"), [1]),  # one letter is a part of most names
        ("Kamera", ("Camera",), []),
        ("Loan Easy", ("Easy Loan",), []),
    ],
)
def test_which_apps_have_a_name(made, name, labels, expected):
    assert named(made, name, *labels) == expected


def test_labels_of_every_language_and_icon_count(made):
    one = made.app("com.example.two", label="Weather", labels={"zh-CN": "天气"}, launcher_labels=("快贷",))
    for name in ("weather", "天气", "快贷", "com.example.two"):
        assert find_named_apps([name], [one])[0].packages == ("com.example.two",)
    assert find_named_apps(["com.example"], [one])[0].packages == ()  # a part of a package name names nothing


def judged(taken, *names):
    return audit.build_report(taken, LISTS, audit.ReportOptions(app_names=names))


def test_an_app_that_its_owner_names_is_reported_in_full(demo_capture, demo_report):
    """It can read contacts, no list knows it, and its name says nothing."""
    report = judged(demo_capture, "好友圈")
    (app,) = [app for app in report.apps if app.named_by_user]
    assert (app.package, app.lending.verdict, app.is_recognised) == ("com.example.haoyouquan", "no", False)
    assert app.package not in {one.package for one in demo_report.apps}
    (finding,) = [one for one in report.findings if one.package == app.package]
    assert (finding.rule, finding.severity, bool(finding.steps)) == ("data_access", "medium", True)
    assert app.rules == ()  # rules are about lenders
    assert report.counts.lending == demo_report.counts.lending
    assert report.counts.suspect == demo_report.counts.suspect - 1
    assert report.complete == demo_report.complete
    for language in catalog.languages():
        shown = " ".join(txt.render(report, Translator(language)).split())
        for key in ("report.note_named", "report.named_unrecognised"):
            assert "".join(Translator(language).t(key).split()) in shown.replace(" ", "")
        assert "好友圈" in html.render(report, Translator(language))


def test_a_lender_that_its_owner_names_stays_a_lender(demo_capture, demo_report):
    report = judged(demo_capture, "com.example.anxin")
    assert report.counts == demo_report.counts
    assert report.findings == demo_report.findings
    assert [app.package for app in report.apps if app.named_by_user] == ["com.example.anxin"]
    assert Translator("en").t("report.named") in txt.render(report, Translator("en"))


def test_a_name_that_no_app_has_is_no_all_clear(capture_of_story):
    taken = capture_of_story("borrower")
    report = judged(taken, "没有的")
    assert (report.complete, report.app_names[0].packages) == (False, ())
    for language in catalog.languages():
        sentence = Translator(language).t("report.name_missing", name="没有的")
        shown = "".join(txt.render(report, Translator(language)).split())
        assert shown.count("".join(sentence.split())) == 2  # among the gaps, and beside the result


def test_a_report_to_be_handed_on_keeps_no_names(demo_capture):
    assert share.anonymize_report(judged(demo_capture, "好友圈")).app_names == ()


@pytest.mark.parametrize("names", [(), ("好友圈",)])
def test_a_live_phone_is_asked_about_the_app_that_was_named(demo_phone, names, tmp_path):
    with (
        demo_phone() as phone,
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=tmp_path) as transport,
    ):
        taken, _ = audit.collect(transport, LISTS, options=audit.CollectionOptions(app_names=names))
    assert taken.answer("package.com.example.haoyouquan").state == ("answered" if names else "not_asked")
    (app,) = [app for app in judged(taken, "好友圈").apps if app.named_by_user]
    assert bool(app.certificates_sha256)


def test_names_in_a_saved_report_and_names_of_nothing_are_refused(run, demo_report, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(demo_report), encoding="utf-8")
    done = run("audit", file, "--app", "好友圈", "--lang", "en")
    assert (done.code, "only the apps that it is about" in " ".join(done.err.split())) == (2, True)
    done = run("audit", file, "--app", " -- ", "--lang", "en")
    assert (done.code, "cannot be an app" in done.err) == (2, True)
