"""The rights page of a country, and half a page for the friends who got called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from privaudit.documents import Block, Heading, Listing, NewPage, Paper, Paragraph, Title
from privaudit.i18n import Language
from privaudit.knowledge.rights import Item, Rights
from privaudit.report import rights as prose


def whole(page: Rights, language: Language) -> Paper:
    """Everything that is known for a country, each line with the number of its source."""
    title = language.text("papers.page_title", country=page.country.name.text(language.code))
    return Paper(title, language.code, (Title(title), *_Page(page, language).blocks()))


def friends(page: Rights, language: Language) -> Paper:
    """What to hand to those who got called. No law, no debt, no name."""
    title = language.text("papers.friends_title")
    return Paper(title, language.code, (Title(title), *_Page(page, language).for_friends()))


class _Page:
    def __init__(self, page: Rights, language: Language) -> None:
        self._page = page
        self._language = language
        self._numbers: dict[str, int] = {}

    def blocks(self) -> Iterator[Block]:
        say, page = self._language.text, self._page
        yield Paragraph(say("rights.debt"), strong=True)
        yield Paragraph(say("papers.page_intro"))
        yield from map(Paragraph, prose.unreviewed(self._language))
        yield self._head("police")
        yield self._list(page.police)
        yield self._head("ladder")
        for place, (step, offices) in enumerate(page.ladder(), 1):
            yield Paragraph(f"{place}. {prose.line(step, self._language)}{self._number(step)}")
            if offices:
                yield self._list(offices)
        if page.law:
            yield self._head("law")
            yield self._list(page.law)
        for part, items in (("licence", page.licence), ("save", page.save), ("caller", page.caller)):
            yield self._head(part)
            yield self._list(items)
        yield self._head("question")
        for item in page.question:
            name = item.name.text(self._language.code) if item.name is not None else ""
            yield Paragraph(name, strong=True)
            text = item.text.text(self._language.code)
            yield Paragraph(prose.marked(text, item, self._language) + self._number(item))
        yield self._head("friends")
        yield self._list(page.friends)
        yield NewPage()
        yield self._head("sources")
        yield Paragraph(say("papers.sources_intro"))
        yield Listing(tuple(self._numbers), "number")

    def for_friends(self) -> Iterator[Block]:
        """Half a page; the sources stand on the whole page."""
        yield self._plain(self._page.friends)
        offices = [item for item in self._page.office if item.letter]
        if offices:
            yield Paragraph(self._language.text("papers.friends_where"), strong=True)
            yield self._plain(offices)
        yield Paragraph(self._language.text("papers.friends_not_advice"))

    def _head(self, part: str) -> Heading:
        return Heading(self._language.text(f"papers.part_{part}"))

    def _plain(self, items: Iterable[Item]) -> Listing:
        return Listing(tuple(prose.line(item, self._language) for item in items))

    def _list(self, items: Iterable[Item]) -> Listing:
        return Listing(tuple(prose.line(item, self._language) + self._number(item) for item in items))

    def _number(self, item: Item) -> str:
        """The number of the item's source; the same source has the same number."""
        say = self._language.text
        checked = say("papers.unchecked")
        if item.checked_on is not None and item.checked_by is not None:
            by = item.checked_by
            who = say(f"papers.by_{by}") if by in {"research", "maintainer"} else by
            checked = say("papers.checked", day_on=item.checked_on, who=who)
        where = f" {item.url}" if item.url else ""
        text = f"{item.source}.{where} {checked}"
        return f" [{self._numbers.setdefault(text, len(self._numbers) + 1)}]"
