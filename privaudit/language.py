"""Words for people: English stands beside the thing it words, in a module's ``WORDS``; ``locales/*.toml`` translate it.

Text that a phone printed is hostile: it is tamed here, on its way into a sentence.
"""

from __future__ import annotations

import importlib
import locale
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from privaudit.errors import UsageError

if TYPE_CHECKING:
    from privaudit.model import Message, Value

Sentence: TypeAlias = str | Mapping[str, str]
"""A sentence with ``{gaps}``, or its plural forms ``one`` and ``other``, chosen by the value ``n``."""

_LOCALES: Final = Path(__file__).parent / "locales"
"""Looked for beside this module: `importlib.resources` would load a fifth of what the help needs."""

LONGEST_LABEL: Final = 120
"""Characters of phone text that fit into one sentence; the rest is cut with an ellipsis."""

_AREAS: Final = {
    "apk": "privaudit.capture.apk_problems",
    "cli": "privaudit.commands.help",
    "coverage": "privaudit.capture.answers",
    "dates": "privaudit.language",
    "diagnose": "privaudit.transport.diagnose",
    "diff": "privaudit.report.diff",
    "errors": "privaudit.errors",
    "knowledge": "privaudit.knowledge",
    "makers": "privaudit.transport.makers",
    "question": "privaudit.capture.questions",
    "remedy": "privaudit.remedy.english",
    "report": "privaudit.report.prose.english",
    "signatures": "privaudit.commands.help_signatures",
    "steps": "privaudit.remedy.steps",
}
"""Where the English of an area stands. Every other area is a module of ``privaudit.findings``."""

WORDS: Final[Mapping[str, Sentence]] = {
    "minute": "{day} {month} {year}, {hour:02}:{minute:02}",
    "day": "{day} {month} {year}",
    "month": "{month} {year}",
    "year": "{year}",
    "short": "{day} {month:.3} {year}",
    "months": "January February March April May June July August September October November December",
    "separator": ", ",
    "last_separator": " and ",
    "unknown": "not known",
}

_KEPT_FORMAT: Final = frozenset("\u200c\u200d")  # ZWNJ and ZWJ carry meaning in Hindi and Urdu, and in emoji
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by category, and nothing to see: a name of these alone would be no name."""
_MOST_MARKS: Final = 3
"""Marks over or under one letter. Hindi needs three; more would be drawn over the lines around."""
_QUOTED: Final = frozenset({"app", "name", "action", "installer", "version"})
_QUOTES: Final = str.maketrans("“”„«»「」『』《》", '"""""""""""')


def tame(text: str, longest: int = LONGEST_LABEL) -> str:
    """Make text from a phone harmless to show: one line, no control or direction characters, no more than `longest`.

    Labels are written by the people we warn about. An escape sequence could repaint the terminal; U+202E could turn
    ``exe.app`` round; a newline could forge a line of the report.
    """
    kept: list[str] = []
    marks = 0
    for char in text[: longest * 4]:
        category = unicodedata.category(char)
        if category == "Cs" or (category == "Cf" and char not in _KEPT_FORMAT):
            continue
        marks = marks + 1 if category in {"Mn", "Me"} or char in _KEPT_FORMAT else 0
        if category in {"Cc", "Zl", "Zp"} or char in _BLANK:
            kept.append(" ")
        elif marks <= _MOST_MARKS:
            kept.append(char)
    tamed = " ".join("".join(kept).split())
    return tamed if len(tamed) <= longest else tamed[: longest - 1] + "…"


def name_of(label: str | None, package: str) -> str:
    """What to call an app: its label where one was read that shows anything, else its package."""
    return label if label and tame(label).strip("\u200c\u200d") else package


def available() -> tuple[str, ...]:
    """Codes of the languages that privaudit speaks."""
    return ("en", *sorted(file.stem for file in _LOCALES.glob("*.toml")))


def preferred() -> str:
    """The computer's language, when privaudit speaks it, else English."""
    wishes = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    if not any(wishes):
        wishes = [locale.getlocale()[0] or ""]  # Windows sets no variables and names its languages in English
    first = next((wish for wish in wishes if wish), "").lower()
    if first.startswith("chinese"):
        return "zh"
    code = first.replace("-", "_").partition("_")[0].partition(".")[0]
    return code if code in available() else "en"


