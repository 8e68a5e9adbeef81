"""One facilitator in one folder. The system gives the lock back when a program ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from privaudit.errors import SourceError

if sys.platform == "win32":
    import msvcrt

    def _lock_file(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock_file(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FolderLock:
    """Held from construction to `release`. The file stays: a removed one could be locked twice.

    Raises:
        SourceError: ``folder_in_use``: another one is held; ``not_written``.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SourceError("errors.not_written", path=str(path), reason=error.strerror or str(error)) from error
        try:
            _lock_file(self._fd)
        except OSError as error:
            os.close(self._fd)
            raise SourceError("errors.folder_in_use", path=str(path.parent)) from error

    def release(self) -> None:
        """Let others in. May be called twice."""
        file, self._fd = self._fd, None
        if file is not None:
            os.close(file)
