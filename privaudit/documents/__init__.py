"""Papers that a person takes away, signs or photographs: letters, the rights page, what goes with kept material.

A document is a `Paper`: blocks in an order. Three forms write it: text, Markdown, HTML. A stage of its own behind the
report, because a paper needs the report's sentences, and the evidence folder holds whole reports.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from privaudit.errors import UsageError

FORMS: Final = ("txt", "md", "html")
"""Suffixes of what can be written; each is a module here."""
BLANK: Final = "_" * 24
"""What a person fills in by hand."""


@dataclass(frozen=True, slots=True)
class Title:
    """The title of the document. A page that stays at home may stand before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A line above what follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences below each other: numbered, or with a box to tick, or with dots."""

    items: tuple[str, ...]
    mark: str = "dot"
    """``dot``, ``number`` or ``tick``."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Names and values. Text from a phone stands only here and in tables, apart from our sentences."""

    rows: tuple[tuple[str, str | None], ...]
    """``None``: a blank, to be filled in by hand."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: int = 0
    """Rows to be filled in by hand, behind the others."""


@dataclass(frozen=True, slots=True)
class Box:
    """Sentences that are not part of the document: what to know before it is used."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Large:
    """What is to be read off a photograph."""

    text: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """What follows begins on a page of its own."""


Block: TypeAlias = Title | Heading | Paragraph | Listing | Rows | Table | Box | Large | NewPage


@dataclass(frozen=True, slots=True)
class Paper:
    """A document."""

    title: str
    """For programs that show the file; on paper it is a block."""
    language: str
    """Code of the language in which it is written."""
    blocks: tuple[Block, ...]


def form(path: Path) -> str:
    """The form that the suffix of `path` names.

    Raises:
        UsageError: there is none; its folder is not there; or the file is: somebody may have filled it in.
    """
    suffix = path.suffix.removeprefix(".")
    if suffix not in FORMS:
        raise UsageError("errors.format_unknown", given=path.name, known=tuple(f".{name}" for name in FORMS))
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))
    if path.exists():
        raise UsageError("errors.paper_exists", path=str(path))
    return suffix


_RENDERERS: Final = {
    "html": "privaudit.documents.html",
    "md": "privaudit.documents.md",
    "txt": "privaudit.documents.render",
}


def render(paper: Paper, suffix: str) -> str:
    """`paper` in the form `suffix`."""
    text: str = importlib.import_module(_RENDERERS[suffix]).render(paper)
    return text
