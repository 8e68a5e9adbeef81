"""Reads ``dumpsys appops`` in its four layouts: Android 6-8 (A), 9 (B), 10 (C), 11-16 (D).

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures. A uid mode beats a package mode. Times are in
the phone's own zone, with an age beside them: only the age can be trusted across zones.

A dump is long, and most of it is what other apps' parts say too, or records of ops that nobody asked about. Here such
lines are passed over as cheaply as can be; whatever is not just like them is left to `Reader`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from itertools import chain
from typing import Final

from privaudit.dumpsys import gc_paused, iter_line_chunks
from privaudit.dumpsys.appops_model import (
    AppOp,
    AppOpEvent,
    AppOpsDump,
    UidOps,
    parse_event_age,
    parse_op_flags,
    parse_uid,
)
from privaudit.model import ReadBy

MODE_NAMES: Final = {"0": "allow", "1": "ignore", "2": "deny", "3": "default", "errored": "deny"} | {
    mode: mode for mode in ("allow", "ignore", "deny", "default", "foreground", "ask")
}
"""Numbers up to Android 8, then names."""
MIUI_ASK_MODE: Final = "4"
"""Up to Android 9. Android's own fourth mode, ``foreground``, came later, and by name."""
_OP_NAME: Final = r"([A-Z][A-Z0-9_]*(?:\(\d+\))?)"
UID_LINE = re.compile(r"^  Uid (\d+|u\d+(?:a|s|i|ai)\d+):$")
PACKAGE_LINE = re.compile(r"^    Package (\S+?)(?::| isPrivileged: ?)$")
UID_MODE_LINE = re.compile(rf"^      {_OP_NAME}: mode=((?:mode=)?\w+)$")
WATCHER_LINE = re.compile(rf"^      {_OP_NAME}: (?:WATCHER|SILENT)$")
"""Below ``foregroundOps:``, from Android 10: who wants to know when an app comes to the front. No mode."""
OP_LINE_A = re.compile(
    rf"^      {_OP_NAME}: mode=(\w+)((?:; (?:time|rejectTime)=\S+ ago)*)(?: \(running\)|; duration=\S+)?$"
)
OP_TIME_A = re.compile(r"; (time|rejectTime)=(\S+) ago")
OP_LINE_BCD = re.compile(rf"^      {_OP_NAME} \((\w+|mode=\d+)(?: / switch ([A-Z0-9_]+)=(\w+|mode=\d+))?\):\s*$")
EVENT_LINE_CD = re.compile(
    r"^\s+(Access|Reject): \[[a-z]+-([a-z|]+)\] ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
)
EVENT_LINE_B = re.compile(
    r"^\s+(?:(Access|Reject): )?\s*[a-z]+\s*(=) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
)
EVENT_DETAIL_LINE = re.compile(r"^ {9,}(?:duration=|Running start at|startNesting=|(?:Access|Reject):\s*$)")
EVENT_LINE_PREFIXES: Final = ("          Access: [", "          Reject: [")
SIMPLE_EVENT_LINE = re.compile(
    r"          (Access|Reject): \[[a-z]+-([a-z|]+)\] (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})"
    r" \(-(\d{1,5})d(\d\d?)h(\d\d?)m(\d\d?)s(\d{1,3})ms\)\Z",
    re.ASCII,
)
"""A record of layouts C and D whose age needs no second look."""
NULL_ATTRIBUTION_START: Final = "        null=["
ATTRIBUTION_END: Final = "        ]"
SIMPLE_ATTRIBUTION_LINES: Final = frozenset({NULL_ATTRIBUTION_START, ATTRIBUTION_END})
ATTRIBUTION_LINE = re.compile(r"^        (\S.*=\[|\])$")
"""Layout D: what an op recorded stands between these, once per attribution tag."""

_OP_ALIASES: Final[Mapping[str, str]] = {
    "OP_READ_PHONE_STATE": "READ_PHONE_STATE",  # Android 6 prints its own constant's name
    # MIUI and HyperOS print their own ops by number: blank data in place of the real.
    "MIUIOP(10028)": "READ_SMS_REAL",
    "MIUIOP(10029)": "READ_CONTACTS_REAL",
    "MIUIOP(10031)": "READ_CALL_LOG_REAL",
}


def canonical_op_name(printed: str) -> str:
    """Android's own name of an op that some phones print otherwise."""
    return _OP_ALIASES.get(printed, printed)


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


__all__ = ["AppOp", "AppOpEvent", "AppOpsDump", "UidOps", "parse_appops"]

_UNKNOWN_LINE: Final = ("", "", None)


