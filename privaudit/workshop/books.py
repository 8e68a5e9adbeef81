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
from privaudit.workshop.counts import DeviceRecord, SessionTotals, WorkshopTotals, count_records
from privaudit.workshop.model import Retention

TOTALS_FILE: Final = "totals.json"
PAGES_FOLDER: Final = "pages"
PRINT_JOB_FILE: Final = "pages.html"
CAPTURES_FOLDER: Final = "captures"
OPEN_SESSION_FOLDER: Final = ".open"
LOCK_FILE: Final = ".lock"
OPEN_SESSION_FILE: Final = "day.json"
_OWN_NAMES: Final = frozenset(
    {
        TOTALS_FILE,
        PAGES_FOLDER,
        CAPTURES_FOLDER,
        OPEN_SESSION_FOLDER,
        LOCK_FILE,
        PRINT_JOB_FILE,
        f"{TOTALS_FILE}.part",
        f"{PRINT_JOB_FILE}.part",
    }
)
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one of our own files."""
RECORD_FILE_NAME: Final = re.compile(r"[A-Z][0-9][A-Z]*\.json")

StoredT = TypeVar("StoredT")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """What holds until the workshop is closed."""

    schema: Literal["privaudit-workshop/1"] = "privaudit-workshop/1"
    session: str
    """Stays with the counts, so that a copied folder is not counted twice. Drawn at random."""
    opened_on: date
    keep: Retention
    demo: bool
    salt: str
    """What phones are given to answer with a hash of their own numbers."""
    secret: str
    """Never leaves this computer."""
    failures: dict[str, int]
    """How often each step went wrong."""


def create_folder(path: Path) -> None:
    """A folder of ours, which nobody else may look into.

    Raises:
        SourceError: ``folder_foreign``, ``not_written``.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        strange = (
            {entry.name for entry in path.iterdir()} - _OWN_NAMES
            if path.name not in {OPEN_SESSION_FOLDER, PAGES_FOLDER, CAPTURES_FOLDER}
            else ()
        )
        if strange:
            raise SourceError("errors.folder_foreign", path=str(path))
        path.chmod(0o700)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error


def check_same_mode(path: Path, *, demo: bool) -> None:
    """A rehearsal among real counts would spoil both."""
    book = read_totals(path)
    if book is not None and book.demo != demo:
        raise UsageError("errors.rehearsal_mixed", path=str(path))


def is_closed(path: Path, session: str) -> bool:
    """Whether `session` was closed and counted."""
    book = read_totals(path)
    return book is not None and session in book.sessions


def read_open_session(path: Path) -> OpenSession | None:
    """The open day of the folder `path`."""
    file = path / OPEN_SESSION_FOLDER / OPEN_SESSION_FILE
    return load_stored(file, OpenSession) if file.exists() else None


def read_totals(path: Path) -> WorkshopTotals | None:
    """The counts of the sessions that were closed in `path`."""
    file = path / TOTALS_FILE
    return load_stored(file, WorkshopTotals) if file.exists() else None


def read_all_sessions(paths: Iterable[Path]) -> WorkshopTotals:
    """Every session of these folders, the open ones too; one that stands in two folders counts once.

    Raises:
        SourceError: ``no_totals``: a folder without counts; ``folder_damaged``.
        UsageError: ``totals_mixed``: rehearsals among real ones.
    """
    sessions: dict[str, SessionTotals] = {}
    kinds: set[bool] = set()
    for path in paths:
        book, day = read_totals(path), read_open_session(path)
        if book is not None:
            kinds.add(book.demo)
            sessions |= book.sessions
        if day is not None and day.session not in sessions:
            kinds.add(day.demo)
            rows = [
                load_stored(file, DeviceRecord)
                for file in (path / OPEN_SESSION_FOLDER).glob("*.json")
                if RECORD_FILE_NAME.fullmatch(file.name)
            ]
            sessions[day.session] = SessionTotals(opened_on=day.opened_on, counted=count_records(rows, day.failures))
        if book is None and day is None:
            raise SourceError("errors.no_totals", path=str(path))
    if len(kinds) > 1:
        raise UsageError("errors.totals_mixed")
    return WorkshopTotals(demo=True in kinds, sessions=sessions)


def load_stored(file: Path, stored_type: type[StoredT]) -> StoredT:
    """One of our own files.

    Raises:
        SourceError: ``folder_damaged``.
    """
    try:
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise SourceError("errors.folder_damaged", path=str(file))
        return TypeAdapter(stored_type).validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SourceError("errors.folder_damaged", path=str(file)) from error
