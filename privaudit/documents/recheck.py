"""Looks whether a folder of kept material is still what it was, and says what changed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias

from privaudit.documents.evidence_folder import DISCLOSABLE, HASHES, SEALED, SHEET, sha256
from privaudit.documents.evidence_pages import in_groups
from privaudit.errors import SourceError
from privaudit.i18n import tame

_LARGEST: Final = 1024 * 1024
"""Bytes of a list of hashes, and of a sheet. Ours have some kilobytes."""
_LISTED: Final = re.compile(rf"([0-9a-f]{{64}})  ((?:{DISCLOSABLE}|{SEALED})/[\w.-]{{1,120}})", re.ASCII)

How: TypeAlias = Literal["changed", "missing", "added", "sheet_differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What became of a folder."""

    digest: str
    """Of the list of hashes as it is now: to be compared with the photograph."""
    same: int
    """Files that are what they were."""
    changes: tuple[tuple[How, str], ...]
    """What differs, and the file. Empty: nothing."""


def check(folder: Path) -> Checked:
    """Compare every file in `folder` with the list of hashes there.

    Raises:
        SourceError: this is no such folder, or its list cannot be read.
    """
    raw = _bounded(folder / HASHES, folder)
    try:
        matches = [_LISTED.fullmatch(line) for line in raw.decode("ascii").splitlines()]
    except UnicodeDecodeError as error:
        raise SourceError("errors.kept_list_damaged", path=str(folder / HASHES)) from error
    if not matches or None in matches:
        raise SourceError("errors.kept_list_damaged", path=str(folder / HASHES))
    listed = {match[2]: match[1] for match in matches if match is not None}
    changes: list[tuple[How, str]] = []
    for name, digest in listed.items():
        how = _compared(folder / PurePosixPath(name), digest)
        if how is not None:
            changes.append((how, name))
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    digest = hashlib.sha256(raw).hexdigest()
    changes += [("added", tame(name, 300)) for name in sorted(there - listed.keys() - {HASHES, SHEET})]
    if SHEET not in there:
        changes.append(("missing", SHEET))
    elif in_groups(digest) not in _bounded(folder / SHEET, folder).decode("utf-8", "replace"):
        changes.append(("sheet_differs", SHEET))
    same = len(listed) - sum(name in listed for _, name in changes)
    return Checked(digest=digest, same=same, changes=tuple(changes))


def _compared(path: Path, digest: str) -> How | None:
    try:
        # A link would show what lies elsewhere.
        if path.is_symlink() or not path.is_file():
            return "changed" if path.exists() or path.is_symlink() else "missing"
        return None if sha256(path) == digest else "changed"
    except OSError:
        return "changed"


def _bounded(path: Path, folder: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError("errors.not_kept", path=str(folder)) from error
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > _LARGEST:
        raise SourceError("errors.kept_list_damaged", path=str(path))
    return data
