"""One app that any list names, with everything that the lists say of it: the same app on several lists is one entry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from privaudit.knowledge.index import RowRef
from privaudit.knowledge.schema import SignatureRow
from privaudit.knowledge.signatures import SignatureList


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureEntry:
    """An app by its package; rows without a package stand for themselves."""

    row_refs: tuple[RowRef, ...]
    """Where it stands: risky lists first."""

    @property
    def rows(self) -> tuple[SignatureRow, ...]:
        """Its row on each list."""
        return tuple(part.rows[number - 1] for part, number in self.row_refs)

    @property
    def package(self) -> str | None:
        """Its package name, where a list gives one."""
        return self.rows[0].package

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a list calls it by."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.names))

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of its APKs and certificates."""
        return tuple(dict.fromkeys(one for row in self.rows for one in (*row.sha256, *row.certificates)))

    @property
    def countries(self) -> tuple[str, ...]:
        """Where it is offered, as far as the lists say."""
        found = {country for part, number in self.row_refs for country in part.countries_of(part.rows[number - 1])}
        return tuple(sorted(found))

    @property
    def title(self) -> str:
        """What to call it: package, else name, else the start of a digest."""
        return self.package or next(iter(self.names), None) or f"{self.hashes[0][:16]}…"

    def search_texts(self) -> Iterator[str]:
        """Everything by which somebody may look for it."""
        yield from (self.package or "", *self.names, *self.hashes)
        yield from (row.developer or "" for row in self.rows)


def group_entries(lists: Iterable[SignatureList]) -> tuple[SignatureEntry, ...]:
    """Every app of `lists`, by package and then by name."""
    grouped: dict[tuple[str, ...], list[RowRef]] = {}
    for part in sorted(lists, key=lambda part: part.kind != "risky"):
        for number, row in enumerate(part.rows, 1):
            key = (row.package,) if row.package else (part.id, str(number))
            grouped.setdefault(key, []).append((part, number))
    found = (SignatureEntry(row_refs=tuple(places)) for places in grouped.values())
    return tuple(sorted(found, key=lambda entry: (entry.package is None, entry.title.casefold())))


def search_entries(
    entries: Iterable[SignatureEntry],
    words: Sequence[str] = (),
    *,
    country: str | None = None,
    publisher: str | None = None,
) -> tuple[SignatureEntry, ...]:
    """The entries that have all `words` in a package, name, developer or digest; narrowed by country and publisher.

    Capitals and accents do not count, in any script: “prestamo” finds “Préstamo”.
    """
    wanted = [_fold_text(word) for word in words]
    whose = _fold_text(publisher or "")
    return tuple(
        entry
        for entry in entries
        if all(any(word in _fold_text(text) for text in entry.search_texts()) for word in wanted)
        and (country is None or country in entry.countries)
        and any(whose in _fold_text(f"{part.source.publisher} {part.id}") for part, _ in entry.row_refs)
    )


def _fold_text(text: str) -> str:
    split = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in split if unicodedata.category(char) != "Mn")
