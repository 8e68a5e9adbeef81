"""Read an Android bug report: text (``adb bugreport`` up to Android 6) or the zip that phones write since Android 7.

Also that zip unpacked to a folder, or inside another zip, as MIUI hands it out.

It contains a complete ``dumpsys package``, which does not list requested permissions, and no package list; what it
lacks is reported as not asked. AOSP: ``frameworks/native/cmds/dumpstate/dumpstate.cpp``. In the zip, ``main_entry.txt``
names the text file (``Dumpstate::FinishZipFile``); some vendors omit it.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import IO, Final
from zoneinfo import ZoneInfo

from privaudit.capture import converters, source_files
from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.bugreport_sections import PROPERTIES_SECTION, BugreportSections, Section, split_sections
from privaudit.capture.model import Capture
from privaudit.capture.redact import redact
from privaudit.capture.source_files import READ_ERRORS, SourceFiles
from privaudit.capture.text_folder import parse_answer_file_name
from privaudit.errors import SourceError
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
_DUMPSTATE_LINE = re.compile(rb"^== dumpstate: \d{4}-\d\d-\d\d", re.MULTILINE)
_SNIFFED_BYTES: Final = 1 << 16
"""Bytes at the start that must contain the header."""
_MAX_NAME_BYTES: Final = 1024
_TEXT_SUFFIXES: Final = (".txt", ".log")
_MAX_CANDIDATES: Final = 16
"""Text files that are examined without `MAIN_ENTRY_FILE`, and zips inside a zip."""

_TIMEZONE_PROPERTY = re.compile(r"^\[persist\.sys\.timezone\]: \[([A-Za-z0-9_+/-]{1,64})\]$", re.MULTILINE | re.ASCII)
_MAX_REPORT_DURATION: Final = timedelta(hours=1)
"""A report takes minutes. The end time of a dump that is later, or before the header's time, is ignored."""


def recognises(path: Path) -> bool:
    """Return whether `path` is a text file with the header of a bug report, or a folder or zip that contains one."""
    try:
        with _open_report(path) as stream:
            is_named = path.is_dir() or zipfile.is_zipfile(path)
            return stream is not None and (is_named or _has_dumpstate_header(stream))
    except READ_ERRORS:
        return False


def read(path: Path) -> Capture:
    """Read a bug report. Raises `SourceError` if it is damaged, too large, or has no known section."""
    try:
        with _open_report(path) as stream:
            sections = BugreportSections() if stream is None else split_sections(stream, WANTED_SECTIONS, str(path))
        modified_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        digest = None if path.is_dir() else source_files.sha256_file(path)
    except READ_ERRORS as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error
    answers = {answer.key: answer for answer in answers_from_sections(sections)}
    if not answers:
        raise SourceError("errors.bugreport_without_answers", path=str(path))
    time = add_clock(answers, sections)
    return Capture(
        answers=MappingProxyType(answers), taken_at=time or modified_at, source=Source(kind="bugreport", sha256=digest)
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
    answer = converters.restore_copied_text(classify_answer(key, section.raw, exit_code=None))
    if section.timed_out:
        return replace(answer, state=AnswerState.TIMED_OUT, detail=coverage_message("coverage.no_end"))
    if answer.state is AnswerState.ANSWERED and not section.complete:
        return replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.no_end"))
    if section.too_long:
        problem = coverage_message("coverage.too_long", n=source_files.MAX_FILE_BYTES >> 20)
        return replace(answer, state=AnswerState.UNREADABLE, detail=problem)
    return answer


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


def add_clock(answers: dict[str, Answer], sections: BugreportSections) -> datetime | None:
    """Add the phone's clock as ``date +%s`` prints it. Return its time: when app-ops were dumped, else the start.

    The ages in app-ops count from the dump. ``None``: both are unknown, or the time zone of these local times.
    """
    appops = sections.sections.get("appops")
    started = _parse_local_time(sections.started_at)
    ended = _parse_local_time(appops.ended_at if appops is not None and appops.trusted else None)
    if started is not None and ended is not None and not started <= ended <= started + _MAX_REPORT_DURATION:
        ended = None
    local_time, zone = ended or started, _device_time_zone(answers.get("properties"))
    if local_time is None or zone is None:
        return None
    time = local_time.replace(tzinfo=zone)
    clock = classify_answer("clock", f"{int(time.astimezone(UTC).timestamp())}\n".encode(), exit_code=None)
    answers["clock"] = replace(clock, translated_from="dumpstate")
    return time


def _device_time_zone(properties: Answer | None) -> ZoneInfo | None:
    match = _TIMEZONE_PROPERTY.search(properties.text) if properties is not None else None
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
def _open_report(path: Path) -> Iterator[IO[bytes] | None]:
    """Open the text of a bug report; ``None`` if there is none."""
    with source_files.open_folders(path) as folders, ExitStack() as stack:
        if not folders and path.is_file():
            yield stack.enter_context(path.open("rb"))
            return
        entry = _find_text(folders)
        if entry is None and (inner := _find_inner_report(folders, path)) is not None:
            entry = _find_text(stack.enter_context(source_files.open_inner_zip(*inner, path)))
        yield None if entry is None else stack.enter_context(entry[0].open_file(entry[1]))


@contextmanager
def open_inner_report(files: SourceFiles, name: str, path: Path) -> Iterator[IO[bytes] | None]:
    """Open the text of a zipped bug report among `files`; ``None`` if it has none. `path` is for errors."""
    with source_files.open_inner_zip(files, name, path) as folders, ExitStack() as stack:
        entry = _find_text(folders)
        yield None if entry is None else stack.enter_context(entry[0].open_file(entry[1]))


def _find_inner_report(folders: Iterable[SourceFiles], path: Path) -> tuple[SourceFiles, str] | None:
    """Return the only zip among the files that contains a bug report; of several, none."""
    zips = [(files, name) for files in folders for name in files.names() if name.endswith(".zip") and "/" not in name]
    reports = []
    for files, name in zips[:_MAX_CANDIDATES]:
        if files.has_file(name):
            with source_files.open_inner_zip(files, name, path) as inner:
                reports += [(files, name)] if _find_text(inner) is not None else []
    return reports[0] if len(reports) == 1 else None


def _find_text(folders: Iterable[SourceFiles]) -> tuple[SourceFiles, str] | None:
    """Return the report's text file."""
    return next(((files, name) for files in folders if (name := _find_text_file(files)) is not None), None)


def _find_text_file(files: SourceFiles) -> str | None:
    names = files.names()
    if files.has_file(MAIN_ENTRY_FILE):
        with files.open_file(MAIN_ENTRY_FILE) as stream:
            main_entry = stream.read(_MAX_NAME_BYTES).decode("utf-8", "replace").strip()
        if main_entry in names and main_entry != MAIN_ENTRY_FILE and files.has_file(main_entry):
            return main_entry
    if any((parse_answer_file_name(name) or "").startswith("package") for name in names):
        return None  # dumps that were saved one by one; a report beside them says the same
    candidates = [name for name in names if name.endswith(_TEXT_SUFFIXES) and "/" not in name]
    for name in filter(files.has_file, candidates[:_MAX_CANDIDATES]):
        with files.open_file(name) as stream:
            if _has_dumpstate_header(stream):
                return name
    return None


def _has_dumpstate_header(stream: IO[bytes]) -> bool:
    beginning = stream.read(_SNIFFED_BYTES)
    return _DUMPSTATE_LINE.search(beginning) is not None or "== dumpstate: ".encode("utf-16-le") in beginning
