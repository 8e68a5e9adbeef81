"""Finds and reads data files. What is wrong with them is collected, never raised one by one."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from privaudit.errors import KnowledgeError
from privaudit.model import Message, Value

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of one data file. A list of ten thousand apps has about two million."""

T = TypeVar("T")

_LINE = re.compile(r"at line (\d+)")

_BY_KEY: Final[Mapping[str, str]] = {
    "package": "knowledge.package",
    "sha256": "knowledge.digest",
    "certificates": "knowledge.digest",
    "date": "knowledge.date",
    "country": "knowledge.country",
    "countries": "knowledge.country",
    "url": "knowledge.url",
}
"""The mistake that a value of this key can hold, beside being of the wrong kind."""

_KINDS: Final[Mapping[str, str]] = {
    "string_type": "knowledge.kind_text",
    "tuple_type": "knowledge.kind_list",
    "bool_parsing": "knowledge.kind_bool",
    "bool_type": "knowledge.kind_bool",
    "dataclass_type": "knowledge.kind_table",
}


class Mistakes(list[Message]):
    """Everything that is wrong, in the order of the files."""

    def add(self, mistake: str, **values: Value) -> None:
        """One more; `mistake` is a message key."""
        self.append(Message(key=mistake, values=values))


def shipped() -> Traversable:
    """The lists and words that came with privaudit: in the wheel, or at the top of a checkout.

    Raises:
        KnowledgeError: neither is there.
    """
    package = resources.files("privaudit")
    folders: tuple[Traversable, ...] = (package / "_signatures", Path(str(package)).parent / "signatures")
    for folder in folders:
        if (folder / "vocabulary.toml").is_file():
            return folder
    mistake = Message(key="knowledge.not_shipped", values={"file": str(folders[0])})
    raise KnowledgeError("errors.knowledge_missing", (mistake,))


def toml_files(folder: Traversable) -> list[Traversable]:
    """The TOML files directly in `folder`, by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)


def read_toml(file: Traversable, name: str, mistakes: Mistakes) -> dict[str, Any] | None:
    """What stands in `file`, which is called `name` when something is wrong; then ``None``."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        mistakes.add("knowledge.unreadable", file=name, reason=error.strerror or type(error).__name__)
        return None
    if len(data) > LARGEST:
        mistakes.add("knowledge.too_large", file=name, megabytes=LARGEST // 1024**2)
        return None
    try:
        # Windows' Notepad used to put a byte order mark in front of UTF-8.
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        mistakes.add("knowledge.encoding", file=name, line=data.count(b"\n", 0, error.start) + 1)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        # Without a line the end of the file came too early: say the last one.
        mistakes.add(
            "knowledge.toml", file=name, line=int(found[1]) if found else data.count(b"\n") + 1, reason=str(error)
        )
    except RecursionError:
        mistakes.add("knowledge.nested", file=name)
    return None


def validate(
    adapter: TypeAdapter[T], data: Mapping[str, Any], name: str, mistakes: Mistakes, keys: Collection[str] = ()
) -> T | None:
    """`data` as typed objects; ``None`` and all mistakes where it does not fit. `keys`: what may have been meant."""
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            _explain(detail["type"], detail["loc"], detail["input"], detail.get("ctx", {}), name, mistakes, keys)
        return None


def _explain(
    kind: str,
    loc: Sequence[str | int],
    given: object,
    context: Mapping[str, Any],
    name: str,
    mistakes: Mistakes,
    keys: Collection[str],
) -> None:
    row, key = _place(loc)
    values: dict[str, Value] = {"file": name, "where": where(loc), "row": row, "key": key}
    found = str(given)[:80]
    if kind.startswith("missing"):
        mistakes.add("knowledge.missing_key", **values)
    elif kind in {"unexpected_keyword_argument", "extra_forbidden"}:
        mistakes.add("knowledge.unknown_key", **values, similar=similar(key, keys))
    elif kind == "literal_error":
        mistakes.add("knowledge.choice", **values, found=found, choices=_choices(context))
    elif kind in _KINDS:
        mistakes.add("knowledge.wrong_kind", **values, kind=Message(key=_KINDS[kind]))
    else:
        mistakes.add(_BY_KEY.get(key, "knowledge.wrong_value"), **values, found=found)


def _choices(context: Mapping[str, Any]) -> tuple[str, ...]:
    """Pydantic's “'A', 'B' or 'N'”, as words."""
    return tuple(re.findall(r"'([^']+)'", str(context.get("expected", ""))))


def similar(word: str, known: Iterable[str]) -> Message:
    """The one of `known` that may have been meant, as the end of a sentence."""
    found = difflib.get_close_matches(word, known, n=1)
    return (
        Message(key="knowledge.similar", values={"word": found[0]}) if found else Message(key="knowledge.not_similar")
    )


def where(loc: Iterable[str | int]) -> Message:
    """The place in a file: a table, or one of its rows, counted from 1."""
    table, row = (*loc, None, None)[:2]
    if isinstance(row, int):
        return Message(key="knowledge.at_row", values={"table": str(table), "row": row + 1})
    return Message(key="knowledge.at_table", values={"table": str(table)})


def _place(loc: Sequence[str | int]) -> tuple[int | None, str]:
    row = next((part + 1 for part in loc[1:2] if isinstance(part, int)), None)
    keys = [part for part in loc if isinstance(part, str)]
    return row, keys[-1] if keys else ""
