"""A folder or zip that AndroidQF collected (https://github.com/mvt-project/androidqf), plain.

Its layout, from its own source: ``acquisition.json`` (when), ``getprop.txt``, ``dumpsys.txt`` (a ``dumpsys`` of all
services), ``settings_secure.txt``, ``packages.json``, since 2026 ``package_users.json``, and ``bugreport.zip``. Older
versions wrote a folder, newer ones a zip; an encrypted one is a file of ``age``. What it holds beside (backups, logs,
files of the phone) is never opened.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final

from privaudit.apk.parts import ApkParts
from privaudit.capture import bugreport, converters
from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.archive import READ_ERRORS, sha256_file
from privaudit.capture.bugreport_sections import BugreportSections, split_sections
from privaudit.capture.model import Capture
from privaudit.capture.redact import redact
from privaudit.capture.scripts import is_apk_path
from privaudit.capture.text_folder import MAX_FILE_BYTES
from privaudit.errors import SourceError
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import AnswerState, Source

ACQUISITION_FILE: Final = "acquisition.json"
MAX_ENTRIES: Final = 100_000

_DUMPSYS_FILE, _PACKAGES_FILE, _PACKAGE_USERS_FILE, _BUGREPORT_FILE = (
    "dumpsys.txt",
    "packages.json",
    "package_users.json",
    "bugreport.zip",
)
_TEXT_FILES: Final = {"getprop.txt": "properties", "settings_secure.txt": "settings.0"}
_KNOWN_FILES: Final = frozenset(
    {ACQUISITION_FILE, _DUMPSYS_FILE, _PACKAGES_FILE, _PACKAGE_USERS_FILE, _BUGREPORT_FILE, *_TEXT_FILES}
)
_AGE_HEADERS: Final = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")


def recognises(path: Path) -> bool:
    """Whether `path` is what AndroidQF collected, or a file of ``age``, as it encrypts."""
    try:
        if path.is_dir():
            return (path / ACQUISITION_FILE).is_file()
        if _is_encrypted(path):
            return True
        with zipfile.ZipFile(path) as archive:
            return _find_prefix(archive) is not None
    except READ_ERRORS:
        return False


def read(path: Path) -> Capture:
    """Read what AndroidQF collected.

    Raises:
        SourceError: encrypted, torn, larger than any real one, or without any file that we know.
    """
    try:
        if path.is_dir():
            return _assemble_capture(_FolderFiles(path), path)
        if _is_encrypted(path):
            raise SourceError("errors.androidqf_encrypted", path=str(path), plain=path.name.removesuffix(".age"))
        with zipfile.ZipFile(path) as archive:
            return _assemble_capture(_open_zip(archive, path), path)
    except READ_ERRORS as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error


def _is_encrypted(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(64).startswith(_AGE_HEADERS)


# --- where the files lie ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _FolderFiles:
    path: Path

    def has_file(self, name: str) -> bool:
        return (self.path / name).is_file()

    def open_file(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return (self.path / name).open("rb")

    def modified_at(self) -> datetime:
        return datetime.fromtimestamp((self.path / ACQUISITION_FILE).stat().st_mtime, UTC)


@dataclass(frozen=True, slots=True)
class _ZipFiles:
    archive: zipfile.ZipFile
    prefix: str
    path: Path

    def has_file(self, name: str) -> bool:
        return self.prefix + name in self.archive.NameToInfo

    @contextmanager
    def open_file(self, name: str) -> Iterator[IO[bytes]]:
        with self.archive.open(self.prefix + name) as stream:
            yield stream

    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)


def _find_prefix(archive: zipfile.ZipFile) -> str | None:
    """The folder inside the zip, where somebody zipped one: ``""`` or ``NAME/``."""
    names = [name for name in archive.NameToInfo if name == ACQUISITION_FILE or name.endswith(f"/{ACQUISITION_FILE}")]
    nearest = min(names, key=lambda name: (name.count("/"), name), default=None)
    return None if nearest is None or nearest.count("/") > 1 else nearest.removesuffix(ACQUISITION_FILE)


def _open_zip(archive: zipfile.ZipFile, path: Path) -> _ZipFiles:
    if len(archive.infolist()) > MAX_ENTRIES:
        raise SourceError("errors.capture_too_large", path=str(path))
    base = _find_prefix(archive) or ""
    twice = [
        name
        for name, times in Counter(archive.namelist()).items()
        if times > 1 and name.removeprefix(base) in _KNOWN_FILES
    ]
    if twice:
        # Other programs would show the one, and we read the other.
        raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(twice[0]))
    return _ZipFiles(archive, base, path)


# --- what they hold ---------------------------------------------------------------------------------------------------


def _assemble_capture(files: _FolderFiles | _ZipFiles, path: Path) -> Capture:
    report = _read_dumpsys(files, path)
    answers: dict[str, Answer] = {answer.key: answer for answer in bugreport.answers_from_sections(report)}
    for name, key in _TEXT_FILES.items():
        if files.has_file(name):
            own = redact(_read_text(files, name, key))
            # What it asked for by itself is better than a part of a long dump.
            if own.state is AnswerState.ANSWERED or key not in answers:
                answers[key] = own
    rows = _load_json(files, _PACKAGES_FILE)
    answers |= {answer.key: answer for answer in _package_list_answers(files, rows)}
    when = bugreport.dump_time(report, answers.get("properties") or missing_answer("properties"))
    if when is not None:
        answers["clock"] = bugreport.clock_answer(when)
    if not answers:
        raise SourceError("errors.androidqf_without_answers", path=str(path))
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType({apk.package: apk for apk in _hashed_apks(rows)}),
        taken_at=_acquisition_time(files) or when or files.modified_at(),
        source=Source(kind="androidqf", sha256=None if path.is_dir() else sha256_file(path)),
        demo=False,
    )


def _read_dumpsys(files: _FolderFiles | _ZipFiles, path: Path) -> BugreportSections:
    """``dumpsys.txt``; where it is not there, the bug report, which holds the same."""
    if files.has_file(_DUMPSYS_FILE):
        with files.open_file(_DUMPSYS_FILE) as stream:
            return split_sections(stream, bugreport.WANTED_SECTIONS, str(path))
    if not files.has_file(_BUGREPORT_FILE):
        return BugreportSections()
    with files.open_file(_BUGREPORT_FILE) as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise SourceError("errors.capture_too_large", path=str(path))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, bugreport.open_zipped_text(archive, path) as stream:
        return split_sections(stream, bugreport.WANTED_SECTIONS, str(path))


def _read_text(files: _FolderFiles | _ZipFiles, name: str, key: str) -> Answer:
    with files.open_file(name) as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    answer = classify_answer(key, raw[:MAX_FILE_BYTES], exit_code=None)
    if len(raw) > MAX_FILE_BYTES:
        return replace(
            answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.too_long", n=MAX_FILE_BYTES >> 20)
        )
    return answer


def _load_json(files: _FolderFiles | _ZipFiles, name: str) -> Any:  # noqa: ANN401 - JSON
    """The content of a file; ``None`` where it is not there, ``...`` where it is damaged."""
    if not files.has_file(name):
        return None
    with files.open_file(name) as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    try:
        return json.loads(raw) if len(raw) <= MAX_FILE_BYTES else ...
    except (ValueError, RecursionError):
        return ...


def _package_list_answers(files: _FolderFiles | _ZipFiles, rows: Any) -> Iterator[Answer]:  # noqa: ANN401 - JSON
    try:
        every, own = converters.package_list_lines(rows) if rows is not None else ({}, {})
    except ValueError:
        yield missing_answer("installed.0", AnswerState.UNREADABLE, coverage_message("coverage.not_this_dump"))
        return
    for question, texts in (("installed", every), ("third_party", own)):
        for user, text in texts.items():
            answer = classify_answer(f"{question}.{user}", text.encode(), exit_code=None)
            yield replace(answer, translated_from=converters.PACKAGES_SOURCE)
    for user, refused in converters.incomplete_users(_load_json(files, _PACKAGE_USERS_FILE)).items():
        # A list that is not whole proves nothing of what is not in it.
        state = AnswerState.REFUSED if refused else AnswerState.UNREADABLE
        yield missing_answer(f"installed.{user}", state, None if refused else coverage_message("coverage.no_end"))


def _hashed_apks(rows: Any) -> Iterator[ApkParts]:  # noqa: ANN401 - JSON
    """SHA-256 of APKs, where the phone computed them. Their names were not asked for."""
    for row in rows if isinstance(rows, list) else ():
        name = row.get("name") if isinstance(row, dict) else None
        file = converters.base_apk(row) if isinstance(name, str) else None
        if isinstance(name, str) and file is not None and file[1] is not None and is_apk_path(file[0]):
            yield ApkParts(package=name, path=file[0], state=AnswerState.NOT_ASKED, sha256=file[1])


def _acquisition_time(files: _FolderFiles | _ZipFiles) -> datetime | None:
    said = _load_json(files, ACQUISITION_FILE)
    try:
        when = datetime.fromisoformat(said["started"]) if isinstance(said, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # Go writes the year 1 where nothing was set.
    return when if when is not None and when.tzinfo is not None and when.year > 2000 else None  # noqa: PLR2004
