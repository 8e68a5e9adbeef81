"""Look up single resources of a ``resources.arsc``, in all their configurations, without parsing the rest of it.

Androguard indexes the complete table first, which takes longer than its transfer; here only labels are needed. Work is
bounded by the size of the table, and the ranges that were read are recorded, so that a capture can store only these.

AOSP: ``frameworks/base/libs/androidfw/include/androidfw/ResourceTypes.h``, ``LoadedArsc.cpp``, ``ResourceTypes.cpp``.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

from privaudit.apk.parts import ApkError
from privaudit.apk.resource_config import ResourceConfig

MAX_STRING_CHARS: Final = 1000
"""Characters of one string; a launcher displays about twenty."""

CHUNK_HEADER: Final = struct.Struct("<HHI")
"""``ResChunk_header``: type, size of the header, size of the chunk."""
_STRING_POOL_HEADER: Final = struct.Struct("<5I")
_UTF8_FLAG: Final = 0x100
U8: Final = struct.Struct("<B")
U16: Final = struct.Struct("<H")
U32: Final = struct.Struct("<I")


class BinaryView:
    """Bytes with bounds checks, which records the ranges that were read. Its methods raise ApkError out of bounds."""

    def __init__(self, data: bytes, error_key: str = "apk.resources_damaged") -> None:
        self._data = data
        self._error_key = error_key
        self.touched_ranges: list[tuple[int, int]] = []
        self.size = len(data)

    def unpack(self, layout: struct.Struct, offset: int) -> tuple[Any, ...]:
        """Unpack `layout` at `offset`."""
        if offset < 0 or offset + layout.size > self.size:
            raise ApkError(self._error_key)
        self.touched_ranges.append((offset, offset + layout.size))
        return layout.unpack_from(self._data, offset)

    def read_bytes(self, offset: int, size: int) -> bytes:
        """Return `size` bytes at `offset`."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ApkError(self._error_key)
        self.touched_ranges.append((offset, offset + size))
        return self._data[offset : offset + size]

    def read_string(self, pool_offset: int, index: int) -> str:
        """Return string `index` of the pool that begins at `pool_offset`, truncated to `MAX_STRING_CHARS`."""
        _, header_size, size = self.unpack(CHUNK_HEADER, pool_offset)
        count, _, flags, strings_start, _ = self.unpack(_STRING_POOL_HEADER, pool_offset + CHUNK_HEADER.size)
        if index >= count:
            raise ApkError(self._error_key)
        (string_offset,) = self.unpack(U32, pool_offset + header_size + U32.size * index)
        if strings_start + string_offset >= size:
            raise ApkError(self._error_key)
        offset = pool_offset + strings_start + string_offset
        return self._read_utf8(offset) if flags & _UTF8_FLAG else self._read_utf16(offset)

    def _read_utf8(self, offset: int) -> str:
        # The length in UTF-16 units, the length in bytes, then the bytes.
        _, offset = self._read_utf8_length(offset)
        length, offset = self._read_utf8_length(offset)
        raw = self.read_bytes(offset, min(length, 4 * MAX_STRING_CHARS))
        try:  # aapt2 writes characters outside of the basic plane as two surrogates of three bytes each
            text = raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "replace")
        # Pairs of surrogates become their characters, single ones U+FFFD.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")[:MAX_STRING_CHARS]

    def _read_utf16(self, offset: int) -> str:
        (length,) = self.unpack(U16, offset)
        offset += U16.size
        if length & 0x8000:
            (low,) = self.unpack(U16, offset)
            length, offset = (length & 0x7FFF) << 16 | low, offset + U16.size
        raw = self.read_bytes(offset, 2 * min(length, MAX_STRING_CHARS))
        return raw.decode("utf-16-le", "replace")

    def _read_utf8_length(self, offset: int) -> tuple[int, int]:
        (high,) = self.unpack(U8, offset)
        if not high & 0x80:
            return high, offset + 1
        (low,) = self.unpack(U8, offset + 1)
        return (high & 0x7F) << 8 | low, offset + 2


