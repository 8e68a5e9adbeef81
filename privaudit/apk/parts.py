"""The parts of an APK that a capture stores, and their file format.

Stores the APK's own bytes, never an interpretation, so that a saved capture can name apps in any language. From a
resource table only the ranges are stored that the labels need (`privaudit.apk.info.trim_and_read_apk`).
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from privaudit.model import AnswerState, Message, MessageValue


class ApkError(Exception):
    """An APK, or a part of it, cannot be read. `message` says why."""

    def __init__(self, key: str, **values: MessageValue) -> None:
        super().__init__(key, values)
        self.message = apk_message(key, **values)


def apk_message(key: str, **values: MessageValue) -> Message:
    """Return a `Message` about an APK."""
    return Message(key=key, values=values)


MANIFEST: Final = "AndroidManifest.xml"
ARSC: Final = "resources.arsc"
SIGNING_BLOCK: Final = "APK signing block"
"""Part name of the bytes between the last entry and the central directory. No entry is named so by chance."""
FILE_SHA256: Final = "SHA-256"
"""Key in `ApkParts.problems` for the hash of the file, which is not a part."""

MAX_PART_BYTES: Final = 64 << 20
"""Size of one part, including the bytes that are not stored."""
MAX_PARTS: Final = 16
_PIECE_HEADER: Final = struct.Struct("<II")
_FORMAT_LINE: Final = b"privaudit-apk/1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkPart:
    """The content of one entry, unpacked, or the signing block."""

    size: int
    """Bytes of the complete part."""
    sha256: str
    """SHA-256 of the complete part, in hexadecimal."""
    pieces: tuple[tuple[int, bytes], ...]
    """The stored ranges: offset and bytes, in ascending order."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return a complete part."""
        return cls(size=len(data), sha256=hashlib.sha256(data).hexdigest(), pieces=((0, data),))

    @property
    def is_complete(self) -> bool:
        """Whether every byte is stored."""
        return len(self.pieces) == 1 and len(self.pieces[0][1]) == self.size

    def trimmed_to(self, ranges: Iterable[tuple[int, int]]) -> Self:
        """Return this part with only `ranges` (start, end) stored."""
        data = self.to_bytes()
        merged: list[tuple[int, int]] = []
        for start, end in sorted(ranges):
            # The header of a separate piece would cost more than the few bytes of such a gap.
            if merged and start <= merged[-1][1] + 2 * _PIECE_HEADER.size:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return replace(self, pieces=tuple((start, data[start:end]) for start, end in merged))

    def to_bytes(self) -> bytes:
        """Return the content, with zeros for the bytes that are not stored."""
        if self.is_complete:
            return self.pieces[0][1]
        filled = bytearray(self.size)
        for offset, piece in self.pieces:
            filled[offset : offset + len(piece)] = piece
        return bytes(filled)


