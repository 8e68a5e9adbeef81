"""Every document on A4, in a real Chromium: how many pages it takes, and that nothing overflows at the side."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from privaudit.documents import evidence_pages, letters, rights_page
from privaudit.documents.letters import LetterKind
from privaudit.documents.render import render_document
from privaudit.i18n import Translator
from privaudit.knowledge import rights

COUNTRIES = rights.countries_with_rights()
WIDTH = 657
"""CSS pixels between the margins of our A4."""
MAX_PAGES = {LetterKind.DELETION: 2, LetterKind.COMPLAINT: 3, LetterKind.EVIDENCE_LIST: 3}
"""Sheets at most: the page that stays at home and the demand; a complaint has two, and a list has its log apart."""
HALF = 500
"""CSS pixels of half its height."""
WIDER = "[...document.querySelectorAll('body, body *')].filter(one => one.getBoundingClientRect().right > {} + 1)"


@pytest.fixture
def count_pages(opened):
    """Count the pages of a document; fails if an element overflows the page."""

    def count(document):
        shown = opened(render_document(document, "html"), WIDTH)
        shown.emulate_media(media="print")
        over = shown.evaluate(f"{WIDER.format(WIDTH)}.map(one => one.outerHTML.slice(0, 200))")
        assert over == []
        return len(re.findall(rb"/Type\s*/Page\b", shown.pdf(prefer_css_page_size=True)))

    return count


@pytest.mark.parametrize("country", COUNTRIES)
def test_letters_fit_their_pages(demo_report, count_pages, country):
    for kind, max_pages in MAX_PAGES.items():
        document = letters.draft_letter(demo_report, "com.example.kuaiyihua", kind, rights.load_rights(country))
        assert count_pages(document) <= max_pages, kind


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_rights_pages_fit_their_pages(count_pages, country):
    known = rights.load_rights(country)
    for code in {"en", known.country.letter, "zh" if country is None else "en"}:
        assert count_pages(rights_page.full_rights_page(known, Translator(code))) <= 8
        assert count_pages(rights_page.page_for_contacts(known, Translator(code))) == 1


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_page_for_contacts_is_half_a_page(opened, country):
    known = rights.load_rights(country)
    shown = opened(
        render_document(rights_page.page_for_contacts(known, Translator(known.country.letter)), "html"), WIDTH
    )
    shown.emulate_media(media="print")
    assert shown.evaluate("document.body.getBoundingClientRect().height") <= HALF


@pytest.mark.parametrize("code", ["en", "zh"])
def test_hash_page_and_log_are_one_page(demo_report, count_pages, code):
    now = datetime.fromisoformat("2026-01-10T16:00:00+08:00")
    assert count_pages(evidence_pages.hash_page(demo_report, Translator(code), "0123456789abcdef" * 4, now)) == 1
    assert count_pages(evidence_pages.incident_log_page(Translator(code))) == 1


def test_long_label_does_not_overflow(made, count_pages):
    app = made.app(label="W" * 5000, version_name="9" * 5000, contacts=made.access("can_read"))
    for kind in LetterKind:
        count_pages(letters.draft_letter(made.report(app), app.package, kind, rights.load_rights("CN")))
