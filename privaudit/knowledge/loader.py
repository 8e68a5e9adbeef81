"""Locate, read and validate TOML data files. All problems of all files are collected, not raised one by one.

The content of valid files is also read from ``compiled.txt``, as JSON, which takes less than a tenth of the time. It
stands in the folder of the lists or rules that it was made from. It is made when a wheel is built, and when
`signatures update` installs lists; nobody edits it, and nothing needs it. A line holds the SHA-256 of a TOML file and
the content of that file, so a file that was changed or added since is parsed from TOML. One module, because each file
is read from the one or from the other.
"""

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from privaudit import __version__
from privaudit.errors import KnowledgeError, SignatureListError
from privaudit.model import Message, MessageValue

MAX_FILE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one data file. A list of ten thousand apps has about two million."""
MAX_KEY_PARTS: Final = 16
"""Parts of a dotted key. `tomllib` makes a table of each part, and recurses or slows down with thousands of them."""
T = TypeVar("T")
_MAX_SHOWN_CHARS: Final = 80
"""Characters of a wrong value that a problem quotes."""
_MANY_DOTS = re.compile(rf"(?:\.[^.\n]*+){{{MAX_KEY_PARTS}}}")
_TOML_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)|"(?:\\.|[^"\\\n])*+"?' r"|'''.*?(?:'''|\Z)|'[^'\n]*+'?|\#[^\n]*+", re.DOTALL
)
"""Strings and comments; also unterminated ones, so that each character is looked at once."""
_LONG_KEY = re.compile(rf"(?<![\w-])[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){{{MAX_KEY_PARTS}}}")
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
"""The problem to report for an invalid value of a key that has a format of its own."""
_EXPECTED_TYPE: Final[Mapping[str, str]] = {
    "string_type": "knowledge.kind_text",
    "tuple_type": "knowledge.kind_list",
    "bool_parsing": "knowledge.kind_bool",
    "bool_type": "knowledge.kind_bool",
    "dataclass_type": "knowledge.kind_table",
}
"""Pydantic's error type → the TOML type that was expected."""


_ADAPTERS: Final[dict[object, TypeAdapter[Any]]] = {}
"""The validator of each schema. It is slow to make, so it is made once, and only when it is needed."""


class Problems(list[Message]):
    """All problems found in data files, in the order of the files."""

    def add(self, message_key: str, **values: MessageValue) -> None:
        """Append a problem."""
        self.append(Message(key=message_key, values=values))


def shipped_folder() -> Traversable:
    """Return the folder of the shipped lists: in the wheel or in a checkout. Raises `KnowledgeError` if missing."""
    package = resources.files("privaudit")
    folders: tuple[Traversable, ...] = (package / "_signatures", Path(str(package)).parent / "signatures")
    for folder in folders:
        if (folder / "vocabulary.toml").is_file():
            return folder
    problem = Message(key="knowledge.not_shipped", values={"file": str(folders[0])})
    raise KnowledgeError("errors.knowledge_missing", (problem,))


