"""When each app came, was updated, and last read: the marks of a line, each with its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from privaudit.model import App, DataClass, History, Message, OtherData
from privaudit.report import app_details, head, matrix
from privaudit.report.view import Voice

_LONGEST: Final = timedelta(days=730)
"""What lies further back than this is drawn at the edge: apps that came with a phone are dated 2009."""
_SHORTEST: Final = timedelta(days=7)
_NEAR: Final = 0.06
"""Marks closer than this part of the line would cover each other on a small screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One mark."""

    kind: str
    """``installed``, ``updated``, or the kind of data that was read."""
    at: datetime
    place: float
    """0 at the left edge, 1 at the time of the check."""
    level: int
    """How many marks it must stand above, being too close to them."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The marks of one app of one user, the oldest first."""

    app: App
    events: tuple[Event, ...]

    @property
    def levels(self) -> int:
        """How high the highest mark stands."""
        return max(event.level for event in self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All lanes, and what stands below them."""

    lanes: tuple[Lane, ...]
    scale: tuple[str, ...]
    """Days at the left edge, in the middle, and at the check."""
    notes: tuple[str, ...]


def timeline(voice: Voice) -> Timeline:
    """Of every app with a time that is known."""
    shown = [app for package in voice.packages() for app in voice.copies(package)]
    marks = [(app, tuple(sorted(_marks(voice, app), key=lambda mark: mark[1]))) for app in shown]
    end = _aware(head.moment(voice.report))
    begin = max(min((at for _, own in marks for _, at, _ in own), default=end), end - _LONGEST)
    begin = min(begin, end - _SHORTEST)
    return Timeline(
        lanes=tuple(Lane(app=app, events=tuple(_placed(own, begin, end))) for app, own in marks if own),
        scale=tuple(_day(voice, moment) for moment in (begin, begin + (end - begin) / 2, end)),
        notes=tuple(_notes(voice)),
    )


def _placed(marks: Iterable[tuple[str, datetime, str]], begin: datetime, end: datetime) -> Iterator[Event]:
    last, level = -1.0, 0
    for kind, at, text in marks:
        place = min(max((at - begin) / (end - begin), 0.0), 1.0)
        level = level + 1 if place - last < _NEAR else 0
        last = place
        yield Event(kind=kind, at=at, place=place, level=level, text=text)


def _marks(voice: Voice, app: App) -> Iterator[tuple[str, datetime, str]]:
    installed, updated = app.first_installed, app.last_updated
    if installed is not None:
        yield "installed", _aware(installed), voice.text("report.event_installed", at_at=installed.isoformat())
    if updated is not None and (installed is None or _aware(updated) > _aware(installed)):
        yield "updated", _aware(updated), voice.text("report.event_updated", at_at=updated.isoformat())
    for data in (*DataClass, OtherData.PHONE):
        access = matrix.access_of(app, data)
        if access.history is not History.RECORDED:
            continue
        name = "received" if data is DataClass.SMS and app_details.received_only(app, access) else "read"
        what = Message(key=f"data_access.{data}" if isinstance(data, DataClass) else "report.phone_data")
        if access.last_read is not None:
            at, when = access.last_read, voice.language.date(access.last_read.isoformat())
        else:
            age = access.last_read_age_s or 0
            at = voice.report.taken_at - timedelta(seconds=age)
            when = voice.text("report.event_ago", ago=voice.ago(age))
        yield data.value, _aware(at), voice.text(f"report.event_{name}", when=when, data=what)


def _notes(voice: Voice) -> Iterator[str]:
    told = [access.history for app in voice.report.apps for access in app.access.values()]
    if History.UNKNOWN in told and voice.report.apps:
        yield voice.text("report.timeline_unknown")
    if History.RECORDED in told:
        yield voice.text("report.timeline_last")
    if voice.report.apps:
        yield voice.text("report.timeline_never")


def _day(voice: Voice, moment: datetime) -> str:
    return voice.text("report.scale_day", day_short=moment.date().isoformat())


def _aware(moment: datetime) -> datetime:
    """For the drawing alone: a time whose zone was not read is some hours off at most."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
