"""Open a file of this computer and the APKs of its app: one, or a base and splits in a bundle (XAPK, APKS, APKM).

The manifest decides which APK is the base, never the entry's name: names in a bundle are arbitrary. Entries are never
written to a path that a bundle names.
"""

import contextlib
import hashlib
import os
import stat
import tempfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeVar, cast

from privaudit.apk import zip_reader
from privaudit.apk.manifest import ApkManifest, parse_manifest
from privaudit.apk.parts import MANIFEST, ApkError
from privaudit.capture import apk_plan
from privaudit.capture.apk_plan import RangeReadable
from privaudit.vetting.document import FileKind, Gap

MAX_FILE_BYTES: Final = 8 << 30
"""Bytes. Bundles of games have some gigabytes; Android itself takes no APK above 4 GB."""
BUNDLE_SUFFIXES: Final = (".xapk", ".apks", ".apkm")
APP_FILE_SUFFIXES: Final = (".apk", *BUNDLE_SUFFIXES)
MAX_BUNDLE_APKS: Final = 200
"""APKs in a bundle. One for each language, density and processor makes about 150."""
MAX_UNPACKED_BYTES: Final = 1 << 30
"""Bytes of all APKs of a bundle that must be unpacked before they can be read. Most are stored uncompressed."""
_CHUNK_BYTES: Final = 1 << 20
_DEFLATED, _STORED, _ENCRYPTED = 8, 0, 1
_BASE_APK_NAMES: Final = ("base.apk", "universal.apk", "base-master.apk")
_KIND_BY_SUFFIX: Final[Mapping[str, FileKind]] = {".xapk": "xapk", ".apks": "apks", ".apkm": "apkm"}
_KIND_BY_MARKER_ENTRY: Final[Mapping[bytes, FileKind]] = {
    b"manifest.json": "xapk",
    b"toc.pb": "apks",
    b"info.json": "apkm",
}
"""The entry that each kind of bundle holds beside its APKs."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileRange:
    """A range of an open file that reads like a file of its own (`privaudit.capture.apk_plan.RangeReadable`)."""

    stream: BinaryIO
    start: int
    size: int

    def bytes_at(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, clipped to the range; raises `ApkError` if the file shrank."""
        start, end = max(0, start), min(end, self.size)
        if start >= end:
            return b""
        self.stream.seek(self.start + start)
        data = self.stream.read(end - start)
        if len(data) != end - start:
            raise ApkError("apk.file_changed")
        return data

    def sha256(self) -> str:
        """Return the SHA-256 of the whole range; raises `ApkError` if the file became shorter."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, _CHUNK_BYTES):
            digest.update(self.bytes_at(offset, offset + _CHUNK_BYTES))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file, with its size and modification time at the moment of opening."""

    contents: FileRange
    modified_ns: int

    def ensure_unchanged(self) -> None:
        """Raise `ApkError` if size or modification time differ: what was read may come from two versions."""
        status = os.fstat(self.contents.stream.fileno())
        if (status.st_size, status.st_mtime_ns) != (self.contents.size, self.modified_ns):
            raise ApkError("apk.file_changed")


