"""Carries out a ledger's changes, one after the other: write down, act, read back, write down what became of it.

Nothing is believed that was not read back: ``pm revoke`` ends well where it did nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from privaudit.capture import Capture
from privaudit.model import Command
from privaudit.revocation import ledger as ledgers
from privaudit.revocation import state as readings
from privaudit.revocation.change import Change, Kind, Outcome, State
from privaudit.revocation.ledger import Entry, Ledger
from privaudit.revocation.replies import refusal
from privaudit.revocation.state import Reading
from privaudit.transport import Transport

_PATIENCE_S: Final = 60.0
"""For one command: killing an app's processes can take a while on a slow phone."""
_PAUSES_S: Final = (0.0, 0.5, 1.5)
"""Before each reading back: Android lets app-ops follow permissions a moment later."""
_OPEN: Final = frozenset({Outcome.PLANNED, Outcome.BEGUN})
Told: TypeAlias = Callable[[int, Entry], None]
"""Told the place of an entry, and how it stands, each time one is finished."""


@dataclass(slots=True)
class Run:
    """One run over one ledger."""

    transport: Transport
    capture: Capture
    """What the phone said last; readings replace what they ask anew."""
    path: Path
    ledger: Ledger
    told: Told
    sdk: int

    @property
    def packages(self) -> tuple[str, ...]:
        """The apps that this ledger is about."""
        return tuple(dict.fromkeys(entry.change.package for entry in self.ledger.entries))

    def close(self) -> Ledger:
        """Carry out what is planned or was begun. Running again goes on where it stopped.

        Raises:
            ConnectionLost: the connection ended; the ledger says where.
            SourceError: the ledger could not be written; nothing was done after that.
        """
        for number, entry in enumerate(self.ledger.entries):
            if entry.outcome in _OPEN:
                self._close_one(number, entry.change)
        return self.ledger

    def _close_one(self, number: int, change: Change) -> None:
        services = self._services(change)
        if services is None:
            self._note(number, outcome=Outcome.UNREAD, said=None, after=None)
            return
        self._note(number, outcome=Outcome.BEGUN)
        said = self._send(change.closing(self.sdk, services))
        after = self._read_back(change, change.is_closed)
        if after is None:
            outcome = Outcome.UNREAD
        elif change.is_closed(after):
            outcome = Outcome.DONE
        else:
            outcome = Outcome.NOT_CHANGED if said is None else Outcome.REFUSED
        self._note(number, outcome=outcome, said=said, after=after)

    def restore(self) -> Ledger:
        """Take back whatever had, or may have had, an effect; the last first.

        Raises:
            ConnectionLost: the connection ended; the ledger says where.
            SourceError: the ledger could not be written; nothing was done after that.
        """
        for number, entry in reversed(tuple(enumerate(self.ledger.entries))):
            if entry.may_have_acted:
                self._restore_one(number, entry.change)
        return self.ledger

    def _restore_one(self, number: int, change: Change) -> None:
        now = readings.again(self.transport, self.capture, self.packages).state(change)
        if now is not None and change.is_restored(now):
            self._note(number, outcome=Outcome.UNDONE, said=None, after=now)
            return
        services = self._services(change)
        made = change.restoring(now, self.sdk, services) if now is not None and services is not None else ()
        if not made:
            self._note(number, outcome=Outcome.STAYS, said=None, after=now)
            return
        self._note(number, outcome=Outcome.UNDOING)
        said = self._send(made)
        after = self._read_back(change, change.is_restored)
        restored = after is not None and change.is_restored(after)
        self._note(number, outcome=Outcome.UNDONE if restored else Outcome.STAYS, said=said, after=after)

    def reread(self) -> Reading:
        """How all the apps stand now."""
        return readings.again(self.transport, self.capture, self.packages)

    def _send(self, made: tuple[Command, ...]) -> str | None:
        """Send the commands; what the phone said against them, if anything."""
        said: str | None = None
        for command in made:
            said = refusal(self.transport.run(command, timeout_s=_PATIENCE_S)) or said
        return said

    def _read_back(self, change: Change, wanted: Callable[[State], bool]) -> State | None:
        state: State | None = None
        for pause in _PAUSES_S:
            time.sleep(pause)
            state = self.reread().state(change)
            if state is not None and wanted(state):
                break
        return state

    def _services(self, change: Change) -> tuple[str, ...] | None:
        return self.reread().services(change.user) if change.kind is Kind.ACCESSIBILITY else ()

    def _note(self, number: int, **changed: object) -> None:
        self.ledger = self.ledger.with_entry(number, **changed)
        ledgers.write(self.ledger, self.path)
        if self.ledger.entries[number].outcome not in {Outcome.BEGUN, Outcome.UNDOING}:
            self.told(number, self.ledger.entries[number])
