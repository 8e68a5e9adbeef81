"""The report for a terminal: who can read what, why, what is not known, what to tap, and the result last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from privaudit.i18n import Language
from privaudit.model import App, DataClass, Message, Report, Severity
from privaudit.report import app_details, gaps, head, legal_rules, matrix, reach, rights, summary
from privaudit.report.layout import hanging, pad
from privaudit.report.view import Voice
from privaudit.revocation import steps

WIDTH: Final = 80
WIDE: Final = 100
"""Columns from which on there is room for one more kind of data."""
_COLUMN: Final = 18
_INDENT: Final = 2
_HEAD: Final = 10
"""Columns for the names of the rows above the report."""
_LABEL: Final = 16
"""Columns for the names of the parts of the result."""
_STYLE: Final = {Severity.HIGH: "bold red", Severity.MEDIUM: "bold yellow", Severity.LOW: "bold", Severity.INFO: ""}


@dataclass(frozen=True, slots=True)
class Line:
    """One line and how it looks on a terminal that has colours."""

    text: str = ""
    style: str = ""


def render(report: Report, language: Language, width: int = WIDTH) -> str:
    """The whole report as plain text, ending in a line feed."""
    return "".join(f"{line.text}\n" for line in lines(report, language, width))


def lines(report: Report, language: Language, width: int = WIDTH) -> Iterator[Line]:
    """The report line by line, none wider than `width` columns."""
    writer = _Writer(Voice(report, language), width)
    for section in (writer.head, writer.matrix, writer.findings, writer.gaps, writer.stop, writer.steps, writer.rights):
        yield from section()
        yield Line()
    yield from writer.result()


class _Writer:
    def __init__(self, voice: Voice, width: int) -> None:
        self.voice = voice
        self.text = voice.text
        self.width = width
        self.columns = reach.COLUMNS if width >= WIDE else tuple(DataClass)
        self.number = {package: place for place, package in enumerate(voice.packages(), 1)}

    def head(self) -> Iterator[Line]:
        yield from self._wrapped(self.text("report.title"), "bold")
        for notice in head.notices(self.voice.language, demo=self.voice.report.demo):
            yield from self._wrapped(notice, "bold")
        if self.voice.report.shared:
            yield from self._wrapped(self.text("report.page_shared"))
        yield Line()
        for name, value in head.rows(self.voice):
            yield from self._hanging(pad(self.text(f"report.{name}"), _HEAD), value)

    def matrix(self) -> Iterator[Line]:
        yield from self._hanging("", matrix.title(self.voice), "bold")
        yield Line()
        if not self.number:
            name = "matrix_none" if self.voice.report.counts.apps_seen else "nothing_read"
            yield from self._wrapped(self.text(f"report.{name}"), indent=_INDENT)
            return
        names = self.width - len(self.columns) * _COLUMN - _INDENT
        heads = [pad(reach.name(self.voice, data), _COLUMN) for data in self.columns]
        yield Line(("  " + pad(self.text("report.app"), names) + "".join(heads)).rstrip(), "dim")
        yield Line("  " + "-" * (self.width - _INDENT), "dim")
        for app in self._apps():
            yield from self._row(app, names)
        yield Line()
        for word, meaning in matrix.legend(self.voice, self.columns):
            yield from self._hanging("  " + pad(word, _COLUMN), meaning, "dim")

    def _row(self, app: App, names: int) -> Iterator[Line]:
        margin = len(str(len(self.number))) + 1
        copy = app is not self.voice.copies(app.package)[0]
        number = ("" if copy else str(self.number[app.package])).ljust(margin)
        name, note = self.voice.title(app), matrix.note(self.voice, app)
        if margin + cell_len(name) >= names:
            # Package names are long: a line of their own, so that none is cut.
            yield from self._hanging("  " + number, name)
            column = (" " * margin + note, "")
        else:
            column = (number + name, " " * margin + note)
        cells = [matrix.cell(self.voice, app, data) for data in self.columns]
        for text, below in zip(column, zip(*cells, strict=True), strict=True):
            yield Line(("  " + pad(text, names) + "".join(pad(word, _COLUMN) for word in below)).rstrip())

    def findings(self) -> Iterator[Line]:
        yield from self._wrapped(self.text("report.findings"), "bold")
        found = [app for app in self._apps() if self.voice.findings(app) or app.rules]
        if not found:
            yield Line()
            yield from self._wrapped(self.text("report.findings_none"), indent=_INDENT)
        for app in found:
            yield Line()
            severity = self.voice.severity(app) or Severity.INFO
            yield from self._hanging(f"[{self.text(f'report.{severity}')}] ", self._title(app), _STYLE[severity])
            for sentence in (*app_details.sentences(self.voice, app), *legal_rules.sentences(self.voice, app)):
                yield from self._hanging("  · ", sentence)
            if ground := app_details.ground(self.voice, app):
                yield from self._hanging(f"  {self.text('report.ground')}", ground, "dim")
        yield from self._rules()

    def _rules(self) -> Iterator[Line]:
        for place, sentence in enumerate(legal_rules.texts(self.voice)):
            if place == 0:
                yield Line()
                yield from self._wrapped(self.text("rules.texts"), "bold")
            yield from self._hanging("  · ", sentence)

    def _title(self, app: App) -> str:
        parts = [f"{self.number[app.package]} {self.voice.title(app)}"]
        package = self.text("report.name", name=app.package)
        if package not in parts[0]:
            parts.append(package)
        if app.version_name is not None:
            parts.append(self.text("report.version", version=app.version_name))
        return "  ".join(parts)

    def gaps(self) -> Iterator[Line]:
        yield from self._wrapped(self.text("report.gaps"), "bold")
        yield Line()
        for sentence in gaps.sentences(self.voice):
            yield from self._hanging("  · ", sentence)

    def stop(self) -> Iterator[Line]:
        yield from self._wrapped(self.text("report.stop"), "bold")
        yield Line()
        for message in steps.ALWAYS:
            yield from self._hanging("  · ", self.voice.say(message))

    def steps(self) -> Iterator[Line]:
        yield from self._wrapped(self.text("report.steps"), "bold")
        yield Line()
        taken = False
        for app in self._apps():
            taps = self.voice.steps(app)
            if taps:
                taken = True
                yield from self._hanging(f"  {self.number[app.package]} ", self.voice.title(app), "bold")
                yield from self._numbered(taps)
                yield Line()
        last = steps.last_of_all(self.voice.report.phone)
        yield from self._wrapped(self.voice.say(last) if taken else self.text("report.steps_none"), indent=_INDENT)

    def rights(self) -> Iterator[Line]:
        yield from self._wrapped(rights.title(self.voice), "bold")
        yield Line()
        for place, (step, offices) in enumerate(rights.rungs(self.voice), 1):
            yield from self._hanging(f"  {place}. ", step)
            for office in offices:
                yield from self._hanging("     · ", office)
        yield Line()
        for sentence in rights.notes(self.voice):
            yield from self._wrapped(sentence, indent=_INDENT)

    def _numbered(self, taps: Iterable[Message]) -> Iterator[Line]:
        for place, tap in enumerate(taps, 1):
            yield from self._hanging(f"  [ ] {place}. ", self.voice.say(tap))

    def result(self) -> Iterator[Line]:
        yield Line("-" * self.width, "dim")
        if self.voice.report.demo:  # once more: this end is what stays on the screen
            yield from self._wrapped(self.text("report.demo"), "bold")
        for name, sentences in summary.rows(self.voice):
            label, style = self.text(f"report.{name}"), "bold" if name == "summary" else ""
            for place, sentence in enumerate(sentences):
                yield from self._hanging(pad(label if place == 0 else "", _LABEL), sentence, style)

    def _apps(self) -> Iterator[App]:
        for package in self.number:
            yield from self.voice.copies(package)

    def _wrapped(self, text: str, style: str = "", indent: int = 0) -> Iterator[Line]:
        yield from self._hanging(" " * indent, text, style)

    def _hanging(self, head: str, text: str, style: str = "") -> Iterator[Line]:
        for line in hanging(head, text, self.width):
            yield Line(line, style)
