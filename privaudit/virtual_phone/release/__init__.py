"""What differs between the Android releases that the virtual phone plays: constants, dumps, what programs accept.

Written from AOSP sources (6, 9, 10, 11, 14, 16) and from captures of real devices. A release without either has what
its neighbours have. ``android.toml`` has permissions, app-ops and flag bits; `Since` what came to stay; `ReleaseLayout`
and ``layouts.toml`` what varies more.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, TypeAlias

_TABLES: Final[Any] = tomllib.loads((resources.files(__package__) / "android.toml").read_text(encoding="utf-8"))
_PERMISSIONS: Final = _TABLES["permissions"]
_REVOKED_COMPAT_NAME_SDK: Final = 30
_VENDOR_OP: Final = re.compile(r"[A-Z]+\((\d{5})\)")
_UNKNOWN_OP_NUMBER: Final = 1 << 20


def full_permission_name(permission: str) -> str:
    """Return a permission's name as Android writes it. In data files, a name without a dot is a platform permission."""
    return permission if "." in permission else f"android.permission.{permission}"


def is_known_permission(name: str, sdk: int) -> bool:
    """Whether the release knows the permission. It ignores a request for an unknown one."""
    return sdk >= PERMISSION_FIRST_SDK.get(name, 0)


def java_hash(text: str) -> int:
    """Return Java's ``String.hashCode``, signed 32 bits."""
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (value * 31 + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def array_map_order(names: Iterable[str]) -> list[str]:
    """Sort `names` as an ``ArrayMap`` holds them: their order in a dump (checked against real Android 14 dumps)."""
    return sorted(names, key=java_hash)


def _first_sdks(table: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, int]]:
    return ((name, int(sdk)) for sdk, names in table.items() for name in names)


FLAG_BITS: Final[Mapping[str, int]] = {name: 1 << bit for name, bit in _TABLES["flag_bits"].items()}
_FLAG_FIRST_SDK: Final = dict(_first_sdks(_TABLES["flags_since"]))

RUNTIME_PERMISSION_OPS: Final[Mapping[str, str | None]] = {
    full_permission_name(name): _PERMISSIONS["runtime_ops"].get(name, name) or None for name in _PERMISSIONS["runtime"]
}
"""Permissions granted at run time, each with the app-op that follows it; ``None`` where the phone models no app-op."""
PERMISSION_FIRST_SDK: Final = {full_permission_name(name): sdk for name, sdk in _first_sdks(_PERMISSIONS["since"])}
"""Permissions newer than Android 6. An older release ignores a request for one and stores no state."""
HARD_RESTRICTED: Final = frozenset(map(full_permission_name, _PERMISSIONS["hard_restricted"]))
SOFT_RESTRICTED: Final = frozenset(map(full_permission_name, _PERMISSIONS["soft_restricted"]))
APP_OP_PERMISSIONS: Final = frozenset(map(full_permission_name, _PERMISSIONS["app_op"]))
PROTECTION_LEVELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(RUNTIME_PERMISSION_OPS, "dangerous"),
    **{full_permission_name(name): level for name, level in _PERMISSIONS["protection_levels"].items()},
}
PERMISSION_GIDS: Final = {full_permission_name(name): gid for name, gid in _PERMISSIONS["gids"].items()}

OP_NUMBERS: Final[Mapping[str, int]] = {name: number for number, name in enumerate(_TABLES["ops"]["names"])}
DEFAULT_OP_MODES: Final[Mapping[str, str]] = _TABLES["ops"]["default_modes"]
"""Default modes other than ``allow``."""
SWITCH_OPS: Final[Mapping[str, str]] = _TABLES["ops"]["switches"]
"""Op → the op that decides its mode."""
FALLBACK_ROLE_HOLDERS: Final[Mapping[str, str]] = _TABLES["fallback_role_holders"]
RESTRICTION_SWITCHES: Final[Mapping[str, str]] = _TABLES["restriction_switches"]
USER_FLAG_BITS: Final[Mapping[str, int]] = _TABLES["user_flags"]
SETTINGS_ACTIONS: Final = dict(_first_sdks(_TABLES["settings_actions"]))
"""Intent action → first SDK in which Settings or PermissionController has it."""


def known_flag_bits(sdk: int) -> int:
    """Return the flag bits that the release uses."""
    return sum(bit for name, bit in FLAG_BITS.items() if sdk >= _FLAG_FIRST_SDK.get(name, 23))


@cache
def flag_names_for_sdk(sdk: int) -> Mapping[int, str]:
    """Map each flag bit to its name in the dumps of a release (``PackageManager.permissionFlagToString``)."""
    names = {bit: name for name, bit in FLAG_BITS.items() if bit & known_flag_bits(sdk)}
    return names if sdk >= _REVOKED_COMPAT_NAME_SDK else {**names, FLAG_BITS["REVOKED_COMPAT"]: "REVOKE_ON_UPGRADE"}


