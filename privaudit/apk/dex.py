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

from privaudit.apk.apk_problems import ApkError

_HEAD: Final = struct.Struct("<4s3sx32xI12x6I16x2I")
"""Magic and version; then the endian tag, and size and offset of texts, types and prototypes; of classes."""
_HEAD_SIZE: Final = 0x70
_LITTLE: Final = 0x12345678
_VERSIONS: Final = frozenset({b"035", b"036", b"037", b"038", b"039", b"040"})
"""041 joins several dexes in one file, with texts in common. No app store asks for it yet."""
_CLASS: Final = struct.Struct("<I28x")
_U32: Final = struct.Struct("<I")
_LONGEST: Final = 512
"""Bytes of a class name that are looked at; the prefixes that are looked for have some dozens."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a dex file says under one prefix of class names."""

    prefix: str
    """As it was asked for, with dots."""
    types: int
    """Types whose names begin so."""
    classes: int
    """Of them, those whose code is in this file; the others are only spoken of."""


def find(data: bytes, prefixes: Iterable[str], entry: str) -> Iterator[Named]:
    """The prefixes of class names, written with dots, that `data` names.

    Args:
        data: the file, of `entry` in its APK.
        prefixes: each of whole parts: ``com.example`` is no prefix of ``com.examples``.
        entry: to be named when something is wrong.

    Raises:
        ApkError: it is no dex, damaged, or of a version that is not known here.
    """
    dex = _Dex(data, entry)
    for prefix in prefixes:
        low, high = dex.span(prefix)
        if high > low:
            yield Named(prefix, high - low, dex.classes(low, high))


class _Dex:
    def __init__(self, data: bytes, entry: str) -> None:
        self._data, self._entry = data, entry
        if len(data) < _HEAD_SIZE:
            raise ApkError("apk.entry_damaged", entry=entry)
        magic, version, tag, texts, texts_at, types, types_at, _, _, classes, classes_at = _HEAD.unpack_from(data)
        if magic != b"dex\n" or tag != _LITTLE:
            raise ApkError("apk.entry_damaged", entry=entry)
        if version not in _VERSIONS:
            raise ApkError("apk.dex_new", entry=entry, version=version.decode("latin-1"))
        for count, at, size in ((texts, texts_at, 4), (types, types_at, 4), (classes, classes_at, _CLASS.size)):
            if at + count * size > len(data):
                raise ApkError("apk.entry_damaged", entry=entry)
        self._texts, self._texts_at = texts, texts_at
        self._types, self._types_at = types, types_at
        self._classes = data[classes_at : classes_at + classes * _CLASS.size]

    def span(self, prefix: str) -> tuple[int, int]:
        """The types below `prefix`: the number of the first, and the one after the last."""
        path = b"L" + prefix.replace(".", "/").encode()
        low = bisect_left(range(self._types), path + b"/", key=self._name)
        return low, bisect_left(range(self._types), path + b"0", lo=low, key=self._name)  # "0" comes after "/"

    def classes(self, low: int, high: int) -> int:
        """How many classes are defined here of the types from `low` to below `high`."""
        return sum(low <= kind < high for (kind,) in _CLASS.iter_unpack(self._classes))

    def _name(self, number: int) -> bytes:
        (text,) = _U32.unpack_from(self._data, self._types_at + 4 * number)
        if text >= self._texts:
            raise ApkError("apk.entry_damaged", entry=self._entry)
        (at,) = _U32.unpack_from(self._data, self._texts_at + 4 * text)
        if at >= len(self._data):
            raise ApkError("apk.entry_damaged", entry=self._entry)
        while at < len(self._data) and self._data[at] & 0x80:  # its length, of at most five bytes
            at += 1
        end = self._data.find(b"\0", at + 1, at + 1 + _LONGEST)
        return self._data[at + 1 : end if end >= 0 else at + 1 + _LONGEST]
