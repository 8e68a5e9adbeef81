"""Split a bug report, or a ``dumpsys`` of all services, into sections; unknown sections are skipped.

Apps write into dumps: a version name may contain line feeds, and so forge header and footer lines. No single line is
trusted. Each header is followed by the footer of the same service, and each section occurs once; an app can add lines,
but cannot remove the genuine ones that follow. A section that occurs twice, and every section between a header and a
footer that do not belong together, is not trusted.
"""

import io
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import IO, Final

from privaudit.capture.source_files import MAX_FILE_BYTES
from privaudit.errors import SourceError

DASH_LINE: Final = b"-" * 79
SERVICE_HEADER: Final = re.compile(rb"DUMP OF SERVICE (?:CRITICAL |HIGH )?(\S{1,200}):")
"""The line after `DASH_LINE`. Group: the service."""
FOOTER_MARKER: Final = b"s was the duration of dumpsys "
"""Part of each `SERVICE_FOOTER`."""
SERVICE_FOOTER: Final = re.compile(
    rb"(?s:(.*))-{9} [\d.,]{1,12}s was the duration of dumpsys (\S{1,200}?)"
    rb"(?:, ending at: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d))?"
)
"""Groups: text before it on the line, the service, the phone's local time."""

TITLE_PREFIX: Final = b"------ "
SECTION_TITLE: Final = re.compile(rb"-{6} .{1,500} -{6}")
"""The title of another section, or its duration."""
PROPERTIES_TITLE: Final = re.compile(rb"-{6} SYSTEM PROPERTIES(?: \(getprop\))? -{6}")
TIMEOUT_MARKER: Final = b"(killing pid "
TIMEOUT_LINE: Final = re.compile(rb"\*\*\* .{1,200}[Tt]imed out after [\d.,]{1,12}s \(killing pid \d{1,9}\)$")
"""Written by ``dumpstate`` after the output of a command that took too long."""

