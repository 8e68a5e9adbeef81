"""Handouts and the kit: large print, no scripts, in the owner's language, and no names of other apps."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

from privaudit import roms
from privaudit.documents import Heading, ItemList, Notice
from privaudit.documents.render import sheets_to_html
from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.i18n.catalog import languages
from privaudit.knowledge import rights
from privaudit.model import Source
from privaudit.report import taps
from privaudit.report.view import ReportView
from privaudit.revocation import steps
from privaudit.workshop import kit, outputs
from privaudit.workshop.model import Retention, consent_lines

SCENARIOS = ["hyperos", "oneui", "coloros", "emui5", "android6", "android16", "borrower"]
VOID = {"meta", "br", "rect"}


class StrictParser(HTMLParser):
    """Every tag is closed, and nothing is there that could run or be fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert tag not in {"script", "iframe", "object", "embed", "img", "link", "base", "form", "a"}, tag
        for name, _ in attrs:
            assert not name.startswith("on"), name
            assert name not in {"style", "src", "href", "srcset"}, name
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parse_strictly(page):
    parser = StrictParser()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert policy.startswith("default-src 'none'; style-src 'sha256-" + digest)
    assert "font: 16pt" in style
    assert not re.search(r"https?:|url\(|@import", page)
    return parser


def said(page):
    return unescape(re.sub(r"<[^>]+>", "\n", page))


@pytest.mark.parametrize("code", languages())
def test_consent_and_handout_are_translated(code):
    english, said = Translator("en"), Translator(code)
    for keep in Retention:
        for there, here in zip(consent_lines(keep, english), consent_lines(keep, said), strict=True):
            assert (there == here) is (code == "en")
    for name in (
        "handout",
        "handout_first",
        "handout_leaving",
        "unplug",
        "wireless_off",
        "payment_works",
        "server_key",
    ):
        assert (said.t(f"workshop.{name}") == english.t(f"workshop.{name}")) is (code == "en"), name


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_handout_contains_all_steps(report_of, scenario, code):
    language = Translator(code)
    report = report_of(scenario)
    page = outputs.render_handout(report, "K7", language)
    parse_strictly(page)
    text = said(page)
    assert "K7" in text
    assert language.t("report.demo") in text
    for message in steps.closing_steps(report.phone):
        assert language.translate(message) in text
    view = ReportView(report, language)
    numbers = {package: number for number, package in enumerate(view.ordered_packages(), 1)}
    for tap_list in taps.tap_lists(view):
        assert taps.list_title(view, tap_list, numbers) in text
        assert (taps.same_for(view, tap_list, numbers) or "") in text
        for number, step in steps.number_steps(tap_list.steps):
            sentence = language.translate(step)
            assert (sentence if number is None else f"{number}. {sentence}") in text
            assert (number is not None) or f". {sentence}" not in text  # a note is no step: it has no number
    assert language.t("report.not_advice") in text
    assert "SHA-256" not in text


def test_handout_has_each_list_of_taps_once_and_no_box_before_a_note(report_of):
    page = outputs.render_handout(report_of("borrower"), "K7", Translator("en"))
    assert said(page).count("See all apps") == 1
    assert "The same for: 2 快易花: Contacts; 3 安信消费贷: Contacts" in said(page)
    boxes = "".join(re.findall(r'<ul class="ticks">(.*?)</ul>', page, re.DOTALL))
    assert "Permissions" in boxes
    assert "turning it off deletes data" in said(page)
    assert "turning it off deletes data" not in said(boxes)


@pytest.mark.parametrize("code", languages())
def test_a_card_has_no_box_before_a_note(code):
    """To search Settings, and that a code may be asked for, is no step: the numbers go on after it."""
    language = Translator(code)
    (card,) = [one for one in kit.build_sheets(language, "CN")["usb"] if one.title == language.t("kit.usb_other")]
    phone = roms.phone_with_rom(roms.STOCK_ROM_ID)
    boxes = [
        item for block in card.blocks if isinstance(block, ItemList) and block.marker == "tick" for item in block.items
    ]
    told = list(steps.number_steps(steps.enable_usb_debugging_steps(phone)))
    assert boxes == [f"{number}. {language.translate(step)}" for number, step in told if number is not None]
    notes = [language.translate(step) for number, step in told if number is None]
    assert notes
    assert [
        note for note in notes if note in [item for block in card.blocks for item in getattr(block, "items", ())]
    ] == notes


def test_closing_steps_are_complete_and_in_order(report_of):
    phone = replace(report_of("oneui").phone, sdk=34)  # One UI 6, the first with Auto Blocker
    text = [Translator("en").translate(message) for message in steps.closing_steps(phone)]
    order = [
        "Unplug",
        "Revoke USB debugging",
        "Wireless debugging",
        "“USB debugging” off",
        "Auto Blocker",
        "payment app",
    ]
    places = [next(place for place, line in enumerate(text) if part in line) for part in order]
    assert places == sorted(places)


def test_handout_begins_with_revoking_after_an_adb_server(report_of):
    report = replace(report_of("hyperos"), source=Source(kind="server", sha256=None))
    text = said(outputs.render_handout(report, "K7", Translator("en")))
    assert text.index("This computer's key is stored on your phone") < text.index("Code K7")
    assert text.index("Revoke USB debugging") < text.index("Code K7")
    assert "This computer's key" not in said(outputs.render_handout(report_of("hyperos"), "K7", Translator("en")))


