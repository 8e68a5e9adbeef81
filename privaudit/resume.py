"""A capture that was interrupted, continued with the same phone: only what is missing is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from privaudit import facts
from privaudit.apk.parts import ApkParts
from privaudit.audit import CollectionOptions, collect_apks, packages_to_inspect
from privaudit.capture import collector, questions, remote_apks
from privaudit.capture.answers import Answer
from privaudit.capture.collector import OnRound, collect_answers
from privaudit.capture.command_log import LoggingTransport
from privaudit.capture.model import Capture
from privaudit.dumpsys import device
from privaudit.errors import PhoneError, SourceError
from privaudit.knowledge import Knowledge
from privaudit.model import AnswerState, Source
from privaudit.transport.base import Transport

_MAX_ROUNDS: Final = 3
"""Who the Android users are decides what is asked of each, and what they say which apps are asked about."""
_CUT_KEYS: Final = frozenset({"coverage.cut", "apk.cut"})
_NO_TIME_KEY: Final = "apk.no_time"


def resume_capture(
    transport: Transport,
    capture: Capture,
    knowledge: Knowledge,
    *,
    options: CollectionOptions = CollectionOptions(),  # noqa: B008 - frozen
    progress: OnRound = lambda _: None,
    on_apk_progress: remote_apks.OnReadProgress = lambda _: None,
) -> Capture:
    """`capture` with what it lacked. Arguments as `privaudit.audit.collect`.

    Raises:
        PhoneError: ``another_phone``; the connection ended before it could be known again.
        SourceError: ``phone_unmarked``: the capture does not say by what its phone is known again.
    """
    if capture.device_fingerprint is None:
        raise SourceError("errors.phone_unmarked")
    if not collector.is_same_device(transport, capture.device_fingerprint):
        raise PhoneError("errors.another_phone")
    before, recorder = capture, LoggingTransport(transport)
    for _ in range(_MAX_ROUNDS):
        wanted = tuple(missing_keys(capture, knowledge))
        if not wanted:
            break
        if "appops" in wanted:
            # App-ops tell ages: they need the clock of the moment in which they are asked.
            wanted = tuple(dict.fromkeys(("clock", *wanted)))
            capture = replace(capture, taken_at=datetime.now(UTC))
        came = [
            answer
            for answer in collect_answers(recorder, wanted, on_round=progress)
            if _is_improvement(answer, capture)
        ]
        capture = capture.with_answers(came)
        if not came:
            break
    if options.read_labels:
        progress("naming")
        phone_facts = facts.summarise_phone(capture)
        capture = collect_apks(recorder, phone_facts, knowledge, options, on_apk_progress).capture
    if capture.answers == before.answers and capture.apks == before.apks:
        return before
    return replace(capture, log=(*before.log, *recorder.log), source=Source(kind=transport.kind, sha256=None))


def missing_keys(capture: Capture, knowledge: Knowledge) -> Iterator[str]:
    """Keys of answers that a whole capture of this phone would hold, and that did not come, or not to their end."""
    capture = replace(capture, apks=MappingProxyType({}))  # who is asked about is chosen before any name is read
    gathered = facts.summarise_phone(capture)
    people = [user.id for user in gathered.users] or [0]
    for key in (*questions.expected_keys(gathered.phone.sdk, people), *packages_to_inspect(gathered, knowledge)):
        if _was_cut(capture.answer(key)):
            yield key


def is_incomplete(capture: Capture, knowledge: Knowledge) -> bool:
    """Whether anything is missing because the connection to the phone ended."""
    return was_interrupted(capture) or any(missing_keys(capture, knowledge))


def was_interrupted(capture: Capture) -> bool:
    """Whether the connection to the phone ended in the middle, as can be seen without judging any app."""
    came: tuple[Answer | ApkParts, ...] = (*capture.answers.values(), *capture.apks.values())
    if any(map(_was_cut, came)):
        return True
    found = device.phone_from_properties(device.parse_properties(capture.answer("properties").text), None)
    people = device.parse_users(capture.answer("users").text, found.sdk)
    return any(_was_cut(capture.answer(key)) for key in questions.expected_keys(found.sdk, people))


def _was_cut(item: Answer | ApkParts) -> bool:
    """Whether it did not come, or not to its end, for no other reason than that the connection ended."""
    why = item.detail.key if item.detail is not None else None
    parts = item.problems.values() if isinstance(item, ApkParts) else ()
    return (
        why in _CUT_KEYS
        or any(part.key in _CUT_KEYS for part in parts)
        or (item.state is AnswerState.NOT_ASKED and why != _NO_TIME_KEY)
    )


def _is_improvement(answer: Answer, capture: Capture) -> bool:
    """Whether `answer` is worth keeping: a second piece of an answer is no better than a longer first one."""
    return not _was_cut(answer) or len(answer.text) > len(capture.answer(answer.key).text)
