"""What an app can reach of each kind of data, by which ways, and when it last did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from privaudit.dumpsys.appops import Event, Op
from privaudit.dumpsys.clock import Clock
from privaudit.model import Access, AccessState, DataClass, Effective, History, OtherData, Permission, Requested

_PREFIX: Final = "android.permission."


@dataclass(frozen=True, slots=True)
class Door:
    """A permission through which a kind of data is read, and its app-op."""

    permission: str
    op: str
    blank_op: str | None = None
    """MIUI's own op: in ``ignore`` the app gets blank data although the permission is granted."""
    way: str = "permission"
    """``incoming``: only what arrives from now on."""


DOORS: Final[Mapping[DataClass | OtherData, tuple[Door, ...]]] = {
    DataClass.CONTACTS: (Door(f"{_PREFIX}READ_CONTACTS", "READ_CONTACTS", "READ_CONTACTS_REAL"),),
    DataClass.SMS: (
        Door(f"{_PREFIX}READ_SMS", "READ_SMS", "READ_SMS_REAL"),
        Door(f"{_PREFIX}RECEIVE_SMS", "RECEIVE_SMS", way="incoming"),
        Door(f"{_PREFIX}RECEIVE_MMS", "RECEIVE_MMS", way="incoming"),
        Door(f"{_PREFIX}RECEIVE_WAP_PUSH", "RECEIVE_WAP_PUSH", way="incoming"),
    ),
    DataClass.CALL_LOG: (Door(f"{_PREFIX}READ_CALL_LOG", "READ_CALL_LOG", "READ_CALL_LOG_REAL"),),
    OtherData.PHONE: (
        Door(f"{_PREFIX}READ_PHONE_STATE", "READ_PHONE_STATE"),
        Door(f"{_PREFIX}READ_PHONE_NUMBERS", "READ_PHONE_NUMBERS"),
    ),
    OtherData.LOCATION: (
        Door(f"{_PREFIX}ACCESS_FINE_LOCATION", "FINE_LOCATION"),
        Door(f"{_PREFIX}ACCESS_COARSE_LOCATION", "COARSE_LOCATION"),
    ),
    OtherData.MEDIA: (
        Door(f"{_PREFIX}READ_EXTERNAL_STORAGE", "READ_EXTERNAL_STORAGE"),
        Door(f"{_PREFIX}READ_MEDIA_IMAGES", "READ_MEDIA_IMAGES"),
        Door(f"{_PREFIX}READ_MEDIA_VIDEO", "READ_MEDIA_VIDEO"),
    ),
    OtherData.APP_LIST: (Door(f"{_PREFIX}QUERY_ALL_PACKAGES", "QUERY_ALL_PACKAGES"),),
}

SIDE_DOORS: Final[Mapping[str, frozenset[DataClass | OtherData]]] = {
    "default_sms": frozenset({DataClass.SMS}),
    "default_phone": frozenset({DataClass.CALL_LOG}),
    "notification_listener": frozenset({DataClass.SMS}),
    "accessibility": frozenset(DataClass),
    "all_files": frozenset({OtherData.MEDIA}),
    "usage": frozenset({OtherData.APP_LIST}),
}
"""Kind of special access → what it reaches beside the permission of that name.

A role brings its permissions back when they are taken away. Notification access shows new messages, accessibility what
is on the screen. A keyboard, an overlay, an administrator and an installer reach none of these kinds by themselves.
"""

FREE_APP_LIST: Final = "no_permission_needed"
"""Way of every app to the list of apps, below Android 11 or when made for an Android below 11."""
_FILTERED_SDK: Final = 30
_BACKGROUND_SDK: Final = 29
"""From Android 10 location while the app is closed is a permission of its own."""
_MEDIA_SDK: Final = 33
"""From Android 13, for apps made for it, READ_EXTERNAL_STORAGE opens nothing."""
_STATE: Final[Mapping[Effective, AccessState]] = {
    Effective.ALLOWED: AccessState.CAN_READ,
    Effective.FOREGROUND: AccessState.ONLY_WHILE_OPEN,
    Effective.ASK: AccessState.ASKS_EACH_TIME,
    Effective.BLOCKED: AccessState.BLOCKED,
    Effective.UNKNOWN: AccessState.UNKNOWN,
}

