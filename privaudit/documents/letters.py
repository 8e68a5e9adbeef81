"""Drafts of letters, filled from a report: a demand to lender, collector or app store, a complaint, a list of evidence.

A letter that is sent states what was measured, makes numbered demands and cites articles of law, each from
`privaudit.knowledge.rights`. What its sender alone should know stands on a page before it, in the sender's language:
what to do, what the report does not show, which citations nobody compared with the law. No personal data come from the
phone: names, numbers and addresses are blanks. No sentence acknowledges a debt or offers payment.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import chain
from typing import Final, get_args

from privaudit import documents
from privaudit.documents import app_blocks
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator
from privaudit.knowledge.rights import Addressee, CountryRights, Demand, RightsItem, in_language
from privaudit.model import Report
from privaudit.report import matrix, summary
from privaudit.report.rights import item_title
from privaudit.report.view import ReportView

ADDRESSEES: Final[tuple[Addressee, ...]] = get_args(Addressee)
_DEMANDS: Final[Mapping[Addressee, Mapping[str, Demand]]] = {
    "lender": {
        "papers.demand_stop": "stop",
        "papers.demand_recipients": "recipients",
        "papers.demand_basis": "basis",
        "papers.demand_delete": "delete",
        "papers.demand_caller": "caller",
        "papers.demand_answer": "answer",
    },
    "collector": {
        "papers.demand_stop": "stop",
        "papers.demand_mandate": "caller",
        "papers.demand_origin": "recipients",
        "papers.demand_basis": "basis",
        "papers.demand_delete": "delete",
        "papers.demand_answer": "answer",
    },
    "app-store": {
        "papers.store_review": "review",
        "papers.store_developer": "review",
        "papers.store_keep": "review",
        "papers.store_answer": "review",
    },
}
"""What is asked of each addressee, in this order. An article is cited once, at the first sentence that it supports."""
_SUBJECT_AND_SENDER_KEYS: Final[Mapping[Addressee, tuple[str, tuple[str, ...]]]] = {
    "lender": ("papers.subject_lender", ("papers.account",)),
    "collector": ("papers.subject_collector", ("papers.called_number",)),
    "app-store": ("papers.subject_store", ()),
}
"""The subject of a demand, and by what its addressee can find the sender."""
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
_EVENT_COLUMNS: Final = _INCIDENT_LOG_COLUMNS[1:6]
_EVENT_ROWS: Final = 4
"""Rows of the table in a complaint; the log has room for the rest."""


class LetterKind(StrEnum):
    """The letters that ``privaudit letter`` writes."""

    DELETION = "deletion"
    COMPLAINT = "complaint"
    EVIDENCE_LIST = "evidence-list"

    @property
    def is_sent(self) -> bool:
        """Whether the letter is sent, so that lender or collector learn of it."""
        return self is not LetterKind.EVIDENCE_LIST


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOptions:
    """To whom a letter goes, in which languages, and on which day."""

    addressee: Addressee = "lender"
    """Of a demand; a complaint goes to an authority."""
    letter_language: str | None = None
    """Code of the language that the addressee reads; ``None``: that of the country."""
    own_language: str | None = None
    """Code of the language of the page that the sender keeps; ``None``: that of the letter."""
    written_on: date | None = None
    """Laws that are not in force on this day are not cited; ``None``: today."""


def draft_letter(
    report: Report,
    package: str,
    kind: LetterKind,
    country_rights: CountryRights,
    options: LetterOptions | None = None,
) -> documents.Document:
    """Return a letter about the app `package`; if it is sent, with the page that its sender keeps.

    Raises `UsageError` if the report has no finding about this app, `SourceError` if it has no findings at all.
    """
    if not report.findings:
        raise SourceError("errors.nothing_to_write_about")
    known = tuple(dict.fromkeys(finding.package for finding in report.findings))
    if package not in known:
        raise UsageError("errors.app_not_in_report", app=package, known=known)
    return _LetterDraft(report, package, country_rights, options or LetterOptions()).write(kind)


def draft_blank_letter(
    kind: LetterKind, country_rights: CountryRights, options: LetterOptions | None = None
) -> documents.Document:
    """Return a letter in which also the app and its access are filled in by hand."""
    return _LetterDraft(None, "", country_rights, options or LetterOptions()).write(kind)


def incident_log_blocks(language: Translator) -> Iterator[documents.DocumentBlock]:
    """Yield the log of calls and messages, to be filled in by hand."""
    yield documents.Paragraph(language.t("papers.log_intro"))
    yield incident_log_table(language, _INCIDENT_LOG_ROWS)


def incident_log_table(language: Translator, rows: int) -> documents.DocumentTable:
    """Return the table of that log, with `rows` empty rows."""
    return documents.blank_table(map(language.t, _INCIDENT_LOG_COLUMNS), rows)


class _LetterDraft:
    """Builds each kind of letter about one app; without a report, with blanks about it."""

    def __init__(
        self, report: Report | None, package: str, country_rights: CountryRights, options: LetterOptions
    ) -> None:
        self.language = Translator(options.letter_language or country_rights.country.letter)
        self.own_language = Translator(options.own_language or self.language.code)
        self.view = None if report is None else ReportView(report, self.language)
        self.t = self.language.t
        self.package = package
        self.country_rights = country_rights
        self.addressee = options.addressee
        self.written_on = (options.written_on or date.today()).isoformat()  # noqa: DTZ011 - the day on the letter
        self.cited: dict[str, RightsItem] = {}
        """The laws that the letter cites, by id."""
        self.deferred: dict[str, RightsItem] = {}
        """The laws that it would cite if they were in force."""

    def write(self, kind: LetterKind) -> documents.Document:
        """Return the letter, after the page that its sender keeps."""
        match kind:
            case LetterKind.EVIDENCE_LIST:
                title_key, blocks = "papers.title_evidence_list", self._evidence_list_blocks()
            case LetterKind.COMPLAINT:
                title_key, blocks = "papers.title_complaint", self._complaint_blocks()
            case LetterKind.DELETION:
                title_key = "papers.title_store" if self.addressee == "app-store" else "papers.title_deletion"
                blocks = self._demand_blocks()
        if self.view is not None and self.view.report.demo:
            blocks = chain([documents.Paragraph(self.t("report.demo"), strong=True)], blocks)
        letter = documents.titled_document(self.t(title_key), self.language.code, blocks)
        if not kind.is_sent:
            return letter
        own_title = self.own_language.t("papers.before")
        own_page = documents.titled_document(own_title, self.own_language.code, self._instruction_blocks(kind))
        return replace(letter, instructions=own_page)

    def _demand_blocks(self) -> Iterator[documents.DocumentBlock]:
        is_store = self.addressee == "app-store"
        subject_key, sender_keys = _SUBJECT_AND_SENDER_KEYS[self.addressee]
        parties = self._blanks("papers.date", "papers.from", *sender_keys, "papers.to", "papers.to_reach")
        subject = (self.t("papers.subject"), self.t(subject_key))
        yield documents.FieldList((*parties, subject, *self._app_rows(), *self._store_row()))
        yield from self._fact_blocks()
        if is_store:
            yield documents.Paragraph(self.t("papers.store_head"), strong=True)
        else:
            yield documents.blank_fields(self.t("papers.contacted"))
            yield documents.Paragraph(self.t("papers.no_consent"))
            yield documents.Paragraph(self.t("papers.demand_head"), strong=True)
        yield documents.numbered_list(self._with_articles(_DEMANDS[self.addressee], self.addressee))
        if (ground := self.country_rights.country.ground) is not None and not is_store:
            yield documents.Paragraph(in_language(ground, self.language.code))
        yield documents.Paragraph(self.t("papers.no_debt"), strong=True)
        yield documents.FieldList(self._blanks("papers.reply_to", "papers.signature"))
        # The log names witnesses and reports to the police: only an authority gets it.
        yield from self._enclosure_blocks((self.t("papers.enclosed_screens"), *self._identification()))

    def _complaint_blocks(self) -> Iterator[documents.DocumentBlock]:
        offices = (
            in_language(office.name, self.language.code)
            for office in self.country_rights.office
            if office.letter and office.name is not None
        )
        yield documents.Paragraph(self.t("papers.complaint_to"), strong=True)
        yield documents.checkbox_list((*offices, self.t("papers.complaint_other")))
        parties = self._blanks(
            "papers.date", "papers.complainant", "papers.reply_to", "papers.respondent", "papers.to_reach"
        )
        subject = (self.t("papers.subject"), self.t("papers.subject_complaint"))
        yield documents.FieldList((*parties, subject, *self._app_rows()))
        yield documents.Heading(self.t("papers.happened"))
        yield documents.blank_table(map(self.t, _EVENT_COLUMNS), _EVENT_ROWS)
        yield documents.Heading(self.t("papers.facts_head"))
        yield from self._fact_blocks()
        yield documents.Heading(self.t("papers.asks_head"))
        asked: dict[str, Demand] = {"papers.asks_look": "complain", "papers.asks_stop": "delete"}
        yield documents.numbered_list((*self._with_articles(asked), self.t("papers.asks_result")))
        yield documents.Paragraph(self.t("papers.no_debt_complaint"), strong=True)
        yield documents.FieldList(self._blanks("papers.signature"))
        enclosed = ("papers.title_evidence_list", "papers.log_head", "papers.attached_demand", "papers.attached_police")
        yield from self._enclosure_blocks(map(self.t, enclosed))

    def _evidence_list_blocks(self) -> Iterator[documents.DocumentBlock]:
        yield documents.Paragraph(self.t("papers.list_intro"))
        yield documents.FieldList(self._app_rows())
        yield from self._fact_blocks()
        yield documents.Heading(self.t("papers.list_by_hand"))
        yield documents.checkbox_list(in_language(item.text, self.language.code) for item in self.country_rights.save)
        yield documents.PageBreak()
        yield documents.Heading(self.t("papers.log_head"))
        yield from incident_log_blocks(self.language)
        if self.view is not None:
            yield documents.PageBreak()
            yield documents.Heading(self.t("papers.annex_head"))
            yield documents.FieldList(app_blocks.audit_rows(self.view))
            yield from app_blocks.access_blocks(self.view, self.package)
            yield documents.Heading(self.t("papers.list_lines"))
            yield app_blocks.evidence_table(self.view, self.package)

    def _instruction_blocks(self, kind: LetterKind) -> Iterator[documents.DocumentBlock]:
        """Yield the page that the sender keeps. It names what the letter cites: the letter is built before it."""
        t = self.own_language.t
        yield documents.notice(t("papers.notice"))
        keys = ["papers.before_blank"] if self.view is not None else ["papers.before_blank", "papers.before_photo"]
        if kind is LetterKind.COMPLAINT:
            keys = ["papers.before_office", *keys, "papers.before_judge", "papers.before_copy"]
        elif self.addressee == "app-store":
            keys += ["papers.before_day", "papers.before_store"]
        else:
            keys += ["papers.before_day", "papers.before_send"]
            keys += ["papers.before_identification"] if self._identification() else []
        promise = t("papers.before_promise") + _citations(
            self.country_rights.articles_for("promise"), self.own_language
        )
        yield documents.bullet_list((*map(t, keys), promise, self._limits()))
        code = self.language.code
        if unread := [in_language(item.name, code) for item in self.cited.values() if item.name and item.verify]:
            yield documents.Paragraph(t("papers.before_verify"), strong=True)
            yield documents.checkbox_list(unread)
        offices = [item for item in self.country_rights.office if item.letter]
        if kind is LetterKind.COMPLAINT and offices:
            yield documents.Paragraph(t("papers.before_reach"), strong=True)
            yield documents.bullet_list(
                item_title(item, self.own_language) + t("rights.colon") + in_language(item.text, self.own_language.code)
                for item in offices
            )
        for item in self.deferred.values():
            law = in_language(item.name, self.own_language.code) if item.name is not None else item.id
            yield documents.Paragraph(t("papers.before_later", law=law, in_force_on=item.in_force_from))
        yield documents.Paragraph(t("papers.before_lawyer") + t("report.between_sentences") + t("rights.debt"))
        if not self.country_rights.law and self.country_rights.country.code is not None:
            yield documents.Paragraph(t("papers.no_law"))
        yield from map(documents.Paragraph, summary.notices(self.own_language, demo=False))
        if self.language.review_notice is not None and self.language.code != self.own_language.code:
            yield documents.Paragraph(t("papers.before_unreviewed"))

    def _identification(self) -> tuple[str, ...]:
        """Return the proof of identity to enclose, if the law that is cited to this addressee asks for one."""
        proof = self.country_rights.country.identification
        return () if proof is None or self.addressee != "lender" else (in_language(proof, self.language.code),)

    def _limits(self) -> str:
        """Return what the report does not show, and by whose clock the phone was read."""
        if self.view is None:
            return self.own_language.t("papers.found_limits")
        when = summary.audit_time_text(ReportView(self.view.report, self.own_language))
        return self.own_language.t("papers.before_limits", when=when)

    def _app_rows(self) -> tuple[tuple[str, str | None], ...]:
        if self.view is None:
            return self._blanks("papers.app", "papers.package", "papers.version")
        return app_blocks.app_rows(self.view, self.package)

    def _store_row(self) -> tuple[tuple[str, str | None], ...]:
        """Return from where the app was installed, if the letter goes to its store and the phone says so."""
        if self.addressee != "app-store" or self.view is None:
            return ()
        installers = {app.installer_name or app.installer: None for app in self.view.installs_of(self.package)}
        names = [name for name in installers if name]
        return ((self.t("papers.installed_from"), ", ".join(map(self.language.quote_untrusted, names)) or None),)

    def _fact_blocks(self) -> Iterator[documents.DocumentBlock]:
        if self.view is not None:
            yield documents.Paragraph(
                self.t("report.between_sentences").join(app_blocks.fact_sentences(self.view, self.package))
            )
            return
        yield documents.Paragraph(self.t("papers.found_by_hand"))
        yield documents.checkbox_list(map(self.t, matrix.DATA_LABEL_KEYS.values()))

    def _enclosure_blocks(self, enclosures: Iterable[str]) -> Iterator[documents.DocumentBlock]:
        yield documents.Paragraph(self.t("papers.attached_head"), strong=True)
        yield documents.checkbox_list(enclosures)

    def _with_articles(self, sentences: Mapping[str, Demand], addressee: Addressee | None = None) -> Iterator[str]:
        """Yield each sentence, followed by the articles of law that support its demand."""
        done: set[Demand] = set()
        for key, demand in sentences.items():
            articles = () if demand in done else self.country_rights.articles_for(demand, addressee)
            done.add(demand)
            in_force = [item for item in articles if (item.in_force_from or "") <= self.written_on]
            self.cited |= {item.id: item for item in in_force}
            self.deferred |= {item.id: item for item in articles if item not in in_force}
            yield self.t(key) + _citations(in_force, self.language)

    def _blanks(self, *keys: str) -> tuple[tuple[str, str | None], ...]:
        return documents.blank_fields(*map(self.t, keys)).rows


def _citations(articles: Iterable[RightsItem], language: Translator) -> str:
    """Return the articles in brackets, those of one statute together; nothing if there are none."""
    by_statute: dict[str, list[str]] = {}
    for item in articles:
        statute, article = _split_citation(in_language(item.name or item.text, language.code))
        by_statute.setdefault(statute, []).append(article)
    if not by_statute:
        return ""
    separator = language.t("papers.cite_list")
    cited = (statute + separator.join(filter(None, of_statute)) for statute, of_statute in by_statute.items())
    return (
        language.t("papers.cite_open") + language.t("papers.cite_between").join(cited) + language.t("papers.cite_close")
    )


def _split_citation(name: str) -> tuple[str, str]:
    """Return the name of a statute, up to its last comma or the end of its Chinese title, and the article in it."""
    end = name.rfind("》") + 1 or name.rfind(", ") + 2
    return (name[:end], name[end:]) if end > 1 else (name, "")
