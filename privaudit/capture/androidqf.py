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

from privaudit.apk.parts import Apk
from privaudit.capture import Capture, bugreport, converters, services
from privaudit.capture.answers import Answer, detail, missing, receive
from privaudit.capture.archive import TORN, sha256
from privaudit.capture.bugreport_sections import Report, split
from privaudit.capture.questions import is_apk_path
from privaudit.capture.redact import redact
from privaudit.capture.text_folder import LARGEST_FILE
from privaudit.errors import SourceError
from privaudit.i18n import tame
from privaudit.model import AnswerState, Source

ACQUISITION: Final = "acquisition.json"
MOST_ENTRIES: Final = 100_000

_DUMPSYS, _PACKAGES, _USERS, _BUGREPORT = "dumpsys.txt", "packages.json", "package_users.json", "bugreport.zip"
_TEXTS: Final = {"getprop.txt": "properties", "settings_secure.txt": "settings.0"}
_READ: Final = frozenset({ACQUISITION, _DUMPSYS, _PACKAGES, _USERS, _BUGREPORT, *_TEXTS})
_ENCRYPTED: Final = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")


def recognises(path: Path) -> bool:
    """Whether `path` is what AndroidQF collected, or a file of ``age``, as it encrypts."""
    try:
        if path.is_dir():
            return (path / ACQUISITION).is_file()
        if _is_encrypted(path):
            return True
        with zipfile.ZipFile(path) as archive:
            return _base(archive) is not None
    except TORN:
        return False


def read(path: Path) -> Capture:
    """Read what AndroidQF collected.

    Raises:
        SourceError: encrypted, torn, larger than any real one, or without any file that we know.
    """
    try:
        if path.is_dir():
            return _capture(_Folder(path), path)
        if _is_encrypted(path):
            raise SourceError("errors.androidqf_encrypted", path=str(path), plain=path.name.removesuffix(".age"))
        with zipfile.ZipFile(path) as archive:
            return _capture(_zip(archive, path), path)
    except TORN as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error


def _is_encrypted(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(64).startswith(_ENCRYPTED)


# --- where the files lie ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path

    def has(self, name: str) -> bool:
        return (self.path / name).is_file()

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return (self.path / name).open("rb")

    def written(self) -> datetime:
        return datetime.fromtimestamp((self.path / ACQUISITION).stat().st_mtime, UTC)


@dataclass(frozen=True, slots=True)
class _Zip:
    archive: zipfile.ZipFile
    base: str
    path: Path

    def has(self, name: str) -> bool:
        return self.base + name in self.archive.NameToInfo

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with self.archive.open(self.base + name) as stream:
            yield stream

    def written(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)


def _base(archive: zipfile.ZipFile) -> str | None:
    """The folder inside the zip, where somebody zipped one: ``""`` or ``NAME/``."""
    names = [name for name in archive.NameToInfo if name == ACQUISITION or name.endswith(f"/{ACQUISITION}")]
    nearest = min(names, key=lambda name: (name.count("/"), name), default=None)
    return None if nearest is None or nearest.count("/") > 1 else nearest.removesuffix(ACQUISITION)


def _zip(archive: zipfile.ZipFile, path: Path) -> _Zip:
    if len(archive.infolist()) > MOST_ENTRIES:
        raise SourceError("errors.capture_too_large", path=str(path))
    base = _base(archive) or ""
    twice = [
        name for name, times in Counter(archive.namelist()).items() if times > 1 and name.removeprefix(base) in _READ
    ]
    if twice:
        # Other programs would show the one, and we read the other.
        raise SourceError("errors.capture_damaged", path=str(path), entry=tame(twice[0]))
    return _Zip(archive, base, path)


# --- what they hold ---------------------------------------------------------------------------------------------------


def _capture(files: _Folder | _Zip, path: Path) -> Capture:
    report = _dumpsys(files, path)
    answers: dict[str, Answer] = {answer.key: answer for answer in services.answers(report)}
    for name, key in _TEXTS.items():
        if files.has(name):
            own = redact(_text(files, name, key))
            # What it asked for by itself is better than a part of a long dump.
            if own.state is AnswerState.ANSWERED or key not in answers:
                answers[key] = own
    rows = _json(files, _PACKAGES)
    answers |= {answer.key: answer for answer in _lists(files, rows)}
    when = services.moment(report, answers.get("properties") or missing("properties"))
    if when is not None:
        answers["clock"] = services.clock(when)
    if not answers:
        raise SourceError("errors.androidqf_without_answers", path=str(path))
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType({apk.package: apk for apk in _hashes(rows)}),
        taken_at=_started(files) or when or files.written(),
        source=Source(kind="androidqf", sha256=None if path.is_dir() else sha256(path)),
        demo=False,
    )


