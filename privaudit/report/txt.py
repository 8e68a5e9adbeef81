"""The report for a terminal: who can read what, why, what is not known, what to tap, and the result last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from privaudit.language import Language
from privaudit.model import App, DataClass, Message, Report, Severity
from privaudit.remedy import steps
from privaudit.report.layout import pad, wrap
from privaudit.report.sentences import Sentences

WIDTH: Final = 80
_COLUMN: Final = 18
_INDENT: Final = 2


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
    writer = _Writer(report, language, width)
    for section in (writer.head, writer.matrix, writer.findings, writer.gaps, writer.stop, writer.steps):
        yield from section()
        yield Line()
    yield from writer.summary()


class _Writer:
    def __init__(self, report: Report, language: Language, width: int) -> None:
        self.report = report
        self.language = language
        self.say = Sentences(report, language)
        self.width = width
        self.number = {package: place for place, package in enumerate(self.say.packages(), 1)}

    def head(self) -> Iterator[Line]:
        yield Line(self.language.text("report.title"), "bold")
        if self.report.demo:
            yield from self._wrapped(self.language.text("report.demo"), "bold")
        yield Line()
        for name, value in self.say.head():
            label = self.language.text(f"report.{name}")
            yield from self._hanging(pad(label, 10), value)

    def matrix(self) -> Iterator[Line]:
        yield from self._wrapped(self.say.matrix_title(), "bold")
        yield Line()
        if not self.report.apps:
            yield from self._wrapped(self.language.text("report.matrix_none"), indent=_INDENT)
            return
        names = self.width - 3 * _COLUMN - _INDENT
        heads = [pad(self.language.text(f"report.{data}"), _COLUMN) for data in DataClass]
        yield Line("  " + pad(self.language.text("report.app"), names) + "".join(heads).rstrip(), "dim")
        yield Line("  " + "-" * (self.width - _INDENT), "dim")
        for package in self.say.packages():
            for place, app in enumerate(self.say.copies(package)):
                number = f"{self.number[package]:<2} " if place == 0 else "   "
                first, below = number + self.say.name_in_matrix(app), "   " + self.say.note(app)
                if cell_len(first) >= names:
                    # Package names are long: a line of their own, so that none is cut.
                    yield from self._hanging("  " + first[:3], first[3:])
                    first, below = below, ""
                for text, cells in zip((first, below), self._cells(app), strict=True):
                    yield Line(("  " + pad(text, names) + "".join(cells)).rstrip())
        yield Line()
        for word, meaning in self.say.legend():
            yield from self._hanging("  " + pad(word, 18), meaning, "dim")

    def _cells(self, app: App) -> Iterator[list[str]]:
        pairs = [self.say.cell(app, data) for data in DataClass]
        yield [pad(state, _COLUMN) for state, _ in pairs]
        yield [pad(record, _COLUMN) for _, record in pairs]

    def findings(self) -> Iterator[Line]:
        yield Line(self.language.text("report.findings"), "bold")
        found = False
        for package in self.say.packages():
            for app in self.say.copies(package):
                severity = self.say.severity(app)
                if severity is None:
                    continue
                found = True
                yield Line()
                yield from self._hanging(
                    f"[{self.language.text(f'report.{severity}')}] ", self._app_title(app), _STYLE[severity]
                )
                for sentence in self.say.about(app):
                    yield from self._hanging("  · ", sentence)
                yield from self._hanging("  " + self.language.text("report.ground") + "  ", self.say.ground(app), "dim")
        if not found:
            yield from self._wrapped(self.language.text("report.findings_none"), indent=_INDENT)

    def _app_title(self, app: App) -> str:
        parts = [f"{self.number[app.package]} {self.say.name_in_matrix(app)}"]
        if app.label is not None:
            parts.append(app.package)
        if app.version_name is not None:
            parts.append(self.language.text("report.version", version=app.version_name))
        return "    ".join(parts)

    def gaps(self) -> Iterator[Line]:
        yield Line(self.language.text("report.gaps"), "bold")
        yield Line()
        for sentence in self.say.gaps():
            yield from self._hanging("  · ", sentence)
        for sentence in self.say.never():
            yield from self._hanging("  · ", sentence)

    def stop(self) -> Iterator[Line]:
        yield Line(self.language.text("report.stop"), "bold")
        yield Line()
        for message in steps.ALWAYS:
            yield from self._hanging("  · ", self.language.say(message))

    def steps(self) -> Iterator[Line]:
        yield Line(self.language.text("report.steps"), "bold")
        taken = False
        for package in self.say.packages():
            for app in self.say.copies(package):
                taps = self.say.steps(app)
                if taps:
                    taken = True
                    yield Line()
                    yield Line(f"  {self.number[package]} {self.say.name_in_matrix(app)}", "bold")
                    yield from self._numbered(taps)
        yield Line()
        if not taken:
            yield from self._wrapped(self.language.text("report.steps_none"), indent=_INDENT)
            return
        yield from self._wrapped(self.language.say(steps.last_of_all(self.report.phone)), indent=_INDENT)

    def _numbered(self, taps: Iterable[Message]) -> Iterator[Line]:
        for place, tap in enumerate(taps, 1):
            yield from self._hanging(f"  [ ] {place}. ", self.language.say(tap))

    def summary(self) -> Iterator[Line]:
        yield Line("-" * self.width, "dim")
        for name, sentences in self.say.summary():
            label = self.language.text(f"report.{name}")
            style = "bold" if name == "summary" else ""
            for place, sentence in enumerate(sentences):
                yield from self._hanging(pad(label if place == 0 else "", 16), sentence, style)

    def _wrapped(self, text: str, style: str = "", indent: int = 0) -> Iterator[Line]:
        yield from self._hanging(" " * indent, text, style)

    def _hanging(self, head: str, text: str, style: str = "") -> Iterator[Line]:
        indent = cell_len(head)
        for place, line in enumerate(wrap(text, self.width - indent)):
            yield Line(((head if place == 0 else " " * indent) + line).rstrip(), style)


_STYLE: Final = {Severity.HIGH: "bold red", Severity.MEDIUM: "bold yellow", Severity.LOW: "bold", Severity.INFO: ""}
