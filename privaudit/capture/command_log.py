"""The command log: every command that was sent to a phone, with its reason, time, duration and exit code."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from privaudit.errors import ConnectionLost
from privaudit.model import Command, Reply
from privaudit.transport.base import MAX_OUTPUT_BYTES, SCRIPT_TIMEOUT_S, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLogEntry:
    """A command that was sent."""

    command: str
    """Verbatim. A script names its answers; the manifest has the exit code of each."""
    why: str
    began_at: AwareDatetime
    """This computer's time."""
    seconds: float
    exit_code: int | None
    """``None``: the phone did not report it."""
    lost: bool = False
    """Whether the connection ended before the command."""


_LOG_ENTRY_ADAPTER: Final = TypeAdapter(CommandLogEntry)


class LoggingTransport(Transport):
    """A `Transport` that records its commands."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._entries: list[CommandLogEntry] = []
        self.kind = transport.kind
        self.command_limit = transport.command_limit

    @property
    def log(self) -> tuple[CommandLogEntry, ...]:
        """The commands so far, in order."""
        return tuple(self._entries)

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = MAX_OUTPUT_BYTES) -> Reply:
        """Run `command` and record it. See `Transport.run`."""
        began_at, start = datetime.now(UTC), time.monotonic()
        exit_code, lost = None, False
        try:
            reply = self._transport.run(command, timeout_s=timeout_s, limit=limit)
            exit_code = reply.exit_code
        except ConnectionLost:
            lost = True
            raise
        else:
            return reply
        finally:
            seconds = round(time.monotonic() - start, 3)
            self._entries.append(
                CommandLogEntry(
                    command=command.text,
                    why=command.why,
                    began_at=began_at,
                    seconds=seconds,
                    exit_code=exit_code,
                    lost=lost,
                )
            )

    def close(self) -> None:
        """Close the underlying transport."""
        self._transport.close()


def dump_command_log(log: tuple[CommandLogEntry, ...]) -> bytes:
    """Serialise `log`: one line of JSON for each command."""
    return b"".join(_LOG_ENTRY_ADAPTER.dump_json(entry) + b"\n" for entry in log)


def load_command_log(data: bytes) -> tuple[CommandLogEntry, ...]:
    """Read what `dump_command_log` wrote. Raises `ValueError` if it is not a command log."""
    try:
        return tuple(_LOG_ENTRY_ADAPTER.validate_json(line) for line in data.split(b"\n") if line)
    except ValidationError as error:
        raise ValueError("not a command log") from error
