"""Files in and out: bounded reads, and writes that leave nothing half-written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter

from privaudit.atomic_write import atomic_writer
from privaudit.errors import SignatureListError, UsageError
from privaudit.knowledge.loader import Problems, validate_data
from privaudit.knowledge.schema import SIGNATURE_KEYS, ListSource, SignatureRow
from privaudit.knowledge.signatures import SignatureEntry
from privaudit.model import Message, SignatureListInfo


def list_to_toml(source: ListSource, rows: Iterable[SignatureRow], comment: str = "") -> str:
    """A whole file."""
    parts = [*(f"# {line}".rstrip() for line in comment.splitlines()), *([""] if comment else [])]
    return (
        "\n".join([*parts, "[source]", *_toml_lines(source)]) + "\n" + "".join(f"\n{row_to_toml(row)}" for row in rows)
    )


def row_to_toml(row: SignatureRow) -> str:
    """One row."""
    return "\n".join(["[[app]]", *_toml_lines(row)]) + "\n"


def _toml_lines(table: ListSource | SignatureRow) -> Iterator[str]:
    for field in fields(table):
        value = getattr(table, field.name)
        if value is None or value is False or value == ():
            continue  # left out, as a person would
        yield f"{field.name} = {_toml_value(value)}"


def _toml_value(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if value is True:
        return "true"
    # JSON's strings are TOML's, but for one character that TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


RowOrSource = TypeVar("RowOrSource", SignatureRow, ListSource)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedList:
    """One list that was read from another format."""

    source: ListSource
    rows: tuple[SignatureRow, ...]


def validate_row_or_source(
    table_type: type[RowOrSource], data: Mapping[str, Any], file_name: str, location: Message, problems: Problems
) -> RowOrSource | None:
    """`data` as a row or a head; ``None`` where it does not fit, and all that is wrong, placed `location` a row of `file_name`."""
    wrong = Problems()
    made: RowOrSource | None = validate_data(
        _row_adapter() if table_type is SignatureRow else _source_adapter(), data, file_name, wrong, SIGNATURE_KEYS
    )
    problems += [Message(key=one.key, values={**one.values, "where": location}) for one in wrong]
    return made


@cache
def _row_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(SignatureRow)


@cache
def _source_adapter() -> TypeAdapter[Any]:
    return TypeAdapter(ListSource)


SIGNATURES_SCHEMA: Final = "privaudit-signatures/1"
_SOURCE_KEYS: Final = ("action", "publisher", "via", "title", "date", "country", "url", "licence")


def entries_to_json(entries: Iterable[SignatureEntry], list_info: SignatureListInfo) -> str:
    """The whole document. What is not known is ``null`` or an empty list."""
    document = {
        "schema": SIGNATURES_SCHEMA,
        "lists": asdict(list_info),
        "signatures": [_entry_to_dict(entry) for entry in entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _entry_to_dict(entry: SignatureEntry) -> dict[str, Any]:
    sources = []
    for ref in entry.row_refs:
        row, app_list, source = ref.row, ref.app_list, ref.app_list.source
        sources.append(
            {
                "signature": ref.signature,
                "kind": app_list.kind,
                "tier": "own" if app_list.is_user_list else source.tier,
                **{
                    key: getattr(source, key)
                    for key in ("action", "publisher", "via", "title", "date", "country", "url")
                },
                "status": row.status or source.status,
                "confidence": row.confidence or source.confidence,
                "developer": row.developer,
                "harms": list(row.harms),
                "disputed": row.disputed,
                "note": row.note,
            }
        )
    return {
        "package": entry.package,
        "names": list(entry.names),
        "countries": list(entry.countries),
        "apk_sha256": sorted({digest for row in entry.rows for digest in row.sha256}),
        "certificates_sha256": sorted({digest for row in entry.rows for digest in row.certificates}),
        "sources": sources,
    }


EXPORT_SUFFIXES: Final = (".csv", ".json", ".stix2", ".zip")
"""What `signatures export` writes."""


def read_limited(path: Path, max_bytes: int) -> bytes:
    """All of a file.

    Raises:
        ListsError: not there, unreadable, or larger than `max_bytes` bytes.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise SignatureListError("errors.source_missing", path=str(path)) from error
    except OSError as error:
        raise SignatureListError(
            "errors.source_unreadable", path=str(path), reason=error.strerror or str(error)
        ) from error
    if len(data) > max_bytes:
        raise SignatureListError("errors.lists_too_large", path=str(path), megabytes=max_bytes // 1024**2)
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write `path` whole, or not at all.

    Raises:
        UsageError: its folder is not there.
        SourceError: it cannot be written.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))
    with atomic_writer(path) as stream:
        stream.write(data)


def write_imported_lists(
    lists: Sequence[ImportedList], output: Path, source_file: Path
) -> Iterator[tuple[Path, ImportedList]]:
    """Write each list as TOML: one to a ``.toml``, several into a folder. What is there already is not overwritten.

    Raises:
        UsageError: several lists and one file to write, or a file that is there already.
        ListsError: it cannot be written.
    """
    if output.suffix == ".toml":
        if len(lists) > 1:
            raise UsageError("errors.import_several", path=str(source_file), count=len(lists))
        targets = [output]
    else:
        targets = [output / f"{name}.toml" for name in _list_file_names(lists, source_file)]
    taken = next((path for path in targets if path.exists()), None)
    if taken is not None:
        raise UsageError("errors.list_exists", path=str(taken))
    if output.suffix != ".toml":
        try:
            output.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise SignatureListError(
                "errors.not_written", path=str(output), reason=error.strerror or str(error)
            ) from error
    for path, one in zip(targets, lists, strict=True):
        write_file(path, list_to_toml(one.source, one.rows, f"Imported from {source_file.name}.").encode())
        yield path, one


def _list_file_names(lists: Sequence[ImportedList], source_file: Path) -> list[str]:
    """File names: publisher and year where they can be told apart so, else numbered."""
    stem = _slugify(source_file.stem) or "list"
    names: list[str] = []
    for one in lists:
        words = [_slugify(one.source.publisher) or stem, (one.source.date or "")[:4]]
        name, number = "-".join(word for word in words if word), 2
        while name in names:
            name, number = f"{name.rstrip('0123456789-')}-{number}", number + 1
        names.append(name)
    return names


def _slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:40]
