"""Input, output and limits of a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from privaudit.virtual_phone.file_tree import FileTree

OutputSink: TypeAlias = Callable[[bytes], object]
"""Receives output as it comes. Its exceptions end the script."""

_MAX_COMMANDS: Final = 100_000
"""Limit for one script, including loop iterations."""
_MAX_OUTPUT_BYTES: Final = 512 * 1024 * 1024
"""Limit for one script; bytes that pass through pipes and substitutions count again."""


class LimitExceededError(Exception):
    """The script needs more steps, depth or memory than the phone allows."""


def discard_output(_data: bytes) -> None:
    """``/dev/null``."""


class InputStream:
    """Standard input: bytes at hand, or a function that waits for them at the first read."""

    def __init__(self, data: bytes = b"", wait: Callable[[], bytes] | None = None) -> None:
        self._data = data
        self._wait = wait

    def peek_available(self) -> bytes:
        """Return what is available without waiting, without consuming it."""
        return self._data

    def read_all(self) -> bytes:
        """Read to the end."""
        self._wait_for_data()
        data, self._data = self._data, b""
        return data

    def read_line(self) -> tuple[bytes, bool]:
        """Read a line; return it without its newline, and whether it had one."""
        self._wait_for_data()
        line, newline, self._data = self._data.partition(b"\n")
        return line, bool(newline)

    def _wait_for_data(self) -> None:
        if self._wait:
            self._data += self._wait()
            self._wait = None


class CommandError(Exception):
    """A command failed; if `fatal`, it ends the process, as POSIX requires for special built-ins."""

    def __init__(self, message: str, code: int = 1, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class ShellIO:
    """File descriptors 0, 1 and 2."""

    stdin: InputStream
    out: OutputSink
    err: OutputSink

    def with_redirect(self, fd: int, operator: str, name: str, files: FileTree) -> ShellIO:
        """Return a copy after ``fd operator name``.

        Raises:
            CommandError: the file cannot be read, or the redirection would write one.
        """
        end: InputStream | OutputSink | None
        if operator in {">&", "<&"}:
            ends: dict[str, InputStream | OutputSink] = {"0": self.stdin, "1": self.out, "2": self.err}
            end = discard_output if name == "-" else ends.get(name)
            if end is None:
                raise CommandError(f"{name}: bad file descriptor")
        elif operator == "<":
            content = b"" if name == "/dev/null" else files.read(name)
            if content is None:
                raise CommandError(f"can't open {name}: No such file or directory")
            end = InputStream(content)
        elif name == "/dev/null":
            end = discard_output
        else:
            raise CommandError(f"can't create {name}: Read-only file system")
        return self._with_fd(fd, end)

    def _with_fd(self, fd: int, end: InputStream | OutputSink) -> ShellIO:
        """Return a copy with `end` at `fd`. An end of the wrong direction counts as closed."""
        if fd == 0:
            return replace(self, stdin=end if isinstance(end, InputStream) else InputStream())
        sink = discard_output if isinstance(end, InputStream) else end
        return replace(self, out=sink) if fd == 1 else replace(self, err=sink) if fd == 2 else self  # noqa: PLR2004


class ScriptBudget:
    """The remaining steps and bytes of one script."""

    def __init__(self) -> None:
        self._steps = _MAX_COMMANDS
        self._bytes = _MAX_OUTPUT_BYTES

    def count_command(self) -> None:
        """Count one command.

        Raises:
            LimitExceededError: no steps are left.
        """
        self._steps -= 1
        if self._steps < 0:
            raise LimitExceededError

    def count_output(self, sink: OutputSink) -> OutputSink:
        """Return a sink that counts the bytes it passes on to `sink`."""

        def write(data: bytes) -> None:
            self._bytes -= len(data)
            if self._bytes < 0:
                raise LimitExceededError
            sink(data)

        return write
