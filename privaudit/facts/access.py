"""What an app can reach of each kind of data, by which ways, and when it last did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from privaudit.android import PACKAGE_VISIBILITY_SDK, PERMISSION_PREFIX
from privaudit.dumpsys.appops_model import AppOp, AppOpEvent
from privaudit.dumpsys.device import DumpClock
from privaudit.model import (
    Access,
    AccessState,
    DataClass,
    EffectiveState,
    History,
    OtherDataClass,
    Permission,
    RequestedState,
)


@dataclass(frozen=True, slots=True)
class DataPermission:
    """A permission through which a kind of data is read, and its app-op."""

    permission: str
    op: str
    empty_data_op: str | None = None
    """MIUI's own op: in ``ignore`` the app gets blank data although the permission is granted."""
    route: str = "permission"
    """``incoming``: only what arrives from now on."""


DATA_PERMISSIONS: Final[Mapping[DataClass | OtherDataClass, tuple[DataPermission, ...]]] = {
    DataClass.CONTACTS: (DataPermission(f"{PERMISSION_PREFIX}READ_CONTACTS", "READ_CONTACTS", "READ_CONTACTS_REAL"),),
    DataClass.SMS: (
        DataPermission(f"{PERMISSION_PREFIX}READ_SMS", "READ_SMS", "READ_SMS_REAL"),
        DataPermission(f"{PERMISSION_PREFIX}RECEIVE_SMS", "RECEIVE_SMS", route="incoming"),
        DataPermission(f"{PERMISSION_PREFIX}RECEIVE_MMS", "RECEIVE_MMS", route="incoming"),
        DataPermission(f"{PERMISSION_PREFIX}RECEIVE_WAP_PUSH", "RECEIVE_WAP_PUSH", route="incoming"),
    ),
    DataClass.CALL_LOG: (DataPermission(f"{PERMISSION_PREFIX}READ_CALL_LOG", "READ_CALL_LOG", "READ_CALL_LOG_REAL"),),
    OtherDataClass.PHONE: (
        DataPermission(f"{PERMISSION_PREFIX}READ_PHONE_STATE", "READ_PHONE_STATE"),
        DataPermission(f"{PERMISSION_PREFIX}READ_PHONE_NUMBERS", "READ_PHONE_NUMBERS"),
    ),
    OtherDataClass.LOCATION: (
        DataPermission(f"{PERMISSION_PREFIX}ACCESS_FINE_LOCATION", "FINE_LOCATION"),
        DataPermission(f"{PERMISSION_PREFIX}ACCESS_COARSE_LOCATION", "COARSE_LOCATION"),
    ),
    OtherDataClass.MEDIA: (
        DataPermission(f"{PERMISSION_PREFIX}READ_EXTERNAL_STORAGE", "READ_EXTERNAL_STORAGE"),
        DataPermission(f"{PERMISSION_PREFIX}READ_MEDIA_IMAGES", "READ_MEDIA_IMAGES"),
        DataPermission(f"{PERMISSION_PREFIX}READ_MEDIA_VIDEO", "READ_MEDIA_VIDEO"),
    ),
    OtherDataClass.APP_LIST: (DataPermission(f"{PERMISSION_PREFIX}QUERY_ALL_PACKAGES", "QUERY_ALL_PACKAGES"),),
}

OTHER_ROUTES: Final[Mapping[str, frozenset[DataClass | OtherDataClass]]] = {
    "default_sms": frozenset({DataClass.SMS}),
    "default_phone": frozenset({DataClass.CALL_LOG}),
    "notification_listener": frozenset({DataClass.SMS}),
    "accessibility": frozenset(DataClass),
    "all_files": frozenset({OtherDataClass.MEDIA}),
    "usage": frozenset({OtherDataClass.APP_LIST}),
}
"""Kind of special access → what it reaches beside the permission of that name.

A role brings its permissions back when they are taken away. Notification access shows new messages, accessibility what
is on the screen. A keyboard, an overlay, an administrator and an installer reach none of these kinds by themselves.
"""

UNRESTRICTED_APP_LIST: Final = "no_permission_needed"
"""Way of every app to the list of apps, below Android 11 or when made for an Android below 11."""
_BACKGROUND_LOCATION_SDK: Final = 29
"""From Android 10 location while the app is closed is a permission of its own."""
_GRANULAR_MEDIA_SDK: Final = 33
"""From Android 13, for apps made for it, READ_EXTERNAL_STORAGE opens nothing."""
_ACCESS_STATE_BY_EFFECTIVE: Final[Mapping[EffectiveState, AccessState]] = {
    EffectiveState.ALLOWED: AccessState.CAN_READ,
    EffectiveState.FOREGROUND: AccessState.ONLY_WHILE_OPEN,
    EffectiveState.ASK: AccessState.ASKS_EACH_TIME,
    EffectiveState.BLOCKED: AccessState.BLOCKED,
    EffectiveState.UNKNOWN: AccessState.UNKNOWN,
}

