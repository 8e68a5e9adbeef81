"""What a table keeps of each line: little, and only of files that somebody has to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from privaudit.errors import EXIT_FOUND, EXIT_GAPS, EXIT_OK, EXIT_UNREADABLE
from privaudit.model import DataClass

MOST: Final = 200
"""Rows of each kind. A crawl has thousands; all of them stand in the lines."""


@dataclass(frozen=True, slots=True)
class Row:
    """One lending or listed app."""

    path: str
    package: str
    labels: Mapping[str, str]
    label: str | None
    asks: tuple[str, ...]
    """States by `DataClass`, in its order."""
    tiers: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """Counts of a scan, and its rows. Its size does not grow with the number of files."""

    files: int = 0
    unread: int = 0
    partly: int = 0
    lending: int = 0
    listed: int = 0
    asking: int = 0
    """Apps that were not recognised and may ask for contacts, SMS or call log."""
    found: int = 0
    rows: list[Row] = field(default_factory=list)
    unreadable: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    """Path, and why, as a message."""

    def add(self, line: str) -> None:
        """Count one line."""
        self.count(json.loads(line))

    def count(self, document: Mapping[str, Any]) -> None:
        """Count one document."""
        self.files += 1
        app = document["app"]
        if app is None:
            self.unread += 1
            if len(self.unreadable) < MOST:
                self.unreadable.append((document["file"]["path"], document["gaps"][0]["why"]))
            return
        self.partly += not document["complete"]
        self.found += document["verdict"] == "found"
        lends = app["lending"]["verdict"] != "no"
        self.lending += lends
        self.listed += bool(app["listed"])
        asks = tuple(app["asks"][data]["state"] for data in DataClass)
        if not lends and not app["listed"]:
            self.asking += any(state != "not_requested" for state in asks)
        elif len(self.rows) < MOST:
            tiers = tuple(one["tier"] for one in app["listed"])
            name = document["file"]["path"]
            self.rows.append(Row(name, app["package"], app["labels"], app["label"], asks, tiers))

    @property
    def exit_code(self) -> int:
        """What was found counts before what was not read."""
        if self.found:
            return EXIT_FOUND
        if self.unread == self.files:
            return EXIT_UNREADABLE
        return EXIT_GAPS if self.unread or self.partly else EXIT_OK
