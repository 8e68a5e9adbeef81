"""How one APK is read: which bytes of it are wanted, step by step, each step knowing what the ones before brought.

The same steps read an APK on a phone, where bytes come in round trips (`apks`), and one in a file (`privaudit.vetting`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final, Protocol, TypeAlias

from privaudit.apk import zip_reader
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK, ApkError, ApkPart, apk_message
from privaudit.capture.scripts import BLOCK_BYTES
from privaudit.model import Message

MAX_ENTRY_BYTES: Final[Mapping[str, int]] = {MANIFEST: 2 << 20, ARSC: 64 << 20}
"""Bytes of an entry, packed or unpacked. The largest real ones known are a tenth of it."""

_MAX_SIGNATURE_BYTES: Final = 1 << 20
_MAX_SIGNING_BLOCK_BYTES: Final = 2 << 20
_TYPICAL_SIGNING_BLOCK_BYTES: Final = 2 * BLOCK_BYTES
"""apksigner pads the block to whole pages of 4 KB; most have one or two."""
_SIGNING_FOOTER_BYTES: Final = 24
_SIGNING_MAGIC: Final = b"APK Sig Block 42"
_JAR_SIGNATURE_NAME = re.compile(rb"META-INF/[^/]+\.(?:RSA|DSA|EC)\Z", re.IGNORECASE)
_MAX_SIGNATURES: Final = 10
_TAIL_DIVISOR: Final = 100
"""A directory has about a hundredth of its file's bytes."""
_MAX_FIRST_TAIL_BYTES: Final = 64 * 1024
_LOCAL_HEADER_SLACK_BYTES: Final = 64
"""Room for padding in a local header that the directory does not tell of (zipalign adds up to 3 bytes)."""

ByteRanges: TypeAlias = list[tuple[int, int]]
"""Where bytes begin and end, in the file."""


