"""The languages of privaudit: their sentences, their plural forms, and the names that operating systems give them.

Each language is one TOML file in ``privaudit/data/locales`` with a table of sentences for each area. ``en.toml`` is
the base file, and stands in for sentences that another language lacks. What a legal rule says stands in the file of the
rule (``privaudit/data/rules``), which `privaudit.knowledge.rules` reads and checks whole.
"""

import contextlib
import locale
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

Sentence: TypeAlias = str | Mapping[str, str]
"""A sentence with ``{placeholders}``, or its plural forms ``one`` and ``other``, chosen by the value ``n``."""

ENGLISH: Final = "en"
_SUFFIX: Final = ".toml"
_TABLE_HEADER: Final = re.compile(r"^\[(\w+)\]$", re.MULTILINE)
_DATA_FOLDER: Final = Path(__file__).parent.parent / "data"
"""Located from this module: importing `importlib.resources` would add a tenth to the start-up time of ``--help``."""
_LOCALES_FOLDER: Final = _DATA_FOLDER / "locales"
RULES_FOLDER: Final = _DATA_FOLDER / "rules"
_RULE_ID: Final = re.compile(r"[A-Z][A-Z0-9-]{1,60}\Z")
"""A saved report may name any rule, so an id is checked before it becomes a file name."""

_WINDOWS_LANGUAGE_NAMES: Final = {
    "chinese": "zh",
    "filipino": "fil",
    "hindi": "hi",
    "indonesian": "id",
    "kiswahili": "sw",
    "spanish": "es",
    "swahili": "sw",
}
"""Windows names languages in English: "Indonesian_Indonesia"."""
_CODE_ALIASES: Final = {"in": "id", "tl": "fil"}
"""The former code for Indonesian, which Java and Android used, and the C library's code for Filipino."""

_WITHOUT_PLURAL: Final = frozenset({"id", "zh"})
_ZERO_IS_SINGULAR: Final = frozenset({"hi"})
_FILIPINO: Final = "fil"
_FILIPINO_OTHER_DIGITS: Final = frozenset({4, 6, 9})
"""Last digits with Filipino names that end in a consonant: they take "na" before the noun."""


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of all languages, English first."""
    return (ENGLISH, *sorted({file.stem for file in _LOCALES_FOLDER.glob(f"*{_SUFFIX}")} - {ENGLISH}))


def system_language() -> str:
    """Return the language of the operating system where privaudit has it, else English."""
    locale_names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    if not any(locale_names):
        with contextlib.suppress(ValueError):  # a locale name that Python cannot parse
            locale_names = [locale.getlocale()[0] or ""]  # Windows sets no variables
    locale_name = next((name for name in locale_names if name), "").casefold()
    language = re.split(r"[-_.@ ]", locale_name, maxsplit=1)[0]
    code = _CODE_ALIASES.get(language) or _WINDOWS_LANGUAGE_NAMES.get(language) or language
    return code if code in languages() else ENGLISH


def sentence(key: str, code: str) -> Sentence | None:
    """Return the sentence of `key` (``AREA.NAME``) in a language; ``None`` where the language lacks it."""
    area, _, name = key.partition(".")
    return _load_area(code, area).get(name)


def messages(code: str) -> Mapping[str, Sentence]:
    """Return all sentences of a language by key (``AREA.NAME``)."""
    return {
        f"{area}.{name}": text for area in _area_sources(code) if area for name, text in _load_area(code, area).items()
    }


def is_reviewed(code: str) -> bool:
    """Return whether a native speaker has reviewed the translation. English is the original."""
    return code == ENGLISH or bool(_load_area(code, "").get("reviewed_by"))


def plural_form(code: str, number: object) -> str:
    """Return the plural form of `number`, ``one`` or ``other``, by CLDR's plural rules for whole numbers."""
    if not isinstance(number, int) or code in _WITHOUT_PLURAL:
        return "other"
    if code == _FILIPINO:
        return "one" if number in {1, 2, 3} or number % 10 not in _FILIPINO_OTHER_DIGITS else "other"
    return "one" if number == 1 or (number == 0 and code in _ZERO_IS_SINGULAR) else "other"


@cache
def _load_area(code: str, area: str) -> Mapping[str, Any]:
    """Parse one table of a catalog; an empty `area` means the keys above the first table.

    The help needs one area of thirty: parsing all of them would take most of its time.
    """
    return tomllib.loads(_area_sources(code).get(area, ""))


@cache
def _area_sources(code: str) -> Mapping[str, str]:
    """Split a catalog into the TOML source of each table, without the table's header.

    A header stands alone on its line, and no sentence spans several lines: tests/test_language.py holds every catalog
    to that.
    """
    text = (_LOCALES_FOLDER / f"{code}{_SUFFIX}").read_text(encoding="utf-8")
    preamble, *tables = _TABLE_HEADER.split(text)
    return {"": preamble, **dict(zip(tables[::2], tables[1::2], strict=True))}


@cache
def rule_texts(rule_id: str) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of a rule by language; empty for an unknown rule, which a newer privaudit may have named."""
    file = RULES_FOLDER / f"{rule_id}.toml"
    if not _RULE_ID.match(rule_id) or not file.is_file():
        return {}
    texts: Mapping[str, Mapping[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))["words"]
    return texts


def rule_text(rule_id: str, text_key: str, code: str) -> str | None:
    """Return one text of a rule in the language `code`, else in English; ``None`` where the rule has no such text."""
    texts = rule_texts(rule_id)
    return texts.get(code, {}).get(text_key) or texts.get(ENGLISH, {}).get(text_key)


def has_rule_texts(rule_id: str, code: str) -> bool:
    """Return whether the texts of a rule are there in the language `code`; true for a rule that has none at all."""
    texts = rule_texts(rule_id)
    return code in texts or not texts
