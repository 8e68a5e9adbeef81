"""Parse ``pm list packages``: which packages an Android user has installed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from privaudit.android import MAX_PACKAGES, PER_USER_RANGE
from privaudit.capture.questions import is_package_name
from privaudit.dumpsys import iter_lines_with_offset

_PACKAGE_LINE = re.compile(
    r"^package:(?:(?P<path>/\S+)=)?(?P<package>[A-Za-z0-9_.]+)(?: versionCode:\d+)?(?: stopped=(?:true|false))?"
    r"(?:  installer=(?P<installer>\S+))?(?: uid:(?P<uid>\d{1,10})(?:,\d+)*)?\s*$",
    re.ASCII,
)
_CACHED_LISTS: Final = 32
"""Two for each user of each phone that is read at the same time. Each list is parsed after each round of questions."""


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """One line of ``pm list packages``."""

    package: str
    apk_path: str | None
    """Path of the base APK, where the command asked for it (``-f``)."""
    installer: str | None
    has_installer_field: bool
    app_id: int | None
    """From the uid, where the command asked for it (``-U``)."""
    offset: int


@lru_cache(maxsize=_CACHED_LISTS)
def parse_package_list(text: str) -> tuple[Mapping[str, InstalledPackage], int]:
    """Return the packages in the output of ``pm list packages`` by name, and the number of lines of an unknown form."""
    packages: dict[str, InstalledPackage] = {}
    unparsed_lines = 0
    for offset, line in iter_lines_with_offset(text):
        if len(packages) >= MAX_PACKAGES:
            unparsed_lines += text.count("\n", offset)
            break
        match = _PACKAGE_LINE.match(line)
        if match and is_package_name(match["package"]):
            installer, uid = match["installer"], match["uid"]
            packages[match["package"]] = InstalledPackage(
                package=match["package"],
                apk_path=match["path"],
                installer=installer if installer not in {None, "null"} and is_package_name(installer or "") else None,
                has_installer_field=installer is not None,
                app_id=int(uid) % PER_USER_RANGE if uid else None,
                offset=offset,
            )
        elif line.strip() and not line.startswith("WARNING: linker"):
            unparsed_lines += 1
    return packages, unparsed_lines
