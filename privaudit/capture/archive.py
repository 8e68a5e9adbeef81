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
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

from privaudit import __version__
from privaudit.apk import parts as apk_parts
from privaudit.atomic_write import replacing
from privaudit.capture import Capture, command_log
from privaudit.capture.answers import Answer
from privaudit.capture.manifest import (
    LOG,
    SCHEMA,
    ApkEntry,
    Entry,
    LogEntry,
    Manifest,
    apk_file,
    dump,
    load,
    misnamed,
)
from privaudit.capture.redact import REMOVED
from privaudit.capture.text_folder import LARGEST_FILE, file_name
from privaudit.errors import SourceError
from privaudit.i18n import tame
from privaudit.model import Source

_BEGINNING: Final = b"PK\3\4"
MANIFEST: Final = "manifest.json"
LARGEST_ARCHIVE: Final = 512 * 1024 * 1024
"""Bytes of all answers together."""
MOST_ENTRIES: Final = 5000


TORN: Final = (
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


def write(capture: Capture, path: Path) -> None:
    """Write `capture` to `path`.

    Raises:
        SourceError: the file cannot be written; nothing is left behind.
    """
    with replacing(path) as stream:
        _fill(capture, stream)


def _fill(capture: Capture, stream: BinaryIO) -> None:
    entries = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for answer in capture.answers.values():
            raw = answer.text.encode()
            entry = Entry(
                key=answer.key,
                state=answer.state,
                detail=answer.detail,
                exit_code=answer.exit_code,
                file=file_name(answer.key),
                sha256=hashlib.sha256(raw).hexdigest(),
                translated_from=answer.translated_from,
                removed=answer.text.count(REMOVED),
            )
            entries.append(entry)
            archive.writestr(entry.file, raw)
        named = []
        for apk in capture.apks.values():
            parts = apk_parts.dump(apk)
            named.append(
                ApkEntry(package=apk.package, file=apk_file(apk.package), sha256=hashlib.sha256(parts).hexdigest())
            )
            archive.writestr(named[-1].file, parts)
        log = command_log.dump(capture.log)
        if log:
            archive.writestr(LOG, log)
        manifest = Manifest(
            schema=SCHEMA,
            tool=__version__,
            taken_at=capture.taken_at,
            source=capture.source.kind,
            demo=capture.demo,
            answers=tuple(entries),
            apks=tuple(named),
            log=LogEntry(file=LOG, sha256=hashlib.sha256(log).hexdigest()) if log else None,
            phone=capture.identity,
        )
        archive.writestr(MANIFEST, dump(manifest))


def recognises(path: Path) -> bool:
    """Whether `path` is a zip with our manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except TORN:
        return False


def is_cut(path: Path) -> bool:
    """Whether `path` begins as a zip and does not end as one: a copy that was broken off."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING and not zipfile.is_zipfile(file)
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
            if len(inside) > MOST_ENTRIES or sum(entry.file_size for entry in inside) > LARGEST_ARCHIVE:
                raise SourceError("errors.capture_too_large", path=str(path))
            if twice := [name for name, times in Counter(archive.namelist()).items() if times > 1]:
                # Other programs would show the one, and we read the other.
                raise SourceError("errors.capture_damaged", path=str(path), entry=tame(twice[0]))
            manifest = _manifest(archive, path)
            answers = {entry.key: _answer(archive, entry, path) for entry in manifest.answers}
            apks = {entry.package: _apk(archive, entry, path) for entry in manifest.apks}
            log = _log(archive, manifest.log, path) if manifest.log is not None else ()
    except TORN as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType(apks),
        log=log,
        identity=manifest.phone,
        taken_at=manifest.taken_at,
        source=Source(kind="demo" if manifest.demo else "capture", sha256=sha256(path)),
        demo=manifest.demo,
    )


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        manifest = load(_bytes(archive, MANIFEST))
    except (KeyError, *TORN) as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=MANIFEST) from error
    if (wrong := misnamed(manifest)) is not None:
        raise SourceError("errors.capture_damaged", path=str(path), entry=tame(wrong))
    return manifest


def _apk(archive: zipfile.ZipFile, entry: ApkEntry, path: Path) -> apk_parts.Apk:
    raw = _checked(archive, entry, path)
    try:
        return apk_parts.load(entry.package, raw)
    except ValueError as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error


def _log(archive: zipfile.ZipFile, entry: LogEntry, path: Path) -> tuple[command_log.Asked, ...]:
    raw = _checked(archive, entry, path)
    try:
        return command_log.load(raw)
    except ValueError as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error


def _answer(archive: zipfile.ZipFile, entry: Entry, path: Path) -> Answer:
    raw = _checked(archive, entry, path)
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


def _checked(archive: zipfile.ZipFile, entry: Entry | ApkEntry | LogEntry, path: Path) -> bytes:
    """The content of `entry`, if it is what was written."""
    try:
        raw = _bytes(archive, entry.file)
    except (KeyError, *TORN) as error:
        raise SourceError("errors.capture_damaged", path=str(path), entry=entry.file) from error
    if hashlib.sha256(raw).hexdigest() != entry.sha256:
        raise SourceError("errors.capture_changed", path=str(path), entry=entry.file)
    return raw


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(LARGEST_FILE + 1)


def sha256(path: Path) -> str:
    """Of the file at `path`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
