"""Looks up single resources in a ``resources.arsc``, in all their configurations, without reading the rest of it.

Androguard indexes the whole table first, which takes longer than its transfer; only a name is wanted here. Everything
is bounded by the size of the table, and each byte that was looked at is remembered, so that a capture can keep these.

AOSP: ``frameworks/base/libs/androidfw/include/androidfw/ResourceTypes.h``, ``LoadedArsc.cpp``, ``ResourceTypes.cpp``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from privaudit.apk.parts import ApkError
from privaudit.apk.resource_config import ResourceConfig

MAX_STRING_CHARS: Final = 1000
"""Characters of one text; a launcher shows about twenty."""

CHUNK_HEADER: Final = struct.Struct("<HHI")
"""``ResChunk_header``: kind, size of the header, size of the whole."""
_STRING_POOL_HEADER: Final = struct.Struct("<5I")
_UTF8_FLAG: Final = 0x100
U8: Final = struct.Struct("<B")
U16: Final = struct.Struct("<H")
U32: Final = struct.Struct("<I")


class BinaryView:
    """Bytes that remember which of them were read, and never read outside of themselves."""

    def __init__(self, data: bytes, error_key: str = "resources_damaged") -> None:
        self._data = data
        self._error_key = error_key
        self.touched_ranges: list[tuple[int, int]] = []
        self.size = len(data)

    def unpack(self, layout: struct.Struct, offset: int) -> tuple[Any, ...]:
        """The numbers of `layout` at a place.

        Raises:
            ApkError: they would lie outside.
        """
        if offset < 0 or offset + layout.size > self.size:
            raise ApkError(self._error_key)
        self.touched_ranges.append((offset, offset + layout.size))
        return layout.unpack_from(self._data, offset)

    def read_bytes(self, offset: int, size: int) -> bytes:
        """So many bytes at a place.

        Raises:
            ApkError: they would lie outside.
        """
        if offset < 0 or size < 0 or offset + size > self.size:
            raise ApkError(self._error_key)
        self.touched_ranges.append((offset, offset + size))
        return self._data[offset : offset + size]

    def read_string(self, pool_offset: int, index: int) -> str:
        """Text number `index` of the string pool that begins at `pool_offset`, cut after `MAX_STRING_CHARS` characters.

        Raises:
            ApkError: there is none such, or it is damaged.
        """
        _, head, size = self.unpack(CHUNK_HEADER, pool_offset)
        count, _, flags, start, _ = self.unpack(_STRING_POOL_HEADER, pool_offset + CHUNK_HEADER.size)
        if index >= count:
            raise ApkError(self._error_key)
        (offset,) = self.unpack(U32, pool_offset + head + 4 * index)
        if start + offset >= size:
            raise ApkError(self._error_key)
        at = pool_offset + start + offset
        return self._read_utf8(at) if flags & _UTF8_FLAG else self._read_utf16(at)

    def _read_utf8(self, at: int) -> str:
        # Its length in UTF-16 units, then in bytes, then these.
        _, at = self._read_utf8_length(at)
        length, at = self._read_utf8_length(at)
        raw = self.read_bytes(at, min(length, 4 * MAX_STRING_CHARS))
        # aapt2 writes characters outside of the basic plane as two surrogates of three bytes each.
        text = raw.decode("utf-8", "surrogatepass" if _has_encoded_surrogates(raw) else "replace")
        return _join_surrogates(text)[:MAX_STRING_CHARS]

    def _read_utf16(self, at: int) -> str:
        (length,) = self.unpack(U16, at)
        at += 2
        if length & 0x8000:
            (low,) = self.unpack(U16, at)
            length, at = (length & 0x7FFF) << 16 | low, at + 2
        raw = self.read_bytes(at, 2 * min(length, MAX_STRING_CHARS))
        return raw.decode("utf-16-le", "replace")

    def _read_utf8_length(self, at: int) -> tuple[int, int]:
        (first,) = self.unpack(U8, at)
        if not first & 0x80:
            return first, at + 1
        (second,) = self.unpack(U8, at + 1)
        return (first & 0x7F) << 8 | second, at + 2


def _has_encoded_surrogates(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return False
        return True
    return False


def _join_surrogates(text: str) -> str:
    """Surrogate pairs as the characters that they stand for; single ones as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
"""Where a package header of 288 bytes has ``typeIdOffset``; older ones are shorter."""


class ResValueType(IntEnum):
    """``Res_value::dataType``, as far as a name may have it."""

    REFERENCE = 0x01
    STRING = 0x03
    DYNAMIC_REFERENCE = 0x07
    DECIMAL = 0x10
    HEXADECIMAL = 0x11
    BOOLEAN = 0x12


@dataclass(frozen=True, slots=True)
class ResValue:
    """A resource's value in one configuration."""

    config: ResourceConfig
    value_type: int
    data: int


