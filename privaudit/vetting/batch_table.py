"""Many APKs in a table: the lending and listed ones, those that could not be read, and how many others there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from pydantic import TypeAdapter

from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNREADABLE
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import MAX_LABEL_CHARS, sanitize_text
from privaudit.model import DataClass, Message
from privaudit.report import gaps
from privaudit.report.layout import hanging_indent, pad
from privaudit.report.txt import StyledLine
from privaudit.vetting.document import DataRequestState, VettingKnowledgeInfo
from privaudit.vetting.report_view import localized_app_title

MAX_TABLE_ROWS: Final = 200
"""Rows of each kind. A crawl has thousands; all of them stand in the lines."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One lending or listed app."""

    path: str
    package: str
    labels: Mapping[str, str]
    label: str | None
    request_states: tuple[str, ...]
    """States by `DataClass`, in its order."""
    tiers: tuple[str, ...]


@dataclass(slots=True)
class BatchSummary:
    """Counts of a scan, and its rows. Its size does not grow with the number of files."""

    file_count: int = 0
    unreadable_count: int = 0
    partial_count: int = 0
    lending_count: int = 0
    listed_count: int = 0
    unrecognised_requesting_count: int = 0
    """Apps that were not recognised and may ask for contacts, SMS or call log."""
    finding_count: int = 0
    rows: list[BatchRow] = field(default_factory=list)
    unreadable_files: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Path, and why, as a message."""

    def add_line(self, line: str) -> None:
        """Count one line."""
        self.add_document(json.loads(line))

    def add_document(self, document: Mapping[str, Any]) -> None:
        """Count one document."""
        self.file_count += 1
        app = document["app"]
        if app is None:
            self.unreadable_count += 1
            if len(self.unreadable_files) < MAX_TABLE_ROWS:
                self.unreadable_files.append((document["file"]["path"], document["gaps"][0]["why"]))
            return
        self.partial_count += not document["complete"]
        self.finding_count += document["verdict"] == "found"
        lends = app["lending"]["verdict"] != "no"
        self.lending_count += lends
        self.listed_count += bool(app["listed"])
        asks = tuple(app["asks"][data]["state"] for data in DataClass)
        if not lends and not app["listed"]:
            self.unrecognised_requesting_count += any(state != "not_requested" for state in asks)
        elif len(self.rows) < MAX_TABLE_ROWS:
            tiers = tuple(one["tier"] for one in app["listed"])
            name = document["file"]["path"]
            self.rows.append(BatchRow(name, app["package"], app["labels"], app["label"], asks, tiers))

    @property
    def exit_code(self) -> int:
        """What was found counts before what was not read."""
        if self.finding_count:
            return EXIT_FINDINGS
        if self.unreadable_count == self.file_count:
            return EXIT_UNREADABLE
        return EXIT_INCOMPLETE if self.unreadable_count or self.partial_count else EXIT_OK


_CELL_COLUMNS: Final = 14
_INDENT: Final = 2
_CELL_KEY_BY_TIER: Final = (("A", "listed"), ("B", "listed"), ("N", "notified"), ("own", "own"))


def batch_table_lines(
    summary: BatchSummary, knowledge_info: VettingKnowledgeInfo, language: Translator, width: int
) -> Iterator[StyledLine]:
    """The table, and below it the counts and what the lists are worth."""
    if summary.rows:
        yield from _app_rows(summary, language, width)
    elif summary.file_count > summary.unreadable_count:
        yield StyledLine(language.t("vetted.table_none"))
        yield StyledLine()
    if summary.unreadable_files:
        yield StyledLine(language.t("vetted.unread_title"), "bold")
        # They came as the cores were done; the same folder is told in the same order.
        for path, why in sorted(summary.unreadable_files, key=itemgetter(0)):
            said = TypeAdapter(Message).validate_python(why)
            text = language.t("vetted.unread_row", path=_place(path), why=said)
            yield from (StyledLine(line) for line in hanging_indent("  ", text, width))
        yield from _omitted_rows_line(summary.unreadable_count - len(summary.unreadable_files), language)
        yield StyledLine()
    yield StyledLine("-" * width, "dim")
    read = summary.file_count - summary.unreadable_count
    yield StyledLine(
        language.t("vetted.counted", n=read, lending=summary.lending_count, listed=summary.listed_count), "bold"
    )
    for name, number in (
        ("others", summary.unrecognised_requesting_count),
        ("partly", summary.partial_count),
        ("unread", summary.unreadable_count),
    ):
        if number:
            yield from (
                StyledLine(line) for line in hanging_indent("", language.t(f"vetted.counted_{name}", n=number), width)
            )
    worth = gaps.list_size_sentence(language, knowledge_info.signatures, knowledge_info.rules.country)
    yield from (StyledLine(line, "dim") for line in hanging_indent("", worth, width))


def _app_rows(summary: BatchSummary, language: Translator, width: int) -> Iterator[StyledLine]:
    names = width - _INDENT - 4 * _CELL_COLUMNS
    heads = [language.t(f"vetted.{data}") for data in DataClass] + [language.t("vetted.table_lists")]
    head = pad(language.t("vetted.table_app"), names) + "".join(pad(one, _CELL_COLUMNS) for one in heads)
    yield StyledLine(f"  {head}".rstrip(), "dim")
    yield StyledLine("  " + "-" * (width - _INDENT), "dim")
    for row in sorted(summary.rows, key=_row_order):
        cells = [language.t(f"vetted.state_{DataRequestState(state)}") for state in row.request_states] + [
            _list_cell(row, language)
        ]
        name = pad(sanitize_text(localized_app_title(row.label, row.labels, row.package, language)), names - 1) + " "
        yield StyledLine(f"  {name}{''.join(pad(cell, _CELL_COLUMNS) for cell in cells)}".rstrip())
        yield from (
            StyledLine(line, "dim") for line in hanging_indent("    ", f"{row.package}  {_place(row.path)}", width)
        )
    yield from _omitted_rows_line(max(summary.lending_count, summary.listed_count) - len(summary.rows), language)
    yield StyledLine()


def _place(path: str) -> str:
    """A path; the end of one that is too long for a sentence, for there its file is named."""
    whole = sanitize_text(path, len(path))
    return whole if len(whole) <= MAX_LABEL_CHARS else "…" + whole[1 - MAX_LABEL_CHARS :]


def _row_order(row: BatchRow) -> tuple[bool, int, str, str]:
    """Listed ones first, then those that may ask for most."""
    listed = any(tier in {"A", "B"} for tier in row.tiers)
    return (
        not listed,
        -sum(state != DataRequestState.NOT_REQUESTED for state in row.request_states),
        row.package,
        row.path,
    )


def _list_cell(row: BatchRow, language: Translator) -> str:
    word = next((word for tier, word in _CELL_KEY_BY_TIER if tier in row.tiers), "no")
    return language.t(f"vetted.cell_{word}")


def _omitted_rows_line(omitted: int, language: Translator) -> Iterator[StyledLine]:
    if omitted > 0:
        yield StyledLine("  " + language.t("vetted.table_more", n=omitted))
