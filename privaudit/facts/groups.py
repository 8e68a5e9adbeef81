"""Permission groups: the owner closes a whole group, because one member that stays granted gives the others back.

Source: ``PermissionController`` (Android 6 to 11): where a member of the group is granted, a request for another one is
granted without a question. Later versions ask by group as well; whether silently is not checked there.
"""

from __future__ import annotations

from typing import Final

from privaudit.facts.permission_table import Group, group_of
from privaudit.model import AccessState, App, DataClass, Effective, Permission, Requested

_READING: Final = {DataClass.CONTACTS: "READ_CONTACTS", DataClass.SMS: "READ_SMS", DataClass.CALL_LOG: "READ_CALL_LOG"}
GRANTED: Final = frozenset({Effective.ALLOWED, Effective.FOREGROUND, Effective.ASK, Effective.BLOCKED})
"""Granted, whatever an app-op makes of it."""


def group(data: DataClass, sdk: int | None) -> Group:
    """The group in which a phone of `sdk` shows the permissions for `data`."""
    return group_of(f"android.permission.{_READING[data]}", sdk) or Group(data.value)


def granted(app: App, data: DataClass, sdk: int | None) -> tuple[Permission, ...]:
    """Permissions of the group of `data` that `app` was given."""
    wanted = group(data, sdk)
    return tuple(one for one in app.permissions if one.effective in GRANTED and group_of(one.name, sdk) is wanted)


def open_by_group(app: App, sdk: int | None) -> tuple[DataClass, ...]:
    """Data that `app` asks for and cannot read, though another permission of the same group is granted."""
    asked = {one.name.rpartition(".")[2] for one in app.permissions if one.requested is Requested.YES}
    return tuple(
        data
        for data, access in app.access.items()
        if access.state is AccessState.NOT_ALLOWED and _READING[data] in asked and granted(app, data, sdk)
    )


def to_close(app: App, sdk: int | None) -> tuple[Group, ...]:
    """Groups that the owner closes: where the app reads, is only blocked, or keeps a member of the group."""
    by_group = open_by_group(app, sdk)
    found = (
        group(data, sdk)
        for data, access in app.access.items()
        if access.state.reads or access.state is AccessState.BLOCKED or data in by_group
    )
    return tuple(dict.fromkeys(found))
