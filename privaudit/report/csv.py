"""The apps as a table for a spreadsheet: one row for each app and user, in the words of the report.

Written for Excel, which most helpers have: UTF-8 with a byte order mark, commas, every cell quoted, CRLF. The first row
has the English headings, which are the keys of the columns in every language; in another language a second row has its
own headings. A table has no place for what could not be checked, so each row has the number of gaps.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from privaudit.i18n import Translator
from privaudit.i18n.catalog import ENGLISH
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import MESSAGE_ROUTES, App, NameMatch, Report, SignatureMatch
from privaudit.report import gaps, matrix, summary
from privaudit.report.view import ReportView

_BYTE_ORDER_MARK: Final = "\ufeff"
_FORMULA_PREFIXES: Final = frozenset("=+-@＝＋－＠")
"""Characters with which a formula begins in a spreadsheet; a formula may send data away.

Some spreadsheets skip tabs and line ends before them, which `sanitize_text` removes."""
_MAX_CELL_CHARS: Final = 240
"""Characters of a cell; a package name has 223 at most."""
_FIRST_COLUMNS: Final[tuple[tuple[str, Callable[[ReportView, App], str]], ...]] = (
    ("report.csv_demo", lambda view, _: view.t("report.csv_yes" if view.report.demo else "report.csv_no")),
    ("report.checked", lambda view, _: _format_time(view, summary.audit_time(view.report))),
    ("report.page_package", lambda _, app: app.package),
    ("report.csv_user", lambda _, app: str(app.user)),
    ("report.csv_label", lambda _, app: app.label or ""),
    ("report.page_version", lambda _, app: app.version_name or ""),
    ("report.csv_first", lambda view, app: view.severity_label(grade) if (grade := view.max_severity(app)) else ""),
    ("report.csv_why", matrix.reason_note),
)
"""Message key of the heading → cell of an app."""
_LAST_COLUMNS: Final[tuple[tuple[str, Callable[[ReportView, App], str]], ...]] = (
    ("report.other_routes", lambda view, app: "; ".join(route for route, _ in matrix.special_access_routes(view, app))),
    ("report.csv_lists", lambda view, app: _list_titles(view, app.listed)),
    ("report.csv_installer", lambda _, app: app.installer or ""),
    ("report.page_installed", lambda view, app: _format_time(view, app.first_installed)),
    ("report.page_updated", lambda view, app: _format_time(view, app.last_updated)),
    ("report.csv_gaps", lambda view, _: str(len(gaps.missing_data(view)))),
    ("report.csv_named", lambda view, app: _list_titles(view, app.named)),
    ("report.csv_newest", lambda view, _: _list_date(view, view.report.knowledge.signatures.newest)),
    ("report.csv_sha256", lambda view, _: view.report.knowledge.signatures.sha256),
    ("report.csv_severity", lambda view, app: view.max_severity(app) or ""),
    (
        "report.csv_sees_messages",
        lambda _, app: " ".join(route for route, kind in MESSAGE_ROUTES.items() if kind in app.special_access_kinds),
    ),
)
"""As the first columns. New columns are added at the end: what reads tables may count columns."""


def render(report: Report, language: Translator) -> str:
    """Return the table, with the byte order mark by which Excel recognises UTF-8."""
    return render_sources([("", report)], language)


def render_sources(reports: Iterable[tuple[str, Report]], language: Translator) -> str:
    """Return one table of several reports, each with the name of its source."""
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for heading_language in dict.fromkeys((Translator(ENGLISH), language)):
        writer.writerow(map(escape_cell, _column_headings(heading_language)))
    for source, report in reports:
        view = ReportView(report, language)
        for app in view.ordered_apps():
            writer.writerow(map(escape_cell, (*_app_row(view, app), source)))
    return _BYTE_ORDER_MARK + output.getvalue()


def escape_cell(text: str) -> str:
    """Return `text` sanitized; if a spreadsheet would take it for a formula, after an apostrophe."""
    sanitized = sanitize_text(text, _MAX_CELL_CHARS)
    return f"'{sanitized}" if len(sanitized) > 1 and sanitized[0] in _FORMULA_PREFIXES else sanitized


def _column_headings(language: Translator) -> Iterator[str]:
    yield from (language.t(key) for key, _ in _FIRST_COLUMNS)
    for data in matrix.WIDE_COLUMNS:
        label = language.t(matrix.DATA_LABEL_KEYS[data])
        yield from (label, language.t("report.csv_record", data=label))
    yield from (language.t(key) for key, _ in _LAST_COLUMNS)
    yield language.t("report.csv_source")


def _app_row(view: ReportView, app: App) -> Iterator[str]:
    yield from (cell(view, app) for _, cell in _FIRST_COLUMNS)
    for data in matrix.WIDE_COLUMNS:
        access = matrix.access_to(app, data)
        access_text, detail = matrix.cell_text(view, app, data)
        yield access_text
        yield _format_time(view, access.last_read) if access.last_read else detail
    yield from (cell(view, app) for _, cell in _LAST_COLUMNS)


def _list_titles(view: ReportView, matches: Iterable[SignatureMatch | NameMatch]) -> str:
    """Return the publisher and date of each list."""
    return "; ".join(f"{match.publisher} {_list_date(view, match.date)}".strip() for match in matches)


def _list_date(view: ReportView, date: str | None) -> str:
    """Return the date of a list; in an anonymized report the month only. Empty if it has none."""
    return (date or "")[: len("2026-01") if view.report.shared else None]


def _format_time(view: ReportView, time: datetime | None) -> str:
    """Return a time that every spreadsheet reads as a date; of an anonymized report the month only. Empty if none."""
    if time is None:
        return ""
    return f"{time:%Y-%m}" if view.report.shared else f"{time:%Y-%m-%d %H:%M}"
