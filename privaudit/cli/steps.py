"""``privaudit steps`` and ``open``: the taps that close access by hand, printed or on the phone's own settings page."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from privaudit import __version__, roms
from privaudit.cli import options
from privaudit.cli.audit import report_on_source
from privaudit.cli.console import CliConsole, open_console
from privaudit.cli.options import argument, option
from privaudit.errors import PhoneError, UsageError
from privaudit.model import Report, Rom

_PHONE_MISSING: Final = frozenset({"no_phone", "debugging_off"})
"""Errors of a computer to which no phone is connected that could be checked."""


def steps(  # noqa: PLR0913 - one parameter per option
    apps: Annotated[list[str] | None, argument("cli.apps", "[APP]...")] = None,
    *,
    source: Annotated[Path | None, option("cli.from", "--from", metavar="SOURCE")] = None,
    rom: Annotated[str | None, option("cli.rom", "--rom", metavar="BRAND")] = None,
    usb: Annotated[bool, option("cli.usb", "--usb")] = False,
    lang: options.LanguageOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    signatures: options.SignaturesOption = None,
    country: options.CountryOption = None,
    plain: options.PlainOption = False,
) -> None:
    """Print what to tap."""
    with open_console(lang, plain=plain) as console:
        rom = options.parse_rom(rom)
        if usb:
            from privaudit.report import revocation_text

            console.write_stdout(revocation_text.usb_debugging_steps(rom or roms.STOCK_ROM_ID, console.language))
            return
        console.print_message("cli.starting" if source is None else "cli.starting_saved", version=__version__)
        from privaudit.report import json, revocation_text

        names = apps or []
        options.validate_app_names(names)
        phone = options.PhoneOptions(transport=transport, serial=serial, signatures=tuple(signatures or ()))
        try:
            report = _report_for_steps(console, phone, source, names, options.parse_country(country))
        except PhoneError as error:
            if rom is None or names or error.name not in _PHONE_MISSING:
                raise
            from privaudit.documents import render, rights_page

            # Whoever names a brand gets its taps without a phone, too.
            console.write_stdout(render.render_document(rights_page.taps_page(rom, None, console.language), "txt"))
            return
        packages = options.resolve_packages(console, names, report.apps, keep_unknown=True)
        reported = tuple(dict.fromkeys(app.package for app in report.apps))
        for name in packages:
            if name not in reported:
                if source is not None and json.is_report_file(source):
                    raise UsageError("errors.app_not_in_report", app=name, known=reported)
                raise UsageError("errors.app_missing", app=name)
        if rom is not None:  # detection may be wrong, and the user sees the phone
            chosen = Rom(id=rom, name=roms.load_rom(rom)["name"], version=None)
            report = replace(report, phone=replace(report.phone, rom=chosen))
        console.write_stdout(revocation_text.render_steps(report, console.language, frozenset(packages)))


def _report_for_steps(
    console: CliConsole, phone: options.PhoneOptions, source: Path | None, names: list[str], country: str | None
) -> Report:
    """Return the report on a source or on the phone, with every app that steps may be printed for."""
    from privaudit import audit, knowledge

    report_options = audit.ReportOptions(include_all_apps=bool(names), include_unrecognised=True, country=country)
    if source is not None:
        return report_on_source(source, report_options, phone.signatures)[0]
    with console.connect(phone.transport, phone.serial) as connection:
        lists = knowledge.load_knowledge(extra_lists=phone.signatures, country=country)
        collection = audit.CollectionOptions(app_names=tuple(names))
        capture, phone_facts = console.collect(connection, lists, collection)
    return audit.build_report(capture, lists, report_options, phone_facts)


def open_settings(
    page: Annotated[str, argument("cli.page", "PAGE")],
    app: Annotated[str | None, argument("cli.one_app", "[APP]")] = None,
    *,
    user: Annotated[int, option("cli.android_user", "--user", metavar="N")] = 0,
    lang: options.LanguageOption = None,
    serial: options.SerialOption = None,
    transport: options.TransportOption = "auto",
    plain: options.PlainOption = False,
) -> None:
    """Show a settings page on the phone, and print the taps that lead to it."""
    with open_console(lang, plain=plain) as console:
        if page not in roms.list_openable_pages():
            raise UsageError("errors.page_unknown", given=page, known=roms.list_openable_pages())
        if app is None and roms.page_needs_app(page):
            raise UsageError("errors.page_of_app", page=page)
        console.print_message("cli.starting_open", version=__version__)
        options.validate_app_names([app] if app is not None else [])
        with console.connect(transport, serial) as connection:
            from privaudit.i18n.sanitize import display_name
            from privaudit.revocation import settings_page, state, steps

            phone = state.read_phone(connection)
            package, label = None, ""
            if app is not None:
                installed = state.read_installed_apps(connection, user, app)
                (package,) = options.resolve_packages(console, [app], installed)
                label = next(display_name(one.label, package) for one in installed if one.package == package)
            opened = settings_page.open_page(connection, phone, page, package, user)
        for message in opened.errors:
            console.print_message("cli.not_opened", said=message)
        if opened.page is None:
            raise PhoneError("errors.nothing_opened")
        key = "cli.opened" if opened.page == page else "cli.opened_other"
        console.print_message(key, page=settings_page.page_title(phone, opened.page))
        if user != 0:
            console.print_message("cli.opened_copy", user=user)
        taps = [*settings_page.taps_to_page(phone, page, label)]
        menu_path = settings_page.find_page(phone, page)
        if menu_path is not None:
            last_term = [key for key in menu_path.menu_keys if key != settings_page.APP_PLACEHOLDER][-1]
            taps += settings_page.search_hint(phone, page, last_term)
        console.write_lines(f"  {console.language.translate(tap)}" for _, tap in steps.number_steps(taps))
