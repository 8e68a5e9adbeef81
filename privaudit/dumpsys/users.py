"""Android users: the owner, clones, work profiles, private spaces.

Source: ``pm list users`` (``UserInfo.toString``).
"""

from __future__ import annotations

import re
from typing import Final

from privaudit import roms
from privaudit.model import UserKind

_LINE = re.compile(r"^\s*UserInfo\{(\d{1,5}):(.*):([0-9a-fA-F]{1,8})\}", re.MULTILINE | re.ASCII)
_DUMPED: Final = "} serialNo="
"""Stands in ``dumpsys user`` alone (``UserManagerService.dump``)."""
_MANAGED: Final = 0x20
"""``UserInfo.FLAG_MANAGED_PROFILE``."""
_PROFILE: Final = 0x1000
"""``UserInfo.FLAG_PROFILE``, from Android 11: clones, private spaces, work profiles."""
_PRIVATE_SPACE_SDK: Final = 35
_CLONES_SEEN: Final = frozenset({900})
"""On a Chinese Android 12 phone whose ROM is not known; ``privaudit.roms`` has those of known ROMs."""


def parse(text: str, sdk: int | None) -> dict[int, UserKind]:
    """Users by number. Their names are removed before this is read, and not looked at."""
    return {int(match[1]): _kind(int(match[1]), int(match[3], 16), sdk) for match in _LINE.finditer(text)}


def unparsed(text: str) -> int:
    """Lines of the list that tell of no user. ``dumpsys user`` tells of much beside, below each of them."""
    if _DUMPED in text:
        return 0
    return sum(not _LINE.match(line) for line in text.split("\n") if line.strip() not in {"", "Users:"})


def _kind(number: int, flags: int, sdk: int | None) -> UserKind:
    if number == 0:
        return UserKind.OWNER
    if number in roms.users("clone") | _CLONES_SEEN:
        return UserKind.CLONE
    if number in roms.users("secure_folder"):
        return UserKind.SECURE_FOLDER
    if flags & _MANAGED:
        return UserKind.WORK_PROFILE
    if flags & _PROFILE and sdk is not None and sdk >= _PRIVATE_SPACE_SDK:
        return UserKind.PRIVATE_SPACE
    return UserKind.OTHER
