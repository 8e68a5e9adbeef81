"""Check a parsed ``dumpsys package`` for blocks that Android would not have printed: an app's text may forge them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from privaudit.android import FIRST_APP_ID
from privaudit.capture.questions import PERMISSIONS, is_package_name
from privaudit.dumpsys.package_list import InstalledPackage
from privaudit.dumpsys.package_model import PackageBlock, PackageDump, PackageUserState
from privaudit.dumpsys.package_parser import parse_package_dump

_STATIC_LIBRARY_NAME = re.compile(r".+_\d+\Z")
"""The version is part of the name. ``pm list packages`` leaves static libraries out."""


def parse_and_check_dump(
    text: str,
    package_lists: Mapping[int, Mapping[str, InstalledPackage]] | None = None,
    *,
    requested_package: str | None = None,
    kept_permissions: AbstractSet[str] | None = None,
) -> PackageDump:
    """Parse a dump and check that its blocks fit together.

    Args:
        text: output of ``dumpsys package``, with or without a package or permission names; lines end in LF.
        package_lists: output of ``pm list packages`` by Android user; users without a known list are left out.
        requested_package: the package that the command named, if it named one.
        kept_permissions: permissions whose grants are stored; ``None``: all.
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
    """Return a copy of `dump` that names a forged block, if there is one; arguments as of `parse_and_check_dump`."""
    return replace(dump, forged_name=dump.forged_name or _find_forgery(dump, package_lists or {}, requested_package))


def _find_forgery(
    dump: PackageDump, package_lists: Mapping[int, Mapping[str, InstalledPackage]], requested_package: str | None
) -> str | None:
    """Return the name of a block that Android would not have printed."""
    blocks_by_app_id: dict[int, PackageBlock] = {}
    all_users = frozenset(next(iter(dump.packages.values())).users) if dump.packages else frozenset()
    last_name = None if dump.reached_end else next(reversed(dump.packages), None)
    for name, block in dump.packages.items():
        if (
            not is_package_name(name)
            or (requested_package is not None and name != requested_package)
            or _contradicts_list(block, package_lists)
        ):
            return name
        # Each block lists every Android user; the last block of a truncated text may lack some.
        if name != last_name and block.users.keys() != all_users:
            return name
        if block.app_id is not None and block.app_id >= FIRST_APP_ID:
            other = blocks_by_app_id.setdefault(block.app_id, block)
            if other is not block and (block.shared_user is None or block.shared_user != other.shared_user):
                return name  # only a shared user gives two packages one uid
    # A factory copy is printed only beside the update that replaces it.
    return next((name for name in dump.hidden if name not in dump.packages), None)


def _contradicts_list(block: PackageBlock, package_lists: Mapping[int, Mapping[str, InstalledPackage]]) -> bool:
    for user, packages in package_lists.items():
        state, entry = block.users.get(user), packages.get(block.name)
        if entry is None:
            if state is not None and state.installed and not state.hidden and not _may_be_unlisted(block, state):
                return True
        elif entry.app_id is not None:
            if block.app_id is not None and entry.app_id != block.app_id:
                return True
        elif (
            entry.apk_path is not None
            and block.code_path is not None
            and not _is_inside(entry.apk_path, block.code_path)
        ):
            return True
    return False


def _may_be_unlisted(block: PackageBlock, state: PackageUserState) -> bool:
    """Return whether a package may be missing from ``pm list packages``.

    Static libraries, APEX packages and packages without an APK are missing. None of them has a permission.
    """
    is_apex = block.code_path is not None and "/apex/" in block.code_path
    is_unlisted = is_apex or not block.apk_present or _STATIC_LIBRARY_NAME.match(block.name) is not None
    grants = {**block.install_permissions, **state.runtime_permissions}
    return is_unlisted and not any(grant.granted and name in PERMISSIONS for name, grant in grants.items())


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
