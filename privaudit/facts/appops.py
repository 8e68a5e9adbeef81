"""Reads ``dumpsys appops`` in its four layouts: Android 6-8 (A), 9 (B), 10 (C), 11-16 (D).

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures. A uid mode beats a package mode. Times are in
the phone's own zone, with an age beside them: only the age can be trusted across zones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

_MODES: Final = {"0": "allow", "1": "ignore", "2": "deny", "3": "default", "4": "foreground", "errored": "deny"}
_OP: Final = r"([A-Z][A-Z0-9_]*(?:\(\d+\))?)"
_UID = re.compile(r"^  Uid (\d+|u\d+(?:a|s|i|ai)\d+):$")
_PACKAGE = re.compile(r"^    Package (\S+?)(?::| isPrivileged: ?)$")
_UID_MODE = re.compile(rf"^      {_OP}: mode=(\w+)$")
_WATCHED = re.compile(rf"^      {_OP}: (?:WATCHER|SILENT)$")
"""Below ``foregroundOps:``, from Android 10: who wants to know when an app comes to the front. No mode."""
_OP_A = re.compile(rf"^      {_OP}: mode=(\w+)((?:; (?:time|rejectTime)=\S+ ago)*)(?: \(running\)|; duration=\S+)?$")
_TIME_A = re.compile(r"; (time|rejectTime)=(\S+) ago")
_OP_BCD = re.compile(rf"^      {_OP} \((\w+|mode=\d+)(?: / switch [A-Z0-9_]+=(?:\w+|mode=\d+))?\):\s*$")
_EVENT_CD = re.compile(r"^\s+(Access|Reject): \[[a-z]+-[a-z|]+\] ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)")
_EVENT_B = re.compile(r"^\s+(?:(Access|Reject): )?\s*[a-z]+\s*= (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)")
_AGE = re.compile(r"([+-]?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?\Z")
_APP = re.compile(r"u(\d+)a(\d+)\Z")
_FIRST_APP_ID: Final = 10000
_PER_USER: Final = 100000


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded use, or refusal."""

    age: timedelta | None
    """Before the dump; ``None``: not printed in a form we know."""
    local: str | None
    """As printed: the phone's own time, ``YYYY-MM-DD HH:MM:SS.mmm``. Layout A prints none."""
    offset: int


@dataclass(slots=True)
class Op:
    """State of one op of one package."""

    mode: str | None = None
    offset: int = 0
    access: Event | None = None
    reject: Event | None = None

    def latest(self, kind: str, event: Event) -> None:
        """Keep the younger of what is there and `event`."""
        name = "access" if kind in {"Access", "time"} else "reject"
        there: Event | None = getattr(self, name)
        if there is None or (event.age is not None and (there.age is None or event.age < there.age)):
            setattr(self, name, event)


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
    forged: str | None = None
    """A uid or package that appears twice: text of an app that passes for Android's."""


def uid_number(word: str) -> int | None:
    """``u10a123`` is 1010123 and ``1000`` itself (``UserHandle.formatUid``). ``None`` for isolated and other uids."""
    if word.isdecimal():
        return int(word)
    match = _APP.match(word)
    return int(match[1]) * _PER_USER + _FIRST_APP_ID + int(match[2]) if match else None


def age(word: str) -> timedelta | None:
    """``+1d2h3m4s5ms`` or ``-…`` (``TimeUtils.formatDuration``) as a positive time; ``None`` if it is none."""
    if word == "0":
        return timedelta()
    match = _AGE.match(word)
    if match is None or not any(match.groups()[1:]):
        return None
    days, hours, minutes, seconds, milliseconds = (int(group or 0) for group in match.groups()[1:])
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
    except OverflowError:
        return None


def parse(text: str) -> Dump:
    """Read a dump; lines end in LF."""
    reader = _Reader()
    offset = 0
    for line in text.split("\n"):
        if line:
            reader.line(line, offset)
        offset += len(line) + 1
    return reader.dump


class _Reader:
    def __init__(self) -> None:
        self.dump = Dump()
        self.uid: Uid | None = None
        self.ops: dict[str, Op] | None = None
        self.op: Op | None = None
        self.kind = "Access"

    def line(self, line: str, offset: int) -> None:
        if line.startswith("  Uid "):
            self._begin_uid(line)
        elif self.uid is None:
            return
        elif not line.startswith("    "):
            # EMUI 5 breaks its package header over three lines; the other two stand in column 0.
            if line[0] == " ":
                self.uid = self.ops = self.op = None
        elif line.startswith("    Package "):
            self._begin_package(line)
        elif line.startswith("      ") and line[6:7].isupper():
            self._op(line, offset)
        elif self.op is not None and line.startswith("       "):
            self._event(line, offset)

    def _begin_uid(self, line: str) -> None:
        self.uid = self.ops = self.op = None
        match = _UID.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        number = uid_number(match[1])
        if number is None:
            self.uid = Uid()  # isolated processes: read over, kept nowhere
        elif number in self.dump.uids:
            self.dump.forged = self.dump.forged or match[1]
        else:
            self.uid = self.dump.uids[number] = Uid()

    def _begin_package(self, line: str) -> None:
        self.ops = self.op = None
        match = _PACKAGE.match(line)
        if match is None or self.uid is None:
            self.dump.unparsed += 1
            return
        if match[1] in self.uid.packages:
            self.dump.forged = self.dump.forged or match[1]
        self.ops = self.uid.packages.setdefault(match[1], {})

    def _op(self, line: str, offset: int) -> None:
        self.op = None
        if self.ops is None:
            match = _UID_MODE.match(line)
            if match is None or self.uid is None:
                self.dump.unparsed += _WATCHED.match(line) is None
                return
            self.uid.modes[_op_name(match[1])] = _MODES.get(match[2], match[2]), offset
            return
        match = _OP_BCD.match(line) or _OP_A.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        name, mode = _op_name(match[1]), match[2].removeprefix("mode=")
        if name in self.ops:
            # Attribution tags are an app's own text and may hold line breaks.
            self.dump.forged = self.dump.forged or name
            return
        self.op = self.ops[name] = Op(mode=_MODES.get(mode, mode), offset=offset)
        if match.re is _OP_A:
            for kind, word in _TIME_A.findall(match[3]):
                self.op.latest(kind, Event(age(word), None, offset))

    def _event(self, line: str, offset: int) -> None:
        match = _EVENT_CD.match(line)
        if match is None:
            match = _EVENT_B.match(line)
            if match is None:
                if "Access: " in line or "Reject: " in line:
                    self.dump.unparsed += 1
                return
            self.kind = match[1] or self.kind  # layout B names it once and lines up the other states below
        if self.op is not None:
            self.op.latest(match[1] or self.kind, Event(age(match[3]), match[2], offset))


_ALIASES: Final[Mapping[str, str]] = {
    "OP_READ_PHONE_STATE": "READ_PHONE_STATE",  # Android 6 prints its own constant's name
    # MIUI and HyperOS print their own ops by number: blank data in place of the real.
    "MIUIOP(10028)": "READ_SMS_REAL",
    "MIUIOP(10029)": "READ_CONTACTS_REAL",
    "MIUIOP(10031)": "READ_CALL_LOG_REAL",
}


def _op_name(printed: str) -> str:
    return _ALIASES.get(printed, printed)
