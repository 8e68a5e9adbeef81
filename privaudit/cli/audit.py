"""``privaudit audit`` and ``demo``, which are one command on two phones, and ``schema``.

More than 300 lines because the two commands have the same options, and one runner writes all their outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from privaudit import __version__, errors
from privaudit.cli import options
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import ConnectionLost, KnowledgeError, PrivauditError, UsageError

if TYPE_CHECKING:
    from privaudit.audit import CollectionOptions, ReportOptions
    from privaudit.capture.model import Capture
    from privaudit.model import Report
    from privaudit.transport.base import Transport

_EXIT_CODES_BY_PRIORITY: Final = (errors.EXIT_FINDINGS, errors.EXIT_UNREADABLE, errors.EXIT_INCOMPLETE, errors.EXIT_OK)
"""Of several sources the first of these that one of them has: findings outweigh failures, and failures gaps."""


def audit(  # noqa: PLR0913 - one parameter per option
    source: Annotated[list[Path] | None, argument("cli.source", "[SOURCE]...")] = None,
    *,
    output: options.OutputOption = None,
    as_json: options.JsonOption = False,
    as_json_lines: Annotated[bool, option("cli.jsonl", "--jsonl")] = False,
    lang: options.LanguageOption = None,
    country: options.CountryOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    app: options.AppNamesOption = None,
    signatures: options.SignaturesOption = None,
    all_apps: options.AllAppsOption = False,
    unknown: options.UnknownOption = False,
    share: options.ShareOption = False,
    no_apks: options.NoApksOption = False,
    hash_apks: options.HashOption = False,
    details: options.DetailsOption = False,
    plain: options.PlainOption = False,
) -> None:
    """Check a phone or saved sources."""
    output_files, as_json = options.parse_output(output, as_json=as_json)
    with open_console(lang, plain=plain) as console:
        runner = AuditRunner(
            console=console,
            output_files=output_files,
            as_json=as_json,
            as_json_lines=as_json_lines,
            share=share,
            country=options.parse_country(country),
            app_names=tuple(app or ()),
            signatures=tuple(signatures or ()),
            all_apps=all_apps,
            unknown=unknown,
            no_apks=no_apks,
            hash_apks=hash_apks,
            details=details,
        )
        runner.validate_options(len(source or ()))
        if source:
            console.print_message("cli.starting_saved", version=__version__)
            raise typer.Exit(runner.audit_sources(source))
        console.print_message("cli.starting", version=__version__)
        raise typer.Exit(runner.audit_phone(console.connect(transport, serial)))


def demo(  # noqa: PLR0913 - one parameter per option
    story: Annotated[str, argument("cli.story", "[STORY]")] = "borrower",
    *,
    list_stories: Annotated[bool, option("cli.list", "--list")] = False,
    serve: Annotated[bool, option("cli.serve", "--serve")] = False,
    output: options.OutputOption = None,
    as_json: options.JsonOption = False,
    lang: options.LanguageOption = None,
    country: options.CountryOption = None,
    app: options.AppNamesOption = None,
    signatures: options.SignaturesOption = None,
    all_apps: options.AllAppsOption = False,
    unknown: options.UnknownOption = False,
    share: options.ShareOption = False,
    no_apks: options.NoApksOption = False,
    hash_apks: options.HashOption = False,
    details: options.DetailsOption = False,
    plain: options.PlainOption = False,
) -> None:
    """Audit a virtual phone over the real ADB protocol."""
    from privaudit import virtual_phone

    with open_console(lang, plain=plain) as console:
        names = virtual_phone.scenario_names()
        if list_stories:
            columns = max(map(len, names))
            titles = {name: virtual_phone.scenario_title(name, console.language.code) for name in names}
            console.write_lines(f"{name:{columns}}  {title}" for name, title in titles.items())
            return
        if story not in names:
            raise UsageError("errors.no_story", given=story, known=names)
        if serve:
            if output or as_json:
                raise UsageError("errors.serve_report")
            _serve_demo(console, story)
            return
        output_files, as_json = options.parse_output(output, as_json=as_json)
        runner = AuditRunner(
            console=console,
            output_files=output_files,
            as_json=as_json,
            share=share,
            country=options.parse_country(country),
            app_names=tuple(app or ()),
            signatures=tuple(signatures or ()),
            all_apps=all_apps,
            unknown=unknown,
            no_apks=no_apks,
            hash_apks=hash_apks,
            details=details,
        )
        runner.validate_options(0)
        console.print_message("cli.starting_demo", version=__version__)
        connecting = virtual_phone.connect_phone(virtual_phone.load_scenario(story))
        raise typer.Exit(runner.audit_phone(connecting, demo=True))


def _serve_demo(console: CliConsole, scenario: str) -> None:
    """Keep the virtual phone open, and print the commands to practise with as they are typed in a shell."""
    from privaudit import virtual_phone

    def print_commands(transport: str, package: str) -> None:
        ledger = f"demo-{transport.rpartition(':')[2]}.ledger.json"
        commands = ("audit", f"revoke {package} --apply --ledger {ledger}", f"undo {ledger} --apply")
        lines = [f"  privaudit {command} --transport {transport}" for command in commands]
        title, note = console.language.t("cli.serving", transport=transport), console.language.t("cli.serving_end")
        console.write_lines([title, "", *lines, "", note])

    console.print_message("cli.starting_demo", version=__version__)
    virtual_phone.serve_phone(
        virtual_phone.load_scenario(scenario),
        on_ready=print_commands,
        on_page=lambda page: console.print_message("cli.serving_page", page=page),
    )
    console.print_message("cli.serving_ended")


def schema(
    *,
    apk: Annotated[bool, option("apkcli.schema_apk", "--apk")] = False,
    diff: Annotated[bool, option("cli.schema_diff", "--diff")] = False,
) -> None:
    """Print the JSON Schema of the report, of a comparison, or of the lines about APKs."""
    if apk and diff:
        raise typer.BadParameter("--apk, --diff")
    if diff:
        from privaudit.report.diff import diff_schema as json_schema
    elif apk:
        from privaudit.vetting.report import vetting_schema as json_schema
    else:
        from privaudit.report.json import report_schema as json_schema

    CliConsole(None, plain=True).write_json(json_schema())


def collection_options(*, no_apks: bool, hash_apks: bool, app_names: tuple[str, ...] = ()) -> CollectionOptions:
    """Return how much to read from a phone, from the options of a command."""
    from privaudit.audit import CollectionOptions

    return CollectionOptions(read_labels=not no_apks, hash_apks=hash_apks and not no_apks, app_names=app_names)


def report_on_source(
    source: Path, report_options: ReportOptions, signatures: Sequence[Path] = ()
) -> tuple[Report, Capture | None]:
    """Return the report on a saved capture, and the capture; or a saved report, with the rules of a chosen country."""
    from privaudit import audit as pipeline
    from privaudit import knowledge
    from privaudit.capture import read_source
    from privaudit.findings import legal_rules
    from privaudit.report import json

    if not json.is_report_file(source):
        capture = read_source(source)
        lists = knowledge.load_knowledge(extra_lists=signatures, demo=capture.demo, country=report_options.country)
        return pipeline.build_report(capture, lists, report_options), capture
    if report_options.app_names:
        raise UsageError("errors.app_in_report", path=str(source))
    report = json.read_report(source)
    if report_options.country is not None:
        lists = knowledge.load_knowledge(demo=report.demo, country=report_options.country)
        report = legal_rules.apply_country(report, lists, report_options.country)
    return report, None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRunner:
    """Turns phones and saved sources into reports, and writes the reports."""

    console: CliConsole
    output_files: tuple[Path, ...]
    as_json: bool
    as_json_lines: bool = False
    share: bool
    """Write the anonymized report."""
    country: str | None
    app_names: tuple[str, ...]
    """Names of apps that the user asks for."""
    signatures: tuple[Path, ...]
    all_apps: bool
    unknown: bool
    """Name the apps that have access and that no list knows."""
    no_apks: bool
    hash_apks: bool
    details: bool = False
    """Print the whole report, not its first screen and a half."""

    def validate_options(self, source_count: int) -> None:
        """Refuse options that cannot be carried out, before any phone is asked."""
        from privaudit import report

        options.validate_app_names(self.app_names)
        for path in self.output_files:
            report.validate_output(path, tuple(report.FORMATS))
        if source_count > 1 and (self._single_outputs or (self.as_json and not self.as_json_lines)):
            raise UsageError("errors.one_source")

    @property
    def _single_outputs(self) -> tuple[Path, ...]:
        """The files that take one report: all but tables."""
        return tuple(path for path in self.output_files if path.suffix != ".csv")

    def audit_sources(self, sources: list[Path]) -> int:
        """Report on each saved source and return the exit code. An unreadable source does not stop the others."""
        from privaudit.report import csv, json, save_text

        codes = []
        rows: list[tuple[str, Report]] = []
        for number, path in enumerate(sources, 1):
            name = f"#{number}" if self.share else str(path)
            if len(sources) > 1:
                self.console.print_message("cli.now", path=str(path))
            try:
                report, _ = report_on_source(path, self._report_options(), self.signatures)
                report = self._as_handed_on(report)
                rows.append((name, report))
                codes.append(self._write_outputs(report, name))
            except PrivauditError as error:
                if self.as_json_lines:
                    self.console.write_json(json.failure_to_json_line(error, name))
                if len(sources) == 1 or isinstance(error, KnowledgeError):
                    raise
                self.console.print_error(error)
                codes.append(error.exit_code)
        for path in self.output_files if rows else ():
            if path not in self._single_outputs:
                save_text(csv.render_sources(rows, self.console.language), path)
                self.console.print_message("cli.saved", path=str(path))
        return next(code for code in _EXIT_CODES_BY_PRIORITY if code in codes)

    def audit_phone(self, connecting: AbstractContextManager[Transport], *, demo: bool = False) -> int:
        """Take a capture of a phone, report on it, and return the exit code."""
        with connecting as connection:
            from privaudit import audit as pipeline
            from privaudit import knowledge, resume

            lists = knowledge.load_knowledge(extra_lists=self.signatures, demo=demo, country=self.country)
            collection = collection_options(no_apks=self.no_apks, hash_apks=self.hash_apks, app_names=self.app_names)
            capture, phone_facts = self.console.collect(connection, lists, collection, demo=demo)
        report = pipeline.build_report(capture, lists, self._report_options(), phone_facts)
        code = self._write_outputs(self._as_handed_on(report))
        if capture.source.is_live and resume.was_interrupted(capture):
            self.console.print_error(ConnectionLost("errors.cut_audit"))
        return code

    def _report_options(self) -> ReportOptions:
        from privaudit.audit import ReportOptions

        return ReportOptions(
            include_all_apps=self.all_apps,
            include_unrecognised=self.unknown,
            country=self.country,
            app_names=self.app_names,
        )

    def _as_handed_on(self, report: Report) -> Report:
        from privaudit.report import share

        return share.anonymize_report(report) if self.share else report

    def _write_outputs(self, report: Report, source: str | None = None) -> int:
        """Write a report to its files and to standard output, and return the exit code.

        `source` names the file that it is about: tables, which may be about several, are written later. A file that
        cannot be written, perhaps because the disk is full, raises `PrivauditError` after the report was printed.
        """
        from privaudit.model import Verdict
        from privaudit.report import json, terminal, txt, write_report

        paths = self.output_files if source is None else self._single_outputs
        saved, failures = [], []
        for path in paths:
            try:
                write_report(report, path, self.console.language)
                saved.append(path)
            except PrivauditError as error:
                failures.append(error)
        if self.as_json_lines:
            self.console.write_json(json.to_json_line(report, source))
        elif self.as_json:
            self.console.write_json(json.render(report))
        else:
            layout = txt if self.details else terminal
            self.console.write_styled(lambda width: layout.styled_lines(report, self.console.language, width))
        for path in saved:
            self.console.print_message("cli.saved", path=str(path))
        for failure in failures[1:]:
            self.console.print_error(failure)
        if failures:
            raise failures[0]
        if report.verdict is Verdict.FOUND:
            return errors.EXIT_FINDINGS
        if not report.counts.apps_seen:
            return errors.EXIT_UNREADABLE  # every phone has apps
        return errors.EXIT_OK if report.complete else errors.EXIT_INCOMPLETE
