"""What one phone answered, at one time. A live phone is always a capture first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from privaudit.capture.answers import Answer, missing
from privaudit.errors import SourceError
from privaudit.model import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Answers by key. Holds the names of every app on the phone: private."""

    answers: Mapping[str, Answer]
    taken_at: datetime
    """This computer's time, with zone, when the first question was asked; of a folder, its newest file."""
    source: Source
    demo: bool
    """Taken from the virtual phone: nothing in it is real."""

    def answer(self, key: str) -> Answer:
        """The answer to `key`; a `Missing` one where it was not asked."""
        return self.answers.get(key) or missing(key)

    def to(self, question: str) -> tuple[Answer, ...]:
        """All answers to `question`, of every user or package."""
        return tuple(answer for answer in self.answers.values() if answer.question == question)

    def having(self, answers: Iterable[Answer]) -> Capture:
        """This capture with further answers; an answer with the same key is replaced."""
        return replace(self, answers=MappingProxyType({**self.answers, **{answer.key: answer for answer in answers}}))


def read(path: Path) -> Capture:
    """Read a saved source: a capture zip, or a folder of plain text files.

    Raises:
        SourceError: it is not there, is none of these, or is damaged.
    """
    from privaudit.capture import archive, folder

    if not path.exists():
        raise SourceError("source_missing", path=str(path))
    if archive.recognises(path):
        return archive.read(path)
    if folder.recognises(path):
        return folder.read(path)
    raise SourceError("source_unknown", path=str(path))
