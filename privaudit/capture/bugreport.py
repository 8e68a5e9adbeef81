"""Read an Android bug report: text (``adb bugreport`` up to Android 6) or the zip that phones write since Android 7.

It contains a complete ``dumpsys package``, which does not list requested permissions, and no package list; what it
lacks is reported as not asked. AOSP: ``frameworks/native/cmds/dumpstate/dumpstate.cpp``. In the zip, ``main_entry.txt``
names the text file (``Dumpstate::FinishZipFile``); some vendors omit it.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final
from zoneinfo import ZoneInfo

from privaudit.capture import converters
from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.archive import READ_ERRORS, sha256_file
from privaudit.capture.bugreport_sections import PROPERTIES_SECTION, BugreportSections, Section, split_sections
from privaudit.capture.model import Capture
from privaudit.capture.redact import redact
from privaudit.capture.text_folder import MAX_FILE_BYTES
from privaudit.errors import SourceError
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import AnswerState, Source

_SETTINGS_SERVICE: Final = "settings"
_KEY_BY_SECTION: Final[Mapping[str, str]] = {
    PROPERTIES_SECTION: "properties",
    "appops": "appops",
    "device_policy": "device_policy",
    "package": "packages",
    "role": "roles",
    "user": "users",
}
WANTED_SECTIONS: Final = frozenset({*_KEY_BY_SECTION, _SETTINGS_SERVICE})
"""The sections that contain answers."""

MAIN_ENTRY_FILE: Final = "main_entry.txt"
MAX_ENTRIES: Final = 20_000
_DUMPSTATE_LINE = re.compile(rb"^== dumpstate: \d{4}-\d\d-\d\d", re.MULTILINE)
_SNIFFED_BYTES: Final = 1 << 16
"""Bytes at the start that must contain the header."""
_MAX_NAME_BYTES: Final = 1024
_TEXT_SUFFIXES: Final = (".txt", ".log")
_MAX_CANDIDATES: Final = 16
"""Text files that are examined in a zip without `MAIN_ENTRY_FILE`."""

_TIMEZONE_PROPERTY = re.compile(r"^\[persist\.sys\.timezone\]: \[([A-Za-z0-9_+/-]{1,64})\]$", re.MULTILINE | re.ASCII)
_MAX_REPORT_DURATION: Final = timedelta(hours=1)
"""A report takes minutes. The end time of a dump that is later, or before the header's time, is ignored."""


def recognises(path: Path) -> bool:
    """Return whether `path` is a text file with the header of a bug report, or a zip that contains one."""
    try:
        if not path.is_file():
            return False
        if not zipfile.is_zipfile(path):
            with path.open("rb") as stream:
                return _has_dumpstate_header(stream.read(_SNIFFED_BYTES))
        with zipfile.ZipFile(path) as archive:
            return _find_text_entry(archive) is not None
    except READ_ERRORS:
        return False


def read(path: Path) -> Capture:
    """Read a bug report.

    Raises:
        SourceError: damaged, larger than any real one, or without any known section.
    """
    try:
        with _open_text(path) as stream:
            sections = split_sections(stream, WANTED_SECTIONS, str(path))
        modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        digest = sha256_file(path)
    except READ_ERRORS as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error
    capture = capture_from_sections(sections, modified_at)
    if not capture.answers.keys() - {"clock"}:
        raise SourceError("errors.bugreport_without_answers", path=str(path))
    return replace(capture, source=Source(kind="bugreport", sha256=digest))


def capture_from_sections(sections: BugreportSections, modified_at: datetime) -> Capture:
    """Return a capture with the time of the phone's clock if its time zone is known, else `modified_at`."""
    answers: dict[str, Answer] = {answer.key: answer for answer in answers_from_sections(sections)}
    time = dump_time(sections, answers.get("properties") or missing_answer("properties"))
    if time is not None:
        answers["clock"] = clock_answer(time)
    return Capture(
        answers=MappingProxyType(answers),
        taken_at=time or modified_at,
        source=Source(kind="bugreport", sha256=None),
        demo=False,
    )


def answers_from_sections(sections: BugreportSections) -> Iterator[Answer]:
    """Yield the answers in `sections`. A missing section counts as not asked."""
    for name, section in sections.sections.items():
        if name == _SETTINGS_SERVICE:
            yield from _settings_answers(section)
        elif name in _KEY_BY_SECTION:
            yield redact(_section_answer(_KEY_BY_SECTION[name], section))


