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
from privaudit.apk.manifest import ApkManifest
from privaudit.apk.parts import MANIFEST, ApkError
from privaudit.capture import apk_plan
from privaudit.capture.apk_plan import RangeReadable
from privaudit.vetting.document import FileKind, Gap
from privaudit.vetting.local_file import FileRange

BUNDLE_SUFFIXES: Final = (".xapk", ".apks", ".apkm")
APP_FILE_SUFFIXES: Final = (".apk", *BUNDLE_SUFFIXES)
MAX_BUNDLE_APKS: Final = 200
"""APKs in a bundle; one for each language, density and processor makes about 150."""
MAX_UNPACKED_BYTES: Final = 1 << 30
"""Bytes of all APKs of a bundle that must be unpacked before they can be read; most lie in it as they are."""
_CHUNK_BYTES: Final = 1 << 20
_DEFLATED, _STORED, _ENCRYPTED = 8, 0, 1
_BASE_APK_NAMES: Final = ("base.apk", "universal.apk", "base-master.apk")
_KIND_BY_SUFFIX: Final[Mapping[str, FileKind]] = {".xapk": "xapk", ".apks": "apks", ".apkm": "apkm"}
_KIND_BY_MARKER_ENTRY: Final[Mapping[bytes, FileKind]] = {
    b"manifest.json": "xapk",
    b"toc.pb": "apks",
    b"info.json": "apkm",
}
"""What a bundle of each kind holds beside APKs."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BundleApk:
    """One APK."""

    name: str
    """Its entry in the bundle; empty where the file itself is the APK."""
    file: RangeReadable
    end_record: zip_reader.EndRecord
    directory: zip_reader.CentralDirectory
    manifest: ApkManifest


@dataclass(slots=True)
class AppBundle:
    """What makes up the app in one file."""

    kind: FileKind
    base: BundleApk
    splits: list[BundleApk] = field(default_factory=list)
    other_packages: list[str] = field(default_factory=list)
    """Packages of further apps in the bundle."""
    gaps: list[Gap] = field(default_factory=list)


def run_to_end(plan: Generator[object, None, T]) -> T:
    """Take all steps at once: nothing has to be fetched first."""
    while True:
        try:
            next(plan)
        except StopIteration as stop:
            result: T = stop.value
            return result


def open_apk(name: str, file: RangeReadable) -> BundleApk:
    """An APK up to its manifest.

    Raises:
        ApkError: it is none, or its manifest cannot be read.
    """
    end, entries = run_to_end(apk_plan.plan_directory(file))
    return _parse_apk(name, file, end, entries)


def hash_apk(apk: BundleApk) -> str | None:
    """Of a whole APK; ``None`` where it lies on a phone, which computes it itself."""
    return apk.file.sha256() if isinstance(apk.file, FileRange) else None


def _parse_apk(
    name: str, file: RangeReadable, end_record: zip_reader.EndRecord, directory: zip_reader.CentralDirectory
) -> BundleApk:
    entry = directory.get(MANIFEST.encode())
    if entry is None:
        raise ApkError("apk.entry_missing", entry=MANIFEST)
    if max(entry.size, entry.compressed_size) > apk_plan.MAX_ENTRY_BYTES[MANIFEST]:
        raise ApkError("apk.entry_too_large", entry=MANIFEST)
    return BundleApk(
        name, file, end_record, directory, apk_manifest.parse_manifest(apk_plan.read_entry(file, entry, end_record))
    )


@contextlib.contextmanager
def open_bundle(file: FileRange, path: str) -> Iterator[AppBundle]:
    """The pieces of the app in `file`, readable as long as this lasts.

    Raises:
        ApkError: it is neither an APK nor a bundle of APKs, or nothing of it can be read.
    """
    suffix = PurePosixPath(path.replace("\\", "/")).suffix.lower()
    try:
        end, entries = run_to_end(apk_plan.plan_directory(file))
    except ApkError as error:
        if suffix == ".apkm" and error.message.key == "apk.not_zip":
            raise ApkError("apk.apkm_encrypted") from error
        raise
    if entries.get(MANIFEST.encode()) is not None:
        yield AppBundle("apk", _parse_apk("", file, end, entries))
        return
    names = [name for name in entries.names() if name.lower().endswith(b".apk")]
    if not names:
        nested = any(name.decode("latin-1").lower().endswith(BUNDLE_SUFFIXES) for name in entries.names())
        raise ApkError("apk.bundle_nested" if nested else "apk.no_app")
    with contextlib.ExitStack() as stack:
        yield _open_bundle_apks(_detect_kind(suffix, entries), file, end, entries, names, stack)


def _detect_kind(suffix: str, directory: zip_reader.CentralDirectory) -> FileKind:
    marked: FileKind = next(
        (kind for mark, kind in _KIND_BY_MARKER_ENTRY.items() if directory.get(mark) is not None), "apks"
    )
    return _KIND_BY_SUFFIX.get(suffix, marked)


def _open_bundle_apks(
    kind: FileKind,
    file: FileRange,
    end_record: zip_reader.EndRecord,
    directory: zip_reader.CentralDirectory,
    names: Sequence[bytes],
    stack: contextlib.ExitStack,
) -> AppBundle:
    found: list[BundleApk] = []
    gaps: list[Gap] = []
    room = MAX_UNPACKED_BYTES
    for raw in names[:MAX_BUNDLE_APKS]:
        name = raw.decode("utf-8", "replace")
        entry = directory.get(raw)
        if entry is None:
            continue
        try:
            inner, used = _extract_inner_apk(file, end_record, entry, room, stack)
            room -= used
            found.append(open_apk(name, inner))
        except ApkError as error:
            gaps.append(Gap(part=name, why=error.message))
    if len(names) > MAX_BUNDLE_APKS:
        why = ApkError("apk.bundle_too_many", n=MAX_BUNDLE_APKS).message
        gaps.append(Gap(part=names[MAX_BUNDLE_APKS].decode("utf-8", "replace"), why=why))
    nested = [name for name in directory.names() if name.decode("latin-1").lower().endswith(BUNDLE_SUFFIXES)]
    gaps += [
        Gap(part=name.decode("utf-8", "replace"), why=ApkError("apk.bundle_inside").message) for name in nested[:1]
    ]
    bases = [one for one in found if one.manifest.split_name is None]
    if not bases:
        if gaps:
            raise ApkError("apk.bundle_unread", entry=gaps[0].part, why=gaps[0].why)
        raise ApkError("apk.bundle_no_base")
    base = max(bases, key=_base_preference)
    package = base.manifest.package
    others = dict.fromkeys(one.manifest.package for one in found if one.manifest.package != package)
    gaps += [Gap(part=name, why=ApkError("apk.bundle_several").message) for name in others]
    splits = [one for one in found if one.manifest.split_name is not None and one.manifest.package == package]
    return AppBundle(kind, base, splits, list(others), gaps)


def _base_preference(apk: BundleApk) -> tuple[bool, bool, int]:
    """Of several whole APKs (bundletool makes one for each processor too) the one that a name speaks for, else size."""
    name = PurePosixPath(apk.name).name
    return name in _BASE_APK_NAMES, name == f"{apk.manifest.package}.apk", apk.file.size


def _extract_inner_apk(
    file: FileRange,
    end_record: zip_reader.EndRecord,
    entry: zip_reader.ZipEntry,
    remaining_bytes: int,
    stack: contextlib.ExitStack,
) -> tuple[FileRange, int]:
    """An APK inside a bundle, and how many bytes were unpacked for it: none where it lies there as it is."""
    if entry.flags & _ENCRYPTED:
        raise ApkError("apk.bundle_encrypted", entry=entry.name.decode("utf-8", "replace"))
    head = file.bytes_at(
        entry.header_offset,
        min(entry.header_offset + zip_reader.LOCAL_HEADER_BYTES + len(entry.name), end_record.directory_offset),
    )
    start = zip_reader.find_data_offset(head, entry, end_record)
    if entry.method == _STORED:
        return FileRange(file.stream, file.start + start, entry.size), 0
    if entry.method != _DEFLATED or entry.size > remaining_bytes:
        raise ApkError(
            "apk.bundle_too_large" if entry.method == _DEFLATED else "apk.entry_damaged", entry=_entry_name(entry)
        )
    temporary = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the stack closes it
    stream = cast("BinaryIO", stack.enter_context(temporary))  # on Windows one that stands in for a file
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    written = 0
    try:
        for at in range(start, start + entry.compressed_size, _CHUNK_BYTES):
            data = file.bytes_at(at, min(at + _CHUNK_BYTES, start + entry.compressed_size))
            while data:
                piece = unpacker.decompress(data, _CHUNK_BYTES)
                data = unpacker.unconsumed_tail
                written += len(piece)
                if written > entry.size:
                    raise ApkError("apk.entry_damaged", entry=_entry_name(entry))
                stream.write(piece)
    except zlib.error as error:
        raise ApkError("apk.entry_damaged", entry=_entry_name(entry)) from error
    if written != entry.size:
        raise ApkError("apk.entry_damaged", entry=_entry_name(entry))
    return FileRange(stream, 0, written), written


def _entry_name(entry: zip_reader.ZipEntry) -> str:
    return entry.name.decode("utf-8", "replace")
