"""What a table keeps of each line: little, and only of files that somebody has to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNREADABLE
from privaudit.model import DataClass

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
