"""What stands above the report: when, which phone, how, and for which of its users."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit.i18n import Translator
from privaudit.model import Message, Phone, Report
from privaudit.report.view import ReportView
from privaudit.roms import STOCK_ROM_ID

_ANDROID_VERSIONS: Final = {
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
_TIME_SOURCE_KEYS: Final = {"folder": "when_file", "bugreport": "when_report", "androidqf": "when_collected"}
"""Whose clock tells when, where the phone's was not compared with this computer's."""
_SHOW_SECONDS_UP_TO_S: Final = 120
"""Up to here a difference between clocks is told in seconds."""


def notices(language: Translator, *, demo: bool) -> Iterator[str]:
    """What must be known before anything is read: that the phone is invented, that nobody checked the translation."""
    if demo:
        yield language.t("report.demo")
    if language.review_notice is not None:
        yield language.translate(language.review_notice)


def header_rows(view: ReportView) -> Iterator[tuple[str, str]]:
    """Name of each row, and what it says."""
    yield "checked", _audit_time_text(view)
    yield "phone", _phone_text(view, view.report.phone)
    yield "how", view.t(f"report.how_{view.report.source.kind}")
    yield "scope", _scope_text(view)


def audit_time(report: Report) -> datetime:
    """When the phone was asked: by its own clock and zone, as far as these were read."""
    clock = report.phone_clock
    if report.shared:
        return report.taken_at  # the beginning of a month, by the phone's clock already
    told = report.taken_at + timedelta(seconds=clock.offset_s or 0)
    zone = _load_time_zone(clock.zone) if clock.offset_s is not None else None
    return told.astimezone(zone) if zone else told


def _audit_time_text(view: ReportView) -> str:
    report, clock = view.report, view.report.phone_clock
    if clock.offset_s is None:
        name = _TIME_SOURCE_KEYS.get(report.source.kind, "when_computer")
        # Without the phone's zone its report cannot be dated: then the file is.
        name = "when_file" if name == "when_report" and clock.zone is None else name
        return view.t(f"report.{name}", at_at=report.taken_at.isoformat())
    told, zone = audit_time(report), _load_time_zone(clock.zone)
    apart = abs(clock.offset_s)
    return view.t(
        "report.when_phone",
        at_at=told.isoformat(),
        zone=(clock.zone if zone else None) or told.tzname() or "UTC",
        apart=Message(key="report.seconds", values={"n": apart})
        if apart <= _SHOW_SECONDS_UP_TO_S
        else view.age_message(apart),
    )


def _phone_text(view: ReportView, phone: Phone) -> str:
    name = " ".join(part for part in (phone.manufacturer, phone.model) if part)
    if phone.sdk_inferred or phone.android is None:
        known = phone.sdk is not None
        version = view.t("report.android_inferred", android=_ANDROID_VERSIONS.get(phone.sdk or 0, f"SDK {phone.sdk}"))
        version = version if known else view.t("report.android_unknown")
    else:
        version = view.t("report.android", android=phone.android)
    rom = f"{phone.rom.name} {phone.rom.version or ''}".strip() if phone.rom.id != STOCK_ROM_ID else ""
    return " · ".join(view.t("report.name", name=part) for part in (name, version, rom) if part)


def _scope_text(view: ReportView) -> str:
    checked = tuple(view.user_label(user.id) for user in view.report.users if user.checked)
    missed = tuple(view.user_label(user.id) for user in view.report.users if not user.checked)
    sentences = [view.t("report.scope_is", users=checked)] if checked else [view.t("report.scope_unknown")]
    if missed:
        sentences.append(view.t("report.scope_not", users=missed))
    return view.t("report.between_sentences").join(sentences)


def _load_time_zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
