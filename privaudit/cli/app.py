"""The table of commands, loaded lazily, and the words for usage errors.

A module of `privaudit.cli` is imported, and its options are built, when one of its commands is used.
"""

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

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "audit": ("audit", "cli.audit"),
    "demo": ("audit", "cli.demo"),
    "capture": ("capture", "cli.capture"),
    "devices": ("devices", "cli.devices"),
    "steps": ("steps", "cli.steps"),
    "open": ("steps", "cli.open"),
    "revoke": ("revoke", "cli.revoke"),
    "undo": ("revoke", "cli.undo"),
    "diff": ("diff", "cli.diff"),
    "evidence": ("evidence", "cli.evidence"),
    "letter": ("letter", "cli.letter"),
    "rights": ("letter", "cli.rights"),
    "workshop": ("workshop", "cli.workshop"),
    "apk": ("apk", "apkcli.apk"),
    "signatures": ("signatures_exchange", "signatures.app"),
    "rules": ("rules", "rulebook.app"),
    "schema": ("audit", "cli.schema"),
}
"""The commands in the order of the help: the module of `privaudit.cli` whose ``register`` adds each, and its help."""

_COLUMNS_AROUND_COMMAND: Final = 6
"""Columns that typer leaves before, between and after the two columns of a table in the help."""

UsageException: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""click's ``UsageError``, the base of every parse error. Newer versions of typer carry click inside them, so there is
no name to import."""

_USAGE_ERROR_KEYS: Final[Mapping[str, str]] = {
    "NoSuchOption": "cli.usage_option",
    "BadOptionUsage": "cli.usage_value",
    "MissingParameter": "cli.usage_missing",
}
"""Our sentence for each class of parse error that names an option or an argument."""
_UNKNOWN_COMMAND_RE: Final = re.compile(
    r"""No such command ((['"])(?:\\.|(?!\2).)*\2)\.(?: Did you mean .*)?\Z""", re.DOTALL
)
"""typer's message for an unknown command: the command as a Python string literal, and perhaps a similar command."""


def report_usage_error(error: Any) -> int:  # noqa: ANN401 - see UsageException
    """Print why a command line could not be parsed and where to find help; return the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return EXIT_USAGE
    command = error.ctx.command_path if error.ctx else "privaudit"
    CliConsole(HELP_TRANSLATOR.code, plain=True).print_usage_error(_usage_error_reason(error), command)
    return EXIT_USAGE


def _usage_error_reason(error: Any) -> str:  # noqa: ANN401 - see UsageException
    """Return the sentence for a parse error: ours where we have one, else typer's own."""
    message = error.format_message()
    key = _USAGE_ERROR_KEYS.get(type(error).__name__)
    if key is not None:
        parameter = getattr(error, "option_name", None) or getattr(getattr(error, "param", None), "metavar", None)
        if parameter:
            return HELP_TRANSLATOR.t(key, given=str(parameter))
    elif unknown := _UNKNOWN_COMMAND_RE.match(message):
        return HELP_TRANSLATOR.t("cli.usage_command", given=str(ast.literal_eval(unknown[1])))
    return HELP_TRANSLATOR.t("cli.usage_why", said=message)


class _LazyCommands(MutableMapping[str, Any]):
    """The commands by name; each is built by typer when it is looked up for the first time."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's classes, which newer typers carry inside
        if name not in self._loaded:
            module_app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
            module, _ = COMMANDS[name]
            import_module(f"privaudit.cli.{module}").register(module_app)
            command = typer.main.get_command(module_app)
            # typer makes a group of several commands, and a bare command of a single one.
            self._loaded |= command.commands if isinstance(command, TyperGroup) else {name: command}
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as above
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class LazyGroup(TyperGroup):
    """The group ``privaudit``. Its help prints the first line of each command without loading the command."""

    def __init__(self, **attrs: Any) -> None:  # noqa: ANN401 - what typer passes on
        super().__init__(**attrs)
        self.commands = _LazyCommands()

    def format_commands(self, _ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - click's classes
        """Write the table of commands below the options."""
        columns = formatter.width - _COLUMNS_AROUND_COMMAND - max(map(len, COMMANDS))
        rows = [
            (name, TyperCommand(name, help=help_text(key)).get_short_help_str(columns))
            for name, (_, key) in COMMANDS.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
