"""The APKs that an app is delivered in: one, or a base and splits in a bundle (XAPK, APKS, APKM).

Which one is the base, its manifest says, never a name: names in a bundle are free. No entry is ever written to a path
that a bundle names.
"""

from __future__ import annotations

import contextlib
import tempfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO, Final, TypeVar, cast

from privaudit.apk import manifest as apk_manifest
from privaudit.apk import zip_reader
from privaudit.apk.apk_problems import ApkError
from privaudit.apk.manifest import Manifest
from privaudit.apk.parts import MANIFEST
from privaudit.capture import apk_plan
from privaudit.capture.apk_plan import Bytes
from privaudit.vetting.document import Gap, Kind
from privaudit.vetting.local_file import Window

BUNDLES: Final = (".xapk", ".apks", ".apkm")
SUFFIXES: Final = (".apk", *BUNDLES)
MOST_PIECES: Final = 200
"""APKs in a bundle; one for each language, density and processor makes about 150."""
LARGEST_PACKED: Final = 1 << 30
"""Bytes of all APKs of a bundle that must be unpacked before they can be read; most lie in it as they are."""
_CHUNK: Final = 1 << 20
_DEFLATED, _STORED, _ENCRYPTED = 8, 0, 1
_BASES: Final = ("base.apk", "universal.apk", "base-master.apk")
_BY_SUFFIX: Final[Mapping[str, Kind]] = {".xapk": "xapk", ".apks": "apks", ".apkm": "apkm"}
_MARKS: Final[Mapping[bytes, Kind]] = {b"manifest.json": "xapk", b"toc.pb": "apks", b"info.json": "apkm"}
"""What a bundle of each kind holds beside APKs."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Piece:
    """One APK."""

    name: str
    """Its entry in the bundle; empty where the file itself is the APK."""
    file: Bytes
    end: zip_reader.End
    entries: zip_reader.Directory
    manifest: Manifest


@dataclass(slots=True)
class Pieces:
    """What makes up the app in one file."""

    kind: Kind
    base: Piece
    splits: list[Piece] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """Packages of further apps in the bundle."""
    gaps: list[Gap] = field(default_factory=list)


def steps(generator: Generator[object, None, T]) -> T:
    """Take all steps at once: nothing has to be fetched first."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            result: T = stop.value
            return result


def piece(name: str, file: Bytes) -> Piece:
    """An APK up to its manifest.

    Raises:
        ApkError: it is none, or its manifest cannot be read.
    """
    end, entries = steps(apk_plan.outline(file))
    return _piece(name, file, end, entries)


def sha256(one: Piece) -> str | None:
    """Of a whole APK; ``None`` where it lies on a phone, which computes it itself."""
    return one.file.sha256() if isinstance(one.file, Window) else None


def _piece(name: str, file: Bytes, end: zip_reader.End, entries: zip_reader.Directory) -> Piece:
    entry = entries.get(MANIFEST.encode())
    if entry is None:
        raise ApkError("apk.entry_missing", entry=MANIFEST)
    if max(entry.size, entry.packed) > apk_plan.LARGEST[MANIFEST]:
        raise ApkError("apk.entry_too_large", entry=MANIFEST)
    return Piece(name, file, end, entries, apk_manifest.parse(apk_plan.content(file, entry, end)))


@contextlib.contextmanager
def taken_apart(file: Window, path: str) -> Iterator[Pieces]:
    """The pieces of the app in `file`, readable as long as this lasts.

    Raises:
        ApkError: it is neither an APK nor a bundle of APKs, or nothing of it can be read.
    """
    suffix = PurePosixPath(path.replace("\\", "/")).suffix.lower()
    try:
        end, entries = steps(apk_plan.outline(file))
    except ApkError as error:
        if suffix == ".apkm" and error.message.key == "apk.not_zip":
            raise ApkError("apk.apkm_encrypted") from error
        raise
    if entries.get(MANIFEST.encode()) is not None:
        yield Pieces("apk", _piece("", file, end, entries))
        return
    names = [name for name in entries.names() if name.lower().endswith(b".apk")]
    if not names:
        nested = any(name.decode("latin-1").lower().endswith(BUNDLES) for name in entries.names())
        raise ApkError("apk.bundle_nested" if nested else "apk.no_app")
    with contextlib.ExitStack() as stack:
        yield _bundle(_kind(suffix, entries), file, end, entries, names, stack)


