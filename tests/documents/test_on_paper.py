"""Every paper on A4, in a real Chromium: how many sheets it takes, and that nothing is cut off at the side."""

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
LETTERS = {LetterKind.DELETION: 2, LetterKind.COMPLAINT: 3, LetterKind.EVIDENCE_LIST: 3}
"""Sheets at most: the page that stays at home and the demand; a complaint has two, and a list has its log apart."""
HALF = 500
"""CSS pixels of half its height."""
WIDER = "[...document.querySelectorAll('body, body *')].filter(one => one.getBoundingClientRect().right > {} + 1)"


@pytest.fixture
def printed(opened):
    """Sheets that a paper takes; it fails where a part of it reaches over the side."""

    def count(paper):
        shown = opened(render_document(paper, "html"), WIDTH)
        shown.emulate_media(media="print")
        over = shown.evaluate(f"{WIDER.format(WIDTH)}.map(one => one.outerHTML.slice(0, 200))")
        assert over == []
        return len(re.findall(rb"/Type\s*/Page\b", shown.pdf(prefer_css_page_size=True)))

    return count


@pytest.mark.parametrize("country", COUNTRIES)
def test_letters_for_the_demo_story(demo_report, printed, country):
    for kind, sheets in LETTERS.items():
        paper = letters.draft_letter(demo_report, "com.example.kuaiyihua", kind, rights.load_rights(country))
        assert printed(paper) <= sheets, kind


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_rights_pages(printed, country):
    known = rights.load_rights(country)
    for code in {"en", known.country.letter, "zh" if country is None else "en"}:
        assert printed(rights_page.full_rights_page(known, Translator(code))) <= 8
        assert printed(rights_page.page_for_contacts(known, Translator(code))) == 1


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_half_a_page_for_friends_is_half_a_page(opened, country):
    known = rights.load_rights(country)
    shown = opened(
        render_document(rights_page.page_for_contacts(known, Translator(known.country.letter)), "html"), WIDTH
    )
    shown.emulate_media(media="print")
    assert shown.evaluate("document.body.getBoundingClientRect().height") <= HALF


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_sheet_to_photograph_and_the_log_take_one(demo_report, printed, code):
    now = datetime.fromisoformat("2026-01-10T16:00:00+08:00")
    assert printed(evidence_pages.hash_page(demo_report, Translator(code), "0123456789abcdef" * 4, now)) == 1
    assert printed(evidence_pages.incident_log_page(Translator(code))) == 1


def test_a_long_name_goes_over_no_side(made, printed):
    app = made.app(label="W" * 5000, version_name="9" * 5000, contacts=made.access("can_read"))
    for kind in LetterKind:
        printed(letters.draft_letter(made.report(app), app.package, kind, rights.load_rights("CN")))
