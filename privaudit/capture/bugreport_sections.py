"""Cuts a bug report, or a ``dumpsys`` of all services, into the parts that we know; everything else is read over.

`privaudit.capture.bugreport_sections` says how parts are told apart. Apps write into dumps: a version name may hold line breaks,
and with them such lines. No line of these is believed for itself. Each header is followed by the footer of the same
service, and each part comes once; an app can add lines, but cannot take away the true ones that follow. A part that
comes twice, and every part between a header and a footer that do not belong together, is not believed at all.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import IO, Final

from privaudit.capture.text_folder import MAX_FILE_BYTES
from privaudit.errors import SourceError

DASH_LINE: Final = b"-" * 79
SERVICE_HEADER: Final = re.compile(rb"DUMP OF SERVICE (?:CRITICAL |HIGH )?(\S{1,200}):")
"""The line below `DASH_LINE`. Group: the service."""
FOOTER_MARKER: Final = b"s was the duration of dumpsys "
"""Stands in each `SERVICE_FOOTER`."""
SERVICE_FOOTER: Final = re.compile(
    rb"(?s:(.*))-{9} [\d.,]{1,12}s was the duration of dumpsys (\S{1,200}?)"
    rb"(?:, ending at: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d))?"
)
"""Groups: what stands before it, the service, the phone's local time."""

TITLE_PREFIX: Final = b"------ "
SECTION_TITLE: Final = re.compile(rb"-{6} .{1,500} -{6}")
"""Of another part, or how long one took."""
PROPERTIES_TITLE: Final = re.compile(rb"-{6} SYSTEM PROPERTIES(?: \(getprop\))? -{6}")
TIMEOUT_MARKER: Final = b"(killing pid "
TIMEOUT_LINE: Final = re.compile(rb"\*\*\* .{1,200}[Tt]imed out after [\d.,]{1,12}s \(killing pid \d{1,9}\)$")
"""What ``dumpstate`` writes behind the output of a command that took too long."""

