"""Single resources out of resource tables: against androguard, which reads whole tables, and against the model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.apk.parts import ARSC, ApkError, ApkPart
from privaudit.apk.resource_config import DeviceConfig, Locale, ResourceConfig, best_match
from privaudit.apk.resource_table import MAX_STRING_CHARS, ResourceTable, ResValueType
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import apk_entry_name, load_apks
from tests.apk.test_info import parts_of
from tests.fixtures import arsc_builder

TAGS = ["", "en", "zh-CN", "zh-TW", "hi", "es", "es-ES", "in", "pt-BR"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@st.composite
def models(draw):
    count = draw(st.integers(1, 6))
    texts = draw(st.lists(TEXT, min_size=1, max_size=8))
    tags = draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=5, unique=True))
    types = [
        (tag, {i: draw(st.integers(0, len(texts) - 1)) for i in draw(st.sets(st.integers(0, count - 1)))})
        for tag in tags
    ]
    return count, texts, types


def build(model, *, utf8, layout):
    count, texts, types = model
    rows = [
        (arsc_builder.config(tag), {index: (int(ResValueType.STRING), text) for index, text in entries.items()})
        for tag, entries in types
    ]
    return arsc_builder.table(texts, rows, utf8=utf8, layout=layout, count=count)


def ours(data, resource):
    """(language, region, text) for each configuration."""
    found = ResourceTable(data)
    return [
        (v.config.locale.language, v.config.locale.region, found.string(v.data))
        for v in found.resource_values(resource)
    ]


def androguards(data, resource):
    from loguru import logger

    logger.disable("androguard")
    from androguard.core.axml import ARSCParser

    parser = ARSCParser(data)
    found = []
    for head, entry in parser.get_res_configs(resource):
        language, _, region = head.get_language_and_region().partition("-r")
        language = {"in": "id", "\0\0": ""}.get(language, language)
        found.append((language, region.strip("\0"), entry.get_key_data()))
    return found


@given(models(), st.booleans(), st.sampled_from(["dense", "sparse", "short", "compact"]))
def test_every_table_layout_is_read(model, utf8, layout):
    data = build(model, utf8=utf8, layout=layout)
    count, texts, types = model
    for index in range(count):
        expected = []
        for tag, entries in types:
            locale = Locale.parse(tag)
            if index in entries:
                expected.append((locale.language, locale.region, texts[entries[index]]))
        assert ours(data, 0x7F020000 + index) == expected
    assert ours(data, 0x7F020000 + count) == ours(data, 0x7F030000) == ours(data, 0x01020000) == []


@given(models(), st.booleans())
def test_generated_tables_agree_with_androguard(model, utf8):
    count, texts, types = model
    # androguard does not put surrogates together again.
    model = count, [text if text.isprintable() and max(text, default="") < "\uffff" else "x" for text in texts], types
    data = build(model, utf8=utf8, layout="dense")
    for index in range(count):
        resource = 0x7F020000 + index
        expected = ours(data, resource)
        if expected:
            assert sorted(androguards(data, resource)) == sorted(expected)


def test_tables_of_demo_apps_agree_with_androguard():
    compared = 0
    for app in load_scenario("borrower").apps:
        if not app.labels:
            continue
        data = parts_of(load_apks()[apk_entry_name(app)], app.package).parts[ARSC].to_bytes()
        for resource in (0x7F010000, 0x7F020000):
            expected = ours(data, resource)
            if expected:
                assert sorted(androguards(data, resource)) == sorted(expected)
                compared += 1
    assert compared > 100


@given(models(), st.booleans(), st.sampled_from(["dense", "sparse"]))
def test_touched_ranges_are_sufficient(model, utf8, layout):
    data = build(model, utf8=utf8, layout=layout)
    resource = 0x7F020000
    table = ResourceTable(data)
    expected = [(value, table.string(value.data)) for value in table.resource_values(resource)]
    thin = ResourceTable(ApkPart.from_bytes(data).trimmed_to(table.touched_ranges).to_bytes())
    assert [(value, thin.string(value.data)) for value in thin.resource_values(resource)] == expected


def test_long_strings_are_truncated():
    for utf8 in (True, False):
        data = build((1, ["贷" * 9000], [("", {0: 0})]), utf8=utf8, layout="dense")
        assert ours(data, 0x7F020000) == [("", "", "贷" * MAX_STRING_CHARS)]


def test_too_many_configurations_are_rejected():
    row = (arsc_builder.config(""), {0: (3, 0)})
    data = arsc_builder.table(["x"], [row] * 2100, utf8=True, layout="dense", count=1)
    with pytest.raises(ApkError, match="resources_damaged"):
        ResourceTable(data).resource_values(0x7F020000)


@pytest.mark.parametrize("data", [b"", b"\2\0\x0c\0", b"\3\0\x08\0\x08\0\0\0", bytes(100)])
def test_other_content_is_rejected(data):
    with pytest.raises(ApkError, match="resources_damaged"):
        ResourceTable(data)


@pytest.mark.parametrize(
    ("wanted", "sdk", "chosen"),
    [
        ("zh-CN", 34, "zh-CN"),
        ("zh-SG", 34, "zh-CN"),
        ("zh-MO", 34, "zh-TW"),
        ("zh-HK", 23, ""),
        ("es-AR", 34, "es"),
        ("es-ES", 34, "es-ES"),
        ("pt-AO", 34, "pt-BR"),
        ("pt-PT", 23, ""),
        ("id-ID", 34, "in"),
        ("en-US", 34, "en"),
        ("fr", 34, ""),
    ],
)
def test_best_match_selects_the_language_like_android(wanted, sdk, chosen):
    configs = [(ResourceConfig.parse(arsc_builder.config(tag)), tag) for tag in TAGS]
    found = best_match(configs, DeviceConfig(locale=Locale.parse(wanted), sdk=sdk))
    assert found is not None
    assert found[1] == chosen


def test_english_of_other_regions_does_not_match_american_english():
    configs = [(ResourceConfig.parse(arsc_builder.config(tag)), tag) for tag in ("en-GB", "")]
    assert best_match(configs, DeviceConfig(locale=Locale.parse("en-US")))[1] == ""
    assert best_match(configs, DeviceConfig(locale=Locale.parse("en-GB")))[1] == "en-GB"
    assert best_match(configs, DeviceConfig(locale=Locale.parse("en-IN")))[1] == "en-GB"


def test_three_letter_languages_and_short_configurations():
    packed = bytearray(arsc_builder.config("")[:28])
    packed[8:10] = bytes([0x80 | (11 << 2) | (8 >> 3), ((8 & 7) << 5) | 5])  # fil
    packed[0] = 28
    assert ResourceConfig.parse(bytes(packed)).locale == Locale("fil")
    assert Locale.parse("tl") == Locale("fil")
