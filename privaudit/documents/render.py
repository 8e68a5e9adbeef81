"""Write documents as plain text, Markdown and HTML, and workshop sheets as one HTML print job.

Plain text is 80 columns wide: for a screen, an e-mail, or the ticket form of an app. The HTML runs no script and loads
nothing; the page may apply its own style sheet and nothing else.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from privaudit import documents
from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.report import validate_output
from privaudit.report.layout import hanging_indent, pad, wrap

BLANK_FIELD: Final = "_" * 24
"""A blank to be filled in by hand."""
SHEET_START_MARKER, SHEET_END_MARKER = "<!-- sheet -->", "<!-- end of sheet -->"
"""HTML comments around each sheet, by which `join_sheets` finds it in a saved page."""
_LINE_COLUMNS: Final = 80
_TEXT_PAGE_BREAK: Final = "=" * _LINE_COLUMNS
_MARKDOWN_PAGE_BREAK: Final = "---"
_MAX_LABEL_COLUMNS: Final = 30
"""Columns for the labels of a field list; the value of a longer label goes to the next line."""
_TEXT_MARKERS: Final[Mapping[str, str]] = {"dot": "·", "tick": "[ ]", "number": "{}.", "step": "[ ] {}."}
"""Marker of a list item in plain text; ``{}`` is its number."""
_MARKDOWN_MARKERS: Final[Mapping[str, str]] = {"dot": "-", "tick": "- [ ]", "number": "{}.", "step": "{}. [ ]"}
_MARKDOWN_SPECIAL_CHARS: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$-])")
"""Characters that Markdown, or HTML inside it, would interpret: app names are written by strangers."""


def output_format(path: Path) -> str:
    """Return the format of a file, a key of `DOCUMENT_FORMATS`.

    Raises `UsageError` as `validate_output` does, and if the file exists: it may hold a form that was filled in.
    """
    validate_output(path, tuple(f".{name}" for name in DOCUMENT_FORMATS))
    if path.exists():
        raise UsageError("errors.paper_exists", path=str(path))
    return path.suffix.removeprefix(".")


def render_document(document: documents.Document, file_format: str) -> str:
    """Return `document` in a format of `DOCUMENT_FORMATS`."""
    return DOCUMENT_FORMATS[file_format](document)


def document_to_text(document: documents.Document) -> str:
    """Return `document` as plain text, ending in a line feed."""
    return f"\n{_TEXT_PAGE_BREAK}\n\n".join(map(_page_to_text, document.pages()))


def _page_to_text(page: documents.Document) -> str:
    colon = Translator(page.language_code).t("rights.colon")
    lines = [line for block in page.blocks for line in (*_text_lines(block, colon), "")]
    return "".join(f"{line}\n" for line in lines[:-1])


def _text_lines(block: documents.DocumentBlock, colon: str) -> Iterator[str]:
    match block:
        case documents.Title(text) | documents.Heading(text):
            yield from wrap(text, _LINE_COLUMNS)
            yield ("=" if isinstance(block, documents.Title) else "-") * min(cell_len(text), _LINE_COLUMNS)
        case documents.Paragraph(text) | documents.LargeText(text) | documents.Code(text):
            yield from wrap(text, _LINE_COLUMNS)
        case documents.ItemList(items, marker):
            for number, item in enumerate(items, 1):
                yield from hanging_indent(f"{_TEXT_MARKERS[marker].format(number)} ", item, _LINE_COLUMNS)
        case documents.FieldList(rows):
            yield from _text_fields(rows)
        case documents.DocumentTable():
            yield from _text_table(block, colon)
        case documents.Notice(items):
            yield "-" * _LINE_COLUMNS
            for item in items:
                yield from hanging_indent("· ", item, _LINE_COLUMNS)
            yield "-" * _LINE_COLUMNS
        case documents.PageBreak():
            yield _TEXT_PAGE_BREAK


def _text_fields(rows: tuple[tuple[str, str | None], ...]) -> Iterator[str]:
    label_columns = min(max(cell_len(label) for label, _ in rows) + 2, _MAX_LABEL_COLUMNS)
    for label, value in rows:
        if cell_len(label) >= label_columns:
            yield from wrap(label, _LINE_COLUMNS)
            prefix = " " * label_columns
        else:
            prefix = pad(label, label_columns)
        yield from hanging_indent(prefix, value or BLANK_FIELD, _LINE_COLUMNS)


def _text_table(table: documents.DocumentTable, colon: str) -> Iterator[str]:
    """Write the table row by row, each value after the name of its column, so that no column is too narrow."""
    for index, row in enumerate((*table.rows, *[("",) * len(table.header)] * table.blank_rows)):
        if index:
            yield ""
        for column, value in zip(table.header, row, strict=True):
            yield from hanging_indent(f"  {column}{colon}", value or BLANK_FIELD, _LINE_COLUMNS)


def document_to_markdown(document: documents.Document) -> str:
    """Return `document` as Markdown, ending in a line feed."""
    return f"\n{_MARKDOWN_PAGE_BREAK}\n\n".join(map(_page_to_markdown, document.pages()))


def _page_to_markdown(page: documents.Document) -> str:
    colon = Translator(page.language_code).t("rights.colon")
    return "\n\n".join("\n".join(_markdown_lines(block, colon)) for block in page.blocks) + "\n"


def _markdown_lines(block: documents.DocumentBlock, colon: str) -> Iterator[str]:
    match block:
        case documents.Title(text) | documents.Heading(text):
            yield f"{'#' if isinstance(block, documents.Title) else '##'} {_escape_markdown(text)}"
        case documents.Paragraph(text, strong):
            yield f"**{_escape_markdown(text)}**" if strong else _escape_markdown(text)
        case documents.LargeText(text) | documents.Code(text):
            yield f"    {text}"
        case documents.ItemList(items, marker):
            for number, item in enumerate(items, 1):
                yield f"{_MARKDOWN_MARKERS[marker].format(number)} {_escape_markdown(item)}"
        case documents.FieldList(rows):
            yield from (
                f"- {_escape_markdown(label)}{colon}{_escape_markdown(value or BLANK_FIELD)}" for label, value in rows
            )
        case documents.DocumentTable(header, rows, blank_rows):
            yield _markdown_row(header)
            yield "|" + "---|" * len(header)
            yield from map(_markdown_row, (*rows, *[("",) * len(header)] * blank_rows))
        case documents.Notice(items):
            yield from (f"> - {_escape_markdown(item)}" for item in items)
        case documents.PageBreak():
            yield _MARKDOWN_PAGE_BREAK


def _markdown_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_escape_markdown, cells)) + " |"


def _escape_markdown(text: str) -> str:
    escaped = _MARKDOWN_SPECIAL_CHARS.sub(r"\\\1", text)
    return re.sub(r"^(\d+)\.", r"\1\\.", escaped)  # "1. " would begin a list


def document_to_html(document: documents.Document) -> str:
    """Return `document` as an HTML page; its template escapes each value and isolates its text direction."""
    from privaudit.report import html_page  # loads Jinja2

    pages = [(html_page.language_tag(page.language_code), _typed_blocks(page)) for page in document.pages()]
    context = {"document": document, "pages": pages}
    return html_page.render_page("paper", Translator(document.language_code), context, stylesheet="paper")


def sheets_to_html(sheets: Iterable[documents.Document], *, demo: bool = False, title: str | None = None) -> str:
    """Return at least one sheet, all in one language, none with layout ``flow``, as a page; each on paper of its own.

    With `demo` each says that its phone is invented. The default `title` is that of the first.
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


def _typed_blocks(document: documents.Document) -> list[tuple[str, documents.DocumentBlock]]:
    """Return each block after the name of its class, by which the templates choose its element."""
    return [(type(block).__name__, block) for block in document.blocks]


def join_sheets(pages: Iterable[str]) -> str | None:
    """Join the pages of `sheets_to_html` into one; each sheet keeps its language. ``None`` if there are no pages."""
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


DOCUMENT_FORMATS: Final[Mapping[str, Callable[[documents.Document], str]]] = {
    "txt": document_to_text,
    "md": document_to_markdown,
    "html": document_to_html,
}
"""Each format that a document is written in, by the suffix of its files."""
