"""What a check of a phone showed of one app, as blocks that several papers hold."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from privaudit.documents import DocumentBlock, DocumentTable, Paragraph
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import DataClass
from privaudit.report import matrix, summary
from privaudit.report.view import ReportView

_MAX_LINE_CHARS = 400
"""Characters of a line of the phone, and of a package name (255) with what stands before it."""


def app_rows(view: ReportView, package: str) -> tuple[tuple[str, str | None], ...]:
    """What the app is called; a blank where that was not read."""
    copies = view.installs_of(package)
    labels = dict.fromkeys(sanitize_text(copy.label) for copy in copies if copy.label)
    versions = dict.fromkeys(sanitize_text(copy.version_name) for copy in copies if copy.version_name)
    return (
        (view.t("papers.app"), ", ".join(labels) or None),
        (view.t("papers.package"), sanitize_text(package, _MAX_LINE_CHARS)),
        (view.t("papers.version"), ", ".join(versions) or None),
    )


def audit_rows(
    view: ReportView, header_names: Container[str] = ("checked", "phone", "how", "scope")
) -> tuple[tuple[str, str], ...]:
    """When and how the phone was read, both clocks, by which tool, against which lists."""
    report, stamp = view.report, view.report.knowledge.signatures
    newest = view.language.format_date(stamp.newest) if stamp.newest else view.t("dates.unknown")
    return (
        *((view.t(f"report.{name}"), value) for name, value in summary.header_rows(view) if name in header_names),
        (view.t("papers.computer_time"), f"{report.taken_at.isoformat(sep=' ', timespec='seconds')}"),
        (view.t("papers.tool"), sanitize_text(f"{report.tool.name} {report.tool.version}")),
        (view.t("papers.lists"), f"{newest}; {stamp.packages}; {sanitize_text(stamp.sha256)}"),
    )


def access_blocks(view: ReportView, package: str) -> Iterator[DocumentBlock]:
    """Whether it can read, and whether it has, for every Android user that has it."""
    yield Paragraph(view.t("papers.found", when=dict(summary.header_rows(view))["checked"]))
    rows = []
    for copy in view.installs_of(package):
        cells = (matrix.cell_text(view, copy, data) for data in DataClass)
        rows.append(
            (view.translate(view.user_label(copy.user)), *(view.t("papers.between").join(cell) for cell in cells))
        )
    columns = (view.t("papers.user"), *(view.t(f"report.{data}") for data in DataClass))
    yield DocumentTable(columns, tuple(rows))
    yield Paragraph(view.t("papers.found_limits"))


def evidence_table(view: ReportView, package: str, kept_files: Mapping[str, str] | None = None) -> DocumentTable:
    """Every line on which a finding about it rests, once.

    Args:
        view: the report and the language.
        package: the app.
        kept_files: for each answer the file in which it is kept, where it is kept.
    """
    found: dict[tuple[str, ...], None] = {}
    for copy in view.installs_of(package):
        user = view.translate(view.user_label(copy.user))
        for finding in view.findings_of(copy):
            for one in finding.evidence:
                place = sanitize_text((kept_files or {}).get(one.question, one.question), _MAX_LINE_CHARS)
                found[user, place, str(one.line), sanitize_text(one.text, _MAX_LINE_CHARS)] = None
    columns = tuple(view.t(f"papers.line_{name}") for name in ("user", "question", "number", "text"))
    return DocumentTable(columns, tuple(found))
