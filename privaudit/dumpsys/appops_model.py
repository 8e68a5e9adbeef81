"""Data model of ``dumpsys appops``: uids, ops and events; and the notations of uids, ages and flags in it.

Sources: ``UserHandle.formatUid``, ``TimeUtils.formatDuration``, ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16).
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from privaudit.android import FIRST_APP_ID, PER_USER_RANGE
from privaudit.model import ReadBy

_DURATION = re.compile(
    r"([+-]?)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?\Z", re.ASCII
)
_APP_UID = re.compile(r"u(\d{1,5})a(\d{1,5})\Z", re.ASCII)

_MAX_UID_DIGITS: Final = 10
MODE_NAMES: Final = {"0": "allow", "1": "ignore", "2": "deny", "3": "default", "errored": "deny"} | {
    mode: mode for mode in ("allow", "ignore", "deny", "default", "foreground", "ask")
}
"""Modes are numbers up to Android 8, then names."""


class AppOpEvent(NamedTuple):
    """One recorded use, or refusal."""

    age: timedelta | None
    """Time between the event and the dump; ``None``: printed in an unknown form."""
    local_time: str | None
    """As printed, in the phone's own time zone: ``YYYY-MM-DD HH:MM:SS.mmm``. Layout A does not print it."""
    offset: int
    read_by: ReadBy | None = None
    """Who received the data; ``None`` where the layout does not say."""
    key: str = "appops"
    """Key of the answer in which it stands."""


@dataclass(slots=True)
class AppOp:
    """State of one op of one package."""

    mode: str
    offset: int
    switch_op: str | None = None
    """The op that decides for this one (``AppOpsManager.opToSwitch``); `mode` is then the mode of that op."""
    last_access: AppOpEvent | None = None
    last_reject: AppOpEvent | None = None

    def keep_latest(self, kind: str, event: AppOpEvent) -> None:
        """Store `event` if it is later than the stored event of its `kind`, as the dump names the kind."""
        is_access = kind in {"Access", "time"}
        stored = self.last_access if is_access else self.last_reject
        if stored is not None and (event.age is None or (stored.age is not None and event.age >= stored.age)):
            return
        if is_access:
            self.last_access = event
        else:
            self.last_reject = event


@dataclass(slots=True)
class UidOps:
    """State of one uid."""

    uid_modes: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Op → uid mode and offset of its line."""
    packages: dict[str, dict[str, AppOp]] = field(default_factory=dict)
    """Package → op → its state."""
    is_doubtful: bool = False
    """Whether Android cannot have printed its lines so: an attribution tag, which an app chooses, may imitate them."""
    verified_ops: frozenset[str] = frozenset()
    """Ops whose modes and times come from ``cmd appops get``, where no app's text stands."""
    unread_lines: int = 0
    has_empty_attribution: bool = False
    """Layout D: whether a tag has no events. A tag's text can imitate one to attach its events to another op."""


@dataclass(slots=True)
class AppOpsDump:
    """The content of one ``dumpsys appops``."""

    uids: dict[int, UidOps] = field(default_factory=dict)
    unparsed_lines: int = 0
    reached_end: bool = False
    """Whether something follows the last uid: an empty line or another section. Android 6 and 7 print nothing there."""
    has_tags: bool = False
    """Whether attribution tags occur, in which an app can write: then each event stands inside one."""
    oldest_event: AppOpEvent | None = None
    """The oldest event of the ops that are stored."""


@lru_cache(maxsize=32)
def parse_op_flags(flags: str) -> ReadBy | None:
    """Return who received the data, from the flags after a process state: ``s``, ``tp``, ``up``, ``tpd``, ``upd``.

    Source: ``AppOpsManager.opFlagsToString``, ``OP_FLAG_*``. Several are joined with ``|``.
    """
    names = set(flags.split("|"))
    if "s" in names:
        return ReadBy.ITSELF
    if names & {"tpd", "upd"}:
        return ReadBy.THROUGH_ANOTHER
    return ReadBy.FOR_ANOTHER if names & {"tp", "up"} else None


def parse_uid(printed: str) -> int | None:
    """Parse ``u10a123`` to 1010123 and ``1000`` to 1000 (``UserHandle.formatUid``); ``None`` for isolated uids."""
    if printed.isdecimal():
        return int(printed) if len(printed) <= _MAX_UID_DIGITS else None
    match = _APP_UID.match(printed)
    return int(match[1]) * PER_USER_RANGE + FIRST_APP_ID + int(match[2]) if match else None


def parse_event_age(printed: str) -> timedelta | None:
    """Parse ``+1d2h3m4s5ms`` or ``-…`` (``TimeUtils.formatDuration``) as a positive duration; else ``None``."""
    if printed == "0":
        return timedelta()
    match = _DURATION.match(printed)
    if match is None:
        return None
    d, h, m, s, ms = match.group(2, 3, 4, 5, 6)
    if not (d or h or m or s or ms):
        return None
    try:
        return timedelta(int(d or 0), int(s or 0), 0, int(ms or 0), int(m or 0), int(h or 0))
    except OverflowError:
        return None
