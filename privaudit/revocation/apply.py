"""Carries out a ledger's changes, one after the other: write down, act, read back, write down what became of it.

Nothing is believed that was not read back: ``pm revoke`` ends well where it did nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from privaudit.capture.model import Capture
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Command, Reply
from privaudit.revocation import ledger as ledgers
from privaudit.revocation import state as readings
from privaudit.revocation.change import Change, ChangeKind, Outcome, TargetState
from privaudit.revocation.ledger import Ledger, LedgerEntry
from privaudit.revocation.state import DeviceState
from privaudit.transport.base import Transport

MAX_ERROR_CHARS: Final = 300
"""Characters of what a phone says against a command. Its makers are long-winded, and the reason stands last."""

_ERROR_LINE = re.compile(
    r"^(?!Starting: Intent|\s+at )[^\n]*(?:\bError\b|Exception\b|\bFailure\b|[Pp]ermission [Dd]enial|Unknown command"
    r"|unable to resolve|does not exist)[^\n]*",
    re.MULTILINE,
)
"""A package may bear such a word in its name: the line that repeats an intent is passed over."""


def find_shell_error(reply: Reply) -> str | None:
    """What the phone said against a command, in one tame line; ``None`` where it said nothing of the kind.

    The last such line: it is the exception itself, below the line that announces it.
    """
    said = (reply.stdout + b"\n" + reply.stderr).decode("utf-8", "replace").replace("\r", "")
    if found := _ERROR_LINE.findall(said):
        return sanitize_text(found[-1], MAX_ERROR_CHARS)
    return (
        sanitize_text(said, MAX_ERROR_CHARS) or f"exit code {reply.exit_code}"
        if reply.exit_code not in {0, None}
        else None
    )


_COMMAND_TIMEOUT_S: Final = 60.0
"""For one command: killing an app's processes can take a while on a slow phone."""
_READ_BACK_DELAYS_S: Final = (0.0, 0.5, 1.5)
"""Before each reading back: Android lets app-ops follow permissions a moment later."""
_UNFINISHED_OUTCOMES: Final = frozenset({Outcome.PLANNED, Outcome.BEGUN})
OnEntryChange: TypeAlias = Callable[[int, LedgerEntry], None]
"""Told the place of an entry, and how it stands, each time one is finished."""


@dataclass(slots=True)
class LedgerRun:
    """One run over one ledger."""

    transport: Transport
    capture: Capture
    """What the phone said last; readings replace what they ask anew."""
    ledger_path: Path
    ledger: Ledger
    on_change: OnEntryChange
    sdk: int

    @property
    def packages(self) -> tuple[str, ...]:
        """The apps that this ledger is about."""
        return tuple(dict.fromkeys(entry.change.package for entry in self.ledger.entries))

    def apply(self) -> Ledger:
        """Carry out what is planned or was begun. Running again goes on where it stopped.

        Raises:
            ConnectionLost: the connection ended; the ledger says where.
            SourceError: the ledger could not be written; nothing was done after that.
        """
        for number, entry in enumerate(self.ledger.entries):
            if entry.outcome in _UNFINISHED_OUTCOMES:
                self._apply_entry(number, entry.change)
        return self.ledger

    def _apply_entry(self, index: int, change: Change) -> None:
        services = self._accessibility_services(change)
        if services is None:
            self._record_outcome(index, outcome=Outcome.NOT_READ_BACK, said=None, after=None)
            return
        self._record_outcome(index, outcome=Outcome.BEGUN)
        said = self._run_commands(change.revoke_commands(self.sdk, services))
        after = self._read_back(change, change.is_revoked)
        if after is None:
            outcome = Outcome.NOT_READ_BACK
        elif change.is_revoked(after):
            outcome = Outcome.DONE
        else:
            outcome = Outcome.NOT_CHANGED if said is None else Outcome.REFUSED
        self._record_outcome(index, outcome=outcome, said=said, after=after)

    def undo(self) -> Ledger:
        """Take back whatever had, or may have had, an effect; the last first.

        Raises:
            ConnectionLost: the connection ended; the ledger says where.
            SourceError: the ledger could not be written; nothing was done after that.
        """
        for number, entry in reversed(tuple(enumerate(self.ledger.entries))):
            if entry.may_need_undo:
                self._undo_entry(number, entry.change)
        return self.ledger

    def _undo_entry(self, index: int, change: Change) -> None:
        now = readings.refresh_state(self.transport, self.capture, self.packages).target_state(change)
        if now is not None and change.is_restored(now):
            self._record_outcome(index, outcome=Outcome.UNDONE, said=None, after=now)
            return
        services = self._accessibility_services(change)
        made = change.restore_commands(now, self.sdk, services) if now is not None and services is not None else ()
        if not made:
            self._record_outcome(index, outcome=Outcome.NOT_RESTORED, said=None, after=now)
            return
        self._record_outcome(index, outcome=Outcome.UNDOING)
        said = self._run_commands(made)
        after = self._read_back(change, change.is_restored)
        restored = after is not None and change.is_restored(after)
        self._record_outcome(
            index, outcome=Outcome.UNDONE if restored else Outcome.NOT_RESTORED, said=said, after=after
        )

    def refresh_state(self) -> DeviceState:
        """How all the apps stand now."""
        return readings.refresh_state(self.transport, self.capture, self.packages)

    def _run_commands(self, write_commands: tuple[Command, ...]) -> str | None:
        """Send the commands; what the phone said against them, if anything."""
        said: str | None = None
        for command in write_commands:
            said = find_shell_error(self.transport.run(command, timeout_s=_COMMAND_TIMEOUT_S)) or said
        return said

    def _read_back(self, change: Change, is_expected: Callable[[TargetState], bool]) -> TargetState | None:
        state: TargetState | None = None
        for pause in _READ_BACK_DELAYS_S:
            time.sleep(pause)
            state = self.refresh_state().target_state(change)
            if state is not None and is_expected(state):
                break
        return state

    def _accessibility_services(self, change: Change) -> tuple[str, ...] | None:
        return (
            self.refresh_state().accessibility_services(change.user) if change.kind is ChangeKind.ACCESSIBILITY else ()
        )

    def _record_outcome(self, index: int, **fields: object) -> None:
        self.ledger = self.ledger.with_entry(index, **fields)
        ledgers.write_ledger(self.ledger, self.ledger_path)
        if self.ledger.entries[index].outcome not in {Outcome.BEGUN, Outcome.UNDOING}:
            self.on_change(index, self.ledger.entries[index])
