"""Find class name prefixes in a dex file by binary search in its sorted type table, without decompiling.

Android rejects a dex whose strings or types are out of order (``DexFileVerifier::CheckInterStringIdItem``,
``CheckInterTypeIdItem`` in AOSP's ``art/libdexfile``), so a file that hides a class by disorder does not run. Classes
that an app renames, encrypts or downloads later are not in the table.

Format: https://source.android.com/docs/core/runtime/dex-format.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from privaudit.apk.parts import ApkError

_HEADER: Final = struct.Struct("<4s3sx32xI12x4I24x2I")
"""Magic and version; the endian tag; size and offset of strings, of types and of classes."""
_HEADER_BYTES: Final = 0x70
_LITTLE_ENDIAN_TAG: Final = 0x12345678
_SUPPORTED_VERSIONS: Final = frozenset({b"035", b"036", b"037", b"038", b"039", b"040"})
"""041 joins several dex files in one, with shared strings. No app store requires it yet."""
_CLASS_DEF: Final = struct.Struct("<I28x")
_U32: Final = struct.Struct("<I")
_MAX_CLASS_NAME_BYTES: Final = 512
"""Bytes of a class name that are compared; the prefixes searched for have some dozens."""


@dataclass(frozen=True, slots=True)
class DexPrefixHits:
    """The classes of a dex file under one prefix."""

    prefix: str
    """As requested, with dots."""
    type_count: int
    """Types with this prefix."""
    defined_class_count: int
    """Types with this prefix that this file defines; the others are only referenced."""


def find_class_prefixes(data: bytes, prefixes: Iterable[str], entry: str) -> Iterator[DexPrefixHits]:
    """Yield those of `prefixes` that occur in `data`, the content of the dex file `entry` of an APK.

    `prefixes`: package or class names, with dots. ``com.example`` does not match ``com.examples``.
    Raises ApkError if it is not a dex file, damaged, or of an unsupported version.
    """
    dex = _DexFile(data, entry)
    for prefix in prefixes:
        path = b"L" + prefix.replace(".", "/").encode()
        low = bisect_left(dex.type_ids, path + b"/", key=dex.type_name)
        high = bisect_left(dex.type_ids, path + b"0", lo=low, key=dex.type_name)  # "0" follows "/"
        if high > low:
            defined = sum(low <= type_id < high for (type_id,) in _CLASS_DEF.iter_unpack(dex.class_defs))
            yield DexPrefixHits(prefix, high - low, defined)


class _DexFile:
    def __init__(self, data: bytes, entry: str) -> None:
        self._data, self._entry = data, entry
        if len(data) < _HEADER_BYTES:
            raise ApkError("apk.entry_damaged", entry=entry)
        magic, version, endian_tag, *tables = _HEADER.unpack_from(data)
        if magic != b"dex\n" or endian_tag != _LITTLE_ENDIAN_TAG:
            raise ApkError("apk.entry_damaged", entry=entry)
        if version not in _SUPPORTED_VERSIONS:
            raise ApkError("apk.dex_new", entry=entry, version=version.decode("latin-1"))
        string_count, strings_offset, type_count, types_offset, class_count, classes_offset = tables
        for count, offset, size in (
            (string_count, strings_offset, _U32.size),
            (type_count, types_offset, _U32.size),
            (class_count, classes_offset, _CLASS_DEF.size),
        ):
            if offset + count * size > len(data):
                raise ApkError("apk.entry_damaged", entry=entry)
        self._string_count, self._string_ids_offset = string_count, strings_offset
        self.type_ids, self._type_ids_offset = range(type_count), types_offset
        self.class_defs = data[classes_offset : classes_offset + class_count * _CLASS_DEF.size]

    def type_name(self, type_id: int) -> bytes:
        (string_id,) = _U32.unpack_from(self._data, self._type_ids_offset + _U32.size * type_id)
        if string_id >= self._string_count:
            raise ApkError("apk.entry_damaged", entry=self._entry)
        (offset,) = _U32.unpack_from(self._data, self._string_ids_offset + _U32.size * string_id)
        if offset >= len(self._data):
            raise ApkError("apk.entry_damaged", entry=self._entry)
        while offset < len(self._data) and self._data[offset] & 0x80:  # the length, in LEB128
            offset += 1
        start = offset + 1
        end = self._data.find(b"\0", start, start + _MAX_CLASS_NAME_BYTES)
        return self._data[start : end if end >= 0 else start + _MAX_CLASS_NAME_BYTES]
