"""Cuts a bug report, or a ``dumpsys`` of all services, into the parts that we know; everything else is read over.

Framing (AOSP ``frameworks/native/cmds/dumpsys/dumpsys.cpp``: ``writeDumpHeader``, ``writeDump``, ``writeDumpFooter``;
``cmds/dumpstate/dumpstate.cpp``: ``RunDumpsysTextByPriority``, ``DurationReporter``; ``utils.c`` of Android 6): before
each service 79 dashes and ``DUMP OF SERVICE [CRITICAL |HIGH ]name:``; behind it, since Android 8, its duration. Other
parts stand below ``------ TITLE (command) ------``.

Apps write into dumps: a version name may hold line breaks, and with them such lines. No line of these is believed for
itself. Each header is followed by the footer of the same service, and each part comes once; an app can add lines, but
cannot take away the true ones that follow. A part that comes twice, and every part between a header and a footer that
do not belong together, is not believed at all.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import IO, Final

from privaudit.capture.folder import LARGEST_FILE
from privaudit.errors import SourceError

LARGEST_REPORT: Final = 1 << 30
"""Bytes of text in one report: ten times the largest known."""
MOST_SERVICES: Final = 10_000
"""A phone has some hundred; with more, no framing is believed."""
PROPERTIES: Final = "getprop"
"""Name of the one part that is no service."""

_LONGEST_LINE: Final = 1 << 16
"""A longer one is read in pieces, of which only the first begins a line."""
_DASHES: Final = b"-" * 79
_HEADER: Final = re.compile(rb"DUMP OF SERVICE (?:CRITICAL |HIGH )?(\S{1,200}):")
_FOOTER: Final = re.compile(
    rb"-{9} [\d.,]{1,12}s was the duration of dumpsys (\S{1,200}?)(?:, ending at: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d))?"
)
_TITLE: Final = re.compile(rb"-{6} .{1,500} -{6}")
_PROPERTIES: Final = re.compile(rb"-{6} SYSTEM PROPERTIES(?: \(getprop\))? -{6}")
_KILLED: Final = re.compile(rb"\*\*\* .{1,200}[Tt]imed out after [\d.,]{1,12}s \(killing pid \d+\)")
_HEAD: Final = re.compile(rb"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_BLOCK: Final = re.compile(rb"  Package \[[^\]]{1,300}\] \([0-9a-f]{1,16}\):")
_OF_DUMPSYS: Final = re.compile(rb"(?:Service host process PID: \d+|Client PIDs: [\d, ]*|Threads in use: \d+/\d+)\r*\n")
"""Lines that ``dumpsys`` itself puts above a dump, since Android 12."""


@dataclass(slots=True, kw_only=True)
class Section:
    """What stood in one part."""

    raw: bytes
    whole: bool
    """Whether its end was there."""
    believed: bool
    """Whether nothing speaks against its framing. Else nothing in it proves anything."""
    killed: bool = False
    """The phone ended the command, because it took too long."""
    too_long: bool = False
    ended: str | None = None
    """The phone's local time when the dump was done, where it says so: ``YYYY-MM-DD HH:MM:SS``."""


@dataclass(slots=True, kw_only=True)
class Report:
    """The parts that were wanted and found."""

    sections: dict[str, Section] = field(default_factory=dict)
    """By the service's name, or `PROPERTIES`."""
    made_at: str | None = None
    """The phone's local time at the head of a bug report."""


def split(stream: IO[bytes], wanted: AbstractSet[str], path: str) -> Report:
    """Read `stream` to its end, once, and keep the parts in `wanted`. `path` is named in errors.

    Raises:
        SourceError: there is more of it than of any real one.
    """
    splitter = _Splitter(wanted)
    total = 0
    begins = True
    for line in _lines(stream):
        total += len(line)
        if total > LARGEST_REPORT:
            raise SourceError("capture_too_large", path=path)
        splitter.line(line, begins=begins)
        begins = line.endswith(b"\n")
    return splitter.done()


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    buffered = io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream
    first = buffered.readline(_LONGEST_LINE)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Windows PowerShell saves what `adb bugreport` prints as UTF-16.
        buffered.seek(0)
        text = io.TextIOWrapper(buffered, encoding="utf-16", errors="replace", newline="\n")
        while wide := text.readline(_LONGEST_LINE):
            yield wide.encode()
        return
    yield first.removeprefix(b"\xef\xbb\xbf")
    while line := buffered.readline(_LONGEST_LINE):
        yield line


