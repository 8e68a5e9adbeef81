"""What stands in a workshop folder: the open day, the counts of closed ones, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from privaudit.errors import SourceError, UsageError
from privaudit.workshop.counts import Book, Record, Session, counted
from privaudit.workshop.model import Keep

TOTALS: Final = "totals.json"
PAGES: Final = "pages"
PRINT: Final = "pages.html"
CAPTURES: Final = "captures"
OPEN: Final = ".open"
LOCK: Final = ".lock"
DAY: Final = "day.json"
_OURS: Final = frozenset({TOTALS, PAGES, CAPTURES, OPEN, LOCK, PRINT, f"{TOTALS}.part", f"{PRINT}.part"})
_LARGEST: Final = 4 * 1024 * 1024
"""Bytes of one of our own files."""
RECORD: Final = re.compile(r"[A-Z][0-9][A-Z]*\.json")

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What holds until the workshop is closed."""

    schema: Literal["privaudit-workshop/1"] = "privaudit-workshop/1"
    session: str
    """Stays with the counts, so that a copied folder is not counted twice. Drawn at random."""
    opened_on: date
    keep: Keep
    demo: bool
    salt: str
    """What phones are given to answer with a hash of their own numbers."""
    secret: str
    """Never leaves this computer."""
    failures: dict[str, int]
    """How often each step went wrong."""


def make(path: Path) -> None:
    """A folder of ours, which nobody else may look into.

    Raises:
        SourceError: ``folder_foreign``, ``not_written``.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        strange = {entry.name for entry in path.iterdir()} - _OURS if path.name not in {OPEN, PAGES, CAPTURES} else ()
        if strange:
            raise SourceError("errors.folder_foreign", path=str(path))
        path.chmod(0o700)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error


def check_kind(path: Path, *, demo: bool) -> None:
    """A rehearsal among real counts would spoil both."""
    book = read_book(path)
    if book is not None and book.demo != demo:
        raise UsageError("errors.rehearsal_mixed", path=str(path))


def is_counted(path: Path, session: str) -> bool:
    """Whether `session` was closed and counted."""
    book = read_book(path)
    return book is not None and session in book.sessions


def read_day(path: Path) -> Day | None:
    """The open day of the folder `path`."""
    file = path / OPEN / DAY
    return load(file, Day) if file.exists() else None


def read_book(path: Path) -> Book | None:
    """The counts of the sessions that were closed in `path`."""
    file = path / TOTALS
    return load(file, Book) if file.exists() else None


def read_sessions(paths: Iterable[Path]) -> Book:
    """Every session of these folders, the open ones too; one that stands in two folders counts once.

    Raises:
        SourceError: ``no_totals``: a folder without counts; ``folder_damaged``.
        UsageError: ``totals_mixed``: rehearsals among real ones.
    """
    sessions: dict[str, Session] = {}
    kinds: set[bool] = set()
    for path in paths:
        book, day = read_book(path), read_day(path)
        if book is not None:
            kinds.add(book.demo)
            sessions |= book.sessions
        if day is not None and day.session not in sessions:
            kinds.add(day.demo)
            rows = [load(file, Record) for file in (path / OPEN).glob("*.json") if RECORD.fullmatch(file.name)]
            sessions[day.session] = Session(opened_on=day.opened_on, counted=counted(rows, day.failures))
        if book is None and day is None:
            raise SourceError("errors.no_totals", path=str(path))
    if len(kinds) > 1:
        raise UsageError("errors.totals_mixed")
    return Book(demo=True in kinds, sessions=sessions)


def load(file: Path, kind: type[Kind]) -> Kind:
    """One of our own files.

    Raises:
        SourceError: ``folder_damaged``.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise SourceError("errors.folder_damaged", path=str(file))
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SourceError("errors.folder_damaged", path=str(file)) from error
