"""Summarise lists: how many packages and names each publisher lists for each country, and how new that is."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

from privaudit.knowledge.export import SIGNATURES_SCHEMA
from privaudit.knowledge.index import FINDING_TIERS
from privaudit.knowledge.signatures import RowRef
from privaudit.model import SignatureListInfo

_LAST_CODE: Final = "ZZZ"
"""Sorts rows without a country behind all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSummaryRow:
    """What one publisher lists for one country, or all lists that make a finding together."""

    country: str | None
    """ISO 3166 code; ``None``: what the lists have for no country in particular."""
    tier: str | None
    """``None``: a list of lenders, or the row of all lists of tiers A and B."""
    publisher: str | None
    """``None``: all lists of tiers A and B."""
    packages: int
    names: int
    newest: str | None
    """Newest date of a list; ``None``: none has a date."""


def summarise_rows(refs: Iterable[RowRef], countries: Iterable[str]) -> Iterator[ListSummaryRow]:
    """Yield for each country the lists of tiers A and B together, then each publisher, the longest lists first.

    `countries` are told of even where no row is for them.
    """
    by_country: defaultdict[str | None, list[RowRef]] = defaultdict(list, {country: [] for country in countries})
    for ref in refs:
        for country in ref.countries or (None,):
            by_country[country].append(ref)
    for country in sorted(by_country, key=lambda code: code or _LAST_CODE):
        by_list: defaultdict[tuple[str | None, str], list[RowRef]] = defaultdict(list)
        for ref in by_country[country]:
            by_list[_tier(ref), ref.app_list.source.publisher].append(ref)
        yield _summarise(country, None, None, (ref for ref in by_country[country] if _tier(ref) in FINDING_TIERS))
        rows = [_summarise(country, tier, publisher, own) for (tier, publisher), own in by_list.items()]
        yield from sorted(rows, key=lambda row: (-row.packages, -row.names, row.publisher or "", row.tier or ""))


def summary_to_json(rows: Iterable[ListSummaryRow], list_info: SignatureListInfo) -> str:
    """Return the summary as a ``privaudit-signatures/1`` document."""
    document = {"schema": SIGNATURES_SCHEMA, "lists": asdict(list_info), "summary": [asdict(row) for row in rows]}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _tier(ref: RowRef) -> str | None:
    return "own" if ref.app_list.is_user_list else ref.app_list.source.tier


def _summarise(country: str | None, tier: str | None, publisher: str | None, refs: Iterable[RowRef]) -> ListSummaryRow:
    refs = tuple(refs)
    return ListSummaryRow(
        country=country,
        tier=tier,
        publisher=publisher,
        packages=len({ref.row.package for ref in refs if ref.row.package}),
        names=len({name for ref in refs for name in ref.row.names}),
        newest=max((ref.app_list.source.date or "" for ref in refs), default="") or None,
    )
