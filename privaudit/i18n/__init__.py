"""Translate message keys: ``locales/en.toml`` holds the English, the files beside it the other languages.

Text that a phone printed is hostile: it is tamed here, on its way into a sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from privaudit.errors import UsageError
from privaudit.i18n import catalog
from privaudit.i18n.catalog import Sentence

if TYPE_CHECKING:
    from privaudit.model import Message, Value

LONGEST_LABEL: Final = 120
"""Characters of phone text that fit into one sentence; the rest is cut with an ellipsis."""

_KEPT_FORMAT: Final = frozenset("\u200c\u200d")  # ZWNJ and ZWJ carry meaning in Hindi and Urdu, and in emoji
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by category, and nothing to see: a name of these alone would be no name."""
_MOST_MARKS: Final = 3
"""Marks over or under one letter. Hindi needs three; more would be drawn over the lines around."""
_LONGEST_DATE: Final = 10
"""``2026-01-31``: what is longer and is no time is no date."""
_QUOTED: Final = frozenset({"app", "name", "action", "installer", "version"})
_QUOTES: Final = str.maketrans("“”„«»「」『』《》", '"""""""""""')
ISOLATE: Final = ("\u2068", "\u2069")
"""What Unicode puts around text whose direction is its own. `tame` takes them from phones' text: these are ours."""


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


@dataclass(frozen=True, slots=True)
class Language:
    """Words every `Message` in one language."""

    code: str = "en"
    isolate: bool = False
    """Whether text that is not ours stands between the marks of `ISOLATE`. A page makes elements of them."""
    months: bool = False
    """Whether no date is told more exactly than by its month."""

    def __post_init__(self) -> None:
        """Refuse a language that is not there."""
        if self.code not in catalog.available():
            raise UsageError("errors.unknown_language", given=self.code, known=catalog.available())

    @property
    def unreviewed(self) -> Message | None:
        """What to say of a translation that no native speaker has read over."""
        if catalog.reviewed(self.code):
            return None
        from privaudit.model import Message

        return Message(key="report.unreviewed")

    def say(self, message: Message) -> str:
        """The sentence of `message`."""
        return self._word(message.key, message.values)

    def text(self, key: str, /, **values: Value) -> str:
        """The sentence of `key`, filled with `values`."""
        return self._word(key, values)

    def has(self, key: str) -> bool:
        """Whether there is a sentence of `key`."""
        return _sentence(key, self.code) is not None

    def _word(self, key: str, values: Mapping[str, Value]) -> str:
        found = _sentence(key, self.code)
        if found is None:
            return f"[{tame(key)}]"
        sentence, code = found
        if not isinstance(sentence, str):
            sentence = sentence.get(catalog.form(code, values.get("n")), sentence["other"])
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
            return self.date(text, "short_month" if self.months else "short")
        # What stands in quotation marks could end them by marks of its own, and go on in our words.
        return self.quote(text.translate(_QUOTES) if name in _QUOTED else text)

    def quote(self, text: str, longest: int = LONGEST_LABEL) -> str:
        """Text that is not ours, tamed, as it is shown in this language."""
        tamed = tame(text, longest)
        return tamed.join(ISOLATE) if self.isolate else tamed

    def date(self, iso: str, form: str | None = None) -> str:
        """An ISO time, or a date of a year, month or day, in words. What is no date is shown as it stands."""
        told = iso[: len("2026-01")] if self.months else iso
        try:
            if "T" in told:
                moment = datetime.fromisoformat(told)
                return self._date("minute", moment.year, moment.month, moment.day, moment.hour, moment.minute)
            numbers = tuple(int(part) for part in (iso if form else told)[:_LONGEST_DATE].split("-"))
            return self._date(form or ("year", "month", "day")[len(numbers) - 1], *numbers)
        except (ValueError, TypeError, IndexError):  # TypeError: 2026-1-1-1
            return tame(iso)

    def _date(self, form: str, year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0) -> str:
        months = catalog.sentence("dates.months", self.code) or catalog.sentence("dates.months", catalog.ENGLISH)
        pattern = catalog.sentence(f"dates.{form}", self.code) or catalog.sentence(f"dates.{form}", catalog.ENGLISH)
        name = str(months).split()[month - 1]
        return str(pattern).format(year=year, month=name, number=month, day=day, hour=hour, minute=minute)


class _Gaps(dict[str, str]):
    """Values of a sentence. A report of another version may lack one: that must not hide the rest."""

    def __missing__(self, name: str) -> str:
        return "…"


def _sentence(key: str, code: str) -> tuple[Sentence, str] | None:
    """The sentence of `key` and whose it is: where a language lacks it, English says it and counts.

    ``None`` where a report of another version says what this one has no words for.
    """
    try:
        own = _menu_word(key, code) or _rule_word(key, code)
    except KeyError:
        return None
    # A language may need no blank where English does: only what is not there at all falls back.
    found = catalog.sentence(key, code) if own is None else own
    if found is not None:
        return found, code
    english = catalog.sentence(key, catalog.ENGLISH)
    return None if english is None else (english, catalog.ENGLISH)


def _menu_word(key: str, code: str) -> str | None:
    """``menu.ROM.WORD``: a word as this phone's own menus have it."""
    area, _, name = key.partition(".")
    if area != "menu":
        return None
    from privaudit import roms

    rom, _, word = name.partition(".")
    words: Mapping[str, Mapping[str, str]] = roms.load(rom)["words"]
    return words.get(code, words["en"]).get(word) or words["en"][word]


def _rule_word(key: str, code: str) -> str | None:
    """``rule.ID.WORD``: what a rule is called and says; its own file holds that in every language."""
    area, _, name = key.partition(".")
    rule, _, word = name.partition(".")
    if area != "rule":
        return None
    from privaudit.i18n import rule_texts

    return rule_texts.word(rule, word, code)
