"""The capture zip: the phone's answers as text files, a log of the commands, and a manifest.

Answers are verbatim after marked removals (`privaudit.capture.redact`), or translated where the manifest says from
what; it also says how each came, how many marks are in it, and what each entry hashes to.

Private: it holds the names of every app on the phone.
"""

from __future__ import annotations

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Literal

from pydantic import AwareDatetime, TypeAdapter

from privaudit import __version__
from privaudit.apk import parts as apk_parts
from privaudit.atomic_write import atomic_writer
from privaudit.capture import command_log
from privaudit.capture.answers import Answer
from privaudit.capture.model import Capture, DeviceFingerprint
from privaudit.capture.questions import is_package_name
from privaudit.capture.redact import REDACTED
from privaudit.capture.text_folder import MAX_FILE_BYTES, answer_file_name, parse_answer_file_name
from privaudit.errors import SourceError
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import AnswerState, Message, Source, SourceKind

CAPTURE_SCHEMA: Final = "privaudit-capture/1"
COMMAND_LOG_FILE: Final = "commands.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEntry:
    """One answer."""

    key: str
    state: AnswerState
    detail: Message | None
    exit_code: int | None
    file: str
    sha256: str
    translated_from: str | None = None
    removed: int = 0
    """How often the answer was marked: something stood there that must not be kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkEntry:
    """What was kept of one APK."""

    package: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFileEntry:
    """The command log."""

    file: Literal["commands.jsonl"]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureManifest:
    """The whole."""

    schema: Literal["privaudit-capture/1"]
    tool: str
    taken_at: AwareDatetime
    source: SourceKind
    demo: bool
    answers: tuple[AnswerEntry, ...]
    apks: tuple[ApkEntry, ...] = ()
    log: LogFileEntry | None = None
    phone: DeviceFingerprint | None = None


_MANIFEST_ADAPTER: Final = TypeAdapter(CaptureManifest)


def dump_manifest(manifest: CaptureManifest) -> bytes:
    """`manifest` as JSON that a person can read."""
    return _MANIFEST_ADAPTER.dump_json(manifest, indent=1)


def load_manifest(data: bytes) -> CaptureManifest:
    """Read back what `dump` wrote.

    Raises:
        ValueError: it is something else.
    """
    return _MANIFEST_ADAPTER.validate_json(data)


def find_misnamed(manifest: CaptureManifest) -> str | None:
    """An answer or APK that comes twice, or whose file has a name that we would not give it."""
    keys = Counter(entry.key for entry in manifest.answers)
    for entry in manifest.answers:
        # Both ways round: no key but the one that we would write gives this name.
        if (
            keys[entry.key] > 1
            or parse_answer_file_name(entry.file) != entry.key
            or answer_file_name(entry.key) != entry.file
        ):
            return entry.key
    packages = Counter(entry.package for entry in manifest.apks)
    for named in manifest.apks:
        if (
            packages[named.package] > 1
            or not is_package_name(named.package)
            or named.file != apk_file_name(named.package)
        ):
            return named.package
    return None


def apk_file_name(package: str) -> str:
    """Name of the entry that holds the parts of a package's APK."""
    return f"apks/{package}.parts"


_ZIP_SIGNATURE: Final = b"PK\3\4"
MANIFEST_FILE: Final = "manifest.json"
MAX_ARCHIVE_BYTES: Final = 512 * 1024 * 1024
"""Bytes of all answers together."""
MAX_ENTRIES: Final = 5000


READ_ERRORS: Final = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
)
"""What `zipfile` raises where a file is torn or made to harm."""


def write_archive(capture: Capture, path: Path) -> None:
    """Write `capture` to `path`.

    Raises:
        SourceError: the file cannot be written; nothing is left behind.
    """
    with atomic_writer(path) as stream:
        _write_entries(capture, stream)


