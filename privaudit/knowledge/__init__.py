"""What privaudit knows about apps: lists of risky apps, known lenders, the vocabulary of lending, and legal rules.

All of it is read from data files (``signatures`` and ``privaudit/data``), and all problems of all files are reported at
once.
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
    """The content of a folder of lists, as far as it could be read."""

    lists: tuple[SignatureList, ...]
    vocabulary: Vocabulary | None
    stores: Mapping[str, str]
    """Installer package name → name of the app store."""
    vocabulary_data: Mapping[str, Any]
    """The vocabulary as plain TOML values."""


def load_knowledge(
    *,
    extra_lists: Sequence[Path] = (),
    demo: bool = False,
    country: str | None = None,
    folder: Traversable | None = None,
) -> Knowledge:
    """Load the active lists and the user's own.

    Args:
        extra_lists: files or folders of the user, in the same format; all their rows are of tier "own".
        demo: use the invented lists of the demo instead of the real ones.
        country: the chosen country, ISO 3166 code.
        folder: load the lists from this folder instead of the active one.

    Raises:
        KnowledgeError: files are missing or contain errors; `problems` lists those of all files.
    """
    problems = Problems()
    root = folder or releases.active_folder()
    files = read_knowledge_files(root, problems, extra_lists=extra_lists, demo=demo)
    if problems and folder is None and root == releases.updated_folder() and not extra_lists:
        raise KnowledgeError("errors.knowledge_taken", tuple(problems), path=str(root))
    rule_set = rules.read_rules(problems)
    if problems or files.vocabulary is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(problems))
    return build_knowledge(files.lists, files.vocabulary, files.stores, files.vocabulary_data, country, rule_set)


def read_knowledge_files(
    folder: Traversable, problems: Problems, *, extra_lists: Sequence[Path] = (), demo: bool = False
) -> LoadedFiles:
    """Read what can be read, and add everything else to `problems`. Arguments as for `load_knowledge`."""
    vocabulary_data = read_toml(folder / "vocabulary.toml", "vocabulary.toml", problems) or {}
    parsed_vocabulary = (
        vocabulary.parse_vocabulary(vocabulary_data, "vocabulary.toml", problems) if vocabulary_data else None
    )
    list_folder = resources.files("privaudit") / "data" / "demo" / "lists" if demo else folder
    lists = [*signatures.read_list_folder(list_folder, problems)]
    if not lists and not problems:
        problems.add("knowledge.not_shipped", file=str(list_folder))  # without lists, no app would ever be a risk
    stores = {} if problems else _read_stores(folder, problems)
    for path in extra_lists:
        lists += signatures.read_user_lists(path, problems)
    return LoadedFiles(lists=tuple(lists), vocabulary=parsed_vocabulary, stores=stores, vocabulary_data=vocabulary_data)


def _read_stores(folder: Traversable, problems: Problems) -> Mapping[str, str]:
    data = read_toml(folder / "stores.toml", "stores.toml", problems) or {}
    stores = data.get("stores", {})
    for package, name in stores.items():
        if not isinstance(name, str):
            problems.add("knowledge.wrong_value", file="stores.toml", where="stores", key=package, found=str(name))
    return {package: str(name) for package, name in stores.items()}
