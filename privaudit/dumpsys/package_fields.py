"""The fields of a block in ``dumpsys package``: what each value means, and the order in which Android prints them."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from privaudit.capture.questions import is_package_name
from privaudit.dumpsys.package_model import PackageBlock

_APP_ID_VALUE = re.compile(r"-1\Z|\d{1,10}\Z", re.ASCII)
_NO_APP_ID: Final = "-1"
"""Of an APEX package."""
_SHARED_USER_VALUE = re.compile(r"SharedUserSetting\{\S+ (\S+)/\d+\}\Z")
_VERSION_VALUE = re.compile(r"(\d{1,19})(?: minSdk=\d+)? targetSdk=(\d{1,5})\b", re.ASCII)
_PACKAGE_VALUE = re.compile(r"Package\{\S+ (\S+)\}\Z")

FieldHandler = Callable[[PackageBlock, str], None]
"""Stores the value of a field in a block."""


def _set_app_id(block: PackageBlock, value: str) -> None:
    if _APP_ID_VALUE.match(value):
        block.app_id = int(value) if value != _NO_APP_ID else None
    else:
        block.unread_lines += 1


def _set_shared_user(block: PackageBlock, value: str) -> None:
    if match := _SHARED_USER_VALUE.match(value):
        block.shared_user = match[1]
    else:
        block.unread_lines += 1  # what the package may do is printed elsewhere, and where is not known


def _add_package_name(block: PackageBlock, value: str) -> None:
    block.apk_present = value != "null"
    if block.apk_present:
        match = _PACKAGE_VALUE.match(value)
        block.self_names.add(match[1] if match else value)


def _add_data_dir_name(block: PackageBlock, value: str) -> None:
    block.has_data_dir = True
    # The package `android` has no data directory of its own, and up to Android 7 a factory copy has none at all.
    if value != "null" and block.name != "android":
        block.self_names.add(value.rpartition("/")[2])


def _set_version_and_target_sdk(block: PackageBlock, value: str) -> None:
    if match := _VERSION_VALUE.match(value):
        block.version_code, block.target_sdk = int(match[1]), int(match[2])


def _set_version_name(block: PackageBlock, value: str) -> None:
    block.version_name = None if value == "null" else value


def _set_installer(block: PackageBlock, value: str) -> None:
    block.has_installer_field = True
    block.installer = value if value != "null" and is_package_name(value) else None


def _set_flags(block: PackageBlock, value: str) -> None:
    block.flags = frozenset(value.strip("[ ]").split())


def _text_field(attribute: str) -> FieldHandler:
    """Return a handler that stores the value unchanged."""
    return lambda block, value: setattr(block, attribute, value)


FIELD_HANDLERS: Final[Mapping[str, FieldHandler]] = {
    "compat name": _text_field("compatible_name"),
    "userId": _set_app_id,
    "appId": _set_app_id,
    "sharedUser": _set_shared_user,
    "pkg": _add_package_name,
    "codePath": _text_field("code_path"),
    "versionCode": _set_version_and_target_sdk,
    "versionName": _set_version_name,
    "dataDir": _add_data_dir_name,
    "firstInstallTime": _text_field("first_installed"),
    "lastUpdateTime": _text_field("last_updated"),
    "installerPackageName": _set_installer,
    "pkgFlags": _set_flags,
}
"""Field name before ``=`` → handler of its value, in the order in which Android prints the fields."""
_PERMISSION_LIST_TITLES: Final = ("requested permissions:", "install permissions:")
"""Titles of the lists that follow the fields."""
FIELD_ORDER: Final[Mapping[str, int]] = {
    name: rank for rank, name in enumerate((*FIELD_HANDLERS, *_PERMISSION_LIST_TITLES))
}
"""Each field and title occurs once, and none after one of a higher rank."""
SHARED_USER_FIELDS: Final = frozenset({"userId", "appId", "install permissions:"})
"""The fields and titles that the block of a shared user has."""
UNCACHED_FIELD: Final[tuple[int, FieldHandler]] = (-2, lambda _block, _value: None)
