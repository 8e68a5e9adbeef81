"""Read a folder of text files that were saved by hand: ``adb shell dumpsys package > dumpsys_package.txt``.

Any subset is accepted. Missing files are reported as not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from privaudit.capture.answers import Answer, classify_answer, coverage_message, missing_answer
from privaudit.capture.model import Capture
from privaudit.capture.questions import QUESTIONS, QUESTIONS_BY_NAME, is_answer_key
from privaudit.capture.redact import redact
from privaudit.errors import SourceError
from privaudit.model import AnswerState, Source

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""Ten times the largest dump known."""

_QUESTION_BY_FILE: Final = {one.file_stem: one.name for one in QUESTIONS if one.scope in {"phone", "user"}}
_BINARY_FILES: Final = {f"{question.file_stem}.pb": question.name for question in QUESTIONS if question.is_binary}
_USER_FILE = re.compile(r"(?P<file>\w+)\.user(?P<user>[1-9]\d{0,4})\Z", re.ASCII)


def recognises(path: Path) -> bool:
    """Return whether `path` is a folder."""
    return path.is_dir()


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
    stem, dot, suffix = file_name.rpartition(".")
    if not dot or suffix != "txt":
        return None
    if stem in _QUESTION_BY_FILE:
        question = QUESTIONS_BY_NAME[_QUESTION_BY_FILE[stem]]
        return f"{question.name}.0" if question.scope == "user" else question.name
    if (match := _USER_FILE.match(stem)) and match["file"] in _QUESTION_BY_FILE:
        question = QUESTIONS_BY_NAME[_QUESTION_BY_FILE[match["file"]]]
        return f"{question.name}.{int(match['user'])}" if question.scope == "user" else None
    question_name = "package" if stem.startswith("dumpsys_package.") else stem.partition(".")[0]
    key = f"{question_name}.{stem.partition('.')[2]}"
    return key if question_name in {"package", "appops_get"} and is_answer_key(key) else None


def read(path: Path) -> Capture:
    """Read the text files of a folder that have a known name.

    Raises:
        SourceError: the folder cannot be listed, or has no such file.
    """
    try:
        files = {key: file for file in sorted(path.iterdir()) if (key := parse_answer_file_name(file.name)) is not None}
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if not files:
        known_names = tuple(f"{stem}.txt" for stem in sorted(_QUESTION_BY_FILE))
        raise SourceError("errors.folder_without_answers", path=str(path), known=known_names)
    return Capture(
        answers=MappingProxyType({key: _read_answer_file(key, file) for key, file in files.items()}),
        taken_at=max(_modification_times(files.values())),
        source=Source(kind="folder", sha256=None),
        demo=False,
    )


def _modification_times(files: Iterable[Path]) -> Iterator[datetime]:
    yield datetime.fromtimestamp(0, UTC)
    for file in files:
        try:
            yield datetime.fromtimestamp(file.stat().st_mtime, UTC)
        except OSError:
            continue


def _read_answer_file(key: str, path: Path) -> Answer:
    if not path.is_file():  # a folder, or a pipe that never ends
        return missing_answer(key, AnswerState.UNREADABLE, coverage_message("coverage.not_a_file"))
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return missing_answer(
            key, AnswerState.UNREADABLE, coverage_message("coverage.computer_said", said=error.strerror or str(error))
        )
    answer = classify_answer(key, raw[:MAX_FILE_BYTES], exit_code=None)
    if len(raw) > MAX_FILE_BYTES:
        answer = replace(
            answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.too_long", n=MAX_FILE_BYTES >> 20)
        )
    return redact(_strip_collector_comments(answer))


def _strip_collector_comments(answer: Answer) -> Answer:
    """Remove the comments that collection scripts add above the phone's output."""
    text = answer.text
    while text.startswith("# ") and "\n" in text:
        text = text.partition("\n")[2]
    return replace(answer, text=text)
