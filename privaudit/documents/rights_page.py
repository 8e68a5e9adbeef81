"""The rights page of a country, and half a page for the friends who got called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from privaudit.documents import Document, DocumentBlock, Heading, ItemList, PageBreak, Paragraph, Title
from privaudit.i18n import Translator
from privaudit.knowledge.rights import CountryRights, RightsItem, in_language
from privaudit.report import rights as prose


def full_rights_page(country_rights: CountryRights, language: Translator) -> Document:
    """Everything that is known for a country, each line with the number of its source."""
    title = language.t("papers.page_title", country=in_language(country_rights.country.name, language.code))
    return Document(title, language.code, (Title(title), *_RightsPage(country_rights, language).full_blocks()))


def page_for_contacts(country_rights: CountryRights, language: Translator) -> Document:
    """What to hand to those who got called. No law, no debt, no name."""
    title = language.t("papers.friends_title")
    return Document(title, language.code, (Title(title), *_RightsPage(country_rights, language).contacts_blocks()))


class _RightsPage:
    def __init__(self, country_rights: CountryRights, language: Translator) -> None:
        self._rights = country_rights
        self._language = language
        self._source_numbers: dict[str, int] = {}

    def full_blocks(self) -> Iterator[DocumentBlock]:
        say, page = self._language.t, self._rights
        yield Paragraph(say("rights.debt"), strong=True)
        yield Paragraph(say("papers.page_intro"))
        yield from map(Paragraph, prose.unreviewed_notice(self._language))
        yield self._part_heading("police")
        yield self._sourced_list(page.police)
        yield self._part_heading("ladder")
        for place, (step, offices) in enumerate(page.stages(), 1):
            yield Paragraph(f"{place}. {prose.format_item(step, self._language)}{self._source_reference(step)}")
            if offices:
                yield self._sourced_list(offices)
        if page.law:
            yield self._part_heading("law")
            yield self._sourced_list(page.law)
        for part, items in (("licence", page.licence), ("save", page.save), ("caller", page.caller)):
            yield self._part_heading(part)
            yield self._sourced_list(items)
        yield self._part_heading("question")
        for item in page.question:
            name = in_language(item.name, self._language.code) if item.name is not None else ""
            yield Paragraph(name, strong=True)
            text = in_language(item.text, self._language.code)
            yield Paragraph(prose.add_verify_mark(text, item, self._language) + self._source_reference(item))
        yield self._part_heading("friends")
        yield self._sourced_list(page.friends)
        yield PageBreak()
        yield self._part_heading("sources")
        yield Paragraph(say("papers.sources_intro"))
        yield ItemList(tuple(self._source_numbers), "number")

    def contacts_blocks(self) -> Iterator[DocumentBlock]:
        """Half a page; the sources stand on the whole page."""
        yield self._plain_list(self._rights.friends)
        offices = [item for item in self._rights.office if item.letter]
        if offices:
            yield Paragraph(self._language.t("papers.friends_where"), strong=True)
            yield self._plain_list(offices)
        yield Paragraph(self._language.t("papers.friends_not_advice"))

    def _part_heading(self, part: str) -> Heading:
        return Heading(self._language.t(f"papers.part_{part}"))

    def _plain_list(self, items: Iterable[RightsItem]) -> ItemList:
        return ItemList(tuple(prose.format_item(item, self._language) for item in items))

    def _sourced_list(self, items: Iterable[RightsItem]) -> ItemList:
        return ItemList(tuple(prose.format_item(item, self._language) + self._source_reference(item) for item in items))

    def _source_reference(self, item: RightsItem) -> str:
        """The number of the item's source; the same source has the same number."""
        say = self._language.t
        checked = say("papers.unchecked")
        if item.checked_on is not None and item.checked_by is not None:
            by = item.checked_by
            who = say(f"papers.by_{by}") if by in {"research", "maintainer"} else by
            checked = say("papers.checked", day_on=item.checked_on, who=who)
        where = f" {item.url}" if item.url else ""
        text = f"{item.source}.{where} {checked}"
        return f" [{self._source_numbers.setdefault(text, len(self._source_numbers) + 1)}]"
