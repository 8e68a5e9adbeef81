"""What privaudit knows about apps: lists of risky apps, known lenders, the vocabulary of lending, and legal rules.

All of it is read from data files (``signatures`` and ``privaudit/data``), and all problems of all files are reported at
once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from privaudit.errors import KnowledgeError
from privaudit.knowledge import loader, releases, rules, signatures
from privaudit.knowledge.index import Knowledge
from privaudit.knowledge.loader import NOT_COMPILED, CompiledFile, CompiledFiles, Problems
from privaudit.knowledge.schema import Sdk, SdkFile
from privaudit.knowledge.signatures import SignatureList
from privaudit.knowledge.vocabulary import Vocabulary

__all__ = ["Knowledge", "LoadedFiles", "load_knowledge", "read_knowledge_files"]


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
    """Load the lists in `folder`, by default the active one, and the user's own in `extra_lists`, all of tier "own".

    With `demo`, the lists are the invented ones of the demo. Raises `KnowledgeError` if files are missing or contain
    errors; its `problems` lists those of all files.
    """
    problems = Problems()
    root = folder or releases.active_folder()
    compiled = loader.read_compiled(root)
    files = read_knowledge_files(root, problems, extra_lists=extra_lists, demo=demo, compiled=compiled)
    if problems and folder is None and root == releases.updated_folder() and not extra_lists:
        raise KnowledgeError("errors.knowledge_taken", tuple(problems), path=str(root))
    rule_set = rules.read_rules(problems)
    if problems or files.vocabulary is None:
        raise KnowledgeError("errors.knowledge_mistakes", tuple(problems))
    return Knowledge(
        lists=files.lists,
        vocabulary=files.vocabulary,
        stores=files.stores,
        country=country,
        rules=rule_set,
        vocabulary_data=files.vocabulary_data,
    )


def compile_lists(folder: Traversable) -> bytes:
    """Return the content of ``compiled.txt`` for the vocabulary and the lists in `folder` that have no problems."""
    files = read_knowledge_files(folder, Problems())
    parts = [CompiledFile(part.kind, (folder / part.file).read_bytes(), part.canonical_json) for part in files.lists]
    if files.vocabulary is not None:
        toml = (folder / "vocabulary.toml").read_bytes()
        parts.append(CompiledFile("vocabulary", toml, loader.to_canonical_json(files.vocabulary_data)))
    return loader.encode_compiled(parts)


def read_knowledge_files(
    folder: Traversable,
    problems: Problems,
    *,
    extra_lists: Sequence[Path] = (),
    demo: bool = False,
    compiled: CompiledFiles = NOT_COMPILED,
) -> LoadedFiles:
    """Read what can be read, and add everything else to `problems`. Other arguments as for `load_knowledge`.

    What is in `compiled` is not parsed and validated again.
    """
    file_name = "vocabulary.toml"
    vocabulary_data, _ = loader.read_compiled_toml(folder / file_name, file_name, problems, compiled, "vocabulary")
    vocabulary = loader.validate_data(Vocabulary, vocabulary_data, file_name, problems) if vocabulary_data else None
    list_folder = resources.files("privaudit") / "data" / "demo" / "lists" if demo else folder
    lists = [*signatures.read_list_folder(list_folder, problems, compiled)]
    if not lists and not problems:
        problems.add("knowledge.not_shipped", file=str(list_folder))  # without lists, no app would ever be a risk
    stores = (
        {} if problems else (loader.read_toml(folder / "stores.toml", "stores.toml", problems) or {}).get("stores", {})
    )
    for package, name in stores.items():
        if not isinstance(name, str):
            problems.add("knowledge.wrong_value", file="stores.toml", where="stores", key=package, found=str(name))
    for path in extra_lists:
        lists += signatures.read_user_lists(path, problems)
    return LoadedFiles(lists=tuple(lists), vocabulary=vocabulary, stores=stores, vocabulary_data=vocabulary_data or {})


def read_sdks(folder: Traversable, problems: Problems) -> tuple[Sdk, ...]:
    """Return the SDKs that `folder` lists; what is wrong goes to `problems`."""
    file = loader.read_typed_toml(SdkFile, folder / "sdks.toml", "sdks.toml", problems)
    return file.sdk if file else ()
