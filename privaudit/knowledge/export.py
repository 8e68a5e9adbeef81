"""Files in and out: bounded reads, and writes that leave nothing half-written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from privaudit.atomic_write import replacing
from privaudit.errors import ListsError, UsageError
from privaudit.knowledge import toml_text
from privaudit.knowledge.imported import Imported

FORMATS: Final = (".csv", ".json", ".stix2", ".zip")
"""What `signatures export` writes."""


def read(path: Path, largest: int) -> bytes:
    """All of a file.

    Raises:
        ListsError: not there, unreadable, or larger than `largest` bytes.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(largest + 1)
    except FileNotFoundError as error:
        raise ListsError("errors.source_missing", path=str(path)) from error
    except OSError as error:
        raise ListsError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > largest:
        raise ListsError("errors.lists_too_large", path=str(path), megabytes=largest // 1024**2)
    return data


def write(path: Path, data: bytes) -> None:
    """Write `path` whole, or not at all.

    Raises:
        UsageError: its folder is not there.
        SourceError: it cannot be written.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))
    with replacing(path) as stream:
        stream.write(data)


def imported(lists: Sequence[Imported], output: Path, origin: Path) -> Iterator[tuple[Path, Imported]]:
    """Write each list as TOML: one to a ``.toml``, several into a folder. What is there already is not overwritten.

    Raises:
        UsageError: several lists and one file to write, or a file that is there already.
        ListsError: it cannot be written.
    """
    if output.suffix == ".toml":
        if len(lists) > 1:
            raise UsageError("errors.import_several", path=str(origin), count=len(lists))
        targets = [output]
    else:
        targets = [output / f"{name}.toml" for name in _names(lists, origin)]
    taken = next((path for path in targets if path.exists()), None)
    if taken is not None:
        raise UsageError("errors.list_exists", path=str(taken))
    if output.suffix != ".toml":
        try:
            output.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ListsError("errors.not_written", path=str(output), reason=error.strerror or str(error)) from error
    for path, one in zip(targets, lists, strict=True):
        write(path, toml_text.render(one.source, one.rows, f"Imported from {origin.name}.").encode())
        yield path, one


def _names(lists: Sequence[Imported], origin: Path) -> list[str]:
    """File names: publisher and year where they can be told apart so, else numbered."""
    stem = _plain(origin.stem) or "list"
    names: list[str] = []
    for one in lists:
        words = [_plain(one.source.publisher) or stem, (one.source.date or "")[:4]]
        name, number = "-".join(word for word in words if word), 2
        while name in names:
            name, number = f"{name.rstrip('0123456789-')}-{number}", number + 1
        names.append(name)
    return names


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:40]
