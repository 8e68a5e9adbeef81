"""The page in a real browser: nothing to scroll sideways, one A4 first, and axe-core finds nothing.

``pytest tests/report/test_html_in_chromium.py --refresh-screenshots`` draws the pictures in ``docs/`` anew.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from privaudit.i18n import Translator, catalog
from privaudit.model import AnswerState, Coverage
from privaudit.report import html
from privaudit.report.diff import compare_reports, diff_to_html
from tests.report.test_html import HOSTILE, hostile

DOCS = Path(__file__).parent.parent.parent / "docs"
RUN = "rules => axe.run({resultTypes: ['violations'], ...(rules.length && {runOnly: rules})})"
PHONE, DESK = 320, 1280
A4 = 680
"""CSS pixels between the margins of our A4, and about what a screen of 1360 has at 200 %."""
GAPS = tuple(
    Coverage(question=question, user=None, state=AnswerState.TIMED_OUT, could_hide=True)
    for question in ("appops", "packages", "settings", "roles")
)


def widest(page):
    return page.evaluate("document.documentElement.scrollWidth")


def violations(page, *rules):
    """What axe-core finds: by all its rules, or by `rules` alone."""
    axe = resources.files("axe_playwright_python") / "axe.min.js"
    page.evaluate(axe.read_text(encoding="utf-8"))  # past the page's own policy, which lets no script in
    found = page.evaluate(RUN, list(rules))
    assert len(found["passes"]) >= (len(rules) or 20)
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]


def sheets(page):
    """Pages of paper."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))


@pytest.fixture
def text_of(report_of, made):
    """The page of a story, or of what no story tells."""

    def text_of(name, code):
        reports = {
            "nothing": lambda: made.report(complete=False, coverage=GAPS),
            "hostile": lambda: hostile(made, HOSTILE["markup"] + HOSTILE["bidi"] + HOSTILE["long"]),
            "latin": lambda: hostile(made, "W" * 10_000),
        }
        return html.render(reports[name]() if name in reports else report_of(name), Translator(code))

    return text_of


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("borrower", "zh"),
        ("hyperos", "en"),
        ("oneui", "zh"),
        ("android6", "en"),
        ("nothing", "zh"),
        ("hostile", "en"),
        ("latin", "zh"),
        *(("borrower", code) for code in catalog.languages() if code not in {"en", "zh"}),
    ],
)
def test_page_is_accessible_at_each_width_and_on_paper(opened, text_of, name, code):
    text = text_of(name, code)
    page = opened(text, color_scheme="light")
    for width in (DESK, A4, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert widest(page) == width
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert widest(page) == PHONE
    assert violations(page) == []
    page.set_viewport_size({"width": DESK, "height": 900})
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 20, 20)"
    # On paper: the first page is one A4, and nothing is cut off at its side.
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size({"width": A4, "height": 900})
    assert widest(page) == A4
    page.evaluate("document.querySelectorAll('main > :not(.first), footer').forEach(one => one.remove())")
    assert sheets(page) == 1


def test_axe_finds_violations(opened, text_of):
    page = opened(text_of("nothing", "en"))
    page.evaluate("document.documentElement.lang = ''; document.querySelector('p').style.color = '#777'")
    page.evaluate("document.querySelector('h2').outerHTML = '<h5>x</h5>'")
    found = {name for name, _ in violations(page)}
    assert found >= {"html-has-lang", "heading-order"}


def test_evidence_and_timelines_are_shown_and_printed_only_if_unfolded(opened, text_of):
    page = opened(text_of("borrower", "en"))
    parts = [page.locator("details code").first, page.locator(".lane").first, page.locator("details .ground").first]
    assert not any(part.is_visible() for part in parts)
    page.emulate_media(media="print")
    assert not any(part.is_visible() for part in parts)
    assert not page.locator("nav").is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert all(part.is_visible() for part in parts)


@pytest.mark.parametrize("code", ["en", "zh"])
def test_taps_begin_on_the_second_screen_of_a_phone(opened, text_of, code):
    page = opened(text_of("borrower", code), width=390)
    assert page.evaluate("document.getElementById('taps').getBoundingClientRect().top + scrollY") < 2 * 844


def test_double_font_size_cuts_nothing(opened, text_of):
    page = opened(text_of("borrower", "zh"))
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert widest(page) == DESK
    elements = "[...document.querySelectorAll('p, li, td, th, dd, h1, h2, h3')]"
    cut = f"{elements}.filter(one => one.scrollWidth > one.clientWidth + 1)"
    assert page.evaluate(f"{cut}.map(one => one.outerHTML.slice(0, 200))") == []


def test_checkbox_works_without_script(opened, text_of):
    page = opened(text_of("borrower", "zh"), java_script_enabled=False)
    box = page.locator(".boxes input").first
    page.locator(".boxes label").first.click()
    assert box.is_checked()


@pytest.mark.parametrize("code", ["en", "zh"])
def test_diff_page_is_accessible(opened, made, code):
    before = hostile(made, HOSTILE["markup"] + HOSTILE["bidi"])
    after = hostile(made, "x" * 500)
    after = replace(after, phone=before.phone, apps=after.apps[:1], coverage=GAPS, complete=False)
    changed = compare_reports(before, after)
    assert changed.changes
    page = opened(diff_to_html(changed, Translator(code)), PHONE)
    assert widest(page) == PHONE
    assert violations(page) == []


@pytest.mark.parametrize("code", ["en", "zh"])
def test_draw_screenshots(request, opened, text_of, code):
    if not request.config.getoption("--refresh-screenshots"):
        pytest.skip("drawn only when asked for: --refresh-screenshots")
    text = text_of("borrower", code)
    for name, width, height in (("phone", 360, 1100), ("a4", A4, 1000), ("desktop", 1100, 900)):
        page = opened(text, width)
        page.emulate_media(media="print" if name == "a4" else "screen")
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        page.screenshot(path=DOCS / f"page-{name}.{code}.jpg", full_page=True, clip=clip, quality=50)
