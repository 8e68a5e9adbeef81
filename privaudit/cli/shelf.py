"""What the lists hold, in lines: an app a line, or one app with every source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from privaudit.i18n import Translator, sanitize_text
from privaudit.knowledge import Knowledge
from privaudit.knowledge.entries import SignatureEntry
from privaudit.knowledge.index import RowRef
from privaudit.knowledge.sdks import Sdk
from privaudit.model import Message

_MAX_TEXT_CHARS = 200
"""Characters of a name, a title or a note in one line. Lists are written by strangers too."""


def format_entry_line(entry: SignatureEntry) -> str:
    """An app on one line: what it is called, where it is offered, who names it."""
    lists = " ".join(dict.fromkeys(part.id for part, _ in entry.row_refs))
    names = [sanitize_text(name, 60) for name in entry.names if name != entry.title]
    parts = (sanitize_text(entry.title, _MAX_TEXT_CHARS), ", ".join(names), " ".join(entry.countries), f"[{lists}]")
    return "  ".join(part for part in parts if part)


def format_entry(language: Translator, knowledge: Knowledge, entry: SignatureEntry) -> Iterator[str]:
    """An app with everything that each list says of it."""

    def say(key: str, /, **values: str | int | Message | tuple[str, ...]) -> str:
        return language.t(key, **values)

    yield sanitize_text(entry.title, _MAX_TEXT_CHARS)
    if entry.names:
        yield "  " + say("signatures.names", names=entry.names)
    if not any(row.match_keys for row in entry.rows):
        yield "  " + say("signatures.name_only")
    if entry.countries:
        yield "  " + say("signatures.countries", countries=entry.countries)
    if entry.hashes:
        yield "  " + say("signatures.digests", digests=entry.hashes)
    for place in entry.row_refs:
        yield ""
        lines = [*_format_source(language, knowledge, place)]
        yield f"  · {lines[0]}"
        yield from (f"    {one}" for one in lines[1:])


def _format_source(language: Translator, knowledge: Knowledge, row_ref: RowRef) -> Iterator[str]:
    part, number = row_ref
    row, source = part.rows[number - 1], part.source

    def say(key: str, /, **values: str | Message | tuple[str, ...]) -> str:
        return language.t(key, **values)

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
        yield say(f"signatures.tier_{'own' if part.is_user_list else (source.tier or 'own').lower()}")
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
            yield f"{say(name, **{name: ''})}{sanitize_text(value, _MAX_TEXT_CHARS * 2)}"
    yield say("signatures.row", signature=f"{part.id}#{number}")


def format_sdk(language: Translator, sdk: Sdk) -> Iterator[str]:
    """Code of another maker, and what it is known for."""
    name = " · ".join(dict.fromkeys((sdk.vendor, *sdk.names)))
    yield language.t("signatures.sdk", name=name)
    for key, values in (
        ("sdk_classes", (*sdk.classes, *sdk.libraries, *sdk.components)),
        ("sdk_collects", sdk.collects),
    ):
        if values:
            yield "  " + language.t(f"signatures.{key}", names=values)
    yield "  " + language.t(f"signatures.sdk_{'lending' if sdk.lending_specific else 'ordinary'}")
    if sdk.note:
        yield "  " + language.t("signatures.note", note=sdk.note)


def search_sdks(sdks: Iterable[Sdk], words: Iterable[str]) -> tuple[Sdk, ...]:
    """The ones that have all `words` in a name or a class."""
    wanted = [word.casefold() for word in words]
    return tuple(
        one
        for one in sdks
        if all(
            any(word in text.casefold() for text in (one.vendor, *one.names, *one.classes, *one.libraries))
            for word in wanted
        )
    )
