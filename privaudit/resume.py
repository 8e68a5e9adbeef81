"""A capture that was interrupted, continued with the same phone: only what is missing is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from privaudit import facts
from privaudit.apk.parts import Apk
from privaudit.audit import Reach, named, suspects
from privaudit.capture import Capture, identity, questions, remote_apks
from privaudit.capture.answers import Answer
from privaudit.capture.collector import Progress, ask_more
from privaudit.capture.command_log import Recorder
from privaudit.dumpsys import device, users
from privaudit.errors import PhoneError, SourceError
from privaudit.knowledge import Knowledge
from privaudit.model import AnswerState, Source
from privaudit.transport import Transport

_ROUNDS: Final = 3
"""Who the Android users are decides what is asked of each, and what they say which apps are asked about."""
_CUT: Final = frozenset({"coverage.cut", "apk.cut"})
_NO_TIME: Final = "apk.no_time"


def resumed(
    transport: Transport,
    capture: Capture,
    knowledge: Knowledge,
    *,
    reach: Reach = Reach(),  # noqa: B008 - frozen
    progress: Progress = lambda _: None,
    counted: remote_apks.Progress = lambda _: None,
) -> Capture:
    """`capture` with what it lacked. Arguments as `privaudit.audit.live`.

    Raises:
        PhoneError: ``another_phone``; the connection ended before it could be known again.
        SourceError: ``phone_unmarked``: the capture does not say by what its phone is known again.
    """
    if capture.identity is None:
        raise SourceError("errors.phone_unmarked")
    if not identity.is_same(transport, capture.identity):
        raise PhoneError("errors.another_phone")
    before, recorder = capture, Recorder(transport)
    for _ in range(_ROUNDS):
        wanted = tuple(lacking(capture, knowledge))
        if not wanted:
            break
        if "appops" in wanted:
            # App-ops tell ages: they need the clock of the moment in which they are asked.
            wanted = tuple(dict.fromkeys(("clock", *wanted)))
            capture = replace(capture, taken_at=datetime.now(UTC))
        came = [answer for answer in ask_more(recorder, wanted, progress=progress) if _better(answer, capture)]
        capture = capture.having(came)
        if not came:
            break
    if reach.names:
        progress("naming")
        capture = named(recorder, capture, knowledge, reach, counted)
    if capture.answers == before.answers and capture.apks == before.apks:
        return before
    return replace(capture, log=(*before.log, *recorder.log), source=Source(kind=transport.kind, sha256=None))


def lacking(capture: Capture, knowledge: Knowledge) -> Iterator[str]:
    """Keys of answers that a whole capture of this phone would hold, and that did not come, or not to their end."""
    capture = replace(capture, apks=MappingProxyType({}))  # who is asked about is chosen before any name is read
    gathered = facts.gather(capture)
    people = [user.id for user in gathered.users] or [0]
    for key in (*questions.expected(gathered.phone.sdk, people), *suspects(gathered, knowledge)):
        if _lost(capture.answer(key)):
            yield key


def unfinished(capture: Capture, knowledge: Knowledge) -> bool:
    """Whether anything is missing because the connection to the phone ended."""
    return interrupted(capture) or any(lacking(capture, knowledge))


def interrupted(capture: Capture) -> bool:
    """Whether the connection to the phone ended in the middle, as can be seen without judging any app."""
    came: tuple[Answer | Apk, ...] = (*capture.answers.values(), *capture.apks.values())
    if any(map(_lost, came)):
        return True
    found = device.phone(device.properties(capture.answer("properties").text), None)
    people = users.parse(capture.answer("users").text, found.sdk)
    return any(_lost(capture.answer(key)) for key in questions.expected(found.sdk, people))


def _lost(one: Answer | Apk) -> bool:
    """Whether it did not come, or not to its end, for no other reason than that the connection ended."""
    why = one.detail.key if one.detail is not None else None
    parts = one.problems.values() if isinstance(one, Apk) else ()
    return (
        why in _CUT
        or any(part.key in _CUT for part in parts)
        or (one.state is AnswerState.NOT_ASKED and why != _NO_TIME)
    )


def _better(answer: Answer, capture: Capture) -> bool:
    """Whether `answer` is worth keeping: a second piece of an answer is no better than a longer first one."""
    return not _lost(answer) or len(answer.text) > len(capture.answer(answer.key).text)
