"""Where a script reads from and writes to, and how much of everything it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from privaudit.virtual_phone.adbd.files import FileTree
from privaudit.virtual_phone.shell.expand import TooMuchError

Sink: TypeAlias = Callable[[bytes], object]
"""Takes output as it comes. What it raises ends the script."""

_MAX_STEPS: Final = 100_000
"""Most commands of one script, loop turns counted."""
_MAX_OUTPUT: Final = 512 * 1024 * 1024
"""Most bytes that one script may write; what passes through pipes and substitutions counts again."""


def discard(_data: bytes) -> None:
    """``/dev/null``."""


class Input:
    """Standard input: bytes, or a wait for them that begins when someone reads."""

    def __init__(self, data: bytes = b"", wait: Callable[[], bytes] | None = None) -> None:
        self._data = data
        self._wait = wait

    def at_hand(self) -> bytes:
        """What can be had without waiting; not taken."""
        return self._data

    def take(self) -> bytes:
        """All that is left."""
        self._gather()
        data, self._data = self._data, b""
        return data

    def line(self) -> tuple[bytes, bool]:
        """The next line without its end, and whether it had one."""
        self._gather()
        line, newline, self._data = self._data.partition(b"\n")
        return line, bool(newline)

    def _gather(self) -> None:
        if self._wait:
            self._data += self._wait()
            self._wait = None


class Refused(Exception):  # noqa: N818 - becomes a line on standard error
    """A command cannot be done; where `fatal`, the process ends with it, as POSIX wants of special built-ins."""

    def __init__(self, said: str, code: int = 1, *, fatal: bool = False) -> None:
        super().__init__(said)
        self.code = code
        self.fatal = fatal


@dataclass(frozen=True, slots=True)
class IO:
    """File descriptors 0, 1 and 2."""

    stdin: Input
    out: Sink
    err: Sink

    def redirected(self, fd: int, operator: str, name: str, files: FileTree) -> IO:
        """A copy after ``fd operator name``.

        Raises:
            Refused: nothing can be read there, or it would write a file.
        """
        end: Input | Sink | None
        if operator in {">&", "<&"}:
            ends: Mapping[str, Input | Sink] = {"0": self.stdin, "1": self.out, "2": self.err, "-": discard}
            end = ends.get(name)
            if end is None:
                raise Refused(f"{name}: bad file descriptor")
        elif operator == "<":
            content = b"" if name == "/dev/null" else files.read(name)
            if content is None:
                raise Refused(f"can't open {name}: No such file or directory")
            end = Input(content)
        elif name == "/dev/null":
            end = discard
        else:
            raise Refused(f"can't create {name}: Read-only file system")
        return self._with_end(fd, end)

    def _with_end(self, fd: int, end: Input | Sink) -> IO:
        """A copy with `end` at `fd`; one that does not fit is as good as closed."""
        if fd == 0:
            return replace(self, stdin=end if isinstance(end, Input) else Input())
        sink = discard if isinstance(end, Input) else end
        return replace(self, out=sink) if fd == 1 else replace(self, err=sink) if fd == 2 else self  # noqa: PLR2004


class Budget:
    """What is left of the bounds of one script."""

    def __init__(self) -> None:
        self._steps = _MAX_STEPS
        self._bytes = _MAX_OUTPUT

    def step(self) -> None:
        """Count one command.

        Raises:
            TooMuchError: no more.
        """
        self._steps -= 1
        if self._steps < 0:
            raise TooMuchError

    def metered(self, sink: Sink) -> Sink:
        """`sink`, with all that goes into it counted."""

        def write(data: bytes) -> None:
            self._bytes -= len(data)
            if self._bytes < 0:
                raise TooMuchError
            sink(data)

        return write
