"""The beginning and the end of the report: notices and header, the result, what to remember, what to do next."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit.i18n import Translator
from privaudit.model import MESSAGE_ROUTES, App, DataClass, LendingVerdict, Message, Report, SourceKind
from privaudit.report import gaps, legal_rules, matrix
from privaudit.report.view import ReportView
from privaudit.revocation import steps
from privaudit.roms import STOCK_ROM_ID

_SOURCE_KEYS: Final[Mapping[SourceKind, tuple[str, str]]] = {
    "usb": ("report.how_usb", "report.when_computer"),
    "tcp": ("report.how_tcp", "report.when_computer"),
    "server": ("report.how_server", "report.when_computer"),
    "demo": ("report.how_demo", "report.when_computer"),
    "capture": ("report.how_capture", "report.when_computer"),
    "folder": ("report.how_folder", "report.when_file"),
    "bugreport": ("report.how_bugreport", "report.when_report"),
    "androidqf": ("report.how_androidqf", "report.when_collected"),
}
"""How the phone was read, and whose clock dates the audit if the phone's was not compared with this computer's."""
ANDROID_VERSIONS: Final = dict(
    enumerate(("6", "7", "7.1", "8", "8.1", "9", "10", "11", "12", "12L", "13", "14", "15", "16"), start=23)
)
"""SDK level → the version that people know."""
_SHOW_SECONDS_UP_TO_S: Final = 120
"""A difference between clocks up to this is shown in seconds."""
_RECOGNITION_COUNTS: Final[tuple[tuple[str, Callable[[App], bool]], ...]] = (
    ("report.found_listed", lambda app: any(match.tier in {"A", "B"} for match in app.listed)),
    ("report.found_notified", lambda app: any(match.tier == "N" for match in app.listed)),
    ("report.found_own", lambda app: any(match.tier == "own" for match in app.listed)),
    ("report.found_embeds", lambda app: app.lending.verdict is LendingVerdict.EMBEDS),
    ("report.found_by_name", matrix.is_matched_by_name_only),
    ("report.found_unsure", matrix.is_matched_by_unconfirmed_list),
)
"""Sentence → the apps that it counts. One count of all would claim too much of some."""
_SEES_MESSAGES: Final = frozenset({MESSAGE_ROUTES["notifications"], MESSAGE_ROUTES["screen"]})
_GETS_SMS: Final = frozenset({MESSAGE_ROUTES["sms_role"]})


def notices(language: Translator, *, demo: bool) -> Iterator[str]:
    """Yield what must be known before anything is read: the phone is invented, the translation is unreviewed."""
    if demo:
        yield language.t("report.demo")
    if language.review_notice is not None:
        yield language.translate(language.review_notice)


def header_rows(view: ReportView) -> Iterator[tuple[str, str]]:
    """Yield the message key of each row's label, and the value of the row."""
    yield "report.checked", audit_time_text(view)
    yield "report.phone", phone_text(view)
    yield "report.how", view.t(_SOURCE_KEYS[view.report.source.kind][0])
    yield "report.scope", _scope_text(view)


def audit_time(report: Report) -> datetime:
    """Return when the phone was read, by its own clock and zone as far as these are known."""
    clock = report.phone_clock
    if report.shared:
        return report.taken_at  # the beginning of a month, by the phone's clock already
    phone_time = report.taken_at + timedelta(seconds=clock.offset_s or 0)
    zone = _load_time_zone(clock.zone) if clock.offset_s is not None else None
    return phone_time.astimezone(zone) if zone else phone_time


