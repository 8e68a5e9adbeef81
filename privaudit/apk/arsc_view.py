"""The bytes of a resource table: read within bounds, each read remembered, and the texts in them."""

from __future__ import annotations

import struct
from typing import Any, Final

from privaudit.apk.apk_problems import ApkError

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
