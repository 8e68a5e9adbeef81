"""What was read, to be asked: which lists an app is on, who names it as a lender, how much the lists hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from privaudit.knowledge.rules import RuleSet
from privaudit.knowledge.schema import LenderStatus, MatchKind
from privaudit.knowledge.signatures import RowRef, SignatureList
from privaudit.knowledge.vocabulary import Vocabulary
from privaudit.model import SignatureListInfo, SignatureMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLender:
    """An app that is known to lend. It is recognised, not accused; and being known is no praise either."""

    signature: str
    package: str
    names: tuple[str, ...]
    status: LenderStatus
    """Never "licensed" unless the source itself says so."""
    publisher: str
    date: str | None
    country: str | None
    is_confident: bool
    """False where nobody vouches for the collection that names it."""
    note: str | None

    @property
    def has_embedded_lending(self) -> bool:
        """Whether it is a wallet or shop app that also lends."""
        return self.status == "embeds_lending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All lists and words, to be asked."""

    lists: tuple[SignatureList, ...]
    vocabulary: Vocabulary
    stores: Mapping[str, str]
    """App stores: their package as Android notes it for an installer, and their name."""
    country: str | None
    """The country that was chosen; ``None``: none."""
    rules: RuleSet
    """What countries and stores say a lender may ask for. Applied in `privaudit.findings.legal_rules`."""
    _risky_index: Mapping[tuple[str, str], tuple[RowRef, ...]] = field(repr=False)
    _lender_index: Mapping[str, RowRef] = field(repr=False)
    _vocabulary_data: Mapping[str, Any] = field(repr=False)

    def match_package(self, package: str) -> tuple[SignatureMatch, ...]:
        """Every listing of exactly this package name. Names of apps never match."""
        return self._find_matches("package", package)

    def match_apk(self, sha256: str) -> tuple[SignatureMatch, ...]:
        """Every listing of exactly this APK file."""
        return self._find_matches("apk_sha256", sha256)

    def match_certificate(self, sha256: str) -> tuple[SignatureMatch, ...]:
        """Every listing of whatever is signed with this certificate."""
        return self._find_matches("certificate", sha256)

    def _find_matches(self, match_kind: MatchKind, value: str) -> tuple[SignatureMatch, ...]:
        places = self._risky_index.get((match_kind, value), ())
        return tuple(app_list.match_for_row(number, match_kind) for app_list, number in places)

    def find_lender(self, package: str) -> KnownLender | None:
        """The known lender with exactly this package name; of several lists, the surest, then the first by name."""
        place = self._lender_index.get(package)
        if place is None:
            return None
        app_list, number = place
        row, source = app_list.rows[number - 1], app_list.source
        return KnownLender(
            signature=f"{app_list.id}#{number}",
            package=package,
            names=row.names,
            status=row.status or source.status or "market_lender",
            publisher=source.publisher,
            date=source.date,
            country=source.country or next(iter(row.countries), None),
            is_confident=_is_confident(place),
            note=row.note,
        )

    def describe_lists(self, country: str | None = None) -> SignatureListInfo:
        """How much the lists hold, for `country` or the one chosen before: "not on a list" means nothing without it.

        Only tiers A and B count, as only they make a finding; an app is of a country where its row, or else its list,
        says so. A list of names alone finds nothing, so its date makes the lists no newer.
        """
        country = country or self.country
        counted = [part for part in self.lists if part.kind == "risky" and part.source.tier in {"A", "B"}]
        rows = [(part, row) for part in counted if not part.is_user_list for row in part.rows if row.package]
        dates = {part.source.date for part, _ in rows if part.source.date}
        return SignatureListInfo(
            packages=len({row.package for _, row in rows}),
            packages_for_country=len({row.package for part, row in rows if country in part.countries_of(row)})
            if country
            else None,
            newest=max(dates, default=None),
            sha256=self._content_sha256(),
        )

    def _content_sha256(self) -> str:
        """Of the content: comments, line ends and the order of files change nothing."""
        content = {
            "vocabulary": self._vocabulary_data,
            "lists": {f"{part.kind}/{part.id}": part.toml_data for part in self.lists},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def build_knowledge(
    lists: Iterable[SignatureList],
    vocabulary: Vocabulary,
    stores: Mapping[str, str],
    vocabulary_data: Mapping[str, Any],
    country: str | None,
    rules: RuleSet,
) -> Knowledge:
    """Everything that was read, with its indexes."""
    read = tuple(lists)
    return Knowledge(
        lists=read,
        vocabulary=vocabulary,
        stores=stores,
        country=country,
        rules=rules,
        _risky_index=_index_risky_rows(read),
        _lender_index=_index_lenders(read),
        _vocabulary_data=vocabulary_data,
    )


def _index_risky_rows(lists: Iterable[SignatureList]) -> Mapping[tuple[str, str], tuple[RowRef, ...]]:
    found: dict[tuple[str, str], list[RowRef]] = {}
    for part in lists:
        if part.kind == "lenders":
            continue
        for number, row in enumerate(part.rows, 1):
            for key in row.match_keys:
                found.setdefault(key, []).append((part, number))
    return {key: tuple(places) for key, places in found.items()}


def _index_lenders(lists: Iterable[SignatureList]) -> Mapping[str, RowRef]:
    found: dict[str, RowRef] = {}
    for part in lists:
        for number, row in enumerate(part.rows, 1) if part.kind == "lenders" else ():
            if row.package and (
                row.package not in found or _is_confident((part, number)) > _is_confident(found[row.package])
            ):
                found[row.package] = (part, number)
    return found


def _is_confident(row_ref: RowRef) -> bool:
    part, number = row_ref
    return not (part.rows[number - 1].confidence or part.source.confidence)