_MAX_CHUNKS: Final = 200_000
_MAX_CONFIGURATIONS: Final = 2_000
"""Configurations of one resource; a real table has one for each language."""

_CHUNK_STRING_POOL, _CHUNK_TABLE, _CHUNK_PACKAGE, _CHUNK_TYPE = 0x0001, 0x0002, 0x0200, 0x0201
_TYPE_HEADER: Final = struct.Struct("<BBxxII")
_SPARSE_ENTRY: Final = struct.Struct("<HH")
_ENTRY_HEADER: Final = struct.Struct("<HHI")
_RES_VALUE: Final = struct.Struct("<HxBI")
_FLAG_SPARSE, _FLAG_OFFSET16 = 1, 2
_FLAG_COMPLEX, _FLAG_COMPACT = 1, 8
_NO_ENTRY, _NO_ENTRY16 = 0xFFFFFFFF, 0xFFFF
_TYPE_ID_OFFSET_POSITION: Final = 284
"""Offset of ``typeIdOffset`` in a package header of 288 bytes; older headers are shorter."""


class ResValueType(IntEnum):
    """``Res_value::dataType``: the types that a label can have."""

    REFERENCE = 0x01
    STRING = 0x03
    DYNAMIC_REFERENCE = 0x07
    DECIMAL = 0x10


@dataclass(frozen=True, slots=True)
class ResValue:
    """A resource's value in one configuration."""

    config: ResourceConfig
    value_type: int
    data: int


class _Chunk(NamedTuple):
    type: int
    offset: int
    header_size: int
    end: int


