"""What to tap, alone: for a helper who reads it aloud, one action a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from privaudit import roms
from privaudit.i18n import Translator
from privaudit.model import App, Message, Phone, Report, Rom, UserKind
from privaudit.report import head
from privaudit.report.layout import hanging_indent, title_indent, wrap
from privaudit.report.view import ReportView
from privaudit.revocation import card, steps

_LINE_COLUMNS: Final = 80


def render_steps(report: Report, language: Translator, packages: frozenset[str]) -> str:
    """The steps for `packages`, or for every app of the report; ends in a line feed."""
    voice = ReportView(report, language)
    return "".join(f"{line}\n" for line in _step_lines(voice, packages))


def usb_debugging_steps(rom_id: str, language: Translator) -> str:
    """How USB debugging is switched on and off on any phone with `rom_id`, of today's Android."""
    named = Rom(id=rom_id, name=roms.load_rom(rom_id)["name"], version=None)
    phone = Phone(
        manufacturer=None,
        model=None,
        android=None,
        sdk=None,
        sdk_inferred=False,
        security_patch=None,
        rom=named,
        languages=(),
    )
    lines = (
        *head.notices(language, demo=False),
        language.t("report.taps_for", rom=phone.rom.name),
        "",
        *_bullet_lines(language, (Message(key="report.taps_bank_first"),)),
        "",
        language.t("report.taps_usb_on"),
        *_checklist_lines(language, card.enable_usb_debugging_steps(phone)),
        "",
        language.t("report.taps_usb_off"),
        *_checklist_lines(language, card.disable_usb_debugging_steps(phone)),
    )
    return "".join(f"{line}\n" for line in lines)


def _step_lines(view: ReportView, packages: frozenset[str]) -> Iterator[str]:
    language, phone = view.language, view.report.phone
    kinds = {user.id: user.kind for user in view.report.users}
    for notice in head.notices(language, demo=view.report.demo):
        yield from wrap(notice, _LINE_COLUMNS)
    yield from title_indent(view.t("report.taps_for", rom=phone.rom.name), _LINE_COLUMNS)
    yield ""
    yield from _bullet_lines(language, steps.SAFETY_NOTES)
    shown = [
        app for name in view.ordered_packages() if not packages or name in packages for app in view.installs_of(name)
    ]
    for app in shown:
        taps = steps.steps_for_app(app, phone, kinds.get(app.user, UserKind.OTHER))
        if taps or packages:
            yield ""
            yield from title_indent(view.app_title(app), _LINE_COLUMNS)
            yield from (
                _checklist_lines(language, taps) if taps else wrap(f"  {view.t('report.steps_none')}", _LINE_COLUMNS)
            )
    yield ""
    yield from _bullet_lines(language, (steps.check_other_apps_step(phone),))
    if packages:
        yield from _uninstall_lines(view, shown)
    yield ""
    yield view.t("report.taps_usb_off")
    yield from _checklist_lines(language, card.disable_usb_debugging_steps(phone))


def _uninstall_lines(view: ReportView, apps: Iterable[App]) -> Iterator[str]:
    for app in apps:
        yield ""
        yield from title_indent(view.t("report.taps_uninstall", app=view.app_title(app)), _LINE_COLUMNS)
        yield from _checklist_lines(view.language, card.uninstall_steps(app, view.report.phone))


def _bullet_lines(language: Translator, messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield from hanging_indent("  · ", language.translate(message), _LINE_COLUMNS)


def _checklist_lines(language: Translator, messages: Iterable[Message]) -> Iterator[str]:
    for place, message in enumerate(messages, 1):
        yield from hanging_indent(f"  [ ] {place}. ", language.translate(message), _LINE_COLUMNS)
