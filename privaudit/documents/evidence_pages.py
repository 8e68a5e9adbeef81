"""What lies in a folder of kept material beside the report: the sheet to photograph, the lines, the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from privaudit.documents import (
    Document,
    DocumentBlock,
    FieldList,
    Heading,
    ItemList,
    LargeText,
    Paragraph,
    Title,
    app_blocks,
)
from privaudit.documents.letters import incident_log_table as log_table
from privaudit.i18n import Translator
from privaudit.model import Report
from privaudit.report.view import ReportView

_HASH_GROUP_CHARS, _HASH_LINE_CHARS = 4, 16


def hash_page(report: Report, language: Translator, digest: str, created_at: datetime) -> Document:
    """One page: the hash, large, and what it shows and does not show."""
    title = language.t("papers.sheet_title")
    return Document(title, language.code, (Title(title), *_hash_page_blocks(report, language, digest, created_at)))


def _hash_page_blocks(
    report: Report, language: Translator, digest: str, created_at: datetime
) -> Iterator[DocumentBlock]:
    say = language.t
    if report.demo:
        yield Paragraph(say("report.demo"), strong=True)
    yield Paragraph(say("papers.sheet_intro"))
    yield LargeText(grouped_hash(digest))
    kept = created_at.isoformat(sep=" ", timespec="seconds")
    named = str(len({app.package for app in report.apps}))
    yield FieldList(
        (
            *app_blocks.audit_rows(ReportView(report, language), header_names=("checked", "phone")),
            (say("papers.kept_at"), kept),
            (say("papers.apps_named"), named),
        )
    )
    for part in ("shows", "shows_not", "later"):
        yield Heading(say(f"papers.hash_{part}"))
        yield ItemList(tuple(say(f"papers.hash_{part}_{number}") for number in range(1, 4)))


def grouped_hash(digest: str) -> str:
    """A hash as one reads it aloud: four lines of four groups."""
    return "\n".join(
        " ".join(
            digest[at + group : at + group + _HASH_GROUP_CHARS]
            for group in range(0, _HASH_LINE_CHARS, _HASH_GROUP_CHARS)
        )
        for at in range(0, len(digest), _HASH_LINE_CHARS)
    )


def evidence_lines_page(report: Report, language: Translator, kept_files: Mapping[str, str] | None) -> Document:
    """The lines of the named apps, each with its place in the phone's answers."""
    voice = ReportView(report, language)

    def blocks() -> Iterator[DocumentBlock]:
        if report.demo:
            yield Paragraph(language.t("report.demo"), strong=True)
        yield Paragraph(language.t("papers.lines_intro"))
        yield FieldList(app_blocks.audit_rows(voice))
        for package in voice.ordered_packages():
            yield Heading(language.t("report.name", name=package))
            yield FieldList(app_blocks.app_rows(voice, package))
            yield app_blocks.evidence_table(voice, package, kept_files)

    title = language.t("papers.list_lines")
    return Document(title, language.code, (Title(title), *blocks()))


def incident_log_page(language: Translator) -> Document:
    """The paper log."""
    title = language.t("papers.log_head")
    blocks = (Title(title), Paragraph(language.t("papers.log_intro")), log_table(language))
    return Document(title, language.code, blocks)


def sealed_notice(language: Translator, *, is_whole_capture: bool) -> Document:
    """What lies on top of the part that is for the owner's lawyer first: a `is_whole_capture` phone, or a report."""
    names = ("sealed_1" if is_whole_capture else "sealed_report", "sealed_2", "sealed_3")
    sentences = tuple(language.t(f"papers.{name}") for name in names)
    title = language.t("papers.sealed_title")
    return Document(title, language.code, (Title(title), ItemList(sentences)))
