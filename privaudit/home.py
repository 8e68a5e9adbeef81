"""The user's home folder, where this computer says what it is. No other module asks for it (tested)."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from privaudit.errors import UsageError


@contextlib.contextmanager
def require_home() -> Iterator[None]:
    """Raise UsageError ``no_home`` where the block asks for a home folder that this computer does not name."""
    try:
        yield
    except RuntimeError as error:
        raise UsageError("errors.no_home") from error


def home_folder() -> Path:
    """Return the user's home folder. Raises UsageError ``no_home``."""
    with require_home():
        return Path.home()


def expand_home(path: str) -> Path:
    """Return `path` with the home folder in place of ``~`` at its start. Raises UsageError ``no_home``."""
    with require_home():
        return Path(path).expanduser()
