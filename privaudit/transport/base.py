"""The interface of a connection to a phone, with the limits that every transport keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from privaudit.model import Command, Reply, SourceKind

SCRIPT_TIMEOUT_S: Final = 300.0
"""Longest time for one whole script of questions."""
IDLE_TIMEOUT_S: Final = 75.0
"""Longest silence within an answer: a slow ``dumpsys -t 60`` prints nothing for a minute."""
MAX_OUTPUT_BYTES: Final = 128 * 1024 * 1024
"""Most bytes accepted from one command; a complete dump has 6 MB."""
AUTH_TIMEOUT_S: Final = 90.0
"""How long the owner has to tap Allow."""
ADB_TCP_PORT: Final = 5555
"""The port on which a phone listens after ``adb tcpip``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationWait:
    """The phone is asking its owner "Allow USB debugging?"."""

    fingerprint: str | None
    """MD5 of the public key as the phone shows it: ``AB:CD:…``; ``None``: we cannot read the ADB server's key."""
    seconds_left: int


OnWaiting: TypeAlias = Callable[[AuthorizationWait], None]
"""Called when the wait begins and then each second, so that a person sees the remaining time."""
OnKeyCreated: TypeAlias = Callable[[Path], None]
"""Called with the path of the key that was created, because this computer had none. It stays on the disk."""


class Transport(Protocol):
    """An open connection to one phone. Safe to use from several threads."""

    kind: SourceKind
    """``usb``, ``tcp`` or ``server``."""
    command_limit: int
    """Longest command text, in bytes of UTF-8.

    The smaller of what fits into one ADB message of this phone and what Linux accepts as one argument: about 4 KB
    before Android 7, then 128 KB.
    """

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = MAX_OUTPUT_BYTES) -> Reply:
        """Run `command` in the phone's shell and wait until it ends.

        The output of a `Command.binary` command is returned byte for byte, but below Android 7 without an exit code.
        Raises TypeError if `command` is not a `Command`: no other text is ever sent to a phone. Raises ValueError if it
        is longer than `command_limit` or contains a NUL. Raises `ConnectionLost`, with the output received so far, if
        the connection ends, is silent for `IDLE_TIMEOUT_S`, runs over `timeout_s` or sends more than `limit` bytes.
        """

    def close(self) -> None:
        """Release the phone. May be called twice, and from another thread: a running command then ends as lost."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
