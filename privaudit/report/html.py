"""The report as one page, to read on a screen and to print: `page` holds its template and its style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.i18n import Language
from privaudit.model import AccessState, App, Report, Severity
from privaudit.report import app_details, first, gaps, head, html_page, legal_rules, matrix, reach, rights, summary
from privaudit.report.timeline import timeline
from privaudit.report.view import Voice
from privaudit.revocation import steps

_SYMBOLS: Final = {
    AccessState.CAN_READ: "●",
    AccessState.ONLY_WHILE_OPEN: "◐",
    AccessState.ASKS_EACH_TIME: "◐",
    AccessState.UNKNOWN: "?",
}
"""What stands before the words of a state. Closed ones have the empty circle."""


def render(report: Report, language: Language) -> str:
    """The whole page."""
    voice = Voice(report, replace(language, isolate=True))
    number = {package: place for place, package in enumerate(voice.packages(), 1)}
    shown = [app for package in number for app in voice.copies(package)]
    return html_page.render(
        "report",
        voice.language,
        {
            "report": report,
            "notices": tuple(head.notices(voice.language, demo=report.demo)),
            "head": tuple(head.rows(voice)),
            "verdict": first.verdict(voice),
            "all_read": first.whole(voice),
            "acts": tuple(first.acts(voice)),
            "safety": voice.say(steps.ALWAYS[0]),
            "stop": tuple(map(voice.say, steps.ALWAYS)),
            "counts": matrix.counts(voice),
            "columns": tuple(reach.name(voice, data) for data in reach.COLUMNS),
            "rows": tuple(_row(voice, app, number[app.package]) for app in shown),
            "legend": (*matrix.legend(voice, reach.COLUMNS), *_column_legend(voice)),
            "timeline": timeline(voice),
            "title": voice.title,
            "number": number,
            "cards": tuple(_card(voice, app, number[app.package]) for app in shown),
            "rules": tuple(legal_rules.texts(voice)),
            "last": voice.say(steps.last_of_all(report.phone)),
            "gaps": tuple(gaps.sentences(voice)),
            "cannot": tuple(first.cannot(voice)),
            "rights": rights.known(voice).country.name.text(language.code),
            "rungs": tuple(rights.rungs(voice)),
            "notes": (*legal_rules.suggestion(voice), *rights.notes(voice)),
            "ending": {name: sentences for name, sentences in summary.rows(voice) if name in {"remember", "leaving"}},
        },
    )


def _row(voice: Voice, app: App, number: int) -> dict[str, object]:
    cells = []
    for data in reach.COLUMNS:
        access = matrix.access_of(app, data)
        word, below = matrix.cell(voice, app, data)
        symbol = "◐" if matrix.other_way(access) else _symbol(access.state)
        cells.append({"symbol": symbol, "state": access.state, "word": word, "below": below})
    return {
        "number": number,
        "id": _id(app),
        "title": voice.title(app),
        "note": matrix.note(voice, app),
        "cells": cells,
        "routes": reach.other_routes(voice, app),
    }


def _card(voice: Voice, app: App, number: int) -> dict[str, object]:
    severity = voice.severity(app) or Severity.INFO
    return {
        "number": number,
        "id": _id(app),
        "title": voice.title(app),
        "grade": severity,
        "grade_word": voice.text(f"report.{severity}"),
        "facts": tuple(_facts(voice, app)),
        "reach": tuple((one, _symbol(one.state)) for one in reach.of(voice, app)),
        "sentences": (*app_details.sentences(voice, app), *legal_rules.sentences(voice, app)),
        "ground": app_details.ground(voice, app) if voice.findings(app) else "",
        "evidence": tuple(app_details.evidence(voice, app)),
        "steps": tuple(map(voice.say, voice.steps(app))),
    }


def _facts(voice: Voice, app: App) -> Iterator[tuple[str, str]]:
    yield voice.text("report.page_package"), voice.text("report.name", name=app.package)
    if app.version_name is not None:
        yield voice.text("report.page_version"), voice.text("report.name", name=app.version_name)
    if app.first_installed is not None:
        yield voice.text("report.page_installed"), voice.language.date(app.first_installed.isoformat())
    if app.last_updated is not None and app.last_updated != app.first_installed:
        yield voice.text("report.page_updated"), voice.language.date(app.last_updated.isoformat())


def _column_legend(voice: Voice) -> Iterator[tuple[str, str]]:
    if voice.report.apps:
        yield voice.text("report.other_phone"), voice.text("report.legend_phone")
        yield voice.text("report.other_routes"), voice.text("report.legend_routes")


def _symbol(state: AccessState) -> str:
    return _SYMBOLS.get(state, "○")


def _id(app: App) -> str:
    """What a link inside the page points to. A saved report comes from anybody: its package may be no package name."""
    return f"app-{app.user}-{re.sub(r'[^A-Za-z0-9_.]', '-', app.package)}"
