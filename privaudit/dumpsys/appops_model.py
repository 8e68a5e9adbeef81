"""The nouns of ``dumpsys appops``: uids, ops, events; and the two notations in it.

Sources: ``UserHandle.formatUid``, ``TimeUtils.formatDuration``, ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple

from privaudit.model import ReadBy

_AGE = re.compile(
    r"([+-]?)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?\Z", re.ASCII
)
_APP = re.compile(r"u(\d{1,5})a(\d{1,5})\Z", re.ASCII)
_FIRST_APP_ID: Final = 10000
_MOST_DIGITS: Final = 10
_PER_USER: Final = 100000


class Event(NamedTuple):
    """One recorded use, or refusal."""

    age: timedelta | None
    """Before the dump; ``None``: not printed in a form we know."""
    local: str | None
    """As printed: the phone's own time, ``YYYY-MM-DD HH:MM:SS.mmm``. Layout A prints none."""
    offset: int
    by: ReadBy | None = None
    """Who fetched the data; ``None`` where this layout does not tell."""


@dataclass(slots=True)
class Op:
    """State of one op of one package."""

    mode: str
    offset: int
    switch: str | None = None
    """The op whose mode decides for this one; then `mode` is that op's."""
    access: Event | None = None
    reject: Event | None = None
    has_empty_tag: bool = False
    """Layout D: a tag that holds no event. A tag's own text can look so, and pass its events off as another op's."""

    def latest(self, kind: str, event: Event) -> None:
        """Keep the younger of what is there and `event`."""
        of_access = kind in {"Access", "time"}
        there = self.access if of_access else self.reject
        if there is not None and (event.age is None or (there.age is not None and event.age >= there.age)):
            return
        if of_access:
            self.access = event
        else:
            self.reject = event


@dataclass(slots=True)
class Uid:
    """State of one uid."""

    modes: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Op to uid mode, and where it stands."""
    packages: dict[str, dict[str, Op]] = field(default_factory=dict)


@dataclass(slots=True)
class Dump:
    """Everything read from one ``dumpsys appops``."""

    uids: dict[int, Uid] = field(default_factory=dict)
    unparsed: int = 0
    ends: bool = False
    """Whether something follows the last uid: an empty line, or another part. Android 6 and 7 print nothing there."""
    oldest: Event | None = None
    """Of all records that are kept."""
    forged: str | None = None
    """A uid, package or op that appears twice, or where Android has none: text of an app that passes for Android's."""


def read_by(flags: str) -> ReadBy | None:
    """Who fetched the data, from the letters behind a process state: ``s``, ``tp``, ``up``, ``tpd``, ``upd``.

    Source: ``AppOpsManager.opFlagsToString``, ``OP_FLAG_*``. Several are joined with ``|``.
    """
    words = set(flags.split("|"))
    if "s" in words:
        return ReadBy.ITSELF
    if words & {"tpd", "upd"}:
        return ReadBy.THROUGH_ANOTHER
    return ReadBy.FOR_ANOTHER if words & {"tp", "up"} else None


def uid_number(word: str) -> int | None:
    """``u10a123`` is 1010123 and ``1000`` itself (``UserHandle.formatUid``). ``None`` for isolated and other uids."""
    if word.isdecimal():
        return int(word) if len(word) <= _MOST_DIGITS else None
    match = _APP.match(word)
    return int(match[1]) * _PER_USER + _FIRST_APP_ID + int(match[2]) if match else None


def age(word: str) -> timedelta | None:
    """``+1d2h3m4s5ms`` or ``-…`` (``TimeUtils.formatDuration``) as a positive time; ``None`` if it is none."""
    if word == "0":
        return timedelta()
    match = _AGE.match(word)
    if match is None:
        return None
    d, h, m, s, ms = match.group(2, 3, 4, 5, 6)
    if not (d or h or m or s or ms):
        return None
    try:
        return timedelta(int(d or 0), int(s or 0), 0, int(ms or 0), int(m or 0), int(h or 0))
    except OverflowError:
        return None
