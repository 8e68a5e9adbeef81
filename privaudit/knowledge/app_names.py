"""Compare names of apps as people read them, and index the names on lists for one country.

Apps share names, so an equal name is never a match of a list: see `privaudit.findings.named`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from privaudit.knowledge.label_readings import drop_invisible

RowT = TypeVar("RowT")

_MAX_NAME_CHARS: Final = 200
"""Characters of a name that is compared. No list has one that is longer."""
_MIN_FOLDED_CHARS: Final = 3
"""A shorter name, once it is folded, is that of too many apps."""
_LATIN: Final = "[0-9A-Za-z\u00c0-\u024f\u1e00-\u1eff]"
_DASH: Final = re.compile(f"[\u2012-\u2015]|--|(?<!{_LATIN})[-\u2010\u2212]|[-\u2010\u2212](?!{_LATIN})")
"""What a tail begins with. A hyphen between Latin letters or digits belongs to a word: ``E-Cash``."""
_NO_LETTERS: Final = re.compile(r"[\W_]+")


def fold_name(name: str) -> str | None:
    """Return `name` without case, blanks, punctuation and what nobody sees; ``None`` if too little is left of it.

    Compatible forms of characters are equal (NFKC); accents are not left out.
    """
    visible = _visible_text(name)
    return None if visible is None else _fold(visible)


def fold_without_tail(name: str) -> str | None:
    """Return what stands before the first dash, folded: of ``Kredit Cepat - Pinjaman Online`` ``kreditcepat``.

    ``None`` if there is no dash, or if too little stands before it.
    """
    visible = _visible_text(name)
    dash = None if visible is None else _DASH.search(visible)
    return None if visible is None or dash is None else _fold(visible[: dash.start()])


class NameIndex(Generic[RowT]):
    """The names that lists give for one country, to look labels up in."""

    def __init__(self, names: Iterable[tuple[str, RowT]], shared_names: Callable[[], frozenset[str]]) -> None:
        """Index `names`, each with its row. `shared_names` returns the folded names that many apps have.

        Their authors leave the tail of a name away as often as not, so what stands before it is indexed, too; but
        that may be a word that many apps have for a name, so it counts only if it is not among the shared names.
        """
        self._whole: dict[str, list[tuple[RowT, str]]] = {}
        self._without_tail: dict[str, list[tuple[RowT, str]]] = {}
        self._shared_names = shared_names
        for name, row in names:
            for index, folded in ((self._whole, fold_name(name)), (self._without_tail, fold_without_tail(name))):
                if folded is not None:
                    index.setdefault(folded, []).append((row, name))

    def __len__(self) -> int:
        """Return the number of different names."""
        return len(self._whole)

    @property
    def rows(self) -> Iterator[RowT]:
        """Every row, once for each of its names."""
        return (row for matches in self._whole.values() for row, _ in matches)

    def find(self, label: str) -> tuple[tuple[RowT, str], ...]:
        """Return the rows with a name that equals `label`, tails aside, each with the name as its list writes it."""
        keys = [key for key in (fold_name(label), fold_without_tail(label)) if key is not None]
        found = [match for key in keys for match in self._whole.get(key, ())]
        if any(key in self._without_tail for key in keys):
            shared = self._shared_names()
            found += [match for key in keys if key not in shared for match in self._without_tail.get(key, ())]
        return tuple(dict.fromkeys(found))


def _visible_text(name: str) -> str | None:
    if len(name) > _MAX_NAME_CHARS:
        return None
    return name if name.isascii() else drop_invisible(name)


def _fold(text: str) -> str | None:
    folded = text.casefold()
    if folded.isascii():
        folded = _NO_LETTERS.sub("", folded)
    else:
        folded = "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M")
    return folded if len(folded) >= _MIN_FOLDED_CHARS and any(map(str.isalpha, folded)) else None
