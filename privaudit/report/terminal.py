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
    view = ReportView(report, language, is_brief=True)
    writer = _ShortReport(view, width)
    for section in (
        writer.header_lines(),
        writer.matrix_lines() if report.apps else writer.gap_lines(),
        writer.first_lines(),
        writer.tap_lines(),
    ):
        if lines := tuple(section):
            yield from lines
            yield StyledLine()
    yield from writer.closing_lines()


class _ShortReport:
    """Lays out each section in `width` columns."""

    def __init__(self, view: ReportView, width: int) -> None:
        self.view = view
        self.t = view.t
        self.text = TextReport(view, width)

    def header_lines(self) -> Iterator[StyledLine]:
        yield from self.text.wrap(self.t("report.title"), "bold")
        for notice in summary.notices(self.view.language, demo=self.view.report.demo):
            yield from self.text.wrap(notice, "bold")
        phone, checked = summary.phone_and_time(self.view)
        yield from self.text.wrap(self.t("report.between_parts").join((phone, checked)))
        first, others = summary.verdict(self.view)
        yield from self.text.wrap(first, "bold")
        if others:
            yield from self.text.wrap(self.t("report.between_sentences").join(others))

    def gap_lines(self) -> Iterator[StyledLine]:
        """Yield what could not be read, in place of a table without a row: an app may be hidden there."""
        if missing := gaps.missing_data(self.view):
            yield from self.text.wrap(self.t("report.page_gaps"), "bold")
            yield from self.text.bullets(missing)

    def matrix_lines(self) -> Iterator[StyledLine]:
        yield from self.text.wrap(
            matrix.app_counts(self.view, "report.short_matrix", "report.short_matrix_all"), "bold"
        )
        yield from self.text.table_lines()
        for word, meaning in matrix.matrix_legend(self.view, self.text.data_columns, _LEGEND_KEYS):
            yield from self.text.hang_indent(f"  {word}{self.t('rights.colon')}", meaning, "dim")
        yield from self._severity_lines()
        for rule in legal_rules.brief_rules(self.view, self.text.app_numbers):
            yield from self.text.hang_indent("  · ", rule)

    def _severity_lines(self) -> Iterator[StyledLine]:
        by_severity: dict[Severity, list[str]] = {}
        for package in self.view.ordered_packages():
            grades = (self.view.max_severity(app) for app in self.view.installs_of(package))
            if known := [grade for grade in grades if grade is not None]:
                grade = min(known, key=lambda grade: grade.order)
                by_severity.setdefault(grade, []).append(str(self.text.app_numbers[package]))
        if by_severity:
            ordered = sorted(by_severity, key=lambda severity: severity.order)
            parts = (f"[{self.view.severity_label(one)}] {' '.join(by_severity[one])}" for one in ordered)
            yield from self.text.wrap("  ".join(parts), SEVERITY_STYLES.get(ordered[0], ""), indent=2)

    def first_lines(self) -> Iterator[StyledLine]:
        yield from self.text.wrap(self.t("report.page_stop"), "bold")
        yield from self.text.bullets(map(self.view.translate, steps.SAFETY_NOTES))

    def tap_lines(self) -> Iterator[StyledLine]:
        # An app is no longer a device administrator only when it is uninstalled, which comes last.
        lists = [tap_list for tap_list in taps.tap_lists(self.view) if tap_list.kind != "device_admin"]
        yield from self.text.wrap(self.t("report.short_steps"), "bold")
        notes: set[str] = set()
        for tap_list in lists:
            title = taps.list_title(self.view, tap_list, self.text.app_numbers)
            if (hint := taps.search_hint(self.view, tap_list)) not in notes:
                title += hint
            notes.add(hint)
            yield from self.text.hang_indent("  ", title, "bold")
            for number, step in taps.short_steps(self.view, tap_list):
                if number is None and step in notes:
                    continue
                yield from self.text.hang_indent(step_prefix(number), step)
                notes |= {step} if number is None else set()
            if same := taps.same_for(self.view, tap_list, self.text.app_numbers):
                yield from self.text.wrap(same, indent=2)
        check_others = steps.check_other_apps_step(self.view.report.phone)
        # Also where nothing was found: that does not mean that nothing is allowed.
        look = check_others if lists else replace(check_others, key="report.taps_look")
        sentences = (*((self.t("report.taps_after"),) if lists else ()), self.view.translate(look))
        yield from self.text.wrap(self.t("report.between_sentences").join(sentences), indent=2)

    def closing_lines(self) -> Iterator[StyledLine]:
        missing = len(gaps.missing_data(self.view))
        not_checked = self.t("report.short_gaps", n=missing) if missing else self.t("report.short_no_gaps")
        yield from self.text.wrap(not_checked)
        if other_readers := tuple(gaps.other_readers_notice(self.view)):
            yield from self.text.wrap(self.t("report.between_sentences").join(other_readers))
        if self.view.report.source.is_live:
            yield from self.text.wrap(self.t("report.short_leaving"))
        yield from self.text.wrap(self.t("report.short_rest"))
        if self.view.report.demo:  # again: this end of the report is what stays on the screen
            yield from self.text.wrap(self.t("report.demo"), "bold")
            return
        for sentence in legal_rules.country_suggestion(self.view):
            yield from self.text.wrap(sentence)
