"""Sheets of paper: large print, one action a line, boxes to tick. One HTML file prints as one job, a sheet a page.

No script, nothing from elsewhere: the page may apply its own style and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, TypeAlias

from privaudit.language import Language

if TYPE_CHECKING:
    from jinja2 import Environment

BEGIN, END = "<!-- sheet -->", "<!-- end of sheet -->"
"""Around each sheet, so that pages can be joined into one print job."""

Kind: TypeAlias = Literal["heading", "text", "box", "list", "ticks", "taps", "write", "grid", "code"]


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
    """One page, or a few where it is long."""

    title: str
    beside: str = ""
    """Beside the title, in large letters: a case code."""
    blocks: tuple[Block, ...]
    wide: bool = False


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
    made = tuple(sheets)
    return document("sheet", language, title=title or made[0].title, sheets=made, demo=demo, begin=BEGIN, end=END)


def join(pages: Iterable[str]) -> str | None:
    """Pages that `render` wrote as one document; ``None``: there are none. Each keeps its language."""
    every = list(pages)
    if not every:
        return None
    first = every[0]
    cut = [page[page.index(BEGIN) : page.rindex(END) + len(END)] for page in every if BEGIN in page and END in page]
    return first[: first.index(BEGIN)] + "\n".join(cut) + first[first.rindex(END) + len(END) :]


def document(name: str, language: Language, **values: object) -> str:
    """The template `name` of this folder, filled. Its style stands in the page, and its hash in the policy above it."""
    style = (resources.files(__package__ or "") / f"{name}.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    template = _environment().get_template(f"{name}.html.jinja")
    return template.render(
        language={"zh": "zh-Hans"}.get(language.code, language.code),
        style=style,
        policy=policy,
        text=language.text,
        **values,
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("privaudit.workshop", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
