"""The commands that change the shell itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from privaudit.virtual_phone.shell.io import CommandError, ShellIO
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
    """``break``, or ``continue`` where `refresh_state`: leaves so many `levels` of loops."""

    def __init__(self, levels: int, *, is_continue: bool) -> None:
        super().__init__(levels)
        self.levels = levels
        self.is_continue = is_continue


class ShellState:
    """What one shell process knows."""

    def __init__(self, *, sleep: Callable[[float], object]) -> None:
        self.variables: dict[str, str] = {}
        self.functions: dict[str, Command] = {}
        self.positional_args: Sequence[str] = ()
        self.status = 0
        self.loop_depth = 0
        self.sleep = sleep

    def parameter(self, name: str) -> str | None:
        """See `shell_expand.ExpansionContext`."""
        match name:
            case "?":
                return str(self.status)
            case "#":
                return str(len(self.positional_args))
            case "$":
                return "1000"
            case "0":
                return "/system/bin/sh"
            case _ if name.isdecimal():
                return (
                    self.positional_args[int(name) - 1]
                    if len(name) < 5 and int(name) <= len(self.positional_args)
                    else None
                )
            case _:
                return self.variables.get(name)


def _numeric_arg(argv: Sequence[str], default: int) -> int:
    """The number that a command is given."""
    if len(argv) == 1:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", argv[1], re.ASCII):
        raise CommandError(f"{argv[0]}: bad number: {argv[1]}", fatal=True)
    return int(argv[1])


def _exit(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    raise Exit(_numeric_arg(argv, state.status) & 0xFF)


def _return(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    raise Return(_numeric_arg(argv, state.status) & 0xFF)


def _break(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    if not state.loop_depth:
        raise CommandError(f"{argv[0]}: can't {argv[0]}", 0)
    raise Break(_numeric_arg(argv, 1), is_continue=argv[0] == "continue")


def _shift(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    count = _numeric_arg(argv, 1)
    if not 0 <= count <= len(state.positional_args):
        raise CommandError("shift: nothing to shift", fatal=True)
    state.positional_args = state.positional_args[count:]
    return 0


def _set(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    words = list(argv[1:])
    # File names are never generated here, so that -f has nothing to turn off.
    while words and words[0] in {"-f", "+f"}:
        words.pop(0)
        if not words:
            return 0
    if words and words[0] == "--":
        words.pop(0)
    elif words and words[0][:1] in {"-", "+"}:
        raise CommandError(f"set: {words[0]}: unknown option", fatal=True)
    elif not words:
        return 0
    state.positional_args = words
    return 0


def _unset(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    for name in argv[1:]:
        state.variables.pop(name, None)
    return 0


def _export(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    """Programs here see no variables, so that only an assignment is left of it."""
    for word in argv[1:]:
        name, given, value = word.partition("=")
        if given:
            state.variables[name] = value
    return 0


def _read(state: ShellState, argv: Sequence[str], io: ShellIO) -> int:
    names = [word for word in argv[1:] if word != "-r"] or ["REPLY"]
    raw, complete = io.stdin.read_line()
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


def _sleep(state: ShellState, argv: Sequence[str], _io: ShellIO) -> int:
    if len(argv) != 2 or not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", argv[1], re.ASCII):  # noqa: PLR2004
        raise CommandError("sleep: needs a number of seconds")
    state.sleep(min(float(argv[1]), _MAX_SLEEP_S))
    return 0


BUILTINS: Final[Mapping[str, Callable[[ShellState, Sequence[str], ShellIO], int]]] = {
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
