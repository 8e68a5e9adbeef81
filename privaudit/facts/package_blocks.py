"""The nouns of ``dumpsys package``: blocks, users, grants.

Sources: ``Settings.dumpPackagesLPr`` (AOSP 6, 9, 10, 11, 16) and captures of real phones.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Grant:
    """What a permission line says. Few differ, so lines that say the same share one."""

    granted: bool
    flags: tuple[str, ...]


class Grants(dict[str, Grant]):
    """Permission → what its line says."""

    __slots__ = ("offsets",)

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}
        """Permission → where its line stands."""


@dataclass(slots=True)
class UserState:
    """The ``User N:`` part of a block."""

    installed: bool
    enabled: bool
    hidden: bool
    """Hidden by a device policy, or an instant app: not in ``pm list packages``."""
    offset: int
    first_installed: str | None = None
    says_runtime: bool = False
    """Whether ``runtime permissions:`` was there. It comes once."""
    runtime: Grants = field(default_factory=Grants)


@dataclass(slots=True)
class Block:
    """One ``Package [name]`` or ``SharedUser [name]`` block."""

    name: str
    offset: int
    app_id: int | None = None
    shared_user: str | None = None
    compatible_name: str | None = None
    """Of a renamed system package: the name that it goes by."""
    has_package: bool = True
    """False where Android prints ``pkg=null``: the APK is gone."""
    calls_itself: set[str] = field(default_factory=set)
    """Names that ``pkg=`` and ``dataDir=`` give it: its own, unless the lines belong to another block."""
    code_path: str | None = None
    version_code: int | None = None
    version_name: str | None = None
    target_sdk: int | None = None
    installer: str | None = None
    says_installer: bool = False
    first_installed: str | None = None
    last_updated: str | None = None
    flags: frozenset[str] = frozenset()
    requested: set[str] | None = None
    """``None``: the dump does not say (whole dumps do not, below a package's own)."""
    install: Grants = field(default_factory=Grants)
    install_for: dict[int, Grants] = field(default_factory=dict)
    """By secondary user: install permissions that differ for it (from Android 12)."""
    users: dict[int, UserState] = field(default_factory=dict)


@dataclass(slots=True)
class Dump:
    """Everything read from one ``dumpsys package``."""

    packages: dict[str, Block] = field(default_factory=dict)
    hidden: dict[str, Block] = field(default_factory=dict)
    """Factory copies of updated system apps. They do not run."""
    shared_users: dict[str, Block] = field(default_factory=dict)
    sdk: int | None = None
    """From ``Database versions:``, or from the layout."""
    forged: str | None = None
    """Name of a block that cannot be Android's, or ``None``."""
    has_packages: bool = False
    """Whether the ``Packages:`` section is there at all."""
    ends: bool = False
    """Whether a section follows that stands behind the last block, so that all blocks were seen."""
    unparsed: int = 0
    lost: int = 0
    """Lines that tell of a grant, and could not be read: a permission without a line may be granted all the same."""
