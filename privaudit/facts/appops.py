"""Reads ``dumpsys appops`` in its four layouts: Android 6-8 (A), 9 (B), 10 (C), 11-16 (D).

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures. A uid mode beats a package mode. Times are in
the phone's own zone, with an age beside them: only the age can be trusted across zones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from itertools import chain
from typing import Final

from privaudit.facts.appops_uids import Dump, Event, Op, Uid, age, read_by, uid_number
from privaudit.facts.lines import pieces
from privaudit.model import ReadBy

__all__ = ["Dump", "Event", "Op", "Uid", "parse"]

_MODES: Final = {"0": "allow", "1": "ignore", "2": "deny", "3": "default", "errored": "deny"} | {
    mode: mode for mode in ("allow", "ignore", "deny", "default", "foreground", "ask")
}
"""Numbers up to Android 8, then names."""
_ASK_OF_MIUI: Final = "4"
"""Up to Android 9. Android's own fourth mode, ``foreground``, came later, and by name."""
_OP: Final = r"([A-Z][A-Z0-9_]*(?:\(\d+\))?)"
_UID = re.compile(r"^  Uid (\d+|u\d+(?:a|s|i|ai)\d+):$")
_PACKAGE = re.compile(r"^    Package (\S+?)(?::| isPrivileged: ?)$")
_UID_MODE = re.compile(rf"^      {_OP}: mode=((?:mode=)?\w+)$")
_WATCHED = re.compile(rf"^      {_OP}: (?:WATCHER|SILENT)$")
"""Below ``foregroundOps:``, from Android 10: who wants to know when an app comes to the front. No mode."""
_OP_A = re.compile(rf"^      {_OP}: mode=(\w+)((?:; (?:time|rejectTime)=\S+ ago)*)(?: \(running\)|; duration=\S+)?$")
_TIME_A = re.compile(r"; (time|rejectTime)=(\S+) ago")
_OP_BCD = re.compile(rf"^      {_OP} \((\w+|mode=\d+)(?: / switch ([A-Z0-9_]+)=(\w+|mode=\d+))?\):\s*$")
_EVENT_CD = re.compile(
    r"^\s+(Access|Reject): \[[a-z]+-([a-z|]+)\] ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
)
_EVENT_B = re.compile(r"^\s+(?:(Access|Reject): )?\s*[a-z]+\s*(=) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)")
_DETAIL = re.compile(r"^ {9,}(?:duration=|Running start at|startNesting=|(?:Access|Reject):\s*$)")
_RECORDS: Final = ("          Access: [", "          Reject: [")
_RECORD = re.compile(
    r"          (Access|Reject): \[[a-z]+-([a-z|]+)\] (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})"
    r" \(-(\d{1,5})d(\d\d?)h(\d\d?)m(\d\d?)s(\d{1,3})ms\)\Z",
    re.ASCII,
)
"""A record of layouts C and D whose age needs no second look."""
_TAG_ENDS: Final = "        ]"
_PLAIN_TAG: Final = frozenset({"        null=[", _TAG_ENDS})
_TAG = re.compile(r"^        (\S.*=\[|\])$")
"""Layout D: what an op recorded stands between these, once per attribution tag."""


def parse(text: str, wanted: AbstractSet[str] | None = None) -> Dump:
    """Read a dump; lines end in LF.

    Args:
        text: the dump.
        wanted: ops of packages whose modes and records are kept, and `Dump.oldest` told of; ``None``: all. The others
            are looked at for what an app may have written among them.
    """
    reader = _Reader(wanted)
    reader.read(text)
    reader.dump.ends = text.endswith("\n\n") or (reader.uid is None and text.endswith("\n"))
    return reader.dump


_PASSED_OVER: Final = Op(mode="", offset=0)
"""Stands in for an op that nobody asked about."""
_NEW: Final = ("", "", None)


