"""What privaudit knows: published lists, known lenders, the words of lending, and rules. Data files, never code.

Every mistake in every file is reported at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from privaudit.errors import KnowledgeError
from privaudit.knowledge import releases, rules, signatures, vocabulary
from privaudit.knowledge.index import Knowledge, LenderRow, build
from privaudit.knowledge.loader import Mistakes, read_toml
from privaudit.knowledge.signatures import AppList
from privaudit.knowledge.vocabulary import Vocabulary, Word

__all__ = ["AppList", "Knowledge", "LenderRow", "Parts", "Vocabulary", "Word", "load", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What could be read of a folder of lists."""

    lists: tuple[AppList, ...]
    vocabulary: Vocabulary | None
    stores: Mapping[str, str]
    words: Mapping[str, Any]
    """The vocabulary as plain TOML values."""


def load(
    *,
    extra: Sequence[Path] = (),
    demo: bool = False,
    country: str | None = None,
    folder: Traversable | None = None,
) -> Knowledge:
    """Read the lists in force and the user's own.

    Args:
        extra: files or folders of the user, in the same format; what they list is of tier "own", whatever they say.
        demo: use the demo's invented lists in place of the real ones.
        country: ISO 3166 code, for `Knowledge.stamp`.
        folder: read the lists here; else the shipped ones, or newer ones that `signatures update` took.

    Raises:
        KnowledgeError: the files are not there, or hold mistakes; `mistakes` has all of all files.
    """
    mistakes = Mistakes()
    place = folder or releases.in_force()
    parts = read(place, mistakes, extra=extra, demo=demo)
    if mistakes and folder is None and place == releases.taken() and not extra:
        raise KnowledgeError("errors.knowledge_taken", tuple(mistakes), path=str(place))
    book = rules.read(mistakes)
    if mistakes or parts.vocabulary is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    return build(parts.lists, parts.vocabulary, parts.stores, parts.words, country, book)


def read(folder: Traversable, mistakes: Mistakes, *, extra: Sequence[Path] = (), demo: bool = False) -> Parts:
    """Whatever can be read; what is wrong goes to `mistakes`."""
    words = read_toml(folder / "vocabulary.toml", "vocabulary.toml", mistakes) or {}
    spoken = vocabulary.parse(words, "vocabulary.toml", mistakes) if words else None
    root = resources.files("privaudit") / "data" / "demo" / "lists" if demo else folder
    found = [*signatures.read_folder(root, mistakes)]
    if not found and not mistakes:
        mistakes.add("knowledge.not_shipped", file=str(root))  # no lists at all would make every phone look well
    stores = {} if mistakes else _stores(read_toml(folder / "stores.toml", "stores.toml", mistakes) or {}, mistakes)
    for path in extra:
        found += signatures.read_own(path, mistakes)
    return Parts(lists=tuple(found), vocabulary=spoken, stores=stores, words=words)


def _stores(data: Mapping[str, Any], mistakes: Mistakes) -> Mapping[str, str]:
    stores = data.get("stores", {})
    for package, name in stores.items():
        if not isinstance(name, str):
            mistakes.add("knowledge.wrong_value", file="stores.toml", where="stores", key=package, found=str(name))
    return {package: str(name) for package, name in stores.items()}
