"""The commands that close doors: `steps`, `open`, `revoke`, `undo`, `diff`. `Hands` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privaudit.cli.console import CliConsole
from privaudit.cli.options import (
    CountryOption,
    JsonOption,
    LanguageOption,
    PlainOption,
    SerialOption,
    SignaturesOption,
    TransportOption,
    help_text,
)

AppsArgument = Annotated[list[str] | None, typer.Argument(metavar="[APP]...", help=help_text("cli.apps"))]
SourceOption = Annotated[Path | None, typer.Option("--from", metavar="SOURCE", help=help_text("cli.from"))]
RomOption = Annotated[str | None, typer.Option("--rom", metavar="ROM", help=help_text("cli.rom"))]
AndroidUserOption = Annotated[int, typer.Option("--user", metavar="N", help=help_text("cli.android_user"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(help=help_text("cli.steps"))(steps)
    app.command("open", help=help_text("cli.open"))(open_settings)
    app.command(help=help_text("cli.revoke"))(revoke)
    app.command(help=help_text("cli.undo"))(undo)
    app.command(help=help_text("cli.diff"))(diff)


def steps(  # noqa: PLR0913 - the options of DESIGN
    apps: AppsArgument = None,
    *,
    source: SourceOption = None,
    rom: RomOption = None,
    usb: Annotated[bool, typer.Option("--usb", help=help_text("cli.usb"))] = False,
    lang: LanguageOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    signatures: SignaturesOption = None,
    country: CountryOption = None,
    plain: PlainOption = False,
) -> None:
    """Print what to tap."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.cli.hands import PhoneCommand

        hands = PhoneCommand(talk, transport=transport, serial=serial, signatures=signatures or [], country=country)
        if usb:
            hands.print_usb_steps(rom)
        else:
            hands.print_steps(apps or [], source, rom)


def open_settings(
    page: Annotated[str, typer.Argument(metavar="PAGE", help=help_text("cli.page"))],
    app: Annotated[str, typer.Argument(metavar="APP", help=help_text("cli.one_app"))],
    *,
    user: AndroidUserOption = 0,
    lang: LanguageOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    plain: PlainOption = False,
) -> None:
    """Show a settings page on the phone."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.cli.hands import PhoneCommand

        PhoneCommand(talk, transport=transport, serial=serial).open_settings_page(page, app, user)


ApplyOption = Annotated[bool, typer.Option("--apply", help=help_text("cli.apply"))]
YesOption = Annotated[bool, typer.Option("--yes", help=help_text("cli.yes"))]


def revoke(  # noqa: PLR0913 - the options of DESIGN
    apps: Annotated[list[str], typer.Argument(metavar="APP...", help=help_text("cli.apps"))],
    *,
    source: Annotated[Path | None, typer.Option("--from", metavar="SOURCE", help=help_text("cli.from_capture"))] = None,
    apply: ApplyOption = False,
    ledger: Annotated[Path | None, typer.Option("--ledger", metavar="FILE", help=help_text("cli.ledger"))] = None,
    yes: YesOption = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help=help_text("cli.uninstall"))] = False,
    lang: LanguageOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    signatures: SignaturesOption = None,
    plain: PlainOption = False,
) -> None:
    """Plan to close what the named apps can read; with --apply, do it."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.cli.revoke import RevokeCommand

        run = RevokeCommand(talk, transport=transport, serial=serial, signatures=signatures or [])
        run.revoke(apps, source=source, apply=apply, ledger=ledger, yes=yes, uninstall=uninstall)


def undo(
    ledger: Annotated[Path, typer.Argument(metavar="LEDGER", help=help_text("cli.ledger_undo"))],
    *,
    apply: ApplyOption = False,
    yes: YesOption = False,
    lang: LanguageOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    plain: PlainOption = False,
) -> None:
    """Take back what a ledger says was changed."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.cli.undoing import UndoCommand

        UndoCommand(talk, transport=transport, serial=serial).undo(ledger, apply=apply, yes=yes)


def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help=help_text("cli.diff_before"))],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help=help_text("cli.diff_after"))],
    *,
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help=help_text("cli.diff_output"))
    ] = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
    signatures: SignaturesOption = None,
    plain: PlainOption = False,
) -> None:
    """Show what changed between two reports or saved checks of one phone."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.cli.hands import PhoneCommand

        PhoneCommand(talk, signatures=signatures or []).print_diff(before, after, output or [], as_json=as_json)
