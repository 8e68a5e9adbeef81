"""Read a label as people do: what is invisible, spaced apart or drawn with other letters does not hide a word.

The label that is displayed stays as it is. Each reading is searched for the terms of the vocabulary beside the label as
it is written, and each is as narrow as keeps ordinary names out: see `read_label`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit.i18n.sanitize import BLANK_LETTERS

_MIN_UNACCENTED_CHARS: Final = 4
"""Shorter words mean something else without their accents: Vietnamese vay is to borrow, váy is a dress."""
_MIN_SPELLED_CHARS: Final = 4
"""Shorter words arise by chance when digits are read as letters."""


@dataclass(frozen=True, slots=True)
class LabelReading:
    """One way to read a label."""

    text: str
    whole_words: bool = False
    """Whether only whole words of it count."""
    strong_only: bool = False
    """Whether only strong terms count."""
    min_term_chars: int = 0


def read_label(label: str) -> tuple[LabelReading, ...]:
    """Return the different readings of `label`, the one as it is written first.

    Then: letters that stand apart are joined; letters of other scripts that look like Latin ones are replaced; what
    stands inside a word is left out; accents are left out; digits in words of Latin letters are read as letters.
    """
    if _PLAIN_HAN.fullmatch(label) or (label.isascii() and not _DISGUISE_HINT.search(label)):
        return (LabelReading(label),)
    written = drop_invisible(label)
    latin = _replace_lookalikes(_SPREAD_HAN.sub(r"\1", _SPREAD_LETTERS.sub(_join_match, written)))
    readings = [LabelReading(written), LabelReading(latin)]
    if _RIGHT_TO_LEFT_OVERRIDE in label:
        readings.append(LabelReading(_replace_lookalikes(drop_invisible(_reverse_overridden(label)))))
    readings.append(LabelReading(_squeeze_words(latin), whole_words=True, min_term_chars=_MIN_UNACCENTED_CHARS))
    readings.append(LabelReading(_WORD.sub(_drop_accents_of_overloaded, latin)))
    if not _VIETNAMESE.search(unicodedata.normalize("NFD", latin)):
        bare = _WORD.sub(_drop_accents, latin)
        readings.append(LabelReading(bare, strong_only=True, min_term_chars=_MIN_UNACCENTED_CHARS))
    readings += (LabelReading(spelled, min_term_chars=_MIN_SPELLED_CHARS) for spelled in _spell_digits(latin))
    unique: dict[str, LabelReading] = {}
    for reading in readings:
        unique.setdefault(reading.text, reading)
    return tuple(unique.values())


_RIGHT_TO_LEFT_OVERRIDE: Final = "\u202e"
_IGNORED_MARKS: Final = re.compile("[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Marks that draw nothing: the combining grapheme joiner, inherent vowels, variation selectors."""
_COMBINING_MARKS: Final = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
"""Marks of no script in particular. What is left of them in NFC belongs to no letter of the vocabulary."""
_FIRST_SCRIPT_WITH_MARKS, _LAST_SCRIPT_WITH_MARKS = 0x0590, 0x1CFF
"""From Hebrew to Vedic: scripts whose marks are vowels. Latin, Greek, Cyrillic and Chinese lie outside."""
_UNSEEN_CATEGORIES: Final = frozenset({"Co", "Cn", "Cs"})


def drop_invisible(label: str) -> str:
    """Return `label` in NFKC, without what a reader does not see and without marks that belong to no letter."""
    kept: list[str] = []
    letter = ""
    for char in unicodedata.normalize("NFKC", label):
        category = unicodedata.category(char)
        if char in BLANK_LETTERS or category == "Cc":
            kept.append(" ")
        elif category in _UNSEEN_CATEGORIES or char == "\ufffc":
            kept.append("\ufffd")  # drawn as a box or not at all; no letter
        elif category == "Cf" or _IGNORED_MARKS.match(char):
            continue
        elif category[0] != "M":
            kept.append(char)
            letter = char if category[0] == "L" else letter
        elif (
            letter
            and _FIRST_SCRIPT_WITH_MARKS <= ord(letter) <= _LAST_SCRIPT_WITH_MARKS
            and not _COMBINING_MARKS.match(char)
        ):
            while kept and not kept[-1].isalpha() and unicodedata.category(kept[-1])[0] != "M":
                kept.pop()  # no word begins with a mark
            kept.append(char)
    return "".join(kept)


def _reverse_overridden(label: str) -> str:
    """Return `label` with what stands behind U+202E in the order in which it is displayed."""
    before, _, after = label.partition(_RIGHT_TO_LEFT_OVERRIDE)
    overridden, _, rest = after.partition("\u202c")
    return before + overridden[::-1] + rest


_MARK: Final = "(?:(?!\\w)[\u0590-\u1cff])"
_LETTER: Final = rf"[^\W\d_]{_MARK}*"
_GAP: Final = rf"(?:(?!{_MARK})[\W_])+"
_HAN: Final = "[\u3400-\u9fff\U00020000-\U0003ffff]"
_SPREAD_LETTERS: Final = re.compile(rf"(?<![^\W_])(?<!{_MARK}){_LETTER}(?:{_GAP}{_LETTER}(?!{_MARK}|[^\W_])){{3,}}")
"""At least four single letters with something else between them."""
_SPREAD_HAN: Final = re.compile(rf"(?<!{_HAN})({_HAN})[\W_]+(?={_HAN})|(?<={_HAN})[\W_]+(?={_HAN}(?!{_HAN}))")
"""What stands between two Chinese characters, one of which stands alone."""
_PLAIN_HAN: Final = re.compile("[\u4e00-\u9fff]+[A-Za-z]*")
"""A label that is only this has one reading."""
_DISGUISE_HINT: Final = re.compile(r"[^A-Za-z0-9\s]|(?:\b[A-Za-z]\s+){3}|[A-Za-z][013457]|\b[01][A-Za-z]")
"""An ASCII label without any of this has one reading."""
_WORD: Final = re.compile(r"[^\W\d_]+")


