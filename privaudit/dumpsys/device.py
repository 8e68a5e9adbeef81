"""The phone itself: version, maker, language, clock. Source: ``getprop`` (``[key]: [value]``) and ``date +%s``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit import roms
from privaudit.model import Phone, PhoneClock

_PROPERTY_LINE = re.compile(r"^\[([\w.-]+)\]: \[(.*?)\]$", re.MULTILINE | re.DOTALL)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_SDK_VALUE = re.compile(r"\d{1,3}\Z", re.ASCII)
_EPOCH_SECONDS = re.compile(r"\d{1,12}\Z", re.ASCII)
_MAX_SDK: Final = 200
_MIN_PLAUSIBLE_EPOCH_S: Final = 1_200_000_000  # 2008: before the first Android phone


def parse_properties(text: str) -> Mapping[str, str]:
    """Properties that have a value. A value may span lines."""
    return {key: value for key, value in _PROPERTY_LINE.findall(text) if value}


def phone_from_properties(properties: Mapping[str, str], inferred_sdk: int | None) -> Phone:
    """The phone, from its properties; `inferred_sdk` stands in where they do not tell."""
    said = properties.get("ro.build.version.sdk", "")
    sdk = int(said) if _SDK_VALUE.match(said) and int(said) < _MAX_SDK else None
    return Phone(
        manufacturer=properties.get("ro.product.manufacturer"),
        model=properties.get("ro.product.model"),
        android=properties.get("ro.build.version.release"),
        sdk=sdk or inferred_sdk,
        sdk_inferred=sdk is None and inferred_sdk is not None,
        security_patch=properties.get("ro.build.version.security_patch"),
        rom=roms.detect_rom(properties),
        languages=_device_languages(properties),
    )


def _device_languages(properties: Mapping[str, str]) -> tuple[str, ...]:
    # Before the owner chooses a language the factory's holds.
    said = properties.get("persist.sys.locale") or properties.get("ro.product.locale") or ""
    return tuple(tag for tag in (part.strip() for part in said.split(",")) if _LANGUAGE_TAG.match(tag))


def parse_phone_clock(
    properties: Mapping[str, str], date: str, taken_at: datetime
) -> tuple[PhoneClock, datetime | None]:
    """The phone's clock, and its time when it was asked (with its zone where that is known).

    Args:
        properties: the phone's properties.
        date: answer to ``date +%s``: seconds since 1970.
        taken_at: this computer's time then.
    """
    zone = _parse_timezone(properties.get("persist.sys.timezone"))
    said = date.strip()
    if not _EPOCH_SECONDS.match(said) or int(said) < _MIN_PLAUSIBLE_EPOCH_S:
        return PhoneClock(zone=str(zone) if zone else None, offset_s=None), None
    try:
        now = datetime.fromtimestamp(int(said), zone or taken_at.tzinfo)
    except (OverflowError, ValueError, OSError):
        return PhoneClock(zone=str(zone) if zone else None, offset_s=None), None
    return PhoneClock(zone=str(zone) if zone else None, offset_s=round((now - taken_at).total_seconds())), now


def _parse_timezone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
