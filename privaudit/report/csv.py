"""The apps as a table for a spreadsheet: one row per app and user, in the words of the report.

Written for Excel, which most helpers have: UTF-8 with a byte order mark, commas, every cell quoted, CRLF. Programs read
the JSON document instead. What could not be checked is counted in each row, since a table has no other place for it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from privaudit.i18n import Language, tame
from privaudit.model import App, Report
from privaudit.report import gaps, head, matrix, reach
from privaudit.report.view import Voice

_BYTE_ORDER_MARK: Final = "\ufeff"
_FORMULA: Final = frozenset("=+-@＝＋－＠")
"""With one of these first, a spreadsheet takes text for a formula, which may send data away. `tame` took tabs and line
ends, which some of them pass over."""
_LONGEST: Final = 240
"""Characters of a cell; a package name has 223 at most."""


def render(report: Report, language: Language) -> str:
    """The table, with the mark that tells Excel that it is UTF-8."""
    voice = Voice(report, language)
    lines = io.StringIO()
    table = csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(map(cell, _heads(voice)))
    for package in voice.packages():
        for app in voice.copies(package):
            table.writerow(map(cell, _row(voice, app)))
    return _BYTE_ORDER_MARK + lines.getvalue()


def cell(text: str) -> str:
    """`text` tamed, and made text for every spreadsheet: one that would be a formula begins with an apostrophe."""
    tamed = tame(text, _LONGEST)
    return f"'{tamed}" if len(tamed) > 1 and tamed[0] in _FORMULA else tamed


def _heads(voice: Voice) -> Iterator[str]:
    for name in (
        "csv_demo",
        "checked",
        "page_package",
        "csv_user",
        "csv_label",
        "page_version",
        "csv_first",
        "csv_why",
    ):
        yield voice.text(f"report.{name}")
    for data in reach.COLUMNS:
        yield reach.name(voice, data)
        yield voice.text("report.csv_record", data=reach.name(voice, data))
    for name in ("other_routes", "csv_lists", "csv_installer", "page_installed", "page_updated", "csv_gaps"):
        yield voice.text(f"report.{name}")


def _row(voice: Voice, app: App) -> Iterator[str]:
    severity = voice.severity(app)
    yield voice.text("report.csv_yes" if voice.report.demo else "report.csv_no")
    yield _moment(voice, head.moment(voice.report))
    yield app.package
    yield str(app.user)
    yield app.label or ""
    yield app.version_name or ""
    yield voice.text(f"report.{severity}") if severity else ""
    yield matrix.note(voice, app)
    for data in reach.COLUMNS:
        access = matrix.access_of(app, data)
        can, below = matrix.cell(voice, app, data)
        yield can
        yield _moment(voice, access.last_read) if access.last_read else below
    yield _joined(route for route, _ in reach.other_routes(voice, app))
    dates = len("2026-01") if voice.report.shared else None
    yield _joined(f"{listing.publisher} {(listing.date or '')[:dates]}".strip() for listing in app.listed)
    yield app.installer or ""
    yield _moment(voice, app.first_installed) if app.first_installed else ""
    yield _moment(voice, app.last_updated) if app.last_updated else ""
    yield str(len(gaps.missing(voice)))


def _moment(voice: Voice, moment: datetime) -> str:
    """What every spreadsheet takes for a date; its month where no more may be told."""
    return f"{moment:%Y-%m}" if voice.report.shared else f"{moment:%Y-%m-%d %H:%M}"


def _joined(parts: Iterator[str]) -> str:
    return "; ".join(parts)