class ResourceTable:
    """One ``resources.arsc``.

    Raises:
        ApkError: it is none, or its outline is damaged.
    """

    def __init__(self, data: bytes) -> None:
        self._view = BinaryView(data)
        self._string_pool_offset: int | None = None
        self._packages: list[tuple[int, int, int, int]] = []
        self._chunk_budget = self._lookup_budget = _MAX_CHUNKS
        self._cached_values: dict[int, tuple[ResValue, ...]] = {}
        kind, head, size = self._view.unpack(CHUNK_HEADER, 0)
        if kind != _CHUNK_TABLE:
            raise ApkError("apk.resources_damaged")
        for at, kind, head_size, end in self._iter_chunks(head, min(size, self._view.size)):
            if kind == _CHUNK_STRING_POOL and self._string_pool_offset is None:  # Android ignores further ones
                self._string_pool_offset = at
            elif kind == _CHUNK_PACKAGE:
                (number,) = self._view.unpack(U32, at + 8)
                shift = (
                    self._view.unpack(U32, at + _TYPE_ID_OFFSET_POSITION)[0]
                    if head_size > _TYPE_ID_OFFSET_POSITION
                    else 0
                )
                self._packages.append((number, at + head_size, end, shift))
        self._types: Mapping[tuple[int, int], list[tuple[int, int, int]]] = self._index_types()

    @property
    def touched_ranges(self) -> list[tuple[int, int]]:
        """Ranges (start, end) that were looked at until now."""
        return self._view.touched_ranges

    def resource_values(self, resource_id: int) -> tuple[ResValue, ...]:
        """The values of `resource_id` (0xPPTTEEEE) in the order of the table; none where it has no such resource.

        Raises:
            ApkError: damaged where it should stand, or more configurations than any real table has.
        """
        if resource_id in self._cached_values:
            return self._cached_values[resource_id]
        found = []
        types = self._types.get((resource_id >> 24, resource_id >> 16 & 0xFF), [])
        self._lookup_budget -= len(types)
        if self._lookup_budget < 0:
            raise ApkError("apk.resources_damaged")
        for at, head_size, end in types:
            value = self._read_value(at, head_size, end, resource_id & 0xFFFF)
            if value is not None:
                found.append(value)
            if len(found) > _MAX_CONFIGURATIONS:
                raise ApkError("apk.resources_damaged")
        self._cached_values[resource_id] = tuple(found)
        return self._cached_values[resource_id]

    def string(self, index: int) -> str:
        """Text number `index` of the table, cut after `arsc_view.MAX_STRING_CHARS` characters.

        Raises:
            ApkError: there is none such, or it is damaged.
        """
        if self._string_pool_offset is None:
            raise ApkError("apk.resources_damaged")
        return self._view.read_string(self._string_pool_offset, index)

    # --- inside ---

    def _iter_chunks(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Offset, kind, size of the header and end of each chunk from `start` to `end`."""
        at = start
        while at + CHUNK_HEADER.size <= end:
            kind, head, size = self._view.unpack(CHUNK_HEADER, at)
            self._chunk_budget -= 1
            if head < CHUNK_HEADER.size or size < head or at + size > end or self._chunk_budget < 0:
                raise ApkError("apk.resources_damaged")
            yield at, kind, head, at + size
            at += size

    def _index_types(self) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
        types: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for number, start, end, shift in self._packages:
            for at, kind, head_size, stop in self._iter_chunks(start, end):
                if kind == _CHUNK_TYPE:
                    (type_id,) = self._view.unpack(U8, at + CHUNK_HEADER.size)
                    types.setdefault((number, type_id + shift), []).append((at, head_size, stop))
        return types

    def _read_value(self, at: int, head_size: int, end: int, index: int) -> ResValue | None:
        _, flags, count, entries = self._view.unpack(_TYPE_HEADER, at + CHUNK_HEADER.size)
        offset = self._entry_offset(at + head_size, flags, count, index)
        if offset is None:
            return None
        entry = at + entries + offset
        if entry + _ENTRY_HEADER.size > end:
            raise ApkError("apk.resources_damaged")
        size, entry_flags, data = self._view.unpack(_ENTRY_HEADER, entry)
        if entry_flags & _FLAG_COMPACT:
            kind = entry_flags >> 8
        elif entry_flags & _FLAG_COMPLEX:
            return None  # a style or an array: no name
        else:
            _, kind, data = self._view.unpack(_RES_VALUE, entry + size)
        (config_size,) = self._view.unpack(U32, at + CHUNK_HEADER.size + _TYPE_HEADER.size)
        config_at = at + CHUNK_HEADER.size + _TYPE_HEADER.size
        if config_size > head_size - (config_at - at):
            raise ApkError("apk.resources_damaged")
        return ResValue(ResourceConfig.parse(self._view.read_bytes(config_at, config_size)), kind, data)

    def _entry_offset(self, at: int, flags: int, count: int, index: int) -> int | None:
        if flags & _FLAG_SPARSE:
            return self._sparse_offset(at, count, index)
        if index >= count:
            return None
        if flags & _FLAG_OFFSET16:
            (short,) = self._view.unpack(U16, at + 2 * index)
            return None if short == _NO_ENTRY16 else short * 4
        (offset,) = self._view.unpack(U32, at + 4 * index)
        return None if offset == _NO_ENTRY else offset

    def _sparse_offset(self, at: int, count: int, index: int) -> int | None:
        low, high = 0, count
        while low < high:  # sorted by index, as Android searches it
            middle = (low + high) // 2
            found, offset = self._view.unpack(_SPARSE_ENTRY, at + 4 * middle)
            if found == index:
                return int(offset) * 4
            low, high = (middle + 1, high) if found < index else (low, middle)
        return None
