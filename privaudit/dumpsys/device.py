"""The phone itself: version, maker, language, clock. Source: ``getprop`` (``[key]: [value]``) and ``date +%s``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit import roms
from privaudit.dumpsys.appops_model import AppOpEvent
from privaudit.model import Phone, PhoneClock, UserKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpClock:
    """What turns the ages of app-ops into times."""

    now: datetime | None
    """The phone's time when it was asked."""
    zone: tzinfo | None
    """The phone's, where it was read."""

    def event_time(self, event: AppOpEvent | None) -> datetime | None:
        """When `event` was. Without the phone's time, the local time that was printed; without both, ``None``."""
        if event is None:
            return None
        if self.now is not None and event.age is not None:
            try:
                # Ages are real time: counted back in local time, one from before a clock change would be an hour off.
                then = self.now.astimezone(UTC) - event.age
                return then.astimezone(self.now.tzinfo).replace(microsecond=0)
            except OverflowError:
                return None
        return parse_local_time(event.local_time, self.zone)


def parse_local_time(printed: str | None, zone: tzinfo | None) -> datetime | None:
    """``2024-01-24 15:15:22``, in the phone's own time; without a zone where `zone` is not known."""
    try:
        return datetime.fromisoformat(printed).replace(microsecond=0, tzinfo=zone) if printed else None
    except ValueError:
        return None


_USER_INFO_LINE = re.compile(r"^\s*UserInfo\{(\d{1,5}):(.*):([0-9a-fA-F]{1,8})\}", re.MULTILINE | re.ASCII)
_DUMPSYS_USER_MARKER: Final = "} serialNo="
"""Stands in ``dumpsys user`` alone (``UserManagerService.dump``)."""
_FLAG_MANAGED_PROFILE: Final = 0x20
"""``UserInfo.FLAG_MANAGED_PROFILE``."""
_FLAG_PROFILE: Final = 0x1000
"""``UserInfo.FLAG_PROFILE``, from Android 11: clones, private spaces, work profiles."""
_PRIVATE_SPACE_SDK: Final = 35
_OBSERVED_CLONE_USERS: Final = frozenset({900})
"""On a Chinese Android 12 phone whose ROM is not known; ``privaudit.roms`` has those of known ROMs."""


def parse_users(text: str, sdk: int | None) -> dict[int, UserKind]:
    """Users by number. Their names are removed before this is read, and not looked at."""
    return {
        int(match[1]): _user_kind(int(match[1]), int(match[3], 16), sdk) for match in _USER_INFO_LINE.finditer(text)
    }


def count_unparsed_user_lines(text: str) -> int:
    """Lines of the list that tell of no user. ``dumpsys user`` tells of much beside, below each of them."""
    if _DUMPSYS_USER_MARKER in text:
        return 0
    return sum(not _USER_INFO_LINE.match(line) for line in text.split("\n") if line.strip() not in {"", "Users:"})


def _user_kind(user_id: int, flags: int, sdk: int | None) -> UserKind:
    if user_id == 0:
        return UserKind.OWNER
    if user_id in roms.vendor_user_ids("clone") | _OBSERVED_CLONE_USERS:
        return UserKind.CLONE
    if user_id in roms.vendor_user_ids("secure_folder"):
        return UserKind.SECURE_FOLDER
    if flags & _FLAG_MANAGED_PROFILE:
        return UserKind.WORK_PROFILE
    if flags & _FLAG_PROFILE and sdk is not None and sdk >= _PRIVATE_SPACE_SDK:
        return UserKind.PRIVATE_SPACE
    return UserKind.OTHER


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
