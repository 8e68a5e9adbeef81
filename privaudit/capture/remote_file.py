"""Files on the phone, read in parts: whole blocks, many of many files in one round trip, each block only once."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from privaudit.capture.questions import BLOCK, LAST_BLOCK, Blocks, file_blocks, file_hashes, file_sizes, new_marker
from privaudit.model import Command
from privaudit.transport import Transport

ROUND_BYTES: Final = 8 * 1024 * 1024
"""Bytes asked for together: they are in memory at the same time."""
LARGEST_FILE: Final = BLOCK * LAST_BLOCK
_HASHED = re.compile(rb"^([0-9a-f]{64})  ?(/.*)$", re.MULTILINE)
_SIZED = re.compile(rb"^(\d{1,19}) (/.*)$", re.MULTILINE)


class RangeFile(io.RawIOBase):
    """A file on the phone: read-only, seekable, and holding what was fetched of it.

    Reading outside of that raises `LookupError`: nothing here talks to a phone by itself, so that round trips are
    counted where they are made.
    """

    def __init__(self, path: str, size: int) -> None:
        super().__init__()
        self.path = path
        self.size = size
        self._starts: list[int] = []
        self._pieces: list[bytes] = []
        self._at = 0

    def lacks(self, start: int, end: int) -> list[Blocks]:
        """What must be fetched before bytes `start` to `end` can be read; bytes outside of the file are left out."""
        first, last = max(start, 0) // BLOCK, -(-min(end, self.size) // BLOCK)
        missing: list[Blocks] = []
        for begin, stop in self._gaps(first * BLOCK, last * BLOCK):
            low, high = begin // BLOCK, -(-stop // BLOCK)
            missing.append(Blocks(self.path, low, high - low))
        return missing

    def _gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        at = start
        end = min(end, self.size)
        for begin, piece in zip(self._starts, self._pieces, strict=True):
            if begin >= end:
                break
            if begin > at:
                yield at, begin
            at = max(at, begin + len(piece))
        if at < end:
            yield at, end

    def keep(self, first: int, data: bytes) -> None:
        """Take the bytes of the blocks from `first` on. What is known already stays as it is."""
        start = first * BLOCK
        end = min(start + len(data), self.size)
        for begin, stop in list(self._gaps(start, end)):
            if stop > begin >= start:
                index = bisect_right(self._starts, begin)
                self._starts.insert(index, begin)
                self._pieces.insert(index, data[begin - start : stop - start])

    def bytes_at(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, no further than the end of the file.

        Raises:
            LookupError: not all of them were fetched.
        """
        start, end = max(0, start), min(end, self.size)
        if start >= end:
            return b""
        found = []
        at = start
        index = max(0, bisect_right(self._starts, start) - 1)
        for begin, piece in zip(self._starts[index:], self._pieces[index:], strict=True):
            if at >= end or begin > at:
                break
            found.append(piece[at - begin : end - begin])
            at = max(at, min(end, begin + len(piece)))
        if at < end:
            raise LookupError(f"bytes {at} to {end} were not fetched")
        return b"".join(found)

    def forget(self) -> None:
        """Let go of all that was fetched."""
        self._starts.clear()
        self._pieces.clear()

    # --- as a Python file ---

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; see `io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read; see `io.RawIOBase.readinto`."""
        data = self.bytes_at(self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def sizes(transport: Transport, paths: Sequence[str]) -> Mapping[str, int]:
    """Sizes of the files that are there, in bytes: one round trip for up to about a thousand.

    Raises:
        ConnectionLost: the connection ended.
        ValueError: a path that must not be put into a command.
    """
    scripts = file_sizes(new_marker(), paths, limit=transport.command_limit)
    return {path: int(size) for path, size in _told(transport, scripts, _SIZED, paths)}


def hashes(transport: Transport, paths: Sequence[str]) -> Mapping[str, str]:
    """SHA-256 of files, in hexadecimal, computed by the phone (Android 8 and later); what cannot be read is left out.

    Raises:
        ConnectionLost: the connection ended.
        ValueError: a path that must not be put into a command.
    """
    scripts = file_hashes(new_marker(), paths, limit=transport.command_limit)
    return {path: digest.decode() for path, digest in _told(transport, scripts, _HASHED, paths)}


def _told(
    transport: Transport, scripts: Iterable[Command], line: re.Pattern[bytes], paths: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """What `scripts` tell of `paths`, each on a line that ends in the path; lines about other files are passed over."""
    found: dict[str, bytes] = {}
    for script in scripts:
        for match in line.finditer(transport.run(script).stdout):
            found[match[2].decode("utf-8", "replace").rstrip("\r")] = match[1]
    return ((path, found[path]) for path in paths if path in found)


def read(transport: Transport, path: str, wanted: Sequence[tuple[int, int]]) -> tuple[bytes, ...]:
    """Bytes of one file, for each (start, end) of `wanted`, no further than its end: two round trips, by any transport.

    Raises:
        ConnectionLost: the connection ended.
        LookupError: the file is not there or cannot be read.
        ValueError: a path that must not be put into a command.
    """
    file = RangeFile(path, sizes(transport, [path])[path])
    fetch(transport, [(file, file.lacks(start, end)) for start, end in wanted])
    return tuple(file.bytes_at(start, end) for start, end in wanted)


def fetch(transport: Transport, wanted: Sequence[tuple[RangeFile, Sequence[Blocks]]]) -> None:
    """Read blocks into their files, in as few round trips as the phone's commands have room for.

    A file that ends earlier, or cannot be read, has fewer bytes afterwards; its readers find out.

    Raises:
        ConnectionLost: the connection ended.
    """
    asked = [(file, blocks) for file, several in wanted for blocks in several]
    marker = new_marker()
    for command in file_blocks(marker, [blocks for _, blocks in asked], limit=transport.command_limit):
        taken = _take(transport.run(command).stdout, marker.encode(), asked)
        asked = asked[taken:]


def _take(output: bytes, mark: bytes, asked: Sequence[tuple[RangeFile, Blocks]]) -> int:
    """Cut the output of one script into ranges; gives their number.

    Nothing in a file can look like the marker: it is made after the file, at random.
    """
    at = output.find(mark)
    taken = 0
    for file, blocks in asked:
        head = mark + b" %d %d\n" % (blocks.first, blocks.count)
        if at < 0 or not output.startswith(head, at):
            break
        start = at + len(head)
        # Where the range is whole, the next marker is where it must be; else it comes earlier.
        end = start + blocks.count * BLOCK
        at = end + 1 if output.startswith(b"\n" + mark, end) else output.find(mark, start)
        if at < 0:
            break
        file.keep(blocks.first, output[start : at - 1])
        taken += 1
    return taken
