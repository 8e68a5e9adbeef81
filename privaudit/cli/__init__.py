"""The command line: commands, options, exit codes. Data goes to standard output, messages to standard error.

Nothing heavier than typer is imported before a command needs it.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Mapping
from typing import Annotated, Final, NoReturn, cast

import typer

from privaudit import __version__
from privaudit.cli.app import LazyGroup, UsageException, report_usage_error
from privaudit.cli.console import CliConsole, configure_stdio, discard_output, is_closed_pipe
from privaudit.cli.options import HELP_TRANSLATOR, LanguageOption, help_text
from privaudit.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE

_GC_THRESHOLD: Final = 100_000
"""Allocations between two runs of the cyclic garbage collector. Nearly everything that a command allocates lives until
it ends: with Python's default of 700, a tenth of the time went into scanning it."""
_COMPLETION_HELP_KEYS: Final[Mapping[str, str]] = {
    "install_completion": "cli.install_completion",
    "show_completion": "cli.show_completion",
}
"""typer's own options, and our help for them: typer has English only."""

typer_app = typer.Typer(
    name="privaudit",
    cls=LazyGroup,
    help=help_text("cli.app"),
    invoke_without_command=True,
    # For PowerShell typer sets the execution policy to Unrestricted, and for cmd it has none.
    add_completion=sys.platform != "win32",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> NoReturn:
    """Run the command line and exit. Parse errors are printed like every other error."""
    configure_stdio()
    gc.set_threshold(_GC_THRESHOLD)
    ctrl_break = getattr(signal, "SIGBREAK", None)
    if ctrl_break is not None:  # On Windows: Ctrl-Break, and a console window that is closed. Both end like Ctrl-C.
        signal.signal(ctrl_break, signal.default_int_handler)
    try:
        code = _run_command_line(sys.argv[1:])
    except (typer.Abort, KeyboardInterrupt) as error:
        raise SystemExit(EXIT_INTERRUPTED) from error
    except UsageException as error:
        raise SystemExit(report_usage_error(error)) from error
    except (OSError, SystemExit) as error:
        # typer, which prints the help, ends with 1 where the reader of the pipe has gone.
        if not is_closed_pipe(error.__context__ if isinstance(error, SystemExit) else error):
            raise
        discard_output(sys.stdout)
        code = EXIT_OK
    raise SystemExit(code)


@typer_app.callback()
def root_callback(
    context: typer.Context,
    *,
    lang: LanguageOption = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, help=help_text("cli.version"), callback=lambda on: _print_version(requested=on)
        ),
    ] = False,
) -> None:
    """Handle the options before any command. Without a command, show the menu in a terminal and the help elsewhere."""
    if lang is not None:
        CliConsole(lang, plain=True)  # refuses an unknown language; a known one is in HELP_TRANSLATOR already
    if context.invoked_subcommand is None:
        from privaudit.cli import menu

        if not menu.is_interactive():
            typer.echo(context.get_help(), err=True)
            raise typer.Exit(EXIT_USAGE)
        menu.Menu(_run_command_line, HELP_TRANSLATOR.code).run()


def _run_command_line(args: list[str]) -> int:
    command = typer.main.get_command(typer_app)
    for option in command.params:
        if option.name in _COMPLETION_HELP_KEYS:
            cast("typer.core.TyperOption", option).help = help_text(_COMPLETION_HELP_KEYS[option.name])
    code = command(args, prog_name="privaudit", standalone_mode=False)
    return code if isinstance(code, int) else EXIT_OK


def _print_version(*, requested: bool) -> None:
    if requested:
        typer.echo(f"privaudit {__version__}")
        raise typer.Exit
