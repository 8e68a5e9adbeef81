"""The files of a saved source: in a folder, in a zip of that folder, or in a zip inside one of these.

Nothing is unpacked, and a symbolic link out of the folder is not followed.
"""

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, TypeAlias

from privaudit.errors import SourceError
from privaudit.i18n.sanitize import sanitize_text

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Ten times the largest dump known."""
MAX_INNER_ZIP_BYTES: Final = 256 * 1024 * 1024
"""Size of a bug report that is an entry of another zip."""
MAX_ENTRIES: Final = 100_000
_MAX_TOP_FOLDERS: Final = 32
_MAC_FOLDER: Final = "__MACOSX/"
"""Where macOS puts attributes of the files of a zip, under the same names."""
READ_ERRORS: Final = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
)
"""What `zipfile` raises for a damaged or malicious file."""


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files directly in a folder."""

    path: Path

    def names(self) -> list[str]:
        """Return the names in the folder, also of what is not a file."""
        return sorted(entry.name for entry in self.path.iterdir())

    def is_link_outside(self, name: str) -> bool:
        """Return whether it is a symbolic link to a place outside the folder."""
        return not (self.path / name).resolve().is_relative_to(self.path.resolve())

    def has_file(self, name: str) -> bool:
        """Return whether there is such a file in the folder; not a pipe, a folder or a link to elsewhere."""
        return (self.path / name).is_file() and not self.is_link_outside(name)

    def size(self, name: str) -> int:
        """Return the size of a file."""
        return (self.path / name).stat().st_size

    def open_file(self, name: str) -> IO[bytes]:
        """Open a file."""
        return (self.path / name).open("rb")

    def modified_at(self, names: Iterable[str]) -> datetime:
        """Return when the newest of these files was written."""
        times = [0.0]
        for name in filter(self.has_file, names):
            try:
                times.append((self.path / name).stat().st_mtime)
            except OSError:
                continue
        return datetime.fromtimestamp(max(times), UTC)


@dataclass(frozen=True, slots=True)
class ZipFiles:
    """The entries of a zip below a folder of it."""

    archive: zipfile.ZipFile
    prefix: str
    """``""``, or ``NAME/``."""
    path: Path
    """The outermost file, for errors."""
    duplicates: frozenset[str]

    def names(self) -> list[str]:
        """Return the names of the entries, without the prefix."""
        prefix = self.prefix
        return [name.removeprefix(prefix) for name in self.archive.NameToInfo if name.startswith(prefix)]

    def is_link_outside(self, name: str) -> bool:  # noqa: ARG002 - as of a folder
        """Return False: the content of a link in a zip is read as text."""
        return False

    def has_file(self, name: str) -> bool:
        """Return whether there is such an entry."""
        return not name.endswith("/") and self.prefix + name in self.archive.NameToInfo

    def size(self, name: str) -> int:
        """Return the unpacked size of an entry."""
        return self.archive.getinfo(self.prefix + name).file_size

    def open_file(self, name: str) -> IO[bytes]:
        """Open an entry. Raises `SourceError` for one that occurs twice: other programs might show the other one."""
        if self.prefix + name in self.duplicates:
            raise SourceError("errors.capture_damaged", path=str(self.path), entry=sanitize_text(name))
        return self.archive.open(self.prefix + name)

    def modified_at(self, names: Iterable[str]) -> datetime:  # noqa: ARG002 - as of a folder
        """Return when the zip was written."""
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)


SourceFiles: TypeAlias = FolderFiles | ZipFiles


@contextmanager
def open_folders(path: Path) -> Iterator[tuple[SourceFiles, ...]]:
    """Open a folder, or a zip as its root and each folder at its top, because people zip folders; else nothing.

    Raises `SourceError` if there are too many entries.
    """
    if path.is_dir():
        yield (FolderFiles(path),)
    elif path.is_file() and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield _zip_folders(archive, path)
    else:
        yield ()


@contextmanager
def open_inner_zip(files: SourceFiles, name: str, path: Path) -> Iterator[tuple[SourceFiles, ...]]:
    """Open a zip among `files` as `open_folders` does; raises `SourceError` about `path` if it is too large."""
    if files.size(name) > MAX_INNER_ZIP_BYTES:
        raise SourceError("errors.capture_too_large", path=str(path))
    with files.open_file(name) as stream, zipfile.ZipFile(stream) as archive:
        yield _zip_folders(archive, path)


def _zip_folders(archive: zipfile.ZipFile, path: Path) -> tuple[SourceFiles, ...]:
    names = archive.namelist()
    if len(names) > MAX_ENTRIES:
        raise SourceError("errors.capture_too_large", path=str(path))
    duplicates = frozenset(name for name, count in Counter(names).items() if count > 1)
    top_folders = sorted({name[: name.index("/") + 1] for name in names if "/" in name} - {_MAC_FOLDER})
    top_folders = top_folders[:_MAX_TOP_FOLDERS]
    return tuple(ZipFiles(archive, prefix, path, duplicates) for prefix in ("", *top_folders))


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
