"""A file of this computer, open to be read in parts, and what shows that it stayed the same meanwhile."""

from __future__ import annotations

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
"""Bytes. Bundles of games have some; Android itself takes no APK above 4 GB."""
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class FileRange:
    """A range of an open file, to be read as if it were a file (`privaudit.capture.apk_plan.RangeReadable`)."""

    stream: BinaryIO
    start: int
    size: int

    def bytes_at(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, no further than the end.

        Raises:
            ApkError: the file became shorter.
        """
        start, end = max(0, start), min(end, self.size)
        if start >= end:
            return b""
        self.stream.seek(self.start + start)
        data = self.stream.read(end - start)
        if len(data) != end - start:
            raise ApkError("apk.file_changed")
        return data

    def sha256(self) -> str:
        """Of all of it.

        Raises:
            ApkError: the file became shorter.
        """
        digest = hashlib.sha256()
        for at in range(0, self.size, _CHUNK_BYTES):
            digest.update(self.bytes_at(at, at + _CHUNK_BYTES))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open, and how it was when it was opened."""

    contents: FileRange
    modified_ns: int

    def ensure_unchanged(self) -> None:
        """Make sure that it is still as it was.

        Raises:
            ApkError: it is not: what was read of it may be of two files.
        """
        now = os.fstat(self.contents.stream.fileno())
        if (now.st_size, now.st_mtime_ns) != (self.contents.size, self.modified_ns):
            raise ApkError("apk.file_changed")


@contextlib.contextmanager
def open_local_file(path: Path) -> Iterator[OpenFile]:
    """Open `path`.

    Raises:
        ApkError: not there, not to be read, no file (a pipe would never end), or larger than any app.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            closed = stat.S_ISDIR(mode) and not os.access(path, os.R_OK | os.X_OK)
            raise ApkError("apk.folder_closed" if closed else "apk.file_none")
        with path.open("rb", buffering=0) as stream:
            known = os.fstat(stream.fileno())
            if known.st_size > MAX_FILE_BYTES:
                raise ApkError("apk.file_too_large", gigabytes=MAX_FILE_BYTES >> 30)
            yield OpenFile(FileRange(stream, 0, known.st_size), known.st_mtime_ns)
    except FileNotFoundError as error:
        raise ApkError("apk.file_missing") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero character in it
        raise ApkError(
            "apk.file_unreadable", reason=getattr(error, "strerror", None) or type(error).__name__
        ) from error
