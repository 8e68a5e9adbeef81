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
from typing import Final

from privaudit.apk.apk_problems import ApkError
from privaudit.apk.arsc_view import CHUNK, U8, U16, U32, View
from privaudit.apk.resource_config import Config

_MOST_CHUNKS: Final = 200_000
_MOST_VALUES: Final = 2_000
"""Configurations of one resource; a real table has one for each language."""

_POOL, _TABLE, _PACKAGE, _TYPE = 0x0001, 0x0002, 0x0200, 0x0201
_TYPE_HEAD: Final = struct.Struct("<BBxxII")
_PAIR: Final = struct.Struct("<HH")
_ENTRY: Final = struct.Struct("<HHI")
_VALUE: Final = struct.Struct("<HxBI")
_SPARSE, _SHORT_OFFSETS = 1, 2
_COMPLEX, _COMPACT = 1, 8
_NO_ENTRY, _NO_ENTRY_SHORT = 0xFFFFFFFF, 0xFFFF
_OFFSET_OF_TYPES_AT: Final = 284
"""Where a package header of 288 bytes has ``typeIdOffset``; older ones are shorter."""


class Kind(IntEnum):
    """``Res_value::dataType``, as far as a name may have it."""

    REFERENCE = 0x01
    STRING = 0x03
    DYNAMIC_REFERENCE = 0x07
    DECIMAL = 0x10
    HEXADECIMAL = 0x11
    BOOLEAN = 0x12


@dataclass(frozen=True, slots=True)
class Value:
    """A resource's value in one configuration."""

    config: Config
    kind: int
    data: int


class Table:
    """One ``resources.arsc``.

    Raises:
        ApkError: it is none, or its outline is damaged.
    """

    def __init__(self, data: bytes) -> None:
        self._view = View(data)
        self._pool: int | None = None
        self._packages: list[tuple[int, int, int, int]] = []
        self._chunks_left = self._looks_left = _MOST_CHUNKS
        self._known: dict[int, tuple[Value, ...]] = {}
        kind, head, size = self._view.unpack(CHUNK, 0)
        if kind != _TABLE:
            raise ApkError("apk.resources_damaged")
        for at, kind, head_size, end in self._chunks(head, min(size, self._view.size)):
            if kind == _POOL and self._pool is None:  # Android ignores further ones
                self._pool = at
            elif kind == _PACKAGE:
                (number,) = self._view.unpack(U32, at + 8)
                shift = self._view.unpack(U32, at + _OFFSET_OF_TYPES_AT)[0] if head_size > _OFFSET_OF_TYPES_AT else 0
                self._packages.append((number, at + head_size, end, shift))
        self._types: Mapping[tuple[int, int], list[tuple[int, int, int]]] = self._outline()

    @property
    def touched(self) -> list[tuple[int, int]]:
        """Ranges (start, end) that were looked at until now."""
        return self._view.touched

    def values(self, resource: int) -> tuple[Value, ...]:
        """The values of `resource` (0xPPTTEEEE) in the order of the table; none where it has no such resource.

        Raises:
            ApkError: damaged where it should stand, or more configurations than any real table has.
        """
        if resource in self._known:
            return self._known[resource]
        found = []
        types = self._types.get((resource >> 24, resource >> 16 & 0xFF), [])
        self._looks_left -= len(types)
        if self._looks_left < 0:
            raise ApkError("apk.resources_damaged")
        for at, head_size, end in types:
            value = self._value(at, head_size, end, resource & 0xFFFF)
            if value is not None:
                found.append(value)
            if len(found) > _MOST_VALUES:
                raise ApkError("apk.resources_damaged")
        self._known[resource] = tuple(found)
        return self._known[resource]

    def text(self, index: int) -> str:
        """Text number `index` of the table, cut after `arsc_view.LONGEST_TEXT` characters.

        Raises:
            ApkError: there is none such, or it is damaged.
        """
        if self._pool is None:
            raise ApkError("apk.resources_damaged")
        return self._view.text(self._pool, index)

    # --- inside ---

    def _chunks(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Offset, kind, size of the header and end of each chunk from `start` to `end`."""
        at = start
        while at + CHUNK.size <= end:
            kind, head, size = self._view.unpack(CHUNK, at)
            self._chunks_left -= 1
            if head < CHUNK.size or size < head or at + size > end or self._chunks_left < 0:
                raise ApkError("apk.resources_damaged")
            yield at, kind, head, at + size
            at += size

    def _outline(self) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
        types: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for number, start, end, shift in self._packages:
            for at, kind, head_size, stop in self._chunks(start, end):
                if kind == _TYPE:
                    (type_id,) = self._view.unpack(U8, at + CHUNK.size)
                    types.setdefault((number, type_id + shift), []).append((at, head_size, stop))
        return types

    def _value(self, at: int, head_size: int, end: int, index: int) -> Value | None:
        _, flags, count, entries = self._view.unpack(_TYPE_HEAD, at + CHUNK.size)
        offset = self._entry_offset(at + head_size, flags, count, index)
        if offset is None:
            return None
        entry = at + entries + offset
        if entry + _ENTRY.size > end:
            raise ApkError("apk.resources_damaged")
        size, entry_flags, data = self._view.unpack(_ENTRY, entry)
        if entry_flags & _COMPACT:
            kind = entry_flags >> 8
        elif entry_flags & _COMPLEX:
            return None  # a style or an array: no name
        else:
            _, kind, data = self._view.unpack(_VALUE, entry + size)
        (config_size,) = self._view.unpack(U32, at + CHUNK.size + _TYPE_HEAD.size)
        config_at = at + CHUNK.size + _TYPE_HEAD.size
        if config_size > head_size - (config_at - at):
            raise ApkError("apk.resources_damaged")
        return Value(Config.read(self._view.bytes(config_at, config_size)), kind, data)

    def _entry_offset(self, at: int, flags: int, count: int, index: int) -> int | None:
        if flags & _SPARSE:
            return self._sparse_offset(at, count, index)
        if index >= count:
            return None
        if flags & _SHORT_OFFSETS:
            (short,) = self._view.unpack(U16, at + 2 * index)
            return None if short == _NO_ENTRY_SHORT else short * 4
        (offset,) = self._view.unpack(U32, at + 4 * index)
        return None if offset == _NO_ENTRY else offset

    def _sparse_offset(self, at: int, count: int, index: int) -> int | None:
        low, high = 0, count
        while low < high:  # sorted by index, as Android searches it
            middle = (low + high) // 2
            found, offset = self._view.unpack(_PAIR, at + 4 * middle)
            if found == index:
                return int(offset) * 4
            low, high = (middle + 1, high) if found < index else (low, middle)
        return None
