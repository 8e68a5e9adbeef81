"""The nouns of ``dumpsys appops``: uids, ops, events; and the two notations in it.

Sources: ``UserHandle.formatUid``, ``TimeUtils.formatDuration``, ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from privaudit.android import FIRST_APP_ID, PER_USER_RANGE
from privaudit.model import ReadBy

_DURATION = re.compile(
    r"([+-]?)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?\Z", re.ASCII
)
_APP_UID = re.compile(r"u(\d{1,5})a(\d{1,5})\Z", re.ASCII)
_MAX_UID_DIGITS: Final = 10


class AppOpEvent(NamedTuple):
    """One recorded use, or refusal."""

    age: timedelta | None
    """Before the dump; ``None``: not printed in a form we know."""
    local_time: str | None
    """As printed: the phone's own time, ``YYYY-MM-DD HH:MM:SS.mmm``. Layout A prints none."""
    offset: int
    read_by: ReadBy | None = None
    """Who fetched the data; ``None`` where this layout does not tell."""


@dataclass(slots=True)
class AppOp:
    """State of one op of one package."""

    mode: str
    offset: int
    switch_op: str | None = None
    """The op whose mode decides for this one; then `mode` is that op's."""
    last_access: AppOpEvent | None = None
    last_reject: AppOpEvent | None = None
    has_empty_attribution: bool = False
    """Layout D: a tag that holds no event. A tag's own text can look so, and pass its events off as another op's."""

    def keep_latest(self, kind: str, event: AppOpEvent) -> None:
        """Keep the younger of what is there and `event`."""
        of_access = kind in {"Access", "time"}
        there = self.last_access if of_access else self.last_reject
        if there is not None and (event.age is None or (there.age is not None and event.age >= there.age)):
            return
        if of_access:
            self.last_access = event
        else:
            self.last_reject = event


@dataclass(slots=True)
class UidOps:
    """State of one uid."""

    uid_modes: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Op to uid mode, and where it stands."""
    packages: dict[str, dict[str, AppOp]] = field(default_factory=dict)


@dataclass(slots=True)
class AppOpsDump:
    """Everything read from one ``dumpsys appops``."""

    uids: dict[int, UidOps] = field(default_factory=dict)
    unparsed_lines: int = 0
    reached_end: bool = False
    """Whether something follows the last uid: an empty line, or another part. Android 6 and 7 print nothing there."""
    oldest_event: AppOpEvent | None = None
    """Of all records that are kept."""
    forged_name: str | None = None
    """A uid, package or op that appears twice, or where Android has none: text of an app that passes for Android's."""


def parse_op_flags(flags: str) -> ReadBy | None:
    """Who fetched the data, from the letters behind a process state: ``s``, ``tp``, ``up``, ``tpd``, ``upd``.

    Source: ``AppOpsManager.opFlagsToString``, ``OP_FLAG_*``. Several are joined with ``|``.
    """
    words = set(flags.split("|"))
    if "s" in words:
        return ReadBy.ITSELF
    if words & {"tpd", "upd"}:
        return ReadBy.THROUGH_ANOTHER
    return ReadBy.FOR_ANOTHER if words & {"tp", "up"} else None


def parse_uid(printed: str) -> int | None:
    """``u10a123`` is 1010123 and ``1000`` itself (``UserHandle.formatUid``). ``None`` for isolated and other uids."""
    if printed.isdecimal():
        return int(printed) if len(printed) <= _MAX_UID_DIGITS else None
    match = _APP_UID.match(printed)
    return int(match[1]) * PER_USER_RANGE + FIRST_APP_ID + int(match[2]) if match else None


def parse_event_age(printed: str) -> timedelta | None:
    """``+1d2h3m4s5ms`` or ``-…`` (``TimeUtils.formatDuration``) as a positive time; ``None`` if it is none."""
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
