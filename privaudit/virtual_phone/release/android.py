"""Constants of Android out of ``android.toml``: permissions, app-ops and flag bits."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

_TABLES: Final[Any] = tomllib.loads((resources.files(__package__) / "android.toml").read_text(encoding="utf-8"))
_PERMISSIONS: Final = _TABLES["permissions"]
_REVOKED_COMPAT_NAME_SDK: Final = 30
_VENDOR_OP: Final = re.compile(r"[A-Z]+\((\d{5})\)")
_UNKNOWN_OP_NUMBER: Final = 1 << 20


def full_permission_name(permission: str) -> str:
    """Return a permission's name as Android writes it. In data files, a name without a dot is a platform permission."""
    return permission if "." in permission else f"android.permission.{permission}"


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