def is_jar_signature(name: str) -> bool:
    """Return whether an entry of this name holds signers of scheme v1."""
    return name.upper().startswith("META-INF/") and name.upper().endswith((".RSA", ".DSA", ".EC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkParts:
    """What was read from the base APK of one package."""

    package: str
    """As the phone reports it."""
    path: str
    state: AnswerState
    """Whether the file could be read; a part may still be missing, see `problems`."""
    detail: Message | None = None
    size: int | None = None
    """Bytes of the file."""
    parts: Mapping[str, ApkPart] = field(default_factory=dict)
    problems: Mapping[str, Message] = field(default_factory=dict)
    """Why a part is missing, by its name."""
    sha256: str | None = None
    """SHA-256 of the file, computed by the phone; ``None``: not requested, or the phone cannot compute it."""

    @property
    def has_signatures(self) -> bool:
        """Whether the signing block or a signature file is among the parts."""
        return any(name == SIGNING_BLOCK or is_jar_signature(name) for name in self.parts)

    @property
    def signature_problem(self) -> Message | None:
        """Why the signing block or a signature file is missing among the parts."""
        return next(
            (why for name, why in self.problems.items() if name == SIGNING_BLOCK or is_jar_signature(name)), None
        )


def signers_requested(apk: ApkParts) -> bool:
    """Return whether the signers of `apk` were requested too, or its file is known to be unreadable."""
    if apk.state is not AnswerState.ANSWERED:
        return apk.state is not AnswerState.NOT_ASKED
    return apk.has_signatures or apk.signature_problem not in (None, apk_message("apk.cut"))


def with_cut_signers(apk: ApkParts) -> ApkParts:
    """Return `apk` marked so: the connection ended while its signers were read."""
    return replace(apk, problems={**apk.problems, SIGNING_BLOCK: apk_message("apk.cut")})


def with_sha256(apk: ApkParts, sha256: str | None) -> ApkParts:
    """Return `apk` with the hash that the phone computed; ``None`` if it was requested and did not come."""
    if sha256 is not None:
        return replace(apk, sha256=sha256)
    return replace(apk, problems={**apk.problems, FILE_SHA256: apk_message("apk.no_hash")})


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartHeader:
    size: int
    sha256: str
    pieces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartsHeader:
    """`ApkParts` without the pieces."""

    package: str
    path: str
    state: AnswerState
    detail: Message | None
    size: int | None
    sha256: str | None
    parts: dict[str, _PartHeader]
    problems: Mapping[str, Message]


_HEADER_ADAPTER: Final[TypeAdapter[_PartsHeader]] = TypeAdapter(_PartsHeader)


def dump_apk_parts(apk: ApkParts) -> bytes:
    """Serialise `apk`: a line with the format's name, a line of JSON, then each piece after its offset and length."""
    parts = {
        name: _PartHeader(size=part.size, sha256=part.sha256, pieces=len(part.pieces))
        for name, part in apk.parts.items()
    }
    header = _PartsHeader(**_values_beside_parts(apk), parts=parts)
    pieces = (
        _PIECE_HEADER.pack(offset, len(piece)) + piece for part in apk.parts.values() for offset, piece in part.pieces
    )
    return _FORMAT_LINE + _HEADER_ADAPTER.dump_json(header) + b"\n" + b"".join(pieces)


def load_apk_parts(package: str, data: bytes) -> ApkParts:
    """Read what `dump_apk_parts` wrote about `package`. Raises ValueError if it is damaged or something else."""
    header_end = data.find(b"\n", len(_FORMAT_LINE))
    if not data.startswith(_FORMAT_LINE) or header_end < 0:
        raise ValueError("not the parts of an APK")
    try:
        header = _HEADER_ADAPTER.validate_python(json.loads(data[len(_FORMAT_LINE) : header_end]))
    except (ValidationError, RecursionError) as error:
        raise ValueError("damaged") from error
    if header.package != package or len(header.parts) > MAX_PARTS:
        raise ValueError("the parts of another APK")
    parts: dict[str, ApkPart] = {}
    offset = header_end + 1
    for name, part in header.parts.items():
        pieces, offset = _parse_pieces(data, offset, part)
        parts[name] = ApkPart(size=part.size, sha256=part.sha256, pieces=pieces)
        if parts[name].is_complete and hashlib.sha256(pieces[0][1]).hexdigest() != part.sha256:
            raise ValueError("changed")
    if offset != len(data):
        raise ValueError("damaged")
    return ApkParts(**_values_beside_parts(header), parts=parts)


def _values_beside_parts(apk: ApkParts | _PartsHeader) -> dict[str, Any]:
    return {value.name: getattr(apk, value.name) for value in fields(apk) if value.name != "parts"}


def _parse_pieces(data: bytes, position: int, header: _PartHeader) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Return the pieces of one part, and the position after them."""
    if not 0 <= header.size <= MAX_PART_BYTES or header.pieces * _PIECE_HEADER.size > len(data) - position:
        raise ValueError("damaged")
    pieces = []
    previous_end = 0
    for _ in range(header.pieces):
        if position + _PIECE_HEADER.size > len(data):
            raise ValueError("damaged")
        offset, length = _PIECE_HEADER.unpack_from(data, position)
        position += _PIECE_HEADER.size
        if offset < previous_end or offset + length > header.size or position + length > len(data):
            raise ValueError("damaged")
        pieces.append((offset, data[position : position + length]))
        previous_end = offset + length
        position += length
    return tuple(pieces), position
