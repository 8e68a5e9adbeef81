"""What stands above the report: when, which phone, how, and for which of its users."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit.i18n import Language
from privaudit.model import Message, Phone, Report
from privaudit.report.view import Voice
from privaudit.roms import STOCK

_ANDROID: Final = {
    23: "6",
    24: "7",
    25: "7.1",
    26: "8",
    27: "8.1",
    28: "9",
    29: "10",
    30: "11",
    31: "12",
    32: "12L",
    33: "13",
    34: "14",
    35: "15",
    36: "16",
}
"""SDK → what people call it."""
_WHEN: Final = {"folder": "when_file", "bugreport": "when_report", "androidqf": "when_collected"}
"""Whose clock tells when, where the phone's was not compared with this computer's."""
_IN_SECONDS: Final = 120
"""Up to here a difference between clocks is told in seconds."""


def notices(language: Language, *, demo: bool) -> Iterator[str]:
    """What must be known before anything is read: that the phone is invented, that nobody checked the translation."""
    if demo:
        yield language.text("report.demo")
    if language.unreviewed is not None:
        yield language.say(language.unreviewed)


def rows(voice: Voice) -> Iterator[tuple[str, str]]:
    """Name of each row, and what it says."""
    yield "checked", _when(voice)
    yield "phone", _phone(voice, voice.report.phone)
    yield "how", voice.text(f"report.how_{voice.report.source.kind}")
    yield "scope", _scope(voice)


def moment(report: Report) -> datetime:
    """When the phone was asked: by its own clock and zone, as far as these were read."""
    clock = report.phone_clock
    if report.shared:
        return report.taken_at  # the beginning of a month, by the phone's clock already
    told = report.taken_at + timedelta(seconds=clock.offset_s or 0)
    zone = _zone(clock.zone) if clock.offset_s is not None else None
    return told.astimezone(zone) if zone else told


def _when(voice: Voice) -> str:
    report, clock = voice.report, voice.report.phone_clock
    if clock.offset_s is None:
        name = _WHEN.get(report.source.kind, "when_computer")
        # Without the phone's zone its report cannot be dated: then the file is.
        name = "when_file" if name == "when_report" and clock.zone is None else name
        return voice.text(f"report.{name}", at_at=report.taken_at.isoformat())
    told, zone = moment(report), _zone(clock.zone)
    apart = abs(clock.offset_s)
    return voice.text(
        "report.when_phone",
        at_at=told.isoformat(),
        zone=(clock.zone if zone else None) or told.tzname() or "UTC",
        apart=Message(key="report.seconds", values={"n": apart}) if apart <= _IN_SECONDS else voice.ago(apart),
    )


def _phone(voice: Voice, phone: Phone) -> str:
    name = " ".join(part for part in (phone.manufacturer, phone.model) if part)
    if phone.sdk_inferred or phone.android is None:
        known = phone.sdk is not None
        version = voice.text("report.android_inferred", android=_ANDROID.get(phone.sdk or 0, f"SDK {phone.sdk}"))
        version = version if known else voice.text("report.android_unknown")
    else:
        version = voice.text("report.android", android=phone.android)
    rom = f"{phone.rom.name} {phone.rom.version or ''}".strip() if phone.rom.id != STOCK else ""
    return " · ".join(voice.text("report.name", name=part) for part in (name, version, rom) if part)


def _scope(voice: Voice) -> str:
    checked = tuple(voice.user(user.id) for user in voice.report.users if user.checked)
    missed = tuple(voice.user(user.id) for user in voice.report.users if not user.checked)
    sentences = [voice.text("report.scope_is", users=checked)] if checked else [voice.text("report.scope_unknown")]
    if missed:
        sentences.append(voice.text("report.scope_not", users=missed))
    return voice.text("report.between_sentences").join(sentences)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
