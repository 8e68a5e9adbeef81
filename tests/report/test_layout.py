"""Where lines of text break."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from privaudit.report import layout

SIGNS = "".join(sorted(layout._FORBIDDEN_AT_LINE_START | layout._FORBIDDEN_AT_LINE_END))


@given(st.text(alphabet="ab1 " + string.punctuation, min_size=1, max_size=40))
def test_ascii_breaks_equal_the_general_rule(text):
    pieces = layout._split_at_breaks(text)
    assert "".join(pieces) == text
    breaks = [place for place in range(1, len(text)) if layout._can_break_between(text[:place], text[place])]
    assert [len("".join(pieces[:count])) for count in range(1, len(pieces))] == breaks


@given(st.text(alphabet="a1/ 贷款。（" + SIGNS, max_size=60), st.integers(8, 30))
def test_wrap_keeps_all_text_within_the_columns(text, columns):
    lines = layout.wrap(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(layout.cell_len(line) <= columns for line in lines)


def test_chinese_brackets_stay_with_their_words():
    for columns in range(8, 40):
        for line in layout.wrap("消费方面的投诉，比如价格。〔使用前请核对〕通讯录［1］", columns):
            assert not line.startswith(("〕", "］"))
            assert not line.endswith(("〔", "［"))


def test_long_path_breaks_after_a_slash():
    text = "in /home/somebody/Downloads/crawl/of-2026/bad.apk: its file is no APK"
    assert layout.wrap(text, 24) == ("in /home/somebody/", "Downloads/crawl/of-2026/", "bad.apk: its file is no", "APK")
    assert layout.wrap("a" * 30, 24) == ("a" * 24, "a" * 6)
