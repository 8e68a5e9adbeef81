"""Read a folder or zip that AndroidQF collected (https://github.com/mvt-project/androidqf), unencrypted.

Its layout, from its source: ``acquisition.json`` (the time), ``getprop.txt``, ``dumpsys.txt`` (a ``dumpsys`` of all
services), ``settings_secure.txt``, ``packages.json``, since 2026 ``package_users.json``, and ``bugreport.zip``. Older
versions wrote a folder, newer ones write a zip; an encrypted one is a file of ``age``. Its other files (backups, logs,
files of the phone) are never opened.
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
    """Return whether `path` is AndroidQF's output, or a file of ``age``, which it uses for encryption."""
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
    """Read AndroidQF's output.

    Raises:
        SourceError: encrypted, damaged, larger than any real one, or without any known file.
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


# --- access to files --------------------------------------------------------------------------------------------------


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
    """Return the folder inside the zip: ``""``, or ``NAME/`` if a folder was zipped."""
    names = [name for name in archive.NameToInfo if name == ACQUISITION_FILE or name.endswith(f"/{ACQUISITION_FILE}")]
    topmost = min(names, key=lambda name: (name.count("/"), name), default=None)
    return None if topmost is None or topmost.count("/") > 1 else topmost.removesuffix(ACQUISITION_FILE)


def _open_zip(archive: zipfile.ZipFile, path: Path) -> _ZipFiles:
    if len(archive.infolist()) > MAX_ENTRIES:
        raise SourceError("errors.capture_too_large", path=str(path))
    prefix = _find_prefix(archive) or ""
    duplicates = [
        name
        for name, count in Counter(archive.namelist()).items()
        if count > 1 and name.removeprefix(prefix) in _KNOWN_FILES
    ]
    if duplicates:
        # Other programs might show another one of them than we read.
        raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(duplicates[0]))
    return _ZipFiles(archive, prefix, path)


# --- content ----------------------------------------------------------------------------------------------------------


def _assemble_capture(files: _FolderFiles | _ZipFiles, path: Path) -> Capture:
    sections = _read_dumpsys(files, path)
    answers: dict[str, Answer] = {answer.key: answer for answer in bugreport.answers_from_sections(sections)}
    for name, key in _TEXT_FILES.items():
        if files.has_file(name):
            answer = redact(_read_text(files, name, key))
            # The output of a command of its own is better than a section of a long dump.
            if answer.state is AnswerState.ANSWERED or key not in answers:
                answers[key] = answer
    rows = _load_json(files, _PACKAGES_FILE)
    answers |= {answer.key: answer for answer in _package_list_answers(files, rows)}
    dump_time = bugreport.dump_time(sections, answers.get("properties") or missing_answer("properties"))
    if dump_time is not None:
        answers["clock"] = bugreport.clock_answer(dump_time)
    if not answers:
        raise SourceError("errors.androidqf_without_answers", path=str(path))
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType({apk.package: apk for apk in _hashed_apks(rows)}),
        taken_at=_acquisition_time(files) or dump_time or files.modified_at(),
        source=Source(kind="androidqf", sha256=None if path.is_dir() else sha256_file(path)),
        demo=False,
    )


def _read_dumpsys(files: _FolderFiles | _ZipFiles, path: Path) -> BugreportSections:
    """Read ``dumpsys.txt``; if it is missing, the bug report, which contains the same."""
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
    """Return the content of a file; ``None`` if it is missing, ``...`` if it is damaged."""
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
        installed, third_party = converters.package_list_lines(rows) if rows is not None else ({}, {})
    except ValueError:
        yield missing_answer("installed.0", AnswerState.UNREADABLE, coverage_message("coverage.not_this_dump"))
        return
    for question, text_by_user in (("installed", installed), ("third_party", third_party)):
        for user, text in text_by_user.items():
            answer = classify_answer(f"{question}.{user}", text.encode(), exit_code=None)
            yield replace(answer, translated_from=converters.PACKAGES_SOURCE)
    for user, is_refused in converters.incomplete_users(_load_json(files, _PACKAGE_USERS_FILE)).items():
        # An incomplete list does not prove that an app is absent.
        state = AnswerState.REFUSED if is_refused else AnswerState.UNREADABLE
        yield missing_answer(f"installed.{user}", state, None if is_refused else coverage_message("coverage.no_end"))


def _hashed_apks(rows: Any) -> Iterator[ApkParts]:  # noqa: ANN401 - JSON
    """Yield the APKs with a SHA-256 that the phone computed. Their labels are not in AndroidQF's output."""
    for row in rows if isinstance(rows, list) else ():
        package = row.get("name") if isinstance(row, dict) else None
        apk = converters.base_apk(row) if isinstance(package, str) else None
        if isinstance(package, str) and apk is not None and apk[1] is not None and is_apk_path(apk[0]):
            yield ApkParts(package=package, path=apk[0], state=AnswerState.NOT_ASKED, sha256=apk[1])


def _acquisition_time(files: _FolderFiles | _ZipFiles) -> datetime | None:
    document = _load_json(files, ACQUISITION_FILE)
    try:
        started = datetime.fromisoformat(document["started"]) if isinstance(document, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # Go writes the year 1 for a missing time.
    return started if started is not None and started.tzinfo is not None and started.year > 2000 else None  # noqa: PLR2004
