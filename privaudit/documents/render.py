"""Write documents as plain text, Markdown and HTML, and workshop sheets as one HTML print job.

Plain text is 80 columns wide: for a screen, an e-mail, or the ticket form of an app. The HTML runs no script and loads
nothing; the page may apply its own style sheet and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from privaudit.documents import (
    Code,
    Document,
    DocumentBlock,
    DocumentTable,
    FieldList,
    Heading,
    ItemList,
    LargeText,
    ListMarker,
    Notice,
    PageBreak,
    Paragraph,
    Title,
)
from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.report.layout import hanging_indent, pad, wrap

BLANK_FIELD: Final = "_" * 24
"""A blank to be filled in by hand."""
SHEET_START_MARKER, SHEET_END_MARKER = "<!-- sheet -->", "<!-- end of sheet -->"
"""HTML comments around each sheet, by which `join_sheets` finds it in a saved page."""
_LINE_COLUMNS: Final = 80
_MAX_LABEL_COLUMNS: Final = 30
"""Columns for the labels of a field list; the value of a longer label goes to the next line."""
_TEXT_MARKERS: Final[Mapping[ListMarker, str]] = {"dot": "·", "tick": "[ ]", "number": "{}.", "step": "[ ] {}."}
"""Marker of a list item in plain text; ``{}`` is its number."""
_MARKDOWN_MARKERS: Final[Mapping[ListMarker, str]] = {"dot": "-", "tick": "- [ ]", "number": "{}.", "step": "{}. [ ]"}
_MARKDOWN_SPECIAL_CHARS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
"""Characters that Markdown, or HTML inside it, would interpret: app names are written by strangers."""


def output_format(path: Path) -> str:
    """Return the format that the suffix of `path` names, a key of `DOCUMENT_FORMATS`.

    Raises:
        UsageError: the suffix is not a format, the folder does not exist, or the file exists: it may hold a form that
            was filled in.
    """
    file_format = path.suffix.removeprefix(".")
    if file_format not in DOCUMENT_FORMATS:
        raise UsageError("errors.format_unknown", given=path.name, known=tuple(f".{name}" for name in DOCUMENT_FORMATS))
    if not path.absolute().parent.is_dir():
        raise UsageError("errors.no_folder", path=str(path.absolute().parent))
    if path.exists():
        raise UsageError("errors.paper_exists", path=str(path))
    return file_format


def render_document(document: Document, file_format: str) -> str:
    """Return `document` in a format of `DOCUMENT_FORMATS`."""
    return DOCUMENT_FORMATS[file_format](document)


def document_to_text(document: Document) -> str:
    """Return `document` as plain text, ending in a line feed."""
    colon = Translator(document.language_code).t("rights.colon")
    lines = [line for block in document.blocks for line in (*_text_lines(block, colon), "")]
    return "".join(f"{line}\n" for line in lines[:-1])


def _text_lines(block: DocumentBlock, colon: str) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield from wrap(text, _LINE_COLUMNS)
            yield ("=" if isinstance(block, Title) else "-") * min(cell_len(text), _LINE_COLUMNS)
        case Paragraph(text) | LargeText(text) | Code(text):
            yield from wrap(text, _LINE_COLUMNS)
        case ItemList(items, marker):
            for number, item in enumerate(items, 1):
                yield from hanging_indent(f"{_TEXT_MARKERS[marker].format(number)} ", item, _LINE_COLUMNS)
        case FieldList(rows):
            yield from _text_fields(rows)
        case DocumentTable():
            yield from _text_table(block, colon)
        case Notice(items, title):
            yield "-" * _LINE_COLUMNS
            yield from wrap(title, _LINE_COLUMNS) if title is not None else ()
            for item in items:
                yield from hanging_indent("· ", item, _LINE_COLUMNS)
            yield "-" * _LINE_COLUMNS
        case PageBreak():
            yield "=" * _LINE_COLUMNS


def _text_fields(rows: tuple[tuple[str, str | None], ...]) -> Iterator[str]:
    label_columns = min(max(cell_len(label) for label, _ in rows) + 2, _MAX_LABEL_COLUMNS)
    for label, value in rows:
        if cell_len(label) >= label_columns:
            yield from wrap(label, _LINE_COLUMNS)
            prefix = " " * label_columns
        else:
            prefix = pad(label, label_columns)
        yield from hanging_indent(prefix, value or BLANK_FIELD, _LINE_COLUMNS)


def _text_table(table: DocumentTable, colon: str) -> Iterator[str]:
    """Write the table row by row, each value after the name of its column, so that no column is too narrow."""
    for index, row in enumerate((*table.rows, *[("",) * len(table.header)] * table.blank_rows)):
        if index:
            yield ""
        for column, value in zip(table.header, row, strict=True):
            yield from hanging_indent(f"  {column}{colon}", value or BLANK_FIELD, _LINE_COLUMNS)


def document_to_markdown(document: Document) -> str:
    """Return `document` as Markdown, ending in a line feed."""
    colon = Translator(document.language_code).t("rights.colon")
    return "\n\n".join("\n".join(_markdown_lines(block, colon)) for block in document.blocks) + "\n"


def _markdown_lines(block: DocumentBlock, colon: str) -> Iterator[str]:
    match block:
        case Title(text) | Heading(text):
            yield f"{'#' if isinstance(block, Title) else '##'} {_escape_markdown(text)}"
        case Paragraph(text, strong):
            yield f"**{_escape_markdown(text)}**" if strong else _escape_markdown(text)
        case LargeText(text) | Code(text):
            yield f"    {text}"
        case ItemList(items, marker):
            for number, item in enumerate(items, 1):
                yield f"{_MARKDOWN_MARKERS[marker].format(number)} {_escape_markdown(item)}"
        case FieldList(rows):
            yield from (
                f"- {_escape_markdown(label)}{colon}{_escape_markdown(value or BLANK_FIELD)}" for label, value in rows
            )
        case DocumentTable(header, rows, blank_rows):
            yield _markdown_row(header)
            yield "|" + "---|" * len(header)
            yield from map(_markdown_row, (*rows, *[("",) * len(header)] * blank_rows))
        case Notice(items, title):
            yield from (f"> **{_escape_markdown(title)}**", ">") if title is not None else ()
            yield from (f"> - {_escape_markdown(item)}" for item in items)
        case PageBreak():
            yield "---"


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_escape_markdown, cells)) + " |"


def _escape_markdown(text: str) -> str:
    escaped = _MARKDOWN_SPECIAL_CHARS.sub(r"\\\1", text)
    return re.sub(r"^(\d+)\.", r"\1\\.", escaped)  # "1. " would begin a list


def document_to_html(document: Document) -> str:
    """Return `document` as an HTML page, ending in a line feed.

    The template escapes each value, and isolates it from the text direction around it.
    """
    from privaudit.report import html_page  # loads Jinja2

    context = {"document": document, "blocks": _typed_blocks(document)}
    return html_page.render_page("paper", Translator(document.language_code), context, stylesheet="paper")


def sheets_to_html(sheets: Iterable[Document], *, demo: bool = False, title: str | None = None) -> str:
    """Return `sheets`, all in one language, as one HTML page, each on printed pages of its own.

    Args:
        sheets: At least one; documents with another layout than ``flow``.
        demo: Whether each sheet says that its phone is invented.
        title: The title of the page; ``None``: that of the first sheet.
    """
    from privaudit.report import html_page  # loads Jinja2

    sheets = tuple(sheets)
    context = {
        "title": title or sheets[0].title,
        "sheets": [(sheet, _typed_blocks(sheet)) for sheet in sheets],
        "demo": demo,
        "start_marker": SHEET_START_MARKER,
        "end_marker": SHEET_END_MARKER,
    }
    return html_page.render_page("sheet", Translator(sheets[0].language_code), context, stylesheet="sheet")


def _typed_blocks(document: Document) -> list[tuple[str, DocumentBlock]]:
    """Return each block after the name of its class, by which the templates choose its element."""
    return [(type(block).__name__, block) for block in document.blocks]


def join_sheets(pages: Iterable[str]) -> str | None:
    """Join pages that `sheets_to_html` wrote into one print job; each sheet keeps its language.

    Returns:
        The joined page, or ``None`` if there are no pages.
    """
    pages = list(pages)
    if not pages:
        return None
    sheets = [
        page[page.index(SHEET_START_MARKER) : page.rindex(SHEET_END_MARKER) + len(SHEET_END_MARKER)]
        for page in pages
        if SHEET_START_MARKER in page and SHEET_END_MARKER in page
    ]
    frame = pages[0]
    before = frame[: frame.index(SHEET_START_MARKER)]
    after = frame[frame.rindex(SHEET_END_MARKER) + len(SHEET_END_MARKER) :]
    return before + "\n".join(sheets) + after


DOCUMENT_FORMATS: Final[Mapping[str, Callable[[Document], str]]] = {
    "txt": document_to_text,
    "md": document_to_markdown,
    "html": document_to_html,
}
"""Each format that a document is written in, by the suffix of its files."""
