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

from privaudit.apk.parts import ApkError
from privaudit.apk.resource_table import CHUNK_HEADER, BinaryView

_MAX_CHUNKS: Final = 50_000
"""Tags and their ends; the largest real manifest known has a tenth of it."""
_MAX_UNUSUAL_CHUNKS: Final = 1_000
"""Namespaces, and chunks that Android skips. Androguard's time for them grows with their square."""
_CHUNK_XML, _CHUNK_STRING_POOL, _CHUNK_RESOURCE_MAP = 0x0003, 0x0001, 0x0180
(
    _CHUNK_START_NAMESPACE,
    _CHUNK_END_NAMESPACE,
    _CHUNK_START_ELEMENT,
    _CHUNK_END_ELEMENT,
    _CHUNK_CDATA,
    _CHUNK_LAST_NODE,
) = 0x0100, 0x0101, 0x0102, 0x0103, 0x0104, 0x017F
_NODE_HEADER_BYTES: Final = 16
_ATTRIBUTE_LAYOUT: Final = struct.Struct("<HHH")
"""Where attributes begin, the size of one, and their number."""
_FIELDS_PER_ATTRIBUTE: Final = 5
_ATTRIBUTE_BYTES: Final = 20
"""Bytes of an attribute, and of what stands before them; Android allows others, no tool makes them."""
_NO_INDEX: Final = 0xFFFFFFFF
_REFERENCE, _STRING, _DYNAMIC_REFERENCE = 0x01, 0x03, 0x07
_DECIMAL, _HEXADECIMAL, _BOOLEAN = 0x10, 0x11, 0x12
_MAX_NUMBER_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class XmlValue:
    """Words, or the number of a resource that holds them."""

    string: str | None
    resource_id: int | None


class Attributes:
    """The attributes of one tag: by resource id, or by name where they have none and no namespace."""

    def __init__(self, values: Mapping[int | str, tuple[int, int, str | None]] | None = None) -> None:
        self._values = values or {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def string_or_reference(self, key: int) -> XmlValue | None:
        """What is to be shown to a person; ``None``: nothing is said."""
        kind, data, raw = self._values.get(key, (_REFERENCE, 0, None))
        if kind in {_REFERENCE, _DYNAMIC_REFERENCE}:
            return XmlValue(None, data) if data else None
        if kind in {_DECIMAL, _HEXADECIMAL} and raw is None:
            return XmlValue(str(data), None)
        return XmlValue(raw, None) if raw is not None else None

    def string(self, key: int | str) -> str | None:
        """A text that stands in the manifest itself."""
        kind, _, raw = self._values.get(key, (_REFERENCE, 0, None))
        return raw if kind == _STRING else None

    def integer(self, key: int) -> int | None:
        """A whole number, also where it stands as a text."""
        kind, data, raw = self._values.get(key, (_REFERENCE, 0, None))
        if kind in {_DECIMAL, _HEXADECIMAL}:
            return data
        return int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) <= _MAX_NUMBER_DIGITS else None

    def boolean(self, key: int) -> bool:
        """Yes unless it says no. A reference counts as yes: what it says changes with the phone."""
        kind, data, raw = self._values.get(key, (_BOOLEAN, 1, None))
        return bool(data) if kind == _BOOLEAN else raw != "false"


@dataclass(frozen=True, slots=True)
class XmlElement:
    """The beginning of an element."""

    name: str
    attributes: Attributes


@cache
def _disable_androguard_log() -> None:
    # Once: loguru takes a lock for it, at which eight phones would wait for each other.
    from loguru import logger

    logger.disable("androguard")


def iter_elements(data: bytes) -> Iterator[XmlElement | None]:
    """Each element as it begins, and ``None`` as one ends.

    Raises:
        ApkError: it is no binary XML, is damaged, or is larger than any real manifest.
    """
    _disable_androguard_log()
    from androguard.core.axml import END_TAG, START_TAG, AXMLParser

    sound = _validate_chunks(data)
    texts = _StringPool(sound)
    try:
        parser = AXMLParser(sound)
        for _ in range(_MAX_CHUNKS):
            event = next(parser)
            if event == START_TAG:
                yield XmlElement(texts[parser.m_name] or "", _parse_attributes(parser, texts))
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


