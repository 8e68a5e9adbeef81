"""Sheets of paper: large print, one action a line, boxes to tick. One HTML file prints as one job, a sheet a page.

No script, nothing from elsewhere: the page may apply its own style and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from privaudit.i18n import Language

BEGIN, END = "<!-- sheet -->", "<!-- end of sheet -->"
"""Around each sheet, so that pages can be joined into one print job."""

Kind: TypeAlias = Literal["heading", "text", "box", "list", "ticks", "taps", "write", "grid", "code"]

Form: TypeAlias = Literal["page", "slip", "wide", "card", "poster", "half"]
"""How a sheet is laid out. All but a ``page`` fit on one page: a ``card`` in two columns, a ``half`` twice."""


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a sheet."""

    kind: Kind
    texts: tuple[str, ...]
    """Sentences; of a ``grid`` its heads, of ``write`` what stands before each line to write on."""
    rows: int = 0
    """Empty rows of a ``grid``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is printed on a page of its own."""

    title: str
    beside: str = ""
    """Beside the title, in large letters: a case code."""
    blocks: tuple[Block, ...]
    form: Form = "page"


def heading(text: str) -> Block:
    """A line above others."""
    return Block("heading", (text,))


def text(*sentences: str) -> Block:
    """Sentences, each a paragraph."""
    return Block("text", sentences)


def box(*sentences: str) -> Block:
    """Sentences that must not be missed."""
    return Block("box", sentences)


def bullets(sentences: Iterable[str]) -> Block:
    """A list in no order."""
    return Block("list", tuple(sentences))


def ticks(sentences: Iterable[str]) -> Block:
    """Boxes to tick."""
    return Block("ticks", tuple(sentences))


def taps(sentences: Iterable[str]) -> Block:
    """Boxes to tick, with numbers: one after another."""
    return Block("taps", tuple(sentences))


def write(*labels: str) -> Block:
    """Lines to write on."""
    return Block("write", labels)


def grid(heads: Sequence[str], rows: int) -> Block:
    """A table to fill in."""
    return Block("grid", tuple(heads), rows)


def render(sheets: Iterable[Sheet], language: Language, *, demo: bool = False, title: str | None = None) -> str:
    """An HTML document of these sheets; called as the first of them, unless it has a `title` of its own."""
    from privaudit.report import html_page

    made = tuple(sheets)
    content = {"title": title or made[0].title, "sheets": made, "demo": demo, "begin": BEGIN, "end": END}
    return html_page.render("sheet", language, content, style="sheet")


def join(pages: Iterable[str]) -> str | None:
    """Pages that `render` wrote as one document; ``None``: there are none. Each keeps its language."""
    every = list(pages)
    if not every:
        return None
    first = every[0]
    cut = [page[page.index(BEGIN) : page.rindex(END) + len(END)] for page in every if BEGIN in page and END in page]
    return first[: first.index(BEGIN)] + "\n".join(cut) + first[first.rindex(END) + len(END) :]
