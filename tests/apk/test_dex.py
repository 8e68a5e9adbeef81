"""Which classes a dex names, against androguard's reader; and dexes that somebody made up."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privaudit.apk import dex as apk_dex
from privaudit.apk.dex import DexPrefixHits
from privaudit.apk.parts import ApkError
from tests.fixtures.dex_builder import dex

PARTS = st.lists(st.sampled_from(["a", "ab", "b", "z", "A", "a$b", "包"]), min_size=1, max_size=3).map(".".join)
SMALL = dex(["com.example.Main", "com.example.sdk.A", "com.example.sdk.B", "com.examples.C"], ["org.spoken.Of"])


def found(data, *prefixes):
    return list(apk_dex.find_class_prefixes(data, prefixes, "classes.dex"))


def test_a_prefix_matches_complete_names_and_counts_definitions():
    assert found(SMALL, "com.example", "com.exam", "com.example.sdk", "org.spoken", "com.example.Main") == [
        DexPrefixHits("com.example", 3, 3),
        DexPrefixHits("com.example.sdk", 2, 2),
        DexPrefixHits("org.spoken", 1, 0),
    ]


@given(st.sets(PARTS, min_size=1), st.sets(PARTS), PARTS)
def test_prefixes_agree_with_androguard(classes, spoken, prefix):
    from androguard.core.dex import DEX
    from loguru import logger

    logger.disable("androguard")
    data = dex(classes, spoken)
    read = DEX(data)
    path = f"L{prefix.replace('.', '/')}/"
    types = {name for name in read.get_strings() if name.startswith(path)}
    ours = {name for name in read.get_classes_names() if name.startswith(path)}
    expected = [DexPrefixHits(prefix, len(types), len(ours))] if types else []
    assert found(data, prefix) == expected


@given(st.data())
def test_any_byte_may_be_wrong(data):
    raw = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ApkError):
        found(bytes(raw[: data.draw(st.integers(0, len(raw)))]), "com.example", "org")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "entry_damaged"),
        (b"dex\n035\0", "entry_damaged"),
        (b"not a dex" * 40, "entry_damaged"),
        (dex(["a.B"], version=b"041"), "dex_new"),
        (SMALL[:0x38] + struct.pack("<I", 1 << 31) + SMALL[0x3C:], "entry_damaged"),
        (SMALL[:0x40] + struct.pack("<I", 0xFFFFFFFF) + SMALL[0x44:], "entry_damaged"),
    ],
    ids=["empty", "head only", "text", "newer", "more texts than bytes", "types beyond the end"],
)
def test_other_content_is_rejected(data, why):
    with pytest.raises(ApkError) as raised:
        found(data, "com.example")
    assert raised.value.message.key == f"apk.{why}"


def test_an_unterminated_name_is_cheap():
    """A text of 200 MB, and a prefix to hold against it: only its beginning is looked at."""
    huge = dex(["a." + "b" * 5_000_000])
    assert found(huge, "a", "b") == [DexPrefixHits("a", 1, 1)]
