"""A paper as Markdown: to be edited, or printed by another program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from privaudit.documents import (
    BLANK_FIELD,
    Document,
    DocumentBlock,
    DocumentTable,
    FieldList,
    Heading,
    ItemList,
    LargeText,
    Notice,
    PageBreak,
    Paragraph,
    Title,
)
from privaudit.i18n import Translator

_MARKDOWN_SPECIAL_CHARS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
"""What Markdown, or HTML in it, would take for more than text: names of apps are written by strangers."""
_MARKDOWN_MARKERS: Final = {"dot": "-", "tick": "- [ ]"}


def document_to_markdown(document: Document) -> str:
    """`document`, ending in a line feed."""
    colon = Translator(document.language_code).t("rights.colon")
    return "\n\n".join("\n".join(_markdown_lines(block, colon)) for block in document.blocks) + "\n"


def _escape_markdown(text: str) -> str:
    escaped = _MARKDOWN_SPECIAL_CHARS.sub(r"\\\1", text)
    return re.sub(r"^(\d+)\.", r"\1\\.", escaped)


def _markdown_lines(block: DocumentBlock, colon: str) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield f"{'#' if isinstance(block, Title) else '##'} {_escape_markdown(text)}"
        case Paragraph(text, strong):
            yield f"**{_escape_markdown(text)}**" if strong else _escape_markdown(text)
        case LargeText(text):
            yield f"    {text}"
        case ItemList(items, mark):
            for place, item in enumerate(items, 1):
                yield f"{_MARKDOWN_MARKERS.get(mark, f'{place}.')} {_escape_markdown(item)}"
        case FieldList(rows):
            yield from (
                f"- {_escape_markdown(name)}{colon}{_escape_markdown(value or BLANK_FIELD)}" for name, value in rows
            )
        case DocumentTable(head, rows, empty):
            yield _markdown_row(head)
            yield "|" + "---|" * len(head)
            yield from map(_markdown_row, (*rows, *[("",) * len(head)] * empty))
        case Notice(title, items):
            yield f"> **{_escape_markdown(title)}**"
            yield ">"
            yield from (f"> - {_escape_markdown(item)}" for item in items)
        case PageBreak():
            yield "---"


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_escape_markdown, cells)) + " |"
