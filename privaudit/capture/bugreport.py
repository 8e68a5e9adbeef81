"""An Android bug report, as text (``adb bugreport`` up to Android 6) or as the zip that phones make since Android 7.

It holds a whole ``dumpsys package``, which does not say what an app requests, and no list of packages; what it lacks is
reported as not asked. AOSP: ``frameworks/native/cmds/dumpstate/dumpstate.cpp``. In the zip, ``main_entry.txt`` names
the text (``Dumpstate::FinishZipFile``); makers that leave it out put their text beside it.
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
"""Parts of which answers are made."""

_TIMEZONE_PROPERTY = re.compile(r"^\[persist\.sys\.timezone\]: \[([A-Za-z0-9_+/-]{1,64})\]$", re.MULTILINE | re.ASCII)
_MAX_REPORT_DURATION: Final = timedelta(hours=1)
"""Making one takes minutes. A dump that says it ended later, or before the head, is not believed."""


def answers_from_sections(sections: BugreportSections) -> Iterator[Answer]:
    """What `sections` answers. A part that is not there was not asked for."""
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
    whole = _section_answer(f"{_SETTINGS_SERVICE}.0", section)
    by_user = converters.secure_settings_lines(whole.text)
    if by_user is None:
        yield missing_answer(whole.key, AnswerState.UNREADABLE, coverage_message("coverage.framing"))
    elif not by_user:
        if whole.state is AnswerState.ANSWERED:
            whole = replace(whole, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.not_this_dump"))
        yield replace(whole, text="")  # nothing in it is known to be ours to keep
    for user, text in (by_user or {}).items():
        one = replace(whole, key=f"{_SETTINGS_SERVICE}.{user}", text=text, translated_from=converters.SETTINGS_SOURCE)
        yield redact(one)


def dump_time(sections: BugreportSections, properties: Answer) -> datetime | None:
    """When app-ops were dumped, with the phone's zone; else when the report was begun. ``None``: neither is known.

    Both are local times of the phone, so its properties must tell the zone. The ages that app-ops tell are counted
    from the dump.
    """
    zone = _device_time_zone(properties)
    appops = sections.sections.get("appops")
    begun = _parse_local_time(sections.started_at)
    ended = _parse_local_time(appops.ended_at if appops is not None and appops.trusted else None)
    if begun is not None and ended is not None and not begun <= ended <= begun + _MAX_REPORT_DURATION:
        ended = None
    said = ended or begun
    return said.replace(tzinfo=zone) if said is not None and zone is not None else None


def clock_answer(when: datetime) -> Answer:
    """The phone's clock as ``date +%s`` would have told it."""
    answer = classify_answer("clock", f"{int(when.astimezone(UTC).timestamp())}\n".encode(), exit_code=None)
    return replace(answer, translated_from="dumpstate")


def _device_time_zone(properties: Answer) -> ZoneInfo | None:
    match = _TIMEZONE_PROPERTY.search(properties.text)
    try:
        return ZoneInfo(match[1]) if match else None
    except (KeyError, ValueError, OSError):
        return None


def _parse_local_time(printed: str | None) -> datetime | None:
    try:
        return datetime.strptime(printed, "%Y-%m-%d %H:%M:%S") if printed else None  # noqa: DTZ007 - the zone comes later
    except ValueError:
        return None


MAIN_ENTRY_FILE: Final = "main_entry.txt"
MAX_ENTRIES: Final = 20_000

_DUMPSTATE_LINE = re.compile(rb"^== dumpstate: \d{4}-\d\d-\d\d", re.MULTILINE)
_SNIFFED_BYTES: Final = 1 << 16
"""Bytes at the start in which the head must stand."""
_MAX_NAME_BYTES: Final = 1024
_TEXT_SUFFIXES: Final = (".txt", ".log")
_MAX_CANDIDATES: Final = 16
"""Texts of a zip without `MAIN_ENTRY_FILE` that are looked into."""


def recognises(path: Path) -> bool:
    """Whether `path` is a text with the head of a bug report, or a zip with one in it."""
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
        SourceError: torn, larger than any real one, or without any part that we know.
    """
    try:
        with _open_text(path) as stream:
            report = split_sections(stream, WANTED_SECTIONS, str(path))
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        digest = sha256_file(path)
    except READ_ERRORS as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error
    capture = capture_from_sections(report, written)
    if not capture.answers.keys() - {"clock"}:
        raise SourceError("errors.bugreport_without_answers", path=str(path))
    return replace(capture, source=Source(kind="bugreport", sha256=digest))


def capture_from_sections(sections: BugreportSections, modified_at: datetime) -> Capture:
    """What `sections` answers, and when it was made: by the phone's clock where its zone is known, else `modified_at`."""
    answers: dict[str, Answer] = {answer.key: answer for answer in answers_from_sections(sections)}
    when = dump_time(sections, answers.get("properties") or missing_answer("properties"))
    if when is not None:
        answers["clock"] = clock_answer(when)
    return Capture(
        answers=MappingProxyType(answers),
        taken_at=when or modified_at,
        source=Source(kind="bugreport", sha256=None),
        demo=False,
    )


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
    """The text of a zipped bug report, opened. `path` is named in errors.

    Raises:
        SourceError: too many entries, or one that comes twice, so that other programs would read another.
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
    """Name of the entry that holds the report. Nothing is ever unpacked to a file, so a name can do no harm."""
    names = archive.namelist()
    if MAIN_ENTRY_FILE in names:
        with archive.open(MAIN_ENTRY_FILE) as stream:
            named = stream.read(_MAX_NAME_BYTES).decode("utf-8", "replace").strip()
        if named in names and named != MAIN_ENTRY_FILE:
            return named
    texts = [name for name in names if name.endswith(_TEXT_SUFFIXES) and "/" not in name]
    return next((name for name in texts[:_MAX_CANDIDATES] if _entry_is_report(archive, name)), None)


def _entry_is_report(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as stream:
        return _has_dumpstate_header(stream.read(_SNIFFED_BYTES))


def _has_dumpstate_header(start: bytes) -> bool:
    return _DUMPSTATE_LINE.search(start) is not None or "== dumpstate: ".encode("utf-16-le") in start
