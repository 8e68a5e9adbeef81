"""The pages of an evidence folder: hash page to photograph, evidence lines, incident log, sealed notice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from privaudit.documents import (
    Document,
    DocumentBlock,
    FieldList,
    Heading,
    LargeText,
    Paragraph,
    app_blocks,
    bullet_list,
    titled_document,
)
from privaudit.documents.letters import incident_log_table
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


def hash_page(report: Report, language: Translator, digest: str, created_at: datetime) -> Document:
    """Return one page with the hash in large characters, what it shows and what it does not show."""
    blocks = _hash_page_blocks(report, language, digest, created_at)
    return titled_document(language.t("papers.sheet_title"), language.code, blocks)


def _hash_page_blocks(
    report: Report, language: Translator, digest: str, created_at: datetime
) -> Iterator[DocumentBlock]:
    if report.demo:
        yield Paragraph(language.t("report.demo"), strong=True)
    yield Paragraph(language.t("papers.sheet_intro"))
    yield LargeText(grouped_hash(digest))
    yield FieldList(
        (
            *app_blocks.audit_rows(ReportView(report, language), header_keys=("report.checked", "report.phone")),
            (language.t("papers.kept_at"), created_at.isoformat(sep=" ", timespec="seconds")),
            (language.t("papers.apps_named"), str(len({app.package for app in report.apps}))),
        )
    )
    for heading, sentences in _HASH_SECTIONS:
        yield Heading(language.t(heading))
        yield bullet_list(map(language.t, sentences))


def grouped_hash(digest: str) -> str:
    """Return a SHA-256 in four lines of four groups, to be read aloud."""
    lines = (digest[start : start + _HASH_LINE_CHARS] for start in range(0, len(digest), _HASH_LINE_CHARS))
    return "\n".join(
        " ".join(line[start : start + _HASH_GROUP_CHARS] for start in range(0, len(line), _HASH_GROUP_CHARS))
        for line in lines
    )


def evidence_lines_page(report: Report, language: Translator, kept_files: Mapping[str, str] | None) -> Document:
    """Return the evidence lines of the named apps, each with its place in the phone's answers.

    Args:
        report: The report.
        language: The language of the page.
        kept_files: See `app_blocks.evidence_table`.
    """
    blocks = _evidence_lines_blocks(ReportView(report, language), kept_files)
    return titled_document(language.t("papers.list_lines"), language.code, blocks)


def _evidence_lines_blocks(view: ReportView, kept_files: Mapping[str, str] | None) -> Iterator[DocumentBlock]:
    if view.report.demo:
        yield Paragraph(view.t("report.demo"), strong=True)
    yield Paragraph(view.t("papers.lines_intro"))
    yield FieldList(app_blocks.audit_rows(view))
    for package in view.ordered_packages():
        yield Heading(view.t("report.name", name=package))
        yield FieldList(app_blocks.app_rows(view, package))
        yield app_blocks.evidence_table(view, package, kept_files)


def incident_log_page(language: Translator) -> Document:
    """Return the log of calls and messages, to be filled in by hand."""
    blocks = (Paragraph(language.t("papers.log_intro")), incident_log_table(language))
    return titled_document(language.t("papers.log_head"), language.code, blocks)


def sealed_notice(language: Translator, *, is_whole_capture: bool) -> Document:
    """Return the notice in the sealed part, which the owner's lawyer opens first.

    Args:
        language: The language of the notice.
        is_whole_capture: Whether the part holds a capture of the whole phone; else it holds a report.
    """
    contents = "papers.sealed_1" if is_whole_capture else "papers.sealed_report"
    sentences = map(language.t, (contents, "papers.sealed_2", "papers.sealed_3"))
    return titled_document(language.t("papers.sealed_title"), language.code, [bullet_list(sentences)])
