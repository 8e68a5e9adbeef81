"""The commands that close doors: `steps`, `open`, `revoke`, `undo`, `diff`. `Hands` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privaudit.cli.console import Talk
from privaudit.cli.options import AsJson, Country, Lang, Lists, Plain, Serial, Way, help_text

Apps = Annotated[list[str] | None, typer.Argument(metavar="[APP]...", help=help_text("cli.apps"))]
From = Annotated[Path | None, typer.Option("--from", metavar="SOURCE", help=help_text("cli.from"))]
RomName = Annotated[str | None, typer.Option("--rom", metavar="ROM", help=help_text("cli.rom"))]
AndroidUser = Annotated[int, typer.Option("--user", metavar="N", help=help_text("cli.android_user"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(help=help_text("cli.steps"))(steps)
    app.command("open", help=help_text("cli.open"))(show)
    app.command(help=help_text("cli.revoke"))(revoke)
    app.command(help=help_text("cli.undo"))(undo)
    app.command(help=help_text("cli.diff"))(diff)


def steps(  # noqa: PLR0913 - the options of DESIGN
    apps: Apps = None,
    *,
    source: From = None,
    rom: RomName = None,
    usb: Annotated[bool, typer.Option("--usb", help=help_text("cli.usb"))] = False,
    lang: Lang = None,
    serial: Serial = None,
    transport: Way = "auto",
    signatures: Lists = None,
    country: Country = None,
    plain: Plain = False,
) -> None:
    """Print what to tap."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.cli.hands import Hands

        hands = Hands(talk, transport=transport, serial=serial, signatures=signatures or [], country=country)
        if usb:
            hands.usb(rom)
        else:
            hands.steps(apps or [], source, rom)


def show(
    page: Annotated[str, typer.Argument(metavar="PAGE", help=help_text("cli.page"))],
    app: Annotated[str, typer.Argument(metavar="APP", help=help_text("cli.one_app"))],
    *,
    user: AndroidUser = 0,
    lang: Lang = None,
    serial: Serial = None,
    transport: Way = "auto",
    plain: Plain = False,
) -> None:
    """Show a settings page on the phone."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.cli.hands import Hands

        Hands(talk, transport=transport, serial=serial).open(page, app, user)


Apply = Annotated[bool, typer.Option("--apply", help=help_text("cli.apply"))]
Yes = Annotated[bool, typer.Option("--yes", help=help_text("cli.yes"))]


def revoke(  # noqa: PLR0913 - the options of DESIGN
    apps: Annotated[list[str], typer.Argument(metavar="APP...", help=help_text("cli.apps"))],
    *,
    source: Annotated[Path | None, typer.Option("--from", metavar="SOURCE", help=help_text("cli.from_capture"))] = None,
    apply: Apply = False,
    ledger: Annotated[Path | None, typer.Option("--ledger", metavar="FILE", help=help_text("cli.ledger"))] = None,
    yes: Yes = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help=help_text("cli.uninstall"))] = False,
    lang: Lang = None,
    serial: Serial = None,
    transport: Way = "auto",
    signatures: Lists = None,
    plain: Plain = False,
) -> None:
    """Plan to close what the named apps can read; with --apply, do it."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.cli.revoke import Revoking

        run = Revoking(talk, transport=transport, serial=serial, signatures=signatures or [])
        run.revoke(apps, source=source, apply=apply, ledger=ledger, yes=yes, uninstall=uninstall)


def undo(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help=help_text("cli.ledger_undo"))],
    *,
    apply: Apply = False,
    yes: Yes = False,
    lang: Lang = None,
    serial: Serial = None,
    transport: Way = "auto",
    plain: Plain = False,
) -> None:
    """Take back what a ledger says was changed."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.cli.undoing import Undoing

        Undoing(talk, transport=transport, serial=serial).undo(ledger, apply=apply, yes=yes)


def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help=help_text("cli.diff_before"))],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help=help_text("cli.diff_after"))],
    *,
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.diff_output"))
    ] = None,
    as_json: AsJson = False,
    lang: Lang = None,
    signatures: Lists = None,
    plain: Plain = False,
) -> None:
    """Show what changed between two reports or saved checks of one phone."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.cli.hands import Hands

        Hands(talk, signatures=signatures or []).diff(before, after, output or [], json=as_json)