_MOST_OPEN_FIRST: Final = (
    AccessState.CAN_READ,
    AccessState.ONLY_WHILE_OPEN,
    AccessState.ASKS_EACH_TIME,
    AccessState.UNKNOWN,
    AccessState.BLOCKED,
    AccessState.NOT_ALLOWED,
    AccessState.NOT_REQUESTED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one app holds, by which its access to each kind of data is told."""

    permissions: Mapping[str, Permission]
    """By name."""
    ops: Mapping[str, Op]
    special: Collection[str]
    """Kinds of special access."""
    ops_whole: bool
    """Whether an op that is not there was not recorded."""
    since: datetime | None
    """How far back records of this app can go."""
    sdk: int | None
    target_sdk: int | None


def access(data: DataClass | OtherData, held: Held, clock: Clock) -> Access:
    """Whether an app can read `data`, by which ways, and when it last did."""
    doors = DOORS[data]
    states = {door: _state(held.permissions.get(door.permission)) for door in doors}
    if data is OtherData.LOCATION:
        states = {door: _while_open(state, held) for door, state in states.items()}
    elif data is OtherData.MEDIA:
        states = {door: _of_files(door, state, held) for door, state in states.items()}
    state = min(states.values(), key=_MOST_OPEN_FIRST.index)
    ways = dict.fromkeys(door.way for door, one in states.items() if one.reads)
    if "permission" in ways:
        ways = {"permission": None}  # old and new: what arrives is among it
    if data is OtherData.APP_LIST and _sees_all_apps(held):
        state, ways = AccessState.CAN_READ, {FREE_APP_LIST: None}
    ways |= dict.fromkeys(kind for kind, reached in SIDE_DOORS.items() if kind in held.special and data in reached)
    own = [op for door in doors if (op := held.ops.get(door.op)) is not None]
    read, refused = _youngest(op.access for op in own), _youngest(op.reject for op in own)
    sure = held.ops_whole and not any(op.has_empty_tag for op in own)
    return Access(
        state=state,
        ways=tuple(ways),
        last_read=clock.moment(read),
        last_read_age_s=_seconds(read),
        history=History.RECORDED if read else History.NO_RECORD if sure else History.UNKNOWN,
        history_since=held.since,
        last_read_by=read.by if read else None,
        last_refused=clock.moment(refused),
        last_refused_age_s=_seconds(refused),
    )


def _state(permission: Permission | None) -> AccessState:
    if permission is None:
        return AccessState.NOT_REQUESTED
    if permission.effective is Effective.DENIED:
        return AccessState.NOT_REQUESTED if permission.requested is Requested.NO else AccessState.NOT_ALLOWED
    # Also where this app did not ask: in a shared uid, what one app asked for and got, all have.
    return _STATE[permission.effective]


def _while_open(state: AccessState, held: Held) -> AccessState:
    """From Android 10 location ends when the app is closed, unless a further permission is granted."""
    background = held.permissions.get(f"{_PREFIX}ACCESS_BACKGROUND_LOCATION")
    closed = background is not None and background.effective is Effective.DENIED
    if state is AccessState.CAN_READ and closed and held.sdk is not None and held.sdk >= _BACKGROUND_SDK:
        return AccessState.ONLY_WHILE_OPEN
    return state


def _of_files(door: Door, state: AccessState, held: Held) -> AccessState:
    new = min(held.sdk or 0, held.target_sdk or 0) >= _MEDIA_SDK
    if new and door.op == "READ_EXTERNAL_STORAGE" and state is not AccessState.NOT_REQUESTED:
        return AccessState.NOT_ALLOWED
    return state


def _sees_all_apps(held: Held) -> bool:
    return any(sdk is not None and sdk < _FILTERED_SDK for sdk in (held.sdk, held.target_sdk))


def _youngest(events: Iterable[Event | None]) -> Event | None:
    known = [event for event in events if event is not None]
    return min(known, key=lambda event: event.age if event.age is not None else timedelta.max, default=None)


def _seconds(event: Event | None) -> int | None:
    return round(event.age.total_seconds()) if event is not None and event.age is not None else None
