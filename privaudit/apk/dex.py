"""Which classes a dex file names: its type table is sorted, so that a prefix is found by halving, without decompiling.

Android refuses a dex whose texts or types are out of order (``DexFileVerifier::CheckInterStringIdItem``,
``CheckInterTypeIdItem`` in AOSP's ``art/libdexfile``), so one that hides a class by disorder does not run. What an app
renames, encrypts or fetches later, no table shows.

Format: https://source.android.com/docs/core/runtime/dex-format.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import ApkError

_HEADER: Final = struct.Struct("<4s3sx32xI12x6I16x2I")
"""Magic and version; then the endian tag, and size and offset of texts, types and prototypes; of classes."""
_HEADER_BYTES: Final = 0x70
_LITTLE_ENDIAN_TAG: Final = 0x12345678
_SUPPORTED_VERSIONS: Final = frozenset({b"035", b"036", b"037", b"038", b"039", b"040"})
"""041 joins several dexes in one file, with texts in common. No app store asks for it yet."""
_CLASS_DEF: Final = struct.Struct("<I28x")
_U32: Final = struct.Struct("<I")
_MAX_CLASS_NAME_BYTES: Final = 512
"""Bytes of a class name that are looked at; the prefixes that are looked for have some dozens."""


@dataclass(frozen=True, slots=True)
class DexPrefixHits:
    """What a dex file says under one prefix of class names."""

    prefix: str
    """As it was asked for, with dots."""
    type_count: int
    """Types whose names begin so."""
    defined_class_count: int
    """Of them, those whose code is in this file; the others are only spoken of."""


def find_class_prefixes(data: bytes, prefixes: Iterable[str], entry: str) -> Iterator[DexPrefixHits]:
    """The prefixes of class names, written with dots, that `data` names.

    Args:
        data: the file, of `entry` in its APK.
        prefixes: each of whole parts: ``com.example`` is no prefix of ``com.examples``.
        entry: to be named when something is wrong.

    Raises:
        ApkError: it is no dex, damaged, or of a version that is not known here.
    """
    dex = _DexFile(data, entry)
    for prefix in prefixes:
        low, high = dex.type_range(prefix)
        if high > low:
            yield DexPrefixHits(prefix, high - low, dex.count_defined(low, high))


class _DexFile:
    def __init__(self, data: bytes, entry: str) -> None:
        self._data, self._entry = data, entry
        if len(data) < _HEADER_BYTES:
            raise ApkError("apk.entry_damaged", entry=entry)
        magic, version, tag, texts, texts_at, types, types_at, _, _, classes, classes_at = _HEADER.unpack_from(data)
        if magic != b"dex\n" or tag != _LITTLE_ENDIAN_TAG:
            raise ApkError("apk.entry_damaged", entry=entry)
        if version not in _SUPPORTED_VERSIONS:
            raise ApkError("apk.dex_new", entry=entry, version=version.decode("latin-1"))
        for count, at, size in ((texts, texts_at, 4), (types, types_at, 4), (classes, classes_at, _CLASS_DEF.size)):
            if at + count * size > len(data):
                raise ApkError("apk.entry_damaged", entry=entry)
        self._string_count, self._string_ids_offset = texts, texts_at
        self._type_count, self._type_ids_offset = types, types_at
        self._class_defs = data[classes_at : classes_at + classes * _CLASS_DEF.size]

    def type_range(self, prefix: str) -> tuple[int, int]:
        """The types below `prefix`: the number of the first, and the one after the last."""
        path = b"L" + prefix.replace(".", "/").encode()
        low = bisect_left(range(self._type_count), path + b"/", key=self._type_name)
        return low, bisect_left(
            range(self._type_count), path + b"0", lo=low, key=self._type_name
        )  # "0" comes after "/"

    def count_defined(self, low: int, high: int) -> int:
        """How many classes are defined here of the types from `low` to below `high`."""
        return sum(low <= kind < high for (kind,) in _CLASS_DEF.iter_unpack(self._class_defs))

    def _type_name(self, type_id: int) -> bytes:
        (text,) = _U32.unpack_from(self._data, self._type_ids_offset + 4 * type_id)
        if text >= self._string_count:
            raise ApkError("apk.entry_damaged", entry=self._entry)
        (at,) = _U32.unpack_from(self._data, self._string_ids_offset + 4 * text)
        if at >= len(self._data):
            raise ApkError("apk.entry_damaged", entry=self._entry)
        while at < len(self._data) and self._data[at] & 0x80:  # its length, of at most five bytes
            at += 1
        end = self._data.find(b"\0", at + 1, at + 1 + _MAX_CLASS_NAME_BYTES)
        return self._data[at + 1 : end if end >= 0 else at + 1 + _MAX_CLASS_NAME_BYTES]
