"""Carries out the changes of a ledger: record, send the commands, read back, record the outcome; then the next change.

No change counts as done until it was read back: ``pm revoke`` reports success even where it did nothing.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from privaudit.capture.model import Capture
from privaudit.dumpsys import device
from privaudit.errors import PhoneError
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Command, Reply
from privaudit.revocation import commands, state
from privaudit.revocation.change import Change, ChangeKind, Outcome, TargetState
from privaudit.revocation.ledger import Ledger, LedgerEntry
from privaudit.revocation.state import DeviceState
from privaudit.transport.base import Transport

MAX_ERROR_CHARS: Final = 300
"""Characters of an error that are kept. Some vendors' errors are long, and the reason is at the end."""
READ_BACK_DELAYS_S: tuple[float, ...] = (0.0, 0.5, 1.5)
"""Pauses before each attempt to read back: Android updates app-ops a moment after permissions. Tests shorten them."""
_COMMAND_TIMEOUT_S: Final = 60.0
"""For one command: ending an app's processes can take a while on a slow phone."""
_UNFINISHED_OUTCOMES: Final = frozenset({Outcome.PLANNED, Outcome.BEGUN})
_ERROR_LINE: Final = re.compile(
    r"^(?!Starting: Intent|\s+at )[^\n]*(?:\bError\b|Exception\b|\bFailure\b|[Pp]ermission [Dd]enial|Unknown command"
    r"|unable to resolve|does not exist)[^\n]*",
    re.MULTILINE,
)
"""Skips the line in which ``am`` repeats the intent: a package may have such a word in its name."""


