"""All that a workshop writes: pages, captures and counts in a folder of its owner's alone.

While the workshop is open, ``.open`` holds the day's secret and one record a phone. Closing counts the records into
``totals.json`` and deletes them with the secret; from then on nothing leads from a count or a code to a phone. After a
kill the same day goes on; what another day left open is closed first.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from privaudit.capture import archive
from privaudit.capture.model import Capture
from privaudit.errors import SourceError, UsageError
from privaudit.report import save_text
from privaudit.workshop.model import Retention
from privaudit.workshop.statistics import DeviceRecord, SessionCounts, SessionTotals, WorkshopTotals, count_records

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


CODE_LETTERS: Final = "ACDEFHJKMNPRTUWXY"
"""Without those that look or sound like a digit or another letter: B, G, I, L, O, Q, S, V, Z."""
CODE_DIGITS: Final = "23456789"


def draw_case_code(used_codes: Collection[str]) -> str:
    """A code that is not in `used_codes`: a letter and a digit, and longer ones when most of these are given out."""
    tails = [""]
    while True:
        free = [
            code
            for letter in CODE_LETTERS
            for digit in CODE_DIGITS
            for tail in tails
            if (code := letter + digit + tail)
        ]
        free = [code for code in free if code not in used_codes]
        if len(free) > len(CODE_LETTERS):  # never so few that the next one can be guessed
            return secrets.choice(free)
        tails = [tail + letter for tail in tails for letter in CODE_LETTERS]


if sys.platform == "win32":
    import msvcrt

    def _lock_file(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock_file(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """Held from construction to `release`. The file stays: a removed one could be locked twice.

    Raises:
        SourceError: ``folder_in_use``: another one is held; ``not_written``.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error
        try:
            _lock_file(self._fd)
        except OSError as error:
            os.close(self._fd)
            raise SourceError("errors.folder_in_use", path=str(path.parent)) from error

    def release(self) -> None:
        """Let others in. May be called twice."""
        file, self._fd = self._fd, None
        if file is not None:
            os.close(file)


