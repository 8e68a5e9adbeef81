"""Where a script reads from and writes to, and how much of everything it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from privaudit.virtual_phone.adbd.sync import FileTree
from privaudit.virtual_phone.shell.expand import LimitExceededError

OutputSink: TypeAlias = Callable[[bytes], object]
"""Takes output as it comes. What it raises ends the script."""

_MAX_COMMANDS: Final = 100_000
"""Most commands of one script, loop turns counted."""
_MAX_OUTPUT_BYTES: Final = 512 * 1024 * 1024
"""Most bytes that one script may write; what passes through pipes and substitutions counts again."""


def discard_output(_data: bytes) -> None:
    """``/dev/null``."""


class InputStream:
    """Standard input: bytes, or a wait for them that begins when someone reads."""

    def __init__(self, data: bytes = b"", wait: Callable[[], bytes] | None = None) -> None:
        self._data = data
        self._wait = wait

    def peek_available(self) -> bytes:
        """What can be had without waiting; not taken."""
        return self._data

    def read_all(self) -> bytes:
        """All that is left."""
        self._wait_for_data()
        data, self._data = self._data, b""
        return data

    def read_line(self) -> tuple[bytes, bool]:
        """The next line without its end, and whether it had one."""
        self._wait_for_data()
        line, newline, self._data = self._data.partition(b"\n")
        return line, bool(newline)

    def _wait_for_data(self) -> None:
        if self._wait:
            self._data += self._wait()
            self._wait = None


class CommandError(Exception):
    """A command cannot be done; where `fatal`, the process ends with it, as POSIX wants of special built-ins."""

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
        """A copy after ``fd operator name``.

        Raises:
            Refused: nothing can be read there, or it would write a file.
        """
        end: InputStream | OutputSink | None
        if operator in {">&", "<&"}:
            ends: Mapping[str, InputStream | OutputSink] = {
                "0": self.stdin,
                "1": self.out,
                "2": self.err,
                "-": discard_output,
            }
            end = ends.get(name)
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
        """A copy with `end` at `fd`; one that does not fit is as good as closed."""
        if fd == 0:
            return replace(self, stdin=end if isinstance(end, InputStream) else InputStream())
        sink = discard_output if isinstance(end, InputStream) else end
        return replace(self, out=sink) if fd == 1 else replace(self, err=sink) if fd == 2 else self  # noqa: PLR2004


class ScriptBudget:
    """What is left of the bounds of one script."""

    def __init__(self) -> None:
        self._steps = _MAX_COMMANDS
        self._bytes = _MAX_OUTPUT_BYTES

    def count_command(self) -> None:
        """Count one command.

        Raises:
            TooMuchError: no more.
        """
        self._steps -= 1
        if self._steps < 0:
            raise LimitExceededError

    def count_output(self, sink: OutputSink) -> OutputSink:
        """`sink`, with all that goes into it counted."""

        def write(data: bytes) -> None:
            self._bytes -= len(data)
            if self._bytes < 0:
                raise LimitExceededError
            sink(data)

        return write
