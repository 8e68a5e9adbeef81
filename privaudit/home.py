"""The user's home folder, where this computer says what it is. No other module asks for it (tested)."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from privaudit.errors import UsageError

_QUOTATION_MARKS: Final = "'\""
_QUOTED_APOSTROPHE: Final = r"'\''"
"""How a shell writes an apostrophe inside single quotation marks."""
_ESCAPED_SIGN: Final = re.compile(r"\\(\W)")


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


def typed_path(text: str) -> Path:
    """Return the path that a user typed, or dragged into the terminal. Raises UsageError ``no_home``.

    ``~`` at its start is the home folder. Around what is dragged, terminals put quotation marks; or, except on Windows,
    a backslash before each blank and sign; and a blank after it.
    """
    path = text.strip()
    if len(path) > 1 and path[0] == path[-1] and path[0] in _QUOTATION_MARKS:
        path = path[1:-1].replace(_QUOTED_APOSTROPHE, "'")
    elif os.name == "posix":
        path = _ESCAPED_SIGN.sub(r"\1", path)
    with require_home():
        return Path(path).expanduser()
