"""Pages for whoever has no cable: what to say while they call, and the taps by brand and version of Android."""

from __future__ import annotations

import re

import pytest

from privaudit import roms
from privaudit.documents import rights_page
from privaudit.documents.render import render_document
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights
from privaudit.knowledge.rights import in_language


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("country", [None, *rights.countries_with_rights()])
def test_what_to_say_begins_with_danger_and_names_what_to_ask(country, code):
    country_rights = rights.load_rights(country)
    text = " ".join(
        render_document(rights_page.call_page(country_rights, Translator(code)), "md").replace("\\", "").split()
    )
    items = (*country_rights.caller, *country_rights.friends, *country_rights.police)
    first, *others = (in_language(item.text, code) for item in items if item.name is None)
    assert "emergency" in country_rights.caller[0].roles  # a threat: hang up and call the police
    assert all(text.index(first) < text.index(other) for other in others)
    assert all(
        reach.replace(" ", "") in text.replace(" ", "") for item in country_rights.police for reach in item.reach
    )
    assert not re.search(r"\[\w+\.", text)


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("rom", roms.list_rom_ids())
def test_taps_without_a_phone_name_the_menus_of_its_maker(rom, code):
    for sdk in (None, *range(23, 37)):
        text = render_document(rights_page.taps_page(rom, sdk, Translator(code)), "txt")
        assert "[ ] 1." in text
        assert not re.search(r"\[\w+\.", text)
        assert "USB" not in text


def test_before_android_9_the_call_log_belongs_to_the_phone_permission():
    old, new = (render_document(rights_page.taps_page("aosp", sdk, Translator("en")), "txt") for sdk in (27, 28))
    assert "“Phone”" in old
    assert "“Call logs”" in new
