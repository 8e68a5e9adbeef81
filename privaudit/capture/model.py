"""What one phone answered, at one time. A live phone is always a capture first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from pydantic import StringConstraints

from privaudit.apk.parts import ApkParts
from privaudit.capture.answers import Answer, missing_answer
from privaudit.capture.command_log import CommandLogEntry
from privaudit.model import Source

_HexString = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFingerprint:
    """A hash that a phone computed of its own numbers and our salt. Another salt gives another hash."""

    salt: _HexString
    digest: _HexString


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
