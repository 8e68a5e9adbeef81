"""Commands, options, exit codes. Standard output carries data, standard error talk.

Nothing heavier than typer is imported before a command needs it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer

from privaudit import __version__
from privaudit.commands import closing, evidence, exchange, letter, rights, rules, vetting, workshop
from privaudit.commands.desk import Desk
from privaudit.commands.misread import CannotParse, told
from privaudit.commands.options import (
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
)
from privaudit.commands.options import help_text as _help
from privaudit.commands.talk import Talk, steady
from privaudit.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, UsageError

if TYPE_CHECKING:
    from privaudit.audit import Reach


app = typer.Typer(
    name="privaudit",
    help=_help("app"),
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(exchange.app)
app.add_typer(rules.app)


@app.callback()
def top(
    context: typer.Context,
    *,
    lang: Lang = None,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, help=_help("version"), callback=lambda on: _print_version(on=on))
    ] = False,
) -> None:
    """Options before any command; without one, a menu where somebody can choose, else the help."""
    if lang is not None:
        Talk(lang, plain=True)  # refuses a language that is not there; `HELP` and every `Talk` have read it already
    if context.invoked_subcommand is None:
        from privaudit.commands import menu

        if not menu.wanted():
            typer.echo(context.get_help(), err=True)
            raise typer.Exit(EXIT_USAGE)
        menu.Menu(_run, HELP.code).show()


def _run(words: list[str]) -> int:
    command = typer.main.get_command(app)
    for option in command.params:
        if option.name in {"install_completion", "show_completion"}:  # typer's own, and worded in English only
            cast("typer.core.TyperOption", option).help = _help(option.name)
    code = command(words, prog_name="privaudit", standalone_mode=False)
    return code if isinstance(code, int) else EXIT_OK


def _print_version(*, on: bool) -> None:
    if on:
        typer.echo(f"privaudit {__version__}")
        raise typer.Exit


def _reach(no_apks: bool, hashes: bool) -> Reach:  # noqa: FBT001 - straight from the options
    from privaudit.audit import Reach

    return Reach(names=not no_apks, hashes=hashes and not no_apks)


@app.command(help=_help("audit"))
def audit(  # noqa: PLR0913 - the options of DESIGN
    source: Annotated[list[Path] | None, typer.Argument(metavar="[SOURCE]...", help=_help("source"))] = None,
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
            talk.say("starting_saved", version=__version__)
            raise typer.Exit(desk.saved(source, signatures or []))
        talk.say("starting", version=__version__)
        with talk.phone(transport, serial) as connection:
            from privaudit import audit as pipeline

            knowledge = desk.knowledge(signatures or [])
            capture = pipeline.live(
                connection, knowledge, reach=_reach(no_apks, hash_apks), progress=talk.say, counted=talk.counted
            )
        raise typer.Exit(desk.show(capture, knowledge))


@app.command(help=_help("demo"))
def demo(  # noqa: PLR0913 - audit's options
    story: Annotated[str, typer.Argument(metavar="[STORY]", help=_help("story"))] = "borrower",
    *,
    list_stories: Annotated[bool, typer.Option("--list", help=_help("list"))] = False,
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
    from privaudit import demo as virtual

    talk = Talk(lang, plain=plain)
    with talk.errors():
        if list_stories:
            names, language = virtual.stories(), talk.language.code
            room = max(map(len, names))
            talk.out("".join(f"{name:{room}}  {virtual.title(name, language)}\n" for name in names))
            return
        if story not in virtual.stories():
            raise UsageError("no_story", given=story, known=virtual.stories())
        wishes = {"all_apps": all_apps, "unknown": unknown, "share": share}
        desk = Desk(talk, output or [], country, **wishes, json=as_json, lines=False)
        desk.check(0)
        talk.say("starting_demo", version=__version__)
        knowledge = desk.knowledge(signatures or [], demo=True)
        from privaudit import audit as pipeline

        with virtual.connected(virtual.open_story(story)) as connection:
            capture = pipeline.live(
                connection,
                knowledge,
                demo=True,
                reach=_reach(no_apks, hash_apks),
                progress=talk.say,
                counted=talk.counted,
            )
        raise typer.Exit(desk.show(capture, knowledge))


@app.command(help=_help("capture"))
def capture(  # noqa: PLR0913 - audit's options
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help=_help("file"))],
    *,
    resume: Annotated[bool, typer.Option("--resume", help=_help("resume"))] = False,
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
        from privaudit.commands.keep import Keeper

        keeper = Keeper(talk, file, _reach(no_apks, hash_apks), resume=resume)
        raise typer.Exit(keeper.keep(transport, serial, signatures or []))


@app.command(help=_help("devices"))
def devices(*, as_json: AsJson = False, lang: Lang = None, plain: Plain = False) -> None:
    """List the phones that are connected."""
    talk = Talk(lang, plain=plain)
    with talk.errors():
        talk.say("looking")
        from privaudit.commands import devices as listing

        raise typer.Exit(listing.show(talk, as_json=as_json))


@app.command(help=_help("schema"))
def schema(*, apk: Annotated[bool, typer.Option("--apk", help=vetting.apk_text("schema_apk"))] = False) -> None:
    """Print the schema of the report document, or of the lines on APKs."""
    if apk:
        from privaudit.report.apk.json import schema as document
    else:
        from privaudit.report.json import schema as document

    Talk(None, plain=True).out(document())


closing.register(app)
vetting.register(app, exchange.app)
workshop.register(app)
letter.register(app)
evidence.register(app)
rights.register(app)


def main() -> NoReturn:
    """Entry point. What typer cannot understand is worded like every other mistake."""
    steady()
    try:
        raise SystemExit(_run(sys.argv[1:]))
    except (typer.Abort, KeyboardInterrupt) as error:
        raise SystemExit(EXIT_INTERRUPTED) from error
    except CannotParse as error:
        raise SystemExit(told(error)) from error
