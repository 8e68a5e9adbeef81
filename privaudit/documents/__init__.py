"""Papers that a person takes away, signs or photographs: letters, the rights page, what goes with kept material.

A document is a `Document`: blocks in an order. Three forms write it: text, Markdown, HTML. A stage of its own behind the
report, because a paper needs the report's sentences, and the evidence folder holds whole reports.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from privaudit.errors import UsageError

DOCUMENT_FORMATS: Final = ("txt", "md", "html")
"""Suffixes of what can be written; each is a module here."""
BLANK_FIELD: Final = "_" * 24
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
class ItemList:
    """Sentences below each other: numbered, or with a box to tick, or with dots."""

    items: tuple[str, ...]
    marker: str = "dot"
    """``dot``, ``number`` or ``tick``."""


@dataclass(frozen=True, slots=True)
class FieldList:
    """Names and values. Text from a phone stands only here and in tables, apart from our sentences."""

    rows: tuple[tuple[str, str | None], ...]
    """``None``: a blank, to be filled in by hand."""


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """Columns."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    blank_rows: int = 0
    """Rows to be filled in by hand, behind the others."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Sentences that are not part of the document: what to know before it is used."""

    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LargeText:
    """What is to be read off a photograph."""

    text: str


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a page of its own."""


DocumentBlock: TypeAlias = (
    Title | Heading | Paragraph | ItemList | FieldList | DocumentTable | Notice | LargeText | PageBreak
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document."""

    title: str
    """For programs that show the file; on paper it is a block."""
    language_code: str
    """Code of the language in which it is written."""
    blocks: tuple[DocumentBlock, ...]


def output_format(path: Path) -> str:
    """The form that the suffix of `path` names.

    Raises:
        UsageError: there is none; its folder is not there; or the file is: somebody may have filled it in.
    """
    suffix = path.suffix.removeprefix(".")
    if suffix not in DOCUMENT_FORMATS:
        raise UsageError("errors.format_unknown", given=path.name, known=tuple(f".{name}" for name in DOCUMENT_FORMATS))
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))
    if path.exists():
        raise UsageError("errors.paper_exists", path=str(path))
    return suffix


_RENDERERS: Final = {
    "html": "privaudit.documents.render",
    "md": "privaudit.documents.render",
    "txt": "privaudit.documents.render",
}


def render_document(document: Document, file_format: str) -> str:
    """`document` in the form `file_format`."""
    text: str = importlib.import_module(_RENDERERS[file_format]).render(document)
    return text