def _kind(suffix: str, entries: zip_reader.Directory) -> Kind:
    marked: Kind = next((kind for mark, kind in _MARKS.items() if entries.get(mark) is not None), "apks")
    return _BY_SUFFIX.get(suffix, marked)


def _bundle(
    kind: Kind,
    file: Window,
    end: zip_reader.End,
    entries: zip_reader.Directory,
    names: Sequence[bytes],
    stack: contextlib.ExitStack,
) -> Pieces:
    found: list[Piece] = []
    gaps: list[Gap] = []
    room = LARGEST_PACKED
    for raw in names[:MOST_PIECES]:
        name = raw.decode("utf-8", "replace")
        entry = entries.get(raw)
        if entry is None:
            continue
        try:
            inner, used = _inner(file, end, entry, room, stack)
            room -= used
            found.append(piece(name, inner))
        except ApkError as error:
            gaps.append(Gap(part=name, why=error.message))
    if len(names) > MOST_PIECES:
        why = ApkError("apk.bundle_too_many", n=MOST_PIECES).message
        gaps.append(Gap(part=names[MOST_PIECES].decode("utf-8", "replace"), why=why))
    nested = [name for name in entries.names() if name.decode("latin-1").lower().endswith(BUNDLES)]
    gaps += [
        Gap(part=name.decode("utf-8", "replace"), why=ApkError("apk.bundle_inside").message) for name in nested[:1]
    ]
    bases = [one for one in found if one.manifest.split is None]
    if not bases:
        if gaps:
            raise ApkError("apk.bundle_unread", entry=gaps[0].part, why=gaps[0].why)
        raise ApkError("apk.bundle_no_base")
    base = max(bases, key=_likely)
    package = base.manifest.package
    others = dict.fromkeys(one.manifest.package for one in found if one.manifest.package != package)
    gaps += [Gap(part=name, why=ApkError("apk.bundle_several").message) for name in others]
    splits = [one for one in found if one.manifest.split is not None and one.manifest.package == package]
    return Pieces(kind, base, splits, list(others), gaps)


def _likely(one: Piece) -> tuple[bool, bool, int]:
    """Of several whole APKs (bundletool makes one for each processor too) the one that a name speaks for, else size."""
    name = PurePosixPath(one.name).name
    return name in _BASES, name == f"{one.manifest.package}.apk", one.file.size


def _inner(
    file: Window, end: zip_reader.End, entry: zip_reader.Entry, room: int, stack: contextlib.ExitStack
) -> tuple[Window, int]:
    """An APK inside a bundle, and how many bytes were unpacked for it: none where it lies there as it is."""
    if entry.flags & _ENCRYPTED:
        raise ApkError("apk.bundle_encrypted", entry=entry.name.decode("utf-8", "replace"))
    head = file.bytes_at(entry.header, min(entry.header + zip_reader.LOCAL_SIZE + len(entry.name), end.directory))
    start = zip_reader.data_offset(head, entry, end)
    if entry.method == _STORED:
        return Window(file.stream, file.start + start, entry.size), 0
    if entry.method != _DEFLATED or entry.size > room:
        raise ApkError(
            "apk.bundle_too_large" if entry.method == _DEFLATED else "apk.entry_damaged", entry=_shown(entry)
        )
    temporary = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the stack closes it
    stream = cast("BinaryIO", stack.enter_context(temporary))  # on Windows one that stands in for a file
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    written = 0
    try:
        for at in range(start, start + entry.packed, _CHUNK):
            data = file.bytes_at(at, min(at + _CHUNK, start + entry.packed))
            while data:
                piece = unpacker.decompress(data, _CHUNK)
                data = unpacker.unconsumed_tail
                written += len(piece)
                if written > entry.size:
                    raise ApkError("apk.entry_damaged", entry=_shown(entry))
                stream.write(piece)
    except zlib.error as error:
        raise ApkError("apk.entry_damaged", entry=_shown(entry)) from error
    if written != entry.size:
        raise ApkError("apk.entry_damaged", entry=_shown(entry))
    return Window(stream, 0, written), written


def _shown(entry: zip_reader.Entry) -> str:
    return entry.name.decode("utf-8", "replace")
