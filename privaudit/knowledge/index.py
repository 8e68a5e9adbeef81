"""`Knowledge`: the loaded lists, vocabulary and rules with their indexes, to look apps up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from privaudit.knowledge.loader import content_sha256
from privaudit.knowledge.rules import RuleSet
from privaudit.knowledge.schema import LenderStatus, MatchKind
from privaudit.knowledge.signatures import RowRef, SignatureList
from privaudit.knowledge.vocabulary import Vocabulary
from privaudit.model import SignatureListInfo, SignatureMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLender:
    """An app that is known to lend. To be listed here is neither an accusation nor a recommendation."""

    signature: str
    """``LIST#ROW``."""
    package: str
    names: tuple[str, ...]
    status: LenderStatus
    """``licensed`` only where the source itself states a licence."""
    publisher: str
    date: str | None
    country: str | None
    is_confident: bool
    """False where no institution vouches for the collection that names it."""
    note: str | None
    is_user_list: bool = False
    """Whether it is only on a list that the user added: nothing shows that its publisher is who the list says."""

    @property
    def has_embedded_lending(self) -> bool:
        """Whether it is a wallet or shop app that also lends."""
        return self.status == "embeds_lending"


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
    _risky_index: Mapping[tuple[str, str], Sequence[RowRef]] = field(repr=False)
    _lender_index: Mapping[str, RowRef] = field(repr=False)
    _vocabulary_data: Mapping[str, Any] = field(repr=False)

    def match_package(self, package: str) -> tuple[SignatureMatch, ...]:
        """Return the rows of risky lists with exactly this package name."""
        return self._find_matches("package", package)

    def match_apk(self, sha256: str) -> tuple[SignatureMatch, ...]:
        """Return the rows of risky lists with exactly this APK file."""
        return self._find_matches("apk_sha256", sha256)

    def match_certificate(self, sha256: str) -> tuple[SignatureMatch, ...]:
        """Return the rows of risky lists with this signing certificate."""
        return self._find_matches("certificate", sha256)

    def _find_matches(self, match_kind: MatchKind, value: str) -> tuple[SignatureMatch, ...]:
        return tuple(ref.to_match(match_kind) for ref in self._risky_index.get((match_kind, value), ()))

    def find_lender(self, package: str) -> KnownLender | None:
        """Return the known lender with exactly this package name, from the most confident list.

        A list that the user added counts only for packages that no other list has.
        """
        ref = self._lender_index.get(package)
        if ref is None:
            return None
        row, source = ref.row, ref.app_list.source
        return KnownLender(
            signature=ref.signature,
            package=package,
            names=row.names,
            status=row.status or source.status or "market_lender",
            publisher=source.publisher,
            date=source.date,
            country=source.country or next(iter(row.countries), None),
            is_confident=_is_confident(ref),
            note=row.note,
            is_user_list=ref.app_list.is_user_list,
        )

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
            sha256=content_sha256({"vocabulary": self._vocabulary_data, "lists": lists}),
        )


def build_knowledge(
    lists: tuple[SignatureList, ...],
    vocabulary: Vocabulary,
    stores: Mapping[str, str],
    vocabulary_data: Mapping[str, Any],
    country: str | None,
    rules: RuleSet,
) -> Knowledge:
    """Return `Knowledge` with its indexes built."""
    risky_index: dict[tuple[str, str], list[RowRef]] = {}
    lender_index: dict[str, RowRef] = {}
    for app_list in lists:
        for ref in app_list.row_refs:
            package = ref.row.package
            if app_list.kind == "risky":
                for key in ref.row.match_keys:
                    risky_index.setdefault(key, []).append(ref)
            elif package and (package not in lender_index or _rank(ref) > _rank(lender_index[package])):
                lender_index[package] = ref
    return Knowledge(
        lists=lists,
        vocabulary=vocabulary,
        stores=stores,
        country=country,
        rules=rules,
        _risky_index=risky_index,
        _lender_index=lender_index,
        _vocabulary_data=vocabulary_data,
    )


def _is_confident(ref: RowRef) -> bool:
    return not (ref.row.confidence or ref.app_list.source.confidence)


def _rank(ref: RowRef) -> tuple[bool, bool]:
    return not ref.app_list.is_user_list, _is_confident(ref)
