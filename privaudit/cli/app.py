"""The commands by name. A module is imported, and its options are made, when a command of it is wanted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup

from privaudit.cli.console import CliConsole
from privaudit.cli.options import HELP_TRANSLATOR, help_text
from privaudit.errors import EXIT_USAGE

ClickUsageError: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""typer's word for every mistake in a command line; newer versions carry click inside, so it has no name to import."""

_UNKNOWN_COMMAND_RE: Final = re.compile(
    r"""No such command ((['"])(?:\\.|(?!\2).)*\2)\.(?: Did you mean .*)?\Z""", re.DOTALL
)
"""How typer words it: the command as Python writes a text, and perhaps one that looks like it."""


def report_usage_error(error: Any) -> int:  # noqa: ANN401 - see CannotParse
    """Say what was wrong and where help is; the exit code."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        error.show()
        return EXIT_USAGE
    given = str(getattr(error, "option_name", None) or getattr(getattr(error, "param", None), "metavar", None) or "")
    name = {"NoSuchOption": "option", "BadOptionUsage": "value", "MissingParameter": "missing"}.get(kind)
    values = {"given": given} if name and given else {"said": error.format_message()}
    if name is None and (unknown := _UNKNOWN_COMMAND_RE.match(error.format_message())):
        name, given = "command", str(ast.literal_eval(unknown[1]))
        values = {"given": given}
    command = error.ctx.command_path if error.ctx else "privaudit"
    CliConsole(HELP_TRANSLATOR.code, plain=True).print_usage_error(name if name and given else "why", command, values)
    return EXIT_USAGE


COMMAND_MODULES: Final[Mapping[str, str]] = {
    "audit": "audit",
    "demo": "audit",
    "capture": "audit",
    "devices": "audit",
    "steps": "steps",
    "open": "steps",
    "revoke": "steps",
    "undo": "steps",
    "diff": "steps",
    "evidence": "evidence",
    "letter": "letter",
    "rights": "letter",
    "workshop": "workshop",
    "apk": "apk",
    "signatures": "signatures_exchange",
    "rules": "rules",
    "schema": "audit",
}
"""Each command, in the order of the help, and the module of `privaudit.cli` whose ``register`` adds it."""

_HELP_KEYS: Final[Mapping[str, str]] = {
    "audit": "cli.audit",
    "demo": "cli.demo",
    "devices": "cli.devices",
    "capture": "cli.capture",
    "steps": "cli.steps",
    "open": "cli.open",
    "revoke": "cli.revoke",
    "undo": "cli.undo",
    "diff": "cli.diff",
    "evidence": "cli.evidence",
    "letter": "cli.letter",
    "rights": "cli.rights",
    "workshop": "cli.workshop",
    "apk": "apkcli.apk",
    "signatures": "signatures.app",
    "rules": "rulebook.app",
    "schema": "cli.schema",
}
"""The help of each command in the message catalog."""


class _LazyCommands(MutableMapping[str, Any]):
    """Commands as typer makes them, each when somebody wants it."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's classes, which newer typers carry inside
        if name not in self._loaded:
            holder = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
            import_module(f"privaudit.cli.{COMMAND_MODULES[name]}").register(holder)
            made = typer.main.get_command(holder)
            self._loaded |= made.commands if isinstance(made, TyperGroup) else {name: made}
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as above
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMAND_MODULES)

    def __len__(self) -> int:
        return len(COMMAND_MODULES)


class LazyGroup(TyperGroup):
    """``privaudit``, whose help needs only the first line of each command."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - what typer passes on
        super().__init__(**attrs)
        self.commands = _LazyCommands()

    def format_commands(self, _ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's classes
        """The table of commands, below the options."""
        room = formatter.width - 6 - max(map(len, COMMAND_MODULES))
        told = {name: help_text(_HELP_KEYS[name]) for name in COMMAND_MODULES}
        short = [(name, TyperCommand(name, help=text).get_short_help_str(room)) for name, text in told.items()]
        with formatter.section("Commands"):
            formatter.write_dl(short)
