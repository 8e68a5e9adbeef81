"""A command line that cannot be understood, told like every other mistake: what happened, why, what to do."""

from __future__ import annotations

from typing import Any, Final, cast

import typer

from privaudit.commands.options import HELP
from privaudit.commands.talk import Talk
from privaudit.errors import EXIT_USAGE

CannotParse: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""typer's word for every mistake in a command line; newer versions carry click inside, so it has no name to import."""


def told(error: Any) -> int:  # noqa: ANN401 - see CannotParse
    """Say what was wrong and where help is; the exit code."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        error.show()
        return EXIT_USAGE
    given = str(getattr(error, "option_name", None) or getattr(getattr(error, "param", None), "metavar", None) or "")
    name = {"NoSuchOption": "option", "BadOptionUsage": "value", "MissingParameter": "missing"}.get(kind)
    values = {"given": given} if name and given else {"said": error.format_message()}
    if name is None and "No such command" in error.format_message():
        name, values = "command", {"given": error.format_message().partition("'")[2].rpartition("'")[0]}
        given = values["given"]
    command = error.ctx.command_path if error.ctx else "privaudit"
    Talk(HELP.code, plain=True).misunderstood(name if name and given else "why", command, values)
    return EXIT_USAGE
