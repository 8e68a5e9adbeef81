"""Android's binary XML, as tags with attributes. Androguard reads its chunks, after it was seen that they are sound.

Attributes are known by their resource id, so that renamed ones read the same and ones that only look like Android's do
not count. AOSP: ``ResourceTypes.cpp`` (``ResXMLTree``), ``AttributeResolution.cpp`` (``RetrieveAttributes``).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from privaudit.apk.apk_problems import ApkError
from privaudit.apk.arsc_view import CHUNK, View

_MOST_CHUNKS: Final = 50_000
"""Tags and their ends; the largest real manifest known has a tenth of it."""
_MOST_ODD: Final = 1_000
"""Namespaces, and chunks that Android skips. Androguard's time for them grows with their square."""
_XML, _POOL, _MAP = 0x0003, 0x0001, 0x0180
_NAMESPACE, _NAMESPACE_END, _START, _END, _TEXT, _LAST = 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x017F
_NODE: Final = 16
_ELEMENT: Final = struct.Struct("<HHH")
"""Where attributes begin, the size of one, and their number."""
_FIELDS: Final = 5
_SIZE: Final = 20
"""Bytes of an attribute, and of what stands before them; Android allows others, no tool makes them."""
_NO_INDEX: Final = 0xFFFFFFFF
_REFERENCE, _STRING, _DYNAMIC_REFERENCE = 0x01, 0x03, 0x07
_DECIMAL, _HEXADECIMAL, _BOOLEAN = 0x10, 0x11, 0x12
_LONGEST_NUMBER: Final = 10


@dataclass(frozen=True, slots=True)
class Text:
    """Words, or the number of a resource that holds them."""

    words: str | None
    resource: int | None


class Attributes:
    """The attributes of one tag: by resource id, or by name where they have none and no namespace."""

    def __init__(self, values: Mapping[int | str, tuple[int, int, str | None]] | None = None) -> None:
        self._values = values or {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def text(self, key: int) -> Text | None:
        """What is to be shown to a person; ``None``: nothing is said."""
        kind, data, raw = self._values.get(key, (_REFERENCE, 0, None))
        if kind in {_REFERENCE, _DYNAMIC_REFERENCE}:
            return Text(None, data) if data else None
        if kind in {_DECIMAL, _HEXADECIMAL} and raw is None:
            return Text(str(data), None)
        return Text(raw, None) if raw is not None else None

    def words(self, key: int | str) -> str | None:
        """A text that stands in the manifest itself."""
        kind, _, raw = self._values.get(key, (_REFERENCE, 0, None))
        return raw if kind == _STRING else None

    def number(self, key: int) -> int | None:
        """A whole number, also where it stands as a text."""
        kind, data, raw = self._values.get(key, (_REFERENCE, 0, None))
        if kind in {_DECIMAL, _HEXADECIMAL}:
            return data
        return int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) <= _LONGEST_NUMBER else None

    def flag(self, key: int) -> bool:
        """Yes unless it says no. A reference counts as yes: what it says changes with the phone."""
        kind, data, raw = self._values.get(key, (_BOOLEAN, 1, None))
        return bool(data) if kind == _BOOLEAN else raw != "false"


@dataclass(frozen=True, slots=True)
class Tag:
    """The beginning of an element."""

    name: str
    attributes: Attributes


@cache
def _silence() -> None:
    # Once: loguru takes a lock for it, at which eight phones would wait for each other.
    from loguru import logger

    logger.disable("androguard")


