"""When each app came, was updated, and last read: the marks of a line, each with its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from privaudit.model import App, DataClass, History, Message, OtherDataClass
from privaudit.report import app_details, matrix, summary
from privaudit.report.view import ReportView

_MAX_SPAN: Final = timedelta(days=730)
"""What lies further back than this is drawn at the edge: apps that came with a phone are dated 2009."""
_MIN_SPAN: Final = timedelta(days=7)
_MIN_MARK_DISTANCE: Final = 0.06
"""Marks closer than this part of the line would cover each other on a small screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineMark:
    """One mark."""

    kind: str
    """``installed``, ``updated``, or the kind of data that was read."""
    at: datetime
    position: float
    """0 at the left edge, 1 at the time of the check."""
    level: int
    """How many marks it must stand above, being too close to them."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """The marks of one app of one user, the oldest first."""

    app: App
    marks: tuple[TimelineMark, ...]

    @property
    def max_level(self) -> int:
        """How high the highest mark stands."""
        return max(event.level for event in self.marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All lanes, and what stands below them."""

    rows: tuple[TimelineRow, ...]
    scale_labels: tuple[str, ...]
    """Days at the left edge, in the middle, and at the check."""
    notes: tuple[str, ...]


def build_timeline(view: ReportView) -> Timeline:
    """Of every app with a time that is known."""
    shown = [app for package in view.ordered_packages() for app in view.installs_of(package)]
    marks = [(app, tuple(sorted(_app_events(view, app), key=lambda mark: mark[1]))) for app in shown]
    end = _with_time_zone(summary.audit_time(view.report))
    begin = max(min((at for _, own in marks for _, at, _ in own), default=end), end - _MAX_SPAN)
    begin = min(begin, end - _MIN_SPAN)
    return Timeline(
        rows=tuple(TimelineRow(app=app, marks=tuple(_place_marks(own, begin, end))) for app, own in marks if own),
        scale_labels=tuple(_scale_label(view, moment) for moment in (begin, begin + (end - begin) / 2, end)),
        notes=tuple(_timeline_notes(view)),
    )


def _place_marks(marks: Iterable[tuple[str, datetime, str]], begin: datetime, end: datetime) -> Iterator[TimelineMark]:
    last, level = -1.0, 0
    for kind, at, text in marks:
        place = min(max((at - begin) / (end - begin), 0.0), 1.0)
        level = level + 1 if place - last < _MIN_MARK_DISTANCE else 0
        last = place
        yield TimelineMark(kind=kind, at=at, position=place, level=level, text=text)


def _app_events(view: ReportView, app: App) -> Iterator[tuple[str, datetime, str]]:
    installed, updated = app.first_installed, app.last_updated
    if installed is not None:
        yield "installed", _with_time_zone(installed), view.t("report.event_installed", at_at=installed.isoformat())
    if updated is not None and (installed is None or _with_time_zone(updated) > _with_time_zone(installed)):
        yield "updated", _with_time_zone(updated), view.t("report.event_updated", at_at=updated.isoformat())
    for data in (*DataClass, OtherDataClass.PHONE):
        access = matrix.access_to(app, data)
        if access.history is not History.RECORDED:
            continue
        name = "received" if data is DataClass.SMS and app_details.has_only_received_sms(app, access) else "read"
        what = Message(key=f"data_access.{data}" if isinstance(data, DataClass) else "report.phone_data")
        if access.last_read is not None:
            at, when = access.last_read, view.language.format_date(access.last_read.isoformat())
        else:
            age = access.last_read_age_s or 0
            at = view.report.taken_at - timedelta(seconds=age)
            when = view.t("report.event_ago", ago=view.age_message(age))
        yield data.value, _with_time_zone(at), view.t(f"report.event_{name}", when=when, data=what)


def _timeline_notes(view: ReportView) -> Iterator[str]:
    told = [access.history for app in view.report.apps for access in app.access.values()]
    if History.UNKNOWN in told and view.report.apps:
        yield view.t("report.timeline_unknown")
    if History.RECORDED in told:
        yield view.t("report.timeline_last")
    if view.report.apps:
        yield view.t("report.timeline_never")


def _scale_label(view: ReportView, moment: datetime) -> str:
    return view.t("report.scale_day", day_short=moment.date().isoformat())


def _with_time_zone(moment: datetime) -> datetime:
    """For the drawing alone: a time whose zone was not read is some hours off at most."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
