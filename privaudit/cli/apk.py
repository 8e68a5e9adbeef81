"""``privaudit apk`` and ``privaudit signatures draft``. `bench` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privaudit.cli.console import Talk
from privaudit.cli.options import HELP, Country, Lang, Lists, Plain, Serial, Way


def apk_text(key: str) -> str:
    """What the help says of these commands and their options."""
    return HELP.text(key)


Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE", help=apk_text("apkcli.files"))]


def register(app: typer.Typer) -> None:
    """Add ``apk`` to the command line; ``draft`` stands among the commands about lists."""
    app.command(help=apk_text("apkcli.apk"))(apk)


def apk(  # noqa: PLR0913 - the options of DESIGN
    files: Files = None,
    *,
    installed: Annotated[
        str | None, typer.Option("--installed", metavar="PKG", help=apk_text("apkcli.installed"))
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option("--output", "-o", metavar="FILE", help=apk_text("apkcli.output"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=apk_text("apkcli.json"))] = False,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help=apk_text("apkcli.scheduler"))
    ] = None,
    lang: Lang = None,
    country: Country = None,
    serial: Serial = None,
    transport: Way = "auto",
    signatures: Lists = None,
    plain: Plain = False,
) -> None:
    """Vet APKs."""
    from privaudit.cli.bench import Bench

    talk = Talk(lang, plain=plain)
    with talk.errors():
        bench = Bench(talk, output or [], country, signatures or [], as_json=as_json)
        bench.check(files or [], installed, scheduler)
        if installed is not None:
            raise typer.Exit(bench.installed(installed, transport, serial))
        raise typer.Exit(bench.files(files or [], scheduler))


def draft(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=apk_text("apkcli.draft_files"))],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=apk_text("apkcli.draft_output"))
    ] = None,
    lang: Lang = None,
    plain: Plain = False,
) -> None:
    """Draft rows of a list."""
    from privaudit.cli.bench import drafted

    talk = Talk(lang, plain=plain)
    with talk.errors():
        raise typer.Exit(drafted(talk, files, output))
