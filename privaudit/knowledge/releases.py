"""Which lists are in force: the shipped ones, or newer ones that `signatures update` verified and put in place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field, TypeAdapter

from privaudit.knowledge import places
from privaudit.knowledge.loader import Mistakes, read_toml, shipped, validate
from privaudit.knowledge.schema import Day

FILE: Final = "release.toml"
POINTER: Final = "current"
"""A file of one line: the name of the folder in force. Replacing it is the one step by which lists are exchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Which edition of the lists this is."""

    number: Annotated[int, Field(ge=1, lt=10**12)]
    """Grows with each edition, so that nobody can pass off an old one as new."""
    released: Day
    __pydantic_config__ = ConfigDict(extra="forbid")


def read(folder: Traversable, mistakes: Mistakes) -> Release | None:
    """The edition in `folder`; ``None`` and the mistakes where it cannot be read."""
    data = read_toml(folder / FILE, FILE, mistakes)
    return None if data is None else validate(_adapter(), data, FILE, mistakes)


def number(folder: Traversable) -> int:
    """The edition's number; 0 where there is none to be read."""
    found = read(folder, Mistakes())
    return found.number if found else 0


def day() -> str:
    """When the edition in force was made, ``YYYY-MM-DD``."""
    found = read(in_force(), Mistakes())
    return found.released if found else "1970-01-01"


def kept() -> Path:
    """Where lists that were taken in by `signatures update` lie."""
    return places.data() / "lists"


def taken() -> Path | None:
    """The folder of the lists that were taken in last; ``None``: none were."""
    root = kept()
    try:
        name = (root / POINTER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = root / name
    return folder if name.isalnum() and (folder / "vocabulary.toml").is_file() else None


def in_force() -> Traversable:
    """The folder to read: the shipped lists, unless newer ones were taken in.

    Raises:
        KnowledgeError: privaudit's own are not there.
    """
    ours, newer = shipped(), taken()
    return newer if newer is not None and number(newer) > number(ours) else ours


@cache
def _adapter() -> TypeAdapter[Release]:
    return TypeAdapter(Release)
