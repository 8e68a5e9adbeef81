"""Every document on A4, in a real Chromium: how many pages it takes, and that nothing overflows at the side."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import product

import pytest

from privaudit.documents import evidence_folder, letters, rights_page
from privaudit.documents.letters import LetterKind
from privaudit.documents.render import render_document
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights

COUNTRIES = rights.countries_with_rights()
WIDTH = 657
"""CSS pixels between the margins of our A4."""
PAGE = 1016
"""CSS pixels between the upper and the lower margin of our A4."""
MAX_LETTER_PAGES, MAX_LIST_PAGES = 3, 4
"""Sheets at most: the page that the sender keeps and the letter; a list, its log, and the annex in two."""
SENT = [
    *((LetterKind.DELETION, addressee) for addressee in letters.ADDRESSEES),
    (LetterKind.COMPLAINT, letters.ADDRESSEES[0]),
]
HEIGHTS = "[...document.querySelectorAll('section')].map(one => one.getBoundingClientRect().height)"
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
    known = rights.load_rights(country)
    for kind, addressee in SENT:
        options = letters.LetterOptions(addressee=addressee, own_language="en")
        document = letters.draft_letter(demo_report, "com.example.kuaiyihua", kind, known, options)
        assert count_pages(document) <= MAX_LETTER_PAGES, (kind, addressee)
    listed = letters.draft_letter(demo_report, "com.example.kuaiyihua", LetterKind.EVIDENCE_LIST, known)
    assert count_pages(listed) <= MAX_LIST_PAGES


@pytest.mark.parametrize("country", COUNTRIES)
def test_letter_is_a_page_and_a_half_and_its_instructions_are_one(demo_report, opened, country):
    """All letters in one page of the browser, each as high as it is alone."""
    pages, names = [], []
    for code, (kind, addressee) in product(catalog.languages(), SENT):
        options = letters.LetterOptions(addressee=addressee, letter_language=code, own_language=code)
        document = letters.draft_letter(demo_report, "com.example.sudaibao", kind, rights.load_rights(country), options)
        pages.append(render_document(document, "html"))
        names += [(code, kind, addressee, 1.0), (code, kind, addressee, 1.5)]
    sections = [section for page in pages for section in re.findall(r"<section.*?</section>", page, re.DOTALL)]
    start, end = pages[0].split("<section", 1)[0], pages[0].rsplit("</section>", 1)[1]
    shown = opened(start + "".join(sections) + end, WIDTH)
    shown.emulate_media(media="print")
    heights = [height / PAGE for height in shown.evaluate(HEIGHTS)]
    assert len(heights) == len(names)
    assert [(name, height) for name, height in zip(names, heights, strict=True) if height > name[-1]] == []


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
    assert count_pages(evidence_folder.hash_page(demo_report, Translator(code), "0123456789abcdef" * 4, now)) == 1
    assert count_pages(evidence_folder.incident_log_page(Translator(code))) == 1


def test_long_label_does_not_overflow(made, count_pages):
    app = made.app(label="W" * 5000, version_name="9" * 5000, contacts=made.access("can_read"))
    for kind in LetterKind:
        count_pages(letters.draft_letter(made.report(app), app.package, kind, rights.load_rights("CN")))
