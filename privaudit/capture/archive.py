"""The capture zip: the phone's answers as text files, the command log, parts of APKs, and a manifest.

Answers are verbatim except for marked removals (`privaudit.capture.redact`), or converted from a format that the
manifest names. The manifest also has the state of each answer, its number of removals, and a hash of each entry.

Private: it contains the name of every app on the phone.

One module because the manifest and the zip are one format, and are versioned together.
"""

import hashlib
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Literal, TypeVar

from pydantic import AwareDatetime, TypeAdapter

from privaudit import __version__
from privaudit.apk.parts import dump_apk_parts, load_apk_parts
from privaudit.atomic_write import atomic_writer
from privaudit.capture.answers import Answer, is_binary_answer
from privaudit.capture.command_log import dump_command_log, load_command_log
from privaudit.capture.model import Capture, DeviceFingerprint
from privaudit.capture.questions import is_package_name
from privaudit.capture.redact import REDACTED
from privaudit.capture.source_files import MAX_FILE_BYTES, READ_ERRORS, sha256_file
from privaudit.capture.text_folder import answer_file_name, parse_answer_file_name
from privaudit.errors import SourceError
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import AnswerState, Message, Source, SourceKind

T = TypeVar("T")

CAPTURE_SCHEMA: Final = "privaudit-capture/1"
MANIFEST_FILE: Final = "manifest.json"
COMMAND_LOG_FILE: Final = "commands.jsonl"
MAX_ARCHIVE_BYTES: Final = 512 * 1024 * 1024
"""Size of all entries together."""
MAX_ENTRIES: Final = 5000
_ZIP_SIGNATURE: Final = b"PK\3\4"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEntry:
    """An answer in the manifest."""

    key: str
    state: AnswerState
    detail: Message | None
    exit_code: int | None
    file: str
    sha256: str
    translated_from: str | None = None
    removed: int = 0
    """How many removals are marked in the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApkEntry:
    """The parts of an APK in the manifest."""

    package: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFileEntry:
    """The command log in the manifest."""

    file: Literal["commands.jsonl"]
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureManifest:
    """The content of `MANIFEST_FILE`."""

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


def load_manifest(data: bytes) -> CaptureManifest:
    """Read a manifest. Raises `ValueError` if it is not one."""
    return _MANIFEST_ADAPTER.validate_json(data)


def find_misnamed(manifest: CaptureManifest) -> str | None:
    """Return the first answer or APK that occurs twice, or that has an unexpected file name."""
    keys = Counter(entry.key for entry in manifest.answers)
    for entry in manifest.answers:
        # In both directions: no other key leads to this file name.
        if (
            keys[entry.key] > 1
            or parse_answer_file_name(entry.file) != entry.key
            or answer_file_name(entry.key) != entry.file
        ):
            return entry.key
    packages = Counter(apk.package for apk in manifest.apks)
    for apk in manifest.apks:
        if packages[apk.package] > 1 or not is_package_name(apk.package) or apk.file != apk_file_name(apk.package):
            return apk.package
    return None


def apk_file_name(package: str) -> str:
    """Return the name of the entry with the parts of a package's APK."""
    return f"apks/{package}.parts"


def write_archive(capture: Capture, path: Path) -> None:
    """Write `capture` to `path`. Raises `SourceError` if that fails; no partial file remains."""
    with atomic_writer(path) as stream:
        _write_entries(capture, stream)


def _write_entries(capture: Capture, stream: BinaryIO) -> None:
    answers = []
    apks = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for answer in capture.answers.values():
            raw = answer.data or answer.text.encode()
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
            answers.append(entry)
            archive.writestr(entry.file, raw)
        for apk in capture.apks.values():
            raw = dump_apk_parts(apk)
            file = apk_file_name(apk.package)
            apks.append(ApkEntry(package=apk.package, file=file, sha256=hashlib.sha256(raw).hexdigest()))
            archive.writestr(file, raw)
        log = dump_command_log(capture.log)
        if log:
            archive.writestr(COMMAND_LOG_FILE, log)
        manifest = CaptureManifest(
            schema=CAPTURE_SCHEMA,
            tool=__version__,
            taken_at=capture.taken_at,
            source=capture.source.kind,
            demo=capture.demo,
            answers=tuple(answers),
            apks=tuple(apks),
            log=LogFileEntry(file=COMMAND_LOG_FILE, sha256=hashlib.sha256(log).hexdigest()) if log else None,
            phone=capture.device_fingerprint,
        )
        archive.writestr(MANIFEST_FILE, _MANIFEST_ADAPTER.dump_json(manifest, indent=1))


def recognises(path: Path) -> bool:
    """Return whether `path` is a zip with our manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST_FILE in archive.namelist()
    except READ_ERRORS:
        return False


def is_truncated_zip(path: Path) -> bool:
    """Return whether `path` begins as a zip and does not end as one: an interrupted copy."""
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP_SIGNATURE)) == _ZIP_SIGNATURE and not zipfile.is_zipfile(file)
    except OSError:
        return False


def read(path: Path) -> Capture:
    """Read a capture. Raises `SourceError` if it is too large, or, naming it, if an entry is damaged or changed."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_ARCHIVE_BYTES:
                raise SourceError("errors.capture_too_large", path=str(path))
            if duplicates := [name for name, count in Counter(archive.namelist()).items() if count > 1]:
                # Other programs might show another one of them than we read.
                raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(duplicates[0]))
            manifest = _read_manifest(archive, path)
            answers = {
                entry.key: _read_entry(archive, entry, path, partial(_parse_answer, entry))
                for entry in manifest.answers
            }
            apks = {
                entry.package: _read_entry(archive, entry, path, partial(load_apk_parts, entry.package))
                for entry in manifest.apks
            }
            log = _read_entry(archive, manifest.log, path, load_command_log) if manifest.log is not None else ()
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
    if (misnamed := find_misnamed(manifest)) is not None:
        raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(misnamed))
    return manifest


def _read_entry(
    archive: zipfile.ZipFile, entry: AnswerEntry | ApkEntry | LogFileEntry, path: Path, parse: Callable[[bytes], T]
) -> T:
    """Return the parsed content of `entry`. Raises `SourceError` if it is missing, damaged or changed."""
    try:
        raw = _read_limited(archive, entry.file)
        if hashlib.sha256(raw).hexdigest() == entry.sha256:
            return parse(raw)
    except (KeyError, *READ_ERRORS) as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error
    raise SourceError("errors.capture_changed", path=str(path), entry=entry.file)


def _parse_answer(entry: AnswerEntry, raw: bytes) -> Answer:
    is_binary = is_binary_answer(entry.key, raw)
    return Answer(
        key=entry.key,
        state=entry.state,
        text="" if is_binary else raw.decode(),
        data=raw if is_binary else b"",
        detail=entry.detail,
        exit_code=entry.exit_code,
        translated_from=entry.translated_from,
    )


def _read_limited(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(MAX_FILE_BYTES + 1)
