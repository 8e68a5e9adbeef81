"""The document model of everything that a person takes away, signs, fills in or photographs.

A `Document` is a sequence of blocks; letters, rights pages, evidence pages and workshop sheets are built from the same
blocks. `privaudit.documents.render` writes them as text, Markdown or HTML. Documents are a stage after the report: they
quote its sentences, and an evidence folder holds whole reports.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

ListMarker: TypeAlias = Literal["dot", "number", "tick", "step"]
"""What stands before an item: a dot, its number, a box to tick, or a box and its number (steps in their order)."""

DocumentLayout: TypeAlias = Literal["flow", "page", "slip", "wide", "card", "poster", "half"]
"""How a document is printed.

``flow``: as letters are, over as many pages as it takes. All others are workshop sheets in large print, joined into one
print job. All of these but ``page`` fit on one page: a ``card`` in two columns, a ``half`` printed twice.
"""


@dataclass(frozen=True, slots=True)
class Title:
    """The title."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading above the blocks that follow."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class ItemList:
    """Sentences below each other."""

    items: tuple[str, ...]
    marker: ListMarker = "dot"


@dataclass(frozen=True, slots=True)
class FieldList:
    """Names and values. Text from a phone stands only here and in tables, apart from our sentences."""

    rows: tuple[tuple[str, str | None], ...]
    """``None``: a blank, to be filled in by hand."""


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """A table with a header row."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    blank_rows: int = 0
    """Rows to be filled in by hand, after the others."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Sentences in a frame: a warning, or what to know before the document is used."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LargeText:
    """Text to be read off a photograph; keeps its line breaks."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be compared character by character: a hash."""

    text: str


@dataclass(frozen=True, slots=True)
class PageBreak:
    """The next block begins on a new page."""


DocumentBlock: TypeAlias = (
    Title | Heading | Paragraph | ItemList | FieldList | DocumentTable | Notice | LargeText | Code | PageBreak
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document in one language."""

    title: str
    """For programs that show the file; on paper it is a `Title` block."""
    language_code: str
    """Code of the language in which the document is written."""
    blocks: tuple[DocumentBlock, ...]
    layout: DocumentLayout = "flow"
    corner_label: str = ""
    """Printed beside the title of a sheet, in large letters: a case code."""
    instructions: Document | None = None
    """A page, in a language of its own, that stands before the document and is not part of it."""

    def pages(self) -> tuple[Document, ...]:
        """Return what is printed, in order: the instructions, if there are any, and the document."""
        return (self,) if self.instructions is None else (self.instructions, self)


def titled_document(
    title: str,
    language_code: str,
    blocks: Iterable[DocumentBlock],
    *,
    layout: DocumentLayout = "flow",
    corner_label: str = "",
) -> Document:
    """Return a document of `blocks` that begins with its title."""
    return Document(title, language_code, (Title(title), *blocks), layout, corner_label)


def paragraphs(*sentences: str) -> tuple[Paragraph, ...]:
    """Return a paragraph for each sentence."""
    return tuple(map(Paragraph, sentences))


def notice(*sentences: str) -> Notice:
    """Return sentences in a frame, which must not be missed."""
    return Notice(sentences)


def bullet_list(items: Iterable[str]) -> ItemList:
    """Return a list in no order."""
    return ItemList(tuple(items))


def numbered_list(items: Iterable[str]) -> ItemList:
    """Return a numbered list."""
    return ItemList(tuple(items), "number")


def checkbox_list(items: Iterable[str]) -> ItemList:
    """Return a list of boxes to tick."""
    return ItemList(tuple(items), "tick")


def step_list(items: Iterable[str]) -> ItemList:
    """Return a list of numbered boxes to tick, one step after another."""
    return ItemList(tuple(items), "step")


def blank_fields(*labels: str) -> FieldList:
    """Return labelled lines to write on."""
    return FieldList(tuple((label, None) for label in labels))


def blank_table(header: Iterable[str], rows: int) -> DocumentTable:
    """Return a table of `rows` empty rows to fill in by hand."""
    return DocumentTable(tuple(header), (), rows)
