"""The permissions that a capture covers: their app-ops and groups, and what one comes to on a phone.

App-ops and groups: ``AppOpsManager`` and the platform manifest of AOSP 6, 10, 11 and 14. Since Android 10 the manifest
puts every dangerous permission into the group UNDEFINED, so the phone does not tell the groups.

The grant alone does not decide: its flags and the app-op do, too. Rules: ``AppOpsService.checkOperationUnchecked``
(AOSP 11), ``PermissionPolicyService`` (10-14), ``android.content.pm.PackageManager`` flags.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.android import CALL_LOG_GROUP_SDK, PERMISSION_PREFIX, RUNTIME_PERMISSIONS_SDK
from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys.appops import AppOp
from privaudit.model import AccessState, App, DataClass, EffectiveState, Permission, RequestedState


class PermissionGroup(StrEnum):
    """Permissions that the settings show as one line, and that one dialog grants together."""

    CONTACTS = "contacts"
    SMS = "sms"
    CALL_LOG = "call_log"
    PHONE = "phone"
    LOCATION = "location"
    MEDIA = "media"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionInfo:
    """Fixed properties of one permission."""

    op: str
    """App-op that decides in addition to the grant."""
    group: PermissionGroup | None = None
    """Group from Android 9 on; `group_of_permission` returns the one of an older phone."""
    decided_by_app_op: bool = False
    """Whether the app-op alone decides unless its mode is ``default`` (protection level ``appop``)."""
    hard_restricted: bool = False
    """Whether, from Android 10, the flag ``APPLY_RESTRICTION`` disables the grant unless the app is exempt."""


_GROUP_MEMBERS: Final = {
    PermissionGroup.CONTACTS: ("READ_CONTACTS", "WRITE_CONTACTS", "GET_ACCOUNTS"),
    PermissionGroup.SMS: ("READ_SMS", "RECEIVE_SMS", "SEND_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH"),
    PermissionGroup.CALL_LOG: ("READ_CALL_LOG", "WRITE_CALL_LOG", "PROCESS_OUTGOING_CALLS"),
    PermissionGroup.PHONE: ("READ_PHONE_STATE", "READ_PHONE_NUMBERS", "CALL_PHONE", "ANSWER_PHONE_CALLS"),
    PermissionGroup.LOCATION: ("ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION", "ACCESS_BACKGROUND_LOCATION"),
    PermissionGroup.MEDIA: ("READ_EXTERNAL_STORAGE", "READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"),
}
_HARD_RESTRICTED: Final = frozenset((*_GROUP_MEMBERS[PermissionGroup.SMS], *_GROUP_MEMBERS[PermissionGroup.CALL_LOG]))
_OP_NAME_EXCEPTIONS: Final = {
    "ACCESS_FINE_LOCATION": "FINE_LOCATION",
    "ACCESS_COARSE_LOCATION": "COARSE_LOCATION",
    "PACKAGE_USAGE_STATS": "GET_USAGE_STATS",
}
"""Short permission name → app-op, where their names differ."""
READ_PERMISSION: Final = {
    DataClass.CONTACTS: f"{PERMISSION_PREFIX}READ_CONTACTS",
    DataClass.SMS: f"{PERMISSION_PREFIX}READ_SMS",
    DataClass.CALL_LOG: f"{PERMISSION_PREFIX}READ_CALL_LOG",
}
GRANTED_STATES: Final = frozenset(
    {EffectiveState.ALLOWED, EffectiveState.FOREGROUND, EffectiveState.ASK, EffectiveState.BLOCKED}
)
"""States of a permission that is granted, whatever its app-op is set to."""
SPECIAL_PERMISSIONS: Final = {
    f"{PERMISSION_PREFIX}SYSTEM_ALERT_WINDOW": "overlay",
    f"{PERMISSION_PREFIX}PACKAGE_USAGE_STATS": "usage",
    f"{PERMISSION_PREFIX}MANAGE_EXTERNAL_STORAGE": "all_files",
    f"{PERMISSION_PREFIX}REQUEST_INSTALL_PACKAGES": "install_packages",
}
"""Permission with a page of its own in Settings → kind of `privaudit.model.SpecialAccess`."""
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


def _build_permission_info(name: str) -> PermissionInfo:
    short_name = name.removeprefix(PERMISSION_PREFIX)
    return PermissionInfo(
        op=_OP_NAME_EXCEPTIONS.get(short_name, short_name),
        group=next((group for group, members in _GROUP_MEMBERS.items() if short_name in members), None),
        decided_by_app_op=name in SPECIAL_PERMISSIONS,
        hard_restricted=short_name in _HARD_RESTRICTED,
    )


PERMISSION_INFO: Final = {name: _build_permission_info(name) for name in PERMISSIONS}


def evaluate_permission(
    info: PermissionInfo,
    *,
    granted: bool | None,
    flags: Collection[str],
    mode: str | None,
    empty_data_mode: str | None = None,
    target_sdk: int | None = None,
) -> EffectiveState:
    """Return the effective state of the permission `info`, from the permission line (`granted`: ``None``: not read).

    `mode`: active mode of the app-op (see `active_mode`); ``None``: none stored, so that the grant decides.
    `empty_data_mode`: mode of MIUI's own op for empty data, if there is one. `target_sdk`: of the app; ``None``: not
    read.
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


def group_of_permission(permission: str, sdk: int | None) -> PermissionGroup | None:
    """Return the group in which a phone of `sdk` shows `permission`."""
    info = PERMISSION_INFO.get(permission)
    if info is None:
        return None
    is_old = sdk is not None and sdk < CALL_LOG_GROUP_SDK
    return PermissionGroup.PHONE if is_old and info.group is PermissionGroup.CALL_LOG else info.group


def group_of_data_class(data_class: DataClass, sdk: int | None) -> PermissionGroup:
    """Return the group in which a phone of `sdk` shows the permissions for `data_class`."""
    return group_of_permission(READ_PERMISSION[data_class], sdk) or PermissionGroup(data_class.value)


def granted_in_group(app: App, data_class: DataClass, sdk: int | None) -> tuple[Permission, ...]:
    """Return the granted permissions of `app` in the group of `data_class`."""
    group = group_of_data_class(data_class, sdk)
    return tuple(
        permission
        for permission in app.permissions
        if permission.effective in GRANTED_STATES and group_of_permission(permission.name, sdk) is group
    )


def reachable_by_group(app: App, sdk: int | None) -> tuple[DataClass, ...]:
    """Return data that `app` requests and cannot read, although another permission of the same group is granted."""
    requested = {permission.name for permission in app.permissions if permission.requested is RequestedState.YES}
    return tuple(
        data_class
        for data_class, access in app.access.items()
        if access.state is AccessState.NOT_ALLOWED
        and READ_PERMISSION[data_class] in requested
        and granted_in_group(app, data_class, sdk)
    )


def groups_to_revoke(app: App, sdk: int | None) -> tuple[PermissionGroup, ...]:
    """Return the groups to revoke: the app reads the data, is only blocked, or keeps a permission of the group."""
    by_group = reachable_by_group(app, sdk)
    groups = (
        group_of_data_class(data_class, sdk)
        for data_class, access in app.access.items()
        if access.state.allows_reading or access.state is AccessState.BLOCKED or data_class in by_group
    )
    return tuple(dict.fromkeys(groups))
