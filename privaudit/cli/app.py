"""The table of commands, loaded lazily, and the words for usage errors.

A module of `privaudit.cli` is imported, and its options are built, when one of its commands is used.
"""

import ast
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup

from privaudit.cli.console import CliConsole
from privaudit.cli.help_page import HelpContext
from privaudit.cli.options import HELP_TRANSLATOR, help_text
from privaudit.errors import EXIT_USAGE

COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "audit": ("audit", "audit", "cli.audit"),
    "demo": ("audit", "demo", "cli.demo"),
    "capture": ("capture", "capture", "cli.capture"),
    "devices": ("devices", "devices", "cli.devices"),
    "steps": ("steps", "steps", "cli.steps"),
    "open": ("steps", "open_settings", "cli.open"),
    "revoke": ("revoke", "revoke", "cli.revoke"),
    "undo": ("revoke", "undo", "cli.undo"),
    "diff": ("diff", "diff", "cli.diff"),
    "evidence": ("evidence", "evidence", "cli.evidence"),
    "letter": ("letter", "letter", "cli.letter"),
    "rights": ("letter", "show_rights", "cli.rights"),
    "workshop": ("workshop", "workshop", "cli.workshop"),
    "apk": ("apk", "apk", "apkcli.apk"),
    "signatures": ("signatures", "signatures_app", "signatures.app"),
    "rules": ("rules", "rules_app", "rulebook.app"),
    "schema": ("audit", "schema", "cli.schema"),
}
"""The commands in the order of the help: the module of `privaudit.cli`, its function or group, and the help."""

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
    # An option without its value has no context in click.
    named = next((word for word in sys.argv[1:] if word in COMMANDS), "")
    command = error.ctx.command_path if error.ctx else f"privaudit {named}".rstrip()
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


def _translate_help_option(option: Any) -> Any:  # noqa: ANN401 - see UsageException
    """Replace typer's own help of the option ``--help``, which is English in every language."""
    if option is not None:
        option.help = help_text("cli.help_option")
    return option


class LazyGroup(TyperGroup):
    """The group ``privaudit``, which loads a command when it is used."""

    context_class = HelpContext

    def list_commands(self, _ctx: Any) -> list[str]:  # noqa: ANN401 - click's classes, which newer typers carry inside
        """Return the names of all commands."""
        return list(COMMANDS)

    def help_by_command(self) -> Mapping[str, str]:
        """Return the help of each command, without loading it."""
        return {name: help_text(key) for name, (_, _, key) in COMMANDS.items()}

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        """Return the option ``--help`` with its help in the user's language."""
        return _translate_help_option(super().get_help_option(ctx))

    def get_command(self, ctx: Any, name: str) -> Any:  # noqa: ANN401 - as above
        """Load a command; ``None`` for an unknown name."""
        if name not in COMMANDS:
            return None
        module, target, key = COMMANDS[name]
        function = getattr(import_module(f"privaudit.cli.{module}"), target)
        if isinstance(function, typer.Typer):
            command = typer.main.get_command(function)
        else:
            command_app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
            command_app.command(name, help=help_text(key))(function)
            command = typer.main.get_command(command_app)
        if ctx is not None:  # else nobody reads the help
            for one in (command, *getattr(command, "commands", {}).values()):
                one.context_class = HelpContext
                _translate_help_option(one.get_help_option(ctx))  # which the command keeps
        return command
