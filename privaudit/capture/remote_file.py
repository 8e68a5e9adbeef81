"""Read ranges of files on a phone: in blocks, many files in one round trip, each block only once."""

from __future__ import annotations

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
"""Bytes requested together, which are in memory at the same time."""
MAX_REMOTE_FILE_BYTES: Final = BLOCK_BYTES * MAX_BLOCK_INDEX
_HASH_LINE = re.compile(rb"^([0-9a-f]{64})  ?(/.*)$", re.MULTILINE)
_SIZE_LINE = re.compile(rb"^(\d{1,19}) (/.*)$", re.MULTILINE)


class RemoteFile:
    """A file on the phone, read in ranges.

    Reading other ranges raises `LookupError` instead of fetching them, so that callers control the round trips.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.size = size
        self._starts: list[int] = []
        self._pieces: list[bytes] = []

    def missing_blocks(self, start: int, end: int) -> list[BlockRange]:
        """Return the blocks to fetch before `start` to `end` can be read; ranges outside of the file are omitted."""
        first, last = max(start, 0) // BLOCK_BYTES, -(-min(end, self.size) // BLOCK_BYTES)
        missing: list[BlockRange] = []
        for gap_start, gap_end in self._gaps(first * BLOCK_BYTES, last * BLOCK_BYTES):
            first_block, end_block = gap_start // BLOCK_BYTES, -(-gap_end // BLOCK_BYTES)
            missing.append(BlockRange(self.path, first_block, end_block - first_block))
        return missing

    def _gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        position = start
        end = min(end, self.size)
        for piece_start, piece in zip(self._starts, self._pieces, strict=True):
            if piece_start >= end:
                break
            if piece_start > position:
                yield position, piece_start
            position = max(position, piece_start + len(piece))
        if position < end:
            yield position, end

    def store(self, first_block: int, data: bytes) -> None:
        """Store the bytes of the blocks from `first_block`. Ranges that were fetched before do not change."""
        start = first_block * BLOCK_BYTES
        end = min(start + len(data), self.size)
        for gap_start, gap_end in list(self._gaps(start, end)):
            if gap_end > gap_start >= start:
                index = bisect_right(self._starts, gap_start)
                self._starts.insert(index, gap_start)
                self._pieces.insert(index, data[gap_start - start : gap_end - start])

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end` or the file's end. Raises `LookupError` if some were not fetched."""
        start, end = max(0, start), min(end, self.size)
        if start >= end:
            return b""
        chunks = []
        position = start
        index = max(0, bisect_right(self._starts, start) - 1)
        for piece_start, piece in zip(self._starts[index:], self._pieces[index:], strict=True):
            if position >= end or piece_start > position:
                break
            chunks.append(piece[position - piece_start : end - piece_start])
            position = max(position, min(end, piece_start + len(piece)))
        if position < end:
            raise LookupError(f"bytes {position} to {end} were not fetched")
        return b"".join(chunks)

    def evict(self) -> None:
        """Free the fetched ranges."""
        self._starts.clear()
        self._pieces.clear()


def fetch_file_sizes(transport: Transport, paths: Sequence[str]) -> Mapping[str, int]:
    """Return the sizes of the existing files in bytes: one round trip for up to about a thousand files.

    Raises `ConnectionLost`, and `ValueError` if a path must not enter a command.
    """
    scripts = file_size_scripts(new_marker(), paths, max_bytes=transport.command_limit)
    return {path: int(size) for path, size in _match_output_lines(transport, scripts, _SIZE_LINE, paths)}


def fetch_file_hashes(transport: Transport, paths: Sequence[str]) -> Mapping[str, str]:
    """Return the SHA-256 of the readable files in hexadecimal, computed by the phone (Android 8 and later).

    Raises `ConnectionLost`, and `ValueError` if a path must not enter a command.
    """
    scripts = file_hash_scripts(new_marker(), paths, max_bytes=transport.command_limit)
    return {path: digest.decode() for path, digest in _match_output_lines(transport, scripts, _HASH_LINE, paths)}


def _match_output_lines(
    transport: Transport, scripts: Iterable[Command], pattern: re.Pattern[bytes], paths: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Run `scripts` and return the value that they print for each of `paths`; lines about other files are ignored."""
    values: dict[str, bytes] = {}
    for script in scripts:
        for match in pattern.finditer(transport.run(script).stdout):
            values[match[2].decode("utf-8", "replace").rstrip("\r")] = match[1]
    return ((path, values[path]) for path in paths if path in values)


def fetch_blocks(transport: Transport, requests: Sequence[tuple[RemoteFile, Sequence[BlockRange]]]) -> None:
    """Fetch blocks and store them in their files, in as few round trips as the command length allows.

    If a file ends earlier or cannot be read, fewer bytes are stored, and reading the others raises `LookupError`.
    Raises `ConnectionLost`.
    """
    pending = [(file, blocks) for file, block_ranges in requests for blocks in block_ranges]
    marker = new_marker()
    for command in file_block_scripts(marker, [blocks for _, blocks in pending], max_bytes=transport.command_limit):
        stored = _store_output(transport.run(command).stdout, marker.encode(), pending)
        pending = pending[stored:]


def _store_output(output: bytes, marker: bytes, requests: Sequence[tuple[RemoteFile, BlockRange]]) -> int:
    """Split the output of one script into ranges and store them; return their number.

    No file can contain the marker, because it is random and newer than the file.
    """
    marker_start = output.find(marker)
    stored = 0
    for file, blocks in requests:
        marker_line = marker + b" %d %d\n" % (blocks.first_block, blocks.block_count)
        if marker_start < 0 or not output.startswith(marker_line, marker_start):
            break
        start = marker_start + len(marker_line)
        # If the range is complete, the next marker follows at its end; otherwise earlier.
        end = start + blocks.block_count * BLOCK_BYTES
        marker_start = end + 1 if output.startswith(b"\n" + marker, end) else output.find(marker, start)
        if marker_start < 0:
            break
        file.store(blocks.first_block, output[start : marker_start - 1])
        stored += 1
    return stored
