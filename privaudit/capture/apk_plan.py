"""Plan which byte ranges of an APK to read, step by step, each step based on the bytes of the steps before.

The same plan reads an APK on a phone, in round trips (`privaudit.capture.remote_apks`), and in a file
(`privaudit.vetting`). A plan is a generator: it yields ranges, and continues once these can be read.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final, Protocol, TypeAlias

from privaudit.apk import zip_reader
from privaudit.apk.parts import ARSC, MANIFEST, MAX_PARTS, SIGNING_BLOCK, ApkError, ApkPart, apk_message
from privaudit.capture.scripts import BLOCK_BYTES
from privaudit.model import Message

MAX_ENTRY_BYTES: Final[Mapping[str, int]] = {MANIFEST: 2 << 20, ARSC: 64 << 20}
"""Largest size of an entry, compressed or not. The largest real ones known have a tenth of it."""

_MAX_SIGNATURE_BYTES: Final = 1 << 20
_MAX_SIGNING_BLOCK_BYTES: Final = 2 << 20
_TYPICAL_SIGNING_BLOCK_BYTES: Final = 2 * BLOCK_BYTES
"""apksigner pads the block to pages of 4 KB; most blocks have one or two."""
_SIGNING_FOOTER_BYTES: Final = 24
_SIGNING_MAGIC: Final = b"APK Sig Block 42"
_JAR_SIGNATURE_NAME = re.compile(rb"META-INF/[^/]+\.(?:RSA|DSA|EC)\Z", re.IGNORECASE)
_MAX_SIGNATURES: Final = MAX_PARTS - len(MAX_ENTRY_BYTES) - 1
"""Signature files; the signing block is a part too."""
_TAIL_DIVISOR: Final = 100
"""A central directory has about a hundredth of the file's bytes."""
_MAX_FIRST_TAIL_BYTES: Final = 64 * 1024
_LOCAL_HEADER_SLACK_BYTES: Final = 64
"""Allowance for padding in a local header, which the directory does not contain (zipalign adds up to 3 bytes)."""

ByteRanges: TypeAlias = list[tuple[int, int]]
"""Start and end of each range in the file."""
PartsPlan: TypeAlias = Generator[ByteRanges, None, tuple[Mapping[str, ApkPart], Mapping[str, Message]]]
"""Yields the ranges to read next; returns the parts, and the problems, by name."""


