"""Moves bytes to and from a phone. Knows nothing of what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from privaudit.model import Command, Reply, SourceKind

SCRIPT_TIMEOUT_S = 300.0
"""Longest wait for one whole script of questions."""
QUIET_TIMEOUT_S = 75.0
"""Longest silence within an answer: a slow ``dumpsys -t 60`` says nothing for a minute."""
OUTPUT_LIMIT = 128 * 1024 * 1024
"""Most bytes taken for one command; a whole dump is 6 MB."""
ALLOW_TIMEOUT_S = 90.0
"""How long a person has to tap Allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingForAllow:
    """The phone asks its owner "Allow USB debugging?"."""

    fingerprint: str
    """MD5 of the public key as the phone shows it: ``AB:CD:…``."""
    seconds_left: int


class Transport(Protocol):
    """One open connection to one phone. Safe to use from several threads."""

    kind: SourceKind
    """``usb``, ``tcp`` or ``server``."""

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = OUTPUT_LIMIT) -> Reply:
        """Run `command` in the phone's shell and wait for its end.

        Raises:
            ConnectionLost: the connection ended, stayed silent for `QUIET_TIMEOUT_S`, ran over `timeout_s` or gave more
                than `limit` bytes. Carries what came until then.
            TypeError: `command` is not a `Command`. Text never goes to a phone unseen.
        """
        ...

    def close(self) -> None:
        """Give the phone back. May be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


OnWaiting = Callable[[WaitingForAllow], None]
"""Called before the wait and then each second, so that a person is told and sees the time run."""


def connect(*, transport: str = "auto", serial: str | None = None, on_waiting: OnWaiting) -> Transport:
    """Connect to a phone.

    Args:
        transport: ``auto`` or ``usb`` for the cable, ``tcp:HOST[:PORT]`` for the network.
        serial: which phone, where several are attached by cable.
        on_waiting: told when the phone waits for its owner's tap.

    Raises:
        UsageError: `transport` is no such thing.
        PhoneError: no phone, several phones, not allowed, busy, lost; each says why and what to do.
    """
    from privaudit.transport import direct  # noqa: PLC0415 - adb-shell is loaded only when a phone is wanted

    return direct.connect(transport=transport, serial=serial, on_waiting=on_waiting)
