"""``privaudit audit``, ``demo``, ``capture``, ``devices``, ``schema``. `Desk` and `CaptureCommand` do what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit import __version__
from privaudit.cli.console import CliConsole
from privaudit.cli.desk import AuditRunner
from privaudit.cli.options import (
    HELP_TRANSLATOR,
    AllAppsOption,
    CountryOption,
    HashOption,
    JsonLinesOption,
    JsonOption,
    LanguageOption,
    NoApksOption,
    OutputOption,
    PlainOption,
    SerialOption,
    ShareOption,
    SignaturesOption,
    TransportOption,
    UnknownOption,
    help_text,
)
from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.audit import CollectionOptions


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(help=help_text("cli.audit"))(audit)
    app.command(help=help_text("cli.demo"))(demo)
    app.command(help=help_text("cli.capture"))(capture)
    app.command(help=help_text("cli.devices"))(devices)
    app.command(help=help_text("cli.schema"))(schema)


def collection_options(no_apks: bool, hash_apks: bool) -> CollectionOptions:  # noqa: FBT001 - straight from the options
    from privaudit.audit import CollectionOptions

    return CollectionOptions(read_labels=not no_apks, hash_apks=hash_apks and not no_apks)


def audit(  # noqa: PLR0913 - the options of DESIGN
    source: Annotated[list[Path] | None, typer.Argument(metavar="[SOURCE]...", help=help_text("cli.source"))] = None,
    *,
    output: OutputOption = None,
    as_json: JsonOption = False,
    as_json_lines: JsonLinesOption = False,
    lang: LanguageOption = None,
    country: CountryOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    signatures: SignaturesOption = None,
    all_apps: AllAppsOption = False,
    unknown: UnknownOption = False,
    share: ShareOption = False,
    no_apks: NoApksOption = False,
    hash_apks: HashOption = False,
    plain: PlainOption = False,
) -> None:
    """Check a phone or saved sources."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        wishes = {"all_apps": all_apps, "unknown": unknown, "share": share}
        desk = AuditRunner(talk, output or [], country, **wishes, as_json=as_json, as_json_lines=as_json_lines)
        desk.validate_options(len(source or ()))
        if source:
            talk.print_message("cli.starting_saved", version=__version__)
            raise typer.Exit(desk.audit_sources(source, signatures or []))
        talk.print_message("cli.starting", version=__version__)
        with talk.connect(transport, serial) as connection:
            knowledge = desk.load_knowledge(signatures or [])
            capture = desk.collect(connection, knowledge, collection_options(no_apks, hash_apks))
        raise typer.Exit(desk.report_capture(capture, knowledge))


def demo(  # noqa: PLR0913 - audit's options
    story: Annotated[str, typer.Argument(metavar="[STORY]", help=help_text("cli.story"))] = "borrower",
    *,
    list_stories: Annotated[bool, typer.Option("--list", help=help_text("cli.list"))] = False,
    output: OutputOption = None,
    as_json: JsonOption = False,
    lang: LanguageOption = None,
    country: CountryOption = None,
    signatures: SignaturesOption = None,
    all_apps: AllAppsOption = False,
    unknown: UnknownOption = False,
    share: ShareOption = False,
    no_apks: NoApksOption = False,
    hash_apks: HashOption = False,
    plain: PlainOption = False,
) -> None:
    """Audit a virtual phone over the real ADB protocol."""
    from privaudit import virtual_phone as virtual

    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        if list_stories:
            names, language = virtual.scenario_names(), talk.language.code
            room = max(map(len, names))
            talk.write_stdout("".join(f"{name:{room}}  {virtual.scenario_title(name, language)}\n" for name in names))
            return
        if story not in virtual.scenario_names():
            raise UsageError("errors.no_story", given=story, known=virtual.scenario_names())
        wishes = {"all_apps": all_apps, "unknown": unknown, "share": share}
        desk = AuditRunner(talk, output or [], country, **wishes, as_json=as_json, as_json_lines=False)
        desk.validate_options(0)
        talk.print_message("cli.starting_demo", version=__version__)
        knowledge = desk.load_knowledge(signatures or [], demo=True)
        with virtual.connect_phone(virtual.load_scenario(story)) as connection:
            capture = desk.collect(connection, knowledge, collection_options(no_apks, hash_apks), demo=True)
        raise typer.Exit(desk.report_capture(capture, knowledge))


def capture(  # noqa: PLR0913 - audit's options
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help=help_text("cli.file"))],
    *,
    resume: Annotated[bool, typer.Option("--resume", help=help_text("cli.resume"))] = False,
    lang: LanguageOption = None,
    serial: SerialOption = None,
    transport: TransportOption = "auto",
    signatures: SignaturesOption = None,
    no_apks: NoApksOption = False,
    hash_apks: HashOption = False,
    plain: PlainOption = False,
) -> None:
    """Take a capture and save it. Its lists decide only of which apps the details are asked."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        from privaudit.cli.capture import CaptureCommand

        keeper = CaptureCommand(talk, file, collection_options(no_apks, hash_apks), resume=resume)
        raise typer.Exit(keeper.run(transport, serial, signatures or []))


def devices(*, as_json: JsonOption = False, lang: LanguageOption = None, plain: PlainOption = False) -> None:
    """List the phones that are connected."""
    talk = CliConsole(lang, plain=plain)
    with talk.handle_errors():
        talk.print_message("cli.looking")
        from privaudit.cli import devices as listing

        raise typer.Exit(listing.print_devices(talk, as_json=as_json))


def schema(*, apk: Annotated[bool, typer.Option("--apk", help=HELP_TRANSLATOR.t("apkcli.schema_apk"))] = False) -> None:
    """Print the schema of the report document, or of the lines on APKs."""
    if apk:
        from privaudit.vetting.json import vetting_schema as document
    else:
        from privaudit.report.json import report_schema as document

    CliConsole(None, plain=True).write_stdout(document())
