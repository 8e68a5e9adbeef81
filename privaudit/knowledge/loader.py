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
from privaudit.model import Message, MessageValue

MAX_FILE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one data file. A list of ten thousand apps has about two million."""

T = TypeVar("T")

_TOML_ERROR_LINE = re.compile(r"at line (\d+)")

_PROBLEM_BY_KEY: Final[Mapping[str, str]] = {
    "package": "knowledge.package",
    "sha256": "knowledge.digest",
    "certificates": "knowledge.digest",
    "date": "knowledge.date",
    "country": "knowledge.country",
    "countries": "knowledge.country",
    "url": "knowledge.url",
}
"""The mistake that a value of this key can hold, beside being of the wrong kind."""

_EXPECTED_TYPE: Final[Mapping[str, str]] = {
    "string_type": "knowledge.kind_text",
    "tuple_type": "knowledge.kind_list",
    "bool_parsing": "knowledge.kind_bool",
    "bool_type": "knowledge.kind_bool",
    "dataclass_type": "knowledge.kind_table",
}


class Problems(list[Message]):
    """Everything that is wrong, in the order of the files."""

    def add(self, message_key: str, **values: MessageValue) -> None:
        """One more; `message_key` is a message key."""
        self.append(Message(key=message_key, values=values))


def shipped_folder() -> Traversable:
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


def list_toml_files(folder: Traversable) -> list[Traversable]:
    """The TOML files directly in `folder`, by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)


def read_toml(file: Traversable, file_name: str, problems: Problems) -> dict[str, Any] | None:
    """What stands in `file`, which is called `file_name` when something is wrong; then ``None``."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        problems.add("knowledge.unreadable", file=file_name, reason=error.strerror or type(error).__name__)
        return None
    if len(data) > MAX_FILE_BYTES:
        problems.add("knowledge.too_large", file=file_name, megabytes=MAX_FILE_BYTES // 1024**2)
        return None
    try:
        # Windows' Notepad used to put a byte order mark in front of UTF-8.
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problems.add("knowledge.encoding", file=file_name, line=data.count(b"\n", 0, error.start) + 1)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_ERROR_LINE.search(str(error))
        # Without a line the end of the file came too early: say the last one.
        problems.add(
            "knowledge.toml", file=file_name, line=int(found[1]) if found else data.count(b"\n") + 1, reason=str(error)
        )
    except RecursionError:
        problems.add("knowledge.nested", file=file_name)
    return None


def validate_data(
    adapter: TypeAdapter[T],
    data: Mapping[str, Any],
    file_name: str,
    problems: Problems,
    known_keys: Collection[str] = (),
) -> T | None:
    """`data` as typed objects; ``None`` and all mistakes where it does not fit. `known_keys`: what may have been meant."""
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            _add_problem(
                detail["type"], detail["loc"], detail["input"], detail.get("ctx", {}), file_name, problems, known_keys
            )
        return None


def _add_problem(
    error_type: str,
    loc: Sequence[str | int],
    value: object,
    context: Mapping[str, Any],
    file_name: str,
    problems: Problems,
    known_keys: Collection[str],
) -> None:
    row, key = _row_and_key(loc)
    values: dict[str, MessageValue] = {"file": file_name, "where": format_location(loc), "row": row, "key": key}
    found = str(value)[:80]
    if error_type.startswith("missing"):
        problems.add("knowledge.missing_key", **values)
    elif error_type in {"unexpected_keyword_argument", "extra_forbidden"}:
        problems.add("knowledge.unknown_key", **values, similar=suggest_similar(key, known_keys))
    elif error_type == "literal_error":
        problems.add("knowledge.choice", **values, found=found, choices=_allowed_values(context))
    elif error_type in _EXPECTED_TYPE:
        problems.add("knowledge.wrong_kind", **values, kind=Message(key=_EXPECTED_TYPE[error_type]))
    else:
        problems.add(_PROBLEM_BY_KEY.get(key, "knowledge.wrong_value"), **values, found=found)


def _allowed_values(context: Mapping[str, Any]) -> tuple[str, ...]:
    """Pydantic's “'A', 'B' or 'N'”, as words."""
    return tuple(re.findall(r"'([^']+)'", str(context.get("expected", ""))))


def suggest_similar(word: str, candidates: Iterable[str]) -> Message:
    """The one of `candidates` that may have been meant, as the end of a sentence."""
    found = difflib.get_close_matches(word, candidates, n=1)
    return (
        Message(key="knowledge.similar", values={"word": found[0]}) if found else Message(key="knowledge.not_similar")
    )


def format_location(loc: Iterable[str | int]) -> Message:
    """The place in a file: a table, or one of its rows, counted from 1."""
    table, row = (*loc, None, None)[:2]
    if isinstance(row, int):
        return Message(key="knowledge.at_row", values={"table": str(table), "row": row + 1})
    return Message(key="knowledge.at_table", values={"table": str(table)})


def _row_and_key(loc: Sequence[str | int]) -> tuple[int | None, str]:
    row = next((part + 1 for part in loc[1:2] if isinstance(part, int)), None)
    keys = [part for part in loc if isinstance(part, str)]
    return row, keys[-1] if keys else ""