class WorkshopFolder:
    """A workshop folder, locked and open until `close` or `leave`.

    Args:
        path: made where it is not there.
        keep: what stays of a visit.
        demo: whether it is a rehearsal.
        today: this computer's date.

    Raises:
        SourceError: ``folder_in_use``; ``folder_foreign``: it holds other things; ``folder_damaged``; ``not_written``.
        UsageError: ``keep_changed``, ``rehearsal_mixed``.
    """

    def __init__(
        self, path: Path, retention: Retention, *, demo: bool = False, today: Callable[[], date] = date.today
    ) -> None:
        self.path = path
        self._open_folder = path / OPEN_SESSION_FOLDER
        create_folder(path)
        self._lock = FolderLock(path / LOCK_FILE)
        try:
            self._remove_partial_files()
            self._today = today()
            check_same_mode(path, demo=demo)
            self.open_session, self.resumed = self._resume_or_start(retention, demo=demo)
            self.records = dict(self._read_records())
        except BaseException:
            self._lock.release()
            raise
        self._used_codes = {*self.records, *(page.stem for page in self.page_paths())}

    def _resume_or_start(self, retention: Retention, *, demo: bool) -> tuple[OpenSession, bool]:
        day = read_open_session(self.path)
        if day is not None and (day.opened_on != self._today or is_closed(self.path, day.session)):
            # It was never closed. The pages of another day go, as they would have then.
            self.open_session, self.records = day, dict(self._read_records())
            self.close(keep_pages=False, release_lock=False)
            day = None
        if day is not None:
            if day.demo != demo:
                raise UsageError("errors.rehearsal_mixed", path=str(self.path))
            if day.keep is not retention:
                raise UsageError("errors.keep_changed", path=str(self.path), keep=day.keep)
            return day, True
        create_folder(self._open_folder)
        day = OpenSession(
            session=secrets.token_hex(8),
            opened_on=self._today,
            keep=retention,
            demo=demo,
            salt=secrets.token_hex(16),
            secret=secrets.token_hex(32),
            failures={},
        )
        self._write_open_session(day)
        return day, False

    def _write_open_session(self, open_session: OpenSession) -> None:
        save_text(TypeAdapter(OpenSession).dump_json(open_session).decode(), self._open_folder / OPEN_SESSION_FILE)

    def _read_records(self) -> Iterator[tuple[str, DeviceRecord]]:
        for file in sorted(self._open_folder.glob("*.json")):
            if RECORD_FILE_NAME.fullmatch(file.name):
                yield file.stem, load_stored(file, DeviceRecord)

    # --- while it is open ---

    def make_token(self, identifier: str) -> str:
        """The day's own name for the phone that `identifier` this of itself: an HMAC with a secret that is destroyed."""
        return hmac.new(bytes.fromhex(self.open_session.secret), identifier.encode(), hashlib.sha256).hexdigest()

    def code_for_token(self, token: str) -> str | None:
        """The code of a phone that finished earlier today."""
        return next((code for code, record in self.records.items() if record.token == token), None)

    def draw_code(self) -> str:
        """A code that was not given out in this folder before."""
        code = draw_case_code(self._used_codes)
        self._used_codes.add(code)
        return code

    def save_device(self, code: str, record: DeviceRecord, page_html: str | None, capture: Capture | None) -> None:
        """Keep what is to be kept of one phone. The record comes last: with it the phone is finished.

        Raises:
            SourceError: ``not_written``; nothing half-written stays, and the phone is not finished.
        """
        if page_html is not None:
            create_folder(self.path / PAGES_FOLDER)
            save_text(page_html, self.page_path(code))
        if capture is not None:
            create_folder(self.path / CAPTURES_FOLDER)
            archive.write_archive(capture, self.path / CAPTURES_FOLDER / f"{code}.zip")
        save_text(TypeAdapter(DeviceRecord).dump_json(record).decode(), self._open_folder / f"{code}.json")
        self.records[code] = record

    def delete_device(self, code: str) -> None:
        """Delete what was kept of one phone: its owner has withdrawn."""
        self.records.pop(code, None)
        for path in (
            self._open_folder / f"{code}.json",
            self.page_path(code),
            self.path / CAPTURES_FOLDER / f"{code}.zip",
        ):
            path.unlink(missing_ok=True)

    def count_failure(self, step: str) -> None:
        """Count a step that went wrong. Not worth stopping for where the disk is full."""
        self.open_session = replace(
            self.open_session,
            failures={**self.open_session.failures, step: self.open_session.failures.get(step, 0) + 1},
        )
        with contextlib.suppress(SourceError):
            self._write_open_session(self.open_session)

    def page_path(self, code: str) -> Path:
        """Where the page of `code` is, or would be."""
        return self.path / PAGES_FOLDER / f"{code}.html"

    def page_paths(self) -> tuple[Path, ...]:
        """The pages that are there."""
        return tuple(sorted((self.path / PAGES_FOLDER).glob("*.html")))

    def current_counts(self) -> SessionCounts:
        """What this session counts so far."""
        return count_records(self.records.values(), self.open_session.failures)

    # --- the end ---

    def close(self, *, keep_pages: bool, release_lock: bool = True) -> None:
        """Count, and destroy the day's secret, what is known of single phones and, unless told otherwise, the pages.

        Raises:
            SourceError: ``not_written``: the counts could not be written; then nothing is destroyed.
        """
        book = read_totals(self.path) or WorkshopTotals(demo=self.open_session.demo, sessions={})
        if self.records or self.open_session.failures:
            session = SessionTotals(opened_on=self.open_session.opened_on, counted=self.current_counts())
            book = replace(book, sessions={**book.sessions, self.open_session.session: session})
            save_text(TypeAdapter(WorkshopTotals).dump_json(book, indent=2).decode() + "\n", self.path / TOTALS_FILE)
        shutil.rmtree(self._open_folder, ignore_errors=True)
        if not keep_pages:
            shutil.rmtree(self.path / PAGES_FOLDER, ignore_errors=True)
            (self.path / PRINT_JOB_FILE).unlink(missing_ok=True)
        if release_lock:
            self._lock.release()

    def leave_open(self) -> None:
        """Leave it open, for the rest of the day."""
        self._remove_partial_files()
        self._lock.release()

    def _remove_partial_files(self) -> None:
        for folder in (self.path, self._open_folder, self.path / PAGES_FOLDER, self.path / CAPTURES_FOLDER):
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)
