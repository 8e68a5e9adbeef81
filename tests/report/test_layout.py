"""Lines in columns: nothing is lost, nothing is too wide, and no line begins or ends with the wrong mark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from privaudit.report.prose.layout import _NOT_FIRST, _NOT_LAST, pad, wrap

TEXT = st.text(st.sampled_from("ab 通讯录，。「」（）《》“”…、: 12年月"), max_size=120)


@given(TEXT, st.integers(20, 100))
def test_nothing_is_lost(text, columns):
    assert "".join("".join(wrap(text, columns)).split()) == "".join(text.split())


@given(TEXT, st.integers(20, 100))
def test_no_line_is_too_wide(text, columns):
    assert all(cell_len(line) <= columns for line in wrap(text, columns))


@given(st.text(max_size=200), st.integers(2, 60))
def test_any_text_fits_any_width(text, columns):
    assert all(cell_len(line) <= columns for line in wrap(text, columns))


@given(
    st.lists(
        st.sampled_from(["通讯录", "短信", "（应用）", "「设置」", "能读，", "了。", "word ", "2025年1月"]), max_size=30
    )
)
def test_marks_stay_with_what_they_belong_to(parts):
    lines = wrap("".join(parts), 40)
    for line in lines[1:]:
        assert not line or line[0] not in _NOT_FIRST
    for line in lines[:-1]:
        assert not line or line[-1] not in _NOT_LAST


@given(st.integers(20, 60))
def test_a_date_stays_whole_at_its_end(columns):
    for line in wrap("记录里写的是2025年11月22日，" * 8, columns)[1:]:
        assert line[0] not in "年月日"


def test_words_are_not_cut_where_they_fit():
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("", 10) == [""]


def test_a_word_longer_than_a_line_is_cut():
    assert wrap("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 5, "abc  "),
        ("通讯录", 8, "通讯录  "),
        ("abcdef", 4, "abc…"),
        ("通讯录", 5, "通讯…"),
        ("通讯录", 4, "通… "),
    ],
)
def test_pad(text, columns, shown):
    assert pad(text, columns) == shown
    assert cell_len(pad(text, columns)) == columns
