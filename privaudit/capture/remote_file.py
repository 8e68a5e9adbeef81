"""Files on the phone, read in parts: whole blocks, many of many files in one round trip, each block only once."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from privaudit.capture.scripts import (
    BLOCK_BYTES,
    MAX_BLOCK_INDEX,
    BlockRange,
    file_block_scripts,
    file_hash_scripts,
    file_size_scripts,
    new_marker,
)
from privaudit.model import Command
from privaudit.transport.base import Transport

MAX_ROUND_BYTES: Final = 8 * 1024 * 1024
"""Bytes asked for together: they are in memory at the same time."""
MAX_REMOTE_FILE_BYTES: Final = BLOCK_BYTES * MAX_BLOCK_INDEX
_HASH_LINE = re.compile(rb"^([0-9a-f]{64})  ?(/.*)$", re.MULTILINE)
_SIZE_LINE = re.compile(rb"^(\d{1,19}) (/.*)$", re.MULTILINE)


class RemoteFile(io.RawIOBase):
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
        self._position = 0

    def missing_blocks(self, start: int, end: int) -> list[BlockRange]:
        """What must be fetched before bytes `start` to `end` can be read; bytes outside of the file are left out."""
        first, last = max(start, 0) // BLOCK_BYTES, -(-min(end, self.size) // BLOCK_BYTES)
        missing: list[BlockRange] = []
        for begin, stop in self._gaps(first * BLOCK_BYTES, last * BLOCK_BYTES):
            low, high = begin // BLOCK_BYTES, -(-stop // BLOCK_BYTES)
            missing.append(BlockRange(self.path, low, high - low))
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

    def store(self, first_block: int, data: bytes) -> None:
        """Take the bytes of the blocks from `first_block` on. What is known already stays as it is."""
        start = first_block * BLOCK_BYTES
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

    def evict(self) -> None:
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
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read; see `io.RawIOBase.readinto`."""
        data = self.bytes_at(self._position, self._position + len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def fetch_file_sizes(transport: Transport, paths: Sequence[str]) -> Mapping[str, int]:
    """Sizes of the files that are there, in bytes: one round trip for up to about a thousand.

    Raises:
        ConnectionLost: the connection ended.
        ValueError: a path that must not be put into a command.
    """
    scripts = file_size_scripts(new_marker(), paths, max_bytes=transport.command_limit)
    return {path: int(size) for path, size in _match_output_lines(transport, scripts, _SIZE_LINE, paths)}


def fetch_file_hashes(transport: Transport, paths: Sequence[str]) -> Mapping[str, str]:
    """SHA-256 of files, in hexadecimal, computed by the phone (Android 8 and later); what cannot be read is left out.

    Raises:
        ConnectionLost: the connection ended.
        ValueError: a path that must not be put into a command.
    """
    scripts = file_hash_scripts(new_marker(), paths, max_bytes=transport.command_limit)
    return {path: digest.decode() for path, digest in _match_output_lines(transport, scripts, _HASH_LINE, paths)}


def _match_output_lines(
    transport: Transport, scripts: Iterable[Command], pattern: re.Pattern[bytes], paths: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """What `scripts` tell of `paths`, each on a line that ends in the path; lines about other files are passed over."""
    found: dict[str, bytes] = {}
    for script in scripts:
        for match in pattern.finditer(transport.run(script).stdout):
            found[match[2].decode("utf-8", "replace").rstrip("\r")] = match[1]
    return ((path, found[path]) for path in paths if path in found)


def read_ranges(transport: Transport, path: str, ranges: Sequence[tuple[int, int]]) -> tuple[bytes, ...]:
    """Bytes of one file, for each (start, end) of `ranges`, no further than its end: two round trips, by any transport.

    Raises:
        ConnectionLost: the connection ended.
        LookupError: the file is not there or cannot be read.
        ValueError: a path that must not be put into a command.
    """
    file = RemoteFile(path, fetch_file_sizes(transport, [path])[path])
    fetch_blocks(transport, [(file, file.missing_blocks(start, end)) for start, end in ranges])
    return tuple(file.bytes_at(start, end) for start, end in ranges)


def fetch_blocks(transport: Transport, requests: Sequence[tuple[RemoteFile, Sequence[BlockRange]]]) -> None:
    """Read blocks into their files, in as few round trips as the phone's commands have room for.

    A file that ends earlier, or cannot be read, has fewer bytes afterwards; its readers find out.

    Raises:
        ConnectionLost: the connection ended.
    """
    asked = [(file, blocks) for file, several in requests for blocks in several]
    marker = new_marker()
    for command in file_block_scripts(marker, [blocks for _, blocks in asked], max_bytes=transport.command_limit):
        taken = _store_output(transport.run(command).stdout, marker.encode(), asked)
        asked = asked[taken:]


def _store_output(output: bytes, marker: bytes, requests: Sequence[tuple[RemoteFile, BlockRange]]) -> int:
    """Cut the output of one script into ranges; gives their number.

    Nothing in a file can look like the marker: it is made after the file, at random.
    """
    at = output.find(marker)
    taken = 0
    for file, blocks in requests:
        head = marker + b" %d %d\n" % (blocks.first_block, blocks.block_count)
        if at < 0 or not output.startswith(head, at):
            break
        start = at + len(head)
        # Where the range is whole, the next marker is where it must be; else it comes earlier.
        end = start + blocks.block_count * BLOCK_BYTES
        at = end + 1 if output.startswith(b"\n" + marker, end) else output.find(marker, start)
        if at < 0:
            break
        file.store(blocks.first_block, output[start : at - 1])
        taken += 1
    return taken
