"""Answers to our questions, taken from the parts of a bug report or of a ``dumpsys`` of all services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from privaudit.capture import converters
from privaudit.capture.answers import Answer, detail, missing, receive
from privaudit.capture.bugreport_sections import PROPERTIES, Report, Section
from privaudit.capture.redact import redact
from privaudit.capture.text_folder import LARGEST_FILE
from privaudit.model import AnswerState

_SETTINGS: Final = "settings"
_KEYS: Final[Mapping[str, str]] = {
    PROPERTIES: "properties",
    "appops": "appops",
    "device_policy": "device_policy",
    "package": "packages",
    "role": "roles",
    "user": "users",
}
WANTED: Final = frozenset({*_KEYS, _SETTINGS})
"""Parts of which answers are made."""

_ZONE = re.compile(r"^\[persist\.sys\.timezone\]: \[([A-Za-z0-9_+/-]{1,64})\]$", re.MULTILINE | re.ASCII)
_LONGEST_REPORT: Final = timedelta(hours=1)
"""Making one takes minutes. A dump that says it ended later, or before the head, is not believed."""


def answers(report: Report) -> Iterator[Answer]:
    """What `report` answers. A part that is not there was not asked for."""
    for name, section in report.sections.items():
        if name == _SETTINGS:
            yield from _settings(section)
        elif name in _KEYS:
            yield redact(_answer(_KEYS[name], section))


def _answer(key: str, section: Section) -> Answer:
    if not section.believed:
        return missing(key, AnswerState.UNREADABLE, detail("coverage.framing"))
    answer = receive(key, section.raw, exit_code=None)
    problem = None
    if section.killed:
        answer = replace(answer, state=AnswerState.TIMED_OUT)
        problem = detail("coverage.no_end")
    elif answer.state is AnswerState.ANSWERED and not section.whole:
        answer = replace(answer, state=AnswerState.UNREADABLE)
        problem = detail("coverage.no_end")
    elif section.too_long:
        answer = replace(answer, state=AnswerState.UNREADABLE)
        problem = detail("coverage.too_long", n=LARGEST_FILE >> 20)
    return answer if problem is None else replace(answer, detail=problem)


def _settings(section: Section) -> Iterator[Answer]:
    whole = _answer(f"{_SETTINGS}.0", section)
    by_user = converters.settings(whole.text)
    if by_user is None:
        yield missing(whole.key, AnswerState.UNREADABLE, detail("coverage.framing"))
    elif not by_user:
        if whole.state is AnswerState.ANSWERED:
            whole = replace(whole, state=AnswerState.UNREADABLE, detail=detail("coverage.not_this_dump"))
        yield replace(whole, text="")  # nothing in it is known to be ours to keep
    for user, text in (by_user or {}).items():
        one = replace(whole, key=f"{_SETTINGS}.{user}", text=text, translated_from=converters.FROM_SETTINGS)
        yield redact(one)


def moment(report: Report, properties: Answer) -> datetime | None:
    """When app-ops were dumped, with the phone's zone; else when the report was begun. ``None``: neither is known.

    Both are local times of the phone, so its properties must tell the zone. The ages that app-ops tell are counted
    from the dump.
    """
    zone = _zone(properties)
    appops = report.sections.get("appops")
    begun = _time(report.made_at)
    ended = _time(appops.ended if appops is not None and appops.believed else None)
    if begun is not None and ended is not None and not begun <= ended <= begun + _LONGEST_REPORT:
        ended = None
    said = ended or begun
    return said.replace(tzinfo=zone) if said is not None and zone is not None else None


def clock(when: datetime) -> Answer:
    """The phone's clock as ``date +%s`` would have told it."""
    answer = receive("clock", f"{int(when.astimezone(UTC).timestamp())}\n".encode(), exit_code=None)
    return replace(answer, translated_from="dumpstate")


def _zone(properties: Answer) -> ZoneInfo | None:
    match = _ZONE.search(properties.text)
    try:
        return ZoneInfo(match[1]) if match else None
    except (KeyError, ValueError, OSError):
        return None


def _time(printed: str | None) -> datetime | None:
    try:
        return datetime.strptime(printed, "%Y-%m-%d %H:%M:%S") if printed else None  # noqa: DTZ007 - the zone comes later
    except ValueError:
        return None
