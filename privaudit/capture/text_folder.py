"""Read a folder, or a zip, of text files that were saved by hand: ``adb shell dumpsys package > dumpsys_package.txt``.

Any subset is accepted. Missing files are reported as not asked.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.converters import restore_copied_text, split_package_dumps
from privaudit.capture.model import Capture
from privaudit.capture.questions import QUESTIONS, QUESTIONS_BY_NAME, is_answer_key
from privaudit.capture.redact import redact
from privaudit.capture.source_files import MAX_FILE_BYTES, READ_ERRORS, SourceFiles, open_folders, sha256_file
from privaudit.errors import SourceError
from privaudit.model import AnswerState, Source

_QUESTION_BY_FILE: Final = {one.file_stem: one for one in QUESTIONS if one.scope in {"phone", "user"}}
_BINARY_FILES: Final = {f"{question.file_stem}.pb": question.name for question in QUESTIONS if question.is_binary}
_USER_SUFFIX = re.compile(r"user([1-9]\d{0,4})", re.ASCII)
_CAPTURE_FILES: Final = (b"manifest.json", b"commands.jsonl")
"""Names in the directory of a capture zip."""
_DIRECTORY_BYTES: Final = 1 << 17
"""Where a zip's directory is: at its end."""


def recognises(path: Path) -> bool:
    """Return whether `path` is a folder, or a zip with a file of a known name."""
    try:
        with open_folders(path) as folders:
            return path.is_dir() or (_choose_folder(folders) is not None and not _is_damaged_capture(path))
    except READ_ERRORS:
        return False


def _answer_names(files: SourceFiles) -> list[str]:
    """Return the names of the files with a known name."""
    return [name for name in files.names() if parse_answer_file_name(name) is not None]


def _choose_folder(folders: Iterable[SourceFiles]) -> SourceFiles | None:
    """Return the folder with the most files of a known name; of several with the apps of a phone, none.

    They may be of several phones, and one of them must not pass for all.
    """
    candidates = [(files, _answer_names(files)) for files in folders]
    with_apps = [
        files for files, names in candidates if any("packages" in (parse_answer_file_name(n) or "") for n in names)
    ]
    if len(with_apps) > 1:
        return None
    files, names = max(candidates, key=lambda one: (one[0] in with_apps, len(one[1])), default=(None, []))
    return files if names else None


def _is_damaged_capture(path: Path) -> bool:
    """Return whether a zip was a capture: its answers have the same names, and are not read without its manifest."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _DIRECTORY_BYTES))
        directory = stream.read()
    return any(name in directory for name in _CAPTURE_FILES)


def answer_file_name(key: str) -> str:
    """Return the name of the text file for the answer `key`.

    ``pm_list_packages.txt`` is of user 0, ``pm_list_packages.user10.txt`` of user 10, ``dumpsys_package.com.x.txt`` of
    one app.
    """
    name, _, subject = key.partition(".")
    question = QUESTIONS_BY_NAME[name]
    if question.scope == "user" and subject != "0":
        return f"{question.file_stem}.user{subject}.txt"
    if question.is_binary:
        return f"{question.file_stem}.pb"
    return f"{question.file_stem}.{subject}.txt" if "package" in question.scope else f"{question.file_stem}.txt"


def parse_answer_file_name(file_name: str) -> str | None:
    """Return the answer key for a file of this name, or ``None``."""
    if file_name in _BINARY_FILES:
        return _BINARY_FILES[file_name]
    if not file_name.endswith(".txt"):
        return None
    stem, dot, subject = file_name.removesuffix(".txt").partition(".")
    question, user = _QUESTION_BY_FILE.get(stem), _USER_SUFFIX.fullmatch(subject)
    if question is not None and (user or not dot):
        if question.scope == "user":
            return f"{question.name}.{user[1] if user else 0}"
        return None if user else question.name
    name = "package" if stem == "dumpsys_package" else stem
    key = f"{name}.{subject}"
    return key if name in {"package", "appops_get"} and is_answer_key(key) else None


def read(path: Path) -> Capture:
    """Read the text files with a known name. Raises `SourceError` if there is none, or the folder cannot be listed."""
    try:
        with open_folders(path) as folders:
            files = _choose_folder(folders) or folders[0]
            names = _answer_names(files)
            answers = {answer.key: answer for name in names for answer in read_answers(files, name)}
            taken_at = files.modified_at(names)
        sha256 = None if path.is_dir() else sha256_file(path)
    except READ_ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError("errors.source_unreadable", path=str(path), reason=reason) from error
    if not answers:
        known_names = tuple(f"{stem}.txt" for stem in sorted(_QUESTION_BY_FILE))
        raise SourceError("errors.folder_without_answers", path=str(path), known=known_names)
    return Capture(answers=MappingProxyType(answers), taken_at=taken_at, source=Source(kind="folder", sha256=sha256))


def read_answers(files: SourceFiles, name: str) -> Iterator[Answer]:
    """Yield the answers in a file with a known name: more than one if it holds several dumps of packages."""
    key = parse_answer_file_name(name) or ""
    if files.is_link_outside(name) or not files.has_file(name):  # or a folder, or a pipe that never ends
        reason = "coverage.link_outside" if files.is_link_outside(name) else "coverage.not_a_file"
        yield missing_answer(key, AnswerState.UNREADABLE, coverage_message(reason))
        return
    try:
        with files.open_file(name) as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        said = error.strerror or str(error)
        yield missing_answer(key, AnswerState.UNREADABLE, coverage_message("coverage.computer_said", said=said))
        return
    answer = classify_answer(key, raw[:MAX_FILE_BYTES], exit_code=None)
    if len(raw) > MAX_FILE_BYTES:
        answer = replace(
            answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.too_long", n=MAX_FILE_BYTES >> 20)
        )
    yield from split_package_dumps(redact(restore_copied_text(_strip_collector_comments(answer))))


def _strip_collector_comments(answer: Answer) -> Answer:
    """Remove the comments that collection scripts add above the phone's output."""
    text = answer.text
    while text.startswith("# ") and "\n" in text:
        text = text.partition("\n")[2]
    return replace(answer, text=text)
