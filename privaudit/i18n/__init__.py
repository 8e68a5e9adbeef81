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
    from privaudit.model import Message, MessageValue

MAX_LABEL_CHARS: Final = 120
"""Characters of phone text that fit into one sentence; the rest is cut with an ellipsis."""

_KEPT_FORMAT_CHARS: Final = frozenset("\u200c\u200d")  # ZWNJ and ZWJ carry meaning in Hindi and Urdu, and in emoji
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by category, and nothing to see: a name of these alone would be no name."""
_MAX_COMBINING_MARKS: Final = 3
"""Marks over or under one letter. Hindi needs three; more would be drawn over the lines around."""
_MAX_DATE_CHARS: Final = 10
"""``2026-01-31``: what is longer and is no time is no date."""
_QUOTED_PLACEHOLDERS: Final = frozenset({"app", "name", "action", "installer", "version"})
_PLAIN_QUOTES: Final = str.maketrans("“”„«»「」『』《》", '"""""""""""')
BIDI_ISOLATE: Final = ("\u2068", "\u2069")
"""What Unicode puts around text whose direction is its own. `sanitize_text` takes them from phones' text: these are ours."""


def sanitize_text(text: str, max_chars: int = MAX_LABEL_CHARS) -> str:
    """Make text from a phone harmless to show: one line, no control or direction characters, no more than `max_chars`.

    Labels are written by the people we warn about. An escape sequence could repaint the terminal; U+202E could turn
    ``exe.app`` round; a newline could forge a line of the report.
    """
    kept: list[str] = []
    marks = 0
    for char in text[: max_chars * 4]:
        category = unicodedata.category(char)
        if category == "Cs" or (category == "Cf" and char not in _KEPT_FORMAT_CHARS):
            continue
        marks = marks + 1 if category in {"Mn", "Me"} or char in _KEPT_FORMAT_CHARS else 0
        if category in {"Cc", "Zl", "Zp"} or char in _INVISIBLE_LETTERS:
            kept.append(" ")
        elif marks <= _MAX_COMBINING_MARKS:
            kept.append(char)
    tamed = " ".join("".join(kept).split())
    return tamed if len(tamed) <= max_chars else tamed[: max_chars - 1] + "…"


def display_name(label: str | None, package: str) -> str:
    """What to call an app: its label where one was read that shows anything, else its package."""
    return label if label and sanitize_text(label).strip("\u200c\u200d") else package


