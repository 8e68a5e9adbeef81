"""Names as they are looked through for words: without what hides a letter, and by the ends of words."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def compile_regex(regex: str) -> re.Pattern[str]:
    """`regex`, compiled when it is first used."""
    return re.compile(regex)


@cache
def normalize(text: str) -> str:
    """A word of ours in one form of its letters, whatever their case."""
    return unicodedata.normalize("NFKC", text).casefold()


def strip_invisible(label: str) -> str:
    """`label` without what hides a word from us and not from its reader: other forms of letters, what is invisible."""
    return "".join(char for char in unicodedata.normalize("NFKC", label) if unicodedata.category(char) != "Cf")


def split_camel_case(name: str, separator: str) -> str:
    """`name` with its words parted where a capital letter begins one: ``EasyLoan``, ``QRCash``."""
    return _CAMEL_CASE_BOUNDARY.sub(separator, name)


def matches_word(word: str, text: str, match: str) -> bool:
    """Whether `word` stands in `text`: anywhere (``sub``), where a word begins (``wstart``), or as a whole ``word``."""
    if word not in text:
        return False
    if match == "sub":
        return True
    end = r"(?!\w)" if match == "word" else ""
    return compile_regex(rf"(?<!\w){re.escape(word)}{end}").search(text) is not None
