"""``privaudit audit``, ``demo``, ``capture``, ``devices``, ``schema``. `Desk` and `CaptureCommand` do what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit import __version__
from privaudit.cli.console import CliConsole
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
from privaudit.errors import (
    EXIT_FINDINGS,
    EXIT_INCOMPLETE,
    EXIT_OK,
    EXIT_UNREADABLE,
    ConnectionLost,
    KnowledgeError,
    PrivauditError,
    UsageError,
)

if TYPE_CHECKING:
    from privaudit.audit import CollectionOptions, ReportOptions
    from privaudit.capture.model import Capture
    from privaudit.facts.cache import AppCache
    from privaudit.knowledge import Knowledge
    from privaudit.model import Report
    from privaudit.transport import Transport


LIVE_SOURCES: Final = frozenset({"usb", "tcp", "server", "demo"})
"""Kinds of source that are a phone. What the demo phone gave is of kind "demo" when it is saved, too."""


class AuditRunner:
    """Where captures become reports, and reports go where the user wants them."""

    def __init__(
        self,
        console: CliConsole,
        output: list[str],
        country: str | None,
        *,
        all_apps: bool,
        unknown: bool,
        as_json: bool,
        as_json_lines: bool,
        share: bool = False,
    ) -> None:
        self.console = console
        self.output_files = [Path(name) for name in output if name != "-"]
        self.as_json = as_json or "-" in output
        self.as_json_lines = as_json_lines
        self.country = country.upper() if country else None
        self.all_apps = all_apps
        self.include_unrecognised = unknown
        self.share = share
        self._cache: AppCache | None = None

    def validate_options(self, source_count: int) -> None:
        """Refuse what cannot be done, before a phone is asked anything.

        Raises:
            UsageError: a format that we do not write, a folder that is not there, outputs that exclude each other.
        """
        from privaudit import report

        for path in self.output_files:
            report.validate_output(path, tuple(report.FORMATS))
        if self.country is not None and not re.fullmatch(r"[A-Z]{2}", self.country):
            raise UsageError("errors.country_unknown", given=self.country)
        if source_count > 1 and (self.output_files or (self.as_json and not self.as_json_lines)):
            raise UsageError("errors.one_source")

    @property
    def report_options(self) -> ReportOptions:
        """What the report shall hold."""
        from privaudit.audit import ReportOptions

        return ReportOptions(
            include_all_apps=self.all_apps, include_unrecognised=self.include_unrecognised, country=self.country
        )

    def load_knowledge(self, signatures: list[Path], *, demo: bool = False) -> Knowledge:
        """The lists to judge by."""
        from privaudit import knowledge

        return knowledge.load_knowledge(extra_lists=signatures, demo=demo, country=self.country)

    def audit_sources(self, sources: list[Path], signatures: list[Path]) -> int:
        """Report on each saved source; one that cannot be read hides no other."""
        codes = []
        for path in sources:
            if len(sources) > 1:
                self.console.print_message("cli.now", path=str(path))
            try:
                codes.append(self._audit_source(path, signatures))
            except PrivauditError as error:
                if len(sources) == 1 or isinstance(error, KnowledgeError):
                    raise
                self.console.print_error(error)
                codes.append(error.exit_code)
        # What was found counts before what was not read, and that before gaps.
        return next(code for code in (EXIT_FINDINGS, EXIT_UNREADABLE, EXIT_INCOMPLETE, EXIT_OK) if code in codes)

    def _audit_source(self, path: Path, signatures: list[Path]) -> int:
        from privaudit.capture.sources import read_source
        from privaudit.report import json

        if json.is_report_file(path):
            return self.write_outputs(self._with_country_rules(json.read_report(path)))
        taken = read_source(path)
        return self.report_capture(taken, self.load_knowledge(signatures, demo=taken.demo))

    def _with_country_rules(self, document: Report) -> Report:
        """A saved report; where a country is chosen now, with its rules."""
        if self.country is None:
            return document
        from privaudit.findings import legal_rules

        return legal_rules.apply_country(document, self.load_knowledge([], demo=document.demo), self.country)

    def collect(
        self, transport: Transport, knowledge: Knowledge, options: CollectionOptions, *, demo: bool = False
    ) -> Capture:
        """Take a capture of a phone; `show` need not read again what was read for it."""
        from privaudit import audit as pipeline
        from privaudit.facts.cache import AppCache

        self._cache = AppCache()
        return pipeline.collect(
            transport,
            knowledge,
            demo=demo,
            options=options,
            progress=self.console.round,
            on_apk_progress=self.console.update_progress_bar,
            cache=self._cache,
        )

    def report_capture(self, capture: Capture, knowledge: Knowledge) -> int:
        """Judge a capture and deliver the report."""
        from privaudit import audit as pipeline
        from privaudit import resume

        code = self.write_outputs(pipeline.build_report(capture, knowledge, self.report_options, self._cache))
        if capture.source.kind in LIVE_SOURCES and resume.was_interrupted(capture):
            self.console.print_error(ConnectionLost("errors.cut_audit"))
        return code

    def write_outputs(self, document: Report) -> int:
        """Write the report where it was asked for; the exit code of DESIGN §4."""
        from privaudit import report
        from privaudit.model import Verdict
        from privaudit.report import json, share

        if self.share:
            document = share.anonymize_report(document)
        for path in self.output_files:
            report.write_report(document, path, self.console.language)
        if self.as_json_lines:
            self.console.write_stdout(json.to_json_line(document))
        elif self.as_json:
            self.console.write_stdout(json.render(document))
        else:
            self._print_text(document)
        for path in self.output_files:
            self.console.print_message("cli.saved", path=str(path))
        if document.verdict is Verdict.FOUND:
            return EXIT_FINDINGS
        if not document.counts.apps_seen:
            return EXIT_UNREADABLE  # no phone is without apps
        return EXIT_OK if document.complete else EXIT_INCOMPLETE

    def _print_text(self, document: Report) -> None:
        from privaudit.report import txt

        if not self.console.color_enabled:
            self.console.write_stdout(txt.render(document, self.console.language))
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        for line in txt.styled_lines(document, self.console.language, min(max(console.width, 60), txt.MIN_WIDE_WIDTH)):
            console.print(Text(line.text, style=line.style))


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
    serve: Annotated[bool, typer.Option("--serve", help=help_text("cli.serve"))] = False,
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
        if serve:
            if output or as_json:
                raise UsageError("errors.serve_report")
            _serve_demo(talk, story)
            return
        wishes = {"all_apps": all_apps, "unknown": unknown, "share": share}
        desk = AuditRunner(talk, output or [], country, **wishes, as_json=as_json, as_json_lines=False)
        desk.validate_options(0)
        talk.print_message("cli.starting_demo", version=__version__)
        knowledge = desk.load_knowledge(signatures or [], demo=True)
        with virtual.connect_phone(virtual.load_scenario(story)) as connection:
            capture = desk.collect(connection, knowledge, collection_options(no_apks, hash_apks), demo=True)
        raise typer.Exit(desk.report_capture(capture, knowledge))


def _serve_demo(console: CliConsole, scenario: str) -> None:
    """Keep the virtual phone open and print the commands to practise with, in a shell's words."""
    from privaudit import virtual_phone

    def print_commands(transport: str, package: str) -> None:
        ledger = f"demo-{transport.rpartition(':')[2]}.ledger.json"
        commands = ("audit", f"revoke {package} --apply --ledger {ledger}", f"undo {ledger} --apply")
        lines = "".join(f"  privaudit {command} --transport {transport}\n" for command in commands)
        head, end = console.language.t("cli.serving", transport=transport), console.language.t("cli.serving_end")
        console.write_stdout(f"{head}\n\n{lines}\n{end}\n")

    console.print_message("cli.starting_demo", version=__version__)
    virtual_phone.serve_phone(
        virtual_phone.load_scenario(scenario),
        on_ready=print_commands,
        on_page=lambda page: console.print_message("cli.serving_page", page=page),
    )
    console.print_message("cli.serving_ended")


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
        from privaudit.vetting.report import vetting_schema as document
    else:
        from privaudit.report.json import report_schema as document

    CliConsole(None, plain=True).write_stdout(document())