def _dumpsys(files: _Folder | _Zip, path: Path) -> Report:
    """``dumpsys.txt``; where it is not there, the bug report, which holds the same."""
    if files.has(_DUMPSYS):
        with files.open(_DUMPSYS) as stream:
            return split(stream, services.WANTED, str(path))
    if not files.has(_BUGREPORT):
        return Report()
    with files.open(_BUGREPORT) as stream:
        raw = stream.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise SourceError("errors.capture_too_large", path=str(path))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, bugreport.text_of(archive, path) as stream:
        return split(stream, services.WANTED, str(path))


def _text(files: _Folder | _Zip, name: str, key: str) -> Answer:
    with files.open(name) as stream:
        raw = stream.read(LARGEST_FILE + 1)
    answer = receive(key, raw[:LARGEST_FILE], exit_code=None)
    if len(raw) > LARGEST_FILE:
        return replace(answer, state=AnswerState.UNREADABLE, detail=detail("coverage.too_long", n=LARGEST_FILE >> 20))
    return answer


def _json(files: _Folder | _Zip, name: str) -> Any:  # noqa: ANN401 - JSON
    """The content of a file; ``None`` where it is not there, ``...`` where it is damaged."""
    if not files.has(name):
        return None
    with files.open(name) as stream:
        raw = stream.read(LARGEST_FILE + 1)
    try:
        return json.loads(raw) if len(raw) <= LARGEST_FILE else ...
    except (ValueError, RecursionError):
        return ...


def _lists(files: _Folder | _Zip, rows: Any) -> Iterator[Answer]:  # noqa: ANN401 - JSON
    try:
        every, own = converters.packages(rows) if rows is not None else ({}, {})
    except ValueError:
        yield missing("installed.0", AnswerState.UNREADABLE, detail("coverage.not_this_dump"))
        return
    for question, texts in (("installed", every), ("third_party", own)):
        for user, text in texts.items():
            answer = receive(f"{question}.{user}", text.encode(), exit_code=None)
            yield replace(answer, translated_from=converters.FROM_PACKAGES)
    for user, refused in converters.failures(_json(files, _USERS)).items():
        # A list that is not whole proves nothing of what is not in it.
        state = AnswerState.REFUSED if refused else AnswerState.UNREADABLE
        yield missing(f"installed.{user}", state, None if refused else detail("coverage.no_end"))


def _hashes(rows: Any) -> Iterator[Apk]:  # noqa: ANN401 - JSON
    """SHA-256 of APKs, where the phone computed them. Their names were not asked for."""
    for row in rows if isinstance(rows, list) else ():
        name = row.get("name") if isinstance(row, dict) else None
        file = converters.base(row) if isinstance(name, str) else None
        if isinstance(name, str) and file is not None and file[1] is not None and is_apk_path(file[0]):
            yield Apk(package=name, path=file[0], state=AnswerState.NOT_ASKED, sha256=file[1])


def _started(files: _Folder | _Zip) -> datetime | None:
    said = _json(files, ACQUISITION)
    try:
        when = datetime.fromisoformat(said["started"]) if isinstance(said, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # Go writes the year 1 where nothing was set.
    return when if when is not None and when.tzinfo is not None and when.year > 2000 else None  # noqa: PLR2004
