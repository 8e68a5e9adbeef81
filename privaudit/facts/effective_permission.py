"""Evaluate the effective state of a permission from its grant, its flags and its app-op.

Rules: ``AppOpsService.checkOperationUnchecked`` (AOSP 11), ``PermissionPolicyService`` (10-14),
``android.content.pm.PackageManager`` flags. The grant alone does not decide.
"""

from collections.abc import Collection, Mapping
from typing import Final

from privaudit.android import RUNTIME_PERMISSIONS_SDK
from privaudit.dumpsys.appops import AppOp
from privaudit.facts.permission_table import PermissionInfo
from privaudit.model import EffectiveState

_COMPAT_DENIED_FLAGS: Final = frozenset({"REVOKED_COMPAT", "REVOKE_ON_UPGRADE"})
"""The permission stays granted, but is withheld from an app for Android 5 or older, which cannot handle a denial."""
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
"""Op → op that decides for it (``AppOpsManager.sOpToSwitch``); up to Android 9 dumps do not print it."""


def evaluate_permission(
    info: PermissionInfo,
    *,
    granted: bool | None,
    flags: Collection[str],
    mode: str | None,
    empty_data_mode: str | None = None,
    target_sdk: int | None = None,
) -> EffectiveState:
    """Return the effective state of one permission.

    Args:
        info: the permission.
        granted: the permission line; ``None``: not read.
        flags: flags in the permission line.
        mode: active mode of the app-op (see `active_mode`); ``None``: none stored, so that the grant decides.
        empty_data_mode: mode of MIUI's own op for empty data, if there is one.
        target_sdk: of the app; ``None``: not read.
    """
    if info.decided_by_app_op and mode not in {None, "default"}:
        state = _EFFECTIVE_BY_MODE.get(mode, EffectiveState.UNKNOWN)
        return EffectiveState.DENIED if state is EffectiveState.BLOCKED else state
    if granted is None:
        return EffectiveState.UNKNOWN
    if not granted:
        return EffectiveState.DENIED
    restricted = info.hard_restricted and "APPLY_RESTRICTION" in flags and _RESTRICTION_EXEMPT_FLAGS.isdisjoint(flags)
    # Only for apps that target Android 5 or older the user has to review the permissions before the first start.
    unreviewed = "REVIEW_REQUIRED" in flags and (target_sdk is None or target_sdk < RUNTIME_PERMISSIONS_SDK)
    if restricted or unreviewed or _COMPAT_DENIED_FLAGS.intersection(flags) or empty_data_mode in {"ignore", "deny"}:
        return EffectiveState.BLOCKED
    if empty_data_mode == "unknown":
        return EffectiveState.UNKNOWN
    return _EFFECTIVE_BY_MODE.get(mode, EffectiveState.UNKNOWN)


def active_mode(
    op: str, uid_modes: Mapping[str, tuple[str, int]], ops: Mapping[str, AppOp], switches: Mapping[str, str]
) -> tuple[str, int] | None:
    """Return the mode that applies to `op`, and the offset of its line; ``None``: no mode is stored.

    The op that decides may be another one (`switches`). Its uid mode overrides its package mode.
    """
    state = ops.get(op)
    deciding_op = (state.switch_op if state is not None else None) or switches.get(op, op)
    if deciding_op in uid_modes:
        return uid_modes[deciding_op]
    if state is not None and state.switch_op is not None:
        return state.mode, state.offset
    return (ops[deciding_op].mode, ops[deciding_op].offset) if deciding_op in ops else None
