"""When each app was installed, was updated, and last read data: the marks of a line, each with its text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from privaudit.model import App, DataClass, History, Message, OtherDataClass
from privaudit.report import app_details, matrix, summary
from privaudit.report.view import DATA_NAME_KEYS, ReportView

_MAX_SPAN: Final = timedelta(days=730)
"""What is older is drawn at the edge: apps that came with a phone are dated 2009."""
_MIN_SPAN: Final = timedelta(days=7)
_MIN_MARK_DISTANCE: Final = 0.06
"""Part of the line. Marks that are closer would cover each other on a small screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineMark:
    """One mark."""

    kind: str
    """``installed``, ``updated``, or the kind of data that was read."""
    position: float
    """0 at the left edge, 1 at the time of the audit."""
    level: int
    """How many marks it must stand above because they are too close."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All rows, and what stands below them."""

    rows: tuple[tuple[App, tuple[TimelineMark, ...]], ...]
    """Each app of one user with its marks, the oldest first."""
    scale_labels: tuple[str, ...]
    """Days at the left edge, in the middle, and at the audit."""
    notes: tuple[str, ...]


def build_timeline(view: ReportView) -> Timeline:
    """Return the timeline of every app with a known time."""
    events_by_app = [(app, sorted(_app_events(view, app), key=lambda event: event[1])) for app in view.ordered_apps()]
    end = _with_time_zone(summary.audit_time(view.report))
    oldest = min((at for _, events in events_by_app for _, at, _ in events), default=end)
    start = min(max(oldest, end - _MAX_SPAN), end - _MIN_SPAN)
    return Timeline(
        rows=tuple((app, tuple(_place_marks(events, start, end))) for app, events in events_by_app if events),
        scale_labels=tuple(
            view.t("report.scale_day", day_short=moment.date().isoformat())
            for moment in (start, start + (end - start) / 2, end)
        ),
        notes=tuple(_timeline_notes(view)),
    )


def _place_marks(events: Iterable[tuple[str, datetime, str]], start: datetime, end: datetime) -> Iterator[TimelineMark]:
    previous, level = -1.0, 0
    for kind, at, text in events:
        position = min(max((at - start) / (end - start), 0.0), 1.0)
        level = level + 1 if position - previous < _MIN_MARK_DISTANCE else 0
        previous = position
        yield TimelineMark(kind=kind, position=position, level=level, text=text)


def _app_events(view: ReportView, app: App) -> Iterator[tuple[str, datetime, str]]:
    """Yield kind, time and text of each event."""
    installed, updated = app.first_installed, app.last_updated
    if installed is not None:
        yield "installed", _with_time_zone(installed), view.t("report.event_installed", at_at=installed.isoformat())
    if updated is not None and (installed is None or _with_time_zone(updated) > _with_time_zone(installed)):
        yield "updated", _with_time_zone(updated), view.t("report.event_updated", at_at=updated.isoformat())
    for data in (*DataClass, OtherDataClass.PHONE):
        access = matrix.access_to(app, data)
        if access.history is not History.RECORDED:
            continue
        if access.last_read is not None:
            at, time_text = access.last_read, view.language.format_date(access.last_read.isoformat())
        else:
            age_s = access.last_read_age_s or 0
            at = view.report.taken_at - timedelta(seconds=age_s)
            time_text = view.t("report.event_ago", ago=view.age_message(age_s))
        data_name = Message(key=DATA_NAME_KEYS[data] if isinstance(data, DataClass) else "report.phone_data")
        is_received = data is DataClass.SMS and app_details.has_only_received_sms(app, access)
        text_key = "report.event_received" if is_received else "report.event_read"
        yield data.value, _with_time_zone(at), view.t(text_key, when=time_text, data=data_name)


def _timeline_notes(view: ReportView) -> Iterator[str]:
    histories = {access.history for app in view.report.apps for access in app.access.values()}
    if History.UNKNOWN in histories:
        yield view.t("report.timeline_unknown")
    if History.RECORDED in histories:
        yield view.t("report.timeline_last")
    if view.report.apps:
        yield view.t("report.timeline_never")


def _with_time_zone(moment: datetime) -> datetime:
    """Return `moment` in UTC if its zone was not read. For the drawing only: it is a few hours off at most."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
