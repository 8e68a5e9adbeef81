"""Data model of ``dumpsys package``: sections, blocks with their fields, users and grants.

Sources: ``Settings.dumpPackagesLPr`` (AOSP 6, 9, 10, 11, 16) and captures of real phones.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from privaudit.capture.questions import is_package_name

BLOCK_SECTIONS: Final = {"Packages:": "packages", "Hidden system packages:": "hidden", "Shared users:": "shared_users"}
"""Title of a section with blocks → field of `PackageDump`."""
SECTIONS_BETWEEN: Final = frozenset({"Renamed packages:", "Queries:"})
"""Titles of sections between those with blocks."""
SECTIONS_AFTER_PACKAGES: Final = frozenset(
    {
        "Package Changes:",
        "Active install sessions:",
        "Historical install sessions:",
        "Legacy install sessions:",
        "Frozen packages:",
        "Dexopt state:",
        "Compiler stats:",
        "Settings parse messages:",
        "Package warning messages:",
        "Package performance messages:",
        "APEX session state:",
        "Active APEX packages:",
    }
)
"""Titles of sections after the last block. Anything else in column 0 is vendor noise (Samsung: install logs)."""


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """State of a permission. Few different ones occur, so equal lines share one object."""

    granted: bool
    flags: tuple[str, ...] | None
    """``None``: the line stands in a block that an app may have written into."""


class GrantTable(dict[str, PermissionGrant]):
    """Permission → grant."""

    __slots__ = ("offsets",)

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}
        """Permission → offset of its line."""


@dataclass(slots=True)
class InstallState:
    """The state of a package for one Android user."""

    installed: bool
    enabled: bool
    hidden: bool
    """Whether a device policy has hidden it: it cannot run, and ``pm list packages`` leaves it out."""
    instant: bool
    """Whether it is an instant app, which ``pm list packages`` leaves out as well."""


@dataclass(slots=True)
class PackageUserState(InstallState):
    """The ``User N:`` part of a block."""

    first_installed: str | None = None
    has_runtime_section: bool = False
    """Whether ``runtime permissions:`` has occurred. Android prints it once."""
    runtime_permissions: GrantTable = field(default_factory=GrantTable)


@dataclass(slots=True)
class PackageBlock:
    """One ``Package [name]`` or ``SharedUser [name]`` block."""

    name: str
    offset: int
    app_id: int | None = None
    has_app_id_field: bool = False
    """Whether its app id was read, which every block has; that of an APEX package is -1."""
    shared_user: str | None = None
    compatible_name: str | None = None
    """The current name of a renamed system package (``compat name=``)."""
    apk_present: bool = True
    """False where Android prints ``pkg=null``: the APK has been removed."""
    self_names: set[str] = field(default_factory=set)
    """Names in ``pkg=`` and ``dataDir=``: equal to `name`, unless the lines belong to another block."""
    has_data_dir: bool = False
    """Whether ``dataDir=`` occurred, which stands in every block before what an app can write."""
    code_path: str | None = None
    version_code: int | None = None
    version_name: str | None = None
    target_sdk: int | None = None
    installer: str | None = None
    has_installer_field: bool = False
    first_installed: str | None = None
    last_updated: str | None = None
    flags: frozenset[str] = frozenset()
    requested_permissions: set[str] | None = None
    """``None``: the dump does not list them. That of one package does, those of all packages mostly do not."""
    install_permissions: GrantTable = field(default_factory=GrantTable)
    install_permissions_by_user: dict[int, GrantTable] = field(default_factory=dict)
    """Secondary user → install permissions that differ for it (from Android 12)."""
    users: dict[int, PackageUserState] = field(default_factory=dict)
    unread_lines: int = 0
    """Lines that were not understood where Android lists permissions. A permission without a line may be granted."""


_APP_ID_VALUE = re.compile(r"-1\Z|\d{1,10}\Z", re.ASCII)
_SHARED_USER_VALUE = re.compile(r"SharedUserSetting\{\S+ (\S+)/\d+\}\Z")
_VERSION_VALUE = re.compile(r"(\d{1,19})(?: minSdk=\d+)? targetSdk=(\d{1,5})\b", re.ASCII)
_PACKAGE_VALUE = re.compile(r"Package\{\S+ (\S+)\}\Z")


FieldHandler = Callable[[PackageBlock, str], None]
"""Stores the value of a field in a block."""


def _set_app_id(block: PackageBlock, value: str) -> None:
    if _APP_ID_VALUE.match(value):
        block.has_app_id_field = True
        block.app_id = int(value) if value != "-1" else None  # that of an APEX package
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
FIELD_ORDER: Final[Mapping[str, int]] = {
    name: rank for rank, name in enumerate((*FIELD_HANDLERS, "requested permissions:", "install permissions:"))
}
"""Each field, and each title of a list behind them, occurs once, and none after one of a higher rank."""
SHARED_USER_FIELDS: Final = frozenset({"userId", "appId", "install permissions:"})
"""The fields and titles that the block of a shared user has."""


@dataclass(slots=True)
class PackageDump:
    """The content of one ``dumpsys package``."""

    packages: dict[str, PackageBlock] = field(default_factory=dict)
    hidden: dict[str, PackageBlock] = field(default_factory=dict)
    """Factory copies of updated system apps. They are inactive."""
    shared_users: dict[str, PackageBlock] = field(default_factory=dict)
    sdk: int | None = None
    """From ``Database versions:``, or inferred from the layout."""
    doubtful: set[str] = field(default_factory=set)
    """Packages and shared users with a block that Android cannot have printed so: forged or damaged beyond reading."""
    outdated: set[str] = field(default_factory=set)
    """Packages that the list has at another path: perhaps updated between the two commands."""
    unlisted: set[tuple[str, int]] = field(default_factory=set)
    """Packages that are installed and visible for a user whose list lacks them."""
    reached_end: bool = False
    """Whether a section of `SECTIONS_AFTER_PACKAGES` follows, which proves that the last block was read."""
    unparsed_lines: int = 0
    """Lines that were not understood, inside blocks and around them."""
    stray_lines: int = 0
    """How many of them stand outside of every block. If there are any, any package may hold what its block lacks."""

    @property
    def names_every_holder(self) -> bool:
        """Whether a package without a block has none, not one that was lost or taken for another's."""
        return not (self.doubtful or self.unparsed_lines)

    def find_block(self, package: str) -> PackageBlock | None:
        """Return the block of `package` if it says what Android says of the package."""
        return None if package in self.doubtful or package in self.outdated else self.packages.get(package)

    def is_whole(self, block: PackageBlock) -> bool:
        """Return whether every line of `block`, and of its shared user, was understood and none is doubtful."""
        shared = self.shared_users.get(block.shared_user) if block.shared_user is not None else block
        return shared is not None and not any(
            part.unread_lines or part.name in self.doubtful for part in (block, shared)
        )
