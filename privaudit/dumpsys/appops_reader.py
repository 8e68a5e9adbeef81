"""Reads lines of ``dumpsys appops``, each looked at closely; what an app may have written among them is told.

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from privaudit.dumpsys.appops_lines import (
    ATTRIBUTION_END,
    ATTRIBUTION_LINE,
    EVENT_DETAIL_LINE,
    EVENT_LINE_B,
    EVENT_LINE_CD,
    MIUI_ASK_MODE,
    MODE_NAMES,
    OP_LINE_A,
    OP_LINE_BCD,
    OP_TIME_A,
    PACKAGE_LINE,
    SIMPLE_ATTRIBUTION_LINES,
    UID_LINE,
    UID_MODE_LINE,
    WATCHER_LINE,
    canonical_op_name,
)
from privaudit.dumpsys.appops_model import (
    AppOp,
    AppOpEvent,
    AppOpsDump,
    UidOps,
    parse_event_age,
    parse_op_flags,
    parse_uid,
)

IGNORED_OP: Final = AppOp(mode="", offset=0)
"""Stands in for an op that nobody asked about."""


class AppOpsLineParser:
    """Fills `dump`; it remembers what lines said that come again for other apps.

    Args:
        wanted: ops of packages that are kept; ``None``: all.
    """

    def __init__(self, kept_ops: AbstractSet[str] | None) -> None:
        self.kept_ops = kept_ops
        self.dump = AppOpsDump()
        self.current_uid: UidOps | None = None
        self.current_ops: dict[str, AppOp] | None = None
        self.seen_ops: set[str] = set()
        self.current_op: AppOp | None = None
        self.event_kind = "Access"
        self.in_attribution = self.attribution_is_empty = False
        self.op_line_pattern: re.Pattern[str] | None = None
        self.known_op_lines: dict[str, tuple[str, str, str | None]] = {}
        """What was read of lines of ops: name, mode, switch. An empty mode: nobody asked about it."""
        self.known_mode_lines: dict[str, tuple[str, str]] = {}
        """And of lines of uid modes."""
        self.ignored_lines: set[str] = set()
        """Lines that say nothing of interest about a uid."""

    def parse_line(self, line: str, offset: int) -> None:
        """Read one line."""
        if line.startswith("        ") and self.current_uid is not None:
            self._parse_event(line, offset)
        elif line.startswith("  Uid "):
            self._begin_uid(line)
        elif self.current_uid is None:
            self._parse_outside_uid(line)
        elif not line.startswith("    "):
            # EMUI 5 breaks its package header over three lines; the other two stand in column 0.
            if line[0] == " ":
                self._end_op(line)
                self.current_uid = self.current_ops = None
        elif line.startswith("    Package "):
            self._begin_package(line)
        elif line.startswith("      ") and line[6:7].isupper():
            self._parse_op(line, offset)
        else:
            self.ignored_lines.add(line)

    def _parse_outside_uid(self, line: str) -> None:
        if self.dump.uids and (line.startswith("    Package ") or UID_MODE_LINE.match(line) or OP_LINE_BCD.match(line)):
            self.dump.unparsed_lines += 1  # something ended the uid to which this line belongs

    def _mark_forged(self, name: str) -> None:
        self.dump.forged_name = self.dump.forged_name or name.strip()

    def _end_op(self, line: str) -> None:
        """End the op. A tag that is still open holds a line break, and `line` is part of it."""
        if self.in_attribution:
            self._mark_forged(line)
        self.current_op, self.in_attribution = None, False

    def _begin_uid(self, line: str) -> None:
        self._end_op(line)
        self.current_uid = self.current_ops = None
        match = UID_LINE.match(line)
        if match is None:
            self.dump.unparsed_lines += 1
            return
        number, self.current_uid = parse_uid(match[1]), UidOps()
        if number in self.dump.uids:
            self._mark_forged(match[1])
        elif number is not None:  # else: isolated processes, read over and kept nowhere
            self.dump.uids[number] = self.current_uid

    def _begin_package(self, line: str) -> None:
        self._end_op(line)
        self.current_ops = None
        match = PACKAGE_LINE.match(line)
        if match is None or self.current_uid is None:
            self.dump.unparsed_lines += 1
            return
        if match[1] in self.current_uid.packages:
            self._mark_forged(match[1])
        self.current_ops = self.current_uid.packages.setdefault(match[1], {})
        self.seen_ops = set(self.current_ops)

    def _parse_op(self, line: str, offset: int) -> None:
        self._end_op(line)
        if self.current_ops is None:
            self._parse_uid_mode(line, offset)
            return
        match = OP_LINE_BCD.match(line) or OP_LINE_A.match(line)
        if match is None:
            self.dump.unparsed_lines += 1
            return
        name = canonical_op_name(match[1])
        self.op_line_pattern = self.op_line_pattern or match.re
        if name in self.seen_ops or match.re is not self.op_line_pattern:
            # Attribution tags are an app's own text and may hold line breaks. No release mixes its layouts.
            self._mark_forged(name)
            return
        self.seen_ops.add(name)
        if self.kept_ops is not None and name not in self.kept_ops:
            self.current_op = IGNORED_OP
            if match.re is OP_LINE_BCD:
                self.known_op_lines[line] = name, "", None
        elif match.re is OP_LINE_A:
            self.current_op = self.current_ops[name] = AppOp(mode=self._parse_mode(match[2]), offset=offset)
            for kind, word in OP_TIME_A.findall(match[3]):
                self.keep_event(self.current_op, kind, AppOpEvent(parse_event_age(word), None, offset))
        else:
            mode = self._parse_mode(match[4] or match[2])
            self.current_op = self.current_ops[name] = AppOp(mode=mode, offset=offset, switch_op=match[3])
            if mode in MODE_NAMES:
                self.known_op_lines[line] = name, mode, match[3]

    def _parse_uid_mode(self, line: str, offset: int) -> None:
        match = UID_MODE_LINE.match(line)
        if match is None or self.current_uid is None:
            self.dump.unparsed_lines += WATCHER_LINE.match(line) is None
            return
        name = canonical_op_name(match[1])
        if name in self.current_uid.uid_modes:
            self._mark_forged(name)
        mode = self._parse_mode(match[2])
        self.current_uid.uid_modes[name] = mode, offset
        if mode in MODE_NAMES and mode != "ask":  # MIUI's number for it is that only as long as the layout is A
            self.known_mode_lines[line] = name, mode

    def _parse_mode(self, printed: str) -> str:
        word = printed.removeprefix("mode=")
        if word == MIUI_ASK_MODE and self.op_line_pattern is not OP_LINE_BCD:
            return "ask"
        self.dump.unparsed_lines += word not in MODE_NAMES
        return MODE_NAMES.get(word, word)

    def _parse_event(self, line: str, offset: int) -> None:
        if line in SIMPLE_ATTRIBUTION_LINES:
            self._open_or_close_attribution(line, opens=line != ATTRIBUTION_END)
            return
        match = EVENT_LINE_CD.match(line) or EVENT_LINE_B.match(line)
        if match is None:
            if tag := ATTRIBUTION_LINE.match(line):
                self._open_or_close_attribution(line, opens=tag[1] != "]")
            elif self.current_ops is not None and not EVENT_DETAIL_LINE.match(line):
                self.dump.unparsed_lines += 1
            return
        if self.current_op is None:
            self._mark_forged(line)
            return
        self.attribution_is_empty = False
        if self.current_op is IGNORED_OP:
            return
        self.event_kind = match[1] or self.event_kind  # layout B names it once and lines up the other states below
        self.keep_event(
            self.current_op,
            self.event_kind,
            AppOpEvent(parse_event_age(match[4]), match[3], offset, parse_op_flags(match[2])),
        )

    def keep_event(self, op: AppOp, kind: str, event: AppOpEvent) -> None:
        """Keep what is told by the youngest record of `op`, and by the oldest of all."""
        op.keep_latest(kind, event)
        oldest = self.dump.oldest_event
        if event.age is not None and (oldest is None or oldest.age is None or event.age > oldest.age):
            self.dump.oldest_event = event

    def _open_or_close_attribution(self, line: str, *, opens: bool) -> None:
        if self.current_op is None or opens == self.in_attribution:
            self._mark_forged(line)
        elif not opens and self.attribution_is_empty and self.current_op is not IGNORED_OP:
            self.current_op.has_empty_attribution = True
        self.in_attribution = self.attribution_is_empty = opens