def _write_entries(capture: Capture, stream: BinaryIO) -> None:
    entries = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for answer in capture.answers.values():
            raw = answer.text.encode()
            entry = AnswerEntry(
                key=answer.key,
                state=answer.state,
                detail=answer.detail,
                exit_code=answer.exit_code,
                file=answer_file_name(answer.key),
                sha256=hashlib.sha256(raw).hexdigest(),
                translated_from=answer.translated_from,
                removed=answer.text.count(REDACTED),
            )
            entries.append(entry)
            archive.writestr(entry.file, raw)
        named = []
        for apk in capture.apks.values():
            parts = apk_parts.dump_apk_parts(apk)
            named.append(
                ApkEntry(package=apk.package, file=apk_file_name(apk.package), sha256=hashlib.sha256(parts).hexdigest())
            )
            archive.writestr(named[-1].file, parts)
        log = command_log.dump_command_log(capture.log)
        if log:
            archive.writestr(COMMAND_LOG_FILE, log)
        manifest = CaptureManifest(
            schema=CAPTURE_SCHEMA,
            tool=__version__,
            taken_at=capture.taken_at,
            source=capture.source.kind,
            demo=capture.demo,
            answers=tuple(entries),
            apks=tuple(named),
            log=LogFileEntry(file=COMMAND_LOG_FILE, sha256=hashlib.sha256(log).hexdigest()) if log else None,
            phone=capture.device_fingerprint,
        )
        archive.writestr(MANIFEST_FILE, dump_manifest(manifest))


def recognises(path: Path) -> bool:
    """Whether `path` is a zip with our manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST_FILE in archive.namelist()
    except READ_ERRORS:
        return False


def is_truncated_zip(path: Path) -> bool:
    """Whether `path` begins as a zip and does not end as one: a copy that was broken off."""
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP_SIGNATURE)) == _ZIP_SIGNATURE and not zipfile.is_zipfile(file)
    except OSError:
        return False


def read(path: Path) -> Capture:
    """Read a capture back. An archive in which anything was changed or torn is refused, and the entry named.

    Raises:
        SourceError: damaged, changed, larger than any real one, or of a later kind.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.infolist()
            if len(inside) > MAX_ENTRIES or sum(entry.file_size for entry in inside) > MAX_ARCHIVE_BYTES:
                raise SourceError("errors.capture_too_large", path=str(path))
            if twice := [name for name, times in Counter(archive.namelist()).items() if times > 1]:
                # Other programs would show the one, and we read the other.
                raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(twice[0]))
            manifest = _read_manifest(archive, path)
            answers = {entry.key: _read_answer(archive, entry, path) for entry in manifest.answers}
            apks = {entry.package: _read_apk(archive, entry, path) for entry in manifest.apks}
            log = _read_log(archive, manifest.log, path) if manifest.log is not None else ()
    except READ_ERRORS as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType(apks),
        log=log,
        device_fingerprint=manifest.phone,
        taken_at=manifest.taken_at,
        source=Source(kind="demo" if manifest.demo else "capture", sha256=sha256_file(path)),
        demo=manifest.demo,
    )


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> CaptureManifest:
    try:
        manifest = load_manifest(_read_limited(archive, MANIFEST_FILE))
    except (KeyError, *READ_ERRORS) as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=MANIFEST_FILE) from error
    if (wrong := find_misnamed(manifest)) is not None:
        raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(wrong))
    return manifest


def _read_apk(archive: zipfile.ZipFile, entry: ApkEntry, path: Path) -> apk_parts.ApkParts:
    raw = _read_verified(archive, entry, path)
    try:
        return apk_parts.load_apk_parts(entry.package, raw)
    except ValueError as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error


def _read_log(archive: zipfile.ZipFile, entry: LogFileEntry, path: Path) -> tuple[command_log.CommandLogEntry, ...]:
    raw = _read_verified(archive, entry, path)
    try:
        return command_log.load_command_log(raw)
    except ValueError as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error


def _read_answer(archive: zipfile.ZipFile, entry: AnswerEntry, path: Path) -> Answer:
    raw = _read_verified(archive, entry, path)
    try:
        text = raw.decode()
    except ValueError as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error
    return Answer(
        key=entry.key,
        state=entry.state,
        text=text,
        detail=entry.detail,
        exit_code=entry.exit_code,
        translated_from=entry.translated_from,
    )


def _read_verified(archive: zipfile.ZipFile, entry: AnswerEntry | ApkEntry | LogFileEntry, path: Path) -> bytes:
    """The content of `entry`, if it is what was written."""
    try:
        raw = _read_limited(archive, entry.file)
    except (KeyError, *READ_ERRORS) as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error
    if hashlib.sha256(raw).hexdigest() != entry.sha256:
        raise SourceError("errors.capture_changed", path=str(path), entry=entry.file)
    return raw


def _read_limited(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(MAX_FILE_BYTES + 1)


def sha256_file(path: Path) -> str:
    """Of the file at `path`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
