"""The workshop folder: pages, captures and counts, readable by its owner alone.

While a workshop is open, ``.open`` holds the session's secret and one record per phone. Closing counts the records into
``totals.json`` and deletes them and the secret; from then on nothing links a count or a code to a phone. After a kill
the session of the same day is resumed. Of a session with another date the facilitator is asked whether to close it or
to go on: its date, or today's, may come from a clock that is wrong, and closing deletes its pages.

Longer than most modules because reading, locking and writing share one promise: what is on the disk at any moment.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO, Final, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from privaudit.capture import archive
from privaudit.capture.model import Capture
from privaudit.documents.render import SHEET_END_MARKER, SHEET_START_MARKER
from privaudit.errors import SourceError, UsageError
from privaudit.report import save_text
from privaudit.workshop.model import Retention
from privaudit.workshop.statistics import DeviceRecord, SessionCounts, SessionTotals, WorkshopTotals, count_records

TOTALS_FILE: Final = "totals.json"
PAGES_FOLDER: Final = "pages"
PRINT_JOB_FILE: Final = "pages.html"
_CAPTURES_FOLDER: Final = "captures"
_OPEN_SESSION_FOLDER: Final = ".open"
_OPEN_SESSION_FILE: Final = "day.json"
_LOCK_FILE: Final = ".lock"
_OWN_FOLDERS: Final = frozenset({PAGES_FOLDER, _CAPTURES_FOLDER, _OPEN_SESSION_FOLDER})
_OWN_FILES: Final = frozenset(
    {TOTALS_FILE, PRINT_JOB_FILE, _LOCK_FILE, f"{TOTALS_FILE}.part", f"{PRINT_JOB_FILE}.part"}
)
"""With `_OWN_FOLDERS` everything that a workshop folder may hold."""
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a file that a workshop wrote. A page has about 20 kB."""
_RECORD_FILE_NAME: Final = re.compile(r"[A-Z][0-9][A-Z]*\.json")
CODE_LETTERS: Final = "ACDEFHJKMNPRTUWXY"
"""Without letters that look or sound like a digit or another letter: B, G, I, L, O, Q, S, V, Z."""
CODE_DIGITS: Final = "23456789"

StoredT = TypeVar("StoredT")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """State of a session until it is closed."""

    schema: Literal["privaudit-workshop/1"] = "privaudit-workshop/1"
    session: str
    """Random id. Kept with the counts, so that a copied folder is not counted twice."""
    opened_on: date
    keep: Retention
    demo: bool
    salt: str
    """Sent to phones, which answer with a salted hash of their own identifiers."""
    secret: str
    """Key of the tokens. Never leaves this computer."""
    failures: dict[str, int]
    """Name of an error → how often a step failed with it."""


def load_stored(file: Path, stored_type: type[StoredT]) -> StoredT:
    """Read a JSON file that a workshop wrote. Raises SourceError ``folder_damaged``."""
    try:
        status = file.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_FILE_BYTES:
            raise SourceError("errors.folder_damaged", path=str(file))
        return TypeAdapter(stored_type).validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise SourceError("errors.folder_damaged", path=str(file)) from error


def read_open_session(path: Path) -> OpenSession | None:
    """Return the session that is open in the folder `path`; ``None``: none is."""
    file = path / _OPEN_SESSION_FOLDER / _OPEN_SESSION_FILE
    return load_stored(file, OpenSession) if file.exists() else None


def read_totals(path: Path) -> WorkshopTotals | None:
    """Return the counts of the sessions that were closed in the folder `path`; ``None``: none was."""
    file = path / TOTALS_FILE
    return load_stored(file, WorkshopTotals) if file.exists() else None


