"""What the lists hold, in lines: an app a line, or one app with every source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from privaudit.i18n import Language, tame
from privaudit.knowledge import Knowledge
from privaudit.knowledge.entries import Entry
from privaudit.knowledge.index import Place
from privaudit.knowledge.sdks import Sdk
from privaudit.model import Message

_LONGEST = 200
"""Characters of a name, a title or a note in one line. Lists are written by strangers too."""


def line(entry: Entry) -> str:
    """An app on one line: what it is called, where it is offered, who names it."""
    lists = " ".join(dict.fromkeys(part.id for part, _ in entry.places))
    names = [tame(name, 60) for name in entry.names if name != entry.title]
    parts = (tame(entry.title, _LONGEST), ", ".join(names), " ".join(entry.countries), f"[{lists}]")
    return "  ".join(part for part in parts if part)


def full(language: Language, knowledge: Knowledge, entry: Entry) -> Iterator[str]:
    """An app with everything that each list says of it."""

    def say(key: str, /, **values: str | int | Message | tuple[str, ...]) -> str:
        return language.text(key, **values)

    yield tame(entry.title, _LONGEST)
    if entry.names:
        yield "  " + say("signatures.names", names=entry.names)
    if not any(row.found_by for row in entry.rows):
        yield "  " + say("signatures.name_only")
    if entry.countries:
        yield "  " + say("signatures.countries", countries=entry.countries)
    if entry.digests:
        yield "  " + say("signatures.digests", digests=entry.digests)
    for place in entry.places:
        yield ""
        lines = [*_source(language, knowledge, place)]
        yield f"  · {lines[0]}"
        yield from (f"    {one}" for one in lines[1:])


def _source(language: Language, knowledge: Knowledge, place: Place) -> Iterator[str]:
    part, number = place
    row, source = part.rows[number - 1], part.source

    def say(key: str, /, **values: str | Message | tuple[str, ...]) -> str:
        return language.text(key, **values)

    head: dict[str, str | Message | tuple[str, ...]] = {
        "publisher": source.publisher,
        "title": source.title,
        "dated_on": source.date or Message(key="signatures.undated"),
    }
    if part.kind == "lenders":
        status = Message(key=f"signatures.status_{row.status or source.status or 'market_lender'}")
        yield say("signatures.by_lender", **head, status=status)
        yield say("signatures.tier_lender")
    else:
        yield say("signatures.by_list", **head, action=source.action or "listed")
        yield say(f"signatures.tier_{'own' if part.own else (source.tier or 'own').lower()}")
    if row.confidence or source.confidence:
        yield say("signatures.low")
    if row.disputed:
        yield say("signatures.disputed")
    if row.developer:
        yield say("signatures.developer", name=row.developer)
    if row.harms:
        meanings = knowledge.vocabulary.harm
        known = (meanings.get(harm, {}) for harm in row.harms)
        worded = tuple(one.get(language.code) or one.get("en", "") for one in known)
        yield say("signatures.harms", harms=tuple(word or harm for word, harm in zip(worded, row.harms, strict=True)))
    for name, value in (("via", source.via), ("url", source.url), ("licence", source.licence), ("note", row.note)):
        if value:
            yield f"{say(name, **{name: ''})}{tame(value, _LONGEST * 2)}"
    yield say("signatures.row", signature=f"{part.id}#{number}")


def sdk(language: Language, found: Sdk) -> Iterator[str]:
    """Code of another maker, and what it is known for."""
    name = " · ".join(dict.fromkeys((found.vendor, *found.names)))
    yield language.text("signatures.sdk", name=name)
    for key, values in (
        ("sdk_classes", (*found.classes, *found.libraries, *found.components)),
        ("sdk_collects", found.collects),
    ):
        if values:
            yield "  " + language.text(f"signatures.{key}", names=values)
    yield "  " + language.text(f"signatures.sdk_{'lending' if found.lending_specific else 'ordinary'}")
    if found.note:
        yield "  " + language.text("signatures.note", note=found.note)


def sdks_like(known: Iterable[Sdk], words: Iterable[str]) -> tuple[Sdk, ...]:
    """The ones that have all `words` in a name or a class."""
    wanted = [word.casefold() for word in words]
    return tuple(
        one
        for one in known
        if all(
            any(word in text.casefold() for text in (one.vendor, *one.names, *one.classes, *one.libraries))
            for word in wanted
        )
    )
