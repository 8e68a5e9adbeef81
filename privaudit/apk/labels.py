"""Finds the words of an app's names: in the phone's languages, and in whichever one the phone would show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.apk.axml import XmlValue
from privaudit.apk.parts import ARSC, ApkError, ApkParts, apk_message
from privaudit.apk.resource_config import DeviceConfig, Locale, best_match
from privaudit.apk.resource_table import ResourceTable, ResValueType
from privaudit.model import Message

UNDETERMINED_LANGUAGE: Final = "und"
"""The language tag of a name that is for no language in particular (BCP 47: undetermined)."""
_MAX_REFERENCE_STEPS: Final = 20
"""References that Android follows (``AssetManager2::ResolveReference``)."""
_MAX_RESOURCES: Final = 200
_MAX_LANGUAGES: Final = 200
"""Values of one resource; Android itself speaks about a hundred languages."""


def touch_references(table: ResourceTable, resource_id: int) -> None:
    """Look at every value that `resource_id` can lead to, in any configuration."""
    seen: set[int] = set()
    open_ones = [resource_id]
    while open_ones and len(seen) < _MAX_RESOURCES:
        number = open_ones.pop()
        if number in seen:
            continue
        seen.add(number)
        for value in table.resource_values(number):
            if value.value_type == ResValueType.STRING:
                table.string(value.data)
            elif value.value_type in {ResValueType.REFERENCE, ResValueType.DYNAMIC_REFERENCE}:
                open_ones.append(value.data)


class LabelResolver:
    """Finds the words of texts in one APK."""

    def __init__(
        self, apk: ApkParts, languages: Sequence[str], sdk: int | None, table: ResourceTable | None = None
    ) -> None:
        self._apk = apk
        self._languages = tuple(languages)
        self._device = DeviceConfig(sdk=sdk) if sdk is not None else DeviceConfig()
        self._table = table
        self._is_translated: dict[str, bool] = {}

    def resolve_device_languages(self, label_value: XmlValue | None) -> tuple[Mapping[str, str], Message | None]:
        """The words of `label_value` in the phone's languages and by default; or why there are none."""
        if label_value is None or (label_value.resource_id is None and not label_value.string):
            return {}, apk_message("apk.no_label")
        if label_value.resource_id is None:
            return {UNDETERMINED_LANGUAGE: label_value.string or ""}, None
        found: dict[str, str] = {}
        why: Message | None = None
        for tag in (*self._languages, UNDETERMINED_LANGUAGE):
            try:
                words, own = self._resolve_resource(
                    label_value.resource_id, Locale() if tag == UNDETERMINED_LANGUAGE else Locale.parse(tag)
                )
            except ApkError as error:
                why = why or error.message
                continue
            if words:
                found[tag] = words
                self._is_translated[tag] = self._is_translated.get(tag, False) or own
        return found, None if found else why or apk_message("apk.no_label")

    def resolve_all_languages(self, label_value: XmlValue | None) -> tuple[Mapping[str, str], Message | None]:
        """The words of `label_value` in every language that the app speaks and by default; or why there are none."""
        found, why = self.resolve_device_languages(label_value)
        if label_value is None or label_value.resource_id is None or self._table is None:
            return found, why
        words = dict(found)
        for value in self._table.resource_values(label_value.resource_id)[:_MAX_LANGUAGES]:
            tag = value.config.locale.language_tag
            if not tag or tag in words:
                continue
            try:
                if value.value_type == ResValueType.STRING:
                    words[tag] = self._table.string(value.data)
                else:
                    words[tag] = self._resolve_resource(label_value.resource_id, value.config.locale)[0]
            except ApkError as error:
                why = why or error.message
        return {tag: name for tag, name in words.items() if name}, None if words else why

    def displayed_label(self, labels: Mapping[str, str]) -> str | None:
        """The one that this phone shows: of the first language that the app speaks (``LocaleList.getFirstMatch``).

        An app's default counts as English.
        """
        for tag in self._languages:
            if tag in labels and (self._is_translated.get(tag) or Locale.parse(tag).language == "en"):
                return labels[tag]
        return labels.get(UNDETERMINED_LANGUAGE) or next(iter(labels.values()), None)

    def _resolve_resource(self, resource_id: int, locale: Locale) -> tuple[str, bool]:
        """The words, and whether they are of this language rather than the default."""
        if self._table is None:
            if ARSC not in self._apk.parts:
                raise missing_part_error(self._apk, ARSC)
            self._table = ResourceTable(self._apk.parts[ARSC].to_bytes())
        device = replace(self._device, locale=locale)
        own = False
        for _ in range(_MAX_REFERENCE_STEPS):
            if resource_id >> 24 == 0x01:
                raise ApkError("apk.resources_elsewhere")
            chosen = best_match(((value.config, value) for value in self._table.resource_values(resource_id)), device)
            if chosen is None:
                raise ApkError("apk.no_such_text")
            config, value = chosen
            own = own or bool(config.locale.language)
            if value.value_type not in {ResValueType.REFERENCE, ResValueType.DYNAMIC_REFERENCE}:
                return self._value_to_string(self._table, value.value_type, value.data), own
            resource_id = value.data
        raise ApkError("apk.resources_loop")

    def _value_to_string(self, table: ResourceTable, value_type: int, data: int) -> str:
        if value_type == ResValueType.STRING:
            return table.string(data)
        if value_type == ResValueType.DECIMAL:  # as TypedValue.coerceToString
            return str(data - (data >> 31 << 32))
        raise ApkError("apk.no_such_text")


def missing_part_error(apk: ApkParts, part: str) -> ApkError:
    """The error that `part` is not there, with the reason that was found when it was read."""
    error = ApkError("apk.entry_missing", entry=part)
    error.message = apk.problems.get(part, error.message)
    return error
