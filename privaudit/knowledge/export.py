"""Files in and out: bounded reads, and writes that leave nothing half-written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from privaudit.atomic_write import atomic_writer
from privaudit.errors import SignatureListError, UsageError
from privaudit.knowledge import toml_text
from privaudit.knowledge.imported import ImportedList

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
        write_file(path, toml_text.list_to_toml(one.source, one.rows, f"Imported from {source_file.name}.").encode())
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
