"""The page on an APK in a real browser: it never scrolls sideways, and axe-core reports no violation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit import vetting
from privaudit.i18n import Translator
from privaudit.vetting import report
from privaudit.virtual_phone.programs import load_apks
from tests.fixtures.apk_builder import Row, pack, rows_of
from tests.fixtures.dex_builder import dex
from tests.report.test_html import HOSTILE
from tests.report.test_html_in_chromium import A4, DESK, PHONE, violations, widest
from tests.vetting.conftest import LOAN_APK


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """On a lending app with a known SDK and a gap."""
    path = tmp_path_factory.mktemp("apk") / "loan.apk"
    rows = rows_of(load_apks()[LOAN_APK])
    path.write_bytes(pack([*rows, Row("classes.dex", dex(["credoapp.A"])), Row("classes2.dex", b"no dex")]))
    return vetting.vet(path, vetting.load_vetting_context(country="CN"))


@pytest.mark.parametrize(("code", "hostile"), [("en", False), ("zh", False), ("en", True)])
def test_page_is_accessible_at_each_width(opened, document, code, hostile):
    if hostile:
        evil = HOSTILE["markup"] + HOSTILE["bidi"] + HOSTILE["long"]
        app = replace(document.app, label=evil, labels={}, package=evil, version_name=evil, launcher_labels=(evil,))
        document = replace(document, app=app, file=replace(document.file, path=evil))
    page = opened(report.vetting_to_html(document, Translator(code)), color_scheme="light")
    for width in (DESK, A4, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert widest(page) == width
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []
    # On a desktop screen, the result and what the app may ask for are visible without scrolling.
    page.set_viewport_size({"width": DESK, "height": 900})
    assert hostile or page.locator("#asks").bounding_box()["y"] < 900


def test_unreadable_file_has_a_page(opened, tmp_path):
    page = opened(
        report.vetting_to_html(vetting.vet(tmp_path / "none.apk", vetting.load_vetting_context()), Translator("en"))
    )
    assert "Nothing in this file could be read (file not found)" in page.locator(".verdict").inner_text()
    assert page.locator("#asks").count() == 0
    assert violations(page) == []
