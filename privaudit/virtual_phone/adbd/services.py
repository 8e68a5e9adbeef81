"""What a computer may open on the demo phone: ``shell``, ``exec`` and ``sync``.

AOSP: packages/modules/adb/SERVICES.TXT, daemon/services.cpp, shell_protocol.h.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from privaudit.virtual_phone.adbd.files import FileTree
from privaudit.virtual_phone.adbd.streams import Stream, StreamClosedError
from privaudit.virtual_phone.adbd.sync import SyncService
from privaudit.virtual_phone.shell import Program, Shell, Sink
from privaudit.virtual_phone.shell.io import Input

Service: TypeAlias = Callable[[Stream], None]

_PACKET: Final = struct.Struct("<BI")
_STDIN, _STDOUT, _STDERR, _EXIT, _CLOSE_STDIN = range(5)
_NO_PROMPT: Final = "echo 'The demo phone has no prompt. Give it a command: adb shell COMMAND'; exit 1"
_MAX_STDIN: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services of one phone."""

    programs: Mapping[str, Program]
    files: FileTree
    features: frozenset[str]
    crlf: bool
    """Whether a plain ``shell:`` has a terminal that turns LF into CRLF, as below Android 7."""
    heard: Callable[[str], None]
    """Told each shell command."""

    def find(self, name: str) -> Service | None:
        """The service called `name`; ``None``: this phone has none such."""
        kind, colon, rest = name.partition(":")
        kind, *args = kind.split(",")
        if not colon or (args and "shell_v2" not in self.features):
            return None
        if kind == "sync":
            return lambda stream: SyncService(stream, self.files, self.features).run()
        if kind not in {"shell", "exec"}:
            return None
        terminal = "pty" in args or (kind == "shell" and not rest and "raw" not in args)
        # Without a command, what comes on standard input is the script; a person who types gets no prompt here.
        rest = _NO_PROMPT if terminal and not rest else rest
        if "v2" in args:
            return lambda stream: self._framed(stream, rest, terminal=terminal)
        crlf = kind == "shell" and (self.crlf or terminal)
        return lambda stream: self._plain(stream, rest, crlf=crlf)

    def _plain(self, stream: Stream, command: str, *, crlf: bool) -> None:
        """Bytes as they are; both outputs in one, and no exit status."""
        out = _with_crlf(stream.write) if crlf else stream.write
        self._run(stream, command, out, out, Input(wait=lambda: _rest(stream)))

    def _framed(self, stream: Stream, command: str, *, terminal: bool) -> None:
        """The shell protocol: packets that name their stream, and the exit status at the end."""

        def sink(number: int) -> Sink:
            return lambda data: stream.write(_PACKET.pack(number, len(data)) + data)

        out = _with_crlf(sink(_STDOUT)) if terminal else sink(_STDOUT)
        code = self._run(stream, command, out, out if terminal else sink(_STDERR), Input(wait=lambda: _stdin(stream)))
        sink(_EXIT)(bytes([code]))

    def _run(self, stream: Stream, command: str, out: Sink, err: Sink, stdin: Input) -> int:
        script = command or stdin.take().decode("utf-8", "surrogateescape")
        self.heard(script)
        return Shell(self.programs, self.files, sleep=stream.sleep).run_to(script, out, err, stdin)


def _with_crlf(sink: Sink) -> Sink:
    return lambda data: sink(data.replace(b"\n", b"\r\n"))


def _rest(stream: Stream) -> bytes:
    """All that the computer sends until it ends the stream."""
    data = bytearray()
    try:
        while len(data) <= _MAX_STDIN:
            data += stream.read()
    except StreamClosedError:
        pass
    return bytes(data)


def _stdin(stream: Stream) -> bytes:
    """Standard input out of shell protocol packets, until the computer closes it."""
    raw, data = bytearray(), bytearray()
    while len(data) + len(raw) <= _MAX_STDIN:
        raw += stream.read()
        while len(raw) >= _PACKET.size:
            number, length = _PACKET.unpack_from(raw)
            if len(raw) < _PACKET.size + length:
                break
            if number == _CLOSE_STDIN:
                return bytes(data)
            if number == _STDIN:
                data += raw[_PACKET.size : _PACKET.size + length]
            del raw[: _PACKET.size + length]
    return bytes(data)
