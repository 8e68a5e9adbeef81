"""The pages of an evidence folder: hash page to photograph, evidence lines, incident log, sealed notice."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from privaudit import documents
from privaudit.documents import app_blocks
from privaudit.documents.letters import incident_log_blocks
from privaudit.i18n import Translator
from privaudit.model import Report
from privaudit.report.view import ReportView

_HASH_GROUP_CHARS: Final = 4
_HASH_LINE_CHARS: Final = 16
_HASH_SECTIONS: Final = (
    ("papers.hash_shows", ("papers.hash_shows_1", "papers.hash_shows_2", "papers.hash_shows_3")),
    ("papers.hash_shows_not", ("papers.hash_shows_not_1", "papers.hash_shows_not_2", "papers.hash_shows_not_3")),
    ("papers.hash_later", ("papers.hash_later_1", "papers.hash_later_2", "papers.hash_later_3")),
)
"""Heading and sentences of what the hash shows, what it does not show, and how to check it later."""


def hash_page(report: Report, language: Translator, digest: str, created_at: datetime) -> documents.Document:
    """Return one page with the hash in large characters, what it shows and what it does not show."""
    rows = (
        *app_blocks.audit_rows(ReportView(report, language), header_keys=("report.checked", "report.phone")),
        (language.t("papers.kept_at"), created_at.isoformat(sep=" ", timespec="seconds")),
        (language.t("papers.apps_named"), str(len({app.package for app in report.apps}))),
    )
    hash_text = documents.LargeText(grouped_hash(digest))
    blocks = [*_opening(report, language, "papers.sheet_intro"), hash_text, documents.FieldList(rows)]
    for heading, sentences in _HASH_SECTIONS:
        blocks += (documents.Heading(language.t(heading)), documents.bullet_list(map(language.t, sentences)))
    return documents.titled_document(language.t("papers.sheet_title"), language.code, blocks)


def _opening(report: Report, language: Translator, intro_key: str) -> Iterator[documents.DocumentBlock]:
    if report.demo:
        yield documents.Paragraph(language.t("report.demo"), strong=True)
    yield documents.Paragraph(language.t(intro_key))


def grouped_hash(digest: str) -> str:
    """Return a SHA-256 in four lines of four groups, to be read aloud."""
    lines = (digest[start : start + _HASH_LINE_CHARS] for start in range(0, len(digest), _HASH_LINE_CHARS))
    return "\n".join(
        " ".join(line[start : start + _HASH_GROUP_CHARS] for start in range(0, len(line), _HASH_GROUP_CHARS))
        for line in lines
    )


def evidence_lines_page(
    report: Report, language: Translator, kept_files: Mapping[str, str] | None
) -> documents.Document:
    """Return the evidence lines of the named apps, each with its place (`app_blocks.evidence_table`)."""
    view = ReportView(report, language)
    blocks = [*_opening(report, language, "papers.lines_intro"), documents.FieldList(app_blocks.audit_rows(view))]
    for package in view.ordered_packages():
        blocks += (
            documents.Heading(view.t("report.name", name=package)),
            documents.FieldList(app_blocks.app_rows(view, package)),
            app_blocks.evidence_table(view, package, kept_files),
        )
    return documents.titled_document(language.t("papers.list_lines"), language.code, blocks)


def incident_log_page(language: Translator) -> documents.Document:
    """Return the log of calls and messages, to be filled in by hand."""
    return documents.titled_document(language.t("papers.log_head"), language.code, incident_log_blocks(language))


def sealed_notice(language: Translator, *, is_whole_capture: bool) -> documents.Document:
    """Return the notice in the sealed part (capture or report), which the owner's lawyer opens first."""
    contents = "papers.sealed_1" if is_whole_capture else "papers.sealed_report"
    sentences = documents.bullet_list(map(language.t, (contents, "papers.sealed_2", "papers.sealed_3")))
    return documents.titled_document(language.t("papers.sealed_title"), language.code, [sentences])
