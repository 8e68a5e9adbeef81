"""Drafts of letters, filled from a report: a demand to lender or collector, a complaint, a list of kept evidence.

No personal data come from the phone: names, numbers and addresses are blanks. No sentence acknowledges a debt or offers
payment. Articles of law come from `privaudit.knowledge.rights` alone, each with its mark if nobody has verified it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from privaudit import documents
from privaudit.documents import app_blocks
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.knowledge.rights import CountryRights, Demand, RightsItem, in_language
from privaudit.model import Report
from privaudit.report import matrix
from privaudit.report.rights import add_verify_mark, item_title, unreviewed_notice
from privaudit.report.view import ReportView

_DEMAND_KEYS: Final[Mapping[Demand, str]] = {
    "stop": "papers.demand_stop",
    "recipients": "papers.demand_recipients",
    "delete": "papers.demand_delete",
    "caller": "papers.demand_caller",
    "answer": "papers.demand_answer",
}
"""What is demanded of a lender or collector, in this order."""
_BEFORE_KEYS: Final = ("papers.before_blank", "papers.before_verify", "papers.before_promise")
"""What to do before a letter is sent, to whomever."""
_INCIDENT_LOG_COLUMNS: Final = (
    "papers.log_no",
    "papers.log_when",
    "papers.log_channel",
    "papers.log_number",
    "papers.log_whom",
    "papers.log_words",
    "papers.log_file",
    "papers.log_witness",
    "papers.log_reported",
)
_INCIDENT_LOG_ROWS: Final = 14
"""Rows that fit on one page in landscape format."""


class LetterKind(StrEnum):
    """The letters that ``privaudit letter`` writes."""

    DELETION = "deletion"
    COMPLAINT = "complaint"
    EVIDENCE_LIST = "evidence-list"

    @property
    def is_sent(self) -> bool:
        """Whether the letter is sent, so that lender or collector learn of it."""
        return self is not LetterKind.EVIDENCE_LIST


def draft_letter(report: Report, package: str, kind: LetterKind, country_rights: CountryRights) -> documents.Document:
    """Return a letter, in the country's language, about the app `package`.

    Raises `UsageError` if the report has no finding about this app, `SourceError` if it has no findings at all.
    """
    if not report.findings:
        raise SourceError("errors.nothing_to_write_about")
    known = tuple(dict.fromkeys(finding.package for finding in report.findings))
    if package not in known:
        raise UsageError("errors.app_not_in_report", app=package, known=known)
    return _write_letter(_LetterDraft(report, package, country_rights), kind)


def draft_blank_letter(kind: LetterKind, country_rights: CountryRights) -> documents.Document:
    """Return a letter, in the country's language, in which also the app and its access are filled in by hand."""
    return _write_letter(_LetterDraft(None, "", country_rights), kind)


def _write_letter(draft: _LetterDraft, kind: LetterKind) -> documents.Document:
    title_key, write_blocks = {
        LetterKind.DELETION: ("papers.title_deletion", draft.demand_blocks),
        LetterKind.COMPLAINT: ("papers.title_complaint", draft.complaint_blocks),
        LetterKind.EVIDENCE_LIST: ("papers.title_evidence_list", draft.evidence_list_blocks),
    }[kind]
    title = draft.t(title_key)
    return documents.Document(title, draft.language.code, tuple(write_blocks(title)))


def incident_log_blocks(language: Translator) -> Iterator[documents.DocumentBlock]:
    """Yield the log of calls and messages, to be filled in by hand."""
    yield documents.Paragraph(language.t("papers.log_intro"))
    yield incident_log_table(language, _INCIDENT_LOG_ROWS)


def incident_log_table(language: Translator, rows: int) -> documents.DocumentTable:
    """Return the table of that log, with `rows` empty rows."""
    return documents.blank_table(map(language.t, _INCIDENT_LOG_COLUMNS), rows)


