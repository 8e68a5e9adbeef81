"""What was read, to be asked: which lists an app is on, who names it as a lender, how much the lists hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from privaudit.knowledge.rules import RuleBook
from privaudit.knowledge.schema import Match, Status
from privaudit.knowledge.signatures import AppList
from privaudit.knowledge.vocabulary import Vocabulary
from privaudit.model import Listing, ListStamp

Place: TypeAlias = tuple[AppList, int]
"""A list and the number of a row in it, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LenderRow:
    """An app that is known to lend. It is recognised, not accused; and being known is no praise either."""

    signature: str
    package: str
    names: tuple[str, ...]
    status: Status
    """Never "licensed" unless the source itself says so."""
    publisher: str
    date: str | None
    country: str | None
    sure: bool
    """False where nobody vouches for the collection that names it."""
    note: str | None

    @property
    def embeds(self) -> bool:
        """Whether it is a wallet or shop app that also lends."""
        return self.status == "embeds_lending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All lists and words, to be asked."""

    lists: tuple[AppList, ...]
    vocabulary: Vocabulary
    stores: Mapping[str, str]
    """App stores: their package as Android notes it for an installer, and their name."""
    country: str | None
    """The country that was chosen; ``None``: none."""
    rules: RuleBook
    """What countries and stores say a lender may ask for. Applied in `privaudit.findings.legal_rules`."""
    _risky: Mapping[tuple[str, str], tuple[Place, ...]] = field(repr=False)
    _lenders: Mapping[str, Place] = field(repr=False)
    _words: Mapping[str, Any] = field(repr=False)

    def listings(self, package: str) -> tuple[Listing, ...]:
        """Every listing of exactly this package name. Names of apps never match."""
        return self._found("package", package)

    def listings_of_apk(self, sha256: str) -> tuple[Listing, ...]:
        """Every listing of exactly this APK file."""
        return self._found("apk_sha256", sha256)

    def listings_of_certificate(self, sha256: str) -> tuple[Listing, ...]:
        """Every listing of whatever is signed with this certificate."""
        return self._found("certificate", sha256)

    def _found(self, match: Match, value: str) -> tuple[Listing, ...]:
        places = self._risky.get((match, value), ())
        return tuple(app_list.listing(number, match) for app_list, number in places)

    def lender(self, package: str) -> LenderRow | None:
        """The known lender with exactly this package name; of several lists, the surest, then the first by name."""
        place = self._lenders.get(package)
        if place is None:
            return None
        app_list, number = place
        row, source = app_list.rows[number - 1], app_list.source
        return LenderRow(
            signature=f"{app_list.id}#{number}",
            package=package,
            names=row.names,
            status=row.status or source.status or "market_lender",
            publisher=source.publisher,
            date=source.date,
            country=source.country or next(iter(row.countries), None),
            sure=_is_sure(place),
            note=row.note,
        )

    def stamp(self, country: str | None = None) -> ListStamp:
        """How much the lists hold, for `country` or the one chosen before: "not on a list" means nothing without it.

        Only tiers A and B count, as only they make a finding; an app is of a country where its row, or else its list,
        says so. A list of names alone finds nothing, so its date makes the lists no newer.
        """
        country = country or self.country
        counted = [part for part in self.lists if part.kind == "risky" and part.source.tier in {"A", "B"}]
        rows = [(part, row) for part in counted if not part.own for row in part.rows if row.package]
        dates = {part.source.date for part, _ in rows if part.source.date}
        return ListStamp(
            packages=len({row.package for _, row in rows}),
            packages_for_country=len({row.package for part, row in rows if country in part.countries(row)})
            if country
            else None,
            newest=max(dates, default=None),
            sha256=self._sha256(),
        )

    def _sha256(self) -> str:
        """Of the content: comments, line ends and the order of files change nothing."""
        content = {"vocabulary": self._words, "lists": {f"{part.kind}/{part.id}": part.data for part in self.lists}}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def build(
    lists: Iterable[AppList],
    vocabulary: Vocabulary,
    stores: Mapping[str, str],
    words: Mapping[str, Any],
    country: str | None,
    book: RuleBook,
) -> Knowledge:
    """Everything that was read, with its indexes."""
    read = tuple(lists)
    return Knowledge(
        lists=read,
        vocabulary=vocabulary,
        stores=stores,
        country=country,
        rules=book,
        _risky=_index(read),
        _lenders=_lenders(read),
        _words=words,
    )


def _index(read: Iterable[AppList]) -> Mapping[tuple[str, str], tuple[Place, ...]]:
    found: dict[tuple[str, str], list[Place]] = {}
    for part in read:
        if part.kind == "lenders":
            continue
        for number, row in enumerate(part.rows, 1):
            for key in row.found_by:
                found.setdefault(key, []).append((part, number))
    return {key: tuple(places) for key, places in found.items()}


def _lenders(read: Iterable[AppList]) -> Mapping[str, Place]:
    found: dict[str, Place] = {}
    for part in read:
        for number, row in enumerate(part.rows, 1) if part.kind == "lenders" else ():
            if row.package and (row.package not in found or _is_sure((part, number)) > _is_sure(found[row.package])):
                found[row.package] = (part, number)
    return found


def _is_sure(place: Place) -> bool:
    part, number = place
    return not (part.rows[number - 1].confidence or part.source.confidence)
