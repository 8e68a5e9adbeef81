"""Cuts a bug report, or a ``dumpsys`` of all services, into the parts that we know; everything else is read over.

`privaudit.capture.framing` says how parts are told apart. Apps write into dumps: a version name may hold line breaks,
and with them such lines. No line of these is believed for itself. Each header is followed by the footer of the same
service, and each part comes once; an app can add lines, but cannot take away the true ones that follow. A part that
comes twice, and every part between a header and a footer that do not belong together, is not believed at all.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import IO, Final

from privaudit.capture import framing
from privaudit.capture.text_folder import LARGEST_FILE
from privaudit.errors import SourceError

LARGEST_REPORT: Final = 1 << 30
"""Bytes of text in one report: ten times the largest known."""
MOST_SERVICES: Final = 10_000
"""A phone has some hundred; with more, no framing is believed."""
PROPERTIES: Final = "getprop"
"""Name of the one part that is no service."""

_LONGEST_LINE: Final = 1 << 16
"""A longer one is read in pieces, of which only the first begins a line."""
_BLOCK_SIZE: Final = 1 << 14
"""Bytes read at once. Most hold no line of the frame, and are not taken apart."""


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
    for block in _blocks(stream):
        total += len(block)
        if total > LARGEST_REPORT:
            raise SourceError("errors.capture_too_large", path=path)
        if splitter.is_plain(block):
            splitter.keep(block)
            begins = block.endswith(b"\n")
            continue
        for line in io.BytesIO(block):
            splitter.line(line, begins=begins)
            begins = line.endswith(b"\n")
    return splitter.done()


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """`stream` in blocks that end where a line does, but where one is very long."""
    first = stream.read(_BLOCK_SIZE)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Windows PowerShell saves what `adb bugreport` prints as UTF-16.
        stream.seek(0)
        text = io.TextIOWrapper(stream, encoding="utf-16", errors="replace", newline="\n")
        while wide := text.read(_BLOCK_SIZE):
            yield (wide + text.readline(_LONGEST_LINE)).encode()
        return
    yield first.removeprefix(b"\xef\xbb\xbf") + stream.readline(_LONGEST_LINE)
    while block := stream.read(_BLOCK_SIZE):
        yield block + stream.readline(_LONGEST_LINE)


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

    def is_plain(self, block: bytes) -> bool:
        """Whether no line of the frame can be in `block`."""
        if self.dashes is not None or (not self.number and framing.HEAD_BEGINS in block):
            return False
        if framing.BLOCK_BEGINS in block and (self.open is None or self.open.name != "package"):
            return False
        return not any(mark in block for mark in (framing.DASHES, framing.TITLE_BEGINS, framing.SAID, framing.PID))

    def line(self, line: bytes, *, begins: bool) -> None:
        """Take one line, or a piece of one that is very long."""
        text = line.rstrip(b"\r\n")
        if self.dashes is not None:
            dashes, self.dashes = self.dashes, None
            if header := framing.HEADER.fullmatch(text):
                self.keep(dashes.rstrip(b"\r\n").removesuffix(framing.DASHES))
                self._begin(header[1].decode("utf-8", "replace"))
                return
            self.keep(dashes)
        # What a service says last may lack its line feed: then the frame stands behind it.
        if text.endswith(framing.DASHES):
            self.dashes = line
        elif not self._ending(text) and not (begins and line[:1] in b"-= " and self._framing(text)):
            self.keep(line)

    def _ending(self, text: bytes) -> bool:
        """Whether `text` ends a part."""
        if framing.SAID in text and (footer := framing.FOOTER.fullmatch(text)):
            self.keep(footer[1])
            self._footer(footer[2].decode("utf-8", "replace"), footer[3])
            return True
        if framing.PID in text and self.open is not None and (killed := framing.KILLED.search(text)):
            self.keep(text[: killed.start()])
            self._end(whole=False, killed=True)
            return True
        return False

    def _framing(self, text: bytes) -> bool:
        """Whether `text` is a line between parts."""
        if text.startswith(framing.TITLE_BEGINS):
            if framing.PROPERTIES_TITLE.fullmatch(text):
                self._begin(PROPERTIES)
                return True
            return framing.TITLE.fullmatch(text) is not None and self._title()
        if text.startswith(framing.HEAD_BEGINS):
            head = framing.HEAD.fullmatch(text)
            if head is not None and not self.number and self.report.made_at is None:
                self.report.made_at = head[1].decode()
        elif text.startswith(framing.BLOCK_BEGINS) and (self.open is None or self.open.name != "package"):
            self.spilt = self.spilt or framing.BLOCK.fullmatch(text) is not None
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

    def keep(self, line: bytes) -> None:
        """Add to the part that is open, if it is wanted."""
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
        while match := framing.OF_DUMPSYS.match(raw):
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
            self.keep(self.dashes)
            self.dashes = None
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
