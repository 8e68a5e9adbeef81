"""Where things lie in an APK, read as Android reads it (``libziparchive``), from the few bytes that say so.

AOSP: ``system/libziparchive/zip_archive.cc`` (``MapCentralDirectory``, ``ParseZipArchive``, ``FindEntry``) and
``frameworks/base/libs/androidfw/ApkAssets.cpp``, ``AssetsProvider.cpp``: the flag "encrypted" and the checksum are not
looked at, and every method but "deflated" counts as stored. What Android refuses is refused here, so that no name is
read from a file other than the one Android runs.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import ApkError

END_RECORD_BYTES: Final = 22
MAX_TAIL_BYTES: Final = END_RECORD_BYTES + 0xFFFF
"""The end record and the longest comment behind it."""
MAX_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
"""Bytes. The record of an entry has 46 bytes and a name; there are at most 65,535."""
LOCAL_HEADER_BYTES: Final = 30

_END_RECORD: Final = struct.Struct("<4s4H2IH")
_DIRECTORY_ENTRY: Final = struct.Struct("<4s2x2x2H4x3I3H8xI")
_DIRECTORY_ENTRY_LENGTHS: Final = struct.Struct("<4s24x3H8xI")
"""Of `_ENTRY`, what is needed to go from one to the next."""
_LOCAL_HEADER: Final = struct.Struct("<4s2x2H4x3I2H")
_END_SIGNATURE, _ENTRY_SIGNATURE, _LOCAL_SIGNATURE = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_ENTRY_FIXED_BYTES: Final = 46
_FLAG_DATA_DESCRIPTOR: Final = 8
"""Flag bit 3: sizes stand behind the data, so the local header does not have them."""
_METHOD_DEFLATED: Final = 8
_FLAG_ENCRYPTED: Final = 1
"""Flag bit 0. Android does not look at it, so that it often stands there only to keep tools away."""
_OVERFLOW16, _OVERFLOW32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class EndRecord:
    """What the end record says."""

    directory_offset: int
    """Offset of the central directory."""
    directory_size: int
    entry_count: int


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One record of the central directory."""

    name: bytes
    flags: int
    method: int
    compressed_size: int
    """Bytes in the file."""
    size: int
    """Bytes once unpacked."""
    header_offset: int
    """Offset of its local header."""

    @property
    def stored_size(self) -> int:
        """Bytes that Android takes from the file."""
        return self.compressed_size if self.method == _METHOD_DEFLATED else self.size


class CentralDirectory:
    """The entries of an archive by name. Each is read when it is wanted: there may be tens of thousands."""

    def __init__(self, data: bytes, offsets: Mapping[bytes, int]) -> None:
        self._data = data
        self._offsets = offsets

    def get(self, name: bytes) -> ZipEntry | None:
        """The entry called `name`."""
        at = self._offsets.get(name)
        if at is None:
            return None
        _, flags, method, _, packed, size, _, _, _, header = _DIRECTORY_ENTRY.unpack_from(self._data, at)
        return ZipEntry(name, flags, method, packed, size, header)

    def names(self) -> Iterator[bytes]:
        """All names, in the order of the directory."""
        return iter(self._offsets)


def find_end_record(tail: bytes, file_size: int) -> EndRecord | None:
    """The end record in the last bytes of a file; ``None`` where more of them are needed.

    Raises:
        ApkError: there is none, or Android would not take it.
    """
    at = tail.rfind(_END_SIGNATURE, 0, max(0, len(tail) - END_RECORD_BYTES + len(_END_SIGNATURE)))
    if at < 0:
        if len(tail) < min(file_size, MAX_TAIL_BYTES):
            return None
        raise ApkError("apk.not_zip")
    _, disk, first_disk, on_disk, count, size, directory, comment = _END_RECORD.unpack_from(tail, at)
    position = file_size - len(tail) + at
    if _OVERFLOW16 in {disk, first_disk, on_disk, count} or _OVERFLOW32 in {size, directory}:
        raise ApkError("apk.zip64")
    if position + END_RECORD_BYTES + comment != file_size or directory + size > position or not count:
        raise ApkError("apk.zip_damaged")
    if size > MAX_DIRECTORY_BYTES or size < count * _ENTRY_FIXED_BYTES:
        raise ApkError("apk.zip_damaged")
    return EndRecord(directory, size, count)


def parse_central_directory(data: bytes, end_record: EndRecord) -> CentralDirectory:
    """The central directory.

    Raises:
        ApkError: cut short, a record out of bounds, or a name that comes twice.
    """
    places: dict[bytes, int] = {}
    at, limit = 0, len(data)
    unpack, furthest = _DIRECTORY_ENTRY_LENGTHS.unpack_from, end_record.directory_offset - LOCAL_HEADER_BYTES
    for _ in range(end_record.entry_count):
        name_at = at + _ENTRY_FIXED_BYTES
        if name_at > limit:
            raise ApkError("apk.zip_damaged")
        mark, named, extra, comment, header = unpack(data, at)
        name = data[name_at : name_at + named]
        places[name] = at
        at = name_at + named + extra + comment
        if mark != _ENTRY_SIGNATURE or at > limit or header > furthest:
            raise ApkError("apk.zip_damaged")
    if len(places) != end_record.entry_count:
        raise ApkError("apk.zip_duplicate")
    return CentralDirectory(data, places)


def find_data_offset(local: bytes, entry: ZipEntry, end_record: EndRecord) -> int:
    """Where the bytes of `entry` begin, from its local header and name.

    Raises:
        ApkError: the local header disagrees with the directory, or the bytes would lie in it.
    """
    shown = entry.name.decode("utf-8", "replace")
    if len(local) < LOCAL_HEADER_BYTES + len(entry.name):
        raise ApkError("apk.zip_damaged")
    mark, flags, _method, _crc, packed, size, named, extra = _LOCAL_HEADER.unpack_from(local)
    if mark != _LOCAL_SIGNATURE:
        raise ApkError("apk.entry_damaged", entry=shown)
    if named != len(entry.name) or local[LOCAL_HEADER_BYTES : LOCAL_HEADER_BYTES + named] != entry.name:
        raise ApkError("apk.zip_differs", entry=shown)
    if not flags & _FLAG_DATA_DESCRIPTOR and (packed, size) != (entry.compressed_size, entry.size):
        raise ApkError("apk.zip_differs", entry=shown)
    start: int = entry.header_offset + LOCAL_HEADER_BYTES + named + extra
    if start + max(entry.compressed_size, entry.stored_size) > end_record.directory_offset:
        raise ApkError("apk.zip_damaged")
    return start


def decompress_entry(data: bytes, entry: ZipEntry) -> bytes:
    """The content of `entry`, whose `Entry.stored_size` bytes are `data`. Its size was checked by the caller.

    Raises:
        ApkError: it does not unpack to the size that the directory says.
    """
    shown = entry.name.decode("utf-8", "replace")
    damaged = "apk.entry_encrypted" if entry.flags & _FLAG_ENCRYPTED else "apk.entry_damaged"
    content = data
    if entry.method == _METHOD_DEFLATED:
        try:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.size + 1)
        except zlib.error as error:
            raise ApkError(damaged, entry=shown) from error
    if len(content) != entry.size:
        raise ApkError(damaged, entry=shown)
    return content