def read_all_sessions(paths: Iterable[Path]) -> WorkshopTotals:
    """Combine all sessions of these folders, open ones included; a session in two folders counts once.

    Raises SourceError for a folder without counts or a damaged one, UsageError for rehearsals and real workshops mixed.
    """
    sessions: dict[str, SessionTotals] = {}
    demo_values: set[bool] = set()
    for path in paths:
        totals, open_session = read_totals(path), read_open_session(path)
        if totals is None and open_session is None:
            raise SourceError("errors.no_totals", path=str(path))
        if totals is not None:
            demo_values.add(totals.demo)
            sessions |= totals.sessions
        if open_session is not None and open_session.session not in sessions:
            demo_values.add(open_session.demo)
            counts = count_records(_read_records(path).values(), open_session.failures)
            sessions[open_session.session] = SessionTotals(opened_on=open_session.opened_on, counted=counts)
    if len(demo_values) > 1:
        raise UsageError("errors.totals_mixed")
    return WorkshopTotals(demo=True in demo_values, sessions=sessions)


def _read_records(path: Path) -> dict[str, DeviceRecord]:
    """Return the records of the open session in the folder `path`, by case code."""
    return {
        file.stem: load_stored(file, DeviceRecord)
        for file in sorted((path / _OPEN_SESSION_FOLDER).glob("*.json"))
        if _RECORD_FILE_NAME.fullmatch(file.name)
    }


