"""Blocks about one app that several documents share: its identity, the audit, its access, the evidence lines."""

from collections.abc import Container, Iterator, Mapping
from typing import Final

from privaudit.documents import DocumentBlock, DocumentTable, Paragraph
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import DataClass
from privaudit.report import matrix, summary
from privaudit.report.view import ReportView

_MAX_LINE_CHARS: Final = 400
"""Characters of a line that the phone printed, and of a package name (255 at most) after the name of an answer."""


def app_rows(view: ReportView, package: str) -> tuple[tuple[str, str | None], ...]:
    """Return the app's labels, package name and versions; a blank for what was not read."""
    installs = view.installs_of(package)
    labels = dict.fromkeys(sanitize_text(app.label) for app in installs if app.label)
    versions = dict.fromkeys(sanitize_text(app.version_name) for app in installs if app.version_name)
    return (
        (view.t("papers.app"), ", ".join(labels) or None),
        (view.t("papers.package"), sanitize_text(package, _MAX_LINE_CHARS)),
        (view.t("papers.version"), ", ".join(versions) or None),
    )


def audit_rows(
    view: ReportView, header_keys: Container[str] = ("report.checked", "report.phone", "report.how", "report.scope")
) -> tuple[tuple[str, str], ...]:
    """Return the rows `header_keys` of the report's header, this computer's time, the tool and the lists."""
    report, lists = view.report, view.report.knowledge.signatures
    newest = view.language.format_date(lists.newest) if lists.newest else view.t("dates.unknown")
    return (
        *((view.t(key), value) for key, value in summary.header_rows(view) if key in header_keys),
        (view.t("papers.computer_time"), report.taken_at.isoformat(sep=" ", timespec="seconds")),
        (view.t("papers.tool"), sanitize_text(f"{report.tool.name} {report.tool.version}")),
        (view.t("papers.lists"), f"{newest}; {lists.packages}; {sanitize_text(lists.sha256)}"),
    )


def access_blocks(view: ReportView, package: str) -> Iterator[DocumentBlock]:
    """Yield a table of what the app can read and has read, one row for each Android user that has it."""
    yield Paragraph(view.t("papers.found", when=summary.audit_time_text(view)))
    columns = (view.t("papers.user"), *(matrix.data_label(view, data) for data in DataClass))
    rows = (
        (
            view.translate(view.user_label(app.user)),
            *(view.t("papers.between").join(matrix.cell_text(view, app, data)) for data in DataClass),
        )
        for app in view.installs_of(package)
    )
    yield DocumentTable(columns, tuple(rows))
    yield Paragraph(view.t("papers.found_limits"))


def evidence_table(view: ReportView, package: str, kept_files: Mapping[str, str] | None = None) -> DocumentTable:
    """Return each evidence line of the findings about the app, once; `kept_files`: answer key → its file, if kept."""
    rows: dict[tuple[str, ...], None] = {}
    for app in view.installs_of(package):
        user = view.translate(view.user_label(app.user))
        for finding in view.findings_of(app):
            for line in finding.evidence:
                source = sanitize_text((kept_files or {}).get(line.question, line.question), _MAX_LINE_CHARS)
                rows[user, source, str(line.line), sanitize_text(line.text, _MAX_LINE_CHARS)] = None
    columns = ("papers.line_user", "papers.line_question", "papers.line_number", "papers.line_text")
    return DocumentTable(tuple(map(view.t, columns)), tuple(rows))
