"""The help of a command, in the user's language and in terminal columns.

click's own help has English headings, counts a Chinese character as one column, and differs between versions of typer.
"""

import shutil
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import typer

from privaudit.cli.options import HELP_TRANSLATOR

_MAX_COLUMNS: Final = 79
"""As in click. One less than a terminal has, because Windows ends a full line twice."""
_MIN_COLUMNS: Final = 50
_MAX_NAME_COLUMNS: Final = 26
"""A longer name stands on a line of its own."""
_INDENT: Final = "  "
_SENTENCE_ENDS: Final = ("。", "। ", ". ")


class HelpContext(typer.Context):
    """What a command is called with. Its help is ours."""

    def get_help(self) -> str:
        """Return the help of the command."""
        columns = max(min(shutil.get_terminal_size().columns - 1, _MAX_COLUMNS), _MIN_COLUMNS)
        return "\n".join(_help_lines(self, columns)).rstrip()


def _help_lines(context: HelpContext, columns: int) -> Iterator[str]:
    """Yield the lines of the help: usage, what the command does, its arguments and options, its commands."""
    from privaudit.report import layout

    parameters: list[Any] = context.command.get_params(context)
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option" and not one.hidden]
    commands = _help_by_command(context.command)
    key = "cli.help_usage_group" if commands else "cli.help_usage"
    usage = " ".join([HELP_TRANSLATOR.t(key, command=context.command_path), *map(_argument_name, arguments)])
    yield from layout.title_indent(usage, columns)
    yield ""
    for paragraph in (context.command.help or "").split("\n\n"):
        yield from layout.hanging_indent(_INDENT, " ".join(paragraph.split()), columns)
        yield ""
    for heading, rows in (
        ("cli.help_arguments", [(_argument_name(one), _parameter_help(one)) for one in arguments]),
        ("cli.help_options", [(_option_name(one), _parameter_help(one)) for one in options]),
        ("cli.help_commands", [(name, _first_sentence(text)) for name, text in commands.items()]),
    ):
        if rows:
            yield HELP_TRANSLATOR.t(heading)
            yield from _table_lines(rows, columns)
            yield ""


def _help_by_command(command: Any) -> Mapping[str, str]:  # noqa: ANN401 - click's classes, which newer typers carry inside
    """Return the help of each command of a group; none for a command. A group may know it without loading them."""
    if hasattr(command, "help_by_command"):
        known: Mapping[str, str] = command.help_by_command()
        return known
    return {name: one.help or "" for name, one in getattr(command, "commands", {}).items()}


def _table_lines(rows: list[tuple[str, str]], columns: int) -> Iterator[str]:
    """Yield the lines of a table of names and what they mean."""
    from privaudit.report import layout

    widest = max((len(name) for name, _ in rows if len(name) <= _MAX_NAME_COLUMNS), default=_MAX_NAME_COLUMNS)
    for name, text in rows:
        prefix = f"{_INDENT}{name.ljust(widest)}{_INDENT}"
        if len(name) > widest:
            yield f"{_INDENT}{name}"
            prefix = " " * (len(_INDENT) * 2 + widest)
        yield from layout.hanging_indent(prefix, text, columns)


def _argument_name(argument: Any) -> str:  # noqa: ANN401 - as above
    return str(argument.metavar or argument.name.upper())


def _option_name(option: Any) -> str:  # noqa: ANN401 - as above
    """Return the names of an option, and what its value is called."""
    names = ", ".join(sorted(option.opts, key=len))
    return names if option.is_flag or option.count else f"{names} {option.metavar or option.name.upper()}"


def _parameter_help(parameter: Any) -> str:  # noqa: ANN401 - as above
    """Return what a parameter means, and in brackets which values it takes."""
    notes = []
    if variable := parameter.envvar:
        notes.append(HELP_TRANSLATOR.t("cli.help_variable", name=str(variable)))
    default = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    if parameter.show_default and isinstance(default, str | int | float) and not isinstance(default, bool):
        value = f"{default:g}" if isinstance(default, float) else str(default)
        notes.append(HELP_TRANSLATOR.t("cli.help_default", value=value))
    # Newer versions of typer have the limits of a number in the parameter, older ones in its type.
    limits: Any = parameter if hasattr(parameter, "min") else getattr(parameter, "type", None)
    if getattr(limits, "min", None) is not None:
        notes.append(HELP_TRANSLATOR.t("cli.help_range", low=str(limits.min), high=str(limits.max)))
    if parameter.required:
        notes.append(HELP_TRANSLATOR.t("cli.help_required"))
    return " ".join([parameter.help or "", *(f"[{note}]" for note in notes)])


def _first_sentence(text: str) -> str:
    """Return the first sentence of a text."""
    ends = [text.find(end) + 1 for end in _SENTENCE_ENDS if end in text]
    return text[: min(ends)] if ends else text
