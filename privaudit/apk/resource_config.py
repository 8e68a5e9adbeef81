"""Select the configuration of a resource as Android does: by language first, then by properties of the device.

AOSP: ``ResourceTypes.cpp`` (``ResTable_config::match``, ``isBetterThan``, ``isLocaleBetterThan``), ``LocaleData.cpp``.
Ignored: the SIM card's country and network, so that labels for one network are not selected, and density.
"""

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

_LANGUAGE_ALIASES: Final[Mapping[str, str]] = {"in": "id", "iw": "he", "ji": "yi", "tl": "fil"}
"""Obsolete language codes that Android still accepts (``Locale.adjustLanguageCode``, ``langsAreEquivalent``)."""
_LIKELY_SCRIPTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    # language: (its script, and by region where that differs); from CLDR's likely subtags
    "zh": ("Hans", {"TW": "Hant", "HK": "Hant", "MO": "Hant"}),
    "sr": ("Cyrl", {"ME": "Latn", "RO": "Latn", "RU": "Latn", "TR": "Latn"}),
    "pa": ("Guru", {"PK": "Arab"}),
    "uz": ("Latn", {"AF": "Arab", "CN": "Cyrl"}),
    "az": ("Latn", {"IR": "Arab", "IQ": "Arab", "RU": "Cyrl"}),
    "kk": ("Cyrl", {"CN": "Arab", "IR": "Arab", "AF": "Arab", "MN": "Arab"}),
    "ky": ("Cyrl", {"CN": "Arab", "TR": "Latn"}),
    "bs": ("Latn", {}),
    "ms": ("Latn", {"CC": "Arab"}),
    "sd": ("Arab", {"IN": "Deva"}),
    "ks": ("Arab", {}),
    "hi": ("Deva", {}),
    "en": ("Latn", {}),
}
_RTL_LANGUAGES: Final = frozenset({"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug", "ckb", "dv", "ks"})
_EUROPEAN_SPANISH_REGIONS: Final = frozenset({"", "ES", "EA", "IC", "GQ", "PH"})
_US_ENGLISH_REGIONS: Final = frozenset({"", "US", "PR", "VI", "GU", "AS", "MP", "UM", "MH"})


@dataclass(frozen=True, slots=True)
class Locale:
    """Language, script and region; empty if unspecified."""

    language: str = ""
    script: str = ""
    region: str = ""

    @classmethod
    def parse(cls, tag: str) -> Self:
        """Parse a BCP 47 tag: ``zh-CN``, ``zh-Hant-TW``, ``es-419``."""
        language, *subtags = tag.replace("_", "-").split("-")
        script = next((part.title() for part in subtags if re.fullmatch(r"[^\W\d_]{4}", part)), "")
        region = next((part.upper() for part in subtags if re.fullmatch(r".{2}|\d{3}", part)), "")
        return cls(canonical_language_code(language.lower()), script, region)

    @property
    def language_tag(self) -> str:
        """The BCP 47 tag; empty if nothing is specified."""
        return "-".join(part for part in (self.language, self.script, self.region) if part)

    @property
    def computed_script(self) -> str:
        """Its script, or the likely one; empty for a language with only one script."""
        default, by_region = _LIKELY_SCRIPTS.get(self.language, ("", {}))
        return self.script or by_region.get(self.region, default)

    @property
    def parent_region(self) -> str:
        """The region to try next, before the language without a region (CLDR's parent locales)."""
        if self.language == "es" and self.region not in _EUROPEAN_SPANISH_REGIONS:
            return "419"
        if self.language == "en" and self.region not in _US_ENGLISH_REGIONS:
            return "001"
        if self.language == "pt" and self.region not in {"", "BR"}:
            return "PT"
        return "HK" if self.language == "zh" and self.region == "MO" else ""


def canonical_language_code(language: str) -> str:
    """Return the current code of a language."""
    return _LANGUAGE_ALIASES.get(language, language)


