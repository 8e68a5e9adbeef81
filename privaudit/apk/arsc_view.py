"""The bytes of a resource table: read within bounds, each read remembered, and the texts in them."""

from __future__ import annotations

import struct
from typing import Any, Final

from privaudit.apk.apk_problems import ApkError

LONGEST_TEXT: Final = 1000
"""Characters of one text; a launcher shows about twenty."""

CHUNK: Final = struct.Struct("<HHI")
"""``ResChunk_header``: kind, size of the header, size of the whole."""
_POOL: Final = struct.Struct("<5I")
_UTF8: Final = 0x100
U8: Final = struct.Struct("<B")
U16: Final = struct.Struct("<H")
U32: Final = struct.Struct("<I")


class View:
    """Bytes that remember which of them were read, and never read outside of themselves."""

    def __init__(self, data: bytes, damaged: str = "resources_damaged") -> None:
        self._data = data
        self._damaged = damaged
        self.touched: list[tuple[int, int]] = []
        self.size = len(data)

    def unpack(self, form: struct.Struct, at: int) -> tuple[Any, ...]:
        """The numbers of `form` at a place.

        Raises:
            ApkError: they would lie outside.
        """
        if at < 0 or at + form.size > self.size:
            raise ApkError(self._damaged)
        self.touched.append((at, at + form.size))
        return form.unpack_from(self._data, at)

    def bytes(self, at: int, size: int) -> bytes:
        """So many bytes at a place.

        Raises:
            ApkError: they would lie outside.
        """
        if at < 0 or size < 0 or at + size > self.size:
            raise ApkError(self._damaged)
        self.touched.append((at, at + size))
        return self._data[at : at + size]

    def text(self, pool: int, index: int) -> str:
        """Text number `index` of the string pool that begins at `pool`, cut after `LONGEST_TEXT` characters.

        Raises:
            ApkError: there is none such, or it is damaged.
        """
        _, head, size = self.unpack(CHUNK, pool)
        count, _, flags, start, _ = self.unpack(_POOL, pool + CHUNK.size)
        if index >= count:
            raise ApkError(self._damaged)
        (offset,) = self.unpack(U32, pool + head + 4 * index)
        if start + offset >= size:
            raise ApkError(self._damaged)
        at = pool + start + offset
        return self._utf8(at) if flags & _UTF8 else self._utf16(at)

    def _utf8(self, at: int) -> str:
        # Its length in UTF-16 units, then in bytes, then these.
        _, at = self._short_length(at)
        length, at = self._short_length(at)
        raw = self.bytes(at, min(length, 4 * LONGEST_TEXT))
        # aapt2 writes characters outside of the basic plane as two surrogates of three bytes each.
        text = raw.decode("utf-8", "surrogatepass" if _is_modified(raw) else "replace")
        return _joined(text)[:LONGEST_TEXT]

    def _utf16(self, at: int) -> str:
        (length,) = self.unpack(U16, at)
        at += 2
        if length & 0x8000:
            (low,) = self.unpack(U16, at)
            length, at = (length & 0x7FFF) << 16 | low, at + 2
        raw = self.bytes(at, 2 * min(length, LONGEST_TEXT))
        return raw.decode("utf-16-le", "replace")

    def _short_length(self, at: int) -> tuple[int, int]:
        (first,) = self.unpack(U8, at)
        if not first & 0x80:
            return first, at + 1
        (second,) = self.unpack(U8, at + 1)
        return (first & 0x7F) << 8 | second, at + 2


def _is_modified(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return False
        return True
    return False


def _joined(text: str) -> str:
    """Surrogate pairs as the characters that they stand for; single ones as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
