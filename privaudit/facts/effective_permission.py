"""What one permission comes to: grant, flags and app-op put together.

Rules: ``AppOpsService.checkOperationUnchecked`` (AOSP 11), ``PermissionPolicyService`` (10-14),
``android.content.pm.PackageManager`` flags. A permission line alone is not the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from privaudit.android import RUNTIME_PERMISSIONS_SDK
from privaudit.dumpsys.appops_model import AppOp
from privaudit.facts.permission_table import PermissionInfo
from privaudit.model import EffectiveState

_COMPAT_DENIED_FLAGS: Final = frozenset({"REVOKED_COMPAT", "REVOKE_ON_UPGRADE"})
"""Granted on paper; denied to an app made for Android 5 or older, which cannot be told so."""
_RESTRICTION_EXEMPT_FLAGS: Final = frozenset(
    {"RESTRICTION_INSTALLER_EXEMPT", "RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT"}
)

_EFFECTIVE_BY_MODE: Final[Mapping[str | None, EffectiveState]] = {
    None: EffectiveState.ALLOWED,
    "allow": EffectiveState.ALLOWED,
    "default": EffectiveState.ALLOWED,
    "ignore": EffectiveState.BLOCKED,
    "deny": EffectiveState.BLOCKED,
    "foreground": EffectiveState.FOREGROUND,
    "ask": EffectiveState.ASK,
}

OP_SWITCHES_MAX_SDK: Final = 28
OP_SWITCHES: Final[Mapping[str, str]] = {"RECEIVE_MMS": "RECEIVE_SMS", "RECEIVE_WAP_PUSH": "RECEIVE_SMS"}
"""Up to Android 9 another op's mode decides (``AppOpsManager.sOpToSwitch``), and dumps do not say so."""


def evaluate_permission(
    info: PermissionInfo,
    *,
    granted: bool | None,
    flags: Collection[str],
    mode: str | None,
    empty_data_mode: str | None = None,
    target_sdk: int | None = None,
) -> EffectiveState:
    """What one permission comes to.

    Args:
        info: of the permission.
        granted: the permission line; ``None`` where it was not read.
        flags: its flags.
        mode: app-op mode in force, uid mode before package mode; ``None``: none stored, then the grant decides.
        empty_data_mode: mode of MIUI's own op for blank data, if there is one.
        target_sdk: of the app; ``None`` where it was not read.
    """
    if info.decided_by_app_op and mode not in {None, "default"}:
        found = _EFFECTIVE_BY_MODE.get(mode, EffectiveState.UNKNOWN)
        return EffectiveState.DENIED if found is EffectiveState.BLOCKED else found
    if granted is None:
        return EffectiveState.UNKNOWN
    if not granted:
        return EffectiveState.DENIED
    restricted = info.hard_restricted and "APPLY_RESTRICTION" in flags and _RESTRICTION_EXEMPT_FLAGS.isdisjoint(flags)
    # Only an app made for Android 5 or older waits for its owner's review.
    unreviewed = "REVIEW_REQUIRED" in flags and (target_sdk is None or target_sdk < RUNTIME_PERMISSIONS_SDK)
    if restricted or unreviewed or _COMPAT_DENIED_FLAGS.intersection(flags) or empty_data_mode in {"ignore", "deny"}:
        return EffectiveState.BLOCKED
    return _EFFECTIVE_BY_MODE.get(mode, EffectiveState.UNKNOWN)


def active_mode(
    op: str, uid_modes: Mapping[str, tuple[str, int]], ops: Mapping[str, AppOp], switches: Mapping[str, str]
) -> tuple[str, int] | None:
    """The uid mode, else the package mode, of `op` or the op that decides for it, and its offset; else ``None``."""
    own = ops.get(op)
    deciding = (own.switch_op if own is not None else None) or switches.get(op, op)
    if deciding in uid_modes:
        return uid_modes[deciding]
    if own is not None and own.switch_op is not None:
        return own.mode, own.offset
    return (ops[deciding].mode, ops[deciding].offset) if deciding in ops else None
