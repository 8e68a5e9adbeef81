"""The fields of a package block that are read, in the order in which Android prints them.

Order of ``Settings.dumpPackageLPr`` in AOSP 6, 9, 10, 11 and 16. It is kept: an app's own text (version name, library
names, queries …) stands in the middle, so a field that comes after one that follows it was written by an app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from privaudit.capture.questions import is_package_name
from privaudit.dumpsys.package_model import PackageBlock

_APP_ID_VALUE = re.compile(r"\d{1,10}\Z", re.ASCII)
_SHARED_USER_VALUE = re.compile(r"SharedUserSetting\{\S+ (\S+)/\d+\}\Z")
_VERSION_VALUE = re.compile(r"(\d{1,19})(?: minSdk=\d+)? targetSdk=(\d{1,5})\b", re.ASCII)
_PACKAGE_VALUE = re.compile(r"Package\{\S+ (\S+)\}\Z")


def _set_app_id(block: PackageBlock, value: str) -> None:
    block.app_id = int(value) if _APP_ID_VALUE.match(value) else None


def _set_shared_user(block: PackageBlock, value: str) -> None:
    match = _SHARED_USER_VALUE.match(value)
    block.shared_user = match[1] if match else None


def _add_package_name(block: PackageBlock, value: str) -> None:
    block.apk_present = value != "null"
    if block.apk_present:
        match = _PACKAGE_VALUE.match(value)
        block.self_names.add(match[1] if match else value)


def _add_data_dir_name(block: PackageBlock, value: str) -> None:
    # android has none of its own, and up to Android 7 a factory copy has none at all.
    if value != "null" and block.name != "android":
        block.self_names.add(value.rpartition("/")[2])


def _set_code_path(block: PackageBlock, value: str) -> None:
    block.code_path = value


def _set_version_and_target_sdk(block: PackageBlock, value: str) -> None:
    if match := _VERSION_VALUE.match(value):
        block.version_code, block.target_sdk = int(match[1]), int(match[2])


def _set_version_name(block: PackageBlock, value: str) -> None:
    block.version_name = None if value == "null" else value


def _set_first_installed(block: PackageBlock, value: str) -> None:
    block.first_installed = value


def _set_last_updated(block: PackageBlock, value: str) -> None:
    block.last_updated = value


def _set_installer(block: PackageBlock, value: str) -> None:
    block.has_installer_field = True
    block.installer = value if value != "null" and is_package_name(value) else None


def _set_flags(block: PackageBlock, value: str) -> None:
    block.flags = frozenset(value.strip("[ ]").split())


def _set_compatible_name(block: PackageBlock, value: str) -> None:
    block.compatible_name = value


FieldHandler = Callable[[PackageBlock, str], None]

FIELD_HANDLERS: Final[Mapping[str, FieldHandler]] = {
    "compat name": _set_compatible_name,
    "userId": _set_app_id,
    "appId": _set_app_id,
    "sharedUser": _set_shared_user,
    "pkg": _add_package_name,
    "codePath": _set_code_path,
    "versionCode": _set_version_and_target_sdk,
    "versionName": _set_version_name,
    "dataDir": _add_data_dir_name,
    "firstInstallTime": _set_first_installed,
    "lastUpdateTime": _set_last_updated,
    "installerPackageName": _set_installer,
    "pkgFlags": _set_flags,
}
"""Word before ``=`` → what takes the value."""

PERMISSION_LIST_TITLES: Final = ("requested permissions:", "install permissions:")
"""Titles of the lists that follow the fields."""

FIELD_ORDER: Final[Mapping[str, int]] = {
    word: rank for rank, word in enumerate((*FIELD_HANDLERS, *PERMISSION_LIST_TITLES))
}
"""Each word comes once, and none comes after a word of a higher rank."""

SHARED_USER_FIELDS: Final = frozenset({"userId", "appId", "install permissions:"})
"""All that a shared user has of them."""
