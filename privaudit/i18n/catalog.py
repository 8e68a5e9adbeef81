"""The languages that privaudit speaks: their files, how they count, and what a computer calls them.

One TOML file for each language: tables of sentences, by area. ``en.toml`` is the base and fills in what another lacks.
"""

from __future__ import annotations

import contextlib
import locale
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

Sentence: TypeAlias = str | Mapping[str, str]
"""A sentence with ``{gaps}``, or its plural forms ``one`` and ``other``, chosen by the value ``n``."""

ENGLISH: Final = "en"
_SUFFIX: Final = ".toml"
_HEADING: Final = re.compile(r"^\[(\w+)\]$", re.MULTILINE)
_LOCALES_FOLDER: Final = Path(__file__).parent.parent / "data" / "locales"
"""Looked for beside this module: `importlib.resources` would load a tenth of what the help needs."""

_WINDOWS_LANGUAGE_NAMES: Final = {
    # Windows names its languages in English: "Indonesian_Indonesia".
    "chinese": "zh",
    "filipino": "fil",
    "hindi": "hi",
    "indonesian": "id",
    "kiswahili": "sw",
    "spanish": "es",
    "swahili": "sw",
}
_CODE_ALIASES: Final = {"in": "id", "tl": "fil"}
"""What Java and Android wrote for Indonesian, and what the C library writes for Filipino."""

_WITHOUT_PLURAL: Final = frozenset({"id", "zh"})
_ZERO_IS_SINGULAR: Final = frozenset({"hi"})
_FILIPINO: Final = "fil"
_FILIPINO_OTHER_DIGITS: Final = frozenset({4, 6, 9})
"""Last digits whose Filipino words end in a consonant: they take "na" before what is counted."""


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages; English first."""
    return (ENGLISH, *sorted({file.stem for file in _LOCALES_FOLDER.glob(f"*{_SUFFIX}")} - {ENGLISH}))


def system_language() -> str:
    """The computer's language, when privaudit speaks it, else English."""
    wishes = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    if not any(wishes):
        with contextlib.suppress(ValueError):  # a name that Python cannot take apart
            wishes = [locale.getlocale()[0] or ""]  # Windows sets no variables
    first = next((wish for wish in wishes if wish), "").casefold()
    named = re.split(r"[-_.@ ]", first, maxsplit=1)[0]
    code = _CODE_ALIASES.get(named) or _WINDOWS_LANGUAGE_NAMES.get(named) or named
    return code if code in languages() else ENGLISH


def sentence(key: str, code: str) -> Sentence | None:
    """The sentence of `key` (``AREA.NAME``) in a language; ``None`` where the language has none."""
    area, _, name = key.partition(".")
    return _area(code, area).get(name)


def messages(code: str) -> Mapping[str, Sentence]:
    """Every sentence of a language by ``AREA.NAME``."""
    return {f"{area}.{name}": text for area in _parts(code) if area for name, text in _area(code, area).items()}


def is_reviewed(code: str) -> bool:
    """Whether a native speaker has read the translation over; English is the original."""
    return code == ENGLISH or bool(_area(code, "").get("reviewed_by"))


def plural_form(code: str, number: object) -> str:
    """``one`` or ``other``: how a language counts, by CLDR's rules for whole numbers."""
    if not isinstance(number, int) or code in _WITHOUT_PLURAL:
        return "other"
    if code == _FILIPINO:
        return "one" if number in {1, 2, 3} or number % 10 not in _FILIPINO_OTHER_DIGITS else "other"
    return "one" if number == 1 or (number == 0 and code in _ZERO_IS_SINGULAR) else "other"


@cache
def _area(code: str, area: str) -> Mapping[str, Any]:
    """One table of a language's file; the keys before the first table where `area` is empty.

    Parsed one table at a time: the help needs one of thirty, and parsing the whole file would take most of its time.
    """
    part = _parts(code).get(area)
    if part is None:
        return {}
    import tomllib

    return tomllib.loads(part)


@cache
def _parts(code: str) -> Mapping[str, str]:
    """The text of each table of a language's file, without its heading.

    A heading stands alone on its line, and no sentence is written over several lines; a test holds every file to that.
    """
    text = (_LOCALES_FOLDER / f"{code}{_SUFFIX}").read_text(encoding="utf-8")
    first, *rest = _HEADING.split(text)
    return {"": first, **dict(zip(rest[::2], rest[1::2], strict=True))}
