"""``privaudit apk`` and ``privaudit signatures draft``. `bench` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import (
    HELP_TRANSLATOR,
    CountryOption,
    LanguageOption,
    PlainOption,
    SerialOption,
    SignaturesOption,
    TransportOption,
)


def apk_help_text(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP_TRANSLATOR.t(key)


ApkFilesArgument = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help=apk_help_text("apkcli.files"))]


def register(app: typer.Typer) -> None:
    """Add ``apk`` to the command line; ``draft`` stands among the commands about lists."""
    app.command(help=apk_help_text("apkcli.apk"))(apk)


def apk(  # noqa: PLR0913 - the options of DESIGN
    files: ApkFilesArgument = None,
    *,
    installed: Annotated[
        str | None, typer.Option("--installed", metavar="PKG", help=apk_help_text("apkcli.installed"))
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option("--output", "-o", metavar="FILE", help=apk_help_text("apkcli.output"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=apk_help_text("apkcli.json"))] = False,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help=apk_help_text("apkcli.scheduler"))
    ] = None,
    lang: LanguageOption = None,
    country: CountryOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    signatures: SignaturesOption = None,
    plain: PlainOption = False,
) -> None:
    """Vet APKs."""
    from privaudit.cli.bench import VetCommand

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        bench = VetCommand(talk, output or [], country, signatures or [], as_json=as_json)
        bench.validate_options(files or [], installed, scheduler)
        if installed is not None:
            raise typer.Exit(bench.vet_installed_app(installed, transport, serial))
        raise typer.Exit(bench.vet_files(files or [], scheduler))


def draft(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=apk_help_text("apkcli.draft_files"))],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=apk_help_text("apkcli.draft_output"))
    ] = None,
    lang: LanguageOption = None,
    plain: PlainOption = False,
) -> None:
    """Draft rows of a list."""
    from privaudit.cli.bench import draft_rows

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        raise typer.Exit(draft_rows(talk, files, output))