def audit_time_text(view: ReportView) -> str:
    """Return when the phone was read, and by whose clock."""
    report, clock = view.report, view.report.phone_clock
    if clock.offset_s is None:
        _, key = _SOURCE_KEYS[report.source.kind]
        if key == "report.when_report" and clock.zone is None:
            key = "report.when_file"  # without the phone's zone its bug report cannot be dated, only the file
        return view.t(key, at_at=report.taken_at.isoformat())
    phone_time, zone = audit_time(report), _load_time_zone(clock.zone)
    difference_s = abs(clock.offset_s)
    if view.is_brief and difference_s <= _SHOW_SECONDS_UP_TO_S:
        time = phone_time.isoformat()
        return view.t("report.when_plain", at_at=time) if view.is_page else view.language.format_date(time)
    return view.t(
        "report.when_phone",
        at_at=phone_time.isoformat(),
        zone=(clock.zone if zone else None) or phone_time.tzname() or "UTC",
        apart=Message(key="report.seconds", values={"n": difference_s})
        if difference_s <= _SHOW_SECONDS_UP_TO_S
        else view.age_message(difference_s),
    )


def phone_text(view: ReportView) -> str:
    """Return what phone was read: its model, and the versions of its Android and its ROM."""
    phone = view.report.phone
    name = " ".join(part for part in (phone.manufacturer, phone.model) if part)
    if phone.android is not None and not phone.sdk_inferred:
        version = view.t("report.android", android=phone.android)
    elif phone.sdk is not None:
        version = view.t("report.android_inferred", android=ANDROID_VERSIONS.get(phone.sdk, f"SDK {phone.sdk}"))
    else:
        version = view.t("report.android_unknown")
    rom = f"{phone.rom.name} {phone.rom.version or ''}".strip() if phone.rom.id != STOCK_ROM_ID else ""
    return " · ".join(view.t("report.name", name=part) for part in (name, version, rom) if part)


def _scope_text(view: ReportView) -> str:
    checked = tuple(view.user_label(user.id) for user in view.report.users if user.checked)
    sentences = [view.t("report.scope_is", users=checked) if checked else view.t("report.scope_unknown")]
    if unchecked := tuple(view.user_label(user.id) for user in view.report.users if not user.checked):
        sentences.append(view.t("report.scope_not", users=unchecked))
    return view.t("report.between_sentences").join(sentences)


def _load_time_zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def summary_sections(view: ReportView) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the message key of each part's heading, and the sentences of the part."""
    yield "report.summary", tuple(summary_sentences(view))
    yield "report.remember", remember_sentences(view)
    first = view.t("report.next_connect" if view.report.demo else "report.next_save")
    yield "report.next", (first, *legal_rules.country_suggestion(view))
    if leaving := leaving_steps(view):
        yield "report.leaving", leaving


def summary_sentences(view: ReportView) -> Iterator[str]:
    """Yield the verdict in a few sentences. Never "clean"."""
    counts, gap_count = view.report.counts, len(gaps.missing_data(view))
    named_counts = tuple(_named_app_counts(view))
    names_missing = tuple(view.t("report.name_missing", name=query.name) for query in gaps.missing_names(view.report))
    if not counts.apps_seen:
        yield view.t("report.nothing_read")
    elif counts.lending or named_counts:
        if counts.lending:
            yield from _lending_counts(view)
        yield from (*named_counts, *names_missing)
        if not view.report.complete:
            yield view.t("report.found_gaps", n=gap_count)
    else:
        complete = view.report.complete
        yield view.t("report.nothing_complete") if complete else view.t("report.nothing_gaps", n=gap_count)
        yield from names_missing
    if counts.suspect and not counts.lending:
        yield from gaps.unrecognised_notice(view)


def _lending_counts(view: ReportView) -> Iterator[str]:
    """Yield how many lending apps there are, what they can read, and by what they were recognised."""
    counts = view.report.counts
    can_read = counts.lending_can_read
    found = view.t("report.found", n=counts.lending, contacts=can_read[DataClass.CONTACTS])
    # In the same breath: who sees notifications or the screen reads messages without the permission for SMS.
    recognised = [app for app in view.report.apps if app.is_recognised]
    special_access = _special_access_sentences(view, recognised, "report.found_sees", "report.found_sms_role")
    yield view.t("report.between_sentences").join((found, *special_access))
    if can_read[DataClass.SMS] or can_read[DataClass.CALL_LOG]:
        yield view.t("report.found_other", sms=can_read[DataClass.SMS], call_log=can_read[DataClass.CALL_LOG])
    yield from _recognition_counts(view)


