"""Decode the output of a phone's shell: packets of ``shell_v2``, a terminal's text before Android 7, or raw bytes."""

import math
import re
import secrets
import struct
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias

from privaudit.errors import PhoneError
from privaudit.model import Command, Reply

_STDOUT, _STDERR, _EXIT = 1, 2, 3
"""Packet ids (AOSP ``shell_protocol.h``, ``ShellProtocol::Id``)."""
_HEADER: Final = struct.Struct("<BI")
MAX_ARGUMENT_BYTES: Final = 32 * 4096 - 1
"""Longest argument that Linux accepts (``MAX_ARG_STRLEN`` includes the NUL): adbd runs ``sh -c COMMAND``."""


class ShellV2:
    """``shell,v2,raw:`` (feature ``shell_v2``): packets of an id, a length and bytes."""

    overhead_bytes: Final = len("shell,v2,raw:")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._exit_code: int | None = None
        self.output_bytes = 0
        """Bytes of stdout and stderr received so far, and of packets that a phone has no reason to send."""

    def encode_service(self, command: str) -> bytes:
        """Return the ADB service that runs `command`; ``raw`` means without a terminal, so that bytes are unchanged."""
        return b"shell,v2,raw:" + command.encode()

    def feed(self, data: bytes) -> None:
        """Decode received data; a packet may span several chunks."""
        self._buffer += data
        self.output_bytes += len(data)
        offset = 0
        with memoryview(self._buffer) as view:
            while len(view) - offset >= _HEADER.size:
                packet_id, size = _HEADER.unpack_from(view, offset)
                end = offset + _HEADER.size + size
                if end > len(view):
                    break
                self._handle_packet(packet_id, view[offset + _HEADER.size : end])
                offset = end
        del self._buffer[:offset]

    def _handle_packet(self, packet_id: int, payload: memoryview) -> None:
        with payload:
            if packet_id == _EXIT and payload and self._exit_code is None:
                self._exit_code = payload[0]
                self.output_bytes -= _HEADER.size + len(payload)
            elif packet_id in {_STDOUT, _STDERR} and payload:
                (self._stdout if packet_id == _STDOUT else self._stderr).extend(payload)
                self.output_bytes -= _HEADER.size

    def reply(self) -> Reply:
        """Return the content of the complete packets."""
        return Reply(stdout=bytes(self._stdout), stderr=bytes(self._stderr), exit_code=self._exit_code)


class ExecOut:
    """``exec:``, for binary output below Android 7: no terminal, no exit code, stderr in the same stream.

    In AOSP since Android 5 (``service_to_fd``, ``create_subproc_raw``); it also runs its text with ``sh -c``.
    """

    overhead_bytes = len("exec:")

    def __init__(self) -> None:
        self._output = bytearray()
        self.output_bytes = 0
        """Bytes of output received so far."""

    def encode_service(self, command: str) -> bytes:
        """Return the ADB service that runs `command`."""
        return b"exec:" + command.encode()

    def feed(self, data: bytes) -> None:
        """Store received data."""
        self._output += data
        self.output_bytes += len(data)

    def reply(self) -> Reply:
        """Return the output received so far."""
        return Reply(stdout=bytes(self._output), stderr=b"", exit_code=None)


class LegacyShell(ExecOut):
    """``shell:`` of Android 6 and earlier: a terminal that turns LF into CRLF, and no exit code.

    A random marker line, which no output can contain, reports the exit code; its own line end shows how the terminal
    has changed line ends.
    """

    overhead_bytes = len("shell:(\n);echo :=$?") + 32

    def __init__(self) -> None:
        super().__init__()
        self._marker = secrets.token_hex(16)
        self.output_bytes -= len(f"{self._marker}:=255\r\n")  # the marker line is not output

    def encode_service(self, command: str) -> bytes:
        """Return the ADB service that runs `command` and then prints the marker.

        The subshell keeps ``exit`` from skipping the marker; the line feed ends a trailing comment.
        """
        return f"shell:({command}\n);echo {self._marker}:=$?".encode()

    def reply(self) -> Reply:
        """Return the output before the marker, with the line ends that the command wrote."""
        output = bytes(self._output)
        stdout, marker, tail = output.rpartition(f"{self._marker}:=".encode())
        status = re.match(rb"(\d{1,3})(\r*\n)", tail) if marker else None
        if status is None:  # truncated: without a marker the line ends are unknown, but these phones all write CRLF
            return Reply(stdout=output.replace(b"\r\n", b"\n"), stderr=b"", exit_code=None)
        return Reply(stdout=stdout.replace(status[2], b"\n"), stderr=b"", exit_code=int(status[1]))


ShellProtocol: TypeAlias = ShellV2 | ExecOut


def default_shell(features: Collection[str]) -> type[ShellV2 | LegacyShell]:
    """Return the shell protocol of a phone with these features: adb-shell would not notice that it lacks a service."""
    return ShellV2 if "shell_v2" in features else LegacyShell


def max_command_bytes(features: Collection[str], message_bytes: int) -> int:
    """Return the longest command for a phone that accepts messages of `message_bytes` bytes."""
    return min(message_bytes, MAX_ARGUMENT_BYTES) - default_shell(features).overhead_bytes - 1


def select_shell(command: Command, features: Collection[str], max_bytes: int) -> ShellProtocol:
    """Return a decoder for the output of `command`. Raises ValueError if it has over `max_bytes` bytes or a NUL."""
    if not isinstance(command, Command):
        raise TypeError("only a Command goes to a phone")
    if len(command.text.encode()) > max_bytes or "\0" in command.text:
        raise ValueError("a command without NUL, and no longer than command_limit")
    shell = default_shell(features)
    # ``shell,v2,raw`` leaves bytes unchanged; the terminal of an old ``shell:`` does not.
    return ExecOut() if command.binary and shell is LegacyShell else shell()


def read_reply(shell: ShellProtocol, chunks: Iterable[bytes], max_bytes: int) -> Reply:
    """Feed all `chunks` to `shell` and return its reply. Raises PhoneError after `max_bytes` bytes."""
    error = PhoneError("errors.too_much_output", megabytes=math.ceil(max_bytes / 1e6))
    for chunk in chunks:
        shell.feed(chunk)
        if shell.output_bytes > max_bytes:
            raise error
    reply = shell.reply()
    # `LegacyShell` does not count its marker, which a phone may not have sent.
    if len(reply.stdout) + len(reply.stderr) > max_bytes:
        raise error
    return reply
