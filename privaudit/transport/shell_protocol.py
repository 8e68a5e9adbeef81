"""How a phone's shell answers: with ``shell_v2`` in packets, before Android 7 as a terminal would, or as raw bytes."""

from __future__ import annotations

import math
import re
import secrets
import struct
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias

from privaudit.errors import PhoneError
from privaudit.model import Command, Reply

_STDOUT, _STDERR, _EXIT = 1, 2, 3
"""Kinds of packet (AOSP ``shell_protocol.h``, ``ShellProtocol::Id``)."""
_HEADER: Final = struct.Struct("<BI")
ARGUMENT_LIMIT: Final = 32 * 4096 - 1
"""Most bytes of one argument that Linux takes (``MAX_ARG_STRLEN``, with its NUL): adbd runs ``sh -c COMMAND``."""


class ShellV2:
    """Packets of a kind, a length and bytes, over ``shell,v2,raw:`` (feature ``shell_v2``)."""

    overhead: Final = len("shell,v2,raw:")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._exit_code: int | None = None
        self.size = 0
        """Bytes of output and errors that came, and all that a phone has no reason to send."""

    def request(self, command: str) -> bytes:
        """``raw``: no terminal, so that bytes stay as they are."""
        return b"shell,v2,raw:" + command.encode()

    def feed(self, data: bytes) -> None:
        """Take what came; a packet may span several pieces."""
        self._rest += data
        self.size += len(data)
        at = 0
        with memoryview(self._rest) as view:
            while len(view) - at >= _HEADER.size:
                kind, size = _HEADER.unpack_from(view, at)
                end = at + _HEADER.size + size
                if end > len(view):
                    break
                self._take(kind, view[at + _HEADER.size : end])
                at = end
        del self._rest[:at]

    def _take(self, kind: int, body: memoryview) -> None:
        with body:
            if kind == _EXIT and body and self._exit_code is None:
                self._exit_code = body[0]
                self.size -= _HEADER.size + len(body)
            elif kind in {_STDOUT, _STDERR} and body:
                (self._stdout if kind == _STDOUT else self._stderr).extend(body)
                self.size -= _HEADER.size

    def reply(self) -> Reply:
        """What came in complete packets."""
        return Reply(stdout=bytes(self._stdout), stderr=bytes(self._stderr), exit_code=self._exit_code)


class OldShell:
    """``shell:`` of Android 6 and before: a terminal that turns LF into CRLF, and no exit code.

    A marker that nothing in an answer can know ends the output; how its own line ends tells what the terminal did.
    """

    overhead: Final = len("shell:(\n);echo :=$?") + 32

    def __init__(self) -> None:
        self._marker = secrets.token_hex(16)
        self._said = bytearray()
        self.size = -len(f"{self._marker}:=255\r\n")
        """Bytes of output that came, without the line of the marker."""

    def request(self, command: str) -> bytes:
        """Brackets, so that ``exit`` ends the command and not the marker; a new line, in case it ends in a comment."""
        return f"shell:({command}\n);echo {self._marker}:=$?".encode()

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._said += data
        self.size += len(data)

    def reply(self) -> Reply:
        """What came before the marker, with the line ends that the command wrote."""
        text = bytes(self._said)
        body, marker, tail = text.rpartition(f"{self._marker}:=".encode())
        code = re.match(rb"(\d{1,3})(\r*\n)", tail) if marker else None
        if code is None:  # cut: without a marker nothing says how lines end, but these phones all do this
            return Reply(stdout=text.replace(b"\r\n", b"\n"), stderr=b"", exit_code=None)
        return Reply(stdout=body.replace(code[2], b"\n"), stderr=b"", exit_code=int(code[1]))


class Exec:
    """``exec:``, for bytes below Android 7: no terminal, no exit code, errors in the same stream.

    In AOSP since Android 5 (``service_to_fd``, ``create_subproc_raw``); its text runs as ``sh -c`` too.
    """

    overhead: Final = len("exec:")

    def __init__(self) -> None:
        self._said = bytearray()
        self.size = 0
        """Bytes of output that came."""

    def request(self, command: str) -> bytes:
        """The command as it is."""
        return b"exec:" + command.encode()

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._said += data
        self.size += len(data)

    def reply(self) -> Reply:
        """All that came."""
        return Reply(stdout=bytes(self._said), stderr=b"", exit_code=None)


Shell: TypeAlias = ShellV2 | OldShell | Exec


def usual(features: Collection[str]) -> type[ShellV2 | OldShell]:
    """How the shell of a phone with these features answers.

    Asked of the phone first: one that does not know a service says so in a way that adb-shell does not hear.
    """
    return ShellV2 if "shell_v2" in features else OldShell


def room(features: Collection[str], message: int) -> int:
    """Most bytes of a command, where a message to the phone holds `message` bytes."""
    return min(message, ARGUMENT_LIMIT) - usual(features).overhead - 1


def shell_for(command: Command, features: Collection[str], limit: int) -> Shell:
    """What takes the answer to `command`.

    Raises:
        TypeError: it is not a `Command`.
        ValueError: it is longer than `limit`, or holds a NUL.
    """
    if not isinstance(command, Command):
        raise TypeError("only a Command goes to a phone")
    if len(command.text.encode()) > limit or "\0" in command.text:
        raise ValueError("a command without NUL, and no longer than command_limit")
    kind = usual(features)
    # ``shell,v2,raw`` keeps bytes as they are; the terminal of an old ``shell:`` does not.
    return Exec() if command.binary and kind is OldShell else kind()


def fill(shell: Shell, pieces: Iterable[bytes], limit: int) -> Reply:
    """Let `shell` take all `pieces`; gives its reply.

    Raises:
        PhoneError: ``too_much_output``, after `limit` bytes.
    """
    too_much = PhoneError("errors.too_much_output", megabytes=math.ceil(limit / 1e6))
    for piece in pieces:
        shell.feed(piece)
        if shell.size > limit:
            raise too_much
    reply = shell.reply()
    # The old shell had left room for its marker, and a phone may have sent none.
    if len(reply.stdout) + len(reply.stderr) > limit:
        raise too_much
    return reply
