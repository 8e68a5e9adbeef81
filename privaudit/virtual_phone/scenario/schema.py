"""The keys of a scenario file, their types, and the words for states."""

import re
from collections.abc import Container
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.dataclasses import dataclass

from privaudit.virtual_phone.release import FLAG_BITS, OP_NUMBERS, SUPPORTED_SDKS, Vendor, full_permission_name
from privaudit.virtual_phone.scenario.virtual import Namespace

_MIUI_OP = re.compile(r"MIUIOP\(100\d\d\)")
_AGE = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")


def parse_age(text: object) -> timedelta:
    """Parse a length of time as Android writes it: ``1d18h28m``, ``36s979ms``. Raises `ValueError` for other text."""
    if isinstance(text, timedelta):
        return text  # Parsed already.
    match = _AGE.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("an age looks like 1d18h28m or 36s979ms")
    days, hours, minutes, seconds, millis = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=millis)


def _validate_op(name: str) -> str:
    if name not in OP_NUMBERS and _MIUI_OP.fullmatch(name) is None:
        raise ValueError("no app-op of Android 14, nor one of MIUI as its dumps name them")
    return name


def _one_of(known: Container[object], problem: str) -> BeforeValidator:
    def validate(value: object) -> object:
        if value not in known:
            raise ValueError(problem)
        return value

    return BeforeValidator(validate)


Age: TypeAlias = Annotated[timedelta, BeforeValidator(parse_age)]
OpName: TypeAlias = Annotated[str, BeforeValidator(_validate_op)]
FlagName: TypeAlias = Annotated[str, _one_of(FLAG_BITS, "no permission flag")]
Sdk: TypeAlias = Annotated[int, _one_of(SUPPORTED_SDKS, f"no layout for it; there are {SUPPORTED_SDKS}")]
PackageName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*)*$")]
PermissionName: TypeAlias = Annotated[str, AfterValidator(full_permission_name)]
OpMode: TypeAlias = Literal["allow", "ignore", "deny", "default", "foreground", "ask"]
"""``ask`` is MIUI's own."""

GRANT_WORDS: Final = {
    # word: (granted, flags beside the two USER_SENSITIVE ones)
    "allowed": (True, ("USER_SET",)),
    "denied": (False, ("USER_SET",)),
    "denied for good": (False, ("USER_SET", "USER_FIXED")),
    "not asked": (False, ()),
    "default": (True, ("GRANTED_BY_DEFAULT",)),
    "system": (True, ("SYSTEM_FIXED", "GRANTED_BY_DEFAULT")),
    "role": (True, ("GRANTED_BY_ROLE",)),
    "once": (True, ("USER_SET", "ONE_TIME")),
    "taken back": (False, ("AUTO_REVOKED",)),
}
"""Word for a runtime permission → what Android stores. The default is ``not asked``."""
GrantWord: TypeAlias = Literal[
    "allowed", "denied", "denied for good", "not asked", "default", "system", "role", "once", "taken back"
]

EnabledWord: TypeAlias = Literal["default", "enabled", "disabled", "disabled by the user", "disabled until used"]
"""In the order of ``PackageManager.COMPONENT_ENABLED_STATE_*``."""
ProcessState: TypeAlias = Literal["pers", "top", "fgsvcl", "fgsvc", "fg", "bg", "cch"]

_STRICT_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class PhoneRow:
    """``[phone]``: the device."""

    sdk: Sdk
    vendor: Vendor = "aosp"
    zone: str
    """IANA name."""
    zone_offset_minutes: Annotated[int, Field(ge=-14 * 60, le=14 * 60)]
    zone_abbreviation: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
    clock_ahead_s: int = 0
    factory_time: datetime
    """Date of files on the system image."""
    properties: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class UserRow:
    """``[[user]]``: one Android user."""

    id: Annotated[int, Field(ge=0, le=21473)]
    name: str
    flags: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]+$")]
    running: bool = True
    closed: bool = False
    """The shell is refused: Samsung's Secure Folder."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class OpRow:
    """One app-op, with its last access and rejection. Rows of the same op are joined."""

    op: OpName
    mode: OpMode = "allow"
    access: Age | None = None
    reject: Age | None = None
    state: ProcessState = "top"
    duration: Age | None = None
    running: bool = False
    """The access has not ended yet."""
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class InstallRow:
    """``[[app.user]]``: the app for one Android user. By default other users do not have a third-party app."""

    id: int
    installed: bool = True
    enabled: EnabledWord = "default"
    grants: dict[PermissionName, GrantWord] = Field(default_factory=dict)
    flags: dict[PermissionName, list[FlagName]] = Field(default_factory=dict)
    """Permission → exact flags, in place of those of its word."""
    uid_modes: dict[OpName, OpMode] = Field(default_factory=dict)
    """Modes set by hand, in place of those that follow from the permissions."""
    ops: list[OpRow] = Field(default_factory=list)
    state: ProcessState = "cch"
    first_installed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class FactoryRow:
    """``[app.factory]``: the older copy on the system image of an updated app."""

    version: str
    version_code: int
    target_sdk: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class AppRow:
    """``[[app]]``: one package."""

    package: PackageName
    label: dict[str, str] = Field(default_factory=dict)
    version: str | None = None
    """``None``: the phone's release."""
    version_code: int | None = None
    """``None``: the phone's SDK number; likewise for `target_sdk`."""
    min_sdk: int = 21
    target_sdk: int | None = None
    system: bool = False
    path: str | None = None
    """APK folder of a system app."""
    shared_user: str | None = None
    private_flags: list[str] = Field(default_factory=list)
    splits: list[str] = Field(default_factory=list)
    queries: list[PackageName] = Field(default_factory=list)
    first_installed: datetime | None = None
    updated: datetime | None = None
    installer: PackageName | None = None
    initiating: PackageName | None = None
    originating: PackageName | None = None
    source: Annotated[int, Field(ge=0, le=4)] = 0
    requests: list[PermissionName] = Field(default_factory=list)
    declares: dict[PermissionName, str] = Field(default_factory=dict)
    factory: FactoryRow | None = None
    user: list[InstallRow] = Field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class SharedUserRow:
    """``[[shared_user]]``: one shared uid, which holds what its packages request."""

    name: str
    app_id: int
    grants: dict[PermissionName, GrantWord] = Field(default_factory=dict)
    """The same for every Android user."""


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class FillerAppsRow:
    """``[ordinary]``: the first `count` filler apps of ``filler_apps.toml``; `seed` decides their states."""

    count: Annotated[int, Field(ge=0)]
    seed: int
    installer: PackageName


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT_CONFIG)
class ScenarioFile:
    """A scenario file."""

    title: dict[Literal["en", "zh"], str]
    """The subject in one line, in each language."""
    base: bool = False
    """Whether to add what every Android has (``base.toml``)."""
    phone: PhoneRow
    user: list[UserRow]
    shared_user: list[SharedUserRow] = Field(default_factory=list)
    app: list[AppRow]
    ordinary: FillerAppsRow | None = None
    roles: dict[int, dict[str, list[PackageName]]] = Field(default_factory=dict)
    """Android user → role without ``android.app.role.`` → holders."""
    settings: dict[int, dict[Namespace, dict[str, str]]] = Field(default_factory=dict)
    admins: dict[int, list[str]] = Field(default_factory=dict)