def _section_answer(key: str, section: Section) -> Answer:
    if not section.trusted:
        return missing_answer(key, AnswerState.UNREADABLE, coverage_message("coverage.framing"))
    answer = classify_answer(key, section.raw, exit_code=None)
    problem = None
    if section.timed_out:
        answer = replace(answer, state=AnswerState.TIMED_OUT)
        problem = coverage_message("coverage.no_end")
    elif answer.state is AnswerState.ANSWERED and not section.complete:
        answer = replace(answer, state=AnswerState.UNREADABLE)
        problem = coverage_message("coverage.no_end")
    elif section.too_long:
        answer = replace(answer, state=AnswerState.UNREADABLE)
        problem = coverage_message("coverage.too_long", n=MAX_FILE_BYTES >> 20)
    return answer if problem is None else replace(answer, detail=problem)


def _settings_answers(section: Section) -> Iterator[Answer]:
    answer = _section_answer(f"{_SETTINGS_SERVICE}.0", section)
    text_by_user = converters.secure_settings_lines(answer.text)
    if text_by_user is None:
        yield missing_answer(answer.key, AnswerState.UNREADABLE, coverage_message("coverage.framing"))
    elif not text_by_user:
        if answer.state is AnswerState.ANSWERED:
            answer = replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.not_this_dump"))
        yield replace(answer, text="")  # an unknown format cannot be redacted
    for user, text in (text_by_user or {}).items():
        key = f"{_SETTINGS_SERVICE}.{user}"
        yield redact(replace(answer, key=key, text=text, translated_from=converters.SETTINGS_SOURCE))


def dump_time(sections: BugreportSections, properties: Answer) -> datetime | None:
    """Return when app-ops were dumped, else when the report was started; ``None`` if both are unknown.

    Both are local times, so that the phone's properties must contain its time zone. The ages in app-ops count from the
    dump.
    """
    zone = _device_time_zone(properties)
    appops = sections.sections.get("appops")
    started = _parse_local_time(sections.started_at)
    ended = _parse_local_time(appops.ended_at if appops is not None and appops.trusted else None)
    if started is not None and ended is not None and not started <= ended <= started + _MAX_REPORT_DURATION:
        ended = None
    local_time = ended or started
    return local_time.replace(tzinfo=zone) if local_time is not None and zone is not None else None


def clock_answer(time: datetime) -> Answer:
    """Return `time` in the format of ``date +%s``."""
    answer = classify_answer("clock", f"{int(time.astimezone(UTC).timestamp())}\n".encode(), exit_code=None)
    return replace(answer, translated_from="dumpstate")


def _device_time_zone(properties: Answer) -> ZoneInfo | None:
    match = _TIMEZONE_PROPERTY.search(properties.text)
    try:
        return ZoneInfo(match[1]) if match else None
    except (KeyError, ValueError, OSError):
        return None


def _parse_local_time(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S") if text else None  # noqa: DTZ007 - the caller adds the zone
    except ValueError:
        return None


@contextmanager
def _open_text(path: Path) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(path) as archive, open_zipped_text(archive, path) as stream:
        yield stream


@contextmanager
def open_zipped_text(archive: zipfile.ZipFile, path: Path) -> Iterator[IO[bytes]]:
    """Open the text file of a zipped bug report. `path` is for errors.

    Raises:
        SourceError: no text file, too many entries, or a duplicate entry, of which other programs may read another.
    """
    names = archive.namelist()
    if len(names) > MAX_ENTRIES:
        raise SourceError("errors.capture_too_large", path=str(path))
    name = _find_text_entry(archive)
    if name is None:
        raise SourceError("errors.bugreport_without_answers", path=str(path))
    if Counter(names)[name] > 1 or Counter(names)[MAIN_ENTRY_FILE] > 1:
        raise SourceError("errors.capture_damaged", path=str(path), entry=sanitize_text(name))
    with archive.open(name) as stream:
        yield stream


def _find_text_entry(archive: zipfile.ZipFile) -> str | None:
    """Return the name of the report's entry. Nothing is unpacked to a file, so that names cannot do harm."""
    names = archive.namelist()
    if MAIN_ENTRY_FILE in names:
        with archive.open(MAIN_ENTRY_FILE) as stream:
            main_entry = stream.read(_MAX_NAME_BYTES).decode("utf-8", "replace").strip()
        if main_entry in names and main_entry != MAIN_ENTRY_FILE:
            return main_entry
    candidates = [name for name in names if name.endswith(_TEXT_SUFFIXES) and "/" not in name]
    return next((name for name in candidates[:_MAX_CANDIDATES] if _entry_is_report(archive, name)), None)


def _entry_is_report(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as stream:
        return _has_dumpstate_header(stream.read(_SNIFFED_BYTES))


def _has_dumpstate_header(beginning: bytes) -> bool:
    return _DUMPSTATE_LINE.search(beginning) is not None or "== dumpstate: ".encode("utf-16-le") in beginning
