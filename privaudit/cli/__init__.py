"""Commands, options, exit codes. Standard output carries data, standard error talk.

Nothing heavier than typer is imported before a command needs it.
"""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Final, NoReturn, cast

import typer

from privaudit import __version__
from privaudit.cli.app import ClickUsageError, LazyGroup, report_usage_error
from privaudit.cli.console import CliConsole, configure_stdio
from privaudit.cli.options import HELP_TRANSLATOR, LanguageOption
from privaudit.cli.options import help_text as _help
from privaudit.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE

_GC_THRESHOLD: Final = 100_000
"""So many between two searches for garbage that refers to itself. There is hardly any: nearly all that a command makes
stays until it ends, and at Python's 700 a tenth of its time went into looking all of that over."""

typer_app = typer.Typer(
    name="privaudit",
    cls=LazyGroup,
    help=_help("cli.app"),
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@typer_app.callback()
def root_callback(
    context: typer.Context,
    *,
    lang: LanguageOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, help=_help("cli.version"), callback=lambda on: _print_version(requested=on)
        ),
    ] = False,
) -> None:
    """Options before any command; without one, a menu where somebody can choose, else the help."""
    if lang is not None:
        CliConsole(
            lang, plain=True
        )  # refuses a language that is not there; `HELP_TRANSLATOR` and every `CliConsole` have read it already
    if context.invoked_subcommand is None:
        from privaudit.cli import menu

        if not menu.is_interactive():
            typer.echo(context.get_help(), err=True)
            raise typer.Exit(EXIT_USAGE)
        menu.Menu(_run_command_line, HELP_TRANSLATOR.code).run()


def _run_command_line(args: list[str]) -> int:
    command = typer.main.get_command(typer_app)
    for option in command.params:
        if option.name in {"install_completion", "show_completion"}:  # typer's own, and worded in English only
            cast("typer.core.TyperOption", option).help = _help(f"cli.{option.name}")
    code = command(args, prog_name="privaudit", standalone_mode=False)
    return code if isinstance(code, int) else EXIT_OK


def _print_version(*, requested: bool) -> None:
    if requested:
        typer.echo(f"privaudit {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """Entry point. What typer cannot understand is worded like every other mistake."""
    configure_stdio()
    gc.set_threshold(_GC_THRESHOLD)
    try:
        raise SystemExit(_run_command_line(sys.argv[1:]))
    except (typer.Abort, KeyboardInterrupt) as error:
        raise SystemExit(EXIT_INTERRUPTED) from error
    except ClickUsageError as error:
        raise SystemExit(report_usage_error(error)) from error
