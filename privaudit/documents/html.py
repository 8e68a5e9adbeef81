"""A paper as one HTML file that loads nothing, for printing on A4."""

from __future__ import annotations

from privaudit.documents import BLANK_FIELD, Document
from privaudit.i18n import Translator
from privaudit.report import html_page


def document_to_html(document: Document) -> str:
    """`document`, ending in a line feed. Every value is escaped, and isolated from the direction of what is around it."""
    blocks = [(type(block).__name__, block) for block in document.blocks]
    content = {"paper": document, "blocks": blocks, "blank": BLANK_FIELD}
    return html_page.render_page("paper", Translator(document.language_code), content, stylesheet="paper")
