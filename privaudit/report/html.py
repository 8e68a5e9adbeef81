"""The report as one page, to read on a screen and to print: `page` holds its template and its style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import AccessState, App, Report, Severity
from privaudit.report import app_details, gaps, html_page, legal_rules, matrix, rights, summary
from privaudit.report.timeline import build_timeline
from privaudit.report.view import ReportView
from privaudit.revocation import steps

_STATE_SYMBOLS: Final = {
    AccessState.CAN_READ: "●",
    AccessState.ONLY_WHILE_OPEN: "◐",
    AccessState.ASKS_EACH_TIME: "◐",
    AccessState.UNKNOWN: "?",
}
"""What stands before the words of a state. Closed ones have the empty circle."""


def render(report: Report, language: Translator) -> str:
    """The whole page."""
    voice = ReportView(report, replace(language, isolate_bidi=True))
    number = {package: place for place, package in enumerate(voice.ordered_packages(), 1)}
    shown = [app for package in number for app in voice.installs_of(package)]
    return html_page.render_page(
        "report",
        voice.language,
        {
            "report": report,
            "notices": tuple(summary.notices(voice.language, demo=report.demo)),
            "head": tuple(summary.header_rows(voice)),
            "verdict": summary.verdict(voice),
            "all_read": summary.completeness(voice),
            "acts": tuple(summary.next_steps(voice)),
            "safety": voice.translate(steps.SAFETY_NOTES[0]),
            "stop": tuple(map(voice.translate, steps.SAFETY_NOTES)),
            "counts": matrix.app_counts(voice),
            "columns": tuple(matrix.data_label(voice, data) for data in matrix.WIDE_COLUMNS),
            "rows": tuple(_matrix_row(voice, app, number[app.package]) for app in shown),
            "legend": (*matrix.matrix_legend(voice, matrix.WIDE_COLUMNS), *_wide_column_legend(voice)),
            "timeline": build_timeline(voice),
            "title": voice.app_title,
            "number": number,
            "cards": tuple(_app_card(voice, app, number[app.package]) for app in shown),
            "rules": tuple(legal_rules.rule_explanations(voice)),
            "last": voice.translate(steps.check_other_apps_step(report.phone)),
            "gaps": tuple(gaps.gap_sentences(voice)),
            "cannot": tuple(summary.limits(voice)),
            "rights": rights.country_name(voice),
            "rungs": tuple(rights.escalation_stages(voice)),
            "notes": (*legal_rules.country_suggestion(voice), *rights.rights_notes(voice)),
            "ending": {
                name: sentences
                for name, sentences in summary.summary_sections(voice)
                if name in {"remember", "leaving"}
            },
        },
    )


def _matrix_row(view: ReportView, app: App, number: int) -> dict[str, object]:
    cells = []
    for data in matrix.WIDE_COLUMNS:
        access = matrix.access_to(app, data)
        word, below = matrix.cell_text(view, app, data)
        symbol = "◐" if matrix.has_other_route(access) else _state_symbol(access.state)
        cells.append({"symbol": symbol, "state": access.state, "word": word, "below": below})
    return {
        "number": number,
        "id": _anchor_id(app),
        "title": view.app_title(app),
        "note": matrix.reason_note(view, app),
        "cells": cells,
        "routes": matrix.special_access_routes(view, app),
    }


def _app_card(view: ReportView, app: App, number: int) -> dict[str, object]:
    severity = view.max_severity(app) or Severity.INFO
    return {
        "number": number,
        "id": _anchor_id(app),
        "title": view.app_title(app),
        "grade": severity,
        "grade_word": view.t(f"report.{severity}"),
        "facts": tuple(_app_facts(view, app)),
        "reach": tuple((one, _state_symbol(one.state)) for one in matrix.access_rows(view, app)),
        "sentences": (*app_details.app_sentences(view, app), *legal_rules.rule_sentences(view, app)),
        "ground": app_details.evidence_refs(view, app) if view.findings_of(app) else "",
        "evidence": tuple(app_details.evidence_lines(view, app)),
        "steps": tuple(map(view.translate, view.steps_for(app))),
    }


def _app_facts(view: ReportView, app: App) -> Iterator[tuple[str, str]]:
    yield view.t("report.page_package"), view.t("report.name", name=app.package)
    if app.version_name is not None:
        yield view.t("report.page_version"), view.t("report.name", name=app.version_name)
    if app.first_installed is not None:
        yield view.t("report.page_installed"), view.language.format_date(app.first_installed.isoformat())
    if app.last_updated is not None and app.last_updated != app.first_installed:
        yield view.t("report.page_updated"), view.language.format_date(app.last_updated.isoformat())


def _wide_column_legend(view: ReportView) -> Iterator[tuple[str, str]]:
    if view.report.apps:
        yield view.t("report.other_phone"), view.t("report.legend_phone")
        yield view.t("report.other_routes"), view.t("report.legend_routes")


def _state_symbol(state: AccessState) -> str:
    return _STATE_SYMBOLS.get(state, "○")


def _anchor_id(app: App) -> str:
    """What a link inside the page points to. A saved report comes from anybody: its package may be no package name."""
    return f"app-{app.user}-{re.sub(r'[^A-Za-z0-9_.]', '-', app.package)}"
