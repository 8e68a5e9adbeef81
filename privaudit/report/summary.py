"""The end of the report, which is what stays on the screen: the result, what to remember, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit.i18n import Translator
from privaudit.model import App, DataClass, LendingVerdict, Message, Phone, Report
from privaudit.report import gaps, legal_rules, matrix
from privaudit.report.view import ReportView
from privaudit.revocation import steps
from privaudit.roms import STOCK_ROM_ID


def summary_sections(view: ReportView) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name of each part, and its sentences."""
    yield "summary", tuple(summary_sentences(view))
    yield (
        "remember",
        (view.t("steps.no_recall"), view.t("report.remember_debt"), view.t("report.not_advice")),
    )
    first = view.t("report.next_connect" if view.report.demo else "report.next_save")
    yield "next", (first, *legal_rules.country_suggestion(view))
    if view.report.source.is_live:  # a phone with USB debugging enabled lies on the table
        yield "leaving", tuple(view.t(f"report.leaving_{number}") for number in range(1, 5))


def summary_sentences(view: ReportView) -> Iterator[str]:
    """The verdict in a few sentences. Never "clean"."""
    counts, missing = view.report.counts, len(gaps.missing_data(view))
    if not counts.apps_seen:
        yield view.t("report.nothing_read")
    elif counts.lending:
        can = counts.lending_can_read
        yield view.t("report.found", n=counts.lending, contacts=can[DataClass.CONTACTS])
        if can[DataClass.SMS] or can[DataClass.CALL_LOG]:
            yield view.t("report.found_other", sms=can[DataClass.SMS], call_log=can[DataClass.CALL_LOG])
        yield from _recognition_counts(view)
        if not view.report.complete:
            yield view.t("report.found_gaps", n=missing)
    elif view.report.complete:
        yield view.t("report.nothing_complete")
    else:
        yield view.t("report.nothing_gaps", n=missing)
    if counts.suspect and not counts.lending:
        yield from gaps.unrecognised_notice(view)


def _recognition_counts(view: ReportView) -> Iterator[str]:
    """How many of them stand where. A count that joins them would say too much of some."""
    grounds: tuple[tuple[str, Callable[[App], bool]], ...] = (
        ("found_listed", lambda app: any(listing.tier in {"A", "B"} for listing in app.listed)),
        ("found_notified", lambda app: any(listing.tier == "N" for listing in app.listed)),
        ("found_own", lambda app: any(listing.tier == "own" for listing in app.listed)),
        ("found_embeds", lambda app: app.lending.verdict is LendingVerdict.EMBEDS),
        ("found_by_name", matrix.is_matched_by_name_only),
        ("found_unsure", matrix.is_matched_by_unconfirmed_list),
    )
    for key, holds in grounds:
        n = len({app.package for app in view.report.apps if holds(app)})
        if n:
            yield view.t(f"report.{key}", n=n)
        if n and key == "found_listed":
            known = view.report.knowledge
            yield gaps.list_size_sentence(view.language, known.signatures, known.rules.country)


def verdict(view: ReportView) -> tuple[str, tuple[str, ...]]:
    """The verdict, and what belongs to it."""
    first, *more = summary_sentences(view)
    return first, tuple(more)


def completeness(view: ReportView) -> str | None:
    """That everything could be read; ``None`` where not, for then the verdict says so itself."""
    return view.t("report.page_all_read") if view.report.complete and not gaps.missing_data(view) else None


def next_steps(view: ReportView) -> Iterator[tuple[str, str]]:
    """Three things to do, in this order: what each is called, and how it is done."""
    names = ["keep", "close", "demand"]
    if not view.report.counts.apps_seen:
        names = ["keep", "again", "help"]
    elif not view.report.findings:
        names = ["keep", "look", "help"]
    elif not any(finding.steps for finding in view.report.findings):
        names = ["keep", "look", "demand"]
    how = {
        "keep": Message(key="steps.evidence"),
        "look": replace(steps.check_other_apps_step(view.report.phone), key="report.act_look_how"),
    }
    for name in names:
        yield view.t(f"report.act_{name}"), view.translate(how.get(name) or Message(key=f"report.act_{name}_how"))


def limits(view: ReportView) -> Iterator[str]:
    """What no check of a phone tells."""
    for name in ("sent", "gone", "much", "harmless", "same"):
        yield view.t(f"report.cannot_{name}")


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
