"""A paper as Markdown: to be edited, or printed by another program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

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

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
"""What Markdown, or HTML in it, would take for more than text: names of apps are written by strangers."""
_MARKS: Final = {"dot": "-", "tick": "- [ ]"}


def render(paper: Paper) -> str:
    """`paper`, ending in a line feed."""
    colon = Language(paper.language).text("rights.colon")
    return "\n\n".join("\n".join(_lines(block, colon)) for block in paper.blocks) + "\n"


def _text(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", text)
    return re.sub(r"^(\d+)\.", r"\1\\.", escaped)


def _lines(block: Block, colon: str) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield f"{'#' if isinstance(block, Title) else '##'} {_text(text)}"
        case Paragraph(text, strong):
            yield f"**{_text(text)}**" if strong else _text(text)
        case Large(text):
            yield f"    {text}"
        case Listing(items, mark):
            for place, item in enumerate(items, 1):
                yield f"{_MARKS.get(mark, f'{place}.')} {_text(item)}"
        case Rows(rows):
            yield from (f"- {_text(name)}{colon}{_text(value or BLANK)}" for name, value in rows)
        case Table(head, rows, empty):
            yield _row(head)
            yield "|" + "---|" * len(head)
            yield from map(_row, (*rows, *[("",) * len(head)] * empty))
        case Box(title, items):
            yield f"> **{_text(title)}**"
            yield ">"
            yield from (f"> - {_text(item)}" for item in items)
        case NewPage():
            yield "---"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_text, cells)) + " |"
