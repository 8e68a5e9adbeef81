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
from privaudit.report import save
from privaudit.workshop import codes
from privaudit.workshop.books import (
    CAPTURES,
    DAY,
    LOCK,
    OPEN,
    PAGES,
    PRINT,
    RECORD,
    TOTALS,
    Day,
    check_kind,
    is_counted,
    load,
    make,
    read_book,
    read_day,
)
from privaudit.workshop.counts import Book, Counted, Record, Session, counted
from privaudit.workshop.lock import Lock
from privaudit.workshop.model import Keep


class Folder:
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

    def __init__(self, path: Path, keep: Keep, *, demo: bool = False, today: Callable[[], date] = date.today) -> None:
        self.path = path
        self._hidden = path / OPEN
        make(path)
        self._lock = Lock(path / LOCK)
        try:
            self._remove_parts()
            self._today = today()
            check_kind(path, demo=demo)
            self.day, self.resumed = self._resume(keep, demo=demo)
            self.records = dict(self._records())
        except BaseException:
            self._lock.release()
            raise
        self._given = {*self.records, *(page.stem for page in self.pages())}

    def _resume(self, keep: Keep, *, demo: bool) -> tuple[Day, bool]:
        day = read_day(self.path)
        if day is not None and (day.opened_on != self._today or is_counted(self.path, day.session)):
            # It was never closed. The pages of another day go, as they would have then.
            self.day, self.records = day, dict(self._records())
            self.close(keep_pages=False, release=False)
            day = None
        if day is not None:
            if day.demo != demo:
                raise UsageError("errors.rehearsal_mixed", path=str(self.path))
            if day.keep is not keep:
                raise UsageError("errors.keep_changed", path=str(self.path), keep=day.keep)
            return day, True
        make(self._hidden)
        day = Day(
            session=secrets.token_hex(8),
            opened_on=self._today,
            keep=keep,
            demo=demo,
            salt=secrets.token_hex(16),
            secret=secrets.token_hex(32),
            failures={},
        )
        self._write_day(day)
        return day, False

    def _write_day(self, day: Day) -> None:
        save(TypeAdapter(Day).dump_json(day).decode(), self._hidden / DAY)

    def _records(self) -> Iterator[tuple[str, Record]]:
        for file in sorted(self._hidden.glob("*.json")):
            if RECORD.fullmatch(file.name):
                yield file.stem, load(file, Record)

    # --- while it is open ---

    def token(self, said: str) -> str:
        """The day's own name for the phone that `said` this of itself: an HMAC with a secret that is destroyed."""
        return hmac.new(bytes.fromhex(self.day.secret), said.encode(), hashlib.sha256).hexdigest()

    def code_of(self, token: str) -> str | None:
        """The code of a phone that finished earlier today."""
        return next((code for code, record in self.records.items() if record.token == token), None)

    def draw(self) -> str:
        """A code that was not given out in this folder before."""
        code = codes.draw(self._given)
        self._given.add(code)
        return code

    def finish(self, code: str, record: Record, page: str | None, capture: Capture | None) -> None:
        """Keep what is to be kept of one phone. The record comes last: with it the phone is finished.

        Raises:
            SourceError: ``not_written``; nothing half-written stays, and the phone is not finished.
        """
        if page is not None:
            make(self.path / PAGES)
            save(page, self.page(code))
        if capture is not None:
            make(self.path / CAPTURES)
            archive.write(capture, self.path / CAPTURES / f"{code}.zip")
        save(TypeAdapter(Record).dump_json(record).decode(), self._hidden / f"{code}.json")
        self.records[code] = record

    def forget(self, code: str) -> None:
        """Delete what was kept of one phone: its owner has withdrawn."""
        self.records.pop(code, None)
        for path in (self._hidden / f"{code}.json", self.page(code), self.path / CAPTURES / f"{code}.zip"):
            path.unlink(missing_ok=True)

    def failed(self, step: str) -> None:
        """Count a step that went wrong. Not worth stopping for where the disk is full."""
        self.day = replace(self.day, failures={**self.day.failures, step: self.day.failures.get(step, 0) + 1})
        with contextlib.suppress(SourceError):
            self._write_day(self.day)

    def page(self, code: str) -> Path:
        """Where the page of `code` is, or would be."""
        return self.path / PAGES / f"{code}.html"

    def pages(self) -> tuple[Path, ...]:
        """The pages that are there."""
        return tuple(sorted((self.path / PAGES).glob("*.html")))

    def counted(self) -> Counted:
        """What this session counts so far."""
        return counted(self.records.values(), self.day.failures)

    # --- the end ---

    def close(self, *, keep_pages: bool, release: bool = True) -> None:
        """Count, and destroy the day's secret, what is known of single phones and, unless told otherwise, the pages.

        Raises:
            SourceError: ``not_written``: the counts could not be written; then nothing is destroyed.
        """
        book = read_book(self.path) or Book(demo=self.day.demo, sessions={})
        if self.records or self.day.failures:
            session = Session(opened_on=self.day.opened_on, counted=self.counted())
            book = replace(book, sessions={**book.sessions, self.day.session: session})
            save(TypeAdapter(Book).dump_json(book, indent=2).decode() + "\n", self.path / TOTALS)
        shutil.rmtree(self._hidden, ignore_errors=True)
        if not keep_pages:
            shutil.rmtree(self.path / PAGES, ignore_errors=True)
            (self.path / PRINT).unlink(missing_ok=True)
        if release:
            self._lock.release()

    def leave(self) -> None:
        """Leave it open, for the rest of the day."""
        self._remove_parts()
        self._lock.release()

    def _remove_parts(self) -> None:
        for folder in (self.path, self._hidden, self.path / PAGES, self.path / CAPTURES):
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)
