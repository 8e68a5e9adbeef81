"""The one door by which files are written: private, and whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from privaudit.errors import SourceError


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """A file to write; it takes the place of `path` once all of it is on the disk. Private (mode 0600).

    It is written as ``FILE.part`` beside the old one and renamed over it, so that a full disk, a pulled plug or Ctrl-C
    leaves either the one or the other.

    Raises:
        SourceError: ``not_written``; nothing is left behind, and what was there before stays.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        # Made anew: one that lies there may belong to somebody else, or point to another file.
        part.unlink(missing_ok=True)
        private = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(private, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error
        raise


def _sync_folder(folder: Path) -> None:
    """The renaming, too, must be on the disk. Windows has no such thing for folders."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
