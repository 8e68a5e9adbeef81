"""The nouns of ``dumpsys package``: blocks, users, grants.

Sources: ``Settings.dumpPackagesLPr`` (AOSP 6, 9, 10, 11, 16) and captures of real phones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

BLOCK_SECTIONS: Final = {"Packages:": "packages", "Hidden system packages:": "hidden", "Shared users:": "shared_users"}
SECTIONS_BETWEEN: Final = frozenset({"Renamed packages:", "Queries:"})
"""Titles of sections among those with blocks."""
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
"""Titles of sections behind the last block. Anything else in column 0 is vendor noise (Samsung: install logs)."""


@dataclass(frozen=True, slots=True)
class PermissionGrant:
    """What a permission line says. Few differ, so lines that say the same share one."""

    granted: bool
    flags: tuple[str, ...]


class GrantTable(dict[str, PermissionGrant]):
    """Permission → what its line says."""

    __slots__ = ("offsets",)

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}
        """Permission → where its line stands."""


@dataclass(slots=True)
class PackageUserState:
    """The ``User N:`` part of a block."""

    installed: bool
    enabled: bool
    hidden: bool
    """Hidden by a device policy, or an instant app: not in ``pm list packages``."""
    offset: int
    first_installed: str | None = None
    has_runtime_section: bool = False
    """Whether ``runtime permissions:`` was there. It comes once."""
    runtime_permissions: GrantTable = field(default_factory=GrantTable)


@dataclass(slots=True)
class PackageBlock:
    """One ``Package [name]`` or ``SharedUser [name]`` block."""

    name: str
    offset: int
    app_id: int | None = None
    shared_user: str | None = None
    compatible_name: str | None = None
    """Of a renamed system package: the name that it goes by."""
    apk_present: bool = True
    """False where Android prints ``pkg=null``: the APK is gone."""
    self_names: set[str] = field(default_factory=set)
    """Names that ``pkg=`` and ``dataDir=`` give it: its own, unless the lines belong to another block."""
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
    """``None``: the dump does not say (whole dumps do not, below a package's own)."""
    install_permissions: GrantTable = field(default_factory=GrantTable)
    install_permissions_by_user: dict[int, GrantTable] = field(default_factory=dict)
    """By secondary user: install permissions that differ for it (from Android 12)."""
    users: dict[int, PackageUserState] = field(default_factory=dict)


@dataclass(slots=True)
class PackageDump:
    """Everything read from one ``dumpsys package``."""

    packages: dict[str, PackageBlock] = field(default_factory=dict)
    hidden: dict[str, PackageBlock] = field(default_factory=dict)
    """Factory copies of updated system apps. They do not run."""
    shared_users: dict[str, PackageBlock] = field(default_factory=dict)
    sdk: int | None = None
    """From ``Database versions:``, or from the layout."""
    forged_name: str | None = None
    """Name of a block that cannot be Android's, or ``None``."""
    has_packages_section: bool = False
    """Whether the ``Packages:`` section is there at all."""
    reached_end: bool = False
    """Whether a section follows that stands behind the last block, so that all blocks were seen."""
    unparsed_lines: int = 0
    unread_grants: int = 0
    """Lines with ``granted=`` that could not be read: a permission without a line may be granted all the same."""
