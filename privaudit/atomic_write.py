"""Write files atomically and privately. Every file that privaudit keeps is written through here (tested)."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from privaudit.errors import SourceError


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """Open a private file (mode 0600) that replaces `path` once its content is on the disk.

    The content goes to ``FILE.part`` in the same folder, which is renamed over `path`. After a full disk, a power cut
    or Ctrl-C, `path` is either the old file or the complete new one. Raises SourceError if it cannot be written: the
    part file is removed, and the old file stays.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        # Always created (O_EXCL): an existing part file may have another owner, or be a link to another file.
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise write_error(path, error) from error
        raise


def write_error(path: Path, error: OSError) -> SourceError:
    """Return the error for a file that could not be written. Windows lets nobody replace a file that Excel has open."""
    if sys.platform == "win32" and isinstance(error, PermissionError) and path.is_file():
        return SourceError("errors.file_in_use", path=str(path))
    return SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error))


def _sync_folder(folder: Path) -> None:
    """Flush the rename to the disk. Windows cannot flush folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
