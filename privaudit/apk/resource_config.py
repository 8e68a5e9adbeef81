"""Which configuration of a resource Android would show: its language first, then what the device is like.

AOSP: ``ResourceTypes.cpp`` (``ResTable_config::match``, ``isBetterThan``, ``isLocaleBetterThan``), ``LocaleData.cpp``.
Not considered: the SIM card's country and network (a name that depends on them is shown as elsewhere), and density.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from privaudit.apk.arsc_locale import Locale, code

_FIELDS: Final = struct.Struct("<4xHH2s2sBBHBBBxHHHHBBHHH4s8sBB")
_SCRIPT_SDK: Final = 24
"""Android 7 chooses by script; before, a region in the table had to be the phone's."""
_LTR, _RTL = 0x40, 0x80
_LAYOUT_SIZE, _LAYOUT_LONG, _LAYOUT_DIRECTION = 0x0F, 0x30, 0xC0
_UI_TYPE, _UI_NIGHT = 0x0F, 0x30
_NORMAL: Final = 2
"""``SCREENSIZE_NORMAL``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a resource is chosen for: an ordinary phone, held upright, by day."""

    locale: Locale = field(default_factory=Locale)
    sdk: int = 10_000
    orientation: int = 1
    touchscreen: int = 3
    keyboard: int = 1
    navigation: int = 1
    screen: tuple[int, int] = (1080, 2400)
    width_dp: int = 411
    height_dp: int = 891
    layout: int = 0x20 | _NORMAL
    ui_mode: int = 0x11
    round_screen: int = 1
    color_mode: int = 0x05


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """``ResTable_config``: what one value is for. 0 and empty mean "any"."""

    locale: Locale
    variant: bytes
    mcc: int
    mnc: int
    orientation: int
    touchscreen: int
    density: int
    keyboard: int
    navigation: int
    input_flags: int
    screen: tuple[int, int]
    sdk: int
    minor: int
    layout: int
    ui_mode: int
    smallest_dp: int
    width_dp: int
    height_dp: int
    round_screen: int
    color_mode: int

    @classmethod
    def read(cls, data: bytes) -> Config:
        """Read the structure; a shorter one of older tools is as if filled with zeros, a longer one is cut."""
        (
            mcc, mnc, language, region, orientation, touchscreen, density, keyboard, navigation, flags, width, height,
            sdk, minor, layout, ui_mode, smallest, width_dp, height_dp, script, variant, layout2, color,
        ) = _FIELDS.unpack(data[: _FIELDS.size].ljust(_FIELDS.size, b"\0"))  # fmt: skip
        return cls(
            locale=Locale(code(_letters(language, "a")), script.rstrip(b"\0").decode("latin-1"), _letters(region, "0")),
            variant=variant.rstrip(b"\0"),
            mcc=mcc,
            mnc=mnc,
            orientation=orientation,
            touchscreen=touchscreen,
            density=density,
            keyboard=keyboard,
            navigation=navigation,
            input_flags=flags,
            screen=(width, height),
            sdk=sdk,
            minor=minor,
            layout=layout,
            ui_mode=ui_mode,
            smallest_dp=smallest,
            width_dp=width_dp,
            height_dp=height_dp,
            round_screen=layout2 & 0x03,
            color_mode=color,
        )

    def matches(self, device: Device) -> bool:
        """Whether it may be shown on `device` at all."""
        exact = (
            (self.mcc, 0),
            (self.mnc, 0),
            (self.orientation, device.orientation),
            (self.touchscreen, device.touchscreen),
            (self.keyboard, device.keyboard),
            (self.navigation, device.navigation),
            (self.input_flags, 0),
            (self.minor, 0),
            (self.layout & _LAYOUT_LONG, device.layout & _LAYOUT_LONG),
            (self.layout & _LAYOUT_DIRECTION, _direction(device)),
            (self.ui_mode & _UI_TYPE, device.ui_mode & _UI_TYPE),
            (self.ui_mode & _UI_NIGHT, device.ui_mode & _UI_NIGHT),
            (self.round_screen, device.round_screen),
            (self.color_mode & 0x03, device.color_mode & 0x03),
            (self.color_mode & 0x0C, device.color_mode & 0x0C),
        )
        most = (
            (self.sdk, device.sdk),
            (self.screen[0], device.screen[0]),
            (self.screen[1], device.screen[1]),
            (self.layout & _LAYOUT_SIZE, device.layout & _LAYOUT_SIZE),
            (self.smallest_dp, min(device.width_dp, device.height_dp)),
            (self.width_dp, device.width_dp),
            (self.height_dp, device.height_dp),
        )
        return (
            all(own in {0, there} for own, there in exact)
            and all(own <= there for own, there in most)
            and self._speaks(device)
        )

    def _speaks(self, device: Device) -> bool:
        own, there = self.locale, device.locale
        if not own.language:
            return True
        if own.language != there.language:
            return False
        if device.sdk < _SCRIPT_SDK:
            return own.region in {"", there.region}
        return own.computed_script == there.computed_script

    def rank(self, device: Device) -> tuple[int, ...]:
        """The greater, the better it fits, among those that match: in Android's order of what counts."""
        size = self.layout & _LAYOUT_SIZE
        return (
            *self._locale_rank(device.locale),
            int(bool(self.layout & _LAYOUT_DIRECTION)),
            self.smallest_dp,
            self.width_dp + self.height_dp,
            size or _NORMAL,
            int(bool(size)),
            int(bool(self.layout & _LAYOUT_LONG)),
            int(bool(self.round_screen)),
            int(bool(self.color_mode)),
            int(bool(self.orientation)),
            int(bool(self.ui_mode & _UI_TYPE)),
            int(bool(self.ui_mode & _UI_NIGHT)),
            int(bool(self.touchscreen)),
            int(bool(self.keyboard)),
            int(bool(self.navigation)),
            sum(self.screen),
            self.sdk,
        )

    def _locale_rank(self, wanted: Locale) -> tuple[int, int]:
        own = self.locale
        if not own.language:
            # The default of an app counts as American English.
            return (1, 0)
        if wanted.language == "en" and wanted.region in {"", "US"} and own.region not in {"", "US"}:
            return (0, 0)
        script = int(bool(own.script) and own.script == wanted.script)
        if own.region == wanted.region:
            return (5, script)
        if own.region and own.region == wanted.parent_region:
            return (4, script)
        return (3 if not own.region else 2, script)


_Thing = TypeVar("_Thing")


def best(candidates: Iterable[tuple[Config, _Thing]], device: Device) -> tuple[Config, _Thing] | None:
    """The one that Android would show on `device`; the first of equals; ``None`` where none may be shown."""
    fitting = [pair for pair in candidates if pair[0].matches(device)]
    return max(fitting, key=lambda pair: pair[0].rank(device), default=None)


def _direction(device: Device) -> int:
    return _RTL if device.locale.right_to_left else _LTR


def _letters(packed: bytes, base: str) -> str:
    """Two letters as they are, or three in fifteen bits (``ResTable_config::unpackLanguage``)."""
    first, second = packed
    if not first & 0x80:
        return packed.rstrip(b"\0").decode("latin-1")
    codes = second & 0x1F, (second >> 5) | (first & 0x03) << 3, first >> 2 & 0x1F
    return "".join(chr(ord(base) + code) for code in codes)