@dataclass(frozen=True, slots=True)
class Language:
    """Words every `Message` in one language."""

    code: str = "en"

    def __post_init__(self) -> None:
        """Refuse a language that is not there."""
        if self.code not in available():
            raise UsageError("unknown_language", given=self.code, known=available())

    def say(self, message: Message) -> str:
        """The sentence of `message`."""
        return self._word(message.key, message.values)

    def text(self, key: str, /, **values: Value) -> str:
        """The sentence of `key`, filled with `values`."""
        return self._word(key, values)

    def _word(self, key: str, values: Mapping[str, Value]) -> str:
        sentence = _sentence(key, self.code)
        if sentence is None:
            return f"[{tame(key)}]"
        if not isinstance(sentence, str):
            sentence = sentence["one" if values.get("n") == 1 and "one" in sentence else "other"]
        return sentence.format_map(_Gaps((name, self._value(name, value)) for name, value in values.items()))

    def _value(self, name: str, value: Value) -> str:
        if isinstance(value, tuple):
            *first, last = [self._value(name, part) for part in value] or [self.text("dates.unknown")]
            if not first:
                return last
            return self.text("dates.separator").join(first) + self.text("dates.last_separator") + last
        if value is None:
            return self.text("dates.unknown")
        if isinstance(value, str):
            return self._text(name, value)
        return str(value) if isinstance(value, int) else self.say(value)

    def _text(self, name: str, text: str) -> str:
        if name.endswith(("_at", "_on")):
            return self.date(text)
        if name.endswith("_short"):
            return self._date("short", *map(int, text.split("-")))
        # What stands in quotation marks could end them by marks of its own, and go on in our words.
        return tame(text).translate(_QUOTES) if name in _QUOTED else tame(text)

    def date(self, iso: str) -> str:
        """An ISO time, or a date of a year, month or day, in words. What is no date is shown as it stands."""
        try:
            if "T" in iso:
                moment = datetime.fromisoformat(iso)
                return self._date("minute", moment.year, moment.month, moment.day, moment.hour, moment.minute)
            numbers = tuple(map(int, iso.split("-")))
            return self._date(("year", "month", "day")[len(numbers) - 1], *numbers)
        except (ValueError, IndexError):
            return tame(iso)

    def _date(self, form: str, year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0) -> str:
        months = _translations(self.code).get("dates.months") or WORDS["months"]
        pattern = _translations(self.code).get(f"dates.{form}") or WORDS[form]
        name = str(months).split()[month - 1]
        return str(pattern).format(year=year, month=name, number=month, day=day, hour=hour, minute=minute)


class _Gaps(dict[str, str]):
    """Values of a sentence. A report of another version may lack one: that must not hide the rest."""

    def __missing__(self, name: str) -> str:
        return "…"


def _sentence(key: str, code: str) -> Sentence | None:
    """The sentence of `key`, or ``None`` where a report of another version says what this one has no words for."""
    try:
        return _menu_word(key, code) or _translations(code).get(key) or _english(key)
    except (KeyError, ModuleNotFoundError, AttributeError):
        return None


@cache
def _translations(code: str) -> Mapping[str, Sentence]:
    if code == "en":
        return {}
    import tomllib

    areas = tomllib.loads((_LOCALES / f"{code}.toml").read_text(encoding="utf-8"))
    return {
        f"{area}.{key}": sentence
        for area, sentences in areas.items()
        if isinstance(sentences, dict)
        for key, sentence in sentences.items()
    }


def _menu_word(key: str, code: str) -> str | None:
    """``menu.ROM.WORD``: a word as this phone's own menus have it."""
    area, _, name = key.partition(".")
    if area != "menu":
        return None
    from privaudit import roms

    rom, _, word = name.partition(".")
    try:
        data = roms.load(rom if rom.isidentifier() else roms.STOCK)
    except OSError:
        data = roms.load(roms.STOCK)
    words: Mapping[str, Mapping[str, str]] = data["words"]
    return words.get(code, words["en"]).get(word) or words["en"][word]


def _english(key: str) -> Sentence:
    area, _, name = key.partition(".")
    module = importlib.import_module(_AREAS.get(area, f"privaudit.findings.{area}"))
    words: Mapping[str, Sentence] = module.WORDS
    return words[name]