def test_handout_without_findings_does_not_reassure(made):
    text = said(outputs.render_handout(made.report(complete=False), "K7", Translator("en")))
    assert "This does not mean that the phone is fine" in text
    assert "Uninstalled apps" in text


def test_handout_escapes_hostile_labels(made):
    label = '</bdi><script>alert(1)</script>\u202e{{ 7*7 }} "'
    app = made.app(label=label, contacts=made.access("can_read"))
    page = outputs.render_handout(made.report(app), "K7", Translator("en"))
    parse_strictly(page)
    assert "<script>" not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in said(page)


def test_handout_names_no_other_app(report_of, capture_of_story):
    capture = capture_of_story("borrower")
    packages = set(
        re.findall(r"^package:(?:\S*=)?([A-Za-z][\w.]*)(?=\s|$)", capture.answer("installed.0").text, re.MULTILINE)
    )
    assert len(packages) > 50
    report = report_of("borrower")
    others = packages - {app.package for app in report.apps}
    page = outputs.render_handout(report, "K7", Translator("en"))
    installers = {app.installer for app in report.apps}
    assert [
        package for package in others - installers if re.search(rf"(?<![\w.]){re.escape(package)}(?![\w.])", page)
    ] == []


# --- the kit ---------------------------------------------------------------------------------------------------------

KINDS = {"consent", "usb", "poster", "evidence", "closing", "friends", "page", "iphone", "harmony"}


@pytest.mark.parametrize("code", ["en", "zh"])
def test_kit_has_all_sheets(tmp_path, code):
    paths = kit.write_kit(tmp_path / "kit", Translator(code), "CN")
    assert {path.stem for path in paths} == KINDS | {"country", "kit"}
    pages = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    for page in pages.values():
        parse_strictly(page)
    assert pages["kit"].count("<section") == sum(
        page.count("<section") for name, page in pages.items() if name != "kit"
    )
    assert pages["usb"].count("<section") == len(roms.list_rom_ids())
    assert pages["friends"].count("<ul") == 2  # two halves, to be cut
    assert pages["evidence"].count("<tr>") > 8


def test_cards_warn_about_bank_apps_before_the_switch():
    language = Translator("en")
    for card in kit.build_sheets(language)["usb"]:
        _title, warning, *rest = card.blocks
        assert warning == Notice((language.t("report.taps_bank_first"),))
        assert rest.index(Heading(language.t("report.taps_usb_on"))) < rest.index(Heading(language.t("kit.closing")))


def test_consent_slip_is_complete():
    text = said(sheets_to_html(kit.build_sheets(Translator("en"))["consent"]))
    for part in (
        "my own phone",
        "18 or older",
        "not a work phone",
        "do not read: contacts",
        "I can stop at any time",
        "Deleted by",
    ):
        assert part in text


def test_country_sheet_says_what_the_lists_cover():
    made = kit.build_sheets(Translator("en"), "CN")["country"]
    assert "none for China" in said(sheets_to_html(made))
    assert "country" not in kit.build_sheets(Translator("en"))


@pytest.mark.parametrize("code", languages())
def test_the_card_with_the_page_names_its_buttons_as_they_are(code):
    language = Translator(code)
    text = said(sheets_to_html(kit.build_sheets(language)["page"]))
    for button in ("browser.connect", "browser.next_phone", "browser.done"):
        assert f"“{language.t(button)}”" in text
    assert all(said_in_it in text for said_in_it in ("privaudit.html", "SHA-256", "Chrome", "Edge"))
    assert "{next" not in text


@pytest.mark.parametrize("code", ["en", "zh"])
def test_cards_are_headed_by_brand(code):
    titles = [sheet.blocks[0].text for sheet in kit.build_sheets(Translator(code))["usb"]]
    for brand in (
        "Xiaomi, Redmi, POCO",
        "OPPO",
        "realme",
        "vivo",
        "HONOR",
        "Huawei",
        "Samsung",
        "TECNO, Infinix",
        "Google",
    ):
        assert any(title.startswith(brand) for title in titles), brand


@pytest.mark.parametrize("country", rights.countries_with_rights())
@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_page_of_a_country_names_its_offices(country, code):
    made = said(sheets_to_html(kit.build_sheets(Translator(code), country)["country"]))
    offices = [office for _, stage_offices in rights.load_rights(country).stages() for office in stage_offices]
    assert offices
    for office in offices:
        for reach in office.reach:
            assert "".join(reach.split()) in "".join(made.split()), office.id
        if office.verify:
            assert Translator(code).t("papers.check_mark").strip() in made


def test_the_page_of_another_country_is_to_be_filled_in():
    made = said(sheets_to_html(kit.build_sheets(Translator("en"), "FR")["country"]))
    assert all(word in made for word in ("Police", "Where to complain", "Interpreter"))


def test_kit_needs_an_existing_parent_folder(tmp_path):
    with pytest.raises(UsageError, match="no_folder"):
        kit.write_kit(tmp_path / "no" / "kit", Translator("en"))
