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
MAX_ARGUMENT_BYTES: Final = 32 * 4096 - 1
"""Most bytes of one argument that Linux takes (``MAX_ARG_STRLEN``, with its NUL): adbd runs ``sh -c COMMAND``."""


class ShellV2:
    """Packets of a kind, a length and bytes, over ``shell,v2,raw:`` (feature ``shell_v2``)."""

    overhead_bytes: Final = len("shell,v2,raw:")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._exit_code: int | None = None
        self.output_bytes = 0
        """Bytes of output and errors that came, and all that a phone has no reason to send."""

    def encode_service(self, command: str) -> bytes:
        """``raw``: no terminal, so that bytes stay as they are."""
        return b"shell,v2,raw:" + command.encode()

    def feed(self, data: bytes) -> None:
        """Take what came; a packet may span several pieces."""
        self._buffer += data
        self.output_bytes += len(data)
        at = 0
        with memoryview(self._buffer) as view:
            while len(view) - at >= _HEADER.size:
                kind, size = _HEADER.unpack_from(view, at)
                end = at + _HEADER.size + size
                if end > len(view):
                    break
                self._handle_packet(kind, view[at + _HEADER.size : end])
                at = end
        del self._buffer[:at]

    def _handle_packet(self, packet_id: int, payload: memoryview) -> None:
        with payload:
            if packet_id == _EXIT and payload and self._exit_code is None:
                self._exit_code = payload[0]
                self.output_bytes -= _HEADER.size + len(payload)
            elif packet_id in {_STDOUT, _STDERR} and payload:
                (self._stdout if packet_id == _STDOUT else self._stderr).extend(payload)
                self.output_bytes -= _HEADER.size

    def reply(self) -> Reply:
        """What came in complete packets."""
        return Reply(stdout=bytes(self._stdout), stderr=bytes(self._stderr), exit_code=self._exit_code)


class LegacyShell:
    """``shell:`` of Android 6 and before: a terminal that turns LF into CRLF, and no exit code.

    A marker that nothing in an answer can know ends the output; how its own line ends tells what the terminal did.
    """

    overhead_bytes: Final = len("shell:(\n);echo :=$?") + 32

    def __init__(self) -> None:
        self._marker = secrets.token_hex(16)
        self._output = bytearray()
        self.output_bytes = -len(f"{self._marker}:=255\r\n")
        """Bytes of output that came, without the line of the marker."""

    def encode_service(self, command: str) -> bytes:
        """Brackets, so that ``exit`` ends the command and not the marker; a new line, in case it ends in a comment."""
        return f"shell:({command}\n);echo {self._marker}:=$?".encode()

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._output += data
        self.output_bytes += len(data)

    def reply(self) -> Reply:
        """What came before the marker, with the line ends that the command wrote."""
        text = bytes(self._output)
        body, marker, tail = text.rpartition(f"{self._marker}:=".encode())
        code = re.match(rb"(\d{1,3})(\r*\n)", tail) if marker else None
        if code is None:  # cut: without a marker nothing says how lines end, but these phones all do this
            return Reply(stdout=text.replace(b"\r\n", b"\n"), stderr=b"", exit_code=None)
        return Reply(stdout=body.replace(code[2], b"\n"), stderr=b"", exit_code=int(code[1]))


class ExecOut:
    """``exec:``, for bytes below Android 7: no terminal, no exit code, errors in the same stream.

    In AOSP since Android 5 (``service_to_fd``, ``create_subproc_raw``); its text runs as ``sh -c`` too.
    """

    overhead_bytes: Final = len("exec:")

    def __init__(self) -> None:
        self._output = bytearray()
        self.output_bytes = 0
        """Bytes of output that came."""

    def encode_service(self, command: str) -> bytes:
        """The command as it is."""
        return b"exec:" + command.encode()

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._output += data
        self.output_bytes += len(data)

    def reply(self) -> Reply:
        """All that came."""
        return Reply(stdout=bytes(self._output), stderr=b"", exit_code=None)


ShellProtocol: TypeAlias = ShellV2 | LegacyShell | ExecOut


def default_shell(features: Collection[str]) -> type[ShellV2 | LegacyShell]:
    """How the shell of a phone with these features answers.

    Asked of the phone first: one that does not know a service says so in a way that adb-shell does not hear.
    """
    return ShellV2 if "shell_v2" in features else LegacyShell


def max_command_bytes(features: Collection[str], message_bytes: int) -> int:
    """Most bytes of a command, where a message to the phone holds `message_bytes` bytes."""
    return min(message_bytes, MAX_ARGUMENT_BYTES) - default_shell(features).overhead_bytes - 1


def select_shell(command: Command, features: Collection[str], max_bytes: int) -> ShellProtocol:
    """What takes the answer to `command`.

    Raises:
        TypeError: it is not a `Command`.
        ValueError: it is longer than `max_bytes`, or holds a NUL.
    """
    if not isinstance(command, Command):
        raise TypeError("only a Command goes to a phone")
    if len(command.text.encode()) > max_bytes or "\0" in command.text:
        raise ValueError("a command without NUL, and no longer than command_limit")
    kind = default_shell(features)
    # ``shell,v2,raw`` keeps bytes as they are; the terminal of an old ``shell:`` does not.
    return ExecOut() if command.binary and kind is LegacyShell else kind()


def read_reply(shell: ShellProtocol, chunks: Iterable[bytes], max_bytes: int) -> Reply:
    """Let `shell` take all `chunks`; gives its reply.

    Raises:
        PhoneError: ``too_much_output``, after `max_bytes` bytes.
    """
    too_much = PhoneError("errors.too_much_output", megabytes=math.ceil(max_bytes / 1e6))
    for piece in chunks:
        shell.feed(piece)
        if shell.output_bytes > max_bytes:
            raise too_much
    reply = shell.reply()
    # The old shell had left room for its marker, and a phone may have sent none.
    if len(reply.stdout) + len(reply.stderr) > max_bytes:
        raise too_much
    return reply
