"""What an app can really read: grant, flags and app-op put together.

Rules: ``AppOpsService.checkOperationUnchecked`` (AOSP 11), ``PermissionPolicyService`` (10-14),
``android.content.pm.PackageManager`` flags. A permission line alone is not the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from privaudit.facts.appops import Event, Op
from privaudit.model import Access, AccessState, DataClass, Effective, History, Permission, Requested

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


DOORS: Final[Mapping[DataClass, tuple[Door, ...]]] = {
    DataClass.CONTACTS: (Door(f"{_PREFIX}READ_CONTACTS", "READ_CONTACTS", "READ_CONTACTS_REAL"),),
    DataClass.SMS: (
        Door(f"{_PREFIX}READ_SMS", "READ_SMS", "READ_SMS_REAL"),
        Door(f"{_PREFIX}RECEIVE_SMS", "RECEIVE_SMS", way="incoming"),
        Door(f"{_PREFIX}RECEIVE_MMS", "RECEIVE_MMS", way="incoming"),
        Door(f"{_PREFIX}RECEIVE_WAP_PUSH", "RECEIVE_WAP_PUSH", way="incoming"),
    ),
    DataClass.CALL_LOG: (Door(f"{_PREFIX}READ_CALL_LOG", "READ_CALL_LOG", "READ_CALL_LOG_REAL"),),
}

_CLOSED_BY_FLAG: Final = frozenset({"REVOKED_COMPAT", "REVOKE_ON_UPGRADE", "REVIEW_REQUIRED"})
"""Granted on paper; an app for Android 5 or older that was denied, or that its owner has not reviewed yet."""

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
class Clock:
    """What turns the ages of app-ops into times."""

    now: datetime | None
    """The phone's time when it was asked."""
    zone: tzinfo | None
    """The phone's, where it was read."""

    def moment(self, event: Event | None) -> datetime | None:
        """When `event` was. Without the phone's time, the local time that was printed; without both, ``None``."""
        if event is None:
            return None
        if self.now is not None and event.age is not None:
            try:
                # Ages are real time: counted back in local time, one from before a clock change would be an hour off.
                then = self.now.astimezone(UTC) - event.age
                return then.astimezone(self.now.tzinfo).replace(microsecond=0)
            except OverflowError:
                return None
        return local_time(event.local, self.zone)


def local_time(printed: str | None, zone: tzinfo | None) -> datetime | None:
    """``2024-01-24 15:15:22``, in the phone's own time; without a zone where `zone` is not known."""
    try:
        return datetime.fromisoformat(printed).replace(microsecond=0, tzinfo=zone) if printed else None
    except ValueError:
        return None


def effective(*, granted: bool | None, flags: Sequence[str], mode: str | None, blank: str | None) -> Effective:
    """What one permission comes to.

    Args:
        granted: the permission line; ``None`` where it was not read.
        flags: its flags.
        mode: app-op mode in force, uid mode before package mode; ``None``: none stored, then the grant decides.
        blank: mode of MIUI's own op for blank data, if there is one.
    """
    if granted is None:
        return Effective.UNKNOWN
    if not granted:
        return Effective.DENIED
    if _CLOSED_BY_FLAG.intersection(flags) or blank in {"ignore", "deny"}:
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


def access(
    data: DataClass,
    permissions: Mapping[str, Permission],
    ops: Mapping[str, Op],
    clock: Clock,
    *,
    ops_whole: bool,
) -> Access:
    """Whether an app can read `data`, by which way, and when it last did.

    Args:
        data: which kind.
        permissions: the app's permissions by name.
        ops: the app's app-ops.
        clock: see `Clock`.
        ops_whole: whether an op that is not there was not recorded.
    """
    doors = DOORS[data]
    states = {door: _state(permissions.get(door.permission)) for door in doors}
    state = min(states.values(), key=_MOST_OPEN_FIRST.index)
    ways = dict.fromkeys(door.way for door, one in states.items() if one.reads)
    own = [op for door in doors if (op := ops.get(door.op)) is not None]
    youngest = _youngest(op.access for op in own)
    sure = ops_whole and not any(op.has_empty_tag for op in own)
    return Access(
        state=state,
        ways=tuple(ways) if "permission" not in ways else ("permission",),
        last_read=clock.moment(youngest),
        last_read_age_s=round(youngest.age.total_seconds()) if youngest and youngest.age is not None else None,
        history=History.RECORDED if youngest else History.NO_RECORD if sure else History.UNKNOWN,
        history_since=None,
    )


def _state(permission: Permission | None) -> AccessState:
    if permission is None:
        return AccessState.NOT_REQUESTED
    if permission.effective is Effective.DENIED:
        return AccessState.NOT_REQUESTED if permission.requested is Requested.NO else AccessState.NOT_ALLOWED
    # Also where this app did not ask: in a shared uid, what one app asked for and got, all have.
    return _STATE[permission.effective]


def _youngest(events: Iterable[Event | None]) -> Event | None:
    known = [event for event in events if event is not None]
    return min(known, key=lambda event: event.age if event.age is not None else timedelta.max, default=None)
