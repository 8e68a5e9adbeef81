"""The commands that change the shell itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from privaudit.virtual_phone.shell.io import IO, Refused
from privaudit.virtual_phone.shell.tree import Command

_MAX_SLEEP_S: Final = 600.0


class Exit(Exception):  # noqa: N818 - control flow
    """``exit``: ends the process with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exit):
    """``return``: ends the function with `code`."""


class Break(Exception):  # noqa: N818 - control flow
    """``break``, or ``continue`` where `again`: leaves so many `levels` of loops."""

    def __init__(self, levels: int, *, again: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.again = again


class State:
    """What one shell process knows."""

    def __init__(self, *, sleep: Callable[[float], object]) -> None:
        self.variables: dict[str, str] = {}
        self.functions: dict[str, Command] = {}
        self.args: Sequence[str] = ()
        self.status = 0
        self.loops = 0
        self.sleep = sleep

    def value(self, name: str) -> str | None:
        """See `shell_expand.Environment`."""
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.args))
            case "$":
                return "1000"
            case "0":
                return "/system/bin/sh"
            case _ if name.isdecimal():
                return self.args[int(name) - 1] if len(name) < 5 and int(name) <= len(self.args) else None  # noqa: PLR2004
            case _:
                return self.variables.get(name)


def _count(argv: Sequence[str], default: int) -> int:
    """The number that a command is given."""
    if len(argv) == 1:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", argv[1], re.ASCII):
        raise Refused(f"{argv[0]}: bad number: {argv[1]}", fatal=True)
    return int(argv[1])


def _exit(state: State, argv: Sequence[str], _io: IO) -> int:
    raise Exit(_count(argv, state.status) & 0xFF)


def _return(state: State, argv: Sequence[str], _io: IO) -> int:
    raise Return(_count(argv, state.status) & 0xFF)


def _break(state: State, argv: Sequence[str], _io: IO) -> int:
    if not state.loops:
        raise Refused(f"{argv[0]}: can't {argv[0]}", 0)
    raise Break(_count(argv, 1), again=argv[0] == "continue")


def _shift(state: State, argv: Sequence[str], _io: IO) -> int:
    count = _count(argv, 1)
    if not 0 <= count <= len(state.args):
        raise Refused("shift: nothing to shift", fatal=True)
    state.args = state.args[count:]
    return 0


def _set(state: State, argv: Sequence[str], _io: IO) -> int:
    words = list(argv[1:])
    # File names are never generated here, so that -f has nothing to turn off.
    while words and words[0] in {"-f", "+f"}:
        words.pop(0)
        if not words:
            return 0
    if words and words[0] == "--":
        words.pop(0)
    elif words and words[0][:1] in {"-", "+"}:
        raise Refused(f"set: {words[0]}: unknown option", fatal=True)
    elif not words:
        return 0
    state.args = words
    return 0


def _unset(state: State, argv: Sequence[str], _io: IO) -> int:
    for name in argv[1:]:
        state.variables.pop(name, None)
    return 0


def _export(state: State, argv: Sequence[str], _io: IO) -> int:
    """Programs here see no variables, so that only an assignment is left of it."""
    for word in argv[1:]:
        name, given, value = word.partition("=")
        if given:
            state.variables[name] = value
    return 0


def _read(state: State, argv: Sequence[str], io: IO) -> int:
    names = [word for word in argv[1:] if word != "-r"] or ["REPLY"]
    raw, complete = io.stdin.line()
    line = raw.replace(b"\0", b"").decode("utf-8", "surrogateescape")
    if "-r" not in argv:
        line = re.sub(r"\\(.)", r"\1", line)
    separators = state.variables.get("IFS", " \t\n")
    blank = "".join(c for c in separators if c in " \t\n")
    line = line.strip(blank) if blank else line
    gap = re.compile(f"[{re.escape(separators)}]+") if separators else re.compile("(?!)")
    values = gap.split(line, maxsplit=len(names) - 1) if len(names) > 1 else [line]
    for index, name in enumerate(names):
        state.variables[name] = values[index] if index < len(values) else ""
    return 0 if complete else 1


def _sleep(state: State, argv: Sequence[str], _io: IO) -> int:
    if len(argv) != 2 or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", argv[1], re.ASCII):  # noqa: PLR2004
        raise Refused("sleep: needs a number of seconds")
    state.sleep(min(float(argv[1]), _MAX_SLEEP_S))
    return 0


BUILTINS: Final[Mapping[str, Callable[[State, Sequence[str], IO], int]]] = {
    ":": lambda *_: 0,
    "break": _break,
    "continue": _break,
    "exit": _exit,
    "export": _export,
    "false": lambda *_: 1,
    "read": _read,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "sleep": _sleep,
    "true": lambda *_: 0,
    "unset": _unset,
}
