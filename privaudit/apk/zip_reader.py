"""Locate and unpack the entries of an APK in the way of Android (``libziparchive``), from only the bytes needed.

AOSP: ``system/libziparchive/zip_archive.cc`` (``MapCentralDirectory``, ``ParseZipArchive``, ``FindEntry``) and
``frameworks/base/libs/androidfw/ApkAssets.cpp``, ``AssetsProvider.cpp``: the flag "encrypted" and the checksum are
ignored, and every method but "deflated" counts as stored. What Android rejects is rejected here, so that labels are
never read from another file than the one that Android runs.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import ApkError

END_RECORD_BYTES: Final = 22
MAX_TAIL_BYTES: Final = END_RECORD_BYTES + 0xFFFF
"""The end record and the longest comment after it."""
MAX_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
"""An entry has 46 bytes and a name; there are at most 65,535."""
LOCAL_HEADER_BYTES: Final = 30

_END_RECORD: Final = struct.Struct("<4s4H2IH")
_DIRECTORY_ENTRY: Final = struct.Struct("<4s2x2x2H4x3I3H8xI")
_DIRECTORY_ENTRY_LENGTHS: Final = struct.Struct("<4s24x3H8xI")
"""The fields of `_DIRECTORY_ENTRY` that lead from one entry to the next."""
_LOCAL_HEADER: Final = struct.Struct("<4s2x2H4x3I2H")
_END_SIGNATURE, _ENTRY_SIGNATURE, _LOCAL_SIGNATURE = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_ENTRY_FIXED_BYTES: Final = 46
_FLAG_DATA_DESCRIPTOR: Final = 8
"""Flag bit 3: the sizes follow the data, so that the local header does not contain them."""
_METHOD_DEFLATED: Final = 8
_FLAG_ENCRYPTED: Final = 1
"""Flag bit 0. Android ignores it, and packers set it to confuse tools."""
_OVERFLOW16, _OVERFLOW32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class EndRecord:
    """The end-of-central-directory record."""

    directory_offset: int
    directory_size: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A record of the central directory."""

    name: bytes
    flags: int
    method: int
    compressed_size: int
    size: int
    """Bytes after decompression."""
    header_offset: int
    """Offset of its local header."""

    @property
    def is_deflated(self) -> bool:
        """Whether Android inflates it: for signature files every method but "stored" (``StrictJarFile.java``)."""
        return self.method == _METHOD_DEFLATED or (self.method != 0 and self.name.upper().startswith(b"META-INF/"))

    @property
    def stored_size(self) -> int:
        """Bytes that Android reads from the file."""
        return self.compressed_size if self.is_deflated else self.size


class CentralDirectory:
    """The entries of an archive by name. Each is decoded on request: there may be tens of thousands."""

    def __init__(self, data: bytes, offsets: Mapping[bytes, int]) -> None:
        self._data = data
        self._offsets = offsets

    def get(self, name: bytes) -> ZipEntry | None:
        """Return the entry called `name`."""
        offset = self._offsets.get(name)
        if offset is None:
            return None
        _, flags, method, _, compressed_size, size, _, _, _, header_offset = _DIRECTORY_ENTRY.unpack_from(
            self._data, offset
        )
        return ZipEntry(name, flags, method, compressed_size, size, header_offset)

    def names(self) -> Iterator[bytes]:
        """Iterate over all names, in the order of the directory."""
        return iter(self._offsets)


def find_end_record(tail: bytes, file_size: int) -> EndRecord | None:
    """Find the end record in the last bytes of a file; ``None``: more are needed. Raises ApkError if none is valid."""
    offset = tail.rfind(_END_SIGNATURE, 0, max(0, len(tail) - END_RECORD_BYTES + len(_END_SIGNATURE)))
    if offset < 0:
        if len(tail) < min(file_size, MAX_TAIL_BYTES):
            return None
        raise ApkError("apk.not_zip")
    _, disk, first_disk, disk_entries, count, size, directory, comment_size = _END_RECORD.unpack_from(tail, offset)
    position = file_size - len(tail) + offset
    if _OVERFLOW16 in {disk, first_disk, disk_entries, count} or _OVERFLOW32 in {size, directory}:
        raise ApkError("apk.zip64")
    if position + END_RECORD_BYTES + comment_size != file_size or directory + size > position or not count:
        raise ApkError("apk.zip_damaged")
    if size > MAX_DIRECTORY_BYTES or size < count * _ENTRY_FIXED_BYTES:
        raise ApkError("apk.zip_damaged")
    return EndRecord(directory, size, count)


def parse_central_directory(data: bytes, end_record: EndRecord) -> CentralDirectory:
    """Parse the central directory. Raises ApkError if truncated, an entry is out of bounds, or a name duplicate."""
    offsets: dict[bytes, int] = {}
    offset, limit = 0, len(data)
    unpack, max_header_offset = _DIRECTORY_ENTRY_LENGTHS.unpack_from, end_record.directory_offset - LOCAL_HEADER_BYTES
    for _ in range(end_record.entry_count):
        name_start = offset + _ENTRY_FIXED_BYTES
        if name_start > limit:
            raise ApkError("apk.zip_damaged")
        signature, name_size, extra_size, comment_size, header_offset = unpack(data, offset)
        name_end = name_start + name_size
        offsets[data[name_start:name_end]] = offset
        offset = name_end + extra_size + comment_size
        if signature != _ENTRY_SIGNATURE or offset > limit or header_offset > max_header_offset:
            raise ApkError("apk.zip_damaged")
    if len(offsets) != end_record.entry_count:
        raise ApkError("apk.zip_duplicate")
    return CentralDirectory(data, offsets)


def find_data_offset(local_header: bytes, entry: ZipEntry, end_record: EndRecord) -> int:
    """Return where the data of `entry` begins, from its local header and name.

    Raises ApkError if the local header contradicts the directory, or the data would overlap the directory.
    """
    name = entry.name.decode("utf-8", "replace")
    if len(local_header) < LOCAL_HEADER_BYTES + len(entry.name):
        raise ApkError("apk.zip_damaged")
    signature, flags, _method, _crc, compressed_size, size, name_size, extra_size = _LOCAL_HEADER.unpack_from(
        local_header
    )
    if signature != _LOCAL_SIGNATURE:
        raise ApkError("apk.entry_damaged", entry=name)
    if name_size != len(entry.name) or local_header[LOCAL_HEADER_BYTES:][:name_size] != entry.name:
        raise ApkError("apk.zip_differs", entry=name)
    if not flags & _FLAG_DATA_DESCRIPTOR and (compressed_size, size) != (entry.compressed_size, entry.size):
        raise ApkError("apk.zip_differs", entry=name)
    start: int = entry.header_offset + LOCAL_HEADER_BYTES + name_size + extra_size
    if start + max(entry.compressed_size, entry.stored_size) > end_record.directory_offset:
        raise ApkError("apk.zip_damaged")
    return start


def decompress_entry(data: bytes, entry: ZipEntry) -> bytes:
    """Return the content of `entry` from its `ZipEntry.stored_size` bytes. The caller has checked its size.

    Raises ApkError if it does not decompress to the size in the directory.
    """
    error = ApkError(
        "apk.entry_encrypted" if entry.flags & _FLAG_ENCRYPTED else "apk.entry_damaged",
        entry=entry.name.decode("utf-8", "replace"),
    )
    content = data
    if entry.is_deflated:
        try:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.size + 1)
        except zlib.error as cause:
            raise error from cause
    if len(content) != entry.size:
        raise error
    return content
