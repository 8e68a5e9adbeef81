"""Drafts of letters, filled from a report: a demand to lender or collector, a complaint, a list of what was kept.

No personal data come from the phone: names, numbers and addresses are blanks. No sentence acknowledges a debt or offers
payment. Articles of law come from `privaudit.knowledge.rights` alone, each with its mark where nobody checked it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.documents import Block, Box, Heading, Listing, NewPage, Paper, Paragraph, Rows, Table, Title, app_blocks
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Language
from privaudit.knowledge.rights import Demand, Rights
from privaudit.model import Report
from privaudit.report.rights import called, marked, unreviewed
from privaudit.report.view import Voice

_DEMANDS: Final[tuple[Demand, ...]] = ("stop", "recipients", "delete", "caller", "answer")
"""What is demanded of a lender or collector, in this order."""
_LOG: Final = ("no", "when", "channel", "number", "whom", "words", "file", "witness", "reported")
"""Columns of the paper log."""
_LOG_ROWS: Final = 14


class Kind(StrEnum):
    """What `privaudit letter` writes."""

    DELETION = "deletion"
    COMPLAINT = "complaint"
    EVIDENCE_LIST = "evidence-list"

    @property
    def is_sent(self) -> bool:
        """Whether the other side comes to know of it."""
        return self is not Kind.EVIDENCE_LIST


def draft(report: Report, package: str, kind: Kind, page: Rights) -> Paper:
    """The letter of `kind` about the app `package`, in the language of the country of `page`.

    Raises:
        UsageError: the report has nothing on this app.
        SourceError: the report has no finding at all.
    """
    letter = _Letter(Voice(report, Language(page.country.letter)), package, page)
    blocks = {
        Kind.DELETION: letter.demand,
        Kind.COMPLAINT: letter.complaint,
        Kind.EVIDENCE_LIST: letter.kept,
    }[kind]
    title = letter.voice.text(f"papers.title_{kind.name.lower()}")
    return Paper(title, page.country.letter, tuple(blocks(title)))


def log(language: Language) -> Table:
    """The paper log of calls, to be filled in by hand."""
    return Table(tuple(language.text(f"papers.log_{name}") for name in _LOG), (), _LOG_ROWS)


@dataclass(frozen=True, slots=True)
class _Letter:
    voice: Voice
    package: str
    page: Rights

    def __post_init__(self) -> None:
        report = self.voice.report
        if not report.findings:
            raise SourceError("errors.nothing_to_write_about")
        known = tuple(dict.fromkeys(finding.package for finding in report.findings))
        if self.package not in known:
            raise UsageError("errors.app_not_in_report", app=self.package, known=known)

    def _paper(self, key: str) -> str:
        return self.voice.text(key)

    def _papers(self, *names: str) -> tuple[str, ...]:
        return tuple(map(self._paper, names))

    def _with_articles(self, name: str, demand: Demand) -> str:
        """A sentence, and the articles behind it."""
        language = self.voice.language
        cited = [marked(called(item, language), item, language) for item in self.page.behind(demand)]
        if not cited:
            return self._paper(name)
        between = self._paper("papers.cite_between").join(cited)
        return self._paper(name) + self._paper("papers.cite_open") + between + self._paper("papers.cite_close")

    def demand(self, title: str) -> Iterator[Block]:
        yield from self._before(
            "papers.before_blank",
            "papers.before_verify",
            "papers.before_promise",
            "papers.before_day",
            "papers.before_send",
        )
        yield from self._head(title)
        yield Rows(
            (
                *self._blanks("papers.to", "papers.to_reach", "papers.from", "papers.account", "papers.date"),
                *app_blocks.app(self.voice, self.package),
            )
        )
        yield from app_blocks.access(self.voice, self.package)
        yield Heading(self._paper("papers.demand_head"))
        yield Listing(tuple(self._with_articles(f"papers.demand_{demand}", demand) for demand in _DEMANDS), "number")
        yield Paragraph(self._paper("papers.demand_kept"))
        yield Paragraph(self._paper("papers.no_debt"), strong=True)
        yield Rows(self._blanks("papers.reach", "papers.signature"))

    def complaint(self, title: str) -> Iterator[Block]:
        yield from self._before(
            "papers.before_office",
            "papers.before_blank",
            "papers.before_verify",
            "papers.before_promise",
            "papers.before_copy",
        )
        yield from self._head(title)
        language = self.voice.language
        offices = [marked(called(item, language), item, language) for item in self.page.office if item.letter]
        yield Heading(self._paper("papers.complaint_to"))
        yield Listing((*offices, *self._papers("papers.complaint_other")), "tick")
        yield Rows(
            (
                *self._blanks("papers.from", "papers.reach", "papers.date", "papers.against", "papers.to_reach"),
                *app_blocks.app(self.voice, self.package),
            )
        )
        yield Heading(self._paper("papers.happened"))
        yield Rows(
            self._blanks(
                "papers.happened_first",
                "papers.happened_often",
                "papers.happened_numbers",
                "papers.happened_whom",
                "papers.happened_words",
            )
        )
        yield from app_blocks.access(self.voice, self.package)
        yield Heading(self._paper("papers.asks_head"))
        asks = (
            self._with_articles("papers.asks_look", "complain"),
            *self._papers("papers.asks_stop", "papers.asks_result"),
        )
        yield Listing(asks, "number")
        yield Heading(self._paper("papers.done_head"))
        yield Listing(
            self._papers("papers.done_demand", "papers.done_reply", "papers.done_desk", "papers.done_police"), "tick"
        )
        yield Heading(self._paper("papers.attached_head"))
        yield Listing(self._papers("papers.attached_list", "papers.attached_demand", "papers.attached_report"), "tick")
        yield Paragraph(self._paper("papers.judge"))
        yield Paragraph(self._paper("papers.no_debt"), strong=True)
        yield Rows(self._blanks("papers.signature"))

    def kept(self, title: str) -> Iterator[Block]:
        yield from self._head(title)
        yield Paragraph(self._paper("papers.list_intro"))
        yield Rows((*app_blocks.app(self.voice, self.package), *app_blocks.checked(self.voice)))
        yield from app_blocks.access(self.voice, self.package)
        yield Heading(self._paper("papers.list_lines"))
        yield app_blocks.lines(self.voice, self.package)
        yield Heading(self._paper("papers.list_by_hand"))
        code = self.voice.language.code
        yield Listing(tuple(item.text.text(code) for item in self.page.save), "tick")
        yield NewPage()
        yield Heading(self._paper("papers.log_head"))
        yield Paragraph(self._paper("papers.log_intro"))
        yield log(self.voice.language)

    def _before(self, *names: str) -> Iterator[Block]:
        """What to think of first, on a page that stays at home."""
        said = (*self._papers("papers.notice", *names), self.voice.text("rights.debt"))
        yield Box(self._paper("papers.before"), (*said, *unreviewed(self.voice.language)))
        yield NewPage()

    def _head(self, title: str) -> Iterator[Block]:
        yield Title(title)
        if self.voice.report.demo:
            yield Paragraph(self.voice.text("report.demo"), strong=True)

    def _blanks(self, *names: str) -> tuple[tuple[str, None], ...]:
        return tuple((name, None) for name in self._papers(*names))
