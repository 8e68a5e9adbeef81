"""One app that any list names, with everything that the lists say of it: the same app on several lists is one entry."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from privaudit.knowledge.index import Place
from privaudit.knowledge.schema import Row
from privaudit.knowledge.signatures import AppList


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An app by its package; rows without a package stand for themselves."""

    places: tuple[Place, ...]
    """Where it stands: risky lists first."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Its row on each list."""
        return tuple(part.rows[number - 1] for part, number in self.places)

    @property
    def package(self) -> str | None:
        """Its package name, where a list gives one."""
        return self.rows[0].package

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a list calls it by."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.names))

    @property
    def digests(self) -> tuple[str, ...]:
        """SHA-256 of its APKs and certificates."""
        return tuple(dict.fromkeys(one for row in self.rows for one in (*row.sha256, *row.certificates)))

    @property
    def countries(self) -> tuple[str, ...]:
        """Where it is offered, as far as the lists say."""
        found = {country for part, number in self.places for country in part.countries(part.rows[number - 1])}
        return tuple(sorted(found))

    @property
    def title(self) -> str:
        """What to call it: package, else name, else the start of a digest."""
        return self.package or next(iter(self.names), None) or f"{self.digests[0][:16]}…"

    def texts(self) -> Iterator[str]:
        """Everything by which somebody may look for it."""
        yield from (self.package or "", *self.names, *self.digests)
        yield from (row.developer or "" for row in self.rows)


def entries(lists: Iterable[AppList]) -> tuple[Entry, ...]:
    """Every app of `lists`, by package and then by name."""
    grouped: dict[tuple[str, ...], list[Place]] = {}
    for part in sorted(lists, key=lambda part: part.kind != "risky"):
        for number, row in enumerate(part.rows, 1):
            key = (row.package,) if row.package else (part.id, str(number))
            grouped.setdefault(key, []).append((part, number))
    found = (Entry(places=tuple(places)) for places in grouped.values())
    return tuple(sorted(found, key=lambda entry: (entry.package is None, entry.title.casefold())))


def find(
    every: Iterable[Entry], words: Sequence[str] = (), *, country: str | None = None, publisher: str | None = None
) -> tuple[Entry, ...]:
    """The entries that have all `words` in a package, name, developer or digest; narrowed by country and publisher.

    Capitals and accents do not count, in any script: “prestamo” finds “Préstamo”.
    """
    wanted = [_bare(word) for word in words]
    whose = _bare(publisher or "")
    return tuple(
        entry
        for entry in every
        if all(any(word in _bare(text) for text in entry.texts()) for word in wanted)
        and (country is None or country in entry.countries)
        and any(whose in _bare(f"{part.source.publisher} {part.id}") for part, _ in entry.places)
    )


def _bare(text: str) -> str:
    split = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in split if unicodedata.category(char) != "Mn")
