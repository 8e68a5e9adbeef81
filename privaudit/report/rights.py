"""What a borrower can do next: the ladder, and on each rung whom to turn to in the chosen country."""

from __future__ import annotations

from collections.abc import Iterator

from privaudit.i18n import Language
from privaudit.knowledge import rights
from privaudit.knowledge.rights import Item, Rights
from privaudit.report.view import Voice


def known(voice: Voice) -> Rights:
    """What is known for the country of the report; what is true everywhere where there is none, or no page for it."""
    return rights.load(_with_page(voice))


def title(voice: Voice) -> str:
    """The head of this part."""
    return voice.text("rights.next", country=known(voice).country.name.text(voice.language.code))


def rungs(voice: Voice) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each rung of the ladder, and whom to turn to there."""
    for step, offices in known(voice).ladder():
        yield line(step, voice.language), tuple(line(office, voice.language) for office in offices)


def notes(voice: Voice) -> Iterator[str]:
    """What stands below the ladder."""
    country, countries = voice.report.knowledge.rules.country, rights.countries()
    if country is None:
        yield voice.text("rights.no_country", known=countries)
    elif country not in countries:
        yield voice.text("rights.no_page", given=country, known=countries)
    else:
        yield voice.text("rights.more", given=country)
        yield voice.text("rights.letter", given=country)
    yield voice.text("rights.debt")


def line(item: Item, language: Language) -> str:
    """An item as one line: what it is called, how to reach it, what it says, and its mark where it has one."""
    text = item.text.text(language.code)
    if item.name is not None:
        text = called(item, language) + language.text("rights.colon") + text
    return marked(text, item, language)


def called(item: Item, language: Language) -> str:
    """What an office or a law is called, and how to reach it; empty where it has no name."""
    name = item.name.text(language.code) if item.name is not None else ""
    new = language.text("dates.separator").join(one for one in item.reach if one not in name)
    return name + language.text("rights.reach", reach=new) if new else name


def marked(text: str, item: Item, language: Language) -> str:
    """`text` with the mark of what has to be checked first."""
    return text + language.text("rights.verify") if item.verify else text


def unreviewed(language: Language) -> tuple[str, ...]:
    """What a paper says of a translation that no native speaker has read over; nothing where one has."""
    return () if language.unreviewed is None else (language.say(language.unreviewed),)


def _with_page(voice: Voice) -> str | None:
    country = voice.report.knowledge.rules.country
    return country if country in rights.countries() else None
