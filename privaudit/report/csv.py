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

from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import App, Report
from privaudit.report import gaps, matrix, summary
from privaudit.report.view import ReportView

_BYTE_ORDER_MARK: Final = "\ufeff"
_FORMULA_PREFIXES: Final = frozenset("=+-@＝＋－＠")
"""With one of these first, a spreadsheet takes text for a formula, which may send data away. `sanitize_text` took tabs and line
ends, which some of them pass over."""
_MAX_CELL_CHARS: Final = 240
"""Characters of a cell; a package name has 223 at most."""


def render(report: Report, language: Translator) -> str:
    """The table, with the mark that tells Excel that it is UTF-8."""
    voice = ReportView(report, language)
    lines = io.StringIO()
    table = csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(map(escape_cell, _column_headings(voice)))
    for package in voice.ordered_packages():
        for app in voice.installs_of(package):
            table.writerow(map(escape_cell, _app_row(voice, app)))
    return _BYTE_ORDER_MARK + lines.getvalue()


def escape_cell(text: str) -> str:
    """`text` tamed, and made text for every spreadsheet: one that would be a formula begins with an apostrophe."""
    tamed = sanitize_text(text, _MAX_CELL_CHARS)
    return f"'{tamed}" if len(tamed) > 1 and tamed[0] in _FORMULA_PREFIXES else tamed


def _column_headings(view: ReportView) -> Iterator[str]:
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
        yield view.t(f"report.{name}")
    for data in matrix.WIDE_COLUMNS:
        yield matrix.data_label(view, data)
        yield view.t("report.csv_record", data=matrix.data_label(view, data))
    for name in ("other_routes", "csv_lists", "csv_installer", "page_installed", "page_updated", "csv_gaps"):
        yield view.t(f"report.{name}")


def _app_row(view: ReportView, app: App) -> Iterator[str]:
    severity = view.max_severity(app)
    yield view.t("report.csv_yes" if view.report.demo else "report.csv_no")
    yield _format_time(view, summary.audit_time(view.report))
    yield app.package
    yield str(app.user)
    yield app.label or ""
    yield app.version_name or ""
    yield view.t(f"report.{severity}") if severity else ""
    yield matrix.reason_note(view, app)
    for data in matrix.WIDE_COLUMNS:
        access = matrix.access_to(app, data)
        can, below = matrix.cell_text(view, app, data)
        yield can
        yield _format_time(view, access.last_read) if access.last_read else below
    yield _join_values(route for route, _ in matrix.special_access_routes(view, app))
    dates = len("2026-01") if view.report.shared else None
    yield _join_values(f"{listing.publisher} {(listing.date or '')[:dates]}".strip() for listing in app.listed)
    yield app.installer or ""
    yield _format_time(view, app.first_installed) if app.first_installed else ""
    yield _format_time(view, app.last_updated) if app.last_updated else ""
    yield str(len(gaps.missing_data(view)))


def _format_time(view: ReportView, time: datetime) -> str:
    """What every spreadsheet takes for a date; its month where no more may be told."""
    return f"{time:%Y-%m}" if view.report.shared else f"{time:%Y-%m-%d %H:%M}"


def _join_values(values: Iterator[str]) -> str:
    return "; ".join(values)
