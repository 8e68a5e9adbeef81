"""Looks whether a folder of kept material is still what it was, and says what changed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias

from privaudit.documents.evidence_folder import DISCLOSABLE, HASH_LIST_FILE, HASH_PAGE_FILE, SEALED, file_sha256
from privaudit.documents.evidence_pages import grouped_hash
from privaudit.errors import SourceError
from privaudit.i18n import sanitize_text

_MAX_FILE_BYTES: Final = 1024 * 1024
"""Bytes of a list of hashes, and of a sheet. Ours have some kilobytes."""
_HASH_LIST_LINE: Final = re.compile(rf"([0-9a-f]{{64}})  ((?:{DISCLOSABLE}|{SEALED})/[\w.-]{{1,120}})", re.ASCII)

FileChangeKind: TypeAlias = Literal["changed", "missing", "added", "sheet_differs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCheck:
    """What became of a folder."""

    digest: str
    """Of the list of hashes as it is now: to be compared with the photograph."""
    unchanged: int
    """Files that are what they were."""
    changes: tuple[tuple[FileChangeKind, str], ...]
    """What differs, and the file. Empty: nothing."""


def verify_evidence_folder(folder: Path) -> EvidenceCheck:
    """Compare every file in `folder` with the list of hashes there.

    Raises:
        SourceError: this is no such folder, or its list cannot be read.
    """
    raw = _read_limited(folder / HASH_LIST_FILE, folder)
    try:
        matches = [_HASH_LIST_LINE.fullmatch(line) for line in raw.decode("ascii").splitlines()]
    except UnicodeDecodeError as error:
        raise SourceError("errors.kept_list_damaged", path=str(folder / HASH_LIST_FILE)) from error
    if not matches or None in matches:
        raise SourceError("errors.kept_list_damaged", path=str(folder / HASH_LIST_FILE))
    listed = {match[2]: match[1] for match in matches if match is not None}
    changes: list[tuple[FileChangeKind, str]] = []
    for name, digest in listed.items():
        how = _compare_file(folder / PurePosixPath(name), digest)
        if how is not None:
            changes.append((how, name))
    there = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    digest = hashlib.sha256(raw).hexdigest()
    changes += [
        ("added", sanitize_text(name, 300)) for name in sorted(there - listed.keys() - {HASH_LIST_FILE, HASH_PAGE_FILE})
    ]
    if HASH_PAGE_FILE not in there:
        changes.append(("missing", HASH_PAGE_FILE))
    elif grouped_hash(digest) not in _read_limited(folder / HASH_PAGE_FILE, folder).decode("utf-8", "replace"):
        changes.append(("sheet_differs", HASH_PAGE_FILE))
    same = len(listed) - sum(name in listed for _, name in changes)
    return EvidenceCheck(digest=digest, unchanged=same, changes=tuple(changes))


def _compare_file(path: Path, digest: str) -> FileChangeKind | None:
    try:
        # A link would show what lies elsewhere.
        if path.is_symlink() or not path.is_file():
            return "changed" if path.exists() or path.is_symlink() else "missing"
        return None if file_sha256(path) == digest else "changed"
    except OSError:
        return "changed"


def _read_limited(path: Path, folder: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError("errors.not_kept", path=str(folder)) from error
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if len(data) > _MAX_FILE_BYTES:
        raise SourceError("errors.kept_list_damaged", path=str(path))
    return data
