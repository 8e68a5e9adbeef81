"""Who is there and how far: rows that come, move on and leave. One thread only; everything else tells it.

One phone at a time is at the desk: it gets a code, its owner is asked, it alone shows "Allow USB debugging?", and the
code goes on it. So whoever sees the question knows which phone has which code, though three of one model hang on a hub.
Then it is read beside the others. Nothing is asked of a phone before its owner's consent is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from privaudit.errors import PhoneError
from privaudit.workshop.model import AT_DESK, Plugged, Row, Stage, Store
from privaudit.workshop.worker import Visit

GRACE_S: Final = 2.0
"""A phone may drop off the bus for a second, as when its owner chooses "File transfer"."""
_REMEMBERED: Final = 6
"""Phones that left and are still shown."""
MAY_MOVE: Final = frozenset({Stage.BLOCKED, Stage.QUEUED, Stage.CONSENT, Stage.CALLING})
"""Stages in which a phone that comes back at once is the same row: nothing hangs on it yet."""


class Hall:
    """The phones of a workshop, as they come and go. What their visits tell is the hearing's, what is done the desk's.

    Args:
        store: gives codes and counts failures.
        begin: makes a visit, which `start` begins.
        free: told the place of a phone that may be unplugged.
        changed: told each row whose stage changed, and a sentence where there is more to say.
        language: of an owner who chooses none.
        clock: seconds that pass.
    """

    def __init__(
        self,
        store: Store,
        *,
        begin: Callable[[Plugged, datetime], Visit],
        free: Callable[[str], None],
        changed: Callable[[Row], None],
        language: str,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._begin = begin
        self._free = free
        self._changed = changed
        self._language = language
        self._clock = clock
        self.rows: list[Row] = []
        self._leaving: list[Visit] = []

    def here(self) -> tuple[Row, ...]:
        """Rows of phones that are plugged in."""
        return tuple(row for row in self.rows if row.stage is not Stage.LEFT)

    def find(self, code: str) -> Row | None:
        """The row with this code; a plugged phone before one that left."""
        rows = [row for row in self.rows if row.code == code]
        return next((row for row in rows if row.stage is not Stage.LEFT), rows[-1] if rows else None)

    # --- who is there ---

    def seen(self, phones: Sequence[Plugged]) -> None:
        """What is plugged in now."""
        at = {phone.place: phone for phone in phones}
        moment = self._clock()
        for row in self.here():
            if row.place in at:
                row.gone_at = None
                self._obstacle(row, at.pop(row.place))
        sockets = {phone.socket: phone for phone in at.values()}
        for row in self.here():
            if any(row.place == phone.place for phone in phones):
                continue
            other = sockets.get(row.plugged.socket)
            if other is not None and self._is_back(row, other):
                del at[other.place]
                continue
            row.gone_at = moment if row.gone_at is None else row.gone_at
            if other is not None or moment - row.gone_at >= GRACE_S:
                self._leaves(row)
        for phone in at.values():
            stage = Stage.QUEUED if phone.obstacle is None else Stage.BLOCKED
            row = Row(plugged=phone, stage=stage, since=moment, language=self._language, error=phone.obstacle)
            self.rows.append(row)
            self._changed(row)
        self._next()

    def _obstacle(self, row: Row, phone: Plugged) -> None:
        """A phone that could not be reached may be reached now, and the other way round."""
        before, row.plugged = row.plugged.obstacle, phone
        if row.stage is Stage.BLOCKED and phone.obstacle is None:
            row.error = None
            self._to(row, Stage.QUEUED)
        elif row.stage is Stage.BLOCKED and before is not None and phone.obstacle is not None:
            row.error = phone.obstacle
            if before.args != phone.obstacle.args:
                self._changed(row)
        elif row.stage is Stage.QUEUED and phone.obstacle is not None:
            row.error = phone.obstacle
            self._to(row, Stage.BLOCKED)

    def _is_back(self, row: Row, phone: Plugged) -> bool:
        """Whether `phone` is the one of `row`, which has only come back in another way of using the cable."""
        same = phone.mark is not None and phone.mark == row.plugged.mark
        off = isinstance(phone.obstacle, PhoneError) and phone.obstacle.name == "debugging_off"
        if same and off and row.stage is Stage.DONE:
            row.plugged, row.gone_at = phone, None
            self._let_go(row)
            row.closing = {**(row.closing or {}), "usb": True}
            self._changed(row)
            return True
        if not same or row.stage not in MAY_MOVE:
            return False
        row.gone_at = None
        self._obstacle(row, phone)
        if row.stage is Stage.CALLING:
            self._let_go(row)
            self._call(row)
        return True

    def _leaves(self, row: Row) -> None:
        self._let_go(row)
        row.finished = row.finished or row.saved
        row.report = row.capture = row.part = None
        row.confirming = False
        self._to(row, Stage.LEFT)
        left = [one for one in self.rows if one.stage is Stage.LEFT]
        for old in left[: max(0, len(left) - _REMEMBERED)]:
            self.rows.remove(old)

    def _let_go(self, row: Row) -> None:
        if row.visit is not None:
            row.visit.leave()
            self._leaving = [visit for visit in self._leaving if visit.running] + [row.visit]
            row.visit = None

    def _next(self) -> None:
        """Let the next one come to the desk."""
        if any(row.stage in AT_DESK for row in self.rows):
            return
        waiting = [row for row in self.rows if row.stage is Stage.QUEUED and row.gone_at is None]
        if not waiting:
            return
        row = min(waiting, key=lambda one: one.since)
        row.code = row.code or self._store.draw()
        if row.consented is None:
            self._to(row, Stage.CONSENT)
        else:
            self._call(row)

    def _to(self, row: Row, stage: Stage) -> None:
        row.stage = stage
        self._changed(row)

    def _call(self, row: Row) -> None:
        assert row.consented is not None  # noqa: S101 - nothing is asked of a phone without it
        row.asked, row.seconds, row.error = False, None, None
        row.visit = self._begin(row.plugged, row.consented)
        self._to(row, Stage.CALLING)
        row.visit.start()

    def close(self) -> None:
        """Let go of every phone, and wait until nothing runs."""
        for row in self.rows:
            self._let_go(row)
        for visit in self._leaving:  # also those that were let go of before: each sees it a moment later
            visit.join(5)
