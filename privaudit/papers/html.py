"""A paper as one HTML file that loads nothing, for printing on A4."""

from __future__ import annotations

from privaudit.language import Language
from privaudit.papers import BLANK, Paper
from privaudit.report import page


def render(paper: Paper) -> str:
    """`paper`, ending in a line feed. Every value is escaped, and isolated from the direction of what is around it."""
    blocks = [(type(block).__name__, block) for block in paper.blocks]
    content = {"paper": paper, "blocks": blocks, "blank": BLANK}
    return page.render("paper", Language(paper.language), content, folder="privaudit.papers", style="paper")
