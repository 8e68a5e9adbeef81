"""The paper in a real browser: a sheet of the kit is one page, in either language, and nothing is cut off."""

from __future__ import annotations

import re

import pytest

from privaudit.documents.render import sheets_to_html
from privaudit.i18n import Translator, catalog
from privaudit.workshop import kit, outputs

BETWEEN_MARGINS = 702
"""CSS pixels of an A4 sheet between margins of 12 mm."""
TWO_THIRDS_OF_A_PAGE = 690


def pages(opened_page):
    return len(re.findall(rb"/Type\s*/Page\b", opened_page.pdf(prefer_css_page_size=True)))


@pytest.mark.parametrize("code", ["en", "zh"])
def test_each_kit_sheet_prints_on_one_page(opened, code):
    made = [one for kind in kit.build_sheets(Translator(code), "CN").values() for one in kind]
    assert pages(opened(sheets_to_html(made))) == len(made)


@pytest.mark.parametrize("code", catalog.languages())
def test_the_card_with_the_page_leaves_room_for_notes(opened, code):
    page = opened(sheets_to_html(kit.build_sheets(Translator(code))["page"]), BETWEEN_MARGINS)
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('section').getBoundingClientRect().height") <= TWO_THIRDS_OF_A_PAGE


@pytest.mark.parametrize(("story", "code"), [("borrower", "zh"), ("hyperos", "en"), ("oneui", "hi")])
def test_handout_prints_large_and_uncut(opened, report_of, story, code):
    page = opened(
        outputs.render_handout(report_of(story), "K7", Translator(code), full_report_sha256="0" * 64), BETWEEN_MARGINS
    )
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == BETWEEN_MARGINS
    small = "[...document.querySelectorAll('p, li')].filter(one => parseFloat(getComputedStyle(one).fontSize) < 21)"
    assert page.evaluate(f"{small}.map(one => one.outerHTML)") == []  # 16 pt are 21.3 px
    assert pages(page) <= 2 + 2 * len([app for app in report_of(story).apps if app.is_recognised])