def _join_match(match: re.Match[str]) -> str:
    """Join the letters of a match; a gap that is wider than the narrowest one separates words."""
    gaps = re.findall(_GAP, match[0])
    narrowest = min(map(len, gaps))
    return re.sub(_GAP, lambda gap: "" if len(gap[0]) == narrowest else " ", match[0])


def _squeeze_words(text: str) -> str:
    """Leave out what stands inside words: ``Lo.an``."""
    return " ".join("".join(re.findall(rf"(?:[^\W_]|{_MARK})+", word)) for word in text.split())


_DIGITS_IN_WORD: Final = re.compile(
    r"((?<![A-Za-z\d])[01](?=[A-Za-z]{2})|(?<=[A-Za-z])[013457]{1,2}(?=[A-Za-z])|(?<=[A-Za-z]{2})1(?!\w))"
)
_SPELLINGS: Final = tuple(str.maketrans("013457", letters) for letters in ("oieast", "oleast"))
"""What digits stand for; 1 is i or l."""


def _spell_digits(text: str) -> Iterator[str]:
    """Yield `text` with the digits inside words read as letters: ``l0an``. Nothing if there are none."""
    pieces = _DIGITS_IN_WORD.split(text)
    for spelling in _SPELLINGS if len(pieces) > 1 else ():
        yield "".join(piece.translate(spelling) if index % 2 else piece for index, piece in enumerate(pieces))


_STYLED: Final[dict[int, str]] = {
    **dict(zip(map(ord, "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ"), "abcdefghijklmnopqrstuvwyz", strict=True)),
    **{first + index: chr(ord("A") + index) for first in (0x1F150, 0x1F170, 0x1F1E6) for index in range(26)},
    **dict(zip(map(ord, "ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ"), "BPDTGKJCZFMNLSRVHWXYAEIOU", strict=True)),
    **dict(zip(map(ord, "ᎪᏴᏟᎠᎬᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ"), "ABCDEHJKLMPRSTVWZ", strict=True)),
    **dict(zip(map(ord, "ɑɡıɩȷʋⱼ"), "agiijvj", strict=True)),
}
"""Small capitals, letters in negative circles and squares, regional indicators, Lisu, Cherokee: read as Latin."""
_LOOKALIKES: Final[dict[int, str]] = {
    **dict(zip(map(ord, "АВЕКМНОРСТУХЅІЈҮԌԚԜӀЬ"), "ABEKMHOPCTYXSIJYGQWIb", strict=True)),
    **dict(zip(map(ord, "авекмнопрстухгѕіјһԁԛԝӏүԍгь"), "abekmhonpctyxrsijhdqwlygrb", strict=True)),
    **dict(zip(map(ord, "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"), "ABEZHIKMNOPTYX", strict=True)),
    **dict(zip(map(ord, "αβγεηικνορστυχω"), "abyenikvopotuxw", strict=True)),
    **dict(zip(map(ord, "օոսհցյզք"), "onuhgjqp", strict=True)),
}
"""Letters of Cyrillic, Greek and Armenian: read as Latin ones where the word has Latin letters too."""
_RARE_LOOKALIKES: Final = re.compile("[ѕјһԁԛԝӏ]")
"""Cyrillic letters that Russian does not have. A word of `_CYRILLIC_ONLY` with one of them is no Russian word."""
_CYRILLIC_ONLY: Final = re.compile("[аеорсухіѕјһԁԛԝӏАЕОРСУХІЅЈԚԜ]+")


def _replace_lookalikes(text: str) -> str:
    """Return `text` with the letters replaced that are drawn like Latin ones."""
    return _WORD.sub(_replace_in_word, text.translate(_STYLED))


def _replace_in_word(match: re.Match[str]) -> str:
    word = match[0]
    is_mixed = any("LATIN" in unicodedata.name(char, "") for char in word)
    if is_mixed or (_CYRILLIC_ONLY.fullmatch(word) and _RARE_LOOKALIKES.search(word)):
        return word.translate(_LOOKALIKES)
    return word


_STROKES: Final = str.maketrans("łøđħŧŁØĐĦŦɨɵƀǥⱡȺⱥ", "lodhtLODHTiobglAa")
_VIETNAMESE: Final = re.compile("[\u0306\u0309\u031b\u0323đĐ]|[\u0302\u0306][\u0300\u0301\u0303]")
"""Breve, hook, horn, dot below, or two marks over one letter, in NFD: the accents of this language make other words."""


def _drop_accents(match: re.Match[str]) -> str:
    """Return a word without the marks of its Latin letters."""
    decomposed = unicodedata.normalize("NFD", match[0].translate(_STROKES))
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", decomposed))


def _drop_accents_of_overloaded(match: re.Match[str]) -> str:
    """Return a word without its marks if most of its letters bear one, as in no language but Vietnamese."""
    bare = _drop_accents(match)
    if _VIETNAMESE.search(unicodedata.normalize("NFD", match[0])):
        return match[0]
    marked = sum(char != plain for char, plain in zip(match[0], bare, strict=False))
    return bare if 2 * marked > len(match[0]) > 2 else match[0]  # noqa: PLR2004
