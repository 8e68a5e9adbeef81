"""A paper as one HTML file that loads nothing, for printing on A4."""

from __future__ import annotations

from privaudit.documents import BLANK, Paper
from privaudit.i18n import Language
from privaudit.report import html_page


def render(paper: Paper) -> str:
    """`paper`, ending in a line feed. Every value is escaped, and isolated from the direction of what is around it."""
    blocks = [(type(block).__name__, block) for block in paper.blocks]
    content = {"paper": paper, "blocks": blocks, "blank": BLANK}
    return html_page.render("paper", Language(paper.language), content, style="paper")