def parse_appops(text: str, kept_ops: AbstractSet[str] | None = None) -> AppOpsDump:
    """Read a dump; lines end in LF.

    Args:
        text: the dump.
        kept_ops: ops of packages whose modes and records are kept, and `Dump.oldest` told of; ``None``: all. The others
            are looked at for what an app may have written among them.
    """
    reader = AppOpsParser(kept_ops)
    with gc_paused():
        reader.parse_text(text)
    reader.dump.reached_end = text.endswith("\n\n") or (reader.current_uid is None and text.endswith("\n"))
    return reader.dump


class AppOpsParser(AppOpsLineParser):
    def __init__(self, kept_ops: AbstractSet[str] | None) -> None:
        super().__init__(kept_ops)
        self.oldest_age_ms = -1
        """Age of the oldest record among those that were kept."""
        self.read_by_flags: dict[str, ReadBy | None] = {}
        """Who fetched the data, by the letters of a record."""

    def parse_text(self, text: str) -> None:
        lines = chain.from_iterable(iter_line_chunks(text, 0))
        line, offset = next(lines, None), 0
        while line is not None:
            if (
                line
                and not (line in self.ignored_lines and self.current_uid is not None)
                and not self._apply_known_line(line, offset)
            ):
                self.parse_line(line, offset)
            offset += len(line) + 1
            if self.current_op is None:
                line = next(lines, None)
            elif self.current_op is IGNORED_OP:
                line, offset = self._skip_ignored_ops(lines, offset)
            else:
                line, offset = self._parse_events(self.current_op, lines, offset)

    def _skip_ignored_ops(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read over ops that nobody asked about; the first line that may be of something else, and where it stands."""
        in_tag, names, ops_read = self.in_attribution, self.seen_ops, self.known_op_lines
        line: str | None
        for line in lines:
            if line == (ATTRIBUTION_END if in_tag else NULL_ATTRIBUTION_START):
                in_tag = not in_tag
            elif not line.startswith(EVENT_LINE_PREFIXES):
                name, mode, _ = ops_read.get(line, _UNKNOWN_LINE)
                if not name or mode or name in names or in_tag:
                    break
                names.add(name)
            offset += len(line) + 1
        else:
            line = None
        # No matter whether a tag is empty: nobody asked.
        self.in_attribution, self.attribution_is_empty = in_tag, False
        return line, offset

    def _parse_events(self, op: AppOp, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read what `op` recorded; the first line that is no plain record and no plain tag, and where it stands."""
        latest: dict[str, tuple[int, str, int, str]] = {}
        line: str | None
        for line in lines:
            if line == (ATTRIBUTION_END if self.in_attribution else NULL_ATTRIBUTION_START):
                op.has_empty_attribution |= self.attribution_is_empty
                self.in_attribution = self.attribution_is_empty = not self.in_attribution
            else:
                match = SIMPLE_EVENT_LINE.match(line)
                if match is None:
                    break
                self.attribution_is_empty = False
                self.event_kind, letters, local, d, h, m, s, ms = match.groups()
                since = ((int(d) * 24 + int(h)) * 60 + int(m)) * 60_000 + int(s) * 1000 + int(ms)
                if self.event_kind not in latest or since < latest[self.event_kind][0]:
                    latest[self.event_kind] = since, local, offset, letters
                if since > self.oldest_age_ms:
                    self.oldest_age_ms = since
                    self._keep_record(op, self.event_kind, since, local, offset, letters)
            offset += len(line) + 1
        else:
            line = None
        for kind, record in latest.items():
            self._keep_record(op, kind, *record)
        return line, offset

    def _apply_known_line(self, line: str, offset: int) -> bool:
        """Whether `line` says of an op, or a uid's mode, what other lines said already, and may say it here."""
        if self.in_attribution or self.current_uid is None:
            return False
        if self.current_ops is None:
            name, mode = self.known_mode_lines.get(line, _UNKNOWN_LINE[:2])
            if not name or name in self.current_uid.uid_modes:
                return False
            self.current_uid.uid_modes[name] = mode, offset
            return True
        name, mode, switch = self.known_op_lines.get(line, _UNKNOWN_LINE)
        if not name or name in self.seen_ops:
            return False
        self.seen_ops.add(name)
        if mode:
            self.current_op = self.current_ops[name] = AppOp(mode, offset, switch)
        else:
            self.current_op = IGNORED_OP
        return True

    def _keep_record(self, op: AppOp, kind: str, since_ms: int, local: str, offset: int, flags: str) -> None:
        if flags not in self.read_by_flags:
            self.read_by_flags[flags] = parse_op_flags(flags)
        self.keep_event(
            op, kind, AppOpEvent(timedelta(milliseconds=since_ms), local, offset, self.read_by_flags[flags])
        )
