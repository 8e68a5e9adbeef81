"""Android's binary XML (AXML), as elements with attributes.

Attributes are identified by their resource id, so that renamed attributes are still read and look-alikes are ignored.
Those that have none in Android, ``package`` and ``split``, are identified by their name and read as raw strings.
Only the root element is read: Android ignores what follows it, and packers put arbitrary bytes there.
AOSP: ``ResourceTypes.cpp`` (``ResXMLTree``), ``AttributeResolution.cpp`` (``RetrieveAttributes``), ``XmlBlock.java``
(``getAttributeValue``).
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from privaudit.apk.parts import ApkError
from privaudit.apk.resource_table import CHUNK_HEADER, BinaryView

_DAMAGED: Final = "apk.manifest_damaged"
_MAX_CHUNKS: Final = 50_000
"""Starts and ends of elements; the largest real manifest known has a tenth of it."""
_MAX_DEPTH: Final = 100
"""Nested elements; a real manifest has five levels."""
_CHUNK_STRING_POOL, _CHUNK_RESOURCE_MAP = 0x0001, 0x0180
_CHUNK_FIRST_NODE, _CHUNK_START_ELEMENT, _CHUNK_END_ELEMENT, _CHUNK_LAST_NODE = 0x0100, 0x0102, 0x0103, 0x017F
_STRING_POOL_HEADER_BYTES: Final = 28
_RESOURCE_MAP_HEADER_BYTES: Final = 8
_NODE_HEADER_BYTES: Final = 16
_START_ELEMENT: Final = struct.Struct("<4xIHHH6x")
"""``ResXMLTree_attrExt``: the name, then offset, size and number of attributes."""
_ATTRIBUTE: Final = struct.Struct("<3I3xBI")
"""``ResXMLTree_attribute``: namespace, name and raw value as string indexes, then type and data of a ``Res_value``."""
_NO_INDEX: Final = 0xFFFFFFFF
_REFERENCE, _STRING, _DYNAMIC_REFERENCE = 0x01, 0x03, 0x07
_DECIMAL, _HEXADECIMAL, _BOOLEAN = 0x10, 0x11, 0x12
_MAX_NUMBER_DIGITS: Final = 10


@dataclass(frozen=True, slots=True)
class XmlValue:
    """A string, or the id of a resource that contains one."""

    string: str | None
    resource_id: int | None


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of one element."""

    by_id: Mapping[int, tuple[int, int, str | None]] = field(default_factory=dict)
    """By resource id: type, data and string of the value."""
    by_name: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Of those without a namespace, by name: the raw string, and the one that the typed value is."""

    def __bool__(self) -> bool:
        return bool(self.by_id or self.by_name)

    def raw_string(self, name: str) -> str | None:
        """Return the raw string of the attribute `name`; raises ApkError if its typed value is something else.

        Android reads the raw string. Other tools read the typed value, so an app in which they differ hides its name.
        """
        raw, typed = self.by_name.get(name, (None, None))
        if raw is not None and raw != typed:
            raise ApkError("apk.manifest_ambiguous", attribute=name, raw=raw, typed=typed or "-")
        if raw is None and name in self.by_name:
            raise ApkError("apk.manifest_invalid", attribute=name)
        return raw

    def string_or_reference(self, key: int) -> XmlValue | None:
        """Return a value for display; ``None`` if there is none."""
        value_type, data, raw = self.by_id.get(key, (_REFERENCE, 0, None))
        if value_type in {_REFERENCE, _DYNAMIC_REFERENCE}:
            return XmlValue(None, data) if data else None
        if value_type in {_DECIMAL, _HEXADECIMAL} and raw is None:
            return XmlValue(str(data), None)
        return XmlValue(raw, None) if raw is not None else None

    def string(self, key: int) -> str | None:
        """Return a string that the manifest itself contains."""
        value_type, _, raw = self.by_id.get(key, (_REFERENCE, 0, None))
        return raw if value_type == _STRING else None

    def integer(self, key: int) -> int | None:
        """Return an integer, also if it is written as a string."""
        value_type, data, raw = self.by_id.get(key, (_REFERENCE, 0, None))
        if value_type in {_DECIMAL, _HEXADECIMAL}:
            return data
        return int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) <= _MAX_NUMBER_DIGITS else None

    def typed_integer(self, key: int) -> int | None:
        """Return an integer of an integer's type: for some attributes Android ignores one that is a string."""
        value_type, data, _ = self.by_id.get(key, (_REFERENCE, 0, None))
        return data if value_type in {_DECIMAL, _HEXADECIMAL} else None

    def boolean(self, key: int) -> bool:
        """Return false only for an explicit false. A reference counts as true: its value depends on the phone."""
        value_type, data, raw = self.by_id.get(key, (_BOOLEAN, 1, None))
        return bool(data) if value_type == _BOOLEAN else raw != "false"


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element."""

    name: str
    attributes: Attributes
    children: "list[XmlElement]" = field(default_factory=list)
    """Complete when `iter_elements` has come to its end."""


def iter_elements(data: bytes) -> Iterator[XmlElement]:
    """Yield each element where it starts, the root first; raises ApkError if damaged, too long or too deep."""
    view = BinaryView(data, _DAMAGED)
    _, header_size, file_size = view.unpack(CHUNK_HEADER, 0)
    if header_size != CHUNK_HEADER.size or file_size > len(data):
        raise ApkError(_DAMAGED)
    string_pool_offset = header_size
    read_string = cache(lambda index: None if index == _NO_INDEX else view.read_string(string_pool_offset, index))
    resource_ids: Sequence[int] = ()
    open_elements = [XmlElement("", Attributes())]  # the document, then those whose end was not reached yet
    offset = header_size
    for number in range(_MAX_CHUNKS):
        chunk_type, header_size, size = view.unpack(CHUNK_HEADER, offset)
        if offset + size > file_size or (chunk_type == _CHUNK_STRING_POOL) is not (number == 0):
            raise ApkError(_DAMAGED)
        _check_chunk(chunk_type, header_size, size)
        if chunk_type == _CHUNK_RESOURCE_MAP and len(open_elements) == 1:
            # The last one counts. Android ignores one after the start of the root.
            ids = view.read_bytes(offset + header_size, size - header_size)
            resource_ids = struct.unpack(f"<{len(ids) // 4}I", ids)
        elif chunk_type == _CHUNK_START_ELEMENT:
            body = view.read_bytes(offset + header_size, size - header_size)
            element = _parse_element(body, read_string, resource_ids)
            open_elements[-1].children.append(element)
            if len(open_elements) > _MAX_DEPTH:
                raise ApkError(_DAMAGED)
            open_elements.append(element)
            yield element
        elif chunk_type == _CHUNK_END_ELEMENT:
            if len(open_elements) == 1:
                raise ApkError(_DAMAGED)
            open_elements.pop()
            if len(open_elements) == 1:
                return
        offset += size
    raise ApkError("apk.manifest_too_large")


def _check_chunk(chunk_type: int, header_size: int, size: int) -> None:
    """Refuse other sizes than these, which all tools write for headers. Android skips chunks of unknown types."""
    expected = header_size
    if chunk_type == _CHUNK_STRING_POOL:
        expected = _STRING_POOL_HEADER_BYTES
    elif chunk_type == _CHUNK_RESOURCE_MAP:
        expected = _RESOURCE_MAP_HEADER_BYTES
    elif _CHUNK_FIRST_NODE <= chunk_type <= _CHUNK_LAST_NODE:
        expected = _NODE_HEADER_BYTES
    if header_size != expected or size < header_size or size % 4 or not size:
        raise ApkError(_DAMAGED)


def _parse_element(body: bytes, read_string: Callable[[int], str | None], resource_ids: Sequence[int]) -> XmlElement:
    if len(body) < _START_ELEMENT.size:
        raise ApkError(_DAMAGED)
    name, start, attribute_size, count = _START_ELEMENT.unpack_from(body)
    # Android allows other offsets and sizes; no tool writes them.
    if count and (start, attribute_size) != (_START_ELEMENT.size, _ATTRIBUTE.size):
        raise ApkError(_DAMAGED)
    end = _START_ELEMENT.size + count * _ATTRIBUTE.size
    if end > len(body):
        raise ApkError(_DAMAGED)
    by_id: dict[int, tuple[int, int, str | None]] = {}
    by_name: dict[str, tuple[str | None, str | None]] = {}
    for namespace, attribute, raw, value_type, data in _ATTRIBUTE.iter_unpack(body[_START_ELEMENT.size : end]):
        resource_id = resource_ids[attribute] if attribute < len(resource_ids) else 0
        if resource_id:  # the first of duplicates counts
            by_id.setdefault(resource_id, (value_type, data, read_string(data if value_type == _STRING else raw)))
        if namespace == _NO_INDEX:  # Android finds it by its name, whether or not it has an id
            typed = read_string(data) if value_type == _STRING else None
            by_name.setdefault(read_string(attribute) or "", (read_string(raw), typed))
    return XmlElement(read_string(name) or "", Attributes(by_id, by_name))