@dataclass(slots=True)
class _Open:
    name: str
    number: int
    kept: list[bytes] | None
    """``None``: not wanted."""
    size: int = 0


class _Splitter:
    def __init__(self, wanted: AbstractSet[str]) -> None:
        self.wanted = wanted
        self.report = Report()
        self.open: _Open | None = None
        self.dashes: bytes | None = None
        self.begun: dict[str, int] = {}
        self.numbers: dict[str, int] = {}
        self.times: Counter[str] = Counter()
        self.number = self.footers = 0
        self.doubtful: set[str] = set()
        self.spilt = False

    def line(self, line: bytes, *, begins: bool) -> None:
        text = line.rstrip(b"\r\n") if begins and line[:1] in b"-D*= " else b""
        if self.dashes is not None:
            dashes, self.dashes = self.dashes, None
            if header := _HEADER.fullmatch(text):
                self._begin(header[1].decode("utf-8", "replace"))
                return
            self._keep(dashes)
        if text == _DASHES:
            self.dashes = line
        elif not (text and self._framing(text)):
            self._keep(line)

    def _framing(self, text: bytes) -> bool:
        """Whether `text` is a line of the frame."""
        if text.startswith(b"------"):
            if footer := _FOOTER.fullmatch(text):
                self._footer(footer[1].decode("utf-8", "replace"), footer[2])
                return True
            if _PROPERTIES.fullmatch(text):
                self._begin(PROPERTIES)
                return True
            if _TITLE.fullmatch(text):
                return self._title()
        elif text.startswith(b"***"):
            if self.open is not None and _KILLED.fullmatch(text):
                self._end(whole=False, killed=True)
                return True
        elif text.startswith(b"== "):
            head = _HEAD.fullmatch(text)
            if head is not None and not self.number and self.report.made_at is None:
                self.report.made_at = head[1].decode()
        elif text.startswith(b"  Package [") and (self.open is None or self.open.name != "package"):
            self.spilt = self.spilt or _BLOCK.fullmatch(text) is not None
        return False

    def _begin(self, name: str) -> None:
        if self.open is not None:
            self._end(whole=not self.footers)
        self.number += 1
        if len(self.begun) < MOST_SERVICES:
            self.begun[name] = self.number
        if name in self.wanted:
            self.times[name] += 1
            self.numbers[name] = self.number
        self.open = _Open(name, self.number, [] if name in self.wanted else None)

    def _footer(self, name: str, ended: bytes | None) -> None:
        self.footers += 1
        if self.open is not None and self.open.name == name:
            self._end(whole=True, ended=ended.decode() if ended else None)
            return
        # The true end of a dump that seemed to have ended before: what stood between was written by an app.
        since = self.begun.get(name)
        if since is not None:
            self.doubtful |= {one for one, number in self.numbers.items() if number >= since}
            if self.open is not None and self.open.number >= since:
                self.open = None

    def _title(self) -> bool:
        """Whether the title of another part ends the one that is open."""
        if self.open is not None and self.open.name != PROPERTIES and self.footers:
            return False  # only its footer ends it
        self._end(whole=True)
        return True

    def _keep(self, line: bytes) -> None:
        if self.open is None or self.open.kept is None:
            return
        if self.open.size <= LARGEST_FILE:
            self.open.kept.append(line)
        self.open.size += len(line)

    def _end(self, *, whole: bool, killed: bool = False, ended: str | None = None) -> None:
        one, self.open = self.open, None
        if one is None or one.kept is None or one.name in self.report.sections:
            return
        raw = b"".join(one.kept)
        while match := _OF_DUMPSYS.match(raw):
            raw = raw[match.end() :]
        self.report.sections[one.name] = Section(
            raw=raw[:LARGEST_FILE],
            whole=whole,
            believed=True,
            killed=killed,
            too_long=one.size > LARGEST_FILE,
            ended=ended,
        )

    def done(self) -> Report:
        if self.dashes is not None:
            self._keep(self.dashes)
        self._end(whole=False)
        if self.spilt:
            # Before Android 8 no true footer follows a forged end, but a block of the dump that stands elsewhere may.
            self.doubtful.add("package")
        crowded = len(self.begun) >= MOST_SERVICES
        for name in {*self.report.sections, *self.doubtful} & set(self.wanted):
            section = self.report.sections.setdefault(name, Section(raw=b"", whole=False, believed=False))
            if crowded or self.times[name] > 1 or name in self.doubtful:
                section.believed = False
                section.raw = b""
        return self.report