_CONFIG_STRUCT: Final = struct.Struct("<4xHH2s2sBB2xBBBxHHHHBBHHH4s8xBB")
_QUALIFIER_BYTES: Final = ((4, 8), (12, 36), (40, 60))
"""All of it but its size, language, region and script: the country and network of the SIM card first."""
_SCRIPT_MATCHING_SDK: Final = 24
"""Android 7 selects by script; before, a region in the table had to be the phone's."""
_LTR, _RTL = 0x40, 0x80
"""``LAYOUTDIR_LTR``, ``LAYOUTDIR_RTL``."""
_SCREEN_SIZE_MASK, _SCREEN_LONG_MASK, _LAYOUT_DIRECTION_MASK = 0x0F, 0x30, 0xC0
_UI_TYPE_MASK, _UI_NIGHT_MASK = 0x0F, 0x30
_SCREEN_SIZE_NORMAL: Final = 2
"""``SCREENSIZE_NORMAL``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """The device to select for: an ordinary phone in portrait and day mode."""

    locale: Locale = field(default_factory=Locale)
    sdk: int = 10_000


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """``ResTable_config``: the devices that a value is for, in its order. 0 and empty mean "any"."""

    locale: Locale
    mcc: int
    mnc: int
    orientation: int
    touchscreen: int
    keyboard: int
    navigation: int
    input_flags: int
    screen_width_px: int
    screen_height_px: int
    sdk: int
    minor_version: int
    screen_layout: int
    ui_mode: int
    smallest_width_dp: int
    width_dp: int
    height_dp: int
    round_screen: int
    color_mode: int
    is_qualified: bool
    """Whether it is for some phones only, by anything but the language."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse the structure; a shorter one of older tools is padded with zeros, a longer one truncated."""
        mcc, mnc, language, region, *numbers, script, screen_layout2, color_mode = _CONFIG_STRUCT.unpack(
            data[: _CONFIG_STRUCT.size].ljust(_CONFIG_STRUCT.size, b"\0")
        )
        locale = Locale(
            canonical_language_code(_unpack_code(language, "a")),
            script.rstrip(b"\0").decode("latin-1"),
            _unpack_code(region, "0"),
        )
        is_qualified = any(any(data[start:end]) for start, end in _QUALIFIER_BYTES)
        return cls(locale, *(mcc, mnc, *numbers, screen_layout2 & 0x03, color_mode, is_qualified))

    def matches(self, device: DeviceConfig) -> bool:
        """Return whether it applies to `device`."""
        layout_direction = _RTL if device.locale.language in _RTL_LANGUAGES else _LTR
        equal_pairs = (
            (self.mcc, 0),
            (self.mnc, 0),
            (self.orientation, 1),  # portrait
            (self.touchscreen, 3),  # finger
            (self.keyboard, 1),  # none
            (self.navigation, 1),  # none
            (self.input_flags, 0),
            (self.minor_version, 0),
            (self.screen_layout & _SCREEN_LONG_MASK, 0x20),
            (self.screen_layout & _LAYOUT_DIRECTION_MASK, layout_direction),
            (self.ui_mode & _UI_TYPE_MASK, 0x01),  # phone
            (self.ui_mode & _UI_NIGHT_MASK, 0x10),  # day
            (self.round_screen, 1),  # not round
            (self.color_mode & 0x03, 0x01),  # no wide gamut
            (self.color_mode & 0x0C, 0x04),  # no high dynamic range
        )
        upper_bounds = (
            (self.sdk, device.sdk),
            (self.screen_width_px, 1080),
            (self.screen_height_px, 2400),
            (self.screen_layout & _SCREEN_SIZE_MASK, _SCREEN_SIZE_NORMAL),
            (self.smallest_width_dp, 411),
            (self.width_dp, 411),
            (self.height_dp, 891),
        )
        return (
            all(value in {0, device_value} for value, device_value in equal_pairs)
            and all(value <= device_value for value, device_value in upper_bounds)
            and self._matches_locale(device)
        )

    def _matches_locale(self, device: DeviceConfig) -> bool:
        if not self.locale.language:
            return True
        if self.locale.language != device.locale.language:
            return False
        if device.sdk < _SCRIPT_MATCHING_SDK:
            return self.locale.region in {"", device.locale.region}
        return self.locale.computed_script == device.locale.computed_script

    def specificity(self, device: DeviceConfig) -> tuple[int, ...]:
        """Return the rank among matching configurations, higher is better: in Android's order of criteria."""
        screen_size = self.screen_layout & _SCREEN_SIZE_MASK
        return (
            *self._locale_specificity(device.locale),
            bool(self.screen_layout & _LAYOUT_DIRECTION_MASK),
            self.smallest_width_dp,
            self.width_dp + self.height_dp,
            screen_size or _SCREEN_SIZE_NORMAL,
            bool(screen_size),
            bool(self.screen_layout & _SCREEN_LONG_MASK),
            bool(self.round_screen),
            bool(self.color_mode),
            bool(self.orientation),
            bool(self.ui_mode & _UI_TYPE_MASK),
            bool(self.ui_mode & _UI_NIGHT_MASK),
            bool(self.touchscreen),
            bool(self.keyboard),
            bool(self.navigation),
            self.screen_width_px + self.screen_height_px,
            self.sdk,
        )

    def _locale_specificity(self, requested: Locale) -> tuple[int, int]:
        locale = self.locale
        if not locale.language:
            return (1, 0)  # the default of an app counts as American English
        if requested.language == "en" and requested.region in {"", "US"} and locale.region not in {"", "US"}:
            return (0, 0)
        script = bool(locale.script) and locale.script == requested.script
        if locale.region == requested.region:
            return (5, script)
        if locale.region and locale.region == requested.parent_region:
            return (4, script)
        return (3 if not locale.region else 2, script)


_Candidate = TypeVar("_Candidate")


def best_match(
    candidates: Iterable[tuple[ResourceConfig, _Candidate]], device: DeviceConfig
) -> tuple[ResourceConfig, _Candidate] | None:
    """Return the candidate that Android selects on `device`: the first of equals; ``None`` if none matches."""
    matches = [pair for pair in candidates if pair[0].matches(device)]
    return max(matches, key=lambda pair: pair[0].specificity(device), default=None)


def _unpack_code(packed: bytes, base: str) -> str:
    """Decode two plain letters, or three letters in fifteen bits (``ResTable_config::unpackLanguage``)."""
    first, second = packed
    if not first & 0x80:
        return packed.rstrip(b"\0").decode("latin-1")
    codes = second & 0x1F, (second >> 5) | (first & 0x03) << 3, first >> 2 & 0x1F
    return "".join(chr(ord(base) + code) for code in codes)