class RangeReadable(Protocol):
    """A file of which parts can be read."""

    @property
    def size(self) -> int:
        """Of the file, in bytes."""

    def bytes_at(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, no further than the end of the file.

        Raises:
            LookupError: they were asked for and did not come.
        """


def merge_ranges(ranges: ByteRanges) -> ByteRanges:
    """`ranges` in order, with ranges that share or touch a block made one."""
    joined: ByteRanges = []
    for start, end in sorted(
        (start // BLOCK_BYTES * BLOCK_BYTES, -(-end // BLOCK_BYTES) * BLOCK_BYTES) for start, end in ranges
    ):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def plan_parts(
    file: RangeReadable, *, with_certificates: bool
) -> Generator[ByteRanges, None, tuple[Mapping[str, ApkPart], Mapping[str, Message]]]:
    """The steps of reading one APK: yields what must be there before it goes on; gives parts and problems by name.

    Raises:
        ApkError: nothing of it can be read.
        LookupError: what was asked for did not come.
    """
    end, entries = yield from plan_directory(file, extra_bytes=_TYPICAL_SIGNING_BLOCK_BYTES if with_certificates else 0)
    return (yield from plan_contents(file, end, entries, with_certificates=with_certificates))


def plan_directory(
    file: RangeReadable, *, extra_bytes: int = 0
) -> Generator[ByteRanges, None, tuple[zip_reader.EndRecord, zip_reader.CentralDirectory]]:
    """The steps to the central directory; with it, so many bytes `extra_bytes` it are asked for.

    Raises:
        ApkError: it is no zip, or one that Android would not take.
        LookupError: what was asked for did not come.
    """
    guess = min(max(file.size // _TAIL_DIVISOR, BLOCK_BYTES), _MAX_FIRST_TAIL_BYTES)
    yield [(file.size - guess, file.size)]
    end = zip_reader.find_end_record(file.bytes_at(file.size - guess, file.size), file.size)
    if end is None:
        yield [(file.size - zip_reader.MAX_TAIL_BYTES, file.size)]
        end = zip_reader.find_end_record(file.bytes_at(file.size - zip_reader.MAX_TAIL_BYTES, file.size), file.size)
    if end is None:
        raise ApkError("apk.not_zip")
    yield [(max(0, end.directory_offset - extra_bytes), end.directory_offset + end.directory_size)]
    return end, zip_reader.parse_central_directory(
        file.bytes_at(end.directory_offset, end.directory_offset + end.directory_size), end
    )


def plan_contents(
    file: RangeReadable,
    end_record: zip_reader.EndRecord,
    directory: zip_reader.CentralDirectory,
    *,
    with_certificates: bool,
) -> Generator[ByteRanges, None, tuple[Mapping[str, ApkPart], Mapping[str, Message]]]:
    """The steps from the central directory to the parts.

    Raises:
        LookupError: what was asked for did not come.
    """
    problems: dict[str, Message] = {}
    wishes: ByteRanges = []
    block = None
    if with_certificates:
        try:
            block = _find_signing_block(file, end_record)
        except ApkError as error:
            problems[SIGNING_BLOCK] = error.message
        if block is not None:
            wishes.append((block, end_record.directory_offset))
    chosen = list(_select_entries(directory, problems, with_certificates=with_certificates))
    for entry in chosen:
        room = zip_reader.LOCAL_HEADER_BYTES + len(entry.name) + entry.stored_size + _LOCAL_HEADER_SLACK_BYTES
        wishes.append((entry.header_offset, min(entry.header_offset + room, end_record.directory_offset)))
    yield wishes
    yield [_exact_range(file, entry, end_record) for entry in chosen]
    found: dict[str, ApkPart] = {}
    for entry in chosen:
        name = entry.name.decode("utf-8", "replace")
        try:
            found[name] = ApkPart.from_bytes(read_entry(file, entry, end_record))
        except ApkError as error:
            problems[name] = error.message
    if block is not None:
        found[SIGNING_BLOCK] = ApkPart.from_bytes(file.bytes_at(block, end_record.directory_offset))
    return found, problems


def _select_entries(
    directory: zip_reader.CentralDirectory, problems: dict[str, Message], *, with_certificates: bool
) -> Iterator[zip_reader.ZipEntry]:
    for part, largest in MAX_ENTRY_BYTES.items():
        entry = directory.get(part.encode())
        if entry is None:
            problems[part] = apk_message("apk.entry_missing", entry=part)
        elif max(entry.size, entry.compressed_size) > largest:
            problems[part] = apk_message("apk.entry_too_large", entry=part)
        else:
            yield entry
    signatures = [name for name in directory.names() if _JAR_SIGNATURE_NAME.match(name)] if with_certificates else []
    for name in signatures[:_MAX_SIGNATURES]:
        entry = directory.get(name)
        if entry is not None and max(entry.size, entry.compressed_size) <= _MAX_SIGNATURE_BYTES:
            yield entry


def _find_signing_block(file: RangeReadable, end_record: zip_reader.EndRecord) -> int | None:
    """Where the APK signing block begins: right before the directory, its size in front of it and at its end."""
    footer = file.bytes_at(end_record.directory_offset - _SIGNING_FOOTER_BYTES, end_record.directory_offset)
    if len(footer) < _SIGNING_FOOTER_BYTES or not footer.endswith(_SIGNING_MAGIC):
        return None
    size = int.from_bytes(footer[:8], "little")
    start = end_record.directory_offset - size - 8
    if size < _SIGNING_FOOTER_BYTES or start < 0 or size > _MAX_SIGNING_BLOCK_BYTES:
        raise ApkError("apk.signing_damaged")
    return start


def _exact_range(file: RangeReadable, entry: zip_reader.ZipEntry, end_record: zip_reader.EndRecord) -> tuple[int, int]:
    """Where the bytes of `entry` really end: a local header may be longer than expected."""
    local = file.bytes_at(
        entry.header_offset,
        min(entry.header_offset + zip_reader.LOCAL_HEADER_BYTES + len(entry.name), end_record.directory_offset),
    )
    try:
        start = zip_reader.find_data_offset(local, entry, end_record)
    except ApkError:
        return entry.header_offset, entry.header_offset  # said when its content is taken
    return start, start + entry.stored_size


def read_entry(file: RangeReadable, entry: zip_reader.ZipEntry, end_record: zip_reader.EndRecord) -> bytes:
    """The content of an entry. Whoever asks has looked at its size.

    Raises:
        ApkError: it is damaged.
        LookupError: its bytes were not fetched.
    """
    local = file.bytes_at(
        entry.header_offset,
        min(entry.header_offset + zip_reader.LOCAL_HEADER_BYTES + len(entry.name), end_record.directory_offset),
    )
    start = zip_reader.find_data_offset(local, entry, end_record)
    return zip_reader.decompress_entry(file.bytes_at(start, start + entry.stored_size), entry)