def tags(data: bytes) -> Iterator[Tag | None]:
    """Each element as it begins, and ``None`` as one ends.

    Raises:
        ApkError: it is no binary XML, is damaged, or is larger than any real manifest.
    """
    _silence()
    from androguard.core.axml import END_TAG, START_TAG, AXMLParser

    sound = _sound(data)
    texts = _Texts(sound)
    try:
        parser = AXMLParser(sound)
        for _ in range(_MOST_CHUNKS):
            event = next(parser)
            if event == START_TAG:
                yield Tag(texts[parser.m_name] or "", _attributes(parser, texts))
            elif event == END_TAG:
                yield None
            elif event < 0 or not parser.is_valid():
                raise ApkError("apk.manifest_damaged")  # noqa: TRY301
            elif parser.buff.tell() >= len(sound):
                return
    except ApkError:
        raise
    except Exception as error:
        # struct.error and whatever else a made-up file leads androguard to: all one to us.
        raise ApkError("apk.manifest_damaged") from error


def _sound(data: bytes) -> bytes:
    """`data` up to the end of its root element, if all its chunks are such that androguard need not guess.

    It looks for chunks byte by byte where one is out of place, and takes the time that any number claims; Android does
    neither. What comes behind the root element Android does not read, so that packers put anything there.
    """
    view = View(data, "manifest_damaged")
    _, head, size = view.unpack(CHUNK, 0)
    if head != CHUNK.size or size > len(data):
        raise ApkError("apk.manifest_damaged")
    at, depth, odd = head, 0, 0
    for number in range(_MOST_CHUNKS):
        kind, chunk_head, chunk_size = view.unpack(CHUNK, at)
        if chunk_size < chunk_head or chunk_size % 4 or at + chunk_size > size or (kind == _POOL) is not (number == 0):
            raise ApkError("apk.manifest_damaged")
        odd += not _usual(view, at, kind, chunk_head, chunk_size)
        depth += (kind == _START) - (kind == _END)
        at += chunk_size
        if kind == _END and depth == 0:
            return CHUNK.pack(_XML, head, at) + data[head:at]
        if depth < 0:
            raise ApkError("apk.manifest_damaged")
        if odd > _MOST_ODD:
            break
    raise ApkError("apk.manifest_too_large")


def _usual(view: View, at: int, kind: int, head: int, size: int) -> bool:
    """Whether a chunk is as tools make them; one that is not, but that Android skips, is odd.

    Raises:
        ApkError: androguard would read it otherwise than Android.
    """
    wanted = {_POOL: 28, _MAP: 8}.get(kind, _NODE if _NAMESPACE <= kind <= _LAST else head)
    if head != wanted or (kind in {_NAMESPACE, _NAMESPACE_END} and size != _NODE + 8):
        raise ApkError("apk.manifest_damaged")
    if kind == _START:
        start, each, count = view.unpack(_ELEMENT, at + _NODE + 8)
        if count and (start, each) != (_SIZE, _SIZE):
            raise ApkError("apk.manifest_damaged")
        if _NODE + _SIZE + count * _SIZE > size:
            raise ApkError("apk.manifest_damaged")
    return kind in {_POOL, _MAP, _START, _END, _TEXT}


class _Texts:
    """The string pool of a file that is `_sound`. Androguard takes some damaged texts for empty ones."""

    def __init__(self, data: bytes) -> None:
        self._view = View(data, "manifest_damaged")
        self._known: dict[int, str] = {}

    def __getitem__(self, index: int) -> str | None:
        if index == _NO_INDEX:
            return None
        if index not in self._known:
            self._known[index] = self._view.text(CHUNK.size, index)
        return self._known[index]


def _attributes(parser: Any, texts: _Texts) -> Attributes:  # noqa: ANN401 - androguard has no types
    """Of equal ones the first counts."""
    found: dict[int | str, tuple[int, int, str | None]] = {}
    raw, ids = parser.m_attributes, parser.m_resourceIDs
    for at in range(0, len(raw), _FIELDS):
        space, name, text, kind, data = raw[at : at + _FIELDS]
        # Without a resource id, only an attribute of no namespace is known by its name.
        key: int | str | None = (name < len(ids) and ids[name]) or (texts[name] if space == _NO_INDEX else None)
        if key is not None:
            found.setdefault(key, (kind, data, texts[data if kind == _STRING else text]))
    return Attributes(found)