class RangeReadable(Protocol):
    """A file whose ranges can be read."""

    @property
    def size(self) -> int:
        """Bytes of the file."""

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end` or the file's end. Raises `LookupError` if they did not arrive."""


def plan_parts(file: RangeReadable, *, with_certificates: bool) -> PartsPlan:
    """Plan the reading of one APK.

    Raises `ApkError` if nothing of it can be read, `LookupError` if requested bytes did not arrive.
    """
    end, entries = yield from plan_directory(file, extra_bytes=_TYPICAL_SIGNING_BLOCK_BYTES if with_certificates else 0)
    return (yield from plan_contents(file, end, entries, with_certificates=with_certificates))


def plan_directory(
    file: RangeReadable, *, extra_bytes: int = 0
) -> Generator[ByteRanges, None, tuple[zip_reader.EndRecord, zip_reader.CentralDirectory]]:
    """Plan the reading of the central directory, and of `extra_bytes` before it.

    Raises `ApkError` if it is not a zip, or one that Android would reject; `LookupError` as `plan_parts`.
    """
    first_tail_bytes = min(max(file.size // _TAIL_DIVISOR, BLOCK_BYTES), _MAX_FIRST_TAIL_BYTES)
    for tail_bytes in (first_tail_bytes, zip_reader.MAX_TAIL_BYTES):
        yield [(file.size - tail_bytes, file.size)]
        end_record = zip_reader.find_end_record(file.bytes_at(file.size - tail_bytes, file.size), file.size)
        if end_record is not None:
            break
    else:
        raise ApkError("apk.not_zip")
    start, end = end_record.directory_offset, end_record.directory_offset + end_record.directory_size
    yield [(max(0, start - extra_bytes), end)]
    return end_record, zip_reader.parse_central_directory(file.bytes_at(start, end), end_record)


def plan_contents(
    file: RangeReadable,
    end_record: zip_reader.EndRecord,
    directory: zip_reader.CentralDirectory,
    *,
    with_certificates: bool,
) -> PartsPlan:
    """Plan the reading of the parts. Raises `LookupError` as `plan_parts`."""
    problems: dict[str, Message] = {}
    ranges: ByteRanges = []
    signing_block = None
    if with_certificates:
        try:
            signing_block = _find_signing_block(file, end_record)
        except ApkError as error:
            problems[SIGNING_BLOCK] = error.message
        if signing_block is not None:
            ranges.append((signing_block, end_record.directory_offset))
    entries = list(_select_entries(directory, problems, with_certificates=with_certificates))
    for entry in entries:
        size = zip_reader.LOCAL_HEADER_BYTES + len(entry.name) + entry.stored_size + _LOCAL_HEADER_SLACK_BYTES
        ranges.append((entry.header_offset, min(entry.header_offset + size, end_record.directory_offset)))
    yield ranges
    yield [_exact_range(file, entry, end_record) for entry in entries]
    parts: dict[str, ApkPart] = {}
    for entry in entries:
        name = entry.name.decode("utf-8", "replace")
        try:
            parts[name] = ApkPart.from_bytes(read_entry(file, entry, end_record))
        except ApkError as error:
            problems[name] = error.message
    if signing_block is not None:
        parts[SIGNING_BLOCK] = ApkPart.from_bytes(file.bytes_at(signing_block, end_record.directory_offset))
    return parts, problems


def _select_entries(
    directory: zip_reader.CentralDirectory, problems: dict[str, Message], *, with_certificates: bool
) -> Iterator[zip_reader.ZipEntry]:
    """Yield the entries to read, and record the others in `problems`; of too many signature files the first."""
    signatures = [name for name in directory.names() if _JAR_SIGNATURE_NAME.match(name)] if with_certificates else []
    max_bytes_by_name = {part.encode(): max_bytes for part, max_bytes in MAX_ENTRY_BYTES.items()}
    max_bytes_by_name |= dict.fromkeys(signatures[:_MAX_SIGNATURES], _MAX_SIGNATURE_BYTES)
    for name, max_bytes in max_bytes_by_name.items():
        entry, part = directory.get(name), name.decode("utf-8", "replace")
        if entry is None:
            problems[part] = apk_message("apk.entry_missing", entry=part)
        elif max(entry.size, entry.compressed_size) > max_bytes:
            problems[part] = apk_message("apk.entry_too_large", entry=part)
        else:
            yield entry
    for name in signatures[_MAX_SIGNATURES:][:1]:  # one for all of them, as there may be tens of thousands
        part = name.decode("utf-8", "replace")
        problems[part] = apk_message("apk.signatures_too_many", entry=part, n=_MAX_SIGNATURES)


def _find_signing_block(file: RangeReadable, end_record: zip_reader.EndRecord) -> int | None:
    """Return the start of the APK signing block, which ends at the directory and has its size at both ends."""
    footer = file.bytes_at(end_record.directory_offset - _SIGNING_FOOTER_BYTES, end_record.directory_offset)
    if len(footer) < _SIGNING_FOOTER_BYTES or not footer.endswith(_SIGNING_MAGIC):
        return None
    size = int.from_bytes(footer[:8], "little")
    start = end_record.directory_offset - size - 8
    if size < _SIGNING_FOOTER_BYTES or start < 0 or size > _MAX_SIGNING_BLOCK_BYTES:
        raise ApkError("apk.signing_damaged")
    return start


def _exact_range(file: RangeReadable, entry: zip_reader.ZipEntry, end_record: zip_reader.EndRecord) -> tuple[int, int]:
    """Return the range of the data of `entry`: its local header may be longer than expected."""
    try:
        start = _data_offset(file, entry, end_record)
    except ApkError:
        return entry.header_offset, entry.header_offset  # `read_entry` raises the error again
    return start, start + entry.stored_size


def read_entry(file: RangeReadable, entry: zip_reader.ZipEntry, end_record: zip_reader.EndRecord) -> bytes:
    """Return an entry of checked size. Raises `ApkError` if it is damaged, `LookupError` if it was not fetched."""
    start = _data_offset(file, entry, end_record)
    return zip_reader.decompress_entry(file.bytes_at(start, start + entry.stored_size), entry)


def _data_offset(file: RangeReadable, entry: zip_reader.ZipEntry, end_record: zip_reader.EndRecord) -> int:
    header_end = entry.header_offset + zip_reader.LOCAL_HEADER_BYTES + len(entry.name)
    local_header = file.bytes_at(entry.header_offset, min(header_end, end_record.directory_offset))
    return zip_reader.find_data_offset(local_header, entry, end_record)
