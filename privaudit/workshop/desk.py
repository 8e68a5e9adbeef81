"""What a facilitator may do with each phone, and when. Nothing is asked of a phone before consent is recorded."""

from __future__ import annotations

from collections.abc import Callable

from privaudit.model import Message
from privaudit.workshop.hearing import Hearing
from privaudit.workshop.model import AT_DESK, Row, Stage
from privaudit.workshop.worker import now


class Desk(Hearing):
    """The phones of a workshop, and what is done with them."""

    def act(self, key: str, row: Row) -> Message | None:
        """Do what `key` says with `row`; why not, where it cannot be done."""
        actions: dict[str, Callable[[Row], Message | None]] = {
            "c": self._consent,
            "r": self._refuse,
            "x": self._later,
            "s": self._sticker,
            "n": self._no,
            "a": self._again,
            "v": self._view,
            "y": self._yes,
            "o": self._look,
        }
        said = actions[key](row) if key in actions else Message(key="workshop.no_such_key", values={"key": key})
        self._next()
        return said

    def _consent(self, row: Row) -> Message | None:
        if row.stage is not Stage.CONSENT:
            return _not_now(row)
        row.consented = now()
        self._call(row)
        return None

    def _refuse(self, row: Row) -> Message | None:
        """Before, during and after: consent can be withdrawn, and then what was kept is deleted."""
        if row.stage in {Stage.REFUSED, Stage.LEFT}:
            return _not_now(row)
        self._let_go(row)
        if row.stage is Stage.DONE and row.code is not None:
            self._store.forget(row.code)
        row.consented = row.report = row.capture = row.part = row.error = row.token = None
        row.confirming = row.confirmed = row.saved = row.finished = False
        self._to(row, Stage.REFUSED)
        self._free(row.place)
        return None

    def _later(self, row: Row) -> Message | None:
        if row.stage not in AT_DESK:
            return _not_now(row)
        self._let_go(row)
        row.since = self._clock()
        self._to(row, Stage.QUEUED)
        return None

    def _sticker(self, row: Row) -> Message | None:
        if row.stage is not Stage.STICKER or row.visit is None:
            return _not_now(row)
        self._to(row, Stage.READING)
        row.visit.sticker_on()
        return None

    def _no(self, row: Row) -> Message | None:
        if row.confirming:
            row.confirming = False
            return Message(key="workshop.not_confirmed", values={"code": row.code})
        if row.stage is Stage.STICKER and row.again:
            # It says of itself what another phone said: it is none that we know.
            row.token, row.again, row.code = None, False, self._store.draw()
            self._changed(row)
            return None
        return _not_now(row)

    def _again(self, row: Row) -> Message | None:
        if row.stage is Stage.FAILED and row.report is not None:
            self._save(row)
            return None
        if row.stage not in {Stage.FAILED, Stage.REFUSED, Stage.DONE}:
            return _not_now(row)
        self._let_go(row)
        row.report = row.capture = row.closing = row.error = row.full_sha256 = None
        row.confirming = row.confirmed = row.saved = False
        row.since = self._clock()
        self._to(row, Stage.QUEUED)
        return None

    def _view(self, row: Row) -> Message | None:
        if row.stage is not Stage.DONE:
            return _not_now(row)
        row.confirming = not row.confirmed
        self._changed(row)
        return None

    def _yes(self, row: Row) -> Message | None:
        if not row.confirming:
            return _not_now(row)
        row.confirming, row.confirmed = False, True
        self._changed(row)
        self._free(row.place)
        return None

    def _look(self, row: Row) -> Message | None:
        if row.stage is not Stage.DONE or row.visit is None:
            return _not_now(row)
        row.visit.look()
        return None

    def rewritten(self, row: Row) -> None:
        """Write what is kept of `row` anew: in another language, or with the hash of the full report."""
        if row.stage is Stage.DONE:
            self._save(row)


def _not_now(row: Row) -> Message:
    return Message(key="workshop.not_now", values={"code": row.code or "?"})