class ResourceTable:
    """A ``resources.arsc``. It and its methods raise ApkError if it is something else, or what is read is damaged."""

    def __init__(self, data: bytes) -> None:
        self._view = BinaryView(data)
        self._string_pool_offset: int | None = None
        self._chunk_budget = self._lookup_budget = _MAX_CHUNKS
        self._cached_values: dict[int, tuple[ResValue, ...]] = {}
        chunk_type, header_size, size = self._view.unpack(CHUNK_HEADER, 0)
        if chunk_type != _CHUNK_TABLE:
            raise ApkError("apk.resources_damaged")
        self._types: dict[tuple[int, int], list[_Chunk]] = {}
        packages = []
        for chunk in self._iter_chunks(header_size, min(size, self._view.size)):
            if chunk.type == _CHUNK_STRING_POOL and self._string_pool_offset is None:  # Android ignores further ones
                self._string_pool_offset = chunk.offset
            elif chunk.type == _CHUNK_PACKAGE:
                (package_id,) = self._view.unpack(U32, chunk.offset + CHUNK_HEADER.size)
                type_id_offset = 0
                if chunk.header_size > _TYPE_ID_OFFSET_POSITION:
                    (type_id_offset,) = self._view.unpack(U32, chunk.offset + _TYPE_ID_OFFSET_POSITION)
                packages.append((package_id, type_id_offset, chunk))
        for package_id, type_id_offset, package in packages:
            for chunk in self._iter_chunks(package.offset + package.header_size, package.end):
                if chunk.type == _CHUNK_TYPE:
                    (type_id,) = self._view.unpack(U8, chunk.offset + CHUNK_HEADER.size)
                    self._types.setdefault((package_id, type_id + type_id_offset), []).append(chunk)

    @property
    def touched_ranges(self) -> list[tuple[int, int]]:
        """The ranges (start, end) that were read so far."""
        return self._view.touched_ranges

    def resource_values(self, resource_id: int) -> tuple[ResValue, ...]:
        """Return the values of `resource_id` (0xPPTTEEEE) in the table's order; empty if there is no such resource."""
        if resource_id in self._cached_values:
            return self._cached_values[resource_id]
        values = []
        types = self._types.get((resource_id >> 24, resource_id >> 16 & 0xFF), [])
        self._lookup_budget -= len(types)
        if self._lookup_budget < 0:
            raise ApkError("apk.resources_damaged")
        for chunk in types:
            value = self._read_value(chunk, resource_id & 0xFFFF)
            if value is not None:
                values.append(value)
            if len(values) > _MAX_CONFIGURATIONS:
                raise ApkError("apk.resources_damaged")
        self._cached_values[resource_id] = tuple(values)
        return self._cached_values[resource_id]

    def string(self, index: int) -> str:
        """Return string `index` of the table's pool, truncated to `MAX_STRING_CHARS` characters."""
        if self._string_pool_offset is None:
            raise ApkError("apk.resources_damaged")
        return self._view.read_string(self._string_pool_offset, index)

    def _iter_chunks(self, start: int, end: int) -> Iterator[_Chunk]:
        """Yield the chunks from `start` to `end`."""
        offset = start
        while offset + CHUNK_HEADER.size <= end:
            chunk_type, header_size, size = self._view.unpack(CHUNK_HEADER, offset)
            self._chunk_budget -= 1
            too_small = header_size < CHUNK_HEADER.size or size < header_size
            if too_small or offset + size > end or self._chunk_budget < 0:
                raise ApkError("apk.resources_damaged")
            yield _Chunk(chunk_type, offset, header_size, offset + size)
            offset += size

    def _read_value(self, chunk: _Chunk, index: int) -> ResValue | None:
        """Read the value of entry `index` in a type chunk, that is in one configuration."""
        _, flags, count, entries_start = self._view.unpack(_TYPE_HEADER, chunk.offset + CHUNK_HEADER.size)
        entry_offset = self._entry_offset(chunk.offset + chunk.header_size, flags, count, index)
        if entry_offset is None:
            return None
        entry = chunk.offset + entries_start + entry_offset
        if entry + _ENTRY_HEADER.size > chunk.end:
            raise ApkError("apk.resources_damaged")
        size, entry_flags, data = self._view.unpack(_ENTRY_HEADER, entry)
        if entry_flags & _FLAG_COMPACT:
            value_type = entry_flags >> 8
        elif entry_flags & _FLAG_COMPLEX:
            return None  # a style or an array, which cannot be a label
        else:
            _, value_type, data = self._view.unpack(_RES_VALUE, entry + size)
        config_start = CHUNK_HEADER.size + _TYPE_HEADER.size
        (config_size,) = self._view.unpack(U32, chunk.offset + config_start)
        if config_size > chunk.header_size - config_start:
            raise ApkError("apk.resources_damaged")
        config = ResourceConfig.parse(self._view.read_bytes(chunk.offset + config_start, config_size))
        return ResValue(config, value_type, data)

    def _entry_offset(self, table_offset: int, flags: int, count: int, index: int) -> int | None:
        if flags & _FLAG_SPARSE:
            return self._sparse_entry_offset(table_offset, count, index)
        if index >= count:
            return None
        if flags & _FLAG_OFFSET16:
            (short_offset,) = self._view.unpack(U16, table_offset + U16.size * index)
            return None if short_offset == _NO_ENTRY16 else short_offset * 4
        (offset,) = self._view.unpack(U32, table_offset + U32.size * index)
        return None if offset == _NO_ENTRY else offset

    def _sparse_entry_offset(self, table_offset: int, count: int, index: int) -> int | None:
        low, high = 0, count
        while low < high:  # sorted by index; Android uses binary search too
            middle = (low + high) // 2
            entry_index, offset = self._view.unpack(_SPARSE_ENTRY, table_offset + _SPARSE_ENTRY.size * middle)
            if entry_index == index:
                return int(offset) * 4
            low, high = (middle + 1, high) if entry_index < index else (low, middle)
        return None