@contextlib.contextmanager
def open_local_file(path: Path) -> Iterator[OpenFile]:
    """Open a regular file; raises `ApkError` if it is not one (a pipe would never end), unreadable, or too large."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            is_closed_folder = stat.S_ISDIR(mode) and not os.access(path, os.R_OK | os.X_OK)
            raise ApkError("apk.folder_closed" if is_closed_folder else "apk.file_none")
        with path.open("rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            if status.st_size > MAX_FILE_BYTES:
                raise ApkError("apk.file_too_large", gigabytes=MAX_FILE_BYTES >> 30)
            yield OpenFile(FileRange(stream, 0, status.st_size), status.st_mtime_ns)
    except FileNotFoundError as error:
        raise ApkError("apk.file_missing") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ApkError("apk.file_unreadable", reason=reason) from error


@dataclass(frozen=True, slots=True)
class BundleApk:
    """One APK of an app."""

    name: str
    """Its entry in the bundle; empty if the file itself is the APK."""
    file: RangeReadable
    end_record: zip_reader.EndRecord
    directory: zip_reader.CentralDirectory
    manifest: ApkManifest


@dataclass(slots=True)
class AppBundle:
    """The APKs that make up one app."""

    kind: FileKind
    base: BundleApk
    splits: list[BundleApk] = field(default_factory=list)
    other_packages: list[str] = field(default_factory=list)
    """Packages of further apps in the same bundle."""
    gaps: list[Gap] = field(default_factory=list)


@contextlib.contextmanager
def open_bundle(file: FileRange, file_name: str) -> Iterator[AppBundle]:
    """Open the APKs of the app in `file`, to be read until the context ends; raises `ApkError` if there are none."""
    suffix = PurePosixPath(file_name.replace("\\", "/")).suffix.lower()
    try:
        end_record, directory = run_to_end(apk_plan.plan_directory(file))
    except ApkError as error:
        if suffix == ".apkm" and error.message.key == "apk.not_zip":
            raise ApkError("apk.apkm_encrypted") from error
        raise
    if directory.get(MANIFEST.encode()) is not None:
        yield AppBundle("apk", _parse_apk("", file, end_record, directory))
        return
    names = [name for name in directory.names() if name.lower().endswith(b".apk")]
    if not names:
        raise ApkError("apk.bundle_nested" if _nested_bundles(directory) else "apk.no_app")
    markers = _KIND_BY_MARKER_ENTRY.items()
    detected: FileKind = next((kind for marker, kind in markers if directory.get(marker) is not None), "apks")
    kind = _KIND_BY_SUFFIX.get(suffix, detected)
    with contextlib.ExitStack() as stack:
        yield _open_bundle_apks(kind, file, end_record, directory, names, stack)


def open_apk(name: str, file: RangeReadable) -> BundleApk:
    """Read an APK's directory and manifest; raises `ApkError` if it is no APK, or its manifest cannot be read."""
    end_record, directory = run_to_end(apk_plan.plan_directory(file))
    return _parse_apk(name, file, end_record, directory)


def run_to_end(plan: Generator[object, None, T]) -> T:
    """Run a read plan to its end: every byte it asks for can be read at once."""
    while True:
        try:
            next(plan)
        except StopIteration as stop:
            return cast("T", stop.value)


def decode_entry_name(name: bytes) -> str:
    """Return the name of a zip entry as text."""
    return name.decode("utf-8", "replace")


def _parse_apk(
    name: str, file: RangeReadable, end_record: zip_reader.EndRecord, directory: zip_reader.CentralDirectory
) -> BundleApk:
    entry = directory.get(MANIFEST.encode())
    if entry is None:
        raise ApkError("apk.entry_missing", entry=MANIFEST)
    if max(entry.size, entry.compressed_size) > apk_plan.MAX_ENTRY_BYTES[MANIFEST]:
        raise ApkError("apk.entry_too_large", entry=MANIFEST)
    manifest = parse_manifest(apk_plan.read_entry(file, entry, end_record))
    return BundleApk(name, file, end_record, directory, manifest)


def _nested_bundles(directory: zip_reader.CentralDirectory) -> list[bytes]:
    """Return the entries that are bundles themselves."""
    return [name for name in directory.names() if name.decode("latin-1").lower().endswith(BUNDLE_SUFFIXES)]


