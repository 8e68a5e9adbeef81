"""Resolve an app's labels: in the phone's languages, in all languages, and the one that the phone displays.

`LabelResolver.find_other_labels` has the rest: what a phone displays with another SIM card, screen or time of day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.apk.axml import XmlValue
from privaudit.apk.parts import ARSC, ApkError, ApkParts, apk_message
from privaudit.apk.resource_config import DeviceConfig, Locale, best_match
from privaudit.apk.resource_table import ResourceTable, ResValueType
from privaudit.model import Message

UNDETERMINED_LANGUAGE: Final = "und"
"""The language tag of a default label (BCP 47: undetermined)."""
_MAX_REFERENCE_STEPS: Final = 20
"""References that Android follows (``AssetManager2::ResolveReference``)."""
_MAX_RESOURCES: Final = 200
_MAX_LANGUAGES: Final = 200
"""Values of one resource; Android itself supports about a hundred languages."""
_FRAMEWORK_PACKAGE_ID: Final = 0x01
_REFERENCE_TYPES: Final = frozenset({ResValueType.REFERENCE, ResValueType.DYNAMIC_REFERENCE})


def touch_references(table: ResourceTable, resource_id: int) -> None:
    """Read every value that `resource_id` can resolve to in any configuration, so that its ranges count as touched."""
    visited: set[int] = set()
    pending = [resource_id]
    while pending and len(visited) < _MAX_RESOURCES:
        current = pending.pop()
        if current in visited:
            continue
        visited.add(current)
        for value in table.resource_values(current):
            if value.value_type == ResValueType.STRING:
                table.string(value.data)
            elif value.value_type in _REFERENCE_TYPES:
                pending.append(value.data)


class LabelResolver:
    """Resolves the labels of one APK. `languages`: the phone's language tags, in order of preference."""

    def __init__(
        self, apk: ApkParts, languages: Sequence[str], sdk: int | None, table: ResourceTable | None = None
    ) -> None:
        self._apk = apk
        self._languages = tuple(languages)
        self._device = DeviceConfig(sdk=sdk) if sdk is not None else DeviceConfig()
        self._table = table
        self._is_translated: dict[str, bool] = {}

    def resolve_device_languages(self, label_value: XmlValue | None) -> tuple[Mapping[str, str], Message | None]:
        """Return `label_value` by language tag, in the phone's languages and the default; or why there is no label."""
        if label_value is None or (label_value.resource_id is None and not label_value.string):
            return {}, apk_message("apk.no_label")
        if label_value.resource_id is None:
            return {UNDETERMINED_LANGUAGE: label_value.string or ""}, None
        labels: dict[str, str] = {}
        problem: Message | None = None
        for tag in (*self._languages, UNDETERMINED_LANGUAGE):
            locale = Locale() if tag == UNDETERMINED_LANGUAGE else Locale.parse(tag)
            try:
                label, is_translated = self._resolve_resource(label_value.resource_id, locale)
            except ApkError as error:
                problem = problem or error.message
                continue
            if label:
                labels[tag] = label
                self._is_translated[tag] = self._is_translated.get(tag, False) or is_translated
        return labels, None if labels else problem or apk_message("apk.no_label")

    def resolve_all_languages(self, label_value: XmlValue | None) -> tuple[Mapping[str, str], Message | None]:
        """Return `label_value` by language tag, in every language of the app and the default; or why there is none."""
        device_labels, problem = self.resolve_device_languages(label_value)
        if label_value is None or label_value.resource_id is None or self._table is None:
            return device_labels, problem
        labels = dict(device_labels)
        for value in self._table.resource_values(label_value.resource_id)[:_MAX_LANGUAGES]:
            tag = value.config.locale.language_tag
            if not tag or tag in labels:
                continue
            try:
                if value.value_type == ResValueType.STRING:
                    labels[tag] = self._table.string(value.data)
                else:
                    labels[tag] = self._resolve_resource(label_value.resource_id, value.config.locale)[0]
            except ApkError as error:
                problem = problem or error.message
        return {tag: label for tag, label in labels.items() if label}, None if labels else problem

    def find_other_labels(self, label_value: XmlValue | None) -> Iterator[str]:
        """Yield the values of `label_value` where these depend on the SIM card, the screen or the time of day.

        Those are left out that are for other languages than the phone's. Raises ApkError if there are too many.
        """
        if label_value is None or label_value.resource_id is None or self._table is None:
            return
        languages = {Locale.parse(tag).language for tag in self._languages} | {""}
        visited: set[tuple[int, bool]] = set()
        pending = [(label_value.resource_id, False)]
        while pending:
            current = pending.pop()
            if current in visited:
                continue
            visited.add(current)
            resource_id, is_qualified = current
            values = self._table.resource_values(resource_id)
            is_other = is_qualified or any(value.config.is_qualified for value in values)
            for value in values:
                if self._languages and value.config.locale.language not in languages:
                    continue
                if value.value_type in _REFERENCE_TYPES:
                    pending.append((value.data, is_other))
                elif is_other and value.value_type == ResValueType.STRING:
                    yield self._table.string(value.data)
            if len(visited) > _MAX_RESOURCES:
                raise ApkError("apk.resources_damaged")

    def displayed_label(self, labels: Mapping[str, str]) -> str | None:
        """Return the label that this phone displays (``LocaleList.getFirstMatch``).

        It is in the first of the phone's languages that the app supports; an app's default counts as English.
        """
        for tag in self._languages:
            if tag in labels and (self._is_translated.get(tag) or Locale.parse(tag).language == "en"):
                return labels[tag]
        return labels.get(UNDETERMINED_LANGUAGE) or next(iter(labels.values()), None)

    def _resolve_resource(self, resource_id: int, locale: Locale) -> tuple[str, bool]:
        """Return the string, and whether it is a translation rather than the default."""
        if self._table is None:
            if ARSC not in self._apk.parts:
                raise missing_part_error(self._apk, ARSC)
            self._table = ResourceTable(self._apk.parts[ARSC].to_bytes())
        device = replace(self._device, locale=locale)
        is_translated = False
        for _ in range(_MAX_REFERENCE_STEPS):
            if resource_id >> 24 == _FRAMEWORK_PACKAGE_ID:
                raise ApkError("apk.resources_elsewhere")
            match = best_match(((value.config, value) for value in self._table.resource_values(resource_id)), device)
            if match is None:
                raise ApkError("apk.no_such_text")
            config, value = match
            is_translated = is_translated or bool(config.locale.language)
            if value.value_type not in _REFERENCE_TYPES:
                return _value_to_string(self._table, value.value_type, value.data), is_translated
            resource_id = value.data
        raise ApkError("apk.resources_loop")


def _value_to_string(table: ResourceTable, value_type: int, data: int) -> str:
    if value_type == ResValueType.STRING:
        return table.string(data)
    if value_type == ResValueType.DECIMAL:  # as TypedValue.coerceToString
        return str(data - (data >> 31 << 32))
    raise ApkError("apk.no_such_text")


def missing_part_error(apk: ApkParts, part: str) -> ApkError:
    """Return the error for a missing `part`, with the reason that reading it gave."""
    error = ApkError("apk.entry_missing", entry=part)
    error.message = apk.problems.get(part, error.message)
    return error