@dataclass(slots=True)
class LedgerRun:
    """One run over one ledger: `apply` or `undo`.

    Both raise `ConnectionLost` when the connection ended: the ledger says where. Both raise `SourceError` when the
    ledger could not be written: nothing is done after that.
    """

    transport: Transport
    capture: Capture
    """Answers of the phone before the run; each reading replaces what it asks again."""
    write_ledger: Callable[[Ledger], None]
    """Keeps the ledger where a pulled cable or a killed program does not end it; returns when it is there."""
    ledger: Ledger
    on_change: Callable[[LedgerEntry], None]
    """Called with each entry that is finished."""
    sdk: int = field(init=False)
    """Version of the phone's API, from `capture`."""
    _expected_services: dict[int, str] = field(default_factory=dict, init=False)
    """Android user → the list of accessibility services that this run wrote last, as the phone stores it."""

    def __post_init__(self) -> None:
        """Raise PhoneError ``sdk_unread`` if the capture does not say which commands the phone has."""
        properties = device.parse_properties(self.capture.answer("properties").text)
        sdk = device.phone_from_properties(properties, None).sdk
        if sdk is None:
            raise PhoneError("errors.sdk_unread")
        self.sdk = sdk

    def apply(self) -> Ledger:
        """Carry out the changes that are planned or were begun. A second run continues where the first one stopped."""
        for index, entry in enumerate(self.ledger.entries):
            if entry.outcome in _UNFINISHED_OUTCOMES:
                self._apply_entry(index, entry.change)
        return self.ledger

    def _apply_entry(self, index: int, change: Change) -> None:
        services = self._services_to_rewrite(change)
        if services is None:
            self._record_outcome(index, outcome=Outcome.NOT_READ_BACK, said=None, after=None)
            return
        self._record_outcome(index, outcome=Outcome.BEGUN)
        error = self._run_commands(change.revoke_commands(self.sdk, services))
        after = self._read_back(change, change.is_revoked)
        if after is None:
            outcome = Outcome.NOT_READ_BACK
        elif change.is_revoked(after):
            outcome = Outcome.DONE
            self._note_written_services(change, services, enabled=False)
        else:
            outcome = Outcome.NOT_CHANGED if error is None else Outcome.REFUSED
        self._record_outcome(index, outcome=outcome, said=error, after=after)

    def undo(self, before: DeviceState) -> Ledger:
        """Restore what had, or may have had, an effect and was held in the state `before`; the last change first."""
        for index, entry in reversed(tuple(enumerate(self.ledger.entries))):
            if entry.may_need_undo and before.shows_before(entry.change):
                self._undo_entry(index, entry.change)
        return self.ledger

    def _undo_entry(self, index: int, change: Change) -> None:
        current = self.refresh_state().target_state(change)
        if current is not None and change.is_restored(current):
            self._record_outcome(index, outcome=Outcome.UNDONE, said=None, after=current)
            return
        services = self._services_to_rewrite(change)
        to_send: tuple[Command, ...] = ()
        if current is not None and services is not None:
            to_send = change.restore_commands(current, self.sdk, services)
        if services is None or not to_send:
            self._record_outcome(index, outcome=Outcome.NOT_RESTORED, said=None, after=current)
            return
        self._record_outcome(index, outcome=Outcome.UNDOING)
        error = self._run_commands(to_send)
        after = self._read_back(change, change.is_restored)
        outcome = Outcome.NOT_RESTORED
        if after is not None and change.is_restored(after):
            outcome = Outcome.UNDONE
            self._note_written_services(change, services, enabled=True)
        self._record_outcome(index, outcome=outcome, said=error, after=after)

    def refresh_state(self) -> DeviceState:
        """Read the current state of all apps of the ledger."""
        packages = dict.fromkeys(entry.change.package for entry in self.ledger.entries)
        return state.refresh_state(self.transport, self.capture, packages)

    def _run_commands(self, commands: tuple[Command, ...]) -> str | None:
        """Send the commands. Returns the last error, if any."""
        error: str | None = None
        for command in commands:
            error = find_shell_error(self.transport.run(command, timeout_s=_COMMAND_TIMEOUT_S)) or error
        return error

    def _read_back(self, change: Change, is_expected: Callable[[TargetState], bool]) -> TargetState | None:
        """Read the target until `is_expected`, a few times. Returns the last state; ``None``: it could not be read."""
        current: TargetState | None = None
        for delay_s in READ_BACK_DELAYS_S:
            time.sleep(delay_s)
            current = self.refresh_state().target_state(change)
            if current is not None and is_expected(current):
                break
        return current

    def _services_to_rewrite(self, change: Change) -> tuple[str, ...] | None:
        """Return the user's enabled services, which `change` needs if it is of that kind; ``None``: not read whole.

        Raises PhoneError ``services_changed`` if the phone's list is not, byte for byte, the one of the capture that
        the plan was made from, or the one that this run wrote last.
        """
        if change.kind is not ChangeKind.ACCESSIBILITY:
            return ()
        expected = self._expected_services.get(change.user)
        if expected is None:
            expected = state.accessibility_setting(self.capture, change.user)
        services = commands.parse_accessibility_services(expected) if expected is not None else None
        reply = self.transport.run(commands.get_accessibility_services(change.user), timeout_s=_COMMAND_TIMEOUT_S)
        if services is None or find_shell_error(reply) is not None:
            return None
        if reply.stdout.replace(b"\r\n", b"\n") != f"{expected}\n".encode():
            raise PhoneError("errors.services_changed", app=change.package)
        return services

    def _note_written_services(self, change: Change, services: tuple[str, ...], *, enabled: bool) -> None:
        if change.kind is ChangeKind.ACCESSIBILITY:
            self._expected_services[change.user] = ":".join(change.services_after(services, enabled=enabled))

    def _record_outcome(self, index: int, **fields: object) -> None:
        self.ledger = self.ledger.with_entry(index, **fields)
        self.write_ledger(self.ledger)
        if self.ledger.entries[index].outcome not in {Outcome.BEGUN, Outcome.UNDOING}:
            self.on_change(self.ledger.entries[index])


def find_shell_error(reply: Reply) -> str | None:
    """Return the error in a shell command's reply, as one sanitized line; ``None``: there is none.

    Of several such lines the last one counts: the exception follows the line that announces it.
    """
    text = (reply.stdout + b"\n" + reply.stderr).decode("utf-8", "replace").replace("\r", "")
    if error_lines := _ERROR_LINE.findall(text):
        return sanitize_text(error_lines[-1], MAX_ERROR_CHARS)
    if reply.exit_code in {0, None}:
        return None
    return sanitize_text(text, MAX_ERROR_CHARS) or f"exit code {reply.exit_code}"