def op_number(name: str) -> int:
    """Return an op's position in dumps: its number, the number in a vendor op's name, or a number after all others."""
    vendor_op = _VENDOR_OP.fullmatch(name)
    return OP_NUMBERS.get(name, int(vendor_op[1]) if vendor_op else _UNKNOWN_OP_NUMBER)


Vendor: TypeAlias = Literal["aosp", "emui", "miui", "samsung"]
"""Vendors with dump layouts of their own; ``aosp`` for all others."""


class Since:
    """First SDK in which Android does, prints or accepts something."""

    RUNTIME_PERMISSIONS: Final = 23  # apps whose target SDK is lower are granted all permissions at installation
    CMD: Final = 24  # ``cmd``, and ``pm`` inside the system server; before, errors go to standard error
    SHELL_V2: Final = 24  # adbd sends exit codes and does not turn LF into CRLF
    MIN_SDK: Final = 24  # ``minSdk=`` and ``apkSigningVersion=``
    FACTORY_COPY_DATA_DIR: Final = 26  # a data folder below ``Hidden system packages:``; before, ``dataDir=null``
    DUMPSYS_TIMEOUT: Final = 26  # ``dumpsys -t``
    RANDOM_PATHS: Final = 26  # ``/data/app/PACKAGE-RANDOM``; before, ``/data/app/PACKAGE-1``
    LISTENER_COMMANDS: Final = 27  # ``cmd notification allow_listener``
    NO_CHECKSUMS: Final = 28  # before, adbd requires checksums; its messages are small up to Android 6
    SESSIONS_LAST: Final = 28  # install sessions at the very end, not after the shared users
    SIGNATURE_VERSIONS: Final = 28  # ``version:3, signatures:[…]``; the older form ends in ``installStatus=1``
    PROVISIONING_STATE: Final = 28  # in the title of the device administrators (seen in practice)
    APPOPS_OPTIONS: Final = 28  # ``dumpsys appops --package``
    SET_UID_MODE: Final = 28  # ``appops set --uid``
    SECURITY_MESSAGE: Final = 28  # ``Security exception: …`` of a write that was denied
    GET_SHOWS_UID_MODES: Final = 29  # ``appops get`` prints uid modes
    GESTURE_NAVIGATION: Final = 29  # an overlay of its own in each app
    POLICY_SYNC: Final = 29  # a runtime state for every app, and uid modes in step (``PermissionPolicyService``)
    ROLES: Final = 29  # ``dumpsys role``
    SHARED_PACKAGES: Final = 29  # a shared user lists its packages
    SUSPEND_PARAMS: Final = 29  # ``Suspend params:``, at the indent of the overlays
    PACKAGE_QUERIES: Final = 30  # ``forceQueryable=``, ``queriesPackages=`` and a section ``Queries:``
    NESTED_PATHS: Final = 30  # ``/data/app/~~RANDOM/PACKAGE-RANDOM``
    SCOPED_STORAGE: Final = 30  # apps with this target SDK have no legacy storage
    EXECUTING_MESSAGE: Final = 30  # ``Exception occurred while executing …`` of a write that was denied
    USER_TYPES: Final = 30  # ``cmd user list -v``
    ROLE_SERVICE: Final = 31  # ``ROLE STATE``; before, ``ROLE MANAGER STATE``
    DOMAIN_VERIFIER: Final = 31  # ``Known Packages:``, ``Domain Verifier:``, ``buildFingerprint=``
    EXTENSION_VERSIONS: Final = 31  # ``minExtensionVersions=``, ``usesNonSdkApi=``, ``extractNativeLibs=`` and more
    GET_ROLE_HOLDERS: Final = 31  # ``cmd role get-role-holders`` (seen in practice)
    INSTALL_PER_USER: Final = 31  # ``, userId=10`` on an install permission whose state differs for that user
    PROTO_GRANTS: Final = 31  # ``--proto`` with the granted permissions
    FLAG_COMMANDS: Final = 33  # ``pm set-permission-flags``
    FIRST_INSTALL_PER_USER: Final = 33  # first installation in the user's block, with the reasons
    PACKAGE_SOURCE: Final = 33  # ``packageSource=``
    INSTALL_SOURCE: Final = 34  # installer lines always there, ``null`` where unset, with uid, initiator and originator
    LISTS_ALL_USERS: Final = 34  # ``pm list packages`` without ``--user`` lists the apps of every user
    PRIVATE_PACKAGE_FLAGS: Final = 34  # ``privatePkgFlags=`` and ``apexModuleName=``
    OPS_FOLLOW_PERMISSIONS: Final = 35  # setting the app-op of a runtime permission silently does nothing
    SILENT_DENIALS: Final = 35  # the permission service only logs what earlier releases threw
    USER_DATA_DIR: Final = 35  # ``dataDir=`` of each user
    METADATA_SOURCE: Final = 36  # ``appMetadataSource=``


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLayout:
    """One release of one vendor."""

    sdk: int
    vendor: Vendor = "aosp"

    empty_queries: bool
    """``queriesPackages=[]`` for apps without queries (Android 11 and 12)."""
    permission_class: str
    """``Permission`` up to Android 11, with ``gids=null`` where there are none."""
    requested_in_full_dump: bool = False
    """Samsung's Android 10: ``requested permissions:`` in a full dump, too."""
    install_log: bool = False
    """Samsung: lines of its install log in column 0, before ``Packages:``."""

    app_id_key: str
    """``userId`` up to Android 13."""
    application_info: str
    """Class in the line ``applicationInfo=``, up to Android 12."""
    private_flags: tuple[tuple[str, ...], tuple[str, ...]]
    """Flags that every package has, before and after its own. Up to Android 8 an empty line is left out."""
    restricted_suffix: bool
    """``: restricted=true`` after a requested permission (Android 10 and 11)."""

    user_line_keys: tuple[str, ...]
    """Keys of the user's line, in order. Android 6 has a second blank where the inode came later."""
    overlays: Literal["none", "at_user", "in_user"]
    """``overlay paths:`` came in Android 8 at the indent of the user's own line, and moved inwards in 12."""

    flag_separator: str
    """Up to Android 9 a blank, and one more after the last."""

    op_layout: Literal["A", "B", "C", "D"]
    """A: modes as numbers, one time each. B: a line per process state. C: with flags. D: per attribution tag."""
    capability_letters: int
    """Length of ``capability=`` in the app-ops dump; 0: no such line (before Android 11)."""
    extra_switches: Mapping[str, str]
    """Ops whose mode another op decided up to Android 11."""
    op_names: Mapping[str, str]
    """Op → its name in this release, where that differs."""
    broken_package_headers: bool = False
    """EMUI 5 breaks ``Package X`` of the app-ops dump over three lines."""

    list_options: tuple[str, ...]
    exception_style: Literal["error", "security", "executing"]
    """How a program prints an exception: ``error`` up to Android 9, ``security`` in 10, ``executing`` from 11."""

    @property
    def op_modes(self) -> frozenset[str]:
        """App-op modes of the release: ``foreground`` came with Android 10, ``ask`` is MIUI's own."""
        extra = [*(["foreground"] if self.op_layout in "CD" else []), *(["ask"] if self.vendor == "miui" else [])]
        return frozenset({"allow", "ignore", "deny", "default", *extra})

    @property
    def switches(self) -> Mapping[str, str]:
        """Ops whose mode another op decides."""
        return {**SWITCH_OPS, **self.extra_switches}

    @property
    def flag_names_by_bit(self) -> Mapping[int, str]:
        """Names of permission flags; a bit without a name in the release prints as its number."""
        return flag_names_for_sdk(self.sdk)

    def format_flags(self, flags: int) -> str:
        """Return ``, flags=[ A|B]`` or ``, flags=[ A B ]``; nothing without flags."""
        bits = (1 << bit for bit in range(flags.bit_length()) if flags >> bit & 1)
        names = self.flag_separator.join(self.flag_names_by_bit.get(bit, str(bit)) for bit in bits)
        return f", flags=[ {names}{self.flag_separator.strip('|')}]" if names else ""


