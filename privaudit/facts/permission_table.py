"""Each permission that is asked about: its app-op, its group, and what decides it.

Source: ``AppOpsManager`` and the platform manifest of AOSP 6, 10, 11 and 14. Since Android 10 the manifest puts every
dangerous permission into a group UNDEFINED, so the phone itself cannot be asked for the groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privaudit.android import CALL_LOG_GROUP_SDK, PERMISSION_PREFIX
from privaudit.capture.questions import PERMISSIONS
from privaudit.model import AccessState, App, DataClass, EffectiveState, Permission, RequestedState


class PermissionGroup(StrEnum):
    """What the permission page shows as one line, and one answer to the phone's question opens."""

    CONTACTS = "contacts"
    SMS = "sms"
    CALL_LOG = "call_log"
    PHONE = "phone"
    LOCATION = "location"
    MEDIA = "media"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionInfo:
    """What is fixed of one permission."""

    op: str
    """App-op whose mode decides beside the grant."""
    group: PermissionGroup | None = None
    """From Android 9; `group_of_permission` gives the one of an older phone."""
    decided_by_app_op: bool = False
    """Whether the app-op's mode decides alone, and the grant only where it is ``default`` (``appop`` protection)."""
    hard_restricted: bool = False
    """From Android 10 of no effect where ``APPLY_RESTRICTION`` is set and nobody exempted the app."""


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
"""Where the op does not go by the permission's own name."""

SPECIAL_PERMISSIONS: Final = {
    f"{PERMISSION_PREFIX}SYSTEM_ALERT_WINDOW": "overlay",
    f"{PERMISSION_PREFIX}PACKAGE_USAGE_STATS": "usage",
    f"{PERMISSION_PREFIX}MANAGE_EXTERNAL_STORAGE": "all_files",
    f"{PERMISSION_PREFIX}REQUEST_INSTALL_PACKAGES": "install_packages",
}
"""Permissions with a page of their own in Settings → kind of `privaudit.model.SpecialAccess`."""


def _build_permission_info(name: str) -> PermissionInfo:
    short = name.removeprefix(PERMISSION_PREFIX)
    return PermissionInfo(
        op=_OP_NAME_EXCEPTIONS.get(short, short),
        group=next((group for group, members in _GROUP_MEMBERS.items() if short in members), None),
        decided_by_app_op=name in SPECIAL_PERMISSIONS,
        hard_restricted=short in _HARD_RESTRICTED,
    )


PERMISSION_INFO: Final = {name: _build_permission_info(name) for name in PERMISSIONS}


def group_of_permission(permission: str, sdk: int | None) -> PermissionGroup | None:
    """The group that a phone of `sdk` shows `permission` in."""
    trait = PERMISSION_INFO.get(permission)
    old = sdk is not None and sdk < CALL_LOG_GROUP_SDK
    if trait is None:
        return None
    return PermissionGroup.PHONE if old and trait.group is PermissionGroup.CALL_LOG else trait.group


_READ_PERMISSION: Final = {
    DataClass.CONTACTS: "READ_CONTACTS",
    DataClass.SMS: "READ_SMS",
    DataClass.CALL_LOG: "READ_CALL_LOG",
}
GRANTED_STATES: Final = frozenset(
    {EffectiveState.ALLOWED, EffectiveState.FOREGROUND, EffectiveState.ASK, EffectiveState.BLOCKED}
)
"""Granted, whatever an app-op makes of it."""


def group_of_data_class(data_class: DataClass, sdk: int | None) -> PermissionGroup:
    """The group in which a phone of `sdk` shows the permissions for `data_class`."""
    return group_of_permission(f"{PERMISSION_PREFIX}{_READ_PERMISSION[data_class]}", sdk) or PermissionGroup(
        data_class.value
    )


def granted_in_group(app: App, data_class: DataClass, sdk: int | None) -> tuple[Permission, ...]:
    """Permissions of the group of `data_class` that `app` was given."""
    wanted = group_of_data_class(data_class, sdk)
    return tuple(
        one
        for one in app.permissions
        if one.effective in GRANTED_STATES and group_of_permission(one.name, sdk) is wanted
    )


def reachable_by_group(app: App, sdk: int | None) -> tuple[DataClass, ...]:
    """Data that `app` asks for and cannot read, though another permission of the same group is granted."""
    asked = {one.name.rpartition(".")[2] for one in app.permissions if one.requested is RequestedState.YES}
    return tuple(
        data
        for data, access in app.access.items()
        if access.state is AccessState.NOT_ALLOWED
        and _READ_PERMISSION[data] in asked
        and granted_in_group(app, data, sdk)
    )


def groups_to_revoke(app: App, sdk: int | None) -> tuple[PermissionGroup, ...]:
    """Groups that the owner closes: where the app reads, is only blocked, or keeps a member of the group."""
    by_group = reachable_by_group(app, sdk)
    found = (
        group_of_data_class(data, sdk)
        for data, access in app.access.items()
        if access.state.allows_reading or access.state is AccessState.BLOCKED or data in by_group
    )
    return tuple(dict.fromkeys(found))
