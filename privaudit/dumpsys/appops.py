"""Reads ``dumpsys appops`` in its four layouts: Android 6-8 (A), 9 (B), 10 (C), 11-16 (D).

Source: ``AppOpsService.dump`` (AOSP 6, 8.1, 9, 10, 11, 16) and captures. A uid mode beats a package mode. Times are in
the phone's own zone, with an age beside them: only the age can be trusted across zones.

A dump is long, and most of it is what other apps' parts say too, or records of ops that nobody asked about. Here such
lines are passed over as cheaply as can be; whatever is not just like them is left to `Reader`.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import timedelta
from itertools import chain
from typing import Final

from privaudit.dumpsys import gc_paused, iter_line_chunks
from privaudit.dumpsys.appops_lines import (
    ATTRIBUTION_END,
    EVENT_LINE_PREFIXES,
    NULL_ATTRIBUTION_START,
    SIMPLE_EVENT_LINE,
)
from privaudit.dumpsys.appops_model import AppOp, AppOpEvent, AppOpsDump, UidOps, parse_op_flags
from privaudit.dumpsys.appops_reader import IGNORED_OP, AppOpsLineParser
from privaudit.model import ReadBy

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
