"""Compare names of apps as people read them, and index the names on lists for one country.

Apps share names, so an equal name is never a match of a list: see `privaudit.findings.named`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final, Generic, TypeVar

from privaudit.knowledge.label_readings import drop_invisible

RowT = TypeVar("RowT")

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


def fold_name(name: str) -> str | None:
    """Return `name` without case, blanks, punctuation and what nobody sees; ``None`` if too little is left of it.

    Compatible forms of characters are equal (NFKC); accents are not left out.
    """
    return fold_with_and_without_tail(name)[0]


@lru_cache(maxsize=_MAX_CACHED_NAMES)
def fold_with_and_without_tail(name: str) -> tuple[str | None, str | None]:
    """Return `name` folded, and what stands before its first dash: of ``Kredit Cepat - Pinjaman`` ``kreditcepat``.

    ``None`` for what has too little in it, and for the second of a name without a dash.
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
        return any(_start_of(name) == start and fold_name(name) == folded for name in self._shared_names())


def _start_of(name: str) -> str:
    """Return with what the folded name begins, without folding a plain one; empty: it equals no label."""
    if not _PLAIN.fullmatch(name):
        return (fold_name(name) or "")[:_MIN_FOLDED_CHARS]
    start = _PLAIN_START.match(name.casefold())
    return "".join(start.groups()) if start else ""
