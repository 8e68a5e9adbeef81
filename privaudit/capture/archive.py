"""The capture zip: the phone's answers as text files, and a manifest that says how each came and what it hashes to.

Written to ``FILE.part`` and renamed, so that a full disk leaves no half archive. Private (mode 0600): it holds the
names of every app on the phone.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Literal

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from privaudit import __version__
from privaudit.capture import Capture, apk_parts
from privaudit.capture.answers import Answer
from privaudit.capture.folder import LARGEST_FILE, file_name, key_of
from privaudit.capture.identity import Identity
from privaudit.capture.questions import is_package_name
from privaudit.errors import SourceError
from privaudit.language import tame
from privaudit.model import AnswerState, Message, Source, SourceKind

MANIFEST: Final = "manifest.json"
SCHEMA: Final = "privaudit-capture/1"
LARGEST_ARCHIVE: Final = 512 * 1024 * 1024
"""Bytes of all answers together."""
MOST_ENTRIES: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    key: str
    state: AnswerState
    detail: Message | None
    exit_code: int | None
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ApkEntry:
    package: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    schema: Literal["privaudit-capture/1"]
    tool: str
    taken_at: AwareDatetime
    source: SourceKind
    demo: bool
    answers: tuple[_Entry, ...]
    apks: tuple[_ApkEntry, ...] = ()
    phone: Identity | None = None


_MANIFEST: Final = TypeAdapter(_Manifest)

_TORN: Final = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)
"""What `zipfile` raises where a file is torn or made to harm."""


def write(capture: Capture, path: Path) -> None:
    """Write `capture` to `path`.

    Raises:
        SourceError: the file cannot be written; nothing is left behind.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        _write(capture, part)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SourceError("not_written", path=str(path), reason=error.strerror or str(error)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write(capture: Capture, part: Path) -> None:
    # Made anew: one that lies there may belong to somebody else, or point to another file.
    part.unlink(missing_ok=True)
    private = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(private, "wb") as stream:
        _fill(capture, stream)
        stream.flush()
        os.fsync(stream.fileno())


def _fill(capture: Capture, stream: BinaryIO) -> None:
    entries = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for answer in capture.answers.values():
            raw = answer.text.encode()
            entry = _Entry(
                key=answer.key,
                state=answer.state,
                detail=answer.detail,
                exit_code=answer.exit_code,
                file=file_name(answer.key),
                sha256=hashlib.sha256(raw).hexdigest(),
            )
            entries.append(entry)
            archive.writestr(entry.file, raw)
        named = []
        for apk in capture.apks.values():
            parts = apk_parts.dump(apk)
            named.append(
                _ApkEntry(package=apk.package, file=_apk_file(apk.package), sha256=hashlib.sha256(parts).hexdigest())
            )
            archive.writestr(named[-1].file, parts)
        manifest = _Manifest(
            schema=SCHEMA,
            tool=__version__,
            taken_at=capture.taken_at,
            source=capture.source.kind,
            demo=capture.demo,
            answers=tuple(entries),
            apks=tuple(named),
            phone=capture.identity,
        )
        archive.writestr(MANIFEST, _MANIFEST.dump_json(manifest, indent=1))


def recognises(path: Path) -> bool:
    """Whether `path` is a zip with our manifest."""
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except _TORN:
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
                raise SourceError("capture_too_large", path=str(path))
            if twice := [name for name, times in Counter(archive.namelist()).items() if times > 1]:
                # Other programs would show the one, and we read the other.
                raise SourceError("capture_damaged", path=str(path), entry=tame(twice[0]))
            manifest = _manifest(archive, path)
            answers = {entry.key: _answer(archive, entry, path) for entry in manifest.answers}
            apks = {entry.package: _apk(archive, entry, path) for entry in manifest.apks}
    except _TORN as error:
        raise SourceError("source_unreadable", path=str(path), reason=str(error)) from error
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType(apks),
        identity=manifest.phone,
        taken_at=manifest.taken_at,
        source=Source(kind="demo" if manifest.demo else "capture", sha256=_sha256(path)),
        demo=manifest.demo,
    )


def _manifest(archive: zipfile.ZipFile, path: Path) -> _Manifest:
    try:
        manifest = _MANIFEST.validate_json(_bytes(archive, MANIFEST))
    except (KeyError, ValidationError, *_TORN) as error:
        raise SourceError("capture_damaged", path=str(path), entry=MANIFEST) from error
    keys = Counter(entry.key for entry in manifest.answers)
    for entry in manifest.answers:
        # Both ways round: no key but the one that we would write gives this name.
        if keys[entry.key] > 1 or key_of(entry.file) != entry.key or file_name(entry.key) != entry.file:
            raise SourceError("capture_damaged", path=str(path), entry=tame(entry.key))
    packages = Counter(entry.package for entry in manifest.apks)
    for named in manifest.apks:
        if packages[named.package] > 1 or not is_package_name(named.package) or named.file != _apk_file(named.package):
            raise SourceError("capture_damaged", path=str(path), entry=tame(named.package))
    return manifest


def _apk_file(package: str) -> str:
    return f"apks/{package}.parts"


def _apk(archive: zipfile.ZipFile, entry: _ApkEntry, path: Path) -> apk_parts.Apk:
    try:
        raw = _bytes(archive, entry.file)
        if hashlib.sha256(raw).hexdigest() != entry.sha256:
            raise SourceError("capture_changed", path=str(path), entry=entry.file)
        return apk_parts.load(entry.package, raw)
    except (KeyError, *_TORN) as error:
        raise SourceError("capture_damaged", path=str(path), entry=entry.file) from error


def _answer(archive: zipfile.ZipFile, entry: _Entry, path: Path) -> Answer:
    try:
        raw = _bytes(archive, entry.file)
        text = raw.decode()
    except (KeyError, *_TORN) as error:
        raise SourceError("capture_damaged", path=str(path), entry=entry.file) from error
    if hashlib.sha256(raw).hexdigest() != entry.sha256:
        raise SourceError("capture_changed", path=str(path), entry=entry.file)
    return Answer(key=entry.key, state=entry.state, text=text, detail=entry.detail, exit_code=entry.exit_code)


def _bytes(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(LARGEST_FILE + 1)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
