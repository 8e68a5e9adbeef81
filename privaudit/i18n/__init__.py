"""Translate message keys into sentences of one language.

The sentences stand in ``privaudit/data/locales``; ``en.toml`` is the base file. Values that fill a sentence may be text
from a phone, so each is sanitised on its way in.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from privaudit.errors import UsageError
from privaudit.i18n import catalog
from privaudit.i18n.catalog import Sentence
from privaudit.i18n.sanitize import MAX_LABEL_CHARS, sanitize_text

if TYPE_CHECKING:
    from privaudit.model import Message, MessageValue  # importing the model takes longer than printing the help

_MAX_DATE_CHARS: Final = len("2026-01-31")
"""Longer text that is not a time is not a date either."""
_QUOTED_PLACEHOLDERS: Final = frozenset({"app", "name", "action", "installer", "version"})
"""Placeholders that sentences put in quotation marks."""
_REASON_PLACEHOLDER: Final = "reason"
_OS_ERROR_KEYS: Final[Mapping[str, str]] = {
    os.strerror(number): key
    for number, key in (
        (errno.ENOSPC, "os_errors.no_space"),
        (errno.EACCES, "os_errors.not_permitted"),
        (errno.EPERM, "os_errors.not_permitted"),
        (errno.EROFS, "os_errors.read_only"),
        (errno.ENOENT, "os_errors.not_found"),
        (errno.EEXIST, "os_errors.exists"),
        (errno.ENOTDIR, "os_errors.not_a_folder"),
        (errno.EISDIR, "os_errors.is_a_folder"),
        (errno.ENAMETOOLONG, "os_errors.name_too_long"),
        (errno.EIO, "os_errors.broken"),
    )
}
"""What the operating system says of a file, which is English, and our sentence for it."""
_PLAIN_QUOTES: Final = str.maketrans("“”„«»「」『』《》", '"""""""""""')
BIDI_ISOLATE: Final = ("\u2068", "\u2069")
"""First strong isolate and pop directional isolate: Unicode's marks around text of unknown direction. `sanitize_text`
removes them from untrusted text, so those in an output were put there by `Translator`."""


@dataclass(frozen=True, slots=True)
class Translator:
    """Turn each `Message` into a sentence of one language."""

    code: str = "en"
    isolate_bidi: bool = False
    """Whether untrusted text is put between the marks of `BIDI_ISOLATE`. The HTML page turns them into elements."""
    month_precision: bool = False
    """Whether dates are shortened to their month."""

    def __post_init__(self) -> None:
        """Refuse a language without a catalog."""
        if self.code not in catalog.languages():
            raise UsageError("errors.unknown_language", given=self.code, known=catalog.languages())

    @property
    def review_notice(self) -> Message | None:
        """The notice that no native speaker has reviewed the translation; ``None`` after a review."""
        if catalog.is_reviewed(self.code):
            return None
        from privaudit.model import Message

        return Message(key="report.unreviewed")

    def translate(self, message: Message) -> str:
        """Return the sentence of `message`."""
        return self.t(message.key, **message.values)

    def t(self, key: str, /, **values: MessageValue) -> str:
        """Return the sentence of `key`, filled with `values`."""
        template = _find_template(key, self.code)
        if template is None:
            return f"[{sanitize_text(key)}]"
        sentence, code = template
        if not isinstance(sentence, str):
            sentence = sentence.get(catalog.plural_form(code, values.get("n")), sentence["other"])
        return sentence.format_map(
            _PlaceholderValues((name, self._format_value(name, value)) for name, value in values.items())
        )

    def has_key(self, key: str) -> bool:
        """Return whether this version has a sentence for `key`."""
        return _find_template(key, self.code) is not None

    def _format_value(self, name: str, value: MessageValue) -> str:
        if isinstance(value, tuple):
            *leading, last = [self._format_value(name, item) for item in value] or [self.t("dates.unknown")]
            if not leading:
                return last
            before, separator = self.t("dates.separator").join(leading), self.t("dates.last_separator")
            return before + _spaced(before[-1:], separator) + separator + _spaced(last[:1], separator) + last
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
        if name == _REASON_PLACEHOLDER and text in _OS_ERROR_KEYS:
            return self.t(_OS_ERROR_KEYS[text])
        # A quotation mark in the text could end the sentence's own quotation, and the rest would read as our words.
        return self.quote_untrusted(text.translate(_PLAIN_QUOTES) if name in _QUOTED_PLACEHOLDERS else text)

    def quote_untrusted(self, text: str, max_chars: int = MAX_LABEL_CHARS) -> str:
        """Return untrusted text as it is displayed in this language: sanitised, and isolated where that is wanted."""
        sanitized = sanitize_text(text, max_chars)
        return sanitized.join(BIDI_ISOLATE) if self.isolate_bidi else sanitized

    def format_date(self, iso: str, style: str | None = None) -> str:
        """Format an ISO 8601 time, day, month or year. Other text is returned sanitised."""
        text = iso[: len("2026-01")] if self.month_precision else iso
        try:
            if "T" in text:
                return self._format_date_parts("minute", *datetime.fromisoformat(text).timetuple()[:5])
            numbers = tuple(int(part) for part in (iso if style else text)[:_MAX_DATE_CHARS].split("-"))
            return self._format_date_parts(style or ("year", "month", "day")[len(numbers) - 1], *numbers)
        except (ValueError, TypeError, IndexError):  # TypeError: 2026-1-1-1
            return sanitize_text(iso)

    def _format_date_parts(
        self, style: str, year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0
    ) -> str:
        months = catalog.sentence("dates.months", self.code) or catalog.sentence("dates.months", catalog.ENGLISH)
        pattern = catalog.sentence(f"dates.{style}", self.code) or catalog.sentence(f"dates.{style}", catalog.ENGLISH)
        name = str(months).split()[date(year, month, day).month - 1]  # ValueError: no such day
        return str(pattern).format(year=year, month=name, number=month, day=day, hour=hour, minute=minute)


class _PlaceholderValues(dict[str, str]):
    """The values of a sentence. A report of another version may lack one: the rest is printed all the same."""

    def __missing__(self, name: str) -> str:
        return "…"


def _find_template(key: str, code: str) -> tuple[Sentence, str] | None:
    """Return the sentence of `key` and its language: English where `code` has none, so that English plurals apply.

    ``None``: a report of another version uses a key that this version does not have.
    """
    try:
        term = _data_file_text(key, code)
    except KeyError:
        return None
    # An empty sentence is a translation (a language may need no separator where English does): only None falls back.
    sentence = catalog.sentence(key, code) if term is None else term
    if sentence is not None:
        return sentence, code
    english = catalog.sentence(key, catalog.ENGLISH)
    return None if english is None else (english, catalog.ENGLISH)


def _data_file_text(key: str, code: str) -> str | None:
    """Return the menu word of a key ``menu.ROM.WORD`` or the text of ``rule.ID.TEXT``; ``None`` for other keys."""
    area, _, path = key.partition(".")
    file_id, _, name = path.partition(".")
    if area == "menu":
        from privaudit import roms  # only sentences about menus need it

        terms: Mapping[str, Mapping[str, str]] = roms.load_rom(file_id)["words"]
        return terms.get(code, terms["en"]).get(name) or terms["en"][name]
    if area == "rule":
        return catalog.rule_text(file_id, name, code)
    return None


def _spaced(neighbour: str, separator: str) -> str:
    """Return a blank if a Latin letter or digit would touch a Chinese `separator`."""
    return " " if neighbour.isascii() and neighbour.isalnum() and "\u4e00" <= separator[:1] <= "\u9fff" else ""
