"""Every paper on A4, in a real Chromium: how many sheets it takes, and that nothing is cut off at the side."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from privaudit.documents import evidence_pages, letters, render, rights_page
from privaudit.documents.letters import Kind
from privaudit.i18n import Language
from privaudit.knowledge import rights

COUNTRIES = rights.countries()
WIDTH = 657
"""CSS pixels between the margins of our A4."""
LETTERS = {Kind.DELETION: 2, Kind.COMPLAINT: 3, Kind.EVIDENCE_LIST: 3}
"""Sheets at most: the page that stays at home and the demand; a complaint has two, and a list has its log apart."""
HALF = 500
"""CSS pixels of half its height."""
WIDER = "[...document.querySelectorAll('body, body *')].filter(one => one.getBoundingClientRect().right > {} + 1)"


@pytest.fixture
def printed(opened):
    """Sheets that a paper takes; it fails where a part of it reaches over the side."""

    def count(paper):
        shown = opened(render(paper, "html"), WIDTH)
        shown.emulate_media(media="print")
        over = shown.evaluate(f"{WIDER.format(WIDTH)}.map(one => one.outerHTML.slice(0, 200))")
        assert over == []
        return len(re.findall(rb"/Type\s*/Page\b", shown.pdf(prefer_css_page_size=True)))

    return count


@pytest.mark.parametrize("country", COUNTRIES)
def test_letters_for_the_demo_story(demo_report, printed, country):
    for kind, sheets in LETTERS.items():
        paper = letters.draft(demo_report, "com.example.kuaiyihua", kind, rights.load(country))
        assert printed(paper) <= sheets, kind


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_rights_pages(printed, country):
    known = rights.load(country)
    for code in {"en", known.country.letter, "zh" if country is None else "en"}:
        assert printed(rights_page.whole(known, Language(code))) <= 8
        assert printed(rights_page.friends(known, Language(code))) == 1


@pytest.mark.parametrize("country", [None, *COUNTRIES])
def test_half_a_page_for_friends_is_half_a_page(opened, country):
    known = rights.load(country)
    shown = opened(render(rights_page.friends(known, Language(known.country.letter)), "html"), WIDTH)
    shown.emulate_media(media="print")
    assert shown.evaluate("document.body.getBoundingClientRect().height") <= HALF


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_sheet_to_photograph_and_the_log_take_one(demo_report, printed, code):
    now = datetime.fromisoformat("2026-01-10T16:00:00+08:00")
    assert printed(evidence_pages.photograph(demo_report, Language(code), "0123456789abcdef" * 4, now)) == 1
    assert printed(evidence_pages.log(Language(code))) == 1


def test_a_long_name_goes_over_no_side(made, printed):
    app = made.app(label="W" * 5000, version_name="9" * 5000, contacts=made.access("can_read"))
    for kind in Kind:
        printed(letters.draft(made.report(app), app.package, kind, rights.load("CN")))
