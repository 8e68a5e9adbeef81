"""The report for a terminal: who can read what, why, what is not known, what to tap, and the result last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from privaudit.i18n import Translator
from privaudit.model import App, DataClass, Message, Report, Severity
from privaudit.report import app_details, gaps, legal_rules, matrix, rights, summary
from privaudit.report.layout import hanging_indent, pad
from privaudit.report.view import ReportView
from privaudit.revocation import steps

DEFAULT_WIDTH: Final = 80
MIN_WIDE_WIDTH: Final = 100
"""Columns from which on there is room for one more kind of data."""
_CELL_COLUMNS: Final = 18
_INDENT_COLUMNS: Final = 2
_HEADER_LABEL_COLUMNS: Final = 10
"""Columns for the names of the rows above the report."""
_SUMMARY_LABEL_COLUMNS: Final = 16
"""Columns for the names of the parts of the result."""
_SEVERITY_STYLES: Final = {
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold",
    Severity.INFO: "",
}


@dataclass(frozen=True, slots=True)
class StyledLine:
    """One line and how it looks on a terminal that has colours."""

    text: str = ""
    style: str = ""


def render(report: Report, language: Translator, width: int = DEFAULT_WIDTH) -> str:
    """The whole report as plain text, ending in a line feed."""
    return "".join(f"{line.text}\n" for line in styled_lines(report, language, width))


def styled_lines(report: Report, language: Translator, width: int = DEFAULT_WIDTH) -> Iterator[StyledLine]:
    """The report line by line, none wider than `width` columns."""
    writer = _TextReport(ReportView(report, language), width)
    for section in (
        writer.header_lines,
        writer.matrix_lines,
        writer.finding_lines,
        writer.gap_lines,
        writer.safety_lines,
        writer.step_lines,
        writer.rights_lines,
    ):
        yield from section()
        yield StyledLine()
    yield from writer.summary_lines()


class _TextReport:
    def __init__(self, view: ReportView, width: int) -> None:
        self.view = view
        self.t = view.t
        self.width = width
        self.data_columns = matrix.WIDE_COLUMNS if width >= MIN_WIDE_WIDTH else tuple(DataClass)
        self.app_numbers = {package: place for place, package in enumerate(view.ordered_packages(), 1)}

    def header_lines(self) -> Iterator[StyledLine]:
        yield from self._wrap(self.t("report.title"), "bold")
        for notice in summary.notices(self.view.language, demo=self.view.report.demo):
            yield from self._wrap(notice, "bold")
        if self.view.report.shared:
            yield from self._wrap(self.t("report.page_shared"))
        yield StyledLine()
        for name, value in summary.header_rows(self.view):
            yield from self._hang_indent(pad(self.t(f"report.{name}"), _HEADER_LABEL_COLUMNS), value)

    def matrix_lines(self) -> Iterator[StyledLine]:
        yield from self._hang_indent("", matrix.matrix_title(self.view), "bold")
        yield StyledLine()
        if not self.app_numbers:
            name = "matrix_none" if self.view.report.counts.apps_seen else "nothing_read"
            yield from self._wrap(self.t(f"report.{name}"), indent=_INDENT_COLUMNS)
            return
        names = self.width - len(self.data_columns) * _CELL_COLUMNS - _INDENT_COLUMNS
        heads = [pad(matrix.data_label(self.view, data), _CELL_COLUMNS) for data in self.data_columns]
        yield StyledLine(("  " + pad(self.t("report.app"), names) + "".join(heads)).rstrip(), "dim")
        yield StyledLine("  " + "-" * (self.width - _INDENT_COLUMNS), "dim")
        for app in self._iter_apps():
            yield from self._matrix_row_lines(app, names)
        yield StyledLine()
        for word, meaning in matrix.matrix_legend(self.view, self.data_columns):
            yield from self._hang_indent("  " + pad(word, _CELL_COLUMNS), meaning, "dim")

    def _matrix_row_lines(self, app: App, name_columns: int) -> Iterator[StyledLine]:
        margin = len(str(len(self.app_numbers))) + 1
        copy = app is not self.view.installs_of(app.package)[0]
        number = ("" if copy else str(self.app_numbers[app.package])).ljust(margin)
        name, note = self.view.app_title(app), matrix.reason_note(self.view, app)
        if margin + cell_len(name) >= name_columns:
            # Package names are long: a line of their own, so that none is cut.
            yield from self._hang_indent("  " + number, name)
            column = (" " * margin + note, "")
        else:
            column = (number + name, " " * margin + note)
        cells = [matrix.cell_text(self.view, app, data) for data in self.data_columns]
        for text, below in zip(column, zip(*cells, strict=True), strict=True):
            yield StyledLine(
                ("  " + pad(text, name_columns) + "".join(pad(word, _CELL_COLUMNS) for word in below)).rstrip()
            )

    def finding_lines(self) -> Iterator[StyledLine]:
        yield from self._wrap(self.t("report.findings"), "bold")
        found = [app for app in self._iter_apps() if self.view.findings_of(app) or app.rules]
        if not found:
            yield StyledLine()
            yield from self._wrap(self.t("report.findings_none"), indent=_INDENT_COLUMNS)
        for app in found:
            yield StyledLine()
            severity = self.view.max_severity(app) or Severity.INFO
            yield from self._hang_indent(
                f"[{self.t(f'report.{severity}')}] ", self._app_heading(app), _SEVERITY_STYLES[severity]
            )
            for sentence in (*app_details.app_sentences(self.view, app), *legal_rules.rule_sentences(self.view, app)):
                yield from self._hang_indent("  · ", sentence)
            if ground := app_details.evidence_refs(self.view, app):
                yield from self._hang_indent(f"  {self.t('report.ground')}", ground, "dim")
        yield from self._rule_lines()

    def _rule_lines(self) -> Iterator[StyledLine]:
        for place, sentence in enumerate(legal_rules.rule_explanations(self.view)):
            if place == 0:
                yield StyledLine()
                yield from self._wrap(self.t("rules.texts"), "bold")
            yield from self._hang_indent("  · ", sentence)

    def _app_heading(self, app: App) -> str:
        parts = [f"{self.app_numbers[app.package]} {self.view.app_title(app)}"]
        package = self.t("report.name", name=app.package)
        if package not in parts[0]:
            parts.append(package)
        if app.version_name is not None:
            parts.append(self.t("report.version", version=app.version_name))
        return "  ".join(parts)

    def gap_lines(self) -> Iterator[StyledLine]:
        yield from self._wrap(self.t("report.gaps"), "bold")
        yield StyledLine()
        for sentence in gaps.gap_sentences(self.view):
            yield from self._hang_indent("  · ", sentence)

    def safety_lines(self) -> Iterator[StyledLine]:
        yield from self._wrap(self.t("report.stop"), "bold")
        yield StyledLine()
        for message in steps.SAFETY_NOTES:
            yield from self._hang_indent("  · ", self.view.translate(message))

    def step_lines(self) -> Iterator[StyledLine]:
        yield from self._wrap(self.t("report.steps"), "bold")
        yield StyledLine()
        taken = False
        for app in self._iter_apps():
            taps = self.view.steps_for(app)
            if taps:
                taken = True
                yield from self._hang_indent(f"  {self.app_numbers[app.package]} ", self.view.app_title(app), "bold")
                yield from self._step_checklist(taps)
                yield StyledLine()
        last = steps.check_other_apps_step(self.view.report.phone)
        yield from self._wrap(
            self.view.translate(last) if taken else self.t("report.steps_none"), indent=_INDENT_COLUMNS
        )

    def rights_lines(self) -> Iterator[StyledLine]:
        yield from self._wrap(rights.rights_title(self.view), "bold")
        yield StyledLine()
        for place, (step, offices) in enumerate(rights.escalation_stages(self.view), 1):
            yield from self._hang_indent(f"  {place}. ", step)
            for office in offices:
                yield from self._hang_indent("     · ", office)
        yield StyledLine()
        for sentence in rights.rights_notes(self.view):
            yield from self._wrap(sentence, indent=_INDENT_COLUMNS)

    def _step_checklist(self, manual_steps: Iterable[Message]) -> Iterator[StyledLine]:
        for place, tap in enumerate(manual_steps, 1):
            yield from self._hang_indent(f"  [ ] {place}. ", self.view.translate(tap))

    def summary_lines(self) -> Iterator[StyledLine]:
        yield StyledLine("-" * self.width, "dim")
        if self.view.report.demo:  # once more: this end is what stays on the screen
            yield from self._wrap(self.t("report.demo"), "bold")
        for name, sentences in summary.summary_sections(self.view):
            label, style = self.t(f"report.{name}"), "bold" if name == "summary" else ""
            for place, sentence in enumerate(sentences):
                yield from self._hang_indent(pad(label if place == 0 else "", _SUMMARY_LABEL_COLUMNS), sentence, style)

    def _iter_apps(self) -> Iterator[App]:
        for package in self.app_numbers:
            yield from self.view.installs_of(package)

    def _wrap(self, text: str, style: str = "", indent: int = 0) -> Iterator[StyledLine]:
        yield from self._hang_indent(" " * indent, text, style)

    def _hang_indent(self, prefix: str, text: str, style: str = "") -> Iterator[StyledLine]:
        for line in hanging_indent(prefix, text, self.width):
            yield StyledLine(line, style)