_ACCESS_STATE_ORDER: Final = (
    AccessState.CAN_READ,
    AccessState.ONLY_WHILE_OPEN,
    AccessState.ASKS_EACH_TIME,
    AccessState.UNKNOWN,
    AccessState.BLOCKED,
    AccessState.NOT_ALLOWED,
    AccessState.NOT_REQUESTED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppGrants:
    """What one app holds, by which its access to each kind of data is told."""

    permissions: Mapping[str, Permission]
    """By name."""
    ops: Mapping[str, AppOp]
    special_access_kinds: Collection[str]
    """Kinds of special access."""
    ops_complete: bool
    """Whether an op that is not there was not recorded."""
    records_since: datetime | None
    """How far back records of this app can go."""
    sdk: int | None
    target_sdk: int | None


def summarise_access(data_class: DataClass, effective: Mapping[str, EffectiveState]) -> AccessState:
    """Return the state of one kind of data from its permissions alone; a denied permission counts as not allowed."""
    states = [
        _ACCESS_STATE_BY_EFFECTIVE.get(effective[one.permission], AccessState.NOT_ALLOWED)
        for one in DATA_PERMISSIONS[data_class]
    ]
    return min(states, key=_ACCESS_STATE_ORDER.index) if len(states) > 1 else states[0]


def evaluate_access(data_class: DataClass | OtherDataClass, grants: AppGrants, clock: DumpClock) -> Access:
    """Whether an app can read `data_class`, by which ways, and when it last did."""
    doors = DATA_PERMISSIONS[data_class]
    states = {door: _access_state(grants.permissions.get(door.permission)) for door in doors}
    if data_class is OtherDataClass.LOCATION:
        states = {door: _limit_background_location(state, grants) for door, state in states.items()}
    elif data_class is OtherDataClass.MEDIA:
        states = {door: _media_state(door, state, grants) for door, state in states.items()}
    state = min(states.values(), key=_ACCESS_STATE_ORDER.index)
    ways = dict.fromkeys(door.route for door, one in states.items() if one.allows_reading)
    if "permission" in ways:
        ways = {"permission": None}  # old and new: what arrives is among it
    if data_class is OtherDataClass.APP_LIST and _sees_all_apps(grants):
        state, ways = AccessState.CAN_READ, {UNRESTRICTED_APP_LIST: None}
    ways |= dict.fromkeys(
        kind for kind, reached in OTHER_ROUTES.items() if kind in grants.special_access_kinds and data_class in reached
    )
    own = [op for door in doors if (op := grants.ops.get(door.op)) is not None]
    read, refused = _latest_event(op.last_access for op in own), _latest_event(op.last_reject for op in own)
    sure = grants.ops_complete and not any(op.has_empty_attribution for op in own)
    return Access(
        state=state,
        ways=tuple(ways),
        last_read=clock.event_time(read),
        last_read_age_s=_age_seconds(read),
        history=History.RECORDED if read else History.NO_RECORD if sure else History.UNKNOWN,
        history_since=grants.records_since,
        last_read_by=read.read_by if read else None,
        last_refused=clock.event_time(refused),
        last_refused_age_s=_age_seconds(refused),
    )


def _access_state(permission: Permission | None) -> AccessState:
    if permission is None:
        return AccessState.NOT_REQUESTED
    if permission.effective is EffectiveState.DENIED:
        return AccessState.NOT_REQUESTED if permission.requested is RequestedState.NO else AccessState.NOT_ALLOWED
    # Also where this app did not ask: in a shared uid, what one app asked for and got, all have.
    return _ACCESS_STATE_BY_EFFECTIVE[permission.effective]


def _limit_background_location(state: AccessState, grants: AppGrants) -> AccessState:
    """From Android 10 location ends when the app is closed, unless a further permission is granted."""
    background = grants.permissions.get(f"{PERMISSION_PREFIX}ACCESS_BACKGROUND_LOCATION")
    closed = background is not None and background.effective is EffectiveState.DENIED
    if state is AccessState.CAN_READ and closed and grants.sdk is not None and grants.sdk >= _BACKGROUND_LOCATION_SDK:
        return AccessState.ONLY_WHILE_OPEN
    return state


def _media_state(data_permission: DataPermission, state: AccessState, grants: AppGrants) -> AccessState:
    new = min(grants.sdk or 0, grants.target_sdk or 0) >= _GRANULAR_MEDIA_SDK
    if new and data_permission.op == "READ_EXTERNAL_STORAGE" and state is not AccessState.NOT_REQUESTED:
        return AccessState.NOT_ALLOWED
    return state


def _sees_all_apps(grants: AppGrants) -> bool:
    return any(sdk is not None and sdk < PACKAGE_VISIBILITY_SDK for sdk in (grants.sdk, grants.target_sdk))


def _latest_event(events: Iterable[AppOpEvent | None]) -> AppOpEvent | None:
    known = [event for event in events if event is not None]
    return min(known, key=lambda event: event.age if event.age is not None else timedelta.max, default=None)


def _age_seconds(event: AppOpEvent | None) -> int | None:
    return round(event.age.total_seconds()) if event is not None and event.age is not None else None
