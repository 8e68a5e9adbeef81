"""Which lists are active: the shipped ones, or newer ones that `signatures update` verified and installed."""

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final

import platformdirs
from pydantic import Field

from privaudit.errors import UsageError
from privaudit.home import require_home
from privaudit.knowledge.loader import Problems, read_typed_toml, shipped_folder
from privaudit.knowledge.schema import DataTable, PartialDate

RELEASE_FILE: Final = "release.toml"
CURRENT_FILE: Final = "current"
"""One line: the name of the active folder in `updates_root`. Replacing this file switches the lists in one step."""
_APP_NAME: Final = "privaudit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(DataTable):
    """The number and date of a release of the lists (``release.toml``)."""

    number: Annotated[int, Field(ge=1, lt=10**12)]
    """Grows with each release, so that an old one cannot be installed as an update."""
    released: PartialDate


def updates_root() -> Path:
    """Return the user's data folder of the lists that `signatures update` installs; raises UsageError ``no_home``."""
    with require_home():
        return platformdirs.user_data_path(_APP_NAME, appauthor=False) / "lists"


def public_key_folder() -> Path:
    """Return the user's settings folder of the trusted public keys (``*.pub``); raises UsageError ``no_home``."""
    with require_home():
        return platformdirs.user_config_path(_APP_NAME, appauthor=False, roaming=True) / "keys"


def active_folder() -> Traversable:
    """Return the folder of the active lists: the shipped ones, unless newer ones were installed."""
    shipped, updated = shipped_folder(), updated_folder()
    return updated if updated is not None and release_number(updated) > release_number(shipped) else shipped


def updated_folder() -> Path | None:
    """Return the folder of the lists that were installed last; ``None`` where none were."""
    try:
        root = updates_root()
        name = (root / CURRENT_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, UsageError):  # UsageError: there is no home folder
        return None
    folder = root / name
    return folder if name.isalnum() and (folder / "vocabulary.toml").is_file() else None


def read_release(folder: Traversable, problems: Problems) -> Release | None:
    """Read the release of the lists in `folder`; ``None`` and an entry in `problems` where that fails."""
    return read_typed_toml(Release, folder / RELEASE_FILE, RELEASE_FILE, problems)


def release_number(folder: Traversable) -> int:
    """Return the release number of the lists in `folder`; 0 where it cannot be read."""
    release = read_release(folder, Problems())
    return release.number if release else 0


def active_release_date() -> str:
    """Return the date of the active release, ``YYYY-MM-DD``; 1970-01-01 where it cannot be read."""
    release = read_release(active_folder(), Problems())
    return release.released if release else "1970-01-01"
