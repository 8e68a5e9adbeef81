"""A command line that cannot be understood, told like every other mistake: what happened, why, what to do."""

from __future__ import annotations

import ast
import re
from typing import Any, Final, cast

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import HELP_TRANSLATOR
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
