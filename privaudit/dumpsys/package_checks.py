"""Reads ``dumpsys package`` in the layouts of Android 6 to 16, and ``pm list packages``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache

from privaudit.capture.questions import PERMISSIONS, is_package_name
from privaudit.dumpsys import uncollected
from privaudit.dumpsys.package_model import Block, Dump, UserState
from privaudit.dumpsys.package_sections import SECTIONS
from privaudit.dumpsys.package_walk import Walk

_SDK = re.compile(r"^\s+sdkVersion=(\d{1,3})\b", re.MULTILINE | re.ASCII)
_STATIC_LIBRARY = re.compile(r".+_\d+\Z")
"""Its version is part of its name. ``pm list packages`` leaves it out."""

_LISTED = re.compile(
    r"^package:(?:(?P<path>/\S+)=)?(?P<package>[A-Za-z0-9_.]+)(?: versionCode:\d+)?(?: stopped=(?:true|false))?"
    r"(?:  installer=(?P<installer>\S+))?(?: uid:(?P<uid>\d{1,10})(?:,\d+)*)?\s*$",
    re.ASCII,
)
_LISTS_AT_ONCE = 32
"""Two for each user of each phone that is read at the same time; each is looked at after each round of asking."""
_PER_USER = 100000
_FIRST_APP_ID = 10000


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of ``pm list packages``."""

    package: str
    path: str | None
    """Of the base APK, where it was asked for (``-f``)."""
    installer: str | None
    says_installer: bool
    app_id: int | None
    """Where the uid was asked for (``-U``)."""
    offset: int


@lru_cache(maxsize=_LISTS_AT_ONCE)
def parse_list(text: str) -> tuple[Mapping[str, Listed], int]:
    """Packages of ``pm list packages``, and the number of lines that are none."""
    listed: dict[str, Listed] = {}
    unparsed = 0
    for offset, line in lines(text):
        match = _LISTED.match(line)
        if match and is_package_name(match["package"]):
            installer, uid = match["installer"], match["uid"]
            given = installer if installer not in {None, "null"} and is_package_name(installer or "") else None
            app_id = int(uid) % _PER_USER if uid else None
            listed[match["package"]] = Listed(
                match["package"], match["path"], given, installer is not None, app_id, offset
            )
        elif line.strip() and not line.startswith("WARNING: linker"):
            unparsed += 1
    return listed, unparsed


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with the offset at which each begins."""
    offset = 0
    for line in text.split("\n"):
        yield offset, line
        offset += len(line) + 1


def parse(
    text: str,
    listed: Mapping[int, Mapping[str, Listed]] | None = None,
    *,
    only: str | None = None,
    wanted: AbstractSet[str] | None = None,
) -> Dump:
    """Read a dump.

    Args:
        text: answer to ``dumpsys package`` with or without a package or permission names; lines end in LF.
        listed: what ``pm list packages`` gave, by Android user; a user whose list is not known is not in it.
        only: the package that was asked for, where it was one.
        wanted: permissions whose lines are kept; ``None``: all.
    """
    return checked(read(text, wanted), listed, only=only)


def checked(dump: Dump, listed: Mapping[int, Mapping[str, Listed]] | None = None, *, only: str | None = None) -> Dump:
    """`dump` with what it has that Android would not have printed; see `parse`."""
    return replace(dump, forged=dump.forged or _forged(dump, listed or {}, only))


def read(text: str, wanted: AbstractSet[str] | None = None) -> Dump:
    """Read a dump without asking whether its blocks fit together; see `parse`."""
    reader = Walk(Dump(), wanted)
    start = _first_section(text)
    if sdk := _SDK.search(text, 0, max(start, 0)):
        reader.dump.sdk = int(sdk[1])
    if start >= 0:
        with uncollected():
            reader.read(text, start)
        reader.dump.sdk = reader.dump.sdk or _sdk_of_layout(reader)
    return reader.dump


def _first_section(text: str) -> int:
    first = len(text)
    for title in SECTIONS:
        if text.startswith(title):
            return 0
        # Only before what was found: the whole text is long, and most titles are not in it.
        found = text.find(f"\n{title}\n", 0, first) + 1
        first = found or first
    if first < len(text):
        return first
    # An excerpt: blocks without the title above them.
    block = re.search(r"^(?:  )?Package \[", text, re.MULTILINE)
    return block.start() if block else -1


def _forged(dump: Dump, listed: Mapping[int, Mapping[str, Listed]], only: str | None) -> str | None:
    """Name of a block that Android would not have printed."""
    owners: dict[int, Block] = {}
    everybody = frozenset(next(iter(dump.packages.values())).users) if dump.packages else frozenset()
    last = None if dump.ends else next(reversed(dump.packages), None)
    for name, block in dump.packages.items():
        if not is_package_name(name) or (only is not None and name != only) or _contradicts(block, listed):
            return name
        # Each block tells of every Android user; the last of a cut text may not have come to it.
        if name != last and block.users.keys() != everybody:
            return name
        if block.app_id is not None and block.app_id >= _FIRST_APP_ID:
            owner = owners.setdefault(block.app_id, block)
            if owner is not block and (block.shared_user is None or block.shared_user != owner.shared_user):
                return name  # only a shared user gives two packages one uid
    # A factory copy stands behind the update that hides it.
    return next((name for name in dump.hidden if name not in dump.packages), None)


def _contradicts(block: Block, listed: Mapping[int, Mapping[str, Listed]]) -> bool:
    for number, packages in listed.items():
        state, line = block.users.get(number), packages.get(block.name)
        if line is None:
            if state is not None and state.installed and not state.hidden and not _unlisted(block, state):
                return True
        elif line.app_id is not None:
            if block.app_id is not None and line.app_id != block.app_id:
                return True
        elif line.path is not None and block.code_path is not None and not _lies_in(line.path, block.code_path):
            return True
    return False


def _unlisted(block: Block, state: UserState) -> bool:
    """Whether a package may be in no list: a static library, an APEX, or one whose APK is gone. None holds a grant."""
    apex = block.code_path is not None and "/apex/" in block.code_path
    unlisted = apex or not block.has_package or _STATIC_LIBRARY.match(block.name) is not None
    grants = {**block.install, **state.runtime}
    return unlisted and not any(grant.granted and name in PERMISSIONS for name, grant in grants.items())


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _sdk_of_layout(reader: Walk) -> int | None:
    """The oldest SDK that prints this way; rough, and marked as inferred in the report."""
    words = reader.words
    if "appId" in words:
        return 34
    if "user.firstInstallTime" in words:
        return 33
    if "distractionFlags" in words:
        return 30
    if "suspended" in words and "virtual" in words:
        return 29
    if "ceDataInode" in words:
        return 24
    return 23 if "installed" in words else None
