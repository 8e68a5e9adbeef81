"""What a computer may open on the demo phone: ``shell``, ``exec`` and ``sync``.

AOSP: packages/modules/adb/SERVICES.TXT, daemon/services.cpp, shell_protocol.h.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from privaudit.virtual_phone.adbd.files import FileTree
from privaudit.virtual_phone.adbd.streams import AdbStream, StreamClosedError
from privaudit.virtual_phone.adbd.sync import SyncService
from privaudit.virtual_phone.shell import OutputSink, Program, Shell
from privaudit.virtual_phone.shell.io import InputStream

AdbService: TypeAlias = Callable[[AdbStream], None]

_SHELL_PACKET: Final = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_NO_PROMPT_SCRIPT: Final = "echo 'The demo phone has no prompt. Give it a command: adb shell COMMAND'; exit 1"
_MAX_STDIN_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AdbServices:
    """The services of one phone."""

    programs: Mapping[str, Program]
    files: FileTree
    features: frozenset[str]
    crlf: bool
    """Whether a plain ``shell:`` has a terminal that turns LF into CRLF, as below Android 7."""
    on_command: Callable[[str], None]
    """Told each shell command."""

    def find(self, name: str) -> AdbService | None:
        """The service called `name`; ``None``: this phone has none such."""
        kind, colon, rest = name.partition(":")
        kind, *args = kind.split(",")
        if not colon or (args and "shell_v2" not in self.features):
            return None
        if kind == "sync":
            return lambda stream: SyncService(stream, self.files, self.features).serve()
        if kind not in {"shell", "exec"}:
            return None
        terminal = "pty" in args or (kind == "shell" and not rest and "raw" not in args)
        # Without a command, what comes on standard input is the script; a person who types gets no prompt here.
        rest = _NO_PROMPT_SCRIPT if terminal and not rest else rest
        if "v2" in args:
            return lambda stream: self._run_shell_protocol(stream, rest, terminal=terminal)
        crlf = kind == "shell" and (self.crlf or terminal)
        return lambda stream: self._run_raw(stream, rest, crlf=crlf)

    def _run_raw(self, stream: AdbStream, command: str, *, crlf: bool) -> None:
        """Bytes as they are; both outputs in one, and no exit status."""
        out = _with_crlf(stream.write) if crlf else stream.write
        self._run_script(stream, command, out, out, InputStream(wait=lambda: _read_until_closed(stream)))

    def _run_shell_protocol(self, stream: AdbStream, command: str, *, terminal: bool) -> None:
        """The shell protocol: packets that name their stream, and the exit status at the end."""

        def sink(number: int) -> OutputSink:
            return lambda data: stream.write(_SHELL_PACKET.pack(number, len(data)) + data)

        out = _with_crlf(sink(_STDOUT)) if terminal else sink(_STDOUT)
        code = self._run_script(
            stream,
            command,
            out,
            out if terminal else sink(_STDERR),
            InputStream(wait=lambda: _read_shell_stdin(stream)),
        )
        sink(_EXIT)(bytes([code]))

    def _run_script(self, stream: AdbStream, command: str, out: OutputSink, err: OutputSink, stdin: InputStream) -> int:
        script = command or stdin.read_all().decode("utf-8", "surrogateescape")
        self.on_command(script)
        return Shell(self.programs, self.files, sleep=stream.sleep).stream_script(script, out, err, stdin)


def _with_crlf(sink: OutputSink) -> OutputSink:
    return lambda data: sink(data.replace(b"\n", b"\r\n"))


def _read_until_closed(stream: AdbStream) -> bytes:
    """All that the computer sends until it ends the stream."""
    data = bytearray()
    try:
        while len(data) <= _MAX_STDIN_BYTES:
            data += stream.read()
    except StreamClosedError:
        pass
    return bytes(data)


def _read_shell_stdin(stream: AdbStream) -> bytes:
    """Standard input out of shell protocol packets, until the computer closes it."""
    raw, data = bytearray(), bytearray()
    while len(data) + len(raw) <= _MAX_STDIN_BYTES:
        raw += stream.read()
        while len(raw) >= _SHELL_PACKET.size:
            number, length = _SHELL_PACKET.unpack_from(raw)
            if len(raw) < _SHELL_PACKET.size + length:
                break
            if number == _CLOSE_STDIN:
                return bytes(data)
            if number == _STDIN:
                data += raw[_SHELL_PACKET.size : _SHELL_PACKET.size + length]
            del raw[: _SHELL_PACKET.size + length]
    return bytes(data)
