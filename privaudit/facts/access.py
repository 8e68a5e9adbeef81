"""Evaluate whether an app can read each class of data, by which routes, and when it last did."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from privaudit.android import PACKAGE_VISIBILITY_SDK, PERMISSION_PREFIX
from privaudit.dumpsys.appops import AppOp, AppOpEvent
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
    """A permission that opens a class of data, and its app-op."""

    permission: str
    op: str
    empty_data_op: str | None = None
    """MIUI's own op: in mode ``ignore`` the app gets empty data although the permission is granted."""
    route: str = "permission"
    """``incoming``: the permission opens only messages that arrive from now on."""


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
"""Kind of special access → data that it opens in addition to the permissions.

A role restores its permissions after they are revoked. Notification access shows new messages, accessibility whatever
is on the screen. A keyboard, an overlay, a device admin and an installer open none of these data by themselves.
"""

UNRESTRICTED_APP_LIST: Final = "no_permission_needed"
"""Route of every app to the list of apps before Android 11, or if it targets an Android before 11."""
_BACKGROUND_LOCATION_SDK: Final = 29
"""From Android 10 location in the background needs a permission of its own."""
_GRANULAR_MEDIA_SDK: Final = 33
"""From Android 13 READ_EXTERNAL_STORAGE opens nothing for apps that target it."""
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
"""The most open state first; if several permissions open the data, the most open one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppGrants:
    """What one app was granted; its access to each class of data follows from it."""

    permissions: Mapping[str, Permission]
    """By name."""
    ops: Mapping[str, AppOp]
    special_access_kinds: Collection[str]
    ops_complete: bool
    """Whether an op that is not in `ops` has no event."""
    verified_ops: frozenset[str] = frozenset()
    """Ops for which this is certain in any case."""
    records_since: datetime | None
    """How far back the events of this app can go."""
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
    """Return whether an app can read `data_class`, by which routes, and when it last did."""
    data_permissions = DATA_PERMISSIONS[data_class]
    states = {info: _access_state(grants.permissions.get(info.permission)) for info in data_permissions}
    if data_class is OtherDataClass.LOCATION:
        states = {info: _limit_background_location(state, grants) for info, state in states.items()}
    elif data_class is OtherDataClass.MEDIA:
        states = {info: _media_state(info, state, grants) for info, state in states.items()}
    most_open = min(states.values(), key=_ACCESS_STATE_ORDER.index)
    routes = dict.fromkeys(info.route for info, state in states.items() if state.allows_reading)
    if "permission" in routes:
        routes = {"permission": None}  # includes what arrives from now on
    sees_all_apps = any(sdk is not None and sdk < PACKAGE_VISIBILITY_SDK for sdk in (grants.sdk, grants.target_sdk))
    if data_class is OtherDataClass.APP_LIST and sees_all_apps:
        most_open, routes = AccessState.CAN_READ, {UNRESTRICTED_APP_LIST: None}
    routes |= dict.fromkeys(
        kind for kind, opened in OTHER_ROUTES.items() if kind in grants.special_access_kinds and data_class in opened
    )
    ops = [op for info in data_permissions if (op := grants.ops.get(info.op)) is not None]
    read, refused = _latest_event(op.last_access for op in ops), _latest_event(op.last_reject for op in ops)
    is_complete = grants.ops_complete or all(info.op in grants.verified_ops for info in data_permissions)
    no_event_history = History.NO_RECORD if is_complete else History.UNKNOWN
    return Access(
        state=most_open,
        ways=tuple(routes),
        last_read=clock.event_time(read),
        last_read_age_s=_age_seconds(read),
        history=History.RECORDED if read else no_event_history,
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
    # Even if this app did not request it: a grant to one app of a shared uid applies to all of them.
    return _ACCESS_STATE_BY_EFFECTIVE[permission.effective]


def _limit_background_location(state: AccessState, grants: AppGrants) -> AccessState:
    """Lower `state` if Android 10 or later denies the app location in the background."""
    background = grants.permissions.get(f"{PERMISSION_PREFIX}ACCESS_BACKGROUND_LOCATION")
    is_denied = background is not None and background.effective is EffectiveState.DENIED
    is_separate = grants.sdk is not None and grants.sdk >= _BACKGROUND_LOCATION_SDK
    return AccessState.ONLY_WHILE_OPEN if state is AccessState.CAN_READ and is_denied and is_separate else state


def _media_state(data_permission: DataPermission, state: AccessState, grants: AppGrants) -> AccessState:
    is_granular = min(grants.sdk or 0, grants.target_sdk or 0) >= _GRANULAR_MEDIA_SDK
    if is_granular and data_permission.op == "READ_EXTERNAL_STORAGE" and state is not AccessState.NOT_REQUESTED:
        return AccessState.NOT_ALLOWED
    return state


def _latest_event(events: Iterable[AppOpEvent | None]) -> AppOpEvent | None:
    recorded = [event for event in events if event is not None]
    return min(recorded, key=lambda event: event.age if event.age is not None else timedelta.max, default=None)


def _age_seconds(event: AppOpEvent | None) -> int | None:
    return round(event.age.total_seconds()) if event is not None and event.age is not None else None
