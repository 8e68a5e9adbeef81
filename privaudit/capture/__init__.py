"""What one phone answered, at one time. A live phone is always a capture first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from privaudit.apk.parts import ApkParts
from privaudit.capture.answers import Answer, missing_answer
from privaudit.capture.collector import DeviceFingerprint
from privaudit.capture.command_log import CommandLogEntry
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
    apks: Mapping[str, ApkParts] = field(default_factory=lambda: MappingProxyType({}))
    """Parts of base APKs, by package, so that a saved capture names apps too. Empty: nobody asked."""
    device_fingerprint: DeviceFingerprint | None = None
    """By what the phone is known again; ``None``: nobody asked."""
    log: tuple[CommandLogEntry, ...] = ()
    """The commands that were sent. Empty: others asked the phone, and do not say how."""

    def answer(self, key: str) -> Answer:
        """The answer to `key`; a `Missing` one where it was not asked."""
        return self.answers.get(key) or missing_answer(key)

    def answers_to(self, question: str) -> tuple[Answer, ...]:
        """All answers to `question`, of every user or package."""
        return tuple(answer for answer in self.answers.values() if answer.question == question)

    def with_answers(self, answers: Iterable[Answer]) -> Capture:
        """This capture with further answers; an answer with the same key is replaced."""
        return replace(self, answers=MappingProxyType({**self.answers, **{answer.key: answer for answer in answers}}))

    def with_apks(self, apks: Iterable[ApkParts]) -> Capture:
        """This capture with the parts of further APKs; those of the same package are replaced."""
        return replace(self, apks=MappingProxyType({**self.apks, **{apk.package: apk for apk in apks}}))


def read_source(path: Path) -> Capture:
    """Read a saved source: a capture zip, what AndroidQF collected, a bug report, or a folder of plain text files.

    Raises:
        SourceError: it is not there, is none of these, or is damaged.
    """
    from privaudit.capture import androidqf, archive, bugreport, text_folder

    if not path.exists():
        raise SourceError("errors.source_missing", path=str(path))
    if archive.recognises(path):
        return archive.read(path)
    # Before the two below: it holds a bug report, and files of names that we know.
    if androidqf.recognises(path):
        return androidqf.read(path)
    if bugreport.recognises(path):
        return bugreport.read(path)
    if text_folder.recognises(path):
        return text_folder.read(path)
    raise SourceError(
        "errors.source_cut" if archive.is_truncated_zip(path) else "errors.source_unknown", path=str(path)
    )
