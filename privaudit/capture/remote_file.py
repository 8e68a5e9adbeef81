"""Read ranges of files on a phone: in blocks, many files in one round trip, each block only once."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from privaudit.capture import scripts
from privaudit.capture.scripts import BLOCK_BYTES, BlockRange
from privaudit.model import Command
from privaudit.transport.base import Transport

MAX_ROUND_BYTES: Final = 8 * 1024 * 1024
"""Bytes requested together, which are in memory at the same time."""
MAX_REMOTE_FILE_BYTES: Final = BLOCK_BYTES * scripts.MAX_BLOCK_INDEX
_HASH_LINE = re.compile(rb"^([0-9a-f]{64})  ?(/.*)$", re.MULTILINE)
_SIZE_LINE = re.compile(rb"^(\d{1,19}) (/.*)$", re.MULTILINE)


class RemoteFile:
    """A file on the phone, read in ranges.

    Reading other ranges raises `LookupError` instead of fetching them, so that callers control the round trips.
    """

    def __init__(self, path: str, size: int) -> None:
        self.path = path
        self.size = size
        self._blocks: dict[int, bytes] = {}

    def missing_blocks(self, *wanted: tuple[int, int]) -> list[BlockRange]:
        """Return the blocks to fetch before the ranges (start, end) can be read; what is outside of the file is not."""
        indexes_by_range = (
            range(max(start, 0) // BLOCK_BYTES, -(-min(end, self.size) // BLOCK_BYTES)) for start, end in wanted
        )
        missing = sorted(
            index
            for index in set().union(*indexes_by_range)
            if len(self._blocks.get(index, b"")) < self._block_length(index)
        )
        ranges: list[BlockRange] = []
        # The difference is the same for blocks that follow each other.
        for _, run in itertools.groupby(enumerate(missing), lambda item: item[1] - item[0]):
            indexes = [index for _, index in run]
            ranges.append(BlockRange(self.path, indexes[0], len(indexes)))
        return ranges

    def _block_length(self, index: int) -> int:
        return max(0, min(BLOCK_BYTES, self.size - index * BLOCK_BYTES))

    def store(self, first_block: int, data: bytes) -> None:
        """Store the bytes of the blocks from `first_block`. Blocks that were fetched before do not change."""
        for start in range(0, len(data), BLOCK_BYTES):
            index = first_block + start // BLOCK_BYTES
            block = data[start : start + self._block_length(index)]
            if len(block) > len(self._blocks.get(index, b"")):
                self._blocks[index] = block

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end` or the file's end. Raises `LookupError` if some were not fetched."""
        start, end = max(0, start), min(end, self.size)
        chunks: list[bytes] = []
        while start < end:
            index, offset = divmod(start, BLOCK_BYTES)
            chunk = self._blocks.get(index, b"")[offset : offset + end - start]
            if not chunk:
                raise LookupError(f"bytes {start} to {end} were not fetched")
            chunks.append(chunk)
            start += len(chunk)
        return b"".join(chunks)

    def evict(self) -> None:
        """Free the fetched ranges."""
        self._blocks.clear()


def fetch_file_sizes(transport: Transport, paths: Sequence[str]) -> Mapping[str, int]:
    """Return the sizes of the existing files in bytes: one round trip for up to about a thousand files.

    Raises `ConnectionLost`, and `ValueError` if a path must not enter a command.
    """
    commands = scripts.file_size_scripts(scripts.new_marker(), paths, max_bytes=transport.command_limit)
    return {path: int(size) for path, size in _match_output_lines(transport, commands, _SIZE_LINE, paths)}


def fetch_file_hashes(transport: Transport, paths: Sequence[str]) -> Mapping[str, str]:
    """Return the SHA-256 of the readable files in hexadecimal, computed by the phone (Android 8 and later).

    Raises `ConnectionLost`, and `ValueError` if a path must not enter a command.
    """
    commands = scripts.file_hash_scripts(scripts.new_marker(), paths, max_bytes=transport.command_limit)
    return {path: digest.decode() for path, digest in _match_output_lines(transport, commands, _HASH_LINE, paths)}


def _match_output_lines(
    transport: Transport, commands: Iterable[Command], pattern: re.Pattern[bytes], paths: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Run `commands` and return the value that they print for each of `paths`; lines about other files are ignored."""
    values: dict[str, bytes] = {}
    for command in commands:
        for match in pattern.finditer(transport.run(command).stdout):
            values[match[2].decode("utf-8", "replace").rstrip("\r")] = match[1]
    return ((path, values[path]) for path in paths if path in values)


def fetch_blocks(transport: Transport, requests: Sequence[tuple[RemoteFile, Sequence[BlockRange]]]) -> None:
    """Fetch blocks and store them in their files, in as few round trips as the command length allows.

    If a file ends earlier or cannot be read, fewer bytes are stored, and reading the others raises `LookupError`.
    Raises `ConnectionLost`.
    """
    pending = [(file, blocks) for file, block_ranges in requests for blocks in block_ranges]
    marker = scripts.new_marker()
    for command in scripts.file_block_scripts(
        marker, [blocks for _, blocks in pending], max_bytes=transport.command_limit
    ):
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
