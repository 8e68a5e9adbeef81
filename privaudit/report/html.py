"""The report as one HTML page, to read on a screen and to print. The template is ``report.html.jinja``."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import AccessState, App, Report, Severity
from privaudit.report import app_details, gaps, html_page, legal_rules, matrix, rights, summary, taps
from privaudit.report.timeline import build_timeline
from privaudit.report.view import ReportView
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
