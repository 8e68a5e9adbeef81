"""What the visits tell, and what becomes of it: a phone lets us in, is read, is kept and counted, or breaks off.

A phone is finished when what is to be kept of it is written, and not before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from privaudit.errors import PrivauditError
from privaudit.model import Verdict
from privaudit.workshop.device_queue import Hall
from privaudit.workshop.model import Asking, Broke, Event, LetIn, Looked, Part, Plugged, Read, Row, Stage, Store
from privaudit.workshop.worker import Visit


class Hearing(Hall):
    """A hall in which visits are heard.

    Args:
        store: see `Hall`.
        begin: see `Hall`.
        keep: writes what is to be kept of a row; raises `PrivauditError` where it cannot.
        free: see `Hall`.
        changed: see `Hall`.
        language: see `Hall`.
        clock: see `Hall`.
    """

    def __init__(
        self,
        store: Store,
        *,
        begin: Callable[[Plugged, datetime], Visit],
        keep: Callable[[Row], None],
        free: Callable[[str], None],
        changed: Callable[[Row], None],
        language: str,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(store, begin=begin, free=free, changed=changed, language=language, clock=clock)
        self._keep = keep
        self._met: dict[str, str] = {}
        self.outcomes: list[tuple[bool, bool]] = []
        """Of each finished phone: found, complete."""

    def heard(self, event: Event) -> None:
        """Something that a visit tells. What comes from a phone that left is too late."""
        row = next((row for row in self.here() if row.place == event.place and row.visit is not None), None)
        if row is None:
            return
        match event:
            case Asking(_, asks):
                first, row.asked = not row.asked, True
                row.fingerprint, row.seconds = asks.fingerprint, asks.seconds_left
                if first:
                    self._changed(row)
            case LetIn(_, token):
                self._let_in(row, token)
            case Part(_, name):
                row.part = name
            case Read(_, report, capture):
                row.report, row.capture, row.part = report, capture, None
                self._save(row)
            case Looked(_, seen):
                row.closing = {**(row.closing or {}), **seen}
                self._changed(row)
            case Broke(_, error) if row.stage is not Stage.DONE:
                self._fails(row, error)
        self._next()

    def _let_in(self, row: Row, token: str | None) -> None:
        if any(other.token == token for other in self.here() if other is not row and other.token is not None):
            token = None  # two phones that say the same of themselves cannot be told apart by it
        row.token, row.error = token, None
        before = None if token is None else self._met.get(token) or self._store.code_of(token)
        row.again = before is not None
        row.code = before or row.code
        if token is not None and row.code is not None:
            self._met[token] = row.code
            # What it was before it came back is the same phone: one row a phone.
            self.rows = [one for one in self.rows if one.stage is not Stage.LEFT or one.code != row.code]
        self._to(row, Stage.STICKER)

    def _save(self, row: Row) -> None:
        """Write what is kept. Only then is the phone finished."""
        try:
            self._keep(row)
        except PrivauditError as error:
            self._fails(row, error)
            return
        if not row.saved and row.report is not None:
            self.outcomes.append((row.report.verdict is Verdict.FOUND, row.report.complete))
        row.saved, row.capture, row.error = True, None, None
        self._to(row, Stage.DONE)

    def _fails(self, row: Row, error: PrivauditError) -> None:
        row.error, row.part = error, None
        if row.report is None:
            self._let_go(row)
        self._store.failed(error.name)
        self._to(row, Stage.FAILED)
