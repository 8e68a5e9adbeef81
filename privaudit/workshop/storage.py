"""All that a workshop writes: pages, captures and counts in a folder of its owner's alone.

While the workshop is open, ``.open`` holds the day's secret and one record a phone. Closing counts the records into
``totals.json`` and deletes them with the secret; from then on nothing leads from a count or a code to a phone. After a
kill the same day goes on; what another day left open is closed first.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

from privaudit.capture import Capture, archive
from privaudit.errors import SourceError, UsageError
from privaudit.report import save_text
from privaudit.workshop import codes
from privaudit.workshop.books import (
    CAPTURES_FOLDER,
    LOCK_FILE,
    OPEN_SESSION_FILE,
    OPEN_SESSION_FOLDER,
    PAGES_FOLDER,
    PRINT_JOB_FILE,
    RECORD_FILE_NAME,
    TOTALS_FILE,
    OpenSession,
    check_same_mode,
    create_folder,
    is_closed,
    load_stored,
    read_open_session,
    read_totals,
)
from privaudit.workshop.counts import DeviceRecord, SessionCounts, SessionTotals, WorkshopTotals, count_records
from privaudit.workshop.lock import FolderLock
from privaudit.workshop.model import Retention


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
        code = codes.draw_case_code(self._used_codes)
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