def _special_access_sentences(view: ReportView, apps: Sequence[App], sees_key: str, sms_role_key: str) -> Iterator[str]:
    """Yield how many of `apps` see messages without the permission for SMS."""
    for key, routes in ((sees_key, _SEES_MESSAGES), (sms_role_key, _GETS_SMS)):
        if count := len({app.package for app in apps if routes & app.special_access_kinds}):
            yield view.t(key, n=count)


def _named_app_counts(view: ReportView) -> Iterator[str]:
    """Yield how many of the apps that the user named are not recognised, and what they can read."""
    apps = [app for app in view.report.apps if app.named_by_user and not app.is_recognised]
    if apps:
        readers = {
            data.value: len({app.package for app in apps if app.access[data].state.allows_reading})
            for data in DataClass
        }
        named = view.t("report.found_named", n=len({app.package for app in apps}), **readers)
        special_access = _special_access_sentences(view, apps, "report.named_sees", "report.named_sms_role")
        yield view.t("report.between_sentences").join((named, *special_access))


def _recognition_counts(view: ReportView) -> Iterator[str]:
    for key, is_counted in _RECOGNITION_COUNTS:
        if count := len({app.package for app in view.report.apps if is_counted(app)}):
            yield view.t(key, n=count)
        if count and key == "report.found_listed":
            knowledge = view.report.knowledge
            yield gaps.list_size_sentence(view.language, knowledge.signatures, knowledge.rules.country)


def verdict(view: ReportView) -> tuple[str, tuple[str, ...]]:
    """Return the first sentence of the summary, and the others."""
    first, *others = summary_sentences(view)
    return first, tuple(others)


def completeness(view: ReportView) -> str | None:
    """Return that everything could be read; ``None`` if not, for then the verdict says so itself."""
    return view.t("report.page_all_read") if view.report.complete and not gaps.missing_data(view) else None


def remember_sentences(view: ReportView) -> tuple[str, ...]:
    """Return what holds whatever was found."""
    return view.t("steps.no_recall"), view.t("report.remember_debt"), view.t("report.not_advice")


def leaving_steps(view: ReportView) -> tuple[str, ...]:
    """Return what to do before the owner leaves with the phone; empty if no phone was connected."""
    keys = ("report.leaving_1", "report.leaving_2", "report.leaving_3", "report.leaving_4")
    return tuple(map(view.t, keys)) if view.report.source.is_live else ()


def next_steps(view: ReportView) -> Iterator[tuple[str, str]]:
    """Yield three things to do, in this order: what each is called, and how to do it."""
    report = view.report
    yield view.t("report.act_keep"), view.t("steps.evidence")
    if not report.counts.apps_seen:
        yield view.t("report.act_again"), view.t("report.act_again_how")
    elif any(finding.steps for finding in report.findings):
        yield view.t("report.act_close"), view.t("report.act_close_how")
    else:
        look = replace(steps.check_other_apps_step(report.phone), key="report.act_look_how")
        yield view.t("report.act_look"), view.translate(look)
    if report.counts.apps_seen and report.findings:
        yield view.t("report.act_demand"), view.t("report.act_demand_how")
    else:
        yield view.t("report.act_help"), view.t("report.act_help_how")


def limits(view: ReportView) -> tuple[str, ...]:
    """Return what no check of a phone can show."""
    causes = ("report.cannot_sent", "report.cannot_gone", "report.cannot_much")
    return tuple(map(view.t, (*causes, "report.cannot_harmless", "report.cannot_same")))
