"""The report on a terminal: one screen and a half of what to know and do first. `txt` has the whole report."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import Report, Severity
from privaudit.report import gaps, legal_rules, matrix, summary, taps
from privaudit.report.txt import SEVERITY_STYLES, StyledLine, TextReport, step_prefix
from privaudit.report.view import ReportView
from privaudit.revocation import steps

_LEGEND_KEYS: Final = frozenset(
    {
        "report.history_no_record",
        "report.state_unknown",
        "report.why_screen",
        "report.why_notifications",
        "report.why_other_way",
    }
)
"""Words of the table that may be taken for more than they say."""


def styled_lines(report: Report, language: Translator, width: int) -> Iterator[StyledLine]:
    """Yield the short report line by line; no line is wider than `width` columns."""
    text = TextReport(ReportView(report, language, is_brief=True), width)
    # Without an app, in place of the table: what could not be read, for an app may be hidden there.
    missing = gaps.missing_data(text.view)
    for section in (
        _header_lines(text),
        _matrix_lines(text) if report.apps else text.bullet_section("report.page_gaps", missing) if missing else (),
        text.bullet_section("report.page_stop", map(text.view.translate, steps.SAFETY_NOTES)),
        _tap_lines(text),
    ):
        if lines := tuple(section):
            yield from lines
            yield StyledLine()
    yield from _closing_lines(text, len(missing))


def _header_lines(text: TextReport) -> Iterator[StyledLine]:
    view, t = text.view, text.view.t
    yield from text.wrap(t("report.title"), "bold")
    for notice in summary.notices(view.language, demo=view.report.demo):
        yield from text.wrap(notice, "bold")
    yield from text.wrap(t("report.between_parts").join((summary.phone_text(view), summary.audit_time_text(view))))
    first, others = summary.verdict(view)
    yield from text.wrap(first, "bold")
    if others:
        yield from text.wrap(t("report.between_sentences").join(others))


def _matrix_lines(text: TextReport) -> Iterator[StyledLine]:
    view = text.view
    yield from text.wrap(matrix.app_counts(view, "report.short_matrix", "report.short_matrix_all"), "bold")
    yield from text.table_lines()
    for word, meaning in matrix.matrix_legend(view, text.data_columns, _LEGEND_KEYS):
        yield from text.hang_indent(f"  {word}{view.t('rights.colon')}", meaning, "dim")
    yield from _severity_lines(text)
    for rule in legal_rules.brief_rules(view, text.app_numbers):
        yield from text.hang_indent("  · ", rule)


def _severity_lines(text: TextReport) -> Iterator[StyledLine]:
    by_severity: dict[Severity, list[str]] = {}
    for package, number in text.app_numbers.items():
        grades = (text.view.max_severity(app) for app in text.view.installs_of(package))
        if known := [grade for grade in grades if grade is not None]:
            grade = min(known, key=lambda grade: grade.order)
            by_severity.setdefault(grade, []).append(str(number))
    if by_severity:
        ordered = sorted(by_severity, key=lambda severity: severity.order)
        parts = (f"[{text.view.severity_label(one)}] {' '.join(by_severity[one])}" for one in ordered)
        yield from text.wrap("  ".join(parts), SEVERITY_STYLES.get(ordered[0], ""), indent=2)


def _tap_lines(text: TextReport) -> Iterator[StyledLine]:
    view, t = text.view, text.view.t
    # An app is no longer a device administrator only when it is uninstalled, which comes last.
    lists = [tap_list for tap_list in taps.tap_lists(view) if tap_list.kind != "device_admin"]
    yield from text.wrap(t("report.short_steps"), "bold")
    notes: set[str] = set()
    for tap_list in lists:
        title = taps.list_title(view, tap_list, text.app_numbers)
        if (hint := taps.search_hint(view, tap_list)) not in notes:
            title += hint
        notes.add(hint)
        yield from text.hang_indent("  ", title, "bold")
        for number, step in taps.short_steps(view, tap_list):
            if number is None and step in notes:
                continue
            yield from text.hang_indent(step_prefix(number), step)
            notes |= {step} if number is None else set()
        if same := taps.same_for(view, tap_list, text.app_numbers):
            yield from text.wrap(same, indent=2)
    check_others = steps.check_other_apps_step(view.report.phone)
    # Also where nothing was found: that does not mean that nothing is allowed.
    look = check_others if lists else replace(check_others, key="report.taps_look")
    sentences = (*((t("report.taps_after"),) if lists else ()), view.translate(look))
    yield from text.wrap(t("report.between_sentences").join(sentences), indent=2)


def _closing_lines(text: TextReport, missing: int) -> Iterator[StyledLine]:
    view, t = text.view, text.view.t
    yield from text.wrap(t("report.short_gaps", n=missing) if missing else t("report.short_no_gaps"))
    if other_readers := tuple(gaps.other_readers_notice(view)):
        yield from text.wrap(t("report.between_sentences").join(other_readers))
    if view.report.source.is_live:
        yield from text.wrap(t("report.short_leaving"))
    yield from text.wrap(t("report.short_rest"))
    if view.report.demo:  # again: this end of the report is what stays on the screen
        yield from text.wrap(t("report.demo"), "bold")
        return
    for sentence in legal_rules.country_suggestion(view):
        yield from text.wrap(sentence)