DUMPSTATE_PREFIX: Final = b"== dumpstate: "
DUMPSTATE_HEADER: Final = re.compile(rb"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
"""Of the whole report. Group: the phone's local time."""

PACKAGE_BLOCK_PREFIX: Final = b"  Package ["
PACKAGE_BLOCK: Final = re.compile(rb"  Package \[[^\]]{1,300}\] \([0-9a-f]{1,16}\):")
"""The first line of an app in ``dumpsys package``; it stands nowhere else."""

DUMPSYS_PREAMBLE: Final = re.compile(
    rb"(?:Service host process PID: \d+|Client PIDs: [\d, ]*|Threads in use: \d+/\d+)\r*\n"
)
"""Lines that ``dumpsys`` itself puts above a dump, since Android 12."""


MAX_REPORT_BYTES: Final = 1 << 30
"""Bytes of text in one report: ten times the largest known."""
MAX_SERVICES: Final = 10_000
"""A phone has some hundred; with more, no framing is believed."""
PROPERTIES_SECTION: Final = "getprop"
"""Name of the one part that is no service."""

_MAX_LINE_BYTES: Final = 1 << 16
"""A longer one is read in pieces, of which only the first begins a line."""
_CHUNK_BYTES: Final = 1 << 14
"""Bytes read at once. Most hold no line of the frame, and are not taken apart."""


@dataclass(slots=True, kw_only=True)
class Section:
    """What stood in one part."""

    raw: bytes
    complete: bool
    """Whether its end was there."""
    trusted: bool
    """Whether nothing speaks against its framing. Else nothing in it proves anything."""
    timed_out: bool = False
    """The phone ended the command, because it took too long."""
    too_long: bool = False
    ended_at: str | None = None
    """The phone's local time when the dump was done, where it says so: ``YYYY-MM-DD HH:MM:SS``."""


@dataclass(slots=True, kw_only=True)
class BugreportSections:
    """The parts that were wanted and found."""

    sections: dict[str, Section] = field(default_factory=dict)
    """By the service's name, or `PROPERTIES_SECTION`."""
    started_at: str | None = None
    """The phone's local time at the head of a bug report."""


def split_sections(stream: IO[bytes], wanted: AbstractSet[str], path: str) -> BugreportSections:
    """Read `stream` to its end, once, and keep the parts in `wanted`. `path` is named in errors.

    Raises:
        SourceError: there is more of it than of any real one.
    """
    splitter = _SectionSplitter(wanted)
    total = 0
    begins = True
    for block in _read_line_chunks(stream):
        total += len(block)
        if total > MAX_REPORT_BYTES:
            raise SourceError("errors.capture_too_large", path=path)
        if splitter.is_content_only(block):
            splitter.append(block)
            begins = block.endswith(b"\n")
            continue
        for line in io.BytesIO(block):
            splitter.feed_line(line, at_line_start=begins)
            begins = line.endswith(b"\n")
    return splitter.finish()


def _read_line_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """`stream` in blocks that end where a line does, but where one is very long."""
    first = stream.read(_CHUNK_BYTES)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Windows PowerShell saves what `adb bugreport` prints as UTF-16.
        stream.seek(0)
        text = io.TextIOWrapper(stream, encoding="utf-16", errors="replace", newline="\n")
        while wide := text.read(_CHUNK_BYTES):
            yield (wide + text.readline(_MAX_LINE_BYTES)).encode()
        return
    yield first.removeprefix(b"\xef\xbb\xbf") + stream.readline(_MAX_LINE_BYTES)
    while block := stream.read(_CHUNK_BYTES):
        yield block + stream.readline(_MAX_LINE_BYTES)


@dataclass(slots=True)
class _OpenSection:
    name: str
    ordinal: int
    chunks: list[bytes] | None
    """``None``: not wanted."""
    size: int = 0


class _SectionSplitter:
    def __init__(self, wanted: AbstractSet[str]) -> None:
        self.wanted = wanted
        self.result = BugreportSections()
        self.current: _OpenSection | None = None
        self.pending_dashes: bytes | None = None
        self.last_ordinal: dict[str, int] = {}
        self.wanted_ordinals: dict[str, int] = {}
        self.occurrences: Counter[str] = Counter()
        self.section_count = self.footer_count = 0
        self.untrusted: set[str] = set()
        self.has_stray_package_block = False

    def is_content_only(self, chunk: bytes) -> bool:
        """Whether no line of the frame can be in `chunk`."""
        if self.pending_dashes is not None or (not self.section_count and DUMPSTATE_PREFIX in chunk):
            return False
        if PACKAGE_BLOCK_PREFIX in chunk and (self.current is None or self.current.name != "package"):
            return False
        return not any(mark in chunk for mark in (DASH_LINE, TITLE_PREFIX, FOOTER_MARKER, TIMEOUT_MARKER))

    def feed_line(self, line: bytes, *, at_line_start: bool) -> None:
        """Take one line, or a piece of one that is very long."""
        text = line.rstrip(b"\r\n")
        if self.pending_dashes is not None:
            dashes, self.pending_dashes = self.pending_dashes, None
            if header := SERVICE_HEADER.fullmatch(text):
                self.append(dashes.rstrip(b"\r\n").removesuffix(DASH_LINE))
                self._start_section(header[1].decode("utf-8", "replace"))
                return
            self.append(dashes)
        # What a service says last may lack its line feed: then the frame stands behind it.
        if text.endswith(DASH_LINE):
            self.pending_dashes = line
        elif not self._handle_section_end(text) and not (
            at_line_start and line[:1] in b"-= " and self._handle_frame_line(text)
        ):
            self.append(line)

    def _handle_section_end(self, text: bytes) -> bool:
        """Whether `text` ends a part."""
        if FOOTER_MARKER in text and (footer := SERVICE_FOOTER.fullmatch(text)):
            self.append(footer[1])
            self._handle_footer(footer[2].decode("utf-8", "replace"), footer[3])
            return True
        if TIMEOUT_MARKER in text and self.current is not None and (killed := TIMEOUT_LINE.search(text)):
            self.append(text[: killed.start()])
            self._end_section(complete=False, timed_out=True)
            return True
        return False

    def _handle_frame_line(self, text: bytes) -> bool:
        """Whether `text` is a line between parts."""
        if text.startswith(TITLE_PREFIX):
            if PROPERTIES_TITLE.fullmatch(text):
                self._start_section(PROPERTIES_SECTION)
                return True
            return SECTION_TITLE.fullmatch(text) is not None and self._handle_title()
        if text.startswith(DUMPSTATE_PREFIX):
            head = DUMPSTATE_HEADER.fullmatch(text)
            if head is not None and not self.section_count and self.result.started_at is None:
                self.result.started_at = head[1].decode()
        elif text.startswith(PACKAGE_BLOCK_PREFIX) and (self.current is None or self.current.name != "package"):
            self.has_stray_package_block = self.has_stray_package_block or PACKAGE_BLOCK.fullmatch(text) is not None
        return False

    def _start_section(self, name: str) -> None:
        if self.current is not None:
            self._end_section(complete=not self.footer_count)
        self.section_count += 1
        if len(self.last_ordinal) < MAX_SERVICES:
            self.last_ordinal[name] = self.section_count
        if name in self.wanted:
            self.occurrences[name] += 1
            self.wanted_ordinals[name] = self.section_count
        self.current = _OpenSection(name, self.section_count, [] if name in self.wanted else None)

    def _handle_footer(self, name: str, ended_at: bytes | None) -> None:
        self.footer_count += 1
        if self.current is not None and self.current.name == name:
            self._end_section(complete=True, ended_at=ended_at.decode() if ended_at else None)
            return
        # The true end of a dump that seemed to have ended before: what stood between was written by an app.
        since = self.last_ordinal.get(name)
        if since is not None:
            self.untrusted |= {one for one, number in self.wanted_ordinals.items() if number >= since}
            if self.current is not None and self.current.ordinal >= since:
                self.current = None

    def _handle_title(self) -> bool:
        """Whether the title of another part ends the one that is open."""
        if self.current is not None and self.current.name != PROPERTIES_SECTION and self.footer_count:
            return False  # only its footer ends it
        self._end_section(complete=True)
        return True

    def append(self, line: bytes) -> None:
        """Add to the part that is open, if it is wanted."""
        if self.current is None or self.current.chunks is None:
            return
        if self.current.size <= MAX_FILE_BYTES:
            self.current.chunks.append(line)
        self.current.size += len(line)

    def _end_section(self, *, complete: bool, timed_out: bool = False, ended_at: str | None = None) -> None:
        one, self.current = self.current, None
        if one is None or one.chunks is None or one.name in self.result.sections:
            return
        raw = b"".join(one.chunks)
        while match := DUMPSYS_PREAMBLE.match(raw):
            raw = raw[match.end() :]
        self.result.sections[one.name] = Section(
            raw=raw[:MAX_FILE_BYTES],
            complete=complete,
            trusted=True,
            timed_out=timed_out,
            too_long=one.size > MAX_FILE_BYTES,
            ended_at=ended_at,
        )

    def finish(self) -> BugreportSections:
        if self.pending_dashes is not None:
            self.append(self.pending_dashes)
            self.pending_dashes = None
        self._end_section(complete=False)
        if self.has_stray_package_block:
            # Before Android 8 no true footer follows a forged end, but a block of the dump that stands elsewhere may.
            self.untrusted.add("package")
        crowded = len(self.last_ordinal) >= MAX_SERVICES
        for name in {*self.result.sections, *self.untrusted} & set(self.wanted):
            section = self.result.sections.setdefault(name, Section(raw=b"", complete=False, trusted=False))
            if crowded or self.occurrences[name] > 1 or name in self.untrusted:
                section.trusted = False
                section.raw = b""
        return self.result
