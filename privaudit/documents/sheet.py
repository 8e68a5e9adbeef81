"""Sheets of paper: large print, one action a line, boxes to tick. One HTML file prints as one job, a sheet a page.

No script, nothing from elsewhere: the page may apply its own style and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from privaudit.i18n import Translator

SHEET_START_MARKER, SHEET_END_MARKER = "<!-- sheet -->", "<!-- end of sheet -->"
"""Around each sheet, so that pages can be joined into one print job."""

SheetBlockKind: TypeAlias = Literal["heading", "text", "box", "list", "ticks", "taps", "write", "grid", "code"]

SheetLayout: TypeAlias = Literal["page", "slip", "wide", "card", "poster", "half"]
"""How a sheet is laid out. All but a ``page`` fit on one page: a ``card`` in two columns, a ``half`` twice."""


@dataclass(frozen=True, slots=True)
class SheetBlock:
    """One part of a sheet."""

    kind: SheetBlockKind
    texts: tuple[str, ...]
    """Sentences; of a ``grid`` its heads, of ``write`` what stands before each line to write on."""
    blank_rows: int = 0
    """Empty rows of a ``grid``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintSheet:
    """What is printed on a page of its own."""

    title: str
    corner_label: str = ""
    """Beside the title, in large letters: a case code."""
    blocks: tuple[SheetBlock, ...]
    layout: SheetLayout = "page"


def heading_block(text: str) -> SheetBlock:
    """A line above others."""
    return SheetBlock("heading", (text,))


def paragraph_block(*sentences: str) -> SheetBlock:
    """Sentences, each a paragraph."""
    return SheetBlock("text", sentences)


def notice_block(*sentences: str) -> SheetBlock:
    """Sentences that must not be missed."""
    return SheetBlock("box", sentences)


def bullet_block(sentences: Iterable[str]) -> SheetBlock:
    """A list in no order."""
    return SheetBlock("list", tuple(sentences))


def checkbox_block(sentences: Iterable[str]) -> SheetBlock:
    """Boxes to tick."""
    return SheetBlock("ticks", tuple(sentences))


def step_block(sentences: Iterable[str]) -> SheetBlock:
    """Boxes to tick, with numbers: one after another."""
    return SheetBlock("taps", tuple(sentences))


def fill_in_block(*labels: str) -> SheetBlock:
    """Lines to write on."""
    return SheetBlock("write", labels)


def grid_block(column_heads: Sequence[str], blank_rows: int) -> SheetBlock:
    """A table to fill in."""
    return SheetBlock("grid", tuple(column_heads), blank_rows)


def render_sheets(
    sheets: Iterable[PrintSheet], language: Translator, *, demo: bool = False, title: str | None = None
) -> str:
    """An HTML document of these sheets; called as the first of them, unless it has a `title` of its own."""
    from privaudit.report import html_page

    made = tuple(sheets)
    content = {
        "title": title or made[0].title,
        "sheets": made,
        "demo": demo,
        "begin": SHEET_START_MARKER,
        "end": SHEET_END_MARKER,
    }
    return html_page.render_page("sheet", language, content, stylesheet="sheet")


def join_pages(pages: Iterable[str]) -> str | None:
    """Pages that `render` wrote as one document; ``None``: there are none. Each keeps its language."""
    every = list(pages)
    if not every:
        return None
    first = every[0]
    cut = [
        page[page.index(SHEET_START_MARKER) : page.rindex(SHEET_END_MARKER) + len(SHEET_END_MARKER)]
        for page in every
        if SHEET_START_MARKER in page and SHEET_END_MARKER in page
    ]
    return (
        first[: first.index(SHEET_START_MARKER)]
        + "\n".join(cut)
        + first[first.rindex(SHEET_END_MARKER) + len(SHEET_END_MARKER) :]
    )
