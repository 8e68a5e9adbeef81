"""`Knowledge`: the loaded lists, vocabulary and rules with their indexes, to look apps up in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from privaudit.knowledge.app_names import NameIndex
from privaudit.knowledge.loader import content_sha256
from privaudit.knowledge.rules import RuleSet
from privaudit.knowledge.schema import MatchKind, find_match_keys
from privaudit.knowledge.signatures import RowRef, SignatureList
from privaudit.knowledge.vocabulary import Vocabulary
from privaudit.model import SignatureListInfo, SignatureMatch

FINDING_TIERS: Final = frozenset({"A", "B"})
"""Tiers of the lists whose packages make a finding."""
_NAMING_TIERS: Final = frozenset({"A", "B", "N"})
"""Tiers of the lists whose names are told."""


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
    _risky_index: dict[tuple[str, str], list[RowRef]] = field(default_factory=dict, init=False, repr=False)
    _lender_index: dict[str, RowRef] = field(default_factory=dict, init=False, repr=False)
    _name_indexes: dict[str, NameIndex[RowRef]] = field(default_factory=dict, init=False, repr=False)
    """By country, as they are needed."""

    def __post_init__(self) -> None:
        """Build the indexes."""
        for app_list in self.lists:
            for ref, table in zip(app_list.row_refs, app_list.tables, strict=True):
                package = table.get("package")
                if app_list.kind == "risky":
                    for key in find_match_keys(package, table.get("sha256", ()), table.get("certificates", ())):
                        self._risky_index.setdefault(key, []).append(ref)
                elif package:
                    known = self._lender_index.get(package)
                    if known is None or _rank(ref) > _rank(known):
                        self._lender_index[package] = ref

    def find_matches(self, match_kind: MatchKind, value: str) -> tuple[SignatureMatch, ...]:
        """Return what risky lists say about exactly this package name, APK file or signing certificate."""
        return tuple(ref.to_match(match_kind) for ref in self._risky_index.get((match_kind, value), ()))

    def find_lender(self, package: str) -> RowRef | None:
        """Return the row of the known lender with exactly this package name, from the most confident list.

        To be listed there is neither an accusation nor a recommendation. A list that the user added counts only for
        packages that no other list has.
        """
        return self._lender_index.get(package)

    def find_names(self, label: str, country: str) -> tuple[tuple[RowRef, str], ...]:
        """Return the rows of risky lists for `country` with a name that equals `label`, each with this name.

        Case, blanks, punctuation and what stands behind a dash make no difference. Different apps share names, so this
        is no match: it makes no finding. Rows whose names many apps share (``name_match``), and lists that the user
        added, are left out.
        """
        return self._names_for(country).find(label)

    def _names_for(self, country: str) -> NameIndex[RowRef]:
        if country not in self._name_indexes:
            refs = (ref for ref in self._published_refs(_NAMING_TIERS) if country in ref.countries)
            names = (
                (name, ref) for ref in refs if "name_match" not in ref.table for name in ref.table.get("names", ())
            )
            self._name_indexes[country] = NameIndex(names, self._shared_names)
        return self._name_indexes[country]

    def _shared_names(self) -> Iterator[str]:
        """Yield names of honest apps, as rows or lists of lenders say, and the words for lending."""
        for ref in (ref for app_list in self.lists for ref in app_list.row_refs):
            if "name_match" in ref.table or ref.app_list.kind == "lenders":
                yield from ref.table.get("names", ())
        yield from (term.term for term in self.vocabulary.label)

    def _published_refs(self, tiers: frozenset[str]) -> Iterator[RowRef]:
        """Yield the rows of the risky lists of some tiers that the user did not add."""
        for app_list in self.lists:
            if app_list.kind == "risky" and not app_list.is_user_list and app_list.source.tier in tiers:
                yield from app_list.row_refs

    def describe_lists(self, country: str | None = None) -> SignatureListInfo:
        """Return how much the lists cover, also for `country` or the chosen one.

        Without that, "not on a list" means nothing. Of packages only those of tiers A and B count, as only they make a
        finding; of names those that `find_names` compares. An app belongs to a country where its row, or else its list,
        says so. A list of names alone matches no app, so its date makes only the lists for its country newer.
        """
        country = country or self.country
        refs = [ref for ref in self._published_refs(FINDING_TIERS) if ref.package]
        lists = {f"{app_list.kind}/{app_list.id}": app_list.canonical_json for app_list in self.lists}
        for_country: dict[str, Any] = {}
        if country:
            own = [ref for ref in refs if country in ref.countries]
            for_country = {
                "packages_for_country": len({ref.package for ref in own}),
                "names_for_country": len(self._names_for(country)),
                "newest_for_country": _newest_date((*own, *self._names_for(country).rows)),
            }
        return SignatureListInfo(
            packages=len({ref.package for ref in refs}),
            newest=_newest_date(refs),
            sha256=content_sha256({"vocabulary": self.vocabulary_data, "lists": lists}),
            **{"packages_for_country": None, **for_country},
        )


def _newest_date(refs: Iterable[RowRef]) -> str | None:
    dates = {ref.app_list.source.date for ref in refs}
    return max((date for date in dates if date), default=None)


def _rank(ref: RowRef) -> tuple[bool, bool]:
    return not ref.app_list.is_user_list, ref.confidence is None
