"""A paper as plain text, 80 columns wide: for a screen, an e-mail, the ticket of an app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

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
from privaudit.report import html_page
from privaudit.report.layout import hanging_indent, pad, wrap

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


def document_to_html(document: Document) -> str:
    """`document`, ending in a line feed. Every value is escaped, and isolated from the direction of what is around it."""
    blocks = [(type(block).__name__, block) for block in document.blocks]
    content = {"paper": document, "blocks": blocks, "blank": BLANK_FIELD}
    return html_page.render_page("paper", Translator(document.language_code), content, stylesheet="paper")


_LINE_COLUMNS: Final = 80
_MAX_LABEL_COLUMNS: Final = 30
"""Columns for the names of rows; a longer one has the value below it."""
_TEXT_MARKERS: Final = {"dot": "·", "tick": "[ ]"}


def document_to_text(document: Document) -> str:
    """`document`, ending in a line feed."""
    colon = Translator(document.language_code).t("rights.colon")
    lines = [line for block in document.blocks for line in (*_text_lines(block, colon), "")]
    return "".join(f"{line}\n" for line in lines[:-1])


def _text_lines(block: DocumentBlock, colon: str) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield from wrap(text, _LINE_COLUMNS)
            yield ("=" if isinstance(block, Title) else "-") * min(cell_len(text), _LINE_COLUMNS)
        case Paragraph(text) | LargeText(text):
            yield from wrap(text, _LINE_COLUMNS)
        case ItemList(items, mark):
            for place, item in enumerate(items, 1):
                yield from hanging_indent(f"{_TEXT_MARKERS.get(mark, f'{place}.')} ", item, _LINE_COLUMNS)
        case FieldList(rows):
            yield from _text_fields(rows)
        case DocumentTable():
            yield from _text_table(block, colon)
        case Notice(title, items):
            yield "-" * _LINE_COLUMNS
            yield from wrap(title, _LINE_COLUMNS)
            for item in items:
                yield from hanging_indent("· ", item, _LINE_COLUMNS)
            yield "-" * _LINE_COLUMNS
        case PageBreak():
            yield "=" * _LINE_COLUMNS


def _text_fields(rows: tuple[tuple[str, str | None], ...]) -> Iterator[str]:
    names = min(max(cell_len(name) for name, _ in rows) + 2, _MAX_LABEL_COLUMNS)
    for name, value in rows:
        if cell_len(name) >= names:
            yield from wrap(name, _LINE_COLUMNS)
            yield from hanging_indent(" " * names, value or BLANK_FIELD, _LINE_COLUMNS)
        else:
            yield from hanging_indent(pad(name, names), value or BLANK_FIELD, _LINE_COLUMNS)


def _text_table(table: DocumentTable, colon: str) -> Iterator[str]:
    """Row after row, each value behind the name of its column: no column is too narrow so."""
    for place, row in enumerate((*table.rows, *[("",) * len(table.header)] * table.blank_rows)):
        if place:
            yield ""
        for name, value in zip(table.header, row, strict=True):
            yield from hanging_indent(f"  {name}{colon}", value or BLANK_FIELD, _LINE_COLUMNS)