class _LetterDraft:
    """Builds the blocks of each kind of letter about one app; without a report, with blanks about it."""

    def __init__(self, report: Report | None, package: str, country_rights: CountryRights) -> None:
        self.language = Translator(country_rights.country.letter)
        self.view = None if report is None else ReportView(report, self.language)
        self.t = self.language.t
        self.package = package
        self.country_rights = country_rights

    def demand_blocks(self, title: str) -> Iterator[documents.DocumentBlock]:
        yield from self._instruction_blocks(*_BEFORE_KEYS, "papers.before_day", "papers.before_send")
        yield from self._title_blocks(title)
        yield self._fields_with_app("papers.to", "papers.to_reach", "papers.from", "papers.account", "papers.date")
        yield from self._access_blocks()
        yield documents.Heading(self.t("papers.demand_head"))
        yield documents.numbered_list(self._with_articles(key, demand) for demand, key in _DEMAND_KEYS.items())
        yield documents.Paragraph(self.t("papers.demand_kept"))
        yield documents.Paragraph(self.t("papers.no_debt"), strong=True)
        yield self._fields("papers.reach", "papers.signature")

    def complaint_blocks(self, title: str) -> Iterator[documents.DocumentBlock]:
        yield from self._instruction_blocks("papers.before_office", *_BEFORE_KEYS, "papers.before_copy")
        yield from self._title_blocks(title)
        offices = map(self._verified_title, (item for item in self.country_rights.office if item.letter))
        yield documents.Heading(self.t("papers.complaint_to"))
        yield documents.checkbox_list((*offices, self.t("papers.complaint_other")))
        yield self._fields_with_app("papers.from", "papers.reach", "papers.date", "papers.against", "papers.to_reach")
        yield documents.Heading(self.t("papers.happened"))
        yield self._fields(
            "papers.happened_first",
            "papers.happened_often",
            "papers.happened_numbers",
            "papers.happened_whom",
            "papers.happened_words",
        )
        yield from self._access_blocks()
        yield documents.Heading(self.t("papers.asks_head"))
        investigate = self._with_articles("papers.asks_look", "complain")
        yield documents.numbered_list((investigate, *self._sentences("papers.asks_stop", "papers.asks_result")))
        yield documents.Heading(self.t("papers.done_head"))
        yield documents.checkbox_list(
            self._sentences("papers.done_demand", "papers.done_reply", "papers.done_desk", "papers.done_police")
        )
        yield documents.Heading(self.t("papers.attached_head"))
        yield documents.checkbox_list(
            self._sentences("papers.attached_list", "papers.attached_demand", "papers.attached_report")
        )
        yield documents.Paragraph(self.t("papers.judge"))
        yield documents.Paragraph(self.t("papers.no_debt"), strong=True)
        yield self._fields("papers.signature")

    def evidence_list_blocks(self, title: str) -> Iterator[documents.DocumentBlock]:
        yield from self._title_blocks(title)
        yield documents.Paragraph(self.t("papers.list_intro"))
        audit_rows = app_blocks.audit_rows(self.view) if self.view is not None else ()
        yield documents.FieldList((*self._app_rows(), *audit_rows))
        yield from self._access_blocks()
        if self.view is not None:
            yield documents.Heading(self.t("papers.list_lines"))
            yield app_blocks.evidence_table(self.view, self.package)
        yield documents.Heading(self.t("papers.list_by_hand"))
        yield documents.checkbox_list(in_language(item.text, self.language.code) for item in self.country_rights.save)
        yield documents.PageBreak()
        yield documents.Heading(self.t("papers.log_head"))
        yield from incident_log_blocks(self.language)

    def _app_rows(self) -> tuple[tuple[str, str | None], ...]:
        if self.view is None:
            return self._fields("papers.app", "papers.package", "papers.version").rows
        return app_blocks.app_rows(self.view, self.package)

    def _access_blocks(self) -> Iterator[documents.DocumentBlock]:
        if self.view is not None:
            yield from app_blocks.access_blocks(self.view, self.package)
            return
        yield documents.Paragraph(self.t("papers.found_by_hand"))
        yield documents.checkbox_list(self._sentences(*matrix.DATA_LABEL_KEYS.values()))
        yield documents.Paragraph(self.t("papers.found_limits"))

    def _instruction_blocks(self, *keys: str) -> Iterator[documents.DocumentBlock]:
        """Yield a page of instructions that is not part of the letter."""
        sentences = self._sentences("papers.notice", *keys, "rights.debt")
        yield documents.Notice((*sentences, *unreviewed_notice(self.language)), title=self.t("papers.before"))
        yield documents.PageBreak()

    def _title_blocks(self, title: str) -> Iterator[documents.DocumentBlock]:
        yield documents.Title(title)
        if self.view is not None and self.view.report.demo:
            yield documents.Paragraph(self.t("report.demo"), strong=True)

    def _with_articles(self, key: str, demand: Demand) -> str:
        """Return a sentence followed by the articles of law that support it."""
        articles = [*map(self._verified_title, self.country_rights.articles_for(demand))]
        if not articles:
            return self.t(key)
        citations = self.t("papers.cite_between").join(articles)
        return self.t(key) + self.t("papers.cite_open") + citations + self.t("papers.cite_close")

    def _verified_title(self, item: RightsItem) -> str:
        return add_verify_mark(item_title(item, self.language), item, self.language)

    def _fields(self, *keys: str) -> documents.FieldList:
        return documents.blank_fields(*self._sentences(*keys))

    def _fields_with_app(self, *keys: str) -> documents.FieldList:
        return documents.FieldList((*self._fields(*keys).rows, *self._app_rows()))

    def _sentences(self, *keys: str) -> tuple[str, ...]:
        return tuple(map(self.t, keys))
