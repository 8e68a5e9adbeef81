"""Which lists are in force: the shipped ones, or newer ones that `signatures update` verified and put in place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter

from privaudit.knowledge import places
from privaudit.knowledge.loader import Problems, read_toml, shipped_folder, validate_data
from privaudit.knowledge.schema import PartialDate

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
    return places.user_data_path() / "lists"


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
