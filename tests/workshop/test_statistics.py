"""Suppression of small counts, and the totals in all formats."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit.i18n import Translator
from privaudit.report import save_text
from privaudit.workshop import statistics
from privaudit.workshop.statistics import (
    DeviceRecord,
    SessionCounts,
    SessionTotals,
    WorkshopTotals,
    count_records,
    sum_counts,
)

NO_COUNTS = {"roms": {}, "lending": {}, "can_read": {}, "listed": {}, "failures": {}}
LARGE_COUNTS = SessionCounts(
    phones=40,
    unmarked=1,
    roms={"hyperos": 20, "coloros": 12, "oneui": 5, "aosp": 3},
    lending={"0": 6, "1": 14, "2": 20},
    can_read={"contacts": 20, "sms": 38, "call_log": 3},
    listed={"com.example.many": 9, "com.example.few": 2, "com.example.all": 37},
    failures={"lost": 7, "not_allowed": 1},
)


def make_totals(*counts, demo=False):
    sessions = {
        str(number): SessionTotals(opened_on=date(2026, 1, 1), counted=session) for number, session in enumerate(counts)
    }
    return WorkshopTotals(demo=demo, sessions=sessions)


def published_counts(counts):
    tables = statistics.tables_for_totals(make_totals(counts))
    return {table.name: table.rows for table in tables}


def test_small_counts_and_small_complements_are_suppressed():
    tables = published_counts(LARGE_COUNTS)
    assert tables["can_read"] == {"contacts": 20, "sms": None, "call_log": None}
    assert tables["listed"] == {"com.example.many": 9}
    assert tables["failures"] == {"lost": 7}
    assert tables["phones"] == {"phones": 40}


def test_counts_that_a_sum_would_reveal_are_suppressed():
    # 3 of 40 have stock Android: with the other three shown, anybody could subtract.
    assert published_counts(LARGE_COUNTS)["roms"] == {"hyperos": 20, "coloros": 12}


def test_almost_nothing_about_twelve_people_is_published():
    twelve = SessionCounts(
        phones=12,
        roms={"hyperos": 11, "oneui": 1},
        lending={"1": 12},
        can_read={"contacts": 11},
        **{name: {} for name in ("listed", "failures")},
    )
    tables = published_counts(twelve)
    assert tables["roms"] == {}
    assert set(tables["lending"].values()) == {None}
    assert tables["can_read"]["contacts"] is None


@pytest.mark.parametrize("phones", [3, 12])
@pytest.mark.parametrize("code", ["en", "zh"])
def test_totals_of_a_small_day_are_one_sentence(phones, code):
    language = Translator(code)
    small = SessionCounts(
        phones=phones,
        roms={"hyperos": phones - 1, "oneui": 1},
        lending={"1": phones},
        can_read={"contacts": phones - 1},
        listed={"com.example.few": 1},
        failures={"lost": 1},
    )
    sentence = "".join(language.t("workshop.totals_small").split())
    text = statistics.render_text(make_totals(small), language)
    assert "".join(text.split()).count(sentence) == 1
    assert language.t("workshop.totals_hidden") not in text
    assert (str(phones) in text) == (phones >= 5)
    assert len(text.splitlines()) <= 5
    page = statistics.render_html(make_totals(small), language)
    assert language.t("workshop.totals_small") in page
    assert language.t("workshop.totals_hidden") not in page


def test_a_table_without_a_shown_count_is_one_line():
    counts = SessionCounts(phones=20, **{**NO_COUNTS, "lending": {"1": 20}, "can_read": {"contacts": 10}})
    text = statistics.render_text(make_totals(counts), Translator("en"))
    assert text.count("too few to show") == 3  # the table of lending apps, SMS and call log
    assert "lending apps: 1" not in text


COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), max_size=8)


@settings(max_examples=150)
@given(COUNTS)
def test_no_small_count_can_be_computed(counts):
    whole = sum(counts.values())
    shown = statistics._suppress_small_cells(counts, whole)
    visible = [count for count in shown.values() if count is not None]
    hidden = [counts[name] for name, count in shown.items() if count is None]
    assert all(count >= 5 and whole - count >= 5 for count in visible)
    if visible and hidden:
        assert len(hidden) > 1
        assert sum(hidden) >= 5


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), max_size=12))
def test_records_with_one_token_are_one_phone(visits):
    records = [
        DeviceRecord(token=token, rom="aosp", lending=lending, can_read=(), listed=(), found=False, complete=True)
        for token, lending in visits
    ]
    result = count_records(records, {})
    assert result.phones == len({token for token, _ in visits}) == sum(result.lending.values())


def test_unrecognisable_phone_is_in_no_count():
    records = [
        DeviceRecord(token=None, rom="aosp", lending=1, can_read=(), listed=("x",), found=True, complete=True)
    ] * 9
    result = count_records(records, {})
    assert (result.phones, result.unmarked, result.listed) == (0, 9, {})


def test_counts_add_up():
    assert sum_counts([LARGE_COUNTS, LARGE_COUNTS]).roms["hyperos"] == 40
    assert sum_counts([]).phones == 0


@pytest.mark.parametrize("code", ["en", "zh"])
def test_render_text(code):
    language = Translator(code)
    text = statistics.render_text(make_totals(LARGE_COUNTS, demo=True), language)
    assert language.t("report.demo").split("，")[0][:10] in text
    assert "com.example.many" in text
    assert "com.example.few" not in text
    assert language.t("workshop.totals_hidden") in text
    assert "HyperOS" in text


def test_render_json():
    document = json.loads(statistics.render_json(make_totals(LARGE_COUNTS), Translator("en")))
    assert document["demo"] is False
    assert document["tables"]["roms"] == {"of": 40, "rows": {"hyperos": 20, "coloros": 12}, "others_suppressed": True}
    assert document["tables"]["can_read"]["rows"]["call_log"] is None


def test_render_csv_escapes_formulas():
    evil = SessionCounts(phones=20, **{**NO_COUNTS, "listed": {"=cmd()": 9}})
    text = statistics.render_csv(make_totals(evil), Translator("en"))
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row for row in rows if row[1] == "listed"] == [["0", "listed", "'=cmd()", "'=cmd()", "9", "20", "0"]]


def test_render_html_escapes_names():
    evil = SessionCounts(phones=20, **{**NO_COUNTS, "listed": {"<script>x</script>": 9}})
    page = statistics.render_html(make_totals(evil, demo=True), Translator("en"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "style=" not in page
    assert not re.search(r"https?://", page)
    assert "demo phone" in page
    widths = [int(width) for width in re.findall(r'class="part" width="(\d+)"', page)]
    assert max(widths) <= 400
    assert 180 in widths  # 9 of 20


@pytest.mark.unix
@pytest.mark.parametrize("suffix", [".json", ".csv", ".html", ".txt"])
def test_totals_are_written_privately(tmp_path, suffix):
    path = tmp_path / f"totals{suffix}"
    save_text(statistics.RENDERERS[suffix](make_totals(LARGE_COUNTS), Translator("zh")), path)
    assert path.stat().st_mode & 0o077 == 0
    assert "com.example.many" in path.read_text(encoding="utf-8")
