"""The answers of one phone at one time."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final, Self

from pydantic import StringConstraints

from privaudit.apk.parts import ApkParts
from privaudit.capture.answers import Answer, missing_answer
from privaudit.capture.command_log import CommandLogEntry
from privaudit.errors import SourceError
from privaudit.model import Source

_HexString = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFingerprint:
    """A hash that a phone computed from its own identifiers and our salt. Another salt gives another hash."""

    salt: _HexString
    digest: _HexString


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Answers by key, and parts of APKs. Private: it contains the name of every app on the phone."""

    answers: Mapping[str, Answer]
    taken_at: datetime
    """This computer's time, with zone, when the first question was sent; for a folder, the time of its newest file."""
    source: Source
    demo: bool = False
    """Collected from the virtual phone: nothing in it is real."""
    apks: Mapping[str, ApkParts] = field(default_factory=lambda: MappingProxyType({}))
    """Parts of base APKs by package, so that apps in a saved capture have labels. Empty: not requested."""
    device_fingerprint: DeviceFingerprint | None = None
    """Identifies the phone; ``None``: not requested."""
    log: tuple[CommandLogEntry, ...] = ()
    """The commands that were sent. Empty: another tool collected the answers."""

    def answer(self, key: str) -> Answer:
        """Return the answer with `key`; if there is none, one with the state ``NOT_ASKED``."""
        return self.answers.get(key) or missing_answer(key)

    def answers_to(self, question: str) -> tuple[Answer, ...]:
        """Return the answers to `question`, for every user or package."""
        return tuple(answer for answer in self.answers.values() if answer.question == question)

    def with_answers(self, answers: Iterable[Answer]) -> Self:
        """Return this capture with more answers, which replace those with the same key."""
        return replace(self, answers=MappingProxyType({**self.answers, **{answer.key: answer for answer in answers}}))

    def with_apks(self, apks: Iterable[ApkParts]) -> Self:
        """Return this capture with the parts of more APKs, which replace those of the same package."""
        return replace(self, apks=MappingProxyType({**self.apks, **{apk.package: apk for apk in apks}}))


FIRST_SUPPORTED_SDK: Final = 23
"""Android 6. Before it an app got all its permissions when it was installed, and dumps have another layout."""
_PROPERTY = re.compile(r"^\[ro\.build\.version\.(sdk|release)\]: \[([\w.]{1,20})\]$", re.MULTILINE | re.ASCII)
_OLD_LAYOUT = re.compile(r"^    grantedPermissions:$", re.MULTILINE)
_LAYOUT = re.compile(r"^ +(?:install|runtime) permissions:$|: granted=", re.MULTILINE)


def refuse_old_android(capture: Capture) -> Capture:
    """Return `capture`. Raises `SourceError` if it is of Android 5 or older.

    Without the SDK level the layout tells it: ``grantedPermissions:`` and no line of the later layout. An app could
    write the first, but not remove the second.
    """
    properties = dict(_PROPERTY.findall(capture.answer("properties").text))
    sdk = properties.get("sdk", "")
    dumps = [answer.text for answer in capture.answers.values() if answer.question in {"packages", "package"}]
    if sdk.isdecimal():
        is_old = int(sdk) < FIRST_SUPPORTED_SDK
    else:
        is_old = any(map(_OLD_LAYOUT.search, dumps)) and not any(map(_LAYOUT.search, dumps))
    if is_old:
        raise SourceError("errors.android_too_old", version=properties.get("release") or "≤ 5")
    return capture
