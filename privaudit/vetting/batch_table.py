"""Summarise many vetted apps in a table: lending and listed apps, unreadable files, and the number of all others."""

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
from privaudit.report.layout import pad
from privaudit.report.txt import StyledLine
from privaudit.vetting.document import DataRequestState, VettingKnowledgeInfo
from privaudit.vetting.report import indented_lines
from privaudit.vetting.report_view import DATA_NAME_KEYS, REQUEST_STATE_KEYS, localized_app_title

MAX_TABLE_ROWS: Final = 200
"""Rows of each kind. A batch may have thousands; all of them are in the JSON lines."""
_CELL_COLUMNS: Final = 14
_INDENT: Final = 2
_CELL_KEYS_BY_TIER: Final = {
    **dict.fromkeys(("A", "B"), "vetted.cell_listed"),
    "N": "vetted.cell_notified",
    "own": "vetted.cell_own",
}
"""Tier of a list → message key of its cell, the most telling first."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One lending or listed app."""

    path: str
    package: str
    labels: Mapping[str, str]
    label: str | None
    request_states: tuple[DataRequestState, ...]
    """One state for each `DataClass`, in its order."""
    tiers: tuple[str, ...]
    """Tiers of the lists that name the app."""


@dataclass(slots=True)
class BatchSummary:
    """Counts and rows of a batch. Its size does not grow with the number of files."""

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
    """Path, and the reason as a serialised message."""

    def add_line(self, line: str) -> None:
        """Count the document on one line of JSON."""
        self.add_document(json.loads(line))

    def add_document(self, document: Mapping[str, Any]) -> None:
        """Count one document."""
        self.file_count += 1
        path, app = document["file"]["path"], document["app"]
        if app is None:
            self.unreadable_count += 1
            if len(self.unreadable_files) < MAX_TABLE_ROWS:
                self.unreadable_files.append((path, document["gaps"][0]["why"]))
            return
        self.partial_count += not document["complete"]
        self.finding_count += document["verdict"] == "found"
        is_lending = app["lending"]["verdict"] != "no"
        self.lending_count += is_lending
        self.listed_count += bool(app["listed"])
        states = tuple(DataRequestState(app["asks"][data_class]["state"]) for data_class in DataClass)
        if not is_lending and not app["listed"]:
            self.unrecognised_requesting_count += any(state is not DataRequestState.NOT_REQUESTED for state in states)
        elif len(self.rows) < MAX_TABLE_ROWS:
            tiers = tuple(match["tier"] for match in app["listed"])
            self.rows.append(BatchRow(path, app["package"], app["labels"], app["label"], states, tiers))

    @property
    def exit_code(self) -> int:
        """The exit code of the batch: findings take precedence over unreadable files."""
        if self.finding_count:
            return EXIT_FINDINGS
        if self.unreadable_count == self.file_count:
            return EXIT_UNREADABLE
        return EXIT_INCOMPLETE if self.unreadable_count or self.partial_count else EXIT_OK


def batch_table_lines(
    summary: BatchSummary, knowledge_info: VettingKnowledgeInfo, language: Translator, width: int
) -> Iterator[StyledLine]:
    """Yield the table, the unreadable files, the counts, and how much the lists cover."""
    if summary.rows:
        yield from _app_rows(summary, language, width)
    elif summary.file_count > summary.unreadable_count:
        yield StyledLine(language.t("vetted.table_none"))
        yield StyledLine()
    if summary.unreadable_files:
        yield from _unreadable_rows(summary, language, width)
    yield StyledLine("-" * width, "dim")
    read_count = summary.file_count - summary.unreadable_count
    yield StyledLine(
        language.t("vetted.counted", n=read_count, lending=summary.lending_count, listed=summary.listed_count), "bold"
    )
    for key, count in (
        ("vetted.counted_others", summary.unrecognised_requesting_count),
        ("vetted.counted_partly", summary.partial_count),
        ("vetted.counted_unread", summary.unreadable_count),
    ):
        if count:
            yield from indented_lines("", language.t(key, n=count), width)
    list_size = gaps.list_size_sentence(language, knowledge_info.signatures, knowledge_info.rules.country)
    yield from indented_lines("", list_size, width, "dim")


def _app_rows(summary: BatchSummary, language: Translator, width: int) -> Iterator[StyledLine]:
    name_columns = width - _INDENT - (len(DataClass) + 1) * _CELL_COLUMNS
    heads = [language.t(DATA_NAME_KEYS[data_class]) for data_class in DataClass] + [language.t("vetted.table_lists")]
    yield StyledLine(f"  {pad(language.t('vetted.table_app'), name_columns)}{_cells(heads)}".rstrip(), "dim")
    yield StyledLine("  " + "-" * (width - _INDENT), "dim")
    for row in sorted(summary.rows, key=_row_order):
        cells = [language.t(REQUEST_STATE_KEYS[state]) for state in row.request_states]
        list_keys = (key for tier, key in _CELL_KEYS_BY_TIER.items() if tier in row.tiers)
        cells.append(language.t(next(list_keys, "vetted.cell_no")))
        title = sanitize_text(localized_app_title(row.label, row.labels, row.package, language))
        yield StyledLine(f"  {pad(title, name_columns - 1)} {_cells(cells)}".rstrip())
        yield from indented_lines("    ", f"{row.package}  {_shorten_path(row.path)}", width, "dim")
    yield from _omitted_rows_line(max(summary.lending_count, summary.listed_count) - len(summary.rows), language)
    yield StyledLine()


def _unreadable_rows(summary: BatchSummary, language: Translator, width: int) -> Iterator[StyledLine]:
    yield StyledLine(language.t("vetted.unread_title"), "bold")
    # Sorted, because lines come in the order of completion: the same folder gives the same output.
    for path, reason in sorted(summary.unreadable_files, key=itemgetter(0)):
        why = TypeAdapter(Message).validate_python(reason)
        row = language.t("vetted.unread_row", path=_shorten_path(path), why=why)
        yield from indented_lines("  ", row, width)
    yield from _omitted_rows_line(summary.unreadable_count - len(summary.unreadable_files), language)
    yield StyledLine()


def _cells(texts: list[str]) -> str:
    return "".join(pad(text, _CELL_COLUMNS) for text in texts)


def _shorten_path(path: str) -> str:
    """Return a path that fits into a sentence; of a longer one its end, where the file name is."""
    text = sanitize_text(path, len(path))
    return text if len(text) <= MAX_LABEL_CHARS else "…" + text[1 - MAX_LABEL_CHARS :]


def _row_order(row: BatchRow) -> tuple[bool, int, str, str]:
    """Return the sort key of a row: apps on a published list first, then those that may ask for most."""
    is_published = any(tier in {"A", "B"} for tier in row.tiers)
    requested_count = sum(state is not DataRequestState.NOT_REQUESTED for state in row.request_states)
    return not is_published, -requested_count, row.package, row.path


def _omitted_rows_line(omitted: int, language: Translator) -> Iterator[StyledLine]:
    if omitted > 0:
        yield StyledLine("  " + language.t("vetted.table_more", n=omitted))