def read_limited(path: Path, max_bytes: int, *, missing: str = "errors.source_missing") -> bytes:
    """Return a user's file; raises `SignatureListError` if it is missing (key `missing`), unreadable or too large."""
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise SignatureListError(missing, path=str(path)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise SignatureListError("errors.source_unreadable", path=str(path), reason=reason) from error
    if len(data) > max_bytes:
        raise SignatureListError("errors.lists_too_large", path=str(path), megabytes=max_bytes // 1024**2)
    return data


COMPILED_FILE: Final = "compiled.txt"
MAX_COMPILED_BYTES: Final = 32 * 1024 * 1024
"""Bytes of ``compiled.txt``. Ten thousand apps have about one million."""
_FIRST_LINE: Final = f"privaudit {__version__} compiled "
"""Followed by the SHA-256 of all other lines. What another version found to be valid may not be valid in this one."""
FileKind: TypeAlias = Literal["vocabulary", "risky", "lenders", "rule"]
"""What a file was validated as."""


class CompiledFile(NamedTuple):
    """A valid file: a line of ``compiled.txt``."""

    kind: FileKind
    toml: bytes
    """The file itself."""
    canonical_json: bytes
    """Its content, in one line."""


@dataclass(frozen=True, slots=True)
class CompiledFiles:
    """The content of ``compiled.txt``."""

    json_by_file: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    """By kind and SHA-256 of the TOML file."""

    def find(self, kind: FileKind, toml: bytes) -> bytes | None:
        """Return the content of a TOML file as canonical JSON; ``None``: exactly this file was not compiled."""
        return self.json_by_file.get(_file_key(kind, toml)) if self.json_by_file else None


NOT_COMPILED: Final = CompiledFiles()


def read_compiled(folder: Traversable) -> CompiledFiles:
    """Read ``compiled.txt`` in `folder`; empty where it is missing, damaged, too large or of another version."""
    try:
        with (folder / COMPILED_FILE).open("rb") as stream:
            data = stream.read(MAX_COMPILED_BYTES + 1)
    except OSError:
        return NOT_COMPILED
    first_line, newline, body = data.partition(b"\n")
    if len(data) > MAX_COMPILED_BYTES or first_line + newline != _first_line(body):
        return NOT_COMPILED
    lines = (line.partition(b"\t") for line in body.split(b"\n"))
    return CompiledFiles({file_key: content for file_key, _, content in lines})


def encode_compiled(files: Iterable[CompiledFile]) -> bytes:
    """Return the content of ``compiled.txt``."""
    body = b"".join(b"%b\t%b\n" % (_file_key(file.kind, file.toml), file.canonical_json) for file in files)
    return _first_line(body) + body


def _file_key(kind: FileKind, toml: bytes) -> bytes:
    return f"{kind} {hashlib.sha256(toml).hexdigest()}".encode()


def _first_line(body: bytes) -> bytes:
    return f"{_FIRST_LINE}{hashlib.sha256(body).hexdigest()}\n".encode()


def list_toml_files(folder: Traversable) -> list[Traversable]:
    """Return the TOML files directly in `folder`, sorted by name; empty where the folder does not exist."""
    if not folder.is_dir():
        return []
    return sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)


def read_toml(file: Traversable, file_name: str, problems: Problems) -> dict[str, Any] | None:
    """Parse a TOML file, named `file_name` in problems; ``None`` where it cannot be read or parsed."""
    data = _read_file(file, file_name, problems)
    return None if data is None else _parse_toml(data, file_name, problems)


def read_compiled_toml(
    file: Traversable, file_name: str, problems: Problems, compiled: CompiledFiles, kind: FileKind
) -> tuple[dict[str, Any] | None, bytes | None]:
    """Like `read_toml`, but take the content of a file that is valid as `kind` from `compiled`, where that has it.

    Then the second value is this content as canonical JSON.
    """
    data = _read_file(file, file_name, problems)
    if data is None:
        return None, None
    content = compiled.find(kind, data)
    return (_parse_toml(data, file_name, problems), None) if content is None else (json.loads(content), content)


def _read_file(file: Traversable, file_name: str, problems: Problems) -> bytes | None:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        problems.add("knowledge.unreadable", file=file_name, reason=error.strerror or type(error).__name__)
        return None
    if len(data) > MAX_FILE_BYTES:
        problems.add("knowledge.too_large", file=file_name, megabytes=MAX_FILE_BYTES // 1024**2)
        return None
    return data


def _parse_toml(data: bytes, file_name: str, problems: Problems) -> dict[str, Any] | None:
    try:
        # utf-8-sig: Windows' Notepad used to put a byte order mark in front of UTF-8.
        text = data.decode("utf-8-sig")
        if (line_number := _find_long_key(text)) is not None:
            problems.add("knowledge.long_key", file=file_name, line=line_number, n=MAX_KEY_PARTS)
            return None
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        problems.add("knowledge.encoding", file=file_name, line=data.count(b"\n", 0, error.start) + 1)
    except tomllib.TOMLDecodeError as error:
        line = _TOML_ERROR_LINE.search(str(error))
        # An error without a line number is an unexpected end of the file, so it is on the last line.
        problems.add(
            "knowledge.toml", file=file_name, line=int(line[1]) if line else data.count(b"\n") + 1, reason=str(error)
        )
    except RecursionError:
        problems.add("knowledge.nested", file=file_name)
    return None


def _find_long_key(text: str) -> int | None:
    """Return the line of a dotted key with too many parts. Dots in strings and comments are none of a key."""
    if _MANY_DOTS.search(text) is None:
        return None
    keys = _TOML_TEXT.sub(lambda match: "s" + "\n" * match[0].count("\n"), text)
    match = _LONG_KEY.search(keys)
    return None if match is None else keys.count("\n", 0, match.start()) + 1


def validate_data(
    schema: type[T], data: Mapping[str, Any], file_name: str, problems: Problems, known_keys: Collection[str] = ()
) -> T | None:
    """Validate TOML values against a dataclass; ``None``: not valid. An unknown key may be like one of `known_keys`."""
    try:
        return convert_valid(schema, data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            _add_problem(detail, file_name, problems, known_keys)
        return None


def convert_valid(schema: type[T], data: Mapping[str, Any]) -> T:
    """Return TOML values as a dataclass. Raises pydantic's `ValidationError` if they are not valid."""
    if schema not in _ADAPTERS:
        _ADAPTERS[schema] = TypeAdapter(schema)
    converted: T = _ADAPTERS[schema].validate_python(data)
    return converted


def read_typed_toml(
    schema: type[T], file: Traversable, file_name: str, problems: Problems, known_keys: Collection[str] = ()
) -> T | None:
    """Parse a TOML file and validate it. Arguments as for `read_toml` and `validate_data`."""
    data = read_toml(file, file_name, problems)
    return None if data is None else validate_data(schema, data, file_name, problems, known_keys)


def _add_problem(detail: ErrorDetails, file_name: str, problems: Problems, known_keys: Collection[str]) -> None:
    error_type, location = detail["type"], detail["loc"]
    row = next((part + 1 for part in location[1:2] if isinstance(part, int)), None)
    key = next((part for part in reversed(location) if isinstance(part, str)), "")
    values: dict[str, MessageValue] = {"file": file_name, "where": format_location(location), "row": row, "key": key}
    shown = str(detail["input"])[:_MAX_SHOWN_CHARS]
    if error_type.startswith("missing"):
        problems.add("knowledge.missing_key", **values)
    elif error_type in {"unexpected_keyword_argument", "extra_forbidden"}:
        problems.add("knowledge.unknown_key", **values, similar=suggest_similar(key, known_keys))
    elif error_type == "literal_error":
        choices = tuple(re.findall(r"'([^']+)'", str(detail.get("ctx", {}).get("expected", ""))))  # “'A', 'B' or 'N'”
        problems.add("knowledge.choice", **values, found=shown, choices=choices)
    elif error_type in _EXPECTED_TYPE:
        problems.add("knowledge.wrong_kind", **values, kind=Message(key=_EXPECTED_TYPE[error_type]))
    else:
        problems.add(_PROBLEM_BY_KEY.get(key, "knowledge.wrong_value"), **values, found=shown)


def suggest_similar(word: str, candidates: Iterable[str]) -> Message:
    """Return the end of a sentence: “Perhaps …” with the most similar of `candidates`, or nothing."""
    matches = difflib.get_close_matches(word, candidates, n=1)
    if not matches:
        return Message(key="knowledge.not_similar")
    return Message(key="knowledge.similar", values={"word": matches[0]})


def format_location(location: Iterable[str | int]) -> Message:
    """Return a place in a file: a table, or one of its rows, counted from 1."""
    table, row = (*location, None, None)[:2]
    if isinstance(row, int):
        return Message(key="knowledge.at_row", values={"table": str(table), "row": row + 1})
    return Message(key="knowledge.at_table", values={"table": str(table)})


def content_sha256(content: Mapping[str, object]) -> str:
    """Hash the content of files: comments, line ends and order make no difference. Bytes are canonical JSON."""
    return hashlib.sha256(to_canonical_json(content)).hexdigest()


def to_canonical_json(value: object) -> bytes:
    """Return plain values as one line of JSON with sorted keys. Bytes are taken for such JSON."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, Mapping):
        members = (b"%b: %b" % (to_canonical_json(key), to_canonical_json(value[key])) for key in sorted(value))
        return b"{%b}" % b", ".join(members)
    return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()


def locate_row(file_name: str, table: str, index: int) -> dict[str, MessageValue]:
    """Return the values that name a row of a table in a problem; `index` counts from 0."""
    return {"file": file_name, "where": format_location([table, index]), "row": index + 1}
