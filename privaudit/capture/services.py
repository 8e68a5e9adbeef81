"""Answers to our questions, taken from the parts of a bug report or of a ``dumpsys`` of all services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from privaudit.capture import converters
from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.bugreport_sections import PROPERTIES_SECTION, BugreportSections, Section
from privaudit.capture.redact import redact
from privaudit.capture.text_folder import MAX_FILE_BYTES
from privaudit.model import AnswerState

_SETTINGS_SERVICE: Final = "settings"
_KEY_BY_SECTION: Final[Mapping[str, str]] = {
    PROPERTIES_SECTION: "properties",
    "appops": "appops",
    "device_policy": "device_policy",
    "package": "packages",
    "role": "roles",
    "user": "users",
}
WANTED_SECTIONS: Final = frozenset({*_KEY_BY_SECTION, _SETTINGS_SERVICE})
"""Parts of which answers are made."""

_TIMEZONE_PROPERTY = re.compile(r"^\[persist\.sys\.timezone\]: \[([A-Za-z0-9_+/-]{1,64})\]$", re.MULTILINE | re.ASCII)
_MAX_REPORT_DURATION: Final = timedelta(hours=1)
"""Making one takes minutes. A dump that says it ended later, or before the head, is not believed."""


def answers_from_sections(sections: BugreportSections) -> Iterator[Answer]:
    """What `sections` answers. A part that is not there was not asked for."""
    for name, section in sections.sections.items():
        if name == _SETTINGS_SERVICE:
            yield from _settings_answers(section)
        elif name in _KEY_BY_SECTION:
            yield redact(_section_answer(_KEY_BY_SECTION[name], section))


def _section_answer(key: str, section: Section) -> Answer:
    if not section.trusted:
        return missing_answer(key, AnswerState.UNREADABLE, coverage_message("coverage.framing"))
    answer = classify_answer(key, section.raw, exit_code=None)
    problem = None
    if section.timed_out:
        answer = replace(answer, state=AnswerState.TIMED_OUT)
        problem = coverage_message("coverage.no_end")
    elif answer.state is AnswerState.ANSWERED and not section.complete:
        answer = replace(answer, state=AnswerState.UNREADABLE)
        problem = coverage_message("coverage.no_end")
    elif section.too_long:
        answer = replace(answer, state=AnswerState.UNREADABLE)
        problem = coverage_message("coverage.too_long", n=MAX_FILE_BYTES >> 20)
    return answer if problem is None else replace(answer, detail=problem)


def _settings_answers(section: Section) -> Iterator[Answer]:
    whole = _section_answer(f"{_SETTINGS_SERVICE}.0", section)
    by_user = converters.secure_settings_lines(whole.text)
    if by_user is None:
        yield missing_answer(whole.key, AnswerState.UNREADABLE, coverage_message("coverage.framing"))
    elif not by_user:
        if whole.state is AnswerState.ANSWERED:
            whole = replace(whole, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.not_this_dump"))
        yield replace(whole, text="")  # nothing in it is known to be ours to keep
    for user, text in (by_user or {}).items():
        one = replace(whole, key=f"{_SETTINGS_SERVICE}.{user}", text=text, translated_from=converters.SETTINGS_SOURCE)
        yield redact(one)


def dump_time(sections: BugreportSections, properties: Answer) -> datetime | None:
    """When app-ops were dumped, with the phone's zone; else when the report was begun. ``None``: neither is known.

    Both are local times of the phone, so its properties must tell the zone. The ages that app-ops tell are counted
    from the dump.
    """
    zone = _device_time_zone(properties)
    appops = sections.sections.get("appops")
    begun = _parse_local_time(sections.started_at)
    ended = _parse_local_time(appops.ended_at if appops is not None and appops.trusted else None)
    if begun is not None and ended is not None and not begun <= ended <= begun + _MAX_REPORT_DURATION:
        ended = None
    said = ended or begun
    return said.replace(tzinfo=zone) if said is not None and zone is not None else None


def clock_answer(when: datetime) -> Answer:
    """The phone's clock as ``date +%s`` would have told it."""
    answer = classify_answer("clock", f"{int(when.astimezone(UTC).timestamp())}\n".encode(), exit_code=None)
    return replace(answer, translated_from="dumpstate")


def _device_time_zone(properties: Answer) -> ZoneInfo | None:
    match = _TIMEZONE_PROPERTY.search(properties.text)
    try:
        return ZoneInfo(match[1]) if match else None
    except (KeyError, ValueError, OSError):
        return None


def _parse_local_time(printed: str | None) -> datetime | None:
    try:
        return datetime.strptime(printed, "%Y-%m-%d %H:%M:%S") if printed else None  # noqa: DTZ007 - the zone comes later
    except ValueError:
        return None