def _validate_chunks(data: bytes) -> bytes:
    """`data` up to the end of its root element, if all its chunks are such that androguard need not guess.

    It looks for chunks byte by byte where one is out of place, and takes the time that any number claims; Android does
    neither. What comes behind the root element Android does not read, so that packers put anything there.
    """
    view = BinaryView(data, "manifest_damaged")
    _, head, size = view.unpack(CHUNK_HEADER, 0)
    if head != CHUNK_HEADER.size or size > len(data):
        raise ApkError("apk.manifest_damaged")
    at, depth, odd = head, 0, 0
    for number in range(_MAX_CHUNKS):
        kind, chunk_head, chunk_size = view.unpack(CHUNK_HEADER, at)
        if (
            chunk_size < chunk_head
            or chunk_size % 4
            or at + chunk_size > size
            or (kind == _CHUNK_STRING_POOL) is not (number == 0)
        ):
            raise ApkError("apk.manifest_damaged")
        odd += not _is_standard_chunk(view, at, kind, chunk_head, chunk_size)
        depth += (kind == _CHUNK_START_ELEMENT) - (kind == _CHUNK_END_ELEMENT)
        at += chunk_size
        if kind == _CHUNK_END_ELEMENT and depth == 0:
            return CHUNK_HEADER.pack(_CHUNK_XML, head, at) + data[head:at]
        if depth < 0:
            raise ApkError("apk.manifest_damaged")
        if odd > _MAX_UNUSUAL_CHUNKS:
            break
    raise ApkError("apk.manifest_too_large")


def _is_standard_chunk(view: BinaryView, offset: int, chunk_type: int, header_size: int, size: int) -> bool:
    """Whether a chunk is as tools make them; one that is not, but that Android skips, is odd.

    Raises:
        ApkError: androguard would read it otherwise than Android.
    """
    wanted = {_CHUNK_STRING_POOL: 28, _CHUNK_RESOURCE_MAP: 8}.get(
        chunk_type, _NODE_HEADER_BYTES if _CHUNK_START_NAMESPACE <= chunk_type <= _CHUNK_LAST_NODE else header_size
    )
    if header_size != wanted or (
        chunk_type in {_CHUNK_START_NAMESPACE, _CHUNK_END_NAMESPACE} and size != _NODE_HEADER_BYTES + 8
    ):
        raise ApkError("apk.manifest_damaged")
    if chunk_type == _CHUNK_START_ELEMENT:
        start, each, count = view.unpack(_ATTRIBUTE_LAYOUT, offset + _NODE_HEADER_BYTES + 8)
        if count and (start, each) != (_ATTRIBUTE_BYTES, _ATTRIBUTE_BYTES):
            raise ApkError("apk.manifest_damaged")
        if _NODE_HEADER_BYTES + _ATTRIBUTE_BYTES + count * _ATTRIBUTE_BYTES > size:
            raise ApkError("apk.manifest_damaged")
    return chunk_type in {
        _CHUNK_STRING_POOL,
        _CHUNK_RESOURCE_MAP,
        _CHUNK_START_ELEMENT,
        _CHUNK_END_ELEMENT,
        _CHUNK_CDATA,
    }


class _StringPool:
    """The string pool of a file that is `_validate_chunks`. Androguard takes some damaged texts for empty ones."""

    def __init__(self, data: bytes) -> None:
        self._view = BinaryView(data, "manifest_damaged")
        self._cached_strings: dict[int, str] = {}

    def __getitem__(self, index: int) -> str | None:
        if index == _NO_INDEX:
            return None
        if index not in self._cached_strings:
            self._cached_strings[index] = self._view.read_string(CHUNK_HEADER.size, index)
        return self._cached_strings[index]


def _parse_attributes(parser: Any, strings: _StringPool) -> Attributes:  # noqa: ANN401 - androguard has no types
    """Of equal ones the first counts."""
    found: dict[int | str, tuple[int, int, str | None]] = {}
    raw, ids = parser.m_attributes, parser.m_resourceIDs
    for at in range(0, len(raw), _FIELDS_PER_ATTRIBUTE):
        space, name, text, kind, data = raw[at : at + _FIELDS_PER_ATTRIBUTE]
        # Without a resource id, only an attribute of no namespace is known by its name.
        key: int | str | None = (name < len(ids) and ids[name]) or (strings[name] if space == _NO_INDEX else None)
        if key is not None:
            found.setdefault(key, (kind, data, strings[data if kind == _STRING else text]))
    return Attributes(found)
