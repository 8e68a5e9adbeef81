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
from privaudit.knowledge.index import Knowledge, KnownLender, build_knowledge
from privaudit.knowledge.loader import Problems, read_toml
from privaudit.knowledge.signatures import SignatureList
from privaudit.knowledge.vocabulary import NameVerdict, Vocabulary

__all__ = [
    "Knowledge",
    "KnownLender",
    "LoadedFiles",
    "NameVerdict",
    "SignatureList",
    "Vocabulary",
    "load_knowledge",
    "read_knowledge_files",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFiles:
    """What could be read of a folder of lists."""

    lists: tuple[SignatureList, ...]
    vocabulary: Vocabulary | None
    stores: Mapping[str, str]
    vocabulary_data: Mapping[str, Any]
    """The vocabulary as plain TOML values."""


def load_knowledge(
    *,
    extra_lists: Sequence[Path] = (),
    demo: bool = False,
    country: str | None = None,
    folder: Traversable | None = None,
) -> Knowledge:
    """Read the lists in force and the user's own.

    Args:
        extra_lists: files or folders of the user, in the same format; what they list is of tier "own", whatever they say.
        demo: use the demo's invented lists in place of the real ones.
        country: ISO 3166 code, for `Knowledge.stamp`.
        folder: read the lists here; else the shipped ones, or newer ones that `signatures update` took.

    Raises:
        KnowledgeError: the files are not there, or hold mistakes; `mistakes` has all of all files.
    """
    mistakes = Problems()
    place = folder or releases.active_folder()
    parts = read_knowledge_files(place, mistakes, extra_lists=extra_lists, demo=demo)
    if mistakes and folder is None and place == releases.updated_folder() and not extra_lists:
        raise KnowledgeError("errors.knowledge_taken", tuple(mistakes), path=str(place))
    book = rules.read_rules(mistakes)
    if mistakes or parts.vocabulary is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(mistakes))
    return build_knowledge(parts.lists, parts.vocabulary, parts.stores, parts.vocabulary_data, country, book)


def read_knowledge_files(
    folder: Traversable, problems: Problems, *, extra_lists: Sequence[Path] = (), demo: bool = False
) -> LoadedFiles:
    """Whatever can be read; what is wrong goes to `problems`."""
    words = read_toml(folder / "vocabulary.toml", "vocabulary.toml", problems) or {}
    spoken = vocabulary.parse_vocabulary(words, "vocabulary.toml", problems) if words else None
    root = resources.files("privaudit") / "data" / "demo" / "lists" if demo else folder
    found = [*signatures.read_list_folder(root, problems)]
    if not found and not problems:
        problems.add("knowledge.not_shipped", file=str(root))  # no lists at all would make every phone look well
    stores = (
        {} if problems else _parse_stores(read_toml(folder / "stores.toml", "stores.toml", problems) or {}, problems)
    )
    for path in extra_lists:
        found += signatures.read_user_lists(path, problems)
    return LoadedFiles(lists=tuple(found), vocabulary=spoken, stores=stores, vocabulary_data=words)


def _parse_stores(data: Mapping[str, Any], problems: Problems) -> Mapping[str, str]:
    stores = data.get("stores", {})
    for package, name in stores.items():
        if not isinstance(name, str):
            problems.add("knowledge.wrong_value", file="stores.toml", where="stores", key=package, found=str(name))
    return {package: str(name) for package, name in stores.items()}
