"""A paper as plain text, 80 columns wide: for a screen, an e-mail, the ticket of an app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

from privaudit.documents import (
    BLANK,
    Block,
    Box,
    Heading,
    Large,
    Listing,
    NewPage,
    Paper,
    Paragraph,
    Rows,
    Table,
    Title,
)
from privaudit.i18n import Language
from privaudit.report.layout import hanging, pad, wrap

_WIDTH: Final = 80
_LONGEST_NAME: Final = 30
"""Columns for the names of rows; a longer one has the value below it."""
_MARKS: Final = {"dot": "·", "tick": "[ ]"}


def render(paper: Paper) -> str:
    """`paper`, ending in a line feed."""
    colon = Language(paper.language).text("rights.colon")
    lines = [line for block in paper.blocks for line in (*_lines(block, colon), "")]
    return "".join(f"{line}\n" for line in lines[:-1])


def _lines(block: Block, colon: str) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield from wrap(text, _WIDTH)
            yield ("=" if isinstance(block, Title) else "-") * min(cell_len(text), _WIDTH)
        case Paragraph(text) | Large(text):
            yield from wrap(text, _WIDTH)
        case Listing(items, mark):
            for place, item in enumerate(items, 1):
                yield from hanging(f"{_MARKS.get(mark, f'{place}.')} ", item, _WIDTH)
        case Rows(rows):
            yield from _rows(rows)
        case Table():
            yield from _table(block, colon)
        case Box(title, items):
            yield "-" * _WIDTH
            yield from wrap(title, _WIDTH)
            for item in items:
                yield from hanging("· ", item, _WIDTH)
            yield "-" * _WIDTH
        case NewPage():
            yield "=" * _WIDTH


def _rows(rows: tuple[tuple[str, str | None], ...]) -> Iterator[str]:
    names = min(max(cell_len(name) for name, _ in rows) + 2, _LONGEST_NAME)
    for name, value in rows:
        if cell_len(name) >= names:
            yield from wrap(name, _WIDTH)
            yield from hanging(" " * names, value or BLANK, _WIDTH)
        else:
            yield from hanging(pad(name, names), value or BLANK, _WIDTH)


def _table(table: Table, colon: str) -> Iterator[str]:
    """Row after row, each value behind the name of its column: no column is too narrow so."""
    for place, row in enumerate((*table.rows, *[("",) * len(table.head)] * table.empty)):
        if place:
            yield ""
        for name, value in zip(table.head, row, strict=True):
            yield from hanging(f"  {name}{colon}", value or BLANK, _WIDTH)
