"""Read a folder or zip that AndroidQF collected (https://github.com/mvt-project/androidqf), unencrypted.

Its layout, from its source: ``acquisition.json`` (the time), ``getprop.txt``, ``dumpsys.txt`` (a ``dumpsys`` of all
services), ``settings_secure.txt``, ``packages.json``, since 2026 ``package_users.json``, and ``bugreport.zip``. Older
versions wrote a folder, newer ones write a zip; an encrypted one is a file of ``age``. ``acquisition.json`` is written
last: where AndroidQF was interrupted it is missing. Its other files (backups, logs, files of the phone) are never
opened.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from privaudit.apk.parts import ApkParts
from privaudit.capture import bugreport, converters
from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.bugreport_sections import BugreportSections, split_sections
from privaudit.capture.model import Capture
from privaudit.capture.scripts import is_apk_path
from privaudit.capture.source_files import MAX_FILE_BYTES, READ_ERRORS, SourceFiles, open_folders, sha256_file
from privaudit.capture.text_folder import parse_answer_file_name, read_answers
from privaudit.errors import SourceError
from privaudit.model import AnswerState, Source

ACQUISITION_FILE: Final = "acquisition.json"
_DUMPSYS_FILE, _BUGREPORT_FILE = "dumpsys.txt", "bugreport.zip"
_PACKAGES_FILE, _PACKAGE_USERS_FILE = "packages.json", "package_users.json"
_MARKERS: Final = {_DUMPSYS_FILE: b"DUMP OF SERVICE ", _PACKAGES_FILE: b'"third_party"'}
"""Files that tell an interrupted acquisition from other folders → bytes near their beginning."""
_SNIFFED_BYTES: Final = 1 << 16
_AGE_HEADERS: Final = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")


def recognises(path: Path) -> bool:
    """Return whether `path` is AndroidQF's output, or a file of ``age``, which it uses for encryption."""
    try:
        with open_folders(path) as folders:
            return _find_acquisition(folders) is not None or _is_encrypted(path)
    except READ_ERRORS:
        return False


def read(path: Path) -> Capture:
    """Read AndroidQF's output. Raises `SourceError` if it is encrypted, damaged, too large, or has no known file."""
    try:
        if _is_encrypted(path):
            raise SourceError("errors.androidqf_encrypted", path=str(path), plain=path.name.removesuffix(".age"))
        with open_folders(path) as folders:
            return _assemble_capture(_find_acquisition(folders) or folders[0], path)
    except READ_ERRORS as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=str(error)) from error


def _is_encrypted(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(64).startswith(_AGE_HEADERS)


def _find_acquisition(folders: Iterable[SourceFiles]) -> SourceFiles | None:
    complete = (files for files in folders if files.has_file(ACQUISITION_FILE))
    return next(complete, None) or next(filter(_is_interrupted, folders), None)


def _is_interrupted(files: SourceFiles) -> bool:
    for name, marker in _MARKERS.items():
        if files.has_file(name):
            with files.open_file(name) as stream:
                # Windows PowerShell saves redirected output as UTF-16.
                if marker in stream.read(_SNIFFED_BYTES).replace(b"\0", b""):
                    return True
    return False


def _assemble_capture(files: SourceFiles, path: Path) -> Capture:
    sections = _read_dumpsys(files, path)
    answers: dict[str, Answer] = {answer.key: answer for answer in bugreport.answers_from_sections(sections)}
    text_files = [name for name in files.names() if parse_answer_file_name(name) is not None]
    for answer in (answer for name in text_files for answer in read_answers(files, name)):
        # The output of a command of its own is better than a section of a long dump.
        if answer.state is AnswerState.ANSWERED or answer.key not in answers:
            answers[answer.key] = answer
    rows = _load_json(files, _PACKAGES_FILE)
    answers |= {answer.key: answer for answer in _package_list_answers(files, rows)}
    dump_time = bugreport.add_clock(answers, sections)
    if not answers:
        raise SourceError("errors.androidqf_without_answers", path=str(path))
    return Capture(
        answers=MappingProxyType(answers),
        apks=MappingProxyType({apk.package: apk for apk in _hashed_apks(rows)}),
        taken_at=_acquisition_time(files)
        or dump_time
        or files.modified_at([_DUMPSYS_FILE, ACQUISITION_FILE, *text_files]),
        source=Source(kind="androidqf", sha256=None if path.is_dir() else sha256_file(path)),
    )


def _read_dumpsys(files: SourceFiles, path: Path) -> BugreportSections:
    """Read ``dumpsys.txt``; if it is missing, the bug report, which contains the same."""
    if files.has_file(_DUMPSYS_FILE):
        with files.open_file(_DUMPSYS_FILE) as stream:
            return split_sections(stream, bugreport.WANTED_SECTIONS, str(path))
    if not files.has_file(_BUGREPORT_FILE):
        return BugreportSections()
    with bugreport.open_inner_report(files, _BUGREPORT_FILE, path) as stream:
        if stream is None:
            raise SourceError("errors.bugreport_without_answers", path=str(path))
        return split_sections(stream, bugreport.WANTED_SECTIONS, str(path))


def _load_json(files: SourceFiles, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a file; ``None`` if it is missing, ``...`` if it is damaged."""
    if not files.has_file(name):
        return None
    with files.open_file(name) as stream:
        raw = stream.read(MAX_FILE_BYTES + 1)
    try:
        return json.loads(raw) if len(raw) <= MAX_FILE_BYTES else ...
    except (ValueError, RecursionError):
        return ...


def _package_list_answers(files: SourceFiles, rows: Any) -> Iterator[Answer]:  # noqa: ANN401 - JSON
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


def _acquisition_time(files: SourceFiles) -> datetime | None:
    document = _load_json(files, ACQUISITION_FILE)
    try:
        started = datetime.fromisoformat(document["started"]) if isinstance(document, dict) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # Go writes the year 1 for a missing time.
    return started if started is not None and started.tzinfo is not None and started.year > 2000 else None  # noqa: PLR2004