class _Reader:
    def __init__(self, wanted: AbstractSet[str] | None) -> None:
        self.wanted = wanted
        self.dump = Dump()
        self.uid: Uid | None = None
        self.ops: dict[str, Op] | None = None
        self.names: set[str] = set()
        self.op: Op | None = None
        self.kind = "Access"
        self.in_tag = self.tag_is_empty = False
        self.layout: re.Pattern[str] | None = None
        self.ops_read: dict[str, tuple[str, str, str | None]] = {}
        """What was read of lines of ops: name, mode, switch. An empty mode: nobody asked about it."""
        self.modes_read: dict[str, tuple[str, str]] = {}
        """And of lines of uid modes."""
        self.by: dict[str, ReadBy | None] = {}
        """And of the letters of a record."""

    def read(self, text: str) -> None:
        offset = 0
        for line in chain.from_iterable(pieces(text, 0)):
            if self.op is not None and line.startswith("        "):
                if line in _PLAIN_TAG and (line == _TAG_ENDS) is self.in_tag:
                    if self.in_tag and self.tag_is_empty and self.op is not _PASSED_OVER:
                        self.op.has_empty_tag = True
                    self.in_tag = self.tag_is_empty = not self.in_tag
                elif self.op is _PASSED_OVER and line.startswith(_RECORDS):
                    self.tag_is_empty = False
                else:
                    self._record(self.op, line, offset)
            elif not self._again(line, offset) and line:
                self.line(line, offset)
            offset += len(line) + 1

    def _record(self, op: Op, line: str, offset: int) -> None:
        match = _RECORD.match(line)
        if match is None or op is _PASSED_OVER:
            self._event(line, offset)
            return
        self.kind, letters, local, d, h, m, s, ms = match.groups()
        self.tag_is_empty = False
        if letters not in self.by:
            self.by[letters] = read_by(letters)
        old = timedelta(int(d), int(s), 0, int(ms), int(m), int(h))
        self._keep(op, self.kind, Event(old, local, offset, self.by[letters]))

    def _again(self, line: str, offset: int) -> bool:
        """Whether `line` says of an op, or a uid's mode, what other lines said already, and may say it here."""
        if self.in_tag or self.uid is None:
            return False
        if self.ops is None:
            name, mode = self.modes_read.get(line, _NEW[:2])
            if not name or name in self.uid.modes:
                return False
            self.uid.modes[name] = mode, offset
            return True
        name, mode, switch = self.ops_read.get(line, _NEW)
        if not name or name in self.names:
            return False
        self.names.add(name)
        if mode:
            self.op = self.ops[name] = Op(mode, offset, switch)
        else:
            self.op = _PASSED_OVER
        return True

    def line(self, line: str, offset: int) -> None:
        if line.startswith("        ") and self.uid is not None:
            self._event(line, offset)
        elif line.startswith("  Uid "):
            self._begin_uid(line)
        elif self.uid is None:
            self._outside(line)
        elif not line.startswith("    "):
            # EMUI 5 breaks its package header over three lines; the other two stand in column 0.
            if line[0] == " ":
                self._leave(line)
                self.uid = self.ops = None
        elif line.startswith("    Package "):
            self._begin_package(line)
        elif line.startswith("      ") and line[6:7].isupper():
            self._op(line, offset)

    def _outside(self, line: str) -> None:
        if self.dump.uids and (line.startswith("    Package ") or _UID_MODE.match(line) or _OP_BCD.match(line)):
            self.dump.unparsed += 1  # something ended the uid to which this line belongs

    def _forged(self, name: str) -> None:
        self.dump.forged = self.dump.forged or name.strip()

    def _leave(self, line: str) -> None:
        """End the op. A tag that is still open holds a line break, and `line` is part of it."""
        if self.in_tag:
            self._forged(line)
        self.op, self.in_tag = None, False

    def _begin_uid(self, line: str) -> None:
        self._leave(line)
        self.uid = self.ops = None
        match = _UID.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        number = uid_number(match[1])
        if number is None:
            self.uid = Uid()  # isolated processes: read over, kept nowhere
        elif number in self.dump.uids:
            self._forged(match[1])
        else:
            self.uid = self.dump.uids[number] = Uid()

    def _begin_package(self, line: str) -> None:
        self._leave(line)
        self.ops = None
        match = _PACKAGE.match(line)
        if match is None or self.uid is None:
            self.dump.unparsed += 1
            return
        if match[1] in self.uid.packages:
            self._forged(match[1])
        self.ops = self.uid.packages.setdefault(match[1], {})
        self.names = set(self.ops)

    def _op(self, line: str, offset: int) -> None:
        self._leave(line)
        if self.ops is None:
            self._uid_mode(line, offset)
            return
        match = _OP_BCD.match(line) or _OP_A.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        name = _op_name(match[1])
        self.layout = self.layout or match.re
        if name in self.names or match.re is not self.layout:
            # Attribution tags are an app's own text and may hold line breaks. No release mixes its layouts.
            self._forged(name)
            return
        self.names.add(name)
        if self.wanted is not None and name not in self.wanted:
            self.op = _PASSED_OVER
            if match.re is _OP_BCD:
                self.ops_read[line] = name, "", None
        elif match.re is _OP_A:
            self.op = self.ops[name] = Op(mode=self._mode(match[2]), offset=offset)
            for kind, word in _TIME_A.findall(match[3]):
                self._keep(self.op, kind, Event(age(word), None, offset))
        else:
            mode = self._mode(match[4] or match[2])
            self.op = self.ops[name] = Op(mode=mode, offset=offset, switch=match[3])
            if mode in _MODES:
                self.ops_read[line] = name, mode, match[3]

    def _uid_mode(self, line: str, offset: int) -> None:
        match = _UID_MODE.match(line)
        if match is None or self.uid is None:
            self.dump.unparsed += _WATCHED.match(line) is None
            return
        name = _op_name(match[1])
        if name in self.uid.modes:
            self._forged(name)
        mode = self._mode(match[2])
        self.uid.modes[name] = mode, offset
        if mode in _MODES:
            self.modes_read[line] = name, mode

    def _mode(self, printed: str) -> str:
        word = printed.removeprefix("mode=")
        if word == _ASK_OF_MIUI and self.layout is not _OP_BCD:
            return "ask"
        self.dump.unparsed += word not in _MODES
        return _MODES.get(word, word)

    def _event(self, line: str, offset: int) -> None:
        if line in _PLAIN_TAG:
            self._tag(line, opens=line != _TAG_ENDS)
            return
        match = _EVENT_CD.match(line) or _EVENT_B.match(line)
        if match is None:
            if tag := _TAG.match(line):
                self._tag(line, opens=tag[1] != "]")
            elif self.ops is not None and not _DETAIL.match(line):
                self.dump.unparsed += 1
            return
        if self.op is None:
            self._forged(line)
            return
        self.tag_is_empty = False
        if self.op is _PASSED_OVER:
            return
        self.kind = match[1] or self.kind  # layout B names it once and lines up the other states below
        self._keep(self.op, self.kind, Event(age(match[4]), match[3], offset, read_by(match[2])))

    def _keep(self, op: Op, kind: str, event: Event) -> None:
        op.latest(kind, event)
        oldest = self.dump.oldest
        if event.age is not None and (oldest is None or oldest.age is None or event.age > oldest.age):
            self.dump.oldest = event

    def _tag(self, line: str, *, opens: bool) -> None:
        if self.op is None or opens == self.in_tag:
            self._forged(line)
        elif not opens and self.tag_is_empty and self.op is not _PASSED_OVER:
            self.op.has_empty_tag = True
        self.in_tag = self.tag_is_empty = opens


_ALIASES: Final[Mapping[str, str]] = {
    "OP_READ_PHONE_STATE": "READ_PHONE_STATE",  # Android 6 prints its own constant's name
    # MIUI and HyperOS print their own ops by number: blank data in place of the real.
    "MIUIOP(10028)": "READ_SMS_REAL",
    "MIUIOP(10029)": "READ_CONTACTS_REAL",
    "MIUIOP(10031)": "READ_CALL_LOG_REAL",
}


def _op_name(printed: str) -> str:
    return _ALIASES.get(printed, printed)
