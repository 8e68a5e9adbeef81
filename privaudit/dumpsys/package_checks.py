"""Reads ``dumpsys package`` in the layouts of Android 6 to 16, and ``pm list packages``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache

from privaudit.android import FIRST_APP_ID, PER_USER_RANGE
from privaudit.capture.questions import PERMISSIONS, is_package_name
from privaudit.dumpsys import gc_paused
from privaudit.dumpsys.package_model import BLOCK_SECTIONS, PackageBlock, PackageDump, PackageUserState
from privaudit.dumpsys.package_parser import PackageDumpParser

_SDK_VERSION = re.compile(r"^\s+sdkVersion=(\d{1,3})\b", re.MULTILINE | re.ASCII)
_STATIC_LIBRARY_NAME = re.compile(r".+_\d+\Z")
"""Its version is part of its name. ``pm list packages`` leaves it out."""

_PACKAGE_LINE = re.compile(
    r"^package:(?:(?P<path>/\S+)=)?(?P<package>[A-Za-z0-9_.]+)(?: versionCode:\d+)?(?: stopped=(?:true|false))?"
    r"(?:  installer=(?P<installer>\S+))?(?: uid:(?P<uid>\d{1,10})(?:,\d+)*)?\s*$",
    re.ASCII,
)
_CACHED_LISTS = 32
"""Two for each user of each phone that is read at the same time; each is looked at after each round of asking."""


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """One line of ``pm list packages``."""

    package: str
    apk_path: str | None
    """Of the base APK, where it was asked for (``-f``)."""
    installer: str | None
    has_installer_field: bool
    app_id: int | None
    """Where the uid was asked for (``-U``)."""
    offset: int


@lru_cache(maxsize=_CACHED_LISTS)
def parse_package_list(text: str) -> tuple[Mapping[str, InstalledPackage], int]:
    """Packages of ``pm list packages``, and the number of lines that are none."""
    listed: dict[str, InstalledPackage] = {}
    unparsed = 0
    for offset, line in iter_lines_with_offset(text):
        match = _PACKAGE_LINE.match(line)
        if match and is_package_name(match["package"]):
            installer, uid = match["installer"], match["uid"]
            given = installer if installer not in {None, "null"} and is_package_name(installer or "") else None
            app_id = int(uid) % PER_USER_RANGE if uid else None
            listed[match["package"]] = InstalledPackage(
                match["package"], match["path"], given, installer is not None, app_id, offset
            )
        elif line.strip() and not line.startswith("WARNING: linker"):
            unparsed += 1
    return listed, unparsed


def iter_lines_with_offset(text: str) -> Iterator[tuple[int, str]]:
    """Lines with the offset at which each begins."""
    offset = 0
    for line in text.split("\n"):
        yield offset, line
        offset += len(line) + 1


def parse_and_check_dump(
    text: str,
    package_lists: Mapping[int, Mapping[str, InstalledPackage]] | None = None,
    *,
    requested_package: str | None = None,
    kept_permissions: AbstractSet[str] | None = None,
) -> PackageDump:
    """Read a dump.

    Args:
        text: answer to ``dumpsys package`` with or without a package or permission names; lines end in LF.
        package_lists: what ``pm list packages`` gave, by Android user; a user whose list is not known is not in it.
        requested_package: the package that was asked for, where it was one.
        kept_permissions: permissions whose lines are kept; ``None``: all.
    """
    return check_consistency(
        parse_package_dump(text, kept_permissions), package_lists, requested_package=requested_package
    )


def check_consistency(
    dump: PackageDump,
    package_lists: Mapping[int, Mapping[str, InstalledPackage]] | None = None,
    *,
    requested_package: str | None = None,
) -> PackageDump:
    """`dump` with what it has that Android would not have printed; see `parse`."""
    return replace(dump, forged_name=dump.forged_name or _find_forgery(dump, package_lists or {}, requested_package))


def parse_package_dump(text: str, kept_permissions: AbstractSet[str] | None = None) -> PackageDump:
    """Read a dump without asking whether its blocks fit together; see `parse`."""
    reader = PackageDumpParser(PackageDump(), kept_permissions)
    start = _find_first_section(text)
    if sdk := _SDK_VERSION.search(text, 0, max(start, 0)):
        reader.dump.sdk = int(sdk[1])
    if start >= 0:
        with gc_paused():
            reader.parse_text(text, start)
        reader.dump.sdk = reader.dump.sdk or _infer_sdk(reader)
    return reader.dump


def _find_first_section(text: str) -> int:
    first = len(text)
    for title in BLOCK_SECTIONS:
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


def _find_forgery(
    dump: PackageDump, package_lists: Mapping[int, Mapping[str, InstalledPackage]], requested_package: str | None
) -> str | None:
    """Name of a block that Android would not have printed."""
    owners: dict[int, PackageBlock] = {}
    everybody = frozenset(next(iter(dump.packages.values())).users) if dump.packages else frozenset()
    last = None if dump.reached_end else next(reversed(dump.packages), None)
    for name, block in dump.packages.items():
        if (
            not is_package_name(name)
            or (requested_package is not None and name != requested_package)
            or _contradicts_list(block, package_lists)
        ):
            return name
        # Each block tells of every Android user; the last of a cut text may not have come to it.
        if name != last and block.users.keys() != everybody:
            return name
        if block.app_id is not None and block.app_id >= FIRST_APP_ID:
            owner = owners.setdefault(block.app_id, block)
            if owner is not block and (block.shared_user is None or block.shared_user != owner.shared_user):
                return name  # only a shared user gives two packages one uid
    # A factory copy stands behind the update that hides it.
    return next((name for name in dump.hidden if name not in dump.packages), None)


def _contradicts_list(block: PackageBlock, package_lists: Mapping[int, Mapping[str, InstalledPackage]]) -> bool:
    for number, packages in package_lists.items():
        state, line = block.users.get(number), packages.get(block.name)
        if line is None:
            if state is not None and state.installed and not state.hidden and not _may_be_unlisted(block, state):
                return True
        elif line.app_id is not None:
            if block.app_id is not None and line.app_id != block.app_id:
                return True
        elif (
            line.apk_path is not None and block.code_path is not None and not _is_inside(line.apk_path, block.code_path)
        ):
            return True
    return False


def _may_be_unlisted(block: PackageBlock, state: PackageUserState) -> bool:
    """Whether a package may be in no list: a static library, an APEX, or one whose APK is gone. None holds a grant."""
    apex = block.code_path is not None and "/apex/" in block.code_path
    unlisted = apex or not block.apk_present or _STATIC_LIBRARY_NAME.match(block.name) is not None
    grants = {**block.install_permissions, **state.runtime_permissions}
    return unlisted and not any(grant.granted and name in PERMISSIONS for name, grant in grants.items())


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _infer_sdk(parser: PackageDumpParser) -> int | None:
    """The oldest SDK that prints this way; rough, and marked as inferred in the report."""
    words = parser.seen_field_names
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
