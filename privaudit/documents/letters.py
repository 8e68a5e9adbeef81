"""Drafts of letters, filled from a report: a demand to lender or collector, a complaint, a list of what was kept.

No personal data come from the phone: names, numbers and addresses are blanks. No sentence acknowledges a debt or offers
payment. Articles of law come from `privaudit.knowledge.rights` alone, each with its mark where nobody checked it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.documents import (
    Document,
    DocumentBlock,
    DocumentTable,
    FieldList,
    Heading,
    ItemList,
    Notice,
    PageBreak,
    Paragraph,
    Title,
    app_blocks,
)
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.knowledge.rights import CountryRights, Demand, in_language
from privaudit.model import Report
from privaudit.report.rights import add_verify_mark, item_title, unreviewed_notice
from privaudit.report.view import ReportView

_DEMANDS: Final[tuple[Demand, ...]] = ("stop", "recipients", "delete", "caller", "answer")
"""What is demanded of a lender or collector, in this order."""
_INCIDENT_LOG_COLUMNS: Final = ("no", "when", "channel", "number", "whom", "words", "file", "witness", "reported")
"""Columns of the paper log."""
_INCIDENT_LOG_ROWS: Final = 14


class LetterKind(StrEnum):
    """What `privaudit letter` writes."""

    DELETION = "deletion"
    COMPLAINT = "complaint"
    EVIDENCE_LIST = "evidence-list"

    @property
    def is_sent(self) -> bool:
        """Whether the other side comes to know of it."""
        return self is not LetterKind.EVIDENCE_LIST


def draft_letter(report: Report, package: str, kind: LetterKind, country_rights: CountryRights) -> Document:
    """The letter of `kind` about the app `package`, in the language of the country of `country_rights`.

    Raises:
        UsageError: the report has nothing on this app.
        SourceError: the report has no finding at all.
    """
    letter = _LetterDraft(ReportView(report, Translator(country_rights.country.letter)), package, country_rights)
    blocks = {
        LetterKind.DELETION: letter.demand_blocks,
        LetterKind.COMPLAINT: letter.complaint_blocks,
        LetterKind.EVIDENCE_LIST: letter.evidence_list_blocks,
    }[kind]
    title = letter.view.t(f"papers.title_{kind.name.lower()}")
    return Document(title, country_rights.country.letter, tuple(blocks(title)))


def incident_log_table(language: Translator) -> DocumentTable:
    """The paper log of calls, to be filled in by hand."""
    return DocumentTable(
        tuple(language.t(f"papers.log_{name}") for name in _INCIDENT_LOG_COLUMNS), (), _INCIDENT_LOG_ROWS
    )


@dataclass(frozen=True, slots=True)
class _LetterDraft:
    view: ReportView
    package: str
    country_rights: CountryRights

    def __post_init__(self) -> None:
        report = self.view.report
        if not report.findings:
            raise SourceError("errors.nothing_to_write_about")
        known = tuple(dict.fromkeys(finding.package for finding in report.findings))
        if self.package not in known:
            raise UsageError("errors.app_not_in_report", app=self.package, known=known)

    def _sentence(self, key: str) -> str:
        return self.view.t(key)

    def _sentences(self, *names: str) -> tuple[str, ...]:
        return tuple(map(self._sentence, names))

    def _with_articles(self, name: str, demand: Demand) -> str:
        """A sentence, and the articles behind it."""
        language = self.view.language
        cited = [
            add_verify_mark(item_title(item, language), item, language)
            for item in self.country_rights.articles_for(demand)
        ]
        if not cited:
            return self._sentence(name)
        between = self._sentence("papers.cite_between").join(cited)
        return self._sentence(name) + self._sentence("papers.cite_open") + between + self._sentence("papers.cite_close")

    def demand_blocks(self, title: str) -> Iterator[DocumentBlock]:
        yield from self._instruction_blocks(
            "papers.before_blank",
            "papers.before_verify",
            "papers.before_promise",
            "papers.before_day",
            "papers.before_send",
        )
        yield from self._title_blocks(title)
        yield FieldList(
            (
                *self._blank_fields("papers.to", "papers.to_reach", "papers.from", "papers.account", "papers.date"),
                *app_blocks.app_rows(self.view, self.package),
            )
        )
        yield from app_blocks.access_blocks(self.view, self.package)
        yield Heading(self._sentence("papers.demand_head"))
        yield ItemList(tuple(self._with_articles(f"papers.demand_{demand}", demand) for demand in _DEMANDS), "number")
        yield Paragraph(self._sentence("papers.demand_kept"))
        yield Paragraph(self._sentence("papers.no_debt"), strong=True)
        yield FieldList(self._blank_fields("papers.reach", "papers.signature"))

    def complaint_blocks(self, title: str) -> Iterator[DocumentBlock]:
        yield from self._instruction_blocks(
            "papers.before_office",
            "papers.before_blank",
            "papers.before_verify",
            "papers.before_promise",
            "papers.before_copy",
        )
        yield from self._title_blocks(title)
        language = self.view.language
        offices = [
            add_verify_mark(item_title(item, language), item, language)
            for item in self.country_rights.office
            if item.letter
        ]
        yield Heading(self._sentence("papers.complaint_to"))
        yield ItemList((*offices, *self._sentences("papers.complaint_other")), "tick")
        yield FieldList(
            (
                *self._blank_fields("papers.from", "papers.reach", "papers.date", "papers.against", "papers.to_reach"),
                *app_blocks.app_rows(self.view, self.package),
            )
        )
        yield Heading(self._sentence("papers.happened"))
        yield FieldList(
            self._blank_fields(
                "papers.happened_first",
                "papers.happened_often",
                "papers.happened_numbers",
                "papers.happened_whom",
                "papers.happened_words",
            )
        )
        yield from app_blocks.access_blocks(self.view, self.package)
        yield Heading(self._sentence("papers.asks_head"))
        asks = (
            self._with_articles("papers.asks_look", "complain"),
            *self._sentences("papers.asks_stop", "papers.asks_result"),
        )
        yield ItemList(asks, "number")
        yield Heading(self._sentence("papers.done_head"))
        yield ItemList(
            self._sentences("papers.done_demand", "papers.done_reply", "papers.done_desk", "papers.done_police"), "tick"
        )
        yield Heading(self._sentence("papers.attached_head"))
        yield ItemList(
            self._sentences("papers.attached_list", "papers.attached_demand", "papers.attached_report"), "tick"
        )
        yield Paragraph(self._sentence("papers.judge"))
        yield Paragraph(self._sentence("papers.no_debt"), strong=True)
        yield FieldList(self._blank_fields("papers.signature"))

    def evidence_list_blocks(self, title: str) -> Iterator[DocumentBlock]:
        yield from self._title_blocks(title)
        yield Paragraph(self._sentence("papers.list_intro"))
        yield FieldList((*app_blocks.app_rows(self.view, self.package), *app_blocks.audit_rows(self.view)))
        yield from app_blocks.access_blocks(self.view, self.package)
        yield Heading(self._sentence("papers.list_lines"))
        yield app_blocks.evidence_table(self.view, self.package)
        yield Heading(self._sentence("papers.list_by_hand"))
        code = self.view.language.code
        yield ItemList(tuple(in_language(item.text, code) for item in self.country_rights.save), "tick")
        yield PageBreak()
        yield Heading(self._sentence("papers.log_head"))
        yield Paragraph(self._sentence("papers.log_intro"))
        yield incident_log_table(self.view.language)

    def _instruction_blocks(self, *names: str) -> Iterator[DocumentBlock]:
        """What to think of first, on a page that stays at home."""
        said = (*self._sentences("papers.notice", *names), self.view.t("rights.debt"))
        yield Notice(self._sentence("papers.before"), (*said, *unreviewed_notice(self.view.language)))
        yield PageBreak()

    def _title_blocks(self, title: str) -> Iterator[DocumentBlock]:
        yield Title(title)
        if self.view.report.demo:
            yield Paragraph(self.view.t("report.demo"), strong=True)

    def _blank_fields(self, *names: str) -> tuple[tuple[str, None], ...]:
        return tuple((name, None) for name in self._sentences(*names))
