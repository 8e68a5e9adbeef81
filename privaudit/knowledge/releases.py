"""Which lists are in force: the shipped ones, or newer ones that `signatures update` verified and put in place."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter

from privaudit.knowledge.loader import Problems, read_toml, shipped_folder, validate_data
from privaudit.knowledge.schema import PartialDate

_APP_NAME: Final = "privaudit"


def user_data_path(environment: Mapping[str, str] | None = None, system: str = sys.platform) -> Path:
    """The folder for what privaudit took in: ``%LOCALAPPDATA%``, ``~/Library/Application Support``, or XDG's."""
    return _user_folder(environment, system, "LOCALAPPDATA", ("AppData", "Local"), "XDG_DATA_HOME", (".local", "share"))


def user_config_path(environment: Mapping[str, str] | None = None, system: str = sys.platform) -> Path:
    """The folder for what the user set: ``%APPDATA%``, ``~/Library/Application Support``, or XDG's."""
    return _user_folder(environment, system, "APPDATA", ("AppData", "Roaming"), "XDG_CONFIG_HOME", (".config",))


def _user_folder(
    environment: Mapping[str, str] | None,
    system: str,
    windows: str,
    windows_below_home: tuple[str, ...],
    xdg: str,
    xdg_below_home: tuple[str, ...],
) -> Path:
    known = os.environ if environment is None else environment
    home = Path(known.get("USERPROFILE" if system == "win32" else "HOME") or Path.home())
    if system == "win32":
        return Path(known.get(windows) or home.joinpath(*windows_below_home)) / _APP_NAME
    if system == "darwin":
        return home / "Library" / "Application Support" / _APP_NAME
    # The XDG specification: a relative path is not valid and is passed over.
    given = known.get(xdg, "")
    return (Path(given) if given.startswith("/") else home.joinpath(*xdg_below_home)) / _APP_NAME


RELEASE_FILE: Final = "release.toml"
CURRENT_FILE: Final = "current"
"""A file of one line: the name of the folder in force. Replacing it is the one step by which lists are exchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Which edition of the lists this is."""

    number: Annotated[int, Field(ge=1, lt=10**12)]
    """Grows with each edition, so that nobody can pass off an old one as new."""
    released: PartialDate
    __pydantic_config__ = ConfigDict(extra="forbid")


def read_release(folder: Traversable, problems: Problems) -> Release | None:
    """The edition in `folder`; ``None`` and the mistakes where it cannot be read."""
    data = read_toml(folder / RELEASE_FILE, RELEASE_FILE, problems)
    return None if data is None else validate_data(_release_adapter(), data, RELEASE_FILE, problems)


def release_number(folder: Traversable) -> int:
    """The edition's number; 0 where there is none to be read."""
    found = read_release(folder, Problems())
    return found.number if found else 0


def active_release_date() -> str:
    """When the edition in force was made, ``YYYY-MM-DD``."""
    found = read_release(active_folder(), Problems())
    return found.released if found else "1970-01-01"


def updates_root() -> Path:
    """Where lists that were taken in by `signatures update` lie."""
    return user_data_path() / "lists"


def updated_folder() -> Path | None:
    """The folder of the lists that were taken in last; ``None``: none were."""
    root = updates_root()
    try:
        name = (root / CURRENT_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = root / name
    return folder if name.isalnum() and (folder / "vocabulary.toml").is_file() else None


def active_folder() -> Traversable:
    """The folder to read: the shipped lists, unless newer ones were taken in.

    Raises:
        KnowledgeError: privaudit's own are not there.
    """
    ours, newer = shipped_folder(), updated_folder()
    return newer if newer is not None and release_number(newer) > release_number(ours) else ours


@cache
def _release_adapter() -> TypeAdapter[Release]:
    return TypeAdapter(Release)
