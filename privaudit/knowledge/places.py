"""Where a program keeps what belongs to one user, on each system. A dozen lines in place of a dependency."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

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
