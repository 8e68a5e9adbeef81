"""A file of this computer, opened for reading parts of it, with a check that it did not change meanwhile."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from privaudit.apk.parts import ApkError

MAX_FILE_BYTES: Final = 8 << 30
"""Bytes. Bundles of games have some gigabytes; Android itself takes no APK above 4 GB."""
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRange:
    """A range of an open file that reads like a file of its own (`privaudit.capture.apk_plan.RangeReadable`)."""

    stream: BinaryIO
    start: int
    size: int

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, clipped to the range; raises `ApkError` if the file shrank."""
        start, end = max(0, start), min(end, self.size)
        if start >= end:
            return b""
        self.stream.seek(self.start + start)
        data = self.stream.read(end - start)
        if len(data) != end - start:
            raise ApkError("apk.file_changed")
        return data

    def sha256(self) -> str:
        """Return the SHA-256 of the whole range; raises `ApkError` if the file became shorter."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, _CHUNK_BYTES):
            digest.update(self.bytes_at(offset, offset + _CHUNK_BYTES))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file, with its size and modification time at the moment of opening."""

    contents: FileRange
    modified_ns: int

    def ensure_unchanged(self) -> None:
        """Raise `ApkError` if size or modification time differ: what was read may come from two versions."""
        status = os.fstat(self.contents.stream.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.contents.size, self.modified_ns):
            raise ApkError("apk.file_changed")


@contextlib.contextmanager
def open_local_file(path: Path) -> Iterator[OpenFile]:
    """Open a regular file; raises `ApkError` if it is not one (a pipe would never end), unreadable, or too large."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            is_closed_folder = stat.S_ISDIR(mode) and not os.access(path, os.R_OK | os.X_OK)
            raise ApkError("apk.folder_closed" if is_closed_folder else "apk.file_none")
        with path.open("rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            if status.st_size > MAX_FILE_BYTES:
                raise ApkError("apk.file_too_large", gigabytes=MAX_FILE_BYTES >> 30)
            yield OpenFile(FileRange(stream, 0, status.st_size), status.st_mtime_ns)
    except FileNotFoundError as error:
        raise ApkError("apk.file_missing") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ApkError("apk.file_unreadable", reason=reason) from error
