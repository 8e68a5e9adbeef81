"""The report as one HTML page, to read on a screen and to print. The template is ``report.html.jinja``.

The page has a timeline: when each app was installed, was updated, and last read data.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import AccessState, App, DataClass, History, Message, OtherDataClass, Report, Severity
from privaudit.report import app_details, gaps, html_page, legal_rules, matrix, rights, summary, taps
from privaudit.report.view import DATA_NAME_KEYS, ReportView
from privaudit.revocation import steps

_STATE_SYMBOLS: Final = {
    AccessState.CAN_READ: "●",
    AccessState.ONLY_WHILE_OPEN: "◐",
    AccessState.ASKS_EACH_TIME: "◐",
    AccessState.UNKNOWN: "?",
}
"""Symbol before the words of a state; states that do not read have a circle."""
_SAID_ELSEWHERE: Final = frozenset({"steps.evidence", "steps.keep_app", "steps.no_recall"})
"""Notes that the three things to do first and the end of the page say."""
_MAX_TIMELINE_SPAN: Final = timedelta(days=730)
"""What is older is drawn at the edge: apps that came with a phone are dated 2009."""
_MIN_TIMELINE_SPAN: Final = timedelta(days=7)
_MIN_MARK_DISTANCE: Final = 0.06
"""Part of the line. Marks that are closer would cover each other on a small screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineMark:
    """One mark of the timeline, with its text."""

    kind: str
    """``installed``, ``updated``, or the kind of data that was read."""
    position: float
    """0 at the left edge, 1 at the time of the audit."""
    level: int
    """How many marks it must stand above because they are too close."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All rows of the timeline, and what stands below them."""

    rows: tuple[tuple[App, tuple[TimelineMark, ...]], ...]
    """Each app of one user with its marks, the oldest first."""
    scale_labels: tuple[str, ...]
    """Days at the left edge, in the middle, and at the audit."""
    notes: tuple[str, ...]


def render(report: Report, language: Translator) -> str:
    """Return the page, ending in a line feed."""
    view = ReportView(report, replace(language, isolate_bidi=True), is_page=True)
    apps = view.ordered_apps()
    context: dict[str, object] = {
        "report": report,
        "notices": tuple(summary.notices(view.language, demo=report.demo)),
        "header": tuple(summary.header_rows(view)),
        "verdict": summary.verdict(view),
        "completeness": summary.completeness(view),
        "next_steps": tuple(summary.next_steps(view)),
        "safety_notes": tuple(view.translate(note) for note in steps.SAFETY_NOTES if note.key not in _SAID_ELSEWHERE),
        "counts": matrix.app_counts(view, "report.page_counts", "report.page_counts_all"),
        "columns": tuple(matrix.data_label(view, data) for data in matrix.WIDE_COLUMNS),
        "rows": tuple(_matrix_row(view, app) for app in apps),
        "legend": tuple(_legend(view)),
        "taps": tuple(_tap_lists(view)),
        "timeline": build_timeline(view),
        "app_title": view.app_title,
        "numbers": view.app_numbers,
        "cards": tuple(_app_card(view, app) for app in apps),
        "rules": tuple(legal_rules.rule_explanations(view)),
        "check_others": view.translate(steps.check_other_apps_step(report.phone)),
        "gaps": tuple(gaps.gap_sentences(view)),
        "limits": summary.limits(view),
        "rights_country": rights.country_name(view),
        "stages": tuple(rights.escalation_stages(view)),
        "rights_notes": tuple(rights.rights_notes(view)),
        "leaving": summary.leaving_steps(view),
        "remember": summary.remember_sentences(view),
    }
    return html_page.render_page("report", view.language, context)


def _tap_lists(view: ReportView) -> Iterator[dict[str, object]]:
    for tap_list in taps.tap_lists(view):
        yield {
            "title": taps.list_title(view, tap_list, view.app_numbers),
            "steps": tuple((number, view.translate(step)) for number, step in steps.number_steps(tap_list.steps)),
            "same": taps.same_for(view, tap_list, view.app_numbers),
        }


def _matrix_row(view: ReportView, app: App) -> dict[str, object]:
    cells = []
    for data in matrix.WIDE_COLUMNS:
        access = matrix.access_to(app, data)
        access_text, detail = matrix.cell_text(view, app, data)
        symbol = "◐" if matrix.has_other_route(access) else _state_symbol(access.state)
        cells.append({"symbol": symbol, "state": access.state, "access_text": access_text, "detail": detail})
    return {
        "number": view.app_numbers[app.package],
        "id": _anchor_id(app),
        "title": view.app_title(app),
        "note": matrix.reason_note(view, app),
        "cells": cells,
        "routes": matrix.special_access_routes(view, app),
    }


def _app_card(view: ReportView, app: App) -> dict[str, object]:
    severity = view.max_severity(app) or Severity.INFO
    return {
        "number": view.app_numbers[app.package],
        "id": _anchor_id(app),
        "title": view.app_title(app),
        "severity": severity,
        "severity_label": view.severity_label(severity),
        "facts": tuple(_app_facts(view, app)),
        "access_rows": tuple((row, _state_symbol(row.state)) for row in matrix.access_rows(view, app)),
        "sentences": tuple(app_details.app_sentences(view, app)),
        "rules": tuple(legal_rules.rule_sentences(view, app)),
        "evidence_refs": app_details.evidence_refs(view, app) if view.findings_of(app) else "",
        "evidence": tuple(app_details.evidence_lines(view, app)),
    }


def _app_facts(view: ReportView, app: App) -> Iterator[tuple[str, str]]:
    yield view.t("report.page_package"), view.t("report.name", name=app.package)
    if app.version_name is not None:
        yield view.t("report.page_version"), view.t("report.name", name=app.version_name)
    if app.first_installed is not None:
        yield view.t("report.page_installed"), view.language.format_date(app.first_installed.isoformat())
    if app.last_updated is not None and app.last_updated != app.first_installed:
        yield view.t("report.page_updated"), view.language.format_date(app.last_updated.isoformat())


def _legend(view: ReportView) -> Iterator[tuple[str, str]]:
    yield from matrix.matrix_legend(view, matrix.WIDE_COLUMNS)
    if view.report.apps:
        yield view.t("report.other_phone"), view.t("report.legend_phone")
        yield view.t("report.other_routes"), view.t("report.legend_routes")


def _state_symbol(state: AccessState) -> str:
    return _STATE_SYMBOLS.get(state, "○")


def _anchor_id(app: App) -> str:
    """Return the target of a link inside the page. A saved report is untrusted: its packages may hold any character."""
    return f"app-{app.user}-{re.sub(r'[^A-Za-z0-9_.]', '-', app.package)}"


def build_timeline(view: ReportView) -> Timeline:
    """Return the timeline of every app with a known time."""
    events_by_app = [(app, sorted(_app_events(view, app), key=lambda event: event[1])) for app in view.ordered_apps()]
    end = _with_time_zone(summary.audit_time(view.report))
    oldest = min((at for _, events in events_by_app for _, at, _ in events), default=end)
    start = min(max(oldest, end - _MAX_TIMELINE_SPAN), end - _MIN_TIMELINE_SPAN)
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
