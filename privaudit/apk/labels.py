"""Finds the words of an app's names: in the phone's languages, and in whichever one the phone would show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.apk.apk_problems import ApkError, problem
from privaudit.apk.arsc_locale import Locale
from privaudit.apk.axml import Text
from privaudit.apk.parts import ARSC, Apk
from privaudit.apk.resource_config import Device, best
from privaudit.apk.resource_table import Kind, Table
from privaudit.model import Message

DEFAULT: Final = "und"
"""The language tag of a name that is for no language in particular (BCP 47: undetermined)."""
_MOST_STEPS: Final = 20
"""References that Android follows (``AssetManager2::ResolveReference``)."""
_MOST_RESOURCES: Final = 200
_MOST_LANGUAGES: Final = 200
"""Values of one resource; Android itself speaks about a hundred languages."""


def walk(table: Table, resource: int) -> None:
    """Look at every value that `resource` can lead to, in any configuration."""
    seen: set[int] = set()
    open_ones = [resource]
    while open_ones and len(seen) < _MOST_RESOURCES:
        number = open_ones.pop()
        if number in seen:
            continue
        seen.add(number)
        for value in table.values(number):
            if value.kind == Kind.STRING:
                table.text(value.data)
            elif value.kind in {Kind.REFERENCE, Kind.DYNAMIC_REFERENCE}:
                open_ones.append(value.data)


class Names:
    """Finds the words of texts in one APK."""

    def __init__(self, apk: Apk, languages: Sequence[str], sdk: int | None) -> None:
        self._apk = apk
        self._languages = tuple(languages)
        self._device = Device(sdk=sdk) if sdk is not None else Device()
        self._table: Table | None = None
        self._speaks: dict[str, bool] = {}

    def of(self, text: Text | None) -> tuple[Mapping[str, str], Message | None]:
        """The words of `text` in the phone's languages and by default; or why there are none."""
        if text is None or (text.resource is None and not text.words):
            return {}, problem("apk.no_label")
        if text.resource is None:
            return {DEFAULT: text.words or ""}, None
        found: dict[str, str] = {}
        why: Message | None = None
        for tag in (*self._languages, DEFAULT):
            try:
                words, own = self._lookup(text.resource, Locale() if tag == DEFAULT else Locale.parse(tag))
            except ApkError as error:
                why = why or error.message
                continue
            if words:
                found[tag] = words
                self._speaks[tag] = self._speaks.get(tag, False) or own
        return found, None if found else why or problem("apk.no_label")

    def every(self, text: Text | None) -> tuple[Mapping[str, str], Message | None]:
        """The words of `text` in every language that the app speaks and by default; or why there are none."""
        found, why = self.of(text)
        if text is None or text.resource is None or self._table is None:
            return found, why
        words = dict(found)
        for value in self._table.values(text.resource)[:_MOST_LANGUAGES]:
            tag = value.config.locale.tag
            if not tag or tag in words:
                continue
            try:
                if value.kind == Kind.STRING:
                    words[tag] = self._table.text(value.data)
                else:
                    words[tag] = self._lookup(text.resource, value.config.locale)[0]
            except ApkError as error:
                why = why or error.message
        return {tag: name for tag, name in words.items() if name}, None if words else why

    def shown(self, labels: Mapping[str, str]) -> str | None:
        """The one that this phone shows: of the first language that the app speaks (``LocaleList.getFirstMatch``).

        An app's default counts as English.
        """
        for tag in self._languages:
            if tag in labels and (self._speaks.get(tag) or Locale.parse(tag).language == "en"):
                return labels[tag]
        return labels.get(DEFAULT) or next(iter(labels.values()), None)

    def _lookup(self, resource: int, locale: Locale) -> tuple[str, bool]:
        """The words, and whether they are of this language rather than the default."""
        if self._table is None:
            if ARSC not in self._apk.parts:
                raise missing(self._apk, ARSC)
            self._table = Table(self._apk.parts[ARSC].data())
        device = replace(self._device, locale=locale)
        own = False
        for _ in range(_MOST_STEPS):
            if resource >> 24 == 0x01:
                raise ApkError("apk.resources_elsewhere")
            chosen = best(((value.config, value) for value in self._table.values(resource)), device)
            if chosen is None:
                raise ApkError("apk.no_such_text")
            config, value = chosen
            own = own or bool(config.locale.language)
            if value.kind not in {Kind.REFERENCE, Kind.DYNAMIC_REFERENCE}:
                return self._words(self._table, value.kind, value.data), own
            resource = value.data
        raise ApkError("apk.resources_loop")

    def _words(self, table: Table, kind: int, data: int) -> str:
        if kind == Kind.STRING:
            return table.text(data)
        if kind == Kind.DECIMAL:  # as TypedValue.coerceToString
            return str(data - (data >> 31 << 32))
        raise ApkError("apk.no_such_text")


def missing(apk: Apk, part: str) -> ApkError:
    """The error that `part` is not there, with the reason that was found when it was read."""
    error = ApkError("apk.entry_missing", entry=part)
    error.message = apk.problems.get(part, error.message)
    return error