@dataclass(frozen=True, slots=True)
class Translator:
    """Words every `Message` in one language."""

    code: str = "en"
    isolate_bidi: bool = False
    """Whether text that is not ours stands between the marks of `BIDI_ISOLATE`. A page makes elements of them."""
    month_precision: bool = False
    """Whether no date is told more exactly than by its month."""

    def __post_init__(self) -> None:
        """Refuse a language that is not there."""
        if self.code not in catalog.languages():
            raise UsageError("errors.unknown_language", given=self.code, known=catalog.languages())

    @property
    def review_notice(self) -> Message | None:
        """What to say of a translation that no native speaker has read over."""
        if catalog.is_reviewed(self.code):
            return None
        from privaudit.model import Message

        return Message(key="report.unreviewed")

    def translate(self, message: Message) -> str:
        """The sentence of `message`."""
        return self._translate_key(message.key, message.values)

    def t(self, key: str, /, **values: MessageValue) -> str:
        """The sentence of `key`, filled with `values`."""
        return self._translate_key(key, values)

    def has_key(self, key: str) -> bool:
        """Whether there is a sentence of `key`."""
        return _find_template(key, self.code) is not None

    def _translate_key(self, key: str, values: Mapping[str, MessageValue]) -> str:
        found = _find_template(key, self.code)
        if found is None:
            return f"[{sanitize_text(key)}]"
        sentence, code = found
        if not isinstance(sentence, str):
            sentence = sentence.get(catalog.plural_form(code, values.get("n")), sentence["other"])
        return sentence.format_map(
            _Placeholders((name, self._format_value(name, value)) for name, value in values.items())
        )

    def _format_value(self, name: str, value: MessageValue) -> str:
        if isinstance(value, tuple):
            *first, last = [self._format_value(name, part) for part in value] or [self.t("dates.unknown")]
            if not first:
                return last
            return self.t("dates.separator").join(first) + self.t("dates.last_separator") + last
        if value is None:
            return self.t("dates.unknown")
        if isinstance(value, str):
            return self._format_text(name, value)
        return str(value) if isinstance(value, int) else self.translate(value)

    def _format_text(self, name: str, text: str) -> str:
        if name.endswith(("_at", "_on")):
            return self.format_date(text)
        if name.endswith("_short"):
            return self.format_date(text, "short_month" if self.month_precision else "short")
        # What stands in quotation marks could end them by marks of its own, and go on in our words.
        return self.quote_untrusted(text.translate(_PLAIN_QUOTES) if name in _QUOTED_PLACEHOLDERS else text)

    def quote_untrusted(self, text: str, max_chars: int = MAX_LABEL_CHARS) -> str:
        """Text that is not ours, tamed, as it is shown in this language."""
        tamed = sanitize_text(text, max_chars)
        return tamed.join(BIDI_ISOLATE) if self.isolate_bidi else tamed

    def format_date(self, iso: str, style: str | None = None) -> str:
        """An ISO time, or a date of a year, month or day, in words. What is no date is shown as it stands."""
        told = iso[: len("2026-01")] if self.month_precision else iso
        try:
            if "T" in told:
                moment = datetime.fromisoformat(told)
                return self._format_date_parts(
                    "minute", moment.year, moment.month, moment.day, moment.hour, moment.minute
                )
            numbers = tuple(int(part) for part in (iso if style else told)[:_MAX_DATE_CHARS].split("-"))
            return self._format_date_parts(style or ("year", "month", "day")[len(numbers) - 1], *numbers)
        except (ValueError, TypeError, IndexError):  # TypeError: 2026-1-1-1
            return sanitize_text(iso)

    def _format_date_parts(
        self, style: str, year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0
    ) -> str:
        months = catalog.sentence("dates.months", self.code) or catalog.sentence("dates.months", catalog.ENGLISH)
        pattern = catalog.sentence(f"dates.{style}", self.code) or catalog.sentence(f"dates.{style}", catalog.ENGLISH)
        name = str(months).split()[month - 1]
        return str(pattern).format(year=year, month=name, number=month, day=day, hour=hour, minute=minute)


class _Placeholders(dict[str, str]):
    """Values of a sentence. A report of another version may lack one: that must not hide the rest."""

    def __missing__(self, name: str) -> str:
        return "…"


def _find_template(key: str, code: str) -> tuple[Sentence, str] | None:
    """The sentence of `key` and whose it is: where a language lacks it, English says it and counts.

    ``None`` where a report of another version says what this one has no words for.
    """
    try:
        own = _rom_term(key, code) or _rule_text(key, code)
    except KeyError:
        return None
    # A language may need no blank where English does: only what is not there at all falls back.
    found = catalog.sentence(key, code) if own is None else own
    if found is not None:
        return found, code
    english = catalog.sentence(key, catalog.ENGLISH)
    return None if english is None else (english, catalog.ENGLISH)


def _rom_term(key: str, code: str) -> str | None:
    """``menu.ROM.WORD``: a word as this phone's own menus have it."""
    area, _, name = key.partition(".")
    if area != "menu":
        return None
    from privaudit import roms

    rom, _, word = name.partition(".")
    words: Mapping[str, Mapping[str, str]] = roms.load_rom(rom)["words"]
    return words.get(code, words["en"]).get(word) or words["en"][word]


def _rule_text(key: str, code: str) -> str | None:
    """``rule.ID.WORD``: what a rule is called and says; its own file holds that in every language."""
    area, _, name = key.partition(".")
    rule, _, word = name.partition(".")
    if area != "rule":
        return None
    from privaudit.i18n import rule_texts

    return rule_texts.rule_text(rule, word, code)
