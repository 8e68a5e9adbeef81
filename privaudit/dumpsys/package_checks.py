"""Check a parsed ``dumpsys package`` for blocks that Android would not have printed: an app's text may forge them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypeAlias

from privaudit.android import FIRST_APP_ID
from privaudit.capture.questions import PERMISSIONS, is_package_name
from privaudit.dumpsys.package_list import InstalledPackage
from privaudit.dumpsys.package_model import PackageBlock, PackageDump, PackageUserState
from privaudit.dumpsys.package_parser import parse_package_dump

PackageLists: TypeAlias = Mapping[int, Mapping[str, InstalledPackage]]
"""Android user → the output of ``pm list packages``; users without a known list are left out."""

_STATIC_LIBRARY_NAME = re.compile(r".+_\d+\Z")
"""The version is part of the name. ``pm list packages`` leaves static libraries out."""


def parse_and_check_dump(
    text: str,
    package_lists: PackageLists | None = None,
    *,
    requested_package: str | None = None,
    kept_permissions: AbstractSet[str] | None = None,
) -> PackageDump:
    """Parse a dump as `parse_package_dump` does, and check that its blocks fit together."""
    return check_consistency(
        parse_package_dump(text, kept_permissions), package_lists, requested_package=requested_package
    )


def check_consistency(
    dump: PackageDump, package_lists: PackageLists | None = None, *, requested_package: str | None = None
) -> PackageDump:
    """Return a copy of `dump` that names every doubtful block; `requested_package`: the one that the command named."""
    lists = package_lists or {}
    doubtful = {*dump.doubtful, *_find_doubtful(dump, lists, requested_package)}
    if requested_package is not None and (doubtful or _lacks_runtime_section(dump.packages.get(requested_package))):
        doubtful.add(requested_package)  # no other app's text stands in its own dump
    return replace(
        dump,
        doubtful=doubtful,
        # A path points at no other block: an app may have been updated between the list and the dump.
        unlisted={(name, user) for name, block in dump.packages.items() for user in _unlisted_users(block, lists)},
        outdated={name for name, block in dump.packages.items() if _contradicts_path(block, lists)},
    )


def _lacks_runtime_section(block: PackageBlock | None) -> bool:
    """Return whether a user lacks ``runtime permissions:``, which a dump of one package prints even if it is empty."""
    if block is None or block.shared_user is not None:
        return False
    return not block.users or not all(state.has_runtime_section for state in block.users.values())


def _find_doubtful(dump: PackageDump, package_lists: PackageLists, requested_package: str | None) -> Iterator[str]:
    """Yield each block that Android would not have printed so, and the block whose text may have opened it."""
    blocks_by_app_id: dict[int, PackageBlock] = {}
    user_sets = Counter(frozenset(block.users) for block in dump.packages.values())
    all_users = max(user_sets, key=lambda users: user_sets[users], default=frozenset())
    last_name = None if dump.reached_end else next(reversed(dump.packages), None)
    lists_have_uids = any(
        entry.app_id is not None for packages in package_lists.values() for entry in packages.values()
    )
    shared_app_ids = {shared.app_id for shared in dump.shared_users.values()} - {None}
    before: str | None = None
    for name, block in dump.packages.items():
        if not block.has_app_id_field or (block.shared_user is None and block.app_id in shared_app_ids):
            yield name  # it has lost a line: that of its app id, or of the shared user that holds its permissions
        is_forged = not is_package_name(name) or (requested_package is not None and name != requested_package)
        if is_forged or _contradicts_uid(block, package_lists):
            yield from (name, before or name)
        elif next(_unlisted_users(block, package_lists), None) is not None:
            # It may have been installed after the list was taken, unless a block has not all that Android prints.
            fields = {block.app_id, block.code_path, block.version_code}
            is_new = block.has_data_dir and None not in fields and not lists_have_uids
            yield from (name,) if is_new else (name, before or name)
        # Each block lists every Android user; the last block of a truncated text may lack some.
        if name != last_name and block.users.keys() != all_users:
            yield name
        if block.app_id is not None and block.app_id >= FIRST_APP_ID:
            other = blocks_by_app_id.setdefault(block.app_id, block)
            if other is not block and (block.shared_user is None or block.shared_user != other.shared_user):
                yield from (name, other.name, before or name)  # only a shared user gives two packages one uid
        before = name
    # A factory copy is printed only beside the update that replaces it.
    yield from (name for name in dump.hidden if name not in dump.packages)


def _contradicts_uid(block: PackageBlock, package_lists: PackageLists) -> bool:
    listed = {entry.app_id for packages in package_lists.values() if (entry := packages.get(block.name)) is not None}
    return block.app_id is not None and not listed - {None} <= {block.app_id}


def _unlisted_users(block: PackageBlock, package_lists: PackageLists) -> Iterator[int]:
    """Yield each user whose list lacks the package though it is installed and visible."""
    for user, packages in package_lists.items():
        state = block.users.get(user) if block.name not in packages else None
        is_visible = state is not None and state.installed and not (state.hidden or state.instant)
        if state is not None and is_visible and not _may_be_unlisted(block, state):
            yield user


def _contradicts_path(block: PackageBlock, package_lists: PackageLists) -> bool:
    entries = [entry for packages in package_lists.values() if (entry := packages.get(block.name)) is not None]
    return block.code_path is not None and any(
        entry.app_id is None and entry.apk_path is not None and not _is_inside(entry.apk_path, block.code_path)
        for entry in entries
    )


def _may_be_unlisted(block: PackageBlock, state: PackageUserState) -> bool:
    """Return whether a package may be missing from ``pm list packages``.

    Static libraries, APEX packages and packages without an APK are missing. None of them has a permission.
    """
    # An app in an APEX package, as Bluetooth's, has a shared user; the package itself has none.
    is_apex = block.code_path is not None and "/apex/" in block.code_path and block.shared_user is None
    is_unlisted = is_apex or not block.apk_present or _STATIC_LIBRARY_NAME.match(block.name) is not None
    grants = {**block.install_permissions, **state.runtime_permissions}
    return is_unlisted and not any(grant.granted and name in PERMISSIONS for name, grant in grants.items())


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
