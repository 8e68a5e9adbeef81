"""`Knowledge`: the loaded lists, vocabulary and rules with their indexes, to look apps up in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from privaudit.knowledge.loader import content_sha256
from privaudit.knowledge.rules import RuleSet
from privaudit.knowledge.schema import MatchKind
from privaudit.knowledge.signatures import RowRef, SignatureList
from privaudit.knowledge.vocabulary import Vocabulary
from privaudit.model import SignatureListInfo, SignatureMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All lists, words and rules, with lookups by package name, APK and certificate."""

    lists: tuple[SignatureList, ...]
    vocabulary: Vocabulary
    stores: Mapping[str, str]
    """App stores: installer package name → name."""
    country: str | None
    """The chosen country, ISO 3166 code; ``None``: no country was chosen."""
    rules: RuleSet
    """What countries and stores say about the permissions of lending apps; see `privaudit.findings.legal_rules`."""
    vocabulary_data: Mapping[str, Any] = field(repr=False)
    """The vocabulary as plain TOML values."""
    _risky_index: dict[tuple[str, str], list[RowRef]] = field(init=False, repr=False)
    _lender_index: dict[str, RowRef] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Build the indexes."""
        risky_index: dict[tuple[str, str], list[RowRef]] = {}
        lender_index: dict[str, RowRef] = {}
        for ref in (ref for app_list in self.lists for ref in app_list.row_refs):
            package = ref.row.package
            if ref.app_list.kind == "risky":
                for key in ref.row.match_keys:
                    risky_index.setdefault(key, []).append(ref)
            elif package and (package not in lender_index or _rank(ref) > _rank(lender_index[package])):
                lender_index[package] = ref
        object.__setattr__(self, "_risky_index", risky_index)
        object.__setattr__(self, "_lender_index", lender_index)

    def find_matches(self, match_kind: MatchKind, value: str) -> tuple[SignatureMatch, ...]:
        """Return what risky lists say about exactly this package name, APK file or signing certificate."""
        return tuple(ref.to_match(match_kind) for ref in self._risky_index.get((match_kind, value), ()))

    def find_lender(self, package: str) -> RowRef | None:
        """Return the row of the known lender with exactly this package name, from the most confident list.

        To be listed there is neither an accusation nor a recommendation. A list that the user added counts only for
        packages that no other list has.
        """
        return self._lender_index.get(package)

    def describe_lists(self, country: str | None = None) -> SignatureListInfo:
        """Return how many apps the lists cover, also in `country` or the chosen one.

        Without that, "not on a list" means nothing. Only tiers A and B count, as only they make a finding. An app
        belongs to a country where its row, or else its list, says so. A list of names alone matches no app, so its date
        does not make the lists newer.
        """
        country = country or self.country
        refs = [
            ref
            for app_list in self.lists
            if app_list.kind == "risky" and app_list.source.tier in {"A", "B"} and not app_list.is_user_list
            for ref in app_list.row_refs
            if ref.row.package
        ]
        lists = {f"{app_list.kind}/{app_list.id}": app_list.toml_data for app_list in self.lists}
        dates = {ref.app_list.source.date for ref in refs if ref.app_list.source.date}
        return SignatureListInfo(
            packages=len({ref.row.package for ref in refs}),
            packages_for_country=len({ref.row.package for ref in refs if country in ref.countries})
            if country
            else None,
            newest=max(dates, default=None),
            sha256=content_sha256({"vocabulary": self.vocabulary_data, "lists": lists}),
        )


def _rank(ref: RowRef) -> tuple[bool, bool]:
    return not ref.app_list.is_user_list, ref.confidence is None
