"""A paper as one HTML file that loads nothing, for printing on A4. The only door to Jinja2 of the papers."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from privaudit.papers import BLANK, Paper

if TYPE_CHECKING:
    from jinja2 import Template


def render(paper: Paper) -> str:
    """`paper`, ending in a line feed. Every value is escaped, and isolated from the direction of what is around it."""
    style = _file("paper.css")
    # The one style sheet that may count is this one, known by its hash: none that a name brought along.
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    blocks = [(type(block).__name__, block) for block in paper.blocks]
    return _template().render(paper=paper, blocks=blocks, style=style, digest=digest, blank=BLANK) + "\n"


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["ours"] = Markup  # the style sheet, and nothing else
    return environment.from_string(_file("paper.html.jinja"))


@cache
def _file(name: str) -> str:
    return (resources.files("privaudit.papers") / name).read_text(encoding="utf-8")
