"""The report on a terminal: at most 60 lines for each virtual phone, and nothing that the whole report would deny."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from privaudit.i18n import Translator, catalog
from privaudit.model import AnswerState, Coverage, Severity
from privaudit.report import html, legal_rules, share, summary, taps, terminal
from privaudit.report.view import ReportView
from privaudit.revocation import steps
from privaudit.virtual_phone import scenario_names

ENGLISH = Translator("en")
MAX_LINES = 60
"""One screen and a half."""


def lines(report, code="en", width=80):
    return [line.text for line in terminal.styled_lines(report, Translator(code), width)]


def words(report, code="en"):
    return " ".join(" ".join(lines(report, code)).split())


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("width", [80, 100])
def test_every_virtual_phone_fits_one_screen_and_a_half_in_every_language(report_of, code, width):
    counts = {story: len(lines(report_of(story), code, width)) for story in scenario_names()}
    assert {story: count for story, count in counts.items() if count > MAX_LINES} == {}


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("width", [60, 80, 100])
def test_lines_fit_the_terminal(report_of, code, width):
    for story in ("borrower", "oneui"):
        assert max(map(cell_len, lines(report_of(story), code, width))) <= width


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("story", scenario_names())
def test_it_has_the_result_the_table_the_safety_notes_and_every_tap(report_of, story, code):
    report, language = report_of(story), Translator(code)
    view, shown = ReportView(report, language), "".join("".join(lines(report, code)).split())
    told = [*summary.summary_sentences(view), *map(language.translate, steps.SAFETY_NOTES)]
    told += [view.app_title(view.installs_of(package)[0]) for package in view.ordered_packages()]
    told += [language.translate(view.user_label(app.user)) for app in report.apps if app.user]
    for tap_list in taps.tap_lists(view):
        if tap_list.kind != "device_admin":  # part of uninstalling, which comes last
            told += [line for _, line in taps.short_steps(view, tap_list)]
            told += [language.translate(step.values["word"]) for step in tap_list.steps if step.key == "steps.search"]
    for sentence in told:
        assert "".join(sentence.split()) in shown, sentence
    places = [
        shown.index("".join(language.t(key).split()))
        for key in ("report.page_stop", "report.short_steps", "report.short_rest")
    ]
    assert places == sorted(places)


def test_taps_stand_once_with_the_apps_that_they_are_for(demo_report):
    shown = words(demo_report)
    assert shown.count("See all apps") == 1
    assert "The same for: 2 快易花: Contacts; 3 安信消费贷: Contacts" in shown


def test_every_app_with_taps_is_in_one_list_for_each_kind_of_access(report_of):
    for story in scenario_names():
        view = ReportView(report_of(story), ENGLISH)
        blocks = [(app.package, app.user, block.kind) for app in view.ordered_apps() for block in view.step_blocks(app)]
        listed = [(app.package, app.user, taps_.kind) for taps_ in taps.tap_lists(view) for app in taps_.apps]
        assert sorted(listed) == sorted(blocks)


@pytest.mark.parametrize(
    ("story", "code", "headline"),
    [
        ("hyperos", "en", "1 lending app can see your notifications or your screen, messages included."),
        ("hyperos", "zh", "有 1 个贷款应用能看到你的通知或屏幕，包括短信。"),
        ("emui5", "en", "1 lending app can see your notifications or your screen, messages included."),
        ("emui5", "zh", "有 1 个贷款应用能看到你的通知或屏幕，包括短信。"),
        ("coloros", "en", "1 lending app is the default SMS app: it can read and send every SMS."),
    ],
)
def test_the_headline_tells_of_access_to_messages_without_the_permission(report_of, story, code, headline):
    """In the first sentence: the workshop's board and page show it too."""
    view = ReportView(report_of(story), Translator(code))
    assert headline in summary.verdict(view)[0]
    assert headline in html.render(report_of(story), Translator(code))


@pytest.mark.parametrize(
    ("story", "counted"), [("hyperos", "notifications"), ("emui5", "screen"), ("coloros", "sms_role"), ("borrower", "")]
)
def test_counts_have_special_access(report_of, story, counted):
    counts = report_of(story).counts.lending_special_access
    assert counts == {route: int(route == counted) for route in ("notifications", "screen", "sms_role")}


def test_apps_that_the_user_named_count_for_the_headline(made):
    app = made.app(holds=["notification_listener"], named_by_user=True)
    assert "1 app that you named can see your notifications" in words(made.report(app))


@pytest.mark.parametrize("code", ["en", "zh"])
def test_how_many_other_apps_can_read_is_always_told(report_of, made, code):
    for story in scenario_names():
        report = report_of(story)
        assert report.counts.others_can_read >= report.counts.others_can_read_system
        shown = words(report, code)
        assert "privaudit audit --app" in shown
        assert str(report.counts.others_can_read) in shown
    counts = replace(made.report().counts, others_can_read=0, others_can_read_system=0)
    assert Translator(code).t("report.others_none")[:20] in words(made.report(counts=counts), code)
    assert "--app" not in words(made.report(), code)  # a report of version 1.0 does not know


def test_apps_have_the_severity_of_their_findings(report_of):
    for story in scenario_names():
        view = ReportView(report_of(story), ENGLISH)
        assert [app.severity for app in view.ordered_apps()] == [view.max_severity(app) for app in view.ordered_apps()]


def test_gaps_are_one_line_with_their_number(made):
    rows = tuple(
        Coverage(question=question, user=None, state=AnswerState.TIMED_OUT, could_hide=True)
        for question in ("appops", "settings")
    )
    shown = words(made.report(made.app(), coverage=rows, complete=False))
    assert "Not checked: 2 things that could not be read (see --details)" in shown


def test_rules_stand_in_one_line_with_the_apps_that_they_are_about(demo_report):
    assert "Google Play: loan apps may not have contacts [2 3 5] (not fully verified)" in words(demo_report)
    assert list(legal_rules.brief_rules(ReportView(replace(demo_report, apps=()), ENGLISH), {})) == []


def test_each_app_stands_once_in_the_order_to_act(report_of):
    for story in scenario_names():
        report = report_of(story)
        view = ReportView(report, ENGLISH)
        labels = [f"[{view.severity_label(severity)}]" for severity in Severity]
        line = next(line for line in lines(report) if line.strip().startswith(tuple(labels)))
        for label in labels:
            line = line.replace(label, "")
        numbers = line.split()
        with_findings = {finding.package for finding in report.findings}
        assert len(numbers) == len(set(numbers)) == len(with_findings)


def test_a_shared_report_has_no_names(demo_report):
    shown = words(share.anonymize_report(demo_report))
    assert "速贷宝" not in shown
    assert "8 January" not in shown


@pytest.mark.parametrize("code", catalog.languages())
def test_without_an_app_what_could_not_be_read_stands_in_place_of_the_table(made, code):
    row = Coverage(question="appops", user=None, state=AnswerState.REFUSED, could_hide=True)
    shown, t = lines(made.report(coverage=(row,), complete=False), code), Translator(code).t
    assert t("report.page_gaps") in shown
    assert f"  {t('report.steps_none')}" not in shown  # that nothing is allowed is not known
    assert not [line for line in shown if line.startswith(f"  {t('report.app')}  ")]