def _read_layouts() -> dict[int, ReleaseLayout]:
    fields_by_sdk: dict[int, dict[str, Any]] = {}
    toml = (resources.files(__package__) / "layouts.toml").read_text(encoding="utf-8")
    for sdk, row in tomllib.loads(toml).items():
        fields = {name: _as_tuple(value) for name, value in row.items()}
        fields_by_sdk[int(sdk)] = {**fields_by_sdk.get(fields.pop("base", 0), {}), **fields}
    return {sdk: ReleaseLayout(sdk=sdk, **fields) for sdk, fields in fields_by_sdk.items()}


def _as_tuple(value: Any) -> Any:  # noqa: ANN401 - a value of TOML
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


_LAYOUT_BY_SDK: Final[Mapping[int, ReleaseLayout]] = dict(sorted(_read_layouts().items()))
SUPPORTED_SDKS: Final = tuple(_LAYOUT_BY_SDK)
"""Every release that can be rendered, the oldest first."""


@cache
def layout_of(sdk: int, vendor: Vendor = "aosp") -> ReleaseLayout:
    """Return the layout of `vendor`'s Android of `sdk`, which is one of `SUPPORTED_SDKS`."""
    layout = _LAYOUT_BY_SDK[sdk]
    return replace(
        layout,
        vendor=vendor,
        broken_package_headers=vendor == "emui" and layout.op_layout == "A",
        install_log=vendor == "samsung",
        requested_in_full_dump=vendor == "samsung" and layout.op_layout == "C",
    )