def _open_bundle_apks(
    kind: FileKind,
    file: FileRange,
    end_record: zip_reader.EndRecord,
    directory: zip_reader.CentralDirectory,
    names: Sequence[bytes],
    stack: contextlib.ExitStack,
) -> AppBundle:
    apks: list[BundleApk] = []
    gaps: list[Gap] = []
    remaining_bytes = MAX_UNPACKED_BYTES
    for name in names[:MAX_BUNDLE_APKS]:
        if (entry := directory.get(name)) is None:
            continue
        try:
            inner_file, unpacked_bytes = _extract_inner_apk(file, end_record, entry, remaining_bytes, stack)
            remaining_bytes -= unpacked_bytes
            apks.append(open_apk(decode_entry_name(name), inner_file))
        except ApkError as error:
            gaps.append(Gap(part=decode_entry_name(name), why=error.message))
    if len(names) > MAX_BUNDLE_APKS:
        why = ApkError("apk.bundle_too_many", n=MAX_BUNDLE_APKS).message
        gaps.append(Gap(part=decode_entry_name(names[MAX_BUNDLE_APKS]), why=why))
    nested = _nested_bundles(directory)[:1]
    gaps += [Gap(part=decode_entry_name(name), why=ApkError("apk.bundle_inside").message) for name in nested]
    bases = [apk for apk in apks if apk.manifest.split_name is None]
    if not bases:
        if gaps:
            raise ApkError("apk.bundle_unread", entry=gaps[0].part, why=gaps[0].why)
        raise ApkError("apk.bundle_no_base")
    base = max(bases, key=_base_preference)
    package = base.manifest.package
    others = dict.fromkeys(apk.manifest.package for apk in apks if apk.manifest.package != package)
    gaps += [Gap(part=other, why=ApkError("apk.bundle_several").message) for other in others]
    splits = [apk for apk in apks if apk.manifest.split_name is not None and apk.manifest.package == package]
    return AppBundle(kind, base, splits, list(others), gaps)


def _base_preference(apk: BundleApk) -> tuple[bool, bool, int]:
    """Return the sort key for several base APKs (bundletool also makes one for each processor): by name, then size."""
    name = PurePosixPath(apk.name).name
    return name in _BASE_APK_NAMES, name == f"{apk.manifest.package}.apk", apk.file.size


def _extract_inner_apk(
    file: FileRange,
    end_record: zip_reader.EndRecord,
    entry: zip_reader.ZipEntry,
    remaining_bytes: int,
    stack: contextlib.ExitStack,
) -> tuple[FileRange, int]:
    """Return an APK inside a bundle, and how many bytes were unpacked for it (0 if it is stored uncompressed)."""
    name = decode_entry_name(entry.name)
    if entry.flags & _ENCRYPTED:
        raise ApkError("apk.bundle_encrypted", entry=name)
    header_end = entry.header_offset + zip_reader.LOCAL_HEADER_BYTES + len(entry.name)
    local_header = file.bytes_at(entry.header_offset, min(header_end, end_record.directory_offset))
    start = zip_reader.find_data_offset(local_header, entry, end_record)
    if entry.method == _STORED:
        return FileRange(file.stream, file.start + start, entry.size), 0
    if entry.method != _DEFLATED:
        raise ApkError("apk.entry_damaged", entry=name)
    if entry.size > remaining_bytes:
        raise ApkError("apk.bundle_too_large", entry=name)
    temporary = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the stack closes it
    stream = cast("BinaryIO", stack.enter_context(temporary))  # a wrapper object on Windows
    if _inflate(file, start, start + entry.compressed_size, stream, entry.size) != entry.size:
        raise ApkError("apk.entry_damaged", entry=name)
    return FileRange(stream, 0, entry.size), entry.size


def _inflate(file: FileRange, start: int, end: int, stream: BinaryIO, max_bytes: int) -> int | None:
    """Write the inflated bytes to `stream` and return their number; ``None`` if damaged or more than `max_bytes`."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    written = 0
    try:
        for offset in range(start, end, _CHUNK_BYTES):
            data = file.bytes_at(offset, min(offset + _CHUNK_BYTES, end))
            while data:
                chunk = inflater.decompress(data, _CHUNK_BYTES)
                data = inflater.unconsumed_tail
                written += len(chunk)
                if written > max_bytes:
                    return None
                stream.write(chunk)
    except zlib.error:
        return None
    return written
