"""The rights page of a country, and half a page for contacts who were called by a collector."""

from collections.abc import Iterable, Iterator
from typing import Final

from privaudit import documents
from privaudit.i18n import Translator
from privaudit.knowledge.rights import CountryRights, RightsItem, in_language
from privaudit.report.rights import add_verify_mark, format_item, unreviewed_notice

_REVIEWER_KEYS: Final = {"research": "papers.by_research", "maintainer": "papers.by_maintainer"}
"""Reviewers that the project names by their role; any other reviewer is printed as the data file names them."""


def full_rights_page(country_rights: CountryRights, language: Translator) -> documents.Document:
    """Return everything that is known for a country, each line with the number of its source."""
    title = language.t("papers.page_title", country=in_language(country_rights.country.name, language.code))
    return documents.titled_document(title, language.code, _RightsPage(country_rights, language).full_blocks())


def page_for_contacts(country_rights: CountryRights, language: Translator) -> documents.Document:
    """Return the handout for contacts who were called: it names no law, no debt and no person."""
    blocks = _RightsPage(country_rights, language).contacts_blocks()
    return documents.titled_document(language.t("papers.friends_title"), language.code, blocks)


def call_page(country_rights: CountryRights, language: Translator) -> documents.Document:
    """Return what to say and what not to say while a collector calls."""
    blocks = _RightsPage(country_rights, language).call_blocks()
    return documents.titled_document(language.t("papers.call_title"), language.code, blocks)


class _RightsPage:
    """Builds the blocks of both pages, numbering the sources as they are cited."""

    def __init__(self, country_rights: CountryRights, language: Translator) -> None:
        self._rights = country_rights
        self._language = language
        self._source_numbers: dict[str, int] = {}

    def full_blocks(self) -> Iterator[documents.DocumentBlock]:
        t, rights = self._language.t, self._rights
        yield documents.Paragraph(t("rights.debt"), strong=True)
        yield documents.Paragraph(t("papers.page_intro"))
        yield from map(documents.Paragraph, unreviewed_notice(self._language))
        yield from self._section("papers.part_police", rights.police)
        yield documents.Heading(t("papers.part_ladder"))
        for number, (step, offices) in enumerate(rights.stages(), 1):
            yield documents.Paragraph(f"{number}. {self._with_source(step)}")
            if offices:
                yield documents.bullet_list(map(self._with_source, offices))
        if rights.law:
            yield from self._section("papers.part_law", rights.law)
        yield from self._section("papers.part_licence", rights.licence)
        yield from self._section("papers.part_save", rights.save)
        yield from self._section("papers.part_caller", rights.caller)
        yield from self._question_blocks()
        yield from self._section("papers.part_friends", rights.friends)
        yield documents.PageBreak()
        yield documents.Heading(t("papers.part_sources"))
        yield documents.Paragraph(t("papers.sources_intro"))
        yield documents.numbered_list(self._source_numbers)

    def contacts_blocks(self) -> Iterator[documents.DocumentBlock]:
        """Yield half a page; its sources stand on the full page."""
        yield documents.bullet_list(format_item(item, self._language) for item in self._rights.friends)
        if offices := [item for item in self._rights.office if item.letter]:
            yield documents.Paragraph(self._language.t("papers.friends_where"), strong=True)
            yield documents.bullet_list(format_item(item, self._language) for item in offices)
        yield documents.Paragraph(self._language.t("papers.friends_not_advice"))

    def call_blocks(self) -> Iterator[documents.DocumentBlock]:
        """Yield a page without sources, to be read while the phone rings."""
        t, rights = self._language.t, self._rights
        yield documents.Paragraph(t("rights.debt"), strong=True)
        yield from map(documents.Paragraph, unreviewed_notice(self._language))
        for heading_key, items in (
            ("papers.part_police", rights.police),
            ("papers.part_caller", rights.caller),
            ("papers.part_save", rights.save),
            ("papers.part_friends", rights.friends),
        ):
            yield documents.Heading(t(heading_key))
            yield documents.bullet_list(format_item(item, self._language) for item in items)

    def _question_blocks(self) -> Iterator[documents.DocumentBlock]:
        code = self._language.code
        yield documents.Heading(self._language.t("papers.part_question"))
        for item in self._rights.question:
            yield documents.Paragraph(in_language(item.name, code) if item.name is not None else "", strong=True)
            answer = add_verify_mark(in_language(item.text, code), item, self._language)
            yield documents.Paragraph(answer + self._source_reference(item))

    def _section(self, heading_key: str, items: Iterable[RightsItem]) -> Iterator[documents.DocumentBlock]:
        yield documents.Heading(self._language.t(heading_key))
        yield documents.bullet_list(map(self._with_source, items))

    def _with_source(self, item: RightsItem) -> str:
        return format_item(item, self._language) + self._source_reference(item)

    def _source_reference(self, item: RightsItem) -> str:
        """Return the number of the item's source in brackets; equal sources share a number."""
        t = self._language.t
        checked = t("papers.unchecked")
        if item.checked_on is not None and item.checked_by is not None:
            reviewer_key = _REVIEWER_KEYS.get(item.checked_by)
            reviewer = t(reviewer_key) if reviewer_key else item.checked_by
            checked = t("papers.checked", day_on=item.checked_on, who=reviewer)
        address = f" {item.url}" if item.url else ""
        source = f"{item.source}.{address} {checked}"
        return f" [{self._source_numbers.setdefault(source, len(self._source_numbers) + 1)}]"
