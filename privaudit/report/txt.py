"""The whole report as text: who can read what, why, what is not known, what to tap, and the result last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from privaudit.i18n import Translator
from privaudit.model import App, DataClass, Report, Severity
from privaudit.report import app_details, gaps, legal_rules, matrix, rights, summary, taps
from privaudit.report.layout import hanging_indent, pad
from privaudit.report.view import ReportView
from privaudit.revocation import steps

DEFAULT_WIDTH: Final = 80
MIN_WIDE_WIDTH: Final = 100
"""Columns of a terminal that has room for one more kind of data."""
_CELL_COLUMNS: Final = 18
_MIN_NAME_COLUMNS: Final = 16
"""With fewer columns for names, as in a terminal of 60, names and notes stand on lines of their own above the cells."""
_INDENT_COLUMNS: Final = 2
_HEADER_LABEL_COLUMNS: Final = 10
_SUMMARY_LABEL_COLUMNS: Final = 16
SEVERITY_STYLES: Final = {Severity.HIGH: "bold red", Severity.MEDIUM: "bold yellow", Severity.LOW: "bold"}


@dataclass(frozen=True, slots=True)
class StyledLine:
    """One line, and its style on a terminal with colours."""

    text: str = ""
    style: str = ""


def render(report: Report, language: Translator, width: int = DEFAULT_WIDTH) -> str:
    """Return the report as plain text, ending in a line feed."""
    return "".join(f"{line.text}\n" for line in styled_lines(report, language, width))


def styled_lines(report: Report, language: Translator, width: int = DEFAULT_WIDTH) -> Iterator[StyledLine]:
    """Yield the report line by line; no line is wider than `width` columns."""
    view = ReportView(report, language)
    writer = TextReport(view, width)
    for section in (
        writer.header_lines(),
        writer.matrix_lines(),
        writer.finding_lines(),
        writer.bullet_section("report.gaps", gaps.gap_sentences(view)),
        writer.bullet_section("report.stop", map(view.translate, steps.SAFETY_NOTES)),
        writer.step_lines(),
        writer.rights_lines(),
    ):
        yield from section
        yield StyledLine()
    yield from writer.summary_lines()


class TextReport:
    """Lays out each section of a report in `width` columns; `terminal` lays out the same parts in fewer lines."""

    def __init__(self, view: ReportView, width: int) -> None:
        self.view = view
        self.t = view.t
        self.width = width
        self.data_columns = matrix.WIDE_COLUMNS if width >= MIN_WIDE_WIDTH else tuple(DataClass)
        self.apps = view.ordered_apps()
        self.app_numbers = view.app_numbers

    def header_lines(self) -> Iterator[StyledLine]:
        """Yield the title, the notices and how the phone was read."""
        yield from self.wrap(self.t("report.title"), "bold")
        for notice in summary.notices(self.view.language, demo=self.view.report.demo):
            yield from self.wrap(notice, "bold")
        if self.view.report.shared:
            yield from self.wrap(self.t("report.page_shared"))
        yield StyledLine()
        for key, value in summary.header_rows(self.view):
            yield from self.hang_indent(pad(self.t(key), _HEADER_LABEL_COLUMNS), value)

    def matrix_lines(self) -> Iterator[StyledLine]:
        """Yield who can read what, and what the words mean."""
        yield from self.wrap(matrix.app_counts(self.view, "report.matrix", "report.matrix_all"), "bold")
        yield StyledLine()
        if not self.apps:
            key = "report.matrix_none" if self.view.report.counts.apps_seen else "report.nothing_read"
            yield from self.wrap(self.t(key), indent=_INDENT_COLUMNS)
            return
        yield from self.table_lines()
        yield StyledLine()
        for word, meaning in matrix.matrix_legend(self.view, self.data_columns):
            yield from self.hang_indent("  " + pad(word, _CELL_COLUMNS), meaning, "dim")

    def table_lines(self) -> Iterator[StyledLine]:
        """Yield the table of who can read what."""
        name_columns = self.width - len(self.data_columns) * _CELL_COLUMNS - _INDENT_COLUMNS
        headings = [matrix.data_label(self.view, data) for data in self.data_columns]
        heading = self.t("report.app") if name_columns >= _MIN_NAME_COLUMNS else ""
        yield _matrix_line(heading, headings, name_columns, "dim")
        if not self.view.is_brief:
            yield StyledLine("  " + "-" * (self.width - _INDENT_COLUMNS), "dim")
        for app in self.apps:
            yield from self._matrix_row_lines(app, name_columns)

    def _matrix_row_lines(self, app: App, name_columns: int) -> Iterator[StyledLine]:
        number_columns = len(str(len(self.app_numbers))) + 1
        first = self.view.installs_of(app.package)[0]
        number = (str(self.app_numbers[app.package]) if app is first else "").ljust(number_columns)
        title, reason = self.view.app_title(app), matrix.reason_note(self.view, app)
        if app is not first and app.label == first.label:  # below that: what differs is whose copy it is
            title = self.view.translate(self.view.user_label(app.user))
            reason = "" if reason == matrix.reason_note(self.view, first) else reason
        note = " " * number_columns + reason
        if name_columns < _MIN_NAME_COLUMNS:
            yield from self.hang_indent(
                "  " + number, self.t("report.between_parts").join(filter(None, (title, reason)))
            )
            name_lines = ("", "")
        elif number_columns + cell_len(title) >= name_columns:
            # Package names are long: they get their own line, so that they are not cut.
            yield from self.hang_indent("  " + number, title)
            name_lines = (note, "")
        else:
            name_lines = (number + title, note)
        cells = [matrix.cell_text(self.view, app, data) for data in self.data_columns]
        for name, cell_lines in zip(name_lines, zip(*cells, strict=True), strict=True):
            yield _matrix_line(name, cell_lines, name_columns)

    def finding_lines(self) -> Iterator[StyledLine]:
        """Yield each app with its findings, the rules beside it and the evidence."""
        yield from self.wrap(self.t("report.findings"), "bold")
        apps = [app for app in self.apps if self.view.findings_of(app) or app.rules or app.named]
        if not apps:
            yield StyledLine()
            yield from self.wrap(self.t("report.findings_none"), indent=_INDENT_COLUMNS)
        for app in apps:
            yield StyledLine()
            severity = self.view.max_severity(app) or Severity.INFO
            label = f"[{self.view.severity_label(severity)}] "
            yield from self.hang_indent(label, self._app_heading(app), SEVERITY_STYLES.get(severity, ""))
            yield from self.bullets(app_details.app_sentences(self.view, app))
            yield from self.bullets(legal_rules.rule_sentences(self.view, app))
            if refs := app_details.evidence_refs(self.view, app):
                yield from self.hang_indent(f"  {self.t('report.ground')}", refs, "dim")
        if explanations := tuple(legal_rules.rule_explanations(self.view)):
            yield StyledLine()
            yield from self.wrap(self.t("rules.texts"), "bold")
            yield from self.bullets(explanations)

    def _app_heading(self, app: App) -> str:
        parts = [f"{self.app_numbers[app.package]} {self.view.app_title(app)}"]
        if (package := self.t("report.name", name=app.package)) not in parts[0]:
            parts.append(package)
        if app.version_name is not None:
            parts.append(self.t("report.version", version=app.version_name))
        return "  ".join(parts)

    def bullet_section(self, title_key: str, sentences: Iterable[str]) -> Iterator[StyledLine]:
        """Yield a title, and each of `sentences` after a dot."""
        yield from self.wrap(self.t(title_key), "bold")
        if not self.view.is_brief:
            yield StyledLine()
        yield from self.bullets(sentences)

    def step_lines(self) -> Iterator[StyledLine]:
        """Yield the taps, each list once with the apps that it is for."""
        yield from self.wrap(self.t("report.steps"), "bold")
        yield StyledLine()
        tap_lists = taps.tap_lists(self.view)
        for tap_list in tap_lists:
            yield from self.hang_indent("  ", taps.list_title(self.view, tap_list, self.app_numbers), "bold")
            for number, step in steps.number_steps(tap_list.steps):
                yield from self.hang_indent(step_prefix(number), self.view.translate(step))
            if same := taps.same_for(self.view, tap_list, self.app_numbers):
                yield from self.wrap(same, indent=_INDENT_COLUMNS)
            yield StyledLine()
        check_others = self.view.translate(steps.check_other_apps_step(self.view.report.phone))
        yield from self.wrap(check_others if tap_lists else self.t("report.steps_none"), indent=_INDENT_COLUMNS)

    def rights_lines(self) -> Iterator[StyledLine]:
        """Yield what to do next, and whom to turn to."""
        yield from self.wrap(self.t("rights.next", country=rights.country_name(self.view)), "bold")
        yield StyledLine()
        for number, (step, offices) in enumerate(rights.escalation_stages(self.view), 1):
            yield from self.hang_indent(f"  {number}. ", step)
            for office in offices:
                yield from self.hang_indent("     · ", office)
        yield StyledLine()
        for sentence in rights.rights_notes(self.view):
            yield from self.wrap(sentence, indent=_INDENT_COLUMNS)

    def summary_lines(self) -> Iterator[StyledLine]:
        """Yield the result, what to remember and what to do next."""
        yield StyledLine("-" * self.width, "dim")
        if self.view.report.demo:  # again: this end of the report is what stays on the screen
            yield from self.wrap(self.t("report.demo"), "bold")
        for key, sentences in summary.summary_sections(self.view):
            label, style = self.t(key), "bold" if key == "report.summary" else ""
            for index, sentence in enumerate(sentences):
                yield from self.hang_indent(pad(label if index == 0 else "", _SUMMARY_LABEL_COLUMNS), sentence, style)

    def bullets(self, sentences: Iterable[str]) -> Iterator[StyledLine]:
        """Yield each sentence after a dot."""
        for sentence in sentences:
            yield from self.hang_indent("  · ", sentence)

    def wrap(self, text: str, style: str = "", indent: int = 0) -> Iterator[StyledLine]:
        """Yield `text` broken into lines."""
        yield from self.hang_indent(" " * indent, text, style)

    def hang_indent(self, prefix: str, text: str, style: str = "") -> Iterator[StyledLine]:
        """Yield `text` after `prefix`, its further lines indented as far."""
        for line in hanging_indent(prefix, text, self.width):
            yield StyledLine(line, style)


def step_prefix(number: int | None) -> str:
    """Return what stands before a step: its box and number; before a note, which has none, a dot."""
    return "      · " if number is None else f"  [ ] {number}. "


def _matrix_line(name: str, cells: Iterable[str], name_columns: int, style: str = "") -> StyledLine:
    text = "  " + pad(name, name_columns - 1) + " " + "".join(pad(cell, _CELL_COLUMNS) for cell in cells)
    return StyledLine(text.rstrip(), style)
