"""`Knowledge`: the loaded lists, vocabulary and rules with their indexes, to look apps up in.

`NameIndex` compares names of apps as people read them. Apps share names, so an equal name is never a match of a list:
see `privaudit.findings.named`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

from privaudit.knowledge.label_readings import drop_invisible
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
_MAX_NAME_CHARS: Final = 200
"""Characters of a name that is compared. No list has one that is longer."""
_MAX_CACHED_NAMES: Final = 20_000
_MIN_FOLDED_CHARS: Final = 3
"""A shorter name, once it is folded, is that of too many apps."""
_LATIN: Final = "[0-9A-Za-z\u00c0-\u024f\u1e00-\u1eff]"
_PLAIN: Final = re.compile("[ -~\u00c0-\u00ff\u2013\u2014]*")
"""Text in which all is seen, and nothing has another form or combines: most names, and quicker to fold."""
_DASH: Final = re.compile(f"[\u2012-\u2015]|--|(?<!{_LATIN})[-\u2010\u2212]|[-\u2010\u2212](?!{_LATIN})")
"""What a tail begins with. A hyphen between Latin letters or digits belongs to a word: ``E-Cash``."""
_NO_LETTERS: Final = re.compile(r"[\W_]+")
_PLAIN_START: Final = re.compile(r"[\W_]*([^\W_])" * _MIN_FOLDED_CHARS)
RowT = TypeVar("RowT")


@lru_cache(maxsize=_MAX_CACHED_NAMES)
def fold_with_and_without_tail(name: str) -> tuple[str | None, str | None]:
    """Return `name` folded, and what stands before its first dash: of ``Kredit Cepat - Pinjaman`` ``kreditcepat``.

    Folded is without case, blanks, punctuation and what nobody sees; compatible forms of characters are equal (NFKC),
    accents are not left out. ``None`` for what has too little in it, and for the second of a name without a dash.
    """
    if len(name) > _MAX_NAME_CHARS:
        return None, None
    visible = name if _PLAIN.fullmatch(name) else drop_invisible(name)
    dash = _DASH.search(visible)
    return _fold(visible), dash and _fold(visible[: dash.start()])


def _fold(visible: str) -> str | None:
    folded = visible.casefold()
    if _PLAIN.fullmatch(visible):
        folded = _NO_LETTERS.sub("", folded)
    else:
        folded = "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M")
    return folded if len(folded) >= _MIN_FOLDED_CHARS and any(map(str.isalpha, folded)) else None


class NameIndex(Generic[RowT]):
    """The names that lists give for one country, to look labels up in.

    Names are folded only when a label begins like them: lists have thousands, and a phone a few lending apps.
    """

    def __init__(self, names: Iterable[tuple[str, RowT]], shared_names: Callable[[], Iterable[str]]) -> None:
        """Index `names`, each with its row. `shared_names` returns names that many apps have."""
        self._names_by_start: dict[str, list[tuple[str, RowT]]] = {}
        self._shared_names = shared_names
        for name, row in names:
            self._names_by_start.setdefault(_start_of(name), []).append((name, row))

    def __len__(self) -> int:
        """Return the number of different names."""
        return len({name.casefold() for names in self._names_by_start.values() for name, _ in names})

    @property
    def rows(self) -> Iterator[RowT]:
        """Every row, once for each of its names."""
        return (row for names in self._names_by_start.values() for _, row in names)

    def find(self, label: str) -> tuple[tuple[RowT, str], ...]:
        """Return the rows with a name that equals `label`, tails aside, each with the name as its list writes it.

        What stands before the tail of a list's name may be a word that many apps have for a name, so it counts only if
        it is not among the shared names.
        """
        labels = frozenset(filter(None, fold_with_and_without_tail(label)))
        found = []
        for name, row in self._names_by_start.get(min(labels, default="")[:_MIN_FOLDED_CHARS], ()):
            whole, without_tail = fold_with_and_without_tail(name)
            if whole in labels or (without_tail in labels and not self._is_shared(without_tail)):
                found.append((row, name))
        return tuple(dict.fromkeys(found))

    def _is_shared(self, folded: str | None) -> bool:
        start = (folded or "")[:_MIN_FOLDED_CHARS]
        similar = (name for name in self._shared_names() if _start_of(name) == start)
        return any(fold_with_and_without_tail(name)[0] == folded for name in similar)


def _start_of(name: str) -> str:
    """Return with what the folded name begins, without folding a plain one; empty: it equals no label."""
    if not _PLAIN.fullmatch(name):
        return (fold_with_and_without_tail(name)[0] or "")[:_MIN_FOLDED_CHARS]
    start = _PLAIN_START.match(name.casefold())
    return "".join(start.groups()) if start else ""


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
