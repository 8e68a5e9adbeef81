"""An Android bug report, as text (``adb bugreport`` up to Android 6) or as the zip that phones make since Android 7.

It holds a whole ``dumpsys package``, which does not say what an app requests, and no list of packages; what it lacks is
reported as not asked. AOSP: ``frameworks/native/cmds/dumpstate/dumpstate.cpp``. In the zip, ``main_entry.txt`` names
the text (``Dumpstate::FinishZipFile``); makers that leave it out put their text beside it.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final

from privaudit.capture import Capture, services
from privaudit.capture.answers import Answer, missing
from privaudit.capture.archive import TORN, sha256
from privaudit.capture.bugreport_sections import Report, split
from privaudit.errors import SourceError
from privaudit.i18n import tame
from privaudit.model import Source

MAIN: Final = "main_entry.txt"
MOST_ENTRIES: Final = 20_000

_HEAD = re.compile(rb"^== dumpstate: \d{4}-\d\d-\d\d", re.MULTILINE)
_LOOKED_AT: Final = 1 << 16
"""Bytes at the start in which the head must stand."""
_LONGEST_NAME: Final = 1024
_TEXT: Final = (".txt", ".log")
_TRIED: Final = 16
"""Texts of a zip without `MAIN` that are looked into."""


def recognises(path: Path) -> bool:
    """Whether `path` is a text with the head of a bug report, or a zip with one in it."""
    try:
        if not path.is_file():
            return False
        if not zipfile.is_zipfile(path):
            with path.open("rb") as stream:
                return _is_report(stream.read(_LOOKED_AT))
        with zipfile.ZipFile(path) as archive:
            return _entry(archive) is not None
    except TORN:
        return False


def read(path: Path) -> Capture:
    """Read a bug report.

    Raises:
        SourceError: torn, larger than any real one, or without any part that we know.
    """
    try:
        with _opened(path) as stream:
            report = split(stream, services.WANTED, str(path))
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        digest = sha256(path)
    except TORN as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error
    capture = captured(report, written)
    if not capture.answers.keys() - {"clock"}:
        raise SourceError("errors.bugreport_without_answers", path=str(path))
    return replace(capture, source=Source(kind="bugreport", sha256=digest))


def captured(report: Report, written: datetime) -> Capture:
    """What `report` answers, and when it was made: by the phone's clock where its zone is known, else `written`."""
    answers: dict[str, Answer] = {answer.key: answer for answer in services.answers(report)}
    when = services.moment(report, answers.get("properties") or missing("properties"))
    if when is not None:
        answers["clock"] = services.clock(when)
    return Capture(
        answers=MappingProxyType(answers),
        taken_at=when or written,
        source=Source(kind="bugreport", sha256=None),
        demo=False,
    )


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, text_of(archive, path) as stream:
        yield stream


@contextmanager
def text_of(archive: zipfile.ZipFile, path: Path) -> Iterator[IO[bytes]]:
    """The text of a zipped bug report, opened. `path` is named in errors.

    Raises:
        SourceError: too many entries, or one that comes twice, so that other programs would read another.
    """
    names = archive.namelist()
    if len(names) > MOST_ENTRIES:
        raise SourceError("errors.capture_too_large", path=str(path))
    name = _entry(archive)
    if name is None:
        raise SourceError("errors.bugreport_without_answers", path=str(path))
    if Counter(names)[name] > 1 or Counter(names)[MAIN] > 1:
        raise SourceError("errors.capture_damaged", path=str(path), entry=tame(name))
    with archive.open(name) as stream:
        yield stream


def _entry(archive: zipfile.ZipFile) -> str | None:
    """Name of the entry that holds the report. Nothing is ever unpacked to a file, so a name can do no harm."""
    names = archive.namelist()
    if MAIN in names:
        with archive.open(MAIN) as stream:
            named = stream.read(_LONGEST_NAME).decode("utf-8", "replace").strip()
        if named in names and named != MAIN:
            return named
    texts = [name for name in names if name.endswith(_TEXT) and "/" not in name]
    return next((name for name in texts[:_TRIED] if _begins_well(archive, name)), None)


def _begins_well(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as stream:
        return _is_report(stream.read(_LOOKED_AT))


def _is_report(start: bytes) -> bool:
    return _HEAD.search(start) is not None or "== dumpstate: ".encode("utf-16-le") in start
