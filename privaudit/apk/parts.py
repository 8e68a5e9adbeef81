"""The parts of an APK that a capture keeps, and how they are written to a file and read back.

Kept are the file's own bytes, never an interpretation, so that a saved capture names apps too, in any language. Of a
resource table only the pieces are kept that a name's resource is found by (`privaudit.apk.info.trim_resources`).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from privaudit.model import AnswerState, Message, MessageValue


class ApkError(Exception):
    """Something in an APK cannot be read. `message` says why."""

    def __init__(self, key: str, **values: MessageValue) -> None:
        super().__init__(key, values)
        self.message = apk_message(key, **values)


def apk_message(key: str, **values: MessageValue) -> Message:
    """A `Message` that says why part of an APK cannot be read."""
    return Message(key=key, values=values)


MANIFEST: Final = "AndroidManifest.xml"
ARSC: Final = "resources.arsc"
SIGNING_BLOCK: Final = "APK signing block"
"""Between the last entry and the central directory. No entry of an APK has blanks in its name by chance."""
FILE_SHA256: Final = "SHA-256"
"""No part, but may be missing like one."""

MAX_PART_BYTES: Final = 64 << 20
"""Bytes of one part, once its gaps are filled."""
MAX_PARTS: Final = 16
_PIECE_HEADER: Final = struct.Struct("<II")
_FORMAT_LINE: Final = b"privaudit-apk/1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkPart:
    """Bytes of one entry, unpacked, or of the signing block."""

    size: int
    """Of the whole."""
    sha256: str
    """Of the whole, in hexadecimal; also where only pieces were kept."""
    pieces: tuple[tuple[int, bytes], ...]
    """Offset and bytes, in ascending order."""

    @classmethod
    def from_bytes(cls, data: bytes) -> ApkPart:
        """A part of which everything is kept."""
        return cls(size=len(data), sha256=hashlib.sha256(data).hexdigest(), pieces=((0, data),))

    @property
    def is_complete(self) -> bool:
        """Whether everything is kept."""
        return len(self.pieces) == 1 and len(self.pieces[0][1]) == self.size

    def trimmed_to(self, ranges: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> ApkPart:
        """This part with only the ranges (start, end) that are `ranges`."""
        data = self.to_bytes()
        merged: list[tuple[int, int]] = []
        for start, end in sorted(ranges):
            # A piece costs as much as a few bytes between two of them.
            if merged and start <= merged[-1][1] + 2 * _PIECE_HEADER.size:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return replace(self, pieces=tuple((start, data[start:end]) for start, end in merged))

    def to_bytes(self) -> bytes:
        """The bytes, with zeros where nothing was kept."""
        if self.is_complete:
            return self.pieces[0][1]
        filled = bytearray(self.size)
        for offset, piece in self.pieces:
            filled[offset : offset + len(piece)] = piece
        return bytes(filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkParts:
    """What was read of the base APK of one package."""

    package: str
    """Who it is, as the phone says."""
    path: str
    state: AnswerState
    """Whether the file could be read; a part may still be missing, see `problems`."""
    detail: Message | None = None
    size: int | None = None
    """Of the file, in bytes."""
    parts: Mapping[str, ApkPart] = field(default_factory=dict)
    problems: Mapping[str, Message] = field(default_factory=dict)
    """Why a part is not there, by its name."""
    sha256: str | None = None
    """Of the whole file, computed by the phone; ``None``: not asked, or the phone cannot."""


def signers_requested(apk: ApkParts) -> bool:
    """Whether what `apk` was signed with was asked for too; nothing more comes of a file that could not be read."""
    if apk.state is not AnswerState.ANSWERED:
        return apk.state is not AnswerState.NOT_ASKED
    signed = any(name == SIGNING_BLOCK or name.upper().startswith("META-INF/") for name in apk.parts)
    return signed or (SIGNING_BLOCK in apk.problems and apk.problems[SIGNING_BLOCK] != apk_message("apk.cut"))


def with_cut_signers(apk: ApkParts) -> ApkParts:
    """`apk`, of which the signers were asked for when the connection ended."""
    return replace(apk, problems={**apk.problems, SIGNING_BLOCK: apk_message("apk.cut")})


def with_sha256(apk: ApkParts, sha256: str | None) -> ApkParts:
    """`apk` with what the phone computed of its file; ``None`` where it was asked and gave nothing."""
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
    package: str
    path: str
    state: AnswerState
    detail: Message | None
    size: int | None
    sha256: str | None
    parts: dict[str, _PartHeader]
    problems: dict[str, Message]


_HEADER_ADAPTER: Final[TypeAdapter[_PartsHeader]] = TypeAdapter(_PartsHeader)


def dump_apk_parts(apk: ApkParts) -> bytes:
    """`apk` as the content of one file: a line that names the format, one of JSON, then each piece behind its place."""
    head = _PartsHeader(
        package=apk.package,
        path=apk.path,
        state=apk.state,
        detail=apk.detail,
        size=apk.size,
        sha256=apk.sha256,
        parts={n: _PartHeader(size=p.size, sha256=p.sha256, pieces=len(p.pieces)) for n, p in apk.parts.items()},
        problems=dict(apk.problems),
    )
    pieces = (
        _PIECE_HEADER.pack(offset, len(piece)) + piece for part in apk.parts.values() for offset, piece in part.pieces
    )
    return _FORMAT_LINE + _HEADER_ADAPTER.dump_json(head) + b"\n" + b"".join(pieces)


def load_apk_parts(package: str, data: bytes) -> ApkParts:
    """Read back what `dump` wrote of `package`.

    Raises:
        ValueError: it is something else, or damaged.
    """
    line = data.find(b"\n", len(_FORMAT_LINE))
    if not data.startswith(_FORMAT_LINE) or line < 0:
        raise ValueError("not the parts of an APK")
    try:
        head = _HEADER_ADAPTER.validate_python(_require_object(json.loads(data[len(_FORMAT_LINE) : line])))
    except (ValidationError, RecursionError) as error:
        raise ValueError("damaged") from error
    if head.package != package or len(head.parts) > MAX_PARTS:
        raise ValueError("the parts of another APK")
    parts: dict[str, ApkPart] = {}
    at = line + 1
    for name, part in head.parts.items():
        pieces, at = _parse_pieces(data, at, part)
        parts[name] = ApkPart(size=part.size, sha256=part.sha256, pieces=pieces)
        if parts[name].is_complete and hashlib.sha256(pieces[0][1]).hexdigest() != part.sha256:
            raise ValueError("changed")
    if at != len(data):
        raise ValueError("damaged")
    return ApkParts(
        package=package,
        path=head.path,
        state=head.state,
        detail=head.detail,
        size=head.size,
        parts=parts,
        problems=head.problems,
        sha256=head.sha256,
    )


def _require_object(value: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        raise ValueError("damaged")  # noqa: TRY004 - a damaged file, not a wrong call
    return value


def _parse_pieces(data: bytes, at: int, header: _PartHeader) -> tuple[tuple[tuple[int, bytes], ...], int]:
    if not 0 <= header.size <= MAX_PART_BYTES or header.pieces * _PIECE_HEADER.size > len(data) - at:
        raise ValueError("damaged")
    pieces = []
    last = 0
    for _ in range(header.pieces):
        if at + _PIECE_HEADER.size > len(data):
            raise ValueError("damaged")
        offset, length = _PIECE_HEADER.unpack_from(data, at)
        at += _PIECE_HEADER.size
        if offset < last or offset + length > header.size or at + length > len(data):
            raise ValueError("damaged")
        pieces.append((offset, data[at : at + length]))
        last = offset + length
        at += length
    return tuple(pieces), at
