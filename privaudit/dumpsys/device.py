"""Parse what describes the phone itself: properties, clock, time zone and Android users.

Sources: ``getprop`` (``[key]: [value]``), ``date +%s``, ``pm list users`` and ``dumpsys user``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from privaudit import roms
from privaudit.dumpsys.appops import AppOpEvent
from privaudit.model import Phone, PhoneClock, UserKind

_PROPERTY_LINE = re.compile(r"^\[([\w.-]+)\]: \[(.*?)\]$", re.MULTILINE | re.DOTALL)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_SDK_VALUE = re.compile(r"\d{1,3}\Z", re.ASCII)
_EPOCH_SECONDS = re.compile(r"\d{1,12}\Z", re.ASCII)
_MAX_SDK: Final = 200
_MIN_PLAUSIBLE_EPOCH_S: Final = 1_200_000_000
"""January 2008, before the first Android phone: an earlier clock is not set."""
_USER_INFO_LINE = re.compile(r"^[^\S\n]*UserInfo\{(\d{1,5}):(.*):([0-9a-fA-F]{1,8})\}", re.MULTILINE | re.ASCII)
_DUMPSYS_USER_MARKER: Final = "} serialNo="
"""Occurs in ``dumpsys user`` only (``UserManagerService.dump``), not in ``pm list users``."""
_FLAG_MANAGED_PROFILE: Final = 0x20
"""``UserInfo.FLAG_MANAGED_PROFILE``."""
_USER_TYPE = re.compile(
    r"^(?:\d{1,5}: id=(\d{1,5}), .*, type=([\w.]+), flags=|[^\S\n]*UserInfo\{(\d{1,5}):.*\}.*\n[^\S\n]+Type: (\S+)$)",
    re.MULTILINE | re.ASCII,
)
"""A line of ``cmd user list -v``, or two of ``dumpsys user`` (``UserManagerService``, from Android 11)."""
_KIND_BY_TYPE: Final = {"CLONE": UserKind.CLONE, "MANAGED": UserKind.WORK_PROFILE, "PRIVATE": UserKind.PRIVATE_SPACE}
"""End of the type (``android.os.usertype.profile.CLONE``) → kind. Vendors have types of their own."""
_OBSERVED_CLONE_USERS: Final = frozenset({900})
"""Seen on a Chinese Android 12 phone with an unknown ROM; `privaudit.roms` has the clone users of known ROMs."""


def parse_properties(text: str) -> Mapping[str, str]:
    """Return the properties that have a value. A value may span lines."""
    return {key: value for key, value in _PROPERTY_LINE.findall(text) if value}


def phone_from_properties(properties: Mapping[str, str], inferred_sdk: int | None) -> Phone:
    """Describe the phone from its properties; `inferred_sdk` is used if they do not contain the SDK."""
    printed = properties.get("ro.build.version.sdk", "")
    sdk = int(printed) if _SDK_VALUE.match(printed) and int(printed) < _MAX_SDK else None
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
    # Until the owner chooses a language, the default of the product applies.
    printed = properties.get("persist.sys.locale") or properties.get("ro.product.locale") or ""
    return tuple(tag for tag in (part.strip() for part in printed.split(",")) if _LANGUAGE_TAG.match(tag))


def parse_phone_clock(
    properties: Mapping[str, str], date: str, taken_at: datetime
) -> tuple[PhoneClock, datetime | None]:
    """Return the phone's clock, and the phone's time when it answered (in its time zone, if that is known).

    `date`: output of ``date +%s``; `taken_at`: the time of this computer when the phone answered.
    """
    zone = _parse_timezone(properties.get("persist.sys.timezone"))
    zone_name = str(zone) if zone else None
    seconds = date.strip()
    if not _EPOCH_SECONDS.match(seconds) or int(seconds) < _MIN_PLAUSIBLE_EPOCH_S:
        return PhoneClock(zone=zone_name, offset_s=None), None
    try:
        now = datetime.fromtimestamp(int(seconds), zone or taken_at.tzinfo)
    except (OverflowError, ValueError, OSError):
        return PhoneClock(zone=zone_name, offset_s=None), None
    return PhoneClock(zone=zone_name, offset_s=round((now - taken_at).total_seconds())), now


def _parse_timezone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpClock:
    """Converts the ages of app-op events into times."""

    now: datetime | None
    """The phone's time when the dump was taken."""
    zone: tzinfo | None
    """The phone's time zone; ``None``: not read."""

    def event_time(self, event: AppOpEvent | None) -> datetime | None:
        """Return when `event` occurred: from its age, else from its printed local time, else ``None``."""
        if event is None:
            return None
        if self.now is not None and event.age is not None:
            try:
                # Ages are elapsed time: subtracted from local time, an age across a clock change is an hour off.
                moment = self.now.astimezone(UTC) - event.age
                return moment.astimezone(self.now.tzinfo).replace(microsecond=0)
            except OverflowError:
                return None
        return parse_local_time(event.local_time, self.zone)


def parse_local_time(printed: str | None, zone: tzinfo | None) -> datetime | None:
    """Parse ``2024-01-24 15:15:22`` in the phone's time `zone`; without a known zone the result is naive."""
    try:
        return datetime.fromisoformat(printed).replace(microsecond=0, tzinfo=zone) if printed else None
    except ValueError:
        return None


def parse_users(text: str, types_text: str | None = None) -> dict[int, UserKind]:
    """Return the kind of each Android user in ``pm list users`` or ``dumpsys user``, and in ``cmd user list -v``.

    User names are redacted in a capture and are not needed.
    """
    types = {
        int(match[1] or match[3]): (match[2] or match[4]).rpartition(".")[2]
        for match in _USER_TYPE.finditer(f"{text}\n{types_text or ''}")
    }
    return {
        int(match[1]): user_kind(int(match[1]), int(match[3], 16), types.get(int(match[1])))
        for match in _USER_INFO_LINE.finditer(text)
    }


def count_unparsed_user_lines(text: str) -> int:
    """Count the lines of ``pm list users`` that are not users; 0 for ``dumpsys user``, which prints much else."""
    if _DUMPSYS_USER_MARKER in text:
        return 0
    return sum(not _USER_INFO_LINE.match(line) for line in text.split("\n") if line.strip() not in {"", "Users:"})


def user_kind(user_id: int, flags: int = 0, user_type: str | None = None) -> UserKind:
    """Return the kind of a user from the end of its type, else from the number that a vendor gives to such users.

    Of the flags only that of a work profile is used: clones, private spaces and others share the flag of a profile.
    """
    kind = _KIND_BY_TYPE.get(user_type or "", UserKind.OTHER)
    if user_id == 0:
        return UserKind.OWNER
    if kind in {UserKind.CLONE, UserKind.PRIVATE_SPACE}:
        return kind
    if user_id in roms.vendor_user_ids("clone") | _OBSERVED_CLONE_USERS:
        return UserKind.CLONE
    if user_id in roms.vendor_user_ids("secure_folder"):
        return UserKind.SECURE_FOLDER
    return UserKind.WORK_PROFILE if flags & _FLAG_MANAGED_PROFILE else kind
