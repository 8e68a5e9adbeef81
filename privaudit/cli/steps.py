"""The commands that close doors: `steps`, `open`, `revoke`, `undo`, `diff`. `Hands` does what they say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privaudit import __version__
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
from privaudit.errors import PhoneError, UsageError

if TYPE_CHECKING:
    from privaudit.audit import ReportOptions
    from privaudit.cli.audit import AuditRunner
    from privaudit.model import Phone, Report
    from privaudit.revocation.settings_page import OpenedPage


class PhoneCommand:
    """One run of one of these commands, for one phone."""

    def __init__(
        self,
        console: CliConsole,
        *,
        transport: str = "auto",
        serial: str | None = None,
        signatures: Iterable[Path] = (),
        country: str | None = None,
    ) -> None:
        self.console = console
        self.transport = transport
        self.serial = serial
        self.signatures = list(signatures)
        self.country = country

    def print_steps(self, packages: list[str], source: Path | None, rom: str | None) -> None:
        """Print the taps for `packages`, or for every app that a report on `source` would tell of."""
        self._validate_rom(rom)
        self.console.print_message("cli.starting" if source is None else "cli.starting_saved", version=__version__)
        validate_package_names(packages)
        report = self._build_report(source, packages)
        from privaudit.report import revocation_text

        missing = [name for name in packages if name not in {app.package for app in report.apps}]
        if missing:
            raise UsageError("errors.app_missing", app=missing[0])
        self.console.write_stdout(
            revocation_text.render_steps(_with_rom(report, rom), self.console.language, frozenset(packages))
        )

    def print_usb_steps(self, rom: str | None) -> None:
        """Print how USB debugging is switched on and off, without any phone."""
        from privaudit import roms
        from privaudit.report import revocation_text

        self._validate_rom(rom)
        self.console.write_stdout(revocation_text.usb_debugging_steps(rom or roms.STOCK_ROM_ID, self.console.language))

    @staticmethod
    def _validate_rom(name: str | None) -> None:
        from privaudit import roms

        if name is not None and name not in roms.list_rom_ids():
            raise UsageError("errors.rom_unknown", given=name, known=roms.list_rom_ids())

    def _build_report(self, source: Path | None, packages: list[str]) -> Report:
        from privaudit import audit
        from privaudit.audit import ReportOptions
        from privaudit.cli.audit import AuditRunner

        desk = AuditRunner(
            self.console, [], self.country, all_apps=bool(packages), unknown=True, as_json=False, as_json_lines=False
        )
        desk.validate_options(0)
        wishes = ReportOptions(include_all_apps=bool(packages), include_unrecognised=True, country=desk.country)
        if source is not None:
            return self._report_from_source(source, desk, wishes)
        with self.console.connect(self.transport, self.serial) as connection:
            knowledge = desk.load_knowledge(self.signatures)
            taken, phone_facts = audit.collect_with_facts(
                connection,
                knowledge,
                progress=self.console.round,
                on_apk_progress=self.console.update_progress_bar,
            )
        return audit.build_report(taken, knowledge, wishes, phone_facts)

    def _report_from_source(self, source: Path, audit_runner: AuditRunner, options: ReportOptions) -> Report:
        from privaudit import audit
        from privaudit.capture.sources import read_source
        from privaudit.report import json

        if json.is_report_file(source):
            return json.read_report(source)
        taken = read_source(source)
        return audit.build_report(taken, audit_runner.load_knowledge(self.signatures, demo=taken.demo), options)

    def print_diff(self, before: Path, after: Path, output: list[Path], *, as_json: bool) -> None:
        """Print what changed between two saved reports or checks, and write it to each `output`."""
        self.console.print_message("cli.starting_saved", version=__version__)
        from privaudit import report
        from privaudit.audit import ReportOptions
        from privaudit.cli.audit import AuditRunner
        from privaudit.report import diff_text
        from privaudit.report.diff import compare_reports

        for path in output:
            report.validate_output(path, diff_text.DIFF_SUFFIXES)
        desk = AuditRunner(self.console, [], None, all_apps=False, unknown=False, as_json=as_json, as_json_lines=False)
        found = compare_reports(*(self._report_from_source(path, desk, ReportOptions()) for path in (before, after)))
        for path in output:
            report.save_text(diff_text.render_diff(found, path.suffix, self.console.language), path)
        self.console.write_stdout(
            diff_text.diff_to_json(found) if as_json else diff_text.diff_to_text(found, self.console.language)
        )
        for path in output:
            self.console.print_message("cli.saved", path=str(path))

    def open_settings_page(self, page: str, package: str, user_id: int) -> None:
        """Show `page` of `package` on the phone, and print the way to it by hand."""
        from privaudit import roms

        if page not in roms.list_openable_pages():
            raise UsageError("errors.page_unknown", given=page, known=roms.list_openable_pages())
        self.console.print_message("cli.starting_open", version=__version__)
        validate_package_names([package])
        with self.console.connect(self.transport, self.serial) as connection:
            from privaudit.revocation import settings_page, state

            phone = state.phone_for_app(connection, package, user_id)
            shown = settings_page.open_page(connection, phone, page, package, user_id)
        self._print_opened_page(shown, page, phone, package, user_id)

    def _print_opened_page(self, opened: OpenedPage, page: str, phone: Phone, package: str, user_id: int) -> None:
        from privaudit.revocation import settings_page

        for refusal in opened.errors:
            self.console.print_message("cli.not_opened", said=refusal)
        if opened.page is None:
            raise PhoneError("errors.nothing_opened")
        self.console.print_message("cli.opened" if opened.page == page else "cli.opened_other", page=opened.page)
        if user_id != 0:
            self.console.print_message("cli.opened_copy", user=user_id)
        found = settings_page.find_page(phone, page)
        last = (
            [name for name in found.menu_keys if name != settings_page.APP_PLACEHOLDER][-1]
            if found is not None
            else "settings"
        )
        for tap in (
            *settings_page.taps_to_page(phone, page, package),
            *(settings_page.search_hint(phone, page, last) if found is not None else ()),
        ):
            self.console.write_stdout(f"  {self.console.language.translate(tap)}\n")


def validate_package_names(packages: Iterable[str]) -> None:
    """Refuse what is no package name, before any phone is asked.

    Raises:
        UsageError: it is none.
    """
    from privaudit.capture.questions import is_package_name

    for name in packages:
        if not is_package_name(name):
            raise UsageError("errors.not_a_package", given=name)


def _with_rom(report: Report, rom: str | None) -> Report:
    """`report` with the menus of another ROM: a guess may be wrong, and the person sees the phone."""
    from dataclasses import replace

    from privaudit import roms
    from privaudit.model import Rom

    if rom is None:
        return report
    other = Rom(id=rom, name=roms.load_rom(rom)["name"], version=None)
    return replace(report, phone=replace(report.phone, rom=other))


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
        from privaudit.cli.revoke import UndoCommand

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
        PhoneCommand(talk, signatures=signatures or []).print_diff(before, after, output or [], as_json=as_json)
