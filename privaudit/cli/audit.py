"""``privaudit audit``, ``demo``, ``capture``, ``devices``, ``schema``. `Desk` and `Keeper` do what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit import __version__
from privaudit.cli.console import Talk
from privaudit.cli.desk import Desk
from privaudit.cli.options import (
    HELP,
    AllApps,
    AsJson,
    AsJsonLines,
    Country,
    Hash,
    Lang,
    Lists,
    NoApks,
    Output,
    Plain,
    Serial,
    Share,
    Unknown,
    Way,
    help_text,
)
from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.audit import Reach


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(help=help_text("cli.audit"))(audit)
    app.command(help=help_text("cli.demo"))(demo)
    app.command(help=help_text("cli.capture"))(capture)
    app.command(help=help_text("cli.devices"))(devices)
    app.command(help=help_text("cli.schema"))(schema)


def _reach(no_apks: bool, hashes: bool) -> Reach:  # noqa: FBT001 - straight from the options
    from privaudit.audit import Reach

    return Reach(names=not no_apks, hashes=hashes and not no_apks)


def audit(  # noqa: PLR0913 - the options of DESIGN
    source: Annotated[list[Path] | None, typer.Argument(metavar="[SOURCE]...", help=help_text("cli.source"))] = None,
    *,
    output: Output = None,
    as_json: AsJson = False,
    as_json_lines: AsJsonLines = False,
    lang: Lang = None,
    country: Country = None,
    serial: Serial = None,
    transport: Way = "auto",
    signatures: Lists = None,
    all_apps: AllApps = False,
    unknown: Unknown = False,
    share: Share = False,
    no_apks: NoApks = False,
    hash_apks: Hash = False,
    plain: Plain = False,
) -> None:
    """Check a phone or saved sources."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        wishes = {"all_apps": all_apps, "unknown": unknown, "share": share}
        desk = Desk(talk, output or [], country, **wishes, json=as_json, lines=as_json_lines)
        desk.check(len(source or ()))
        if source:
            talk.say("cli.starting_saved", version=__version__)
            raise typer.Exit(desk.saved(source, signatures or []))
        talk.say("cli.starting", version=__version__)
        with talk.phone(transport, serial) as connection:
            knowledge = desk.knowledge(signatures or [])
            capture = desk.live(connection, knowledge, _reach(no_apks, hash_apks))
        raise typer.Exit(desk.show(capture, knowledge))


def demo(  # noqa: PLR0913 - audit's options
    story: Annotated[str, typer.Argument(metavar="[STORY]", help=help_text("cli.story"))] = "borrower",
    *,
    list_stories: Annotated[bool, typer.Option("--list", help=help_text("cli.list"))] = False,
    output: Output = None,
    as_json: AsJson = False,
    lang: Lang = None,
    country: Country = None,
    signatures: Lists = None,
    all_apps: AllApps = False,
    unknown: Unknown = False,
    share: Share = False,
    no_apks: NoApks = False,
    hash_apks: Hash = False,
    plain: Plain = False,
) -> None:
    """Audit a virtual phone over the real ADB protocol."""
    from privaudit import virtual_phone as virtual

    talk = Talk(lang, plain=plain)
    with talk.errors():
        if list_stories:
            names, language = virtual.stories(), talk.language.code
            room = max(map(len, names))
            talk.out("".join(f"{name:{room}}  {virtual.title(name, language)}\n" for name in names))
            return
        if story not in virtual.stories():
            raise UsageError("errors.no_story", given=story, known=virtual.stories())
        wishes = {"all_apps": all_apps, "unknown": unknown, "share": share}
        desk = Desk(talk, output or [], country, **wishes, json=as_json, lines=False)
        desk.check(0)
        talk.say("cli.starting_demo", version=__version__)
        knowledge = desk.knowledge(signatures or [], demo=True)
        with virtual.connected(virtual.open_story(story)) as connection:
            capture = desk.live(connection, knowledge, _reach(no_apks, hash_apks), demo=True)
        raise typer.Exit(desk.show(capture, knowledge))


def capture(  # noqa: PLR0913 - audit's options
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help=help_text("cli.file"))],
    *,
    resume: Annotated[bool, typer.Option("--resume", help=help_text("cli.resume"))] = False,
    lang: Lang = None,
    serial: Serial = None,
    transport: Way = "auto",
    signatures: Lists = None,
    no_apks: NoApks = False,
    hash_apks: Hash = False,
    plain: Plain = False,
) -> None:
    """Take a capture and save it. Its lists decide only of which apps the details are asked."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        from privaudit.cli.capture import Keeper

        keeper = Keeper(talk, file, _reach(no_apks, hash_apks), resume=resume)
        raise typer.Exit(keeper.keep(transport, serial, signatures or []))


def devices(*, as_json: AsJson = False, lang: Lang = None, plain: Plain = False) -> None:
    """List the phones that are connected."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        talk.say("cli.looking")
        from privaudit.cli import devices as listing

        raise typer.Exit(listing.show(talk, as_json=as_json))


def schema(*, apk: Annotated[bool, typer.Option("--apk", help=HELP.text("apkcli.schema_apk"))] = False) -> None:
    """Print the schema of the report document, or of the lines on APKs."""
    if apk:
        from privaudit.vetting.json import schema as document
    else:
        from privaudit.report.json import schema as document

    Talk(None, plain=True).out(document())
