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

from privaudit.apk.apk_problems import ApkError

END_SIZE: Final = 22
LONGEST_TAIL: Final = END_SIZE + 0xFFFF
"""The end record and the longest comment behind it."""
LARGEST_DIRECTORY: Final = 16 * 1024 * 1024
"""Bytes. The record of an entry has 46 bytes and a name; there are at most 65,535."""
LOCAL_SIZE: Final = 30

_END: Final = struct.Struct("<4s4H2IH")
_ENTRY: Final = struct.Struct("<4s2x2x2H4x3I3H8xI")
_RECORD: Final = struct.Struct("<4s24x3H8xI")
"""Of `_ENTRY`, what is needed to go from one to the next."""
_LOCAL: Final = struct.Struct("<4s2x2H4x3I2H")
_END_MARK, _ENTRY_MARK, _LOCAL_MARK = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_ENTRY_FIXED: Final = 46
_SIZES_LATER: Final = 8
"""Flag bit 3: sizes stand behind the data, so the local header does not have them."""
_DEFLATED: Final = 8
_ENCRYPTED: Final = 1
"""Flag bit 0. Android does not look at it, so that it often stands there only to keep tools away."""
_OVERFLOW16, _OVERFLOW32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class End:
    """What the end record says."""

    directory: int
    """Offset of the central directory."""
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the central directory."""

    name: bytes
    flags: int
    method: int
    packed: int
    """Bytes in the file."""
    size: int
    """Bytes once unpacked."""
    header: int
    """Offset of its local header."""

    @property
    def stored_size(self) -> int:
        """Bytes that Android takes from the file."""
        return self.packed if self.method == _DEFLATED else self.size


class Directory:
    """The entries of an archive by name. Each is read when it is wanted: there may be tens of thousands."""

    def __init__(self, data: bytes, places: Mapping[bytes, int]) -> None:
        self._data = data
        self._places = places

    def get(self, name: bytes) -> Entry | None:
        """The entry called `name`."""
        at = self._places.get(name)
        if at is None:
            return None
        _, flags, method, _, packed, size, _, _, _, header = _ENTRY.unpack_from(self._data, at)
        return Entry(name, flags, method, packed, size, header)

    def names(self) -> Iterator[bytes]:
        """All names, in the order of the directory."""
        return iter(self._places)


def find_end(tail: bytes, file_size: int) -> End | None:
    """The end record in the last bytes of a file; ``None`` where more of them are needed.

    Raises:
        ApkError: there is none, or Android would not take it.
    """
    at = tail.rfind(_END_MARK, 0, max(0, len(tail) - END_SIZE + len(_END_MARK)))
    if at < 0:
        if len(tail) < min(file_size, LONGEST_TAIL):
            return None
        raise ApkError("apk.not_zip")
    _, disk, first_disk, on_disk, count, size, directory, comment = _END.unpack_from(tail, at)
    position = file_size - len(tail) + at
    if _OVERFLOW16 in {disk, first_disk, on_disk, count} or _OVERFLOW32 in {size, directory}:
        raise ApkError("apk.zip64")
    if position + END_SIZE + comment != file_size or directory + size > position or not count:
        raise ApkError("apk.zip_damaged")
    if size > LARGEST_DIRECTORY or size < count * _ENTRY_FIXED:
        raise ApkError("apk.zip_damaged")
    return End(directory, size, count)


def entries(data: bytes, end: End) -> Directory:
    """The central directory.

    Raises:
        ApkError: cut short, a record out of bounds, or a name that comes twice.
    """
    places: dict[bytes, int] = {}
    at, limit = 0, len(data)
    unpack, furthest = _RECORD.unpack_from, end.directory - LOCAL_SIZE
    for _ in range(end.count):
        name_at = at + _ENTRY_FIXED
        if name_at > limit:
            raise ApkError("apk.zip_damaged")
        mark, named, extra, comment, header = unpack(data, at)
        name = data[name_at : name_at + named]
        places[name] = at
        at = name_at + named + extra + comment
        if mark != _ENTRY_MARK or at > limit or header > furthest:
            raise ApkError("apk.zip_damaged")
    if len(places) != end.count:
        raise ApkError("apk.zip_duplicate")
    return Directory(data, places)


def data_offset(local: bytes, entry: Entry, end: End) -> int:
    """Where the bytes of `entry` begin, from its local header and name.

    Raises:
        ApkError: the local header disagrees with the directory, or the bytes would lie in it.
    """
    shown = entry.name.decode("utf-8", "replace")
    if len(local) < LOCAL_SIZE + len(entry.name):
        raise ApkError("apk.zip_damaged")
    mark, flags, _method, _crc, packed, size, named, extra = _LOCAL.unpack_from(local)
    if mark != _LOCAL_MARK:
        raise ApkError("apk.entry_damaged", entry=shown)
    if named != len(entry.name) or local[LOCAL_SIZE : LOCAL_SIZE + named] != entry.name:
        raise ApkError("apk.zip_differs", entry=shown)
    if not flags & _SIZES_LATER and (packed, size) != (entry.packed, entry.size):
        raise ApkError("apk.zip_differs", entry=shown)
    start: int = entry.header + LOCAL_SIZE + named + extra
    if start + max(entry.packed, entry.stored_size) > end.directory:
        raise ApkError("apk.zip_damaged")
    return start


def unpack(data: bytes, entry: Entry) -> bytes:
    """The content of `entry`, whose `Entry.stored_size` bytes are `data`. Its size was checked by the caller.

    Raises:
        ApkError: it does not unpack to the size that the directory says.
    """
    shown = entry.name.decode("utf-8", "replace")
    damaged = "apk.entry_encrypted" if entry.flags & _ENCRYPTED else "apk.entry_damaged"
    content = data
    if entry.method == _DEFLATED:
        try:
            content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.size + 1)
        except zlib.error as error:
            raise ApkError(damaged, entry=shown) from error
    if len(content) != entry.size:
        raise ApkError(damaged, entry=shown)
    return content
