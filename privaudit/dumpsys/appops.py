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

from privaudit.dumpsys import pieces, uncollected
from privaudit.dumpsys.appops_lines import RECORD, RECORDS, TAG_BEGINS, TAG_ENDS
from privaudit.dumpsys.appops_model import Dump, Event, Op, Uid, read_by
from privaudit.dumpsys.appops_reader import PASSED_OVER, Reader
from privaudit.model import ReadBy

__all__ = ["Dump", "Event", "Op", "Uid", "parse"]

_NEW: Final = ("", "", None)


def parse(text: str, wanted: AbstractSet[str] | None = None) -> Dump:
    """Read a dump; lines end in LF.

    Args:
        text: the dump.
        wanted: ops of packages whose modes and records are kept, and `Dump.oldest` told of; ``None``: all. The others
            are looked at for what an app may have written among them.
    """
    reader = _Quick(wanted)
    with uncollected():
        reader.read(text)
    reader.dump.ends = text.endswith("\n\n") or (reader.uid is None and text.endswith("\n"))
    return reader.dump


class _Quick(Reader):
    def __init__(self, wanted: AbstractSet[str] | None) -> None:
        super().__init__(wanted)
        self.oldest_ms = -1
        """Age of the oldest record among those that were kept."""
        self.by: dict[str, ReadBy | None] = {}
        """Who fetched the data, by the letters of a record."""

    def read(self, text: str) -> None:
        lines = chain.from_iterable(pieces(text, 0))
        line, offset = next(lines, None), 0
        while line is not None:
            if line and not (line in self.idle and self.uid is not None) and not self._again(line, offset):
                self.line(line, offset)
            offset += len(line) + 1
            if self.op is None:
                line = next(lines, None)
            elif self.op is PASSED_OVER:
                line, offset = self._pass_over(lines, offset)
            else:
                line, offset = self._records(self.op, lines, offset)

    def _pass_over(self, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read over ops that nobody asked about; the first line that may be of something else, and where it stands."""
        in_tag, names, ops_read = self.in_tag, self.names, self.ops_read
        line: str | None
        for line in lines:
            if line == (TAG_ENDS if in_tag else TAG_BEGINS):
                in_tag = not in_tag
            elif not line.startswith(RECORDS):
                name, mode, _ = ops_read.get(line, _NEW)
                if not name or mode or name in names or in_tag:
                    break
                names.add(name)
            offset += len(line) + 1
        else:
            line = None
        # No matter whether a tag is empty: nobody asked.
        self.in_tag, self.tag_is_empty = in_tag, False
        return line, offset

    def _records(self, op: Op, lines: Iterator[str], offset: int) -> tuple[str | None, int]:
        """Read what `op` recorded; the first line that is no plain record and no plain tag, and where it stands."""
        latest: dict[str, tuple[int, str, int, str]] = {}
        line: str | None
        for line in lines:
            if line == (TAG_ENDS if self.in_tag else TAG_BEGINS):
                op.has_empty_tag |= self.tag_is_empty
                self.in_tag = self.tag_is_empty = not self.in_tag
            else:
                match = RECORD.match(line)
                if match is None:
                    break
                self.tag_is_empty = False
                self.kind, letters, local, d, h, m, s, ms = match.groups()
                since = ((int(d) * 24 + int(h)) * 60 + int(m)) * 60_000 + int(s) * 1000 + int(ms)
                if self.kind not in latest or since < latest[self.kind][0]:
                    latest[self.kind] = since, local, offset, letters
                if since > self.oldest_ms:
                    self.oldest_ms = since
                    self._keep(op, self.kind, since, local, offset, letters)
            offset += len(line) + 1
        else:
            line = None
        for kind, record in latest.items():
            self._keep(op, kind, *record)
        return line, offset

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
            self.op = PASSED_OVER
        return True

    def _keep(self, op: Op, kind: str, since_ms: int, local: str, offset: int, letters: str) -> None:
        if letters not in self.by:
            self.by[letters] = read_by(letters)
        self.take(op, kind, Event(timedelta(milliseconds=since_ms), local, offset, self.by[letters]))
