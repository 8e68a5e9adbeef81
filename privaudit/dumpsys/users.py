"""Android users: the owner, clones, work profiles, private spaces.

Source: ``pm list users`` (``UserInfo.toString``).
"""

from __future__ import annotations

import re
from typing import Final

from privaudit import roms
from privaudit.model import UserKind

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