def _read_page(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            html = stream.read(_MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if not 0 <= html.find(SHEET_START_MARKER) < html.rfind(SHEET_END_MARKER):
        raise SourceError("errors.page_foreign", path=str(path))
    return html


def draw_case_code(used_codes: Collection[str]) -> str:
    """Draw a code that is not in `used_codes`: a letter and a digit, longer once most of these have been given out."""
    suffixes = [""]
    while True:
        codes = [letter + digit + suffix for letter in CODE_LETTERS for digit in CODE_DIGITS for suffix in suffixes]
        unused = [code for code in codes if code not in used_codes]
        if len(unused) > len(CODE_LETTERS):  # never so few that the next one can be guessed
            return secrets.choice(unused)
        suffixes = [suffix + letter for suffix in suffixes for letter in CODE_LETTERS]


if sys.platform == "win32":
    import msvcrt

    def _lock_file(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock_file(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open_lock(path: Path) -> IO[bytes]:
    """Open a lock file and lock it until it is closed.

    It is not removed then: another program could lock a removed file and a new one could be locked as well. Raises
    SourceError ``folder_in_use`` if another program holds the lock, or ``not_written``.
    """
    try:
        stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600), "rb")
    except OSError as error:
        raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error
    try:
        _lock_file(stream.fileno())
    except OSError as error:
        stream.close()
        raise SourceError("errors.folder_in_use", path=str(path.parent)) from error
    return stream


class WorkshopFolder:
    """A workshop folder, created if it does not exist, locked from construction to `close` or `leave_open`.

    `confirm` asks the facilitator the question of a message key, and returns whether the answer was yes; it is asked
    before pages are deleted that another run made.

    Raises SourceError ``folder_in_use``; ``folder_foreign``: it holds other things; ``folder_link``: a name of ours is
    a link; ``page_foreign``: a page in it is not privaudit's; ``folder_damaged``; ``not_written``. Raises UsageError
    ``keep_changed`` or ``rehearsal_mixed``.
    """

    def __init__(
        self,
        path: Path,
        retention: Retention,
        *,
        demo: bool = False,
        today: Callable[[], date] = date.today,
        confirm: Callable[..., bool] = lambda _key, **_values: False,
    ) -> None:
        self.path = path
        self._confirm = confirm
        self._open_folder = path / _OPEN_SESSION_FOLDER
        _create_folder(path, _OWN_FOLDERS | _OWN_FILES)
        _require_no_links(path)
        self._lock = _open_lock(path / _LOCK_FILE)
        try:
            self._remove_partial_files()
            # Closing deletes the pages: a foreign file must be found before another day's session is closed.
            self.read_pages()
            self.records = _read_records(path)
            self.open_session, self.resumed = self._resume_or_start(retention, today(), demo=demo)
        except BaseException:
            self._lock.close()
            raise
        self._used_codes = {*self.records, *(page.stem for page in self.page_paths())}

    def _resume_or_start(self, retention: Retention, today: date, *, demo: bool) -> tuple[OpenSession, bool]:
        """Return the session, and whether it was resumed."""
        totals = read_totals(self.path)
        if totals is not None and totals.demo != demo:
            raise UsageError("errors.rehearsal_mixed", path=str(self.path))
        session = read_open_session(self.path)
        # A counted session: the program was killed after counting it and before deleting its records.
        is_counted = session is not None and totals is not None and session.session in totals.sessions
        if session is not None and (is_counted or self._close_earlier(session, today)):
            self.open_session = session
            # Of a counted session nothing says whether its pages were to stay.
            pages = len(self.page_paths()) if is_counted else 0
            keep_pages = pages > 0 and not self._confirm("workshop.ask_delete_pages", path=str(self.path), n=pages)
            self.close(keep_pages=keep_pages, release_lock=False)
            self.records = {}
        elif session is not None:
            if session.demo != demo:
                raise UsageError("errors.rehearsal_mixed", path=str(self.path))
            if session.keep is not retention:
                raise UsageError("errors.keep_changed", path=str(self.path), keep=session.keep)
            return session, True
        _create_folder(self._open_folder)
        session = OpenSession(
            session=secrets.token_hex(8),
            opened_on=today,
            keep=retention,
            demo=demo,
            salt=secrets.token_hex(16),
            secret=secrets.token_hex(32),
            failures={},
        )
        self._write_open_session(session)
        return session, False

    def _close_earlier(self, session: OpenSession, today: date) -> bool:
        """Whether to close `session` first, because of its date. Closing would delete its pages."""
        return session.opened_on != today and self._confirm(
            "workshop.ask_close_earlier",
            path=str(self.path),
            opened=session.opened_on.isoformat(),
            today=today.isoformat(),
            n=len(self.records),
        )

    def _write_open_session(self, session: OpenSession) -> None:
        save_text(TypeAdapter(OpenSession).dump_json(session).decode(), self._open_folder / _OPEN_SESSION_FILE)

    def make_token(self, identifier: str) -> str:
        """Return the pseudonym of a phone within this session: an HMAC with a secret that closing destroys."""
        return hmac.new(bytes.fromhex(self.open_session.secret), identifier.encode(), hashlib.sha256).hexdigest()

    def code_for_token(self, token: str) -> str | None:
        """Return the code of a phone that was finished earlier in this session."""
        return next((code for code, record in self.records.items() if record.token == token), None)

    def draw_code(self) -> str:
        """Return a code that was never given out in this folder."""
        code = draw_case_code(self._used_codes)
        self._used_codes.add(code)
        return code

    def save_device(self, code: str, record: DeviceRecord, page_html: str | None, capture: Capture | None) -> None:
        """Write what is kept of one phone. The record is written last: with it the phone is finished.

        Raises SourceError ``not_written``: no partial file is left, and the phone is not finished.
        """
        if page_html is not None:
            _create_folder(self.path / PAGES_FOLDER)
            save_text(page_html, self.page_path(code))
        if capture is not None:
            _create_folder(self.path / _CAPTURES_FOLDER)
            archive.write_archive(capture, self._capture_path(code))
        save_text(TypeAdapter(DeviceRecord).dump_json(record).decode(), self._record_path(code))
        self.records[code] = record

    def delete_device(self, code: str) -> None:
        """Delete what was kept of one phone, because its owner withdrew consent."""
        self.records.pop(code, None)
        for path in (self._record_path(code), self.page_path(code), self._capture_path(code)):
            path.unlink(missing_ok=True)

    def count_failure(self, step: str) -> None:
        """Count a failed step by the name of its error. A full disk is no reason to stop here."""
        failures = self.open_session.failures
        self.open_session = replace(self.open_session, failures={**failures, step: failures.get(step, 0) + 1})
        with contextlib.suppress(SourceError):
            self._write_open_session(self.open_session)

    def current_counts(self) -> SessionCounts:
        """Return the counts of this session so far."""
        return count_records(self.records.values(), self.open_session.failures)

    def page_path(self, code: str) -> Path:
        """Return the path of the page of `code`, whether or not it exists."""
        return self.path / PAGES_FOLDER / f"{code}.html"

    def page_paths(self) -> tuple[Path, ...]:
        """Return the paths of the pages that exist."""
        return tuple(sorted((self.path / PAGES_FOLDER).glob("*.html")))

    def read_pages(self) -> list[str]:
        """Return the HTML of the pages that exist. Raises SourceError if one is unreadable or not privaudit's."""
        return [_read_page(path) for path in self.page_paths()]

    def _record_path(self, code: str) -> Path:
        return self._open_folder / f"{code}.json"

    def _capture_path(self, code: str) -> Path:
        return self.path / _CAPTURES_FOLDER / f"{code}.zip"

    def close(self, *, keep_pages: bool, release_lock: bool = True) -> None:
        """Write the counts; destroy the secret, the records and, unless `keep_pages`, the pages.

        Raises SourceError if the counts cannot be written, or a name of ours has become a link; then nothing is
        destroyed.
        """
        _require_no_links(self.path)
        totals = read_totals(self.path) or WorkshopTotals(demo=self.open_session.demo, sessions={})
        if self.records or self.open_session.failures:
            session = SessionTotals(opened_on=self.open_session.opened_on, counted=self.current_counts())
            totals = replace(totals, sessions={**totals.sessions, self.open_session.session: session})
            save_text(TypeAdapter(WorkshopTotals).dump_json(totals, indent=2).decode() + "\n", self.path / TOTALS_FILE)
        self._remove_partial_files()
        shutil.rmtree(self._open_folder, ignore_errors=True)
        if not keep_pages:
            shutil.rmtree(self.path / PAGES_FOLDER, ignore_errors=True)
            (self.path / PRINT_JOB_FILE).unlink(missing_ok=True)
        if release_lock:
            self._lock.close()

    def leave_open(self) -> None:
        """Release the folder without closing the session: it can be resumed."""
        self._remove_partial_files()
        self._lock.close()

    def _remove_partial_files(self) -> None:
        for folder in (self.path, self._open_folder, self.path / PAGES_FOLDER, self.path / _CAPTURES_FOLDER):
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)


def _create_folder(path: Path, allowed_names: Collection[str] | None = None) -> None:
    """Create a folder that its owner alone can read; an existing folder becomes one.

    Raises SourceError ``not_written``, or ``folder_foreign`` and leaves it alone if it holds more than `allowed_names`.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if allowed_names is not None and any(entry.name not in allowed_names for entry in path.iterdir()):
            raise SourceError("errors.folder_foreign", path=str(path))
        path.chmod(0o700)
    except OSError as error:
        raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error


def _require_no_links(path: Path) -> None:
    """Raise SourceError ``folder_link`` unless each of our names is a real folder or file, with no second name.

    What lies behind a link would outlive the closing, or be another program's and not; reading a pipe would never end.
    """
    try:
        for entry in path.iterdir():
            is_folder = entry.name in _OWN_FOLDERS
            _require_kind(entry, is_folder=is_folder)
            for file in entry.iterdir() if is_folder else ():
                _require_kind(file, is_folder=False)
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error


def _require_kind(path: Path, *, is_folder: bool) -> None:
    status = path.lstat()
    is_plain_file = stat.S_ISREG(status.st_mode) and status.st_nlink <= 1
    is_junction = getattr(status, "st_reparse_tag", None) == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0)
    if not (stat.S_ISDIR(status.st_mode) and not is_junction if is_folder else is_plain_file):
        raise SourceError("errors.folder_link", path=str(path))
