"""What lies in a folder of kept material beside the report: the sheet to photograph, the lines, the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from privaudit.documents import Block, Heading, Large, Listing, Paper, Paragraph, Rows, Title, app_blocks
from privaudit.documents.letters import log as log_table
from privaudit.i18n import Language
from privaudit.model import Report
from privaudit.report.view import Voice

_GROUP, _LINE = 4, 16


def photograph(report: Report, language: Language, digest: str, kept_at: datetime) -> Paper:
    """One page: the hash, large, and what it shows and does not show."""
    title = language.text("papers.sheet_title")
    return Paper(title, language.code, (Title(title), *_sheet(report, language, digest, kept_at)))


def _sheet(report: Report, language: Language, digest: str, kept_at: datetime) -> Iterator[Block]:
    say = language.text
    if report.demo:
        yield Paragraph(say("report.demo"), strong=True)
    yield Paragraph(say("papers.sheet_intro"))
    yield Large(in_groups(digest))
    kept = kept_at.isoformat(sep=" ", timespec="seconds")
    named = str(len({app.package for app in report.apps}))
    yield Rows(
        (
            *app_blocks.checked(Voice(report, language), of_phone=("checked", "phone")),
            (say("papers.kept_at"), kept),
            (say("papers.apps_named"), named),
        )
    )
    for part in ("shows", "shows_not", "later"):
        yield Heading(say(f"papers.hash_{part}"))
        yield Listing(tuple(say(f"papers.hash_{part}_{number}") for number in range(1, 4)))


def in_groups(digest: str) -> str:
    """A hash as one reads it aloud: four lines of four groups."""
    return "\n".join(
        " ".join(digest[at + group : at + group + _GROUP] for group in range(0, _LINE, _GROUP))
        for at in range(0, len(digest), _LINE)
    )


def lines(report: Report, language: Language, places: Mapping[str, str] | None) -> Paper:
    """The lines of the named apps, each with its place in the phone's answers."""
    voice = Voice(report, language)

    def blocks() -> Iterator[Block]:
        if report.demo:
            yield Paragraph(language.text("report.demo"), strong=True)
        yield Paragraph(language.text("papers.lines_intro"))
        yield Rows(app_blocks.checked(voice))
        for package in voice.packages():
            yield Heading(language.text("report.name", name=package))
            yield Rows(app_blocks.app(voice, package))
            yield app_blocks.lines(voice, package, places)

    title = language.text("papers.list_lines")
    return Paper(title, language.code, (Title(title), *blocks()))


def log(language: Language) -> Paper:
    """The paper log."""
    title = language.text("papers.log_head")
    blocks = (Title(title), Paragraph(language.text("papers.log_intro")), log_table(language))
    return Paper(title, language.code, blocks)


def sealed(language: Language, *, whole: bool) -> Paper:
    """What lies on top of the part that is for the owner's lawyer first: a `whole` phone, or a report."""
    names = ("sealed_1" if whole else "sealed_report", "sealed_2", "sealed_3")
    sentences = tuple(language.text(f"papers.{name}") for name in names)
    title = language.text("papers.sealed_title")
    return Paper(title, language.code, (Title(title), Listing(sentences)))
