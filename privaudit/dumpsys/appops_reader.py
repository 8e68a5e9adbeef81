"""Reads lines of ``dumpsys appops``, each looked at closely; what an app may have written among them is told.

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from privaudit.dumpsys.appops_lines import (
    ASK_OF_MIUI,
    DETAIL,
    EVENT_B,
    EVENT_CD,
    MODES,
    OP_A,
    OP_BCD,
    PACKAGE,
    PLAIN_TAG,
    TAG,
    TAG_ENDS,
    TIME_A,
    UID,
    UID_MODE,
    WATCHED,
    op_name,
)
from privaudit.dumpsys.appops_model import Dump, Event, Op, Uid, age, read_by, uid_number

PASSED_OVER: Final = Op(mode="", offset=0)
"""Stands in for an op that nobody asked about."""


class Reader:
    """Fills `dump`; it remembers what lines said that come again for other apps.

    Args:
        wanted: ops of packages that are kept; ``None``: all.
    """

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
        self.idle: set[str] = set()
        """Lines that say nothing of interest about a uid."""

    def line(self, line: str, offset: int) -> None:
        """Read one line."""
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
        else:
            self.idle.add(line)

    def _outside(self, line: str) -> None:
        if self.dump.uids and (line.startswith("    Package ") or UID_MODE.match(line) or OP_BCD.match(line)):
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
        match = UID.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        number, self.uid = uid_number(match[1]), Uid()
        if number in self.dump.uids:
            self._forged(match[1])
        elif number is not None:  # else: isolated processes, read over and kept nowhere
            self.dump.uids[number] = self.uid

    def _begin_package(self, line: str) -> None:
        self._leave(line)
        self.ops = None
        match = PACKAGE.match(line)
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
        match = OP_BCD.match(line) or OP_A.match(line)
        if match is None:
            self.dump.unparsed += 1
            return
        name = op_name(match[1])
        self.layout = self.layout or match.re
        if name in self.names or match.re is not self.layout:
            # Attribution tags are an app's own text and may hold line breaks. No release mixes its layouts.
            self._forged(name)
            return
        self.names.add(name)
        if self.wanted is not None and name not in self.wanted:
            self.op = PASSED_OVER
            if match.re is OP_BCD:
                self.ops_read[line] = name, "", None
        elif match.re is OP_A:
            self.op = self.ops[name] = Op(mode=self._mode(match[2]), offset=offset)
            for kind, word in TIME_A.findall(match[3]):
                self.take(self.op, kind, Event(age(word), None, offset))
        else:
            mode = self._mode(match[4] or match[2])
            self.op = self.ops[name] = Op(mode=mode, offset=offset, switch=match[3])
            if mode in MODES:
                self.ops_read[line] = name, mode, match[3]

    def _uid_mode(self, line: str, offset: int) -> None:
        match = UID_MODE.match(line)
        if match is None or self.uid is None:
            self.dump.unparsed += WATCHED.match(line) is None
            return
        name = op_name(match[1])
        if name in self.uid.modes:
            self._forged(name)
        mode = self._mode(match[2])
        self.uid.modes[name] = mode, offset
        if mode in MODES and mode != "ask":  # MIUI's number for it is that only as long as the layout is A
            self.modes_read[line] = name, mode

    def _mode(self, printed: str) -> str:
        word = printed.removeprefix("mode=")
        if word == ASK_OF_MIUI and self.layout is not OP_BCD:
            return "ask"
        self.dump.unparsed += word not in MODES
        return MODES.get(word, word)

    def _event(self, line: str, offset: int) -> None:
        if line in PLAIN_TAG:
            self._tag(line, opens=line != TAG_ENDS)
            return
        match = EVENT_CD.match(line) or EVENT_B.match(line)
        if match is None:
            if tag := TAG.match(line):
                self._tag(line, opens=tag[1] != "]")
            elif self.ops is not None and not DETAIL.match(line):
                self.dump.unparsed += 1
            return
        if self.op is None:
            self._forged(line)
            return
        self.tag_is_empty = False
        if self.op is PASSED_OVER:
            return
        self.kind = match[1] or self.kind  # layout B names it once and lines up the other states below
        self.take(self.op, self.kind, Event(age(match[4]), match[3], offset, read_by(match[2])))

    def take(self, op: Op, kind: str, event: Event) -> None:
        """Keep what is told by the youngest record of `op`, and by the oldest of all."""
        op.latest(kind, event)
        oldest = self.dump.oldest
        if event.age is not None and (oldest is None or oldest.age is None or event.age > oldest.age):
            self.dump.oldest = event

    def _tag(self, line: str, *, opens: bool) -> None:
        if self.op is None or opens == self.in_tag:
            self._forged(line)
        elif not opens and self.tag_is_empty and self.op is not PASSED_OVER:
            self.op.has_empty_tag = True
        self.in_tag = self.tag_is_empty = opens
