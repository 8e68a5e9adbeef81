"""Permission groups: the owner closes a whole group, because one member that stays granted gives the others back.

Source: ``PermissionController`` (Android 6 to 11): where a member of the group is granted, a request for another one is
granted without a question. Later versions ask by group as well; whether silently is not checked there.
"""

from __future__ import annotations

from typing import Final

from privaudit.facts.permission_table import PermissionGroup, group_of_permission
from privaudit.model import AccessState, App, DataClass, EffectiveState, Permission, RequestedState

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
    return group_of_permission(f"android.permission.{_READ_PERMISSION[data_class]}", sdk) or PermissionGroup(
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
