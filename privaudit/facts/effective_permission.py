"""What one permission comes to: grant, flags and app-op put together.

Rules: ``AppOpsService.checkOperationUnchecked`` (AOSP 11), ``PermissionPolicyService`` (10-14),
``android.content.pm.PackageManager`` flags. A permission line alone is not the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from privaudit.dumpsys.appops import Op
from privaudit.facts.permission_table import Trait
from privaudit.model import Effective

_LEGACY_SDK: Final = 23
_COMPAT_DENIED: Final = frozenset({"REVOKED_COMPAT", "REVOKE_ON_UPGRADE"})
"""Granted on paper; denied to an app made for Android 5 or older, which cannot be told so."""
_EXEMPT: Final = frozenset({"RESTRICTION_INSTALLER_EXEMPT", "RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT"})

_BY_MODE: Final[Mapping[str | None, Effective]] = {
    None: Effective.ALLOWED,
    "allow": Effective.ALLOWED,
    "default": Effective.ALLOWED,
    "ignore": Effective.BLOCKED,
    "deny": Effective.BLOCKED,
    "foreground": Effective.FOREGROUND,
    "ask": Effective.ASK,
}

SWITCHED_UNTIL_SDK: Final = 28
SWITCHES: Final[Mapping[str, str]] = {"RECEIVE_MMS": "RECEIVE_SMS", "RECEIVE_WAP_PUSH": "RECEIVE_SMS"}
"""Up to Android 9 another op's mode decides (``AppOpsManager.sOpToSwitch``), and dumps do not say so."""


def effective(
    trait: Trait,
    *,
    granted: bool | None,
    flags: Collection[str],
    mode: str | None,
    blank: str | None = None,
    target_sdk: int | None = None,
) -> Effective:
    """What one permission comes to.

    Args:
        trait: of the permission.
        granted: the permission line; ``None`` where it was not read.
        flags: its flags.
        mode: app-op mode in force, uid mode before package mode; ``None``: none stored, then the grant decides.
        blank: mode of MIUI's own op for blank data, if there is one.
        target_sdk: of the app; ``None`` where it was not read.
    """
    if trait.by_op and mode not in {None, "default"}:
        found = _BY_MODE.get(mode, Effective.UNKNOWN)
        return Effective.DENIED if found is Effective.BLOCKED else found
    if granted is None:
        return Effective.UNKNOWN
    if not granted:
        return Effective.DENIED
    restricted = trait.hard_restricted and "APPLY_RESTRICTION" in flags and _EXEMPT.isdisjoint(flags)
    # Only an app made for Android 5 or older waits for its owner's review.
    unreviewed = "REVIEW_REQUIRED" in flags and (target_sdk is None or target_sdk < _LEGACY_SDK)
    if restricted or unreviewed or _COMPAT_DENIED.intersection(flags) or blank in {"ignore", "deny"}:
        return Effective.BLOCKED
    return _BY_MODE.get(mode, Effective.UNKNOWN)


def mode_in_force(
    op: str, uid_modes: Mapping[str, tuple[str, int]], ops: Mapping[str, Op], switches: Mapping[str, str]
) -> tuple[str, int] | None:
    """The uid mode, else the package mode, of `op` or the op that decides for it, and its offset; else ``None``."""
    own = ops.get(op)
    deciding = (own.switch if own is not None else None) or switches.get(op, op)
    if deciding in uid_modes:
        return uid_modes[deciding]
    if own is not None and own.switch is not None:
        return own.mode, own.offset
    return (ops[deciding].mode, ops[deciding].offset) if deciding in ops else None
