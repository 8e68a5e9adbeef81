"""What privaudit knows: published lists, known lenders, and the words of lending. Data files, never code.

Every mistake in every file is reported at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from privaudit.errors import KnowledgeError
from privaudit.knowledge import lists, vocabulary
from privaudit.knowledge.files import Mistakes, read_toml, shipped
from privaudit.knowledge.lists import AppList, Status
from privaudit.knowledge.vocabulary import Vocabulary, Word
from privaudit.model import Listing, ListStamp

__all__ = ["WORDS", "AppList", "Knowledge", "LenderRow", "Vocabulary", "Word", "check", "load"]

WORDS: Final[Mapping[str, str]] = {
    "at_row": "[[{table}]] no. {row}",
    "at_table": "[{table}]",
    "choice": "{file}, {where}: “{key}” is “{found}”, but must be one of {choices}",
    "country": "{file}, {where}: “{found}” is not a country code of two capital letters, such as PK",
    "date": "{file}, {where}: “{found}” is not a date; write 2024, 2024-05 or 2024-05-31",
    "digest": "{file}, {where}: “{found}” is not a SHA-256 digest (64 digits 0-9 and a-f, in small letters)",
    "duplicate": "{file}, {where}: {package} stands in this file already; put both into one row",
    "encoding": "{file}, line {line}: this is not UTF-8; save the file as UTF-8",
    "kind_bool": "true or false, without quotes",
    "kind_list": "a list in square brackets",
    "kind_table": "a table",
    "kind_text": "text in quotes",
    "misplaced_key": "{file}, {where}: “{key}” does not belong here: "
    "lenders have a status, and lists of risky apps have a tier and an action",
    "missing_key": "{file}, {where}: “{key}” is missing",
    "names_nothing": "{file}, {where}: this row names no app; give a package, a name, a digest or a certificate",
    "nested": "{file}: brackets within brackets, too deep to read",
    "no_lists": "{file}: there is no .toml file in this folder",
    "not_shipped": "{file}: the lists that belong to privaudit are not there",
    "not_there": "{file}: no such file or folder",
    "package": "{file}, {where}: “{found}” is not a package name, such as com.example.loan",
    "regex": "{file}, trap {row}: the pattern “{found}” cannot be read ({reason})",
    "too_large": "{file}: larger than {megabytes} MB, so it was not read",
    "toml": "{file}, line {line}: this is not TOML ({reason})",
    "unknown_key": "{file}, {where}: “{key}” is not a key that privaudit knows; is it misspelt?",
    "unreadable": "{file}: the file cannot be opened ({reason})",
    "url": "{file}, {where}: “{found}” is not an address that begins with https:// or http://",
    "wrong_kind": "{file}, {where}: “{key}” must be {kind}",
    "wrong_value": "{file}, {where}: “{key}” cannot be “{found}”",
}

_Place: TypeAlias = tuple[AppList, int]
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
    _risky: Mapping[tuple[str, str], tuple[_Place, ...]] = field(repr=False)
    _lenders: Mapping[str, _Place] = field(repr=False)
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

    def _found(self, match: Literal["package", "apk_sha256", "certificate"], value: str) -> tuple[Listing, ...]:
        places = self._risky.get((match, value), ())
        return tuple(app_list.listing(number, match) for app_list, number in places)

    def lender(self, package: str) -> LenderRow | None:
        """The known lender with exactly this package name; of several lists, the first by file name."""
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
            country=source.country,
            sure=not (row.confidence or source.confidence),
            note=row.note,
        )

    def stamp(self, country: str | None = None) -> ListStamp:
        """How much the lists hold, for `country` or the one chosen before: "not on a list" means nothing without it.

        Only tiers A and B count, as only they make a finding; an app is of a country where its row, or else its list,
        says so.
        """
        country = country or self.country
        counted = [part for part in self.lists if part.kind == "risky" and part.source.tier in {"A", "B"}]
        counted = [part for part in counted if not part.own]
        rows = [(part, row) for part in counted for row in part.rows if row.package]
        dates = [part.source.date for part in counted if part.source.date]
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


def load(*, extra: Sequence[Path] = (), demo: bool = False, country: str | None = None) -> Knowledge:
    """Read the shipped lists and the user's own.

    Args:
        extra: files or folders of the user, in the same format; what they list is of tier "own", whatever they say.
        demo: use the demo's invented lists in place of the shipped ones.
        country: ISO 3166 code, for `Knowledge.stamp`.

    Raises:
        KnowledgeError: the shipped files are not there, or files hold mistakes; `mistakes` has all of all files.
    """
    mistakes = Mistakes()
    folder = shipped()
    words = read_toml(folder / "vocabulary.toml", "vocabulary.toml", mistakes) or {}
    spoken = vocabulary.parse(words, "vocabulary.toml", mistakes) if words else None
    root = resources.files("privaudit") / "demo" / "lists" if demo else folder
    read = [*lists.read_folder(root, mistakes)]
    if not read and not mistakes:
        mistakes.add("not_shipped", file=str(root))  # no lists at all would make every phone look well
    stores = {} if mistakes else _stores(read_toml(folder / "stores.toml", "stores.toml", mistakes) or {}, mistakes)
    for path in extra:
        read += lists.read_own(path, mistakes)
    if mistakes or spoken is None:
        raise KnowledgeError("knowledge_mistakes", tuple(mistakes))
    return Knowledge(
        lists=tuple(read),
        vocabulary=spoken,
        stores=stores,
        country=country,
        _risky=_index(read),
        _lenders=_lenders(read),
        _words=words,
    )


def check(*, extra: Sequence[Path] = ()) -> Knowledge:
    """As `load`, and compile every pattern too. Slower, and made for those who write the files.

    Raises:
        KnowledgeError: as `load`.
    """
    knowledge = load(extra=extra)
    mistakes = Mistakes()
    vocabulary.check_patterns(knowledge.vocabulary.trap, "vocabulary.toml", mistakes)
    if mistakes:
        raise KnowledgeError("knowledge_mistakes", tuple(mistakes))
    return knowledge


def _stores(data: Mapping[str, Any], mistakes: Mistakes) -> Mapping[str, str]:
    stores = data.get("stores", {})
    for package, name in stores.items():
        if not isinstance(name, str):
            mistakes.add("wrong_value", file="stores.toml", where="stores", key=package, found=str(name))
    return {package: str(name) for package, name in stores.items()}


def _index(read: Iterable[AppList]) -> Mapping[tuple[str, str], tuple[_Place, ...]]:
    found: dict[tuple[str, str], tuple[_Place, ...]] = {}
    for part in read:
        if part.kind == "lenders":
            continue
        for number, row in enumerate(part.rows, 1):
            keys = [("package", row.package)] if row.package else []
            keys += [("apk_sha256", digest) for digest in row.sha256]
            keys += [("certificate", digest) for digest in row.certificates]
            for key in keys:
                found[key] = (*found.get(key, ()), (part, number))
    return found


def _lenders(read: Iterable[AppList]) -> Mapping[str, _Place]:
    found: dict[str, _Place] = {}
    for part in read:
        if part.kind == "lenders":
            for number, row in enumerate(part.rows, 1):
                if row.package:
                    found.setdefault(row.package, (part, number))
    return found
