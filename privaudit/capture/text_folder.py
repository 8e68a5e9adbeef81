"""A folder of plain text files, as somebody saves them by hand: ``adb shell dumpsys package > dumpsys_package.txt``.

Any subset will do. What is missing is reported as not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from privaudit.capture import Capture
from privaudit.capture.answers import Answer, detail, missing, receive
from privaudit.capture.questions import BY_NAME, QUESTIONS, is_package_name
from privaudit.capture.redact import redact
from privaudit.errors import SourceError
from privaudit.model import AnswerState, Source

LARGEST_FILE: Final = 64 * 1024 * 1024
"""Bytes. Ten times the largest dump known."""

_BY_FILE: Final = {question.file: question.name for question in QUESTIONS if question.per != "package"}
_PER_USER = re.compile(r"(?P<file>\w+)\.user(?P<user>[1-9]\d{0,4})\Z", re.ASCII)
_PER_PACKAGE = re.compile(r"dumpsys_package\.(?P<package>[\w.]+)\Z", re.ASCII)


def recognises(path: Path) -> bool:
    """Whether `path` is a folder."""
    return path.is_dir()


def file_name(key: str) -> str:
    """Name of the text file that holds the answer `key`.

    ``pm_list_packages.txt`` is user 0's; ``pm_list_packages.user10.txt`` user 10's; ``dumpsys_package.com.x.txt``
    one app's.
    """
    name, _, about = key.partition(".")
    question = BY_NAME[name]
    if question.per == "user" and about != "0":
        return f"{question.file}.user{about}.txt"
    return f"{question.file}.{about}.txt" if question.per == "package" else f"{question.file}.txt"


def key_of(file: str) -> str | None:
    """The answer key that a file of this name holds, or ``None``."""
    stem, dot, suffix = file.rpartition(".")
    if not dot or suffix != "txt":
        return None
    if stem in _BY_FILE:
        question = BY_NAME[_BY_FILE[stem]]
        return f"{question.name}.0" if question.per == "user" else question.name
    if (match := _PER_USER.match(stem)) and BY_NAME.get(_BY_FILE.get(match["file"], "")) is not None:
        question = BY_NAME[_BY_FILE[match["file"]]]
        return f"{question.name}.{int(match['user'])}" if question.per == "user" else None
    if (match := _PER_PACKAGE.match(stem)) and is_package_name(match["package"]):
        return f"package.{match['package']}"
    return None


def read(path: Path) -> Capture:
    """Read the text files of a folder that have a name we know.

    Raises:
        SourceError: the folder cannot be listed, or holds no such file.
    """
    try:
        files = {key: file for file in sorted(path.iterdir()) if (key := key_of(file.name)) is not None}
    except OSError as error:
        raise SourceError("errors.source_unreadable", path=str(path), reason=error.strerror or str(error)) from error
    if not files:
        known = tuple(
            sorted(file_name(f"{q.name}.0" if q.per == "user" else q.name) for q in QUESTIONS if q.per != "package")
        )
        raise SourceError("errors.folder_without_answers", path=str(path), known=known)
    return Capture(
        answers=MappingProxyType({key: _answer(key, file) for key, file in files.items()}),
        taken_at=max(_times(files.values())),
        source=Source(kind="folder", sha256=None),
        demo=False,
    )


def _times(files: Iterable[Path]) -> Iterator[datetime]:
    yield datetime.fromtimestamp(0, UTC)
    for file in files:
        try:
            yield datetime.fromtimestamp(file.stat().st_mtime, UTC)
        except OSError:
            continue


def _answer(key: str, file: Path) -> Answer:
    if not file.is_file():  # a folder, or a pipe that would never end
        return missing(key, AnswerState.UNREADABLE, detail("coverage.not_a_file"))
    try:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        return missing(key, AnswerState.UNREADABLE, detail("coverage.computer_said", said=error.strerror or str(error)))
    answer = receive(key, raw[:LARGEST_FILE], exit_code=None)
    if len(raw) > LARGEST_FILE:
        answer = replace(answer, state=AnswerState.UNREADABLE, detail=detail("coverage.too_long", n=LARGEST_FILE >> 20))
    return redact(_without_collector_lines(answer))


def _without_collector_lines(answer: Answer) -> Answer:
    """Collecting scripts put a comment of their own above what the phone printed."""
    text = answer.text
    while text.startswith("# ") and "\n" in text:
        text = text.partition("\n")[2]
    return replace(answer, text=text)