DUMPSTATE_PREFIX: Final = b"== dumpstate: "
DUMPSTATE_HEADER: Final = re.compile(rb"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
"""The header of the report. Group: the phone's local time."""

PACKAGE_BLOCK_PREFIX: Final = b"  Package ["
PACKAGE_BLOCK: Final = re.compile(rb"  Package \[[^\]]{1,300}\] \([0-9a-f]{1,16}\):")
"""The first line of an app in ``dumpsys package``; it occurs in no other dump."""

DUMPSYS_PREAMBLE: Final = re.compile(
    rb"(?:Service host process PID: \d+|Client PIDs: [\d, ]*|Threads in use: \d+/\d+)\r*\n"
)
"""Lines that ``dumpsys`` itself prints above a dump, since Android 12."""

MAX_REPORT_BYTES: Final = 1 << 30
"""Text of one report: ten times the largest known."""
MAX_SERVICES: Final = 10_000
"""A phone has some hundred services; in a report with more, no section is trusted."""
PROPERTIES_SECTION: Final = "getprop"
"""Name of the only section that is not a service."""

_MAX_LINE_BYTES: Final = 1 << 16
"""A longer line is read in pieces, of which only the first one is at the start of a line."""
_CHUNK_BYTES: Final = 1 << 14
"""Bytes read at once. Most chunks have no framing line, and are not split into lines."""


@dataclass(slots=True, kw_only=True)
class Section:
    """The content of a section."""

    raw: bytes
    complete: bool
    """Whether its end was present."""
    trusted: bool = True
    """Whether its framing is consistent. If not, its content proves nothing."""
    timed_out: bool = False
    """Whether the phone killed the command because it took too long."""
    too_long: bool = False
    ended_at: str | None = None
    """The phone's local time at the end of the dump, if the footer has it: ``YYYY-MM-DD HH:MM:SS``."""


@dataclass(slots=True, kw_only=True)
class BugreportSections:
    """The wanted sections that are present."""

    sections: dict[str, Section] = field(default_factory=dict)
    """By the service's name, or `PROPERTIES_SECTION`."""
    started_at: str | None = None
    """The phone's local time in the header of a bug report."""


def split_sections(stream: IO[bytes], wanted: AbstractSet[str], path: str) -> BugreportSections:
    """Read `stream` to its end and return the sections in `wanted`; raises `SourceError` about `path` if too large."""
    splitter = _SectionSplitter(wanted)
    total = 0
    at_line_start = True
    for chunk in _read_line_chunks(stream):
        total += len(chunk)
        if total > MAX_REPORT_BYTES:
            raise SourceError("errors.capture_too_large", path=path)
        if splitter.is_content_only(chunk):
            splitter.append(chunk)
            at_line_start = chunk.endswith(b"\n")
            continue
        for line in io.BytesIO(chunk):
            splitter.feed_line(line, at_line_start=at_line_start)
            at_line_start = line.endswith(b"\n")
    return splitter.finish()


def _read_line_chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield `stream` in chunks that end with a line, except within very long lines."""
    chunk = stream.read(_CHUNK_BYTES)
    if chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Windows PowerShell saves the output of `adb bugreport` as UTF-16.
        stream.seek(0)
        text = io.TextIOWrapper(stream, encoding="utf-16", errors="replace", newline="\n")
        while characters := text.read(_CHUNK_BYTES):
            yield (characters + text.readline(_MAX_LINE_BYTES)).encode()
        return
    yield chunk.removeprefix(b"\xef\xbb\xbf") + stream.readline(_MAX_LINE_BYTES)
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk + stream.readline(_MAX_LINE_BYTES)


@dataclass(slots=True)
class _OpenSection:
    name: str
    ordinal: int
    """Its position among all sections, from 1."""
    chunks: list[bytes] | None
    """``None``: not wanted."""
    size: int = 0


class _SectionSplitter:
    """Collects the wanted sections, line by line."""

    def __init__(self, wanted: AbstractSet[str]) -> None:
        self.wanted = wanted
        self.result = BugreportSections()
        self.current: _OpenSection | None = None
        self.pending_dashes: bytes | None = None
        self.last_ordinal: dict[str, int] = {}
        self.section_count = self.footer_count = 0
        self.untrusted: set[str] = set()
        self.has_stray_package_block = False

    def is_content_only(self, chunk: bytes) -> bool:
        """Return whether `chunk` cannot contain a framing line."""
        if self.pending_dashes is not None or (not self.section_count and DUMPSTATE_PREFIX in chunk):
            return False
        if PACKAGE_BLOCK_PREFIX in chunk and (self.current is None or self.current.name != "package"):
            return False
        return not any(marker in chunk for marker in (DASH_LINE, TITLE_PREFIX, FOOTER_MARKER, TIMEOUT_MARKER))

    def feed_line(self, line: bytes, *, at_line_start: bool) -> None:
        """Process a line, or a piece of a very long one."""
        text = line.rstrip(b"\r\n")
        if self.pending_dashes is not None:
            dashes, self.pending_dashes = self.pending_dashes, None
            if header := SERVICE_HEADER.fullmatch(text):
                self.append(dashes.rstrip(b"\r\n").removesuffix(DASH_LINE))
                self._start_section(header[1].decode("utf-8", "replace"))
                return
            self.append(dashes)
        # The last line of a service may lack its line feed: then the framing follows on the same line.
        if text.endswith(DASH_LINE):
            self.pending_dashes = line
        elif not self._handle_section_end(text) and not (
            at_line_start and line[:1] in b"-= " and self._handle_frame_line(text)
        ):
            self.append(line)

    def _handle_section_end(self, text: bytes) -> bool:
        """Return whether `text` ends a section, and end it."""
        if FOOTER_MARKER in text and (footer := SERVICE_FOOTER.fullmatch(text)):
            self.append(footer[1])
            self._handle_footer(footer[2].decode("utf-8", "replace"), footer[3])
            return True
        if TIMEOUT_MARKER in text and self.current is not None and (timeout := TIMEOUT_LINE.search(text)):
            self.append(text[: timeout.start()])
            self._end_section(complete=False, timed_out=True)
            return True
        return False

    def _handle_frame_line(self, text: bytes) -> bool:
        """Return whether `text` is a line between sections, and process it."""
        if text.startswith(TITLE_PREFIX):
            if PROPERTIES_TITLE.fullmatch(text):
                self._start_section(PROPERTIES_SECTION)
                return True
            has_footer = self.footer_count and self.current is not None and self.current.name != PROPERTIES_SECTION
            if SECTION_TITLE.fullmatch(text) and not has_footer:  # else only its footer ends the current section
                self._end_section(complete=True)
                return True
        if text.startswith(DUMPSTATE_PREFIX):
            header = DUMPSTATE_HEADER.fullmatch(text)
            if header is not None and not self.section_count and self.result.started_at is None:
                self.result.started_at = header[1].decode()
        elif text.startswith(PACKAGE_BLOCK_PREFIX) and (self.current is None or self.current.name != "package"):
            self.has_stray_package_block = self.has_stray_package_block or PACKAGE_BLOCK.fullmatch(text) is not None
        return False

    def _start_section(self, name: str) -> None:
        if self.current is not None:
            self._end_section(complete=not self.footer_count)
        self.section_count += 1
        if name in self.wanted and name in self.last_ordinal:
            self.untrusted.add(name)  # Android prints each section once
        if name in self.wanted or len(self.last_ordinal) < MAX_SERVICES:
            self.last_ordinal[name] = self.section_count
        self.current = _OpenSection(name, self.section_count, [] if name in self.wanted else None)

    def _handle_footer(self, name: str, ended_at: bytes | None) -> None:
        self.footer_count += 1
        if self.current is not None and self.current.name == name:
            self._end_section(complete=True, ended_at=ended_at.decode() if ended_at else None)
            return
        # The genuine end of a dump that seemed to have ended before: an app wrote what is between them.
        forged_from = self.last_ordinal.get(name)
        if forged_from is not None:
            self.untrusted |= {section for section in self.wanted if self.last_ordinal.get(section, 0) >= forged_from}
            if self.current is not None and self.current.ordinal >= forged_from:
                self.current = None

    def append(self, line: bytes) -> None:
        """Append to the current section, if it is wanted."""
        if self.current is None or self.current.chunks is None:
            return
        if self.current.size <= MAX_FILE_BYTES:
            self.current.chunks.append(line)
        self.current.size += len(line)

    def _end_section(self, *, complete: bool, timed_out: bool = False, ended_at: str | None = None) -> None:
        ended, self.current = self.current, None
        if ended is None or ended.chunks is None or ended.name in self.result.sections:
            return
        raw = b"".join(ended.chunks)
        while match := DUMPSYS_PREAMBLE.match(raw):
            raw = raw[match.end() :]
        self.result.sections[ended.name] = Section(
            raw=raw[:MAX_FILE_BYTES],
            complete=complete,
            timed_out=timed_out,
            too_long=ended.size > MAX_FILE_BYTES,
            ended_at=ended_at,
        )

    def finish(self) -> BugreportSections:
        """Return the sections, with the untrusted ones emptied."""
        if self.pending_dashes is not None:
            self.append(self.pending_dashes)
            self.pending_dashes = None
        self._end_section(complete=False)
        if self.has_stray_package_block:
            # Before Android 8 there are no footers, but package blocks after a forged end show the forgery.
            self.untrusted.add("package")
        too_many = len(self.last_ordinal) >= MAX_SERVICES
        for name in {*self.result.sections, *self.untrusted} & set(self.wanted):
            section = self.result.sections.setdefault(name, Section(raw=b"", complete=False, trusted=False))
            if too_many or name in self.untrusted:
                section.trusted = False
                section.raw = b""
        return self.result
