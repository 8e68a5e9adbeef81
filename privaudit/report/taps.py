"""What to tap, alone: for a helper who reads it aloud, one action a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from privaudit import roms
from privaudit.i18n import Language
from privaudit.model import App, Message, Phone, Report, Rom, UserKind
from privaudit.report import head
from privaudit.report.layout import hanging, titled, wrap
from privaudit.report.view import Voice
from privaudit.revocation import card, steps

_WIDTH: Final = 80


def render(report: Report, language: Language, packages: frozenset[str]) -> str:
    """The steps for `packages`, or for every app of the report; ends in a line feed."""
    voice = Voice(report, language)
    return "".join(f"{line}\n" for line in _lines(voice, packages))


def usb(rom: str, language: Language) -> str:
    """How USB debugging is switched on and off on any phone with `rom`, of today's Android."""
    named = Rom(id=rom, name=roms.load(rom)["name"], version=None)
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
        language.text("report.taps_for", rom=phone.rom.name),
        "",
        *_bullets(language, (Message(key="report.taps_bank_first"),)),
        "",
        language.text("report.taps_usb_on"),
        *_numbered(language, card.usb_on(phone)),
        "",
        language.text("report.taps_usb_off"),
        *_numbered(language, card.usb_off(phone)),
    )
    return "".join(f"{line}\n" for line in lines)


def _lines(voice: Voice, packages: frozenset[str]) -> Iterator[str]:
    language, phone = voice.language, voice.report.phone
    kinds = {user.id: user.kind for user in voice.report.users}
    for notice in head.notices(language, demo=voice.report.demo):
        yield from wrap(notice, _WIDTH)
    yield from titled(voice.text("report.taps_for", rom=phone.rom.name), _WIDTH)
    yield ""
    yield from _bullets(language, steps.ALWAYS)
    shown = [app for name in voice.packages() if not packages or name in packages for app in voice.copies(name)]
    for app in shown:
        taps = steps.for_app(app, phone, kinds.get(app.user, UserKind.OTHER))
        if taps or packages:
            yield ""
            yield from titled(voice.title(app), _WIDTH)
            yield from _numbered(language, taps) if taps else wrap(f"  {voice.text('report.steps_none')}", _WIDTH)
    yield ""
    yield from _bullets(language, (steps.last_of_all(phone),))
    if packages:
        yield from _removal(voice, shown)
    yield ""
    yield voice.text("report.taps_usb_off")
    yield from _numbered(language, card.usb_off(phone))


def _removal(voice: Voice, shown: Iterable[App]) -> Iterator[str]:
    for app in shown:
        yield ""
        yield from titled(voice.text("report.taps_uninstall", app=voice.title(app)), _WIDTH)
        yield from _numbered(voice.language, card.uninstall(app, voice.report.phone))


def _bullets(language: Language, said: Iterable[Message]) -> Iterator[str]:
    for message in said:
        yield from hanging("  · ", language.say(message), _WIDTH)


def _numbered(language: Language, said: Iterable[Message]) -> Iterator[str]:
    for place, message in enumerate(said, 1):
        yield from hanging(f"  [ ] {place}. ", language.say(message), _WIDTH)
