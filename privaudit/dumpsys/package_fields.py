"""The fields of a package block that are read, in the order in which Android prints them.

Order of ``Settings.dumpPackageLPr`` in AOSP 6, 9, 10, 11 and 16. It is kept: an app's own text (version name, library
names, queries …) stands in the middle, so a field that comes after one that follows it was written by an app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from privaudit.capture.questions import is_package_name
from privaudit.dumpsys.package_model import Block

_NUMBER = re.compile(r"\d{1,10}\Z", re.ASCII)
_SHARED = re.compile(r"SharedUserSetting\{\S+ (\S+)/\d+\}\Z")
_VERSION = re.compile(r"(\d{1,19})(?: minSdk=\d+)? targetSdk=(\d{1,5})\b", re.ASCII)
_SELF = re.compile(r"Package\{\S+ (\S+)\}\Z")


def _app_id(block: Block, value: str) -> None:
    block.app_id = int(value) if _NUMBER.match(value) else None


def _shared_user(block: Block, value: str) -> None:
    match = _SHARED.match(value)
    block.shared_user = match[1] if match else None


def _package(block: Block, value: str) -> None:
    block.has_package = value != "null"
    if block.has_package:
        match = _SELF.match(value)
        block.calls_itself.add(match[1] if match else value)


def _data_dir(block: Block, value: str) -> None:
    # android has none of its own, and up to Android 7 a factory copy has none at all.
    if value != "null" and block.name != "android":
        block.calls_itself.add(value.rpartition("/")[2])


def _code_path(block: Block, value: str) -> None:
    block.code_path = value


def _version(block: Block, value: str) -> None:
    if match := _VERSION.match(value):
        block.version_code, block.target_sdk = int(match[1]), int(match[2])


def _version_name(block: Block, value: str) -> None:
    block.version_name = None if value == "null" else value


def _first_installed(block: Block, value: str) -> None:
    block.first_installed = value


def _last_updated(block: Block, value: str) -> None:
    block.last_updated = value


def _installer(block: Block, value: str) -> None:
    block.says_installer = True
    block.installer = value if value != "null" and is_package_name(value) else None


def _flags(block: Block, value: str) -> None:
    block.flags = frozenset(value.strip("[ ]").split())


def _compatible(block: Block, value: str) -> None:
    block.compatible_name = value


Take = Callable[[Block, str], None]

FIELDS: Final[Mapping[str, Take]] = {
    "compat name": _compatible,
    "userId": _app_id,
    "appId": _app_id,
    "sharedUser": _shared_user,
    "pkg": _package,
    "codePath": _code_path,
    "versionCode": _version,
    "versionName": _version_name,
    "dataDir": _data_dir,
    "firstInstallTime": _first_installed,
    "lastUpdateTime": _last_updated,
    "installerPackageName": _installer,
    "pkgFlags": _flags,
}
"""Word before ``=`` → what takes the value."""

PARTS: Final = ("requested permissions:", "install permissions:")
"""Titles of the lists that follow the fields."""

RANK: Final[Mapping[str, int]] = {word: rank for rank, word in enumerate((*FIELDS, *PARTS))}
"""Each word comes once, and none comes after a word of a higher rank."""

OF_SHARED_USER: Final = frozenset({"userId", "appId", "install permissions:"})
"""All that a shared user has of them."""
