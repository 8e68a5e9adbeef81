"""The page that a participant takes home: what was found, what to tap on this very phone, what to do before leaving.

A function of the report. It holds what the report shows of lending and listed apps, and nothing by which the phone or
its owner could be found: no serial number, no name, no other app.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.documents.sheet import Block, Sheet, box, bullets, heading, render, taps, text, ticks
from privaudit.i18n import Language
from privaudit.model import DataClass, Message, Phone, Report
from privaudit.report import gaps, matrix, summary
from privaudit.report.view import Voice
from privaudit.revocation import card, steps

_BETWEEN: Final = " · "


def page(report: Report, code: str, language: Language, *, full_sha256: str | None = None) -> str:
    """The page of the phone with this case code, as HTML.

    Args:
        report: on it.
        code: its case code.
        language: its owner's.
        full_sha256: of the full report, where the owner has it; else there is nothing to compare it with.
    """
    voice = Voice(report, language)
    sheet = Sheet(title=language.text("workshop.handout"), beside=code, blocks=tuple(_blocks(voice, code, full_sha256)))
    return render([sheet], language, demo=report.demo)


def closing(phone: Phone) -> Iterator[Message]:
    """The close-out list of this phone, one action a line."""
    yield Message(key="workshop.unplug")
    for step in card.usb_off(phone):
        yield step
        if step.values.get("word") == _revoke(phone):
            yield Message(key="workshop.wireless_off")
    yield Message(key="workshop.payment_works")


def _blocks(voice: Voice, code: str, full_sha256: str | None) -> Iterator[Block]:
    say, report = voice.text, voice.report
    by_server = report.source.kind == "server"
    if by_server:
        # Its key is the server's, and stays: whoever has this computer could come back.
        yield box(say("workshop.server_key"))
        yield taps(map(voice.say, _to_revoke(report.phone)))
    yield text(say("workshop.handout_phone", phone=_phone(report.phone), code=code, checked_on=_day(report)))
    yield box(*summary.result(voice))
    yield heading(say("workshop.handout_first"))
    yield bullets(map(voice.say, steps.ALWAYS))
    shown = [app for package in voice.packages() for app in voice.copies(package)]
    if shown:
        yield heading(say("workshop.handout_steps", rom=report.phone.rom.name))
    for app in shown:
        yield heading(voice.title(app))
        cells = {data: matrix.cell(voice, app, data)[0] for data in DataClass}
        can = (say("workshop.can", data=Message(key=f"report.{data}"), state=cell) for data, cell in cells.items())
        yield text(_BETWEEN.join(can))
        own = voice.steps(app)
        yield taps(map(voice.say, own)) if own else text(say("report.steps_none"))
    if shown:
        yield ticks([voice.say(steps.last_of_all(report.phone))])
    missing = gaps.missing(voice)
    yield heading(say("workshop.handout_gaps"))
    yield bullets([*missing, say("report.never_uninstalled"), say("report.never_mini"), say("report.never_sent")])
    yield heading(say("workshop.handout_leaving"))
    yield taps(map(voice.say, closing(report.phone)))
    if full_sha256 is not None:
        yield text(say("workshop.handout_hash"))
        yield Block("code", (full_sha256,))
    yield text(say("report.remember_debt"), say("report.not_advice"))


def _to_revoke(phone: Phone) -> Iterator[Message]:
    """The way to revoking the authorisations, which takes the server's key away."""
    for step in card.usb_off(phone):
        yield step
        if step.values.get("word") == _revoke(phone):
            return


def _revoke(phone: Phone) -> Message:
    return Message(key=f"menu.{phone.rom.id}.revoke_usb")


def _phone(phone: Phone) -> str:
    parts = (phone.manufacturer, phone.model, phone.android and f"Android {phone.android}", phone.rom.name)
    return _BETWEEN.join(part for part in parts if part)


def _day(report: Report) -> str:
    return report.taken_at.astimezone().date().isoformat()
