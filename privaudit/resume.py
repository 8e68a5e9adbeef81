"""Continue an interrupted capture with the same phone: only missing and truncated answers are collected."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from privaudit import facts
from privaudit.apk.parts import ApkParts
from privaudit.audit import CollectionOptions, collect_apks, collect_details, keys_to_inspect
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

_MAX_ROUNDS: Final = 4
"""The list of Android users decides the questions for each user, and their answers decide which apps are inspected."""
_CUT_KEYS: Final = frozenset({"coverage.cut", "apk.cut"})
"""Reasons of an answer or APK that say that the connection ended."""
_NO_TIME_KEY: Final = "apk.no_time"
"""Reason of an APK for which no reading time was left: the connection did not end."""


def resume_capture(
    transport: Transport,
    capture: Capture,
    knowledge: Knowledge,
    *,
    options: CollectionOptions = CollectionOptions(),  # noqa: B008 - frozen
    progress: OnRound = lambda _: None,
    on_apk_progress: remote_apks.OnReadProgress = lambda _: None,
) -> Capture:
    """Return `capture` with its missing answers filled in; the other arguments are those of `privaudit.audit.collect`.

    Raises SourceError ``phone_unmarked`` if the capture has no device fingerprint to identify its phone by, and
    PhoneError ``another_phone``, or if the connection ended before the phone was identified.
    """
    if capture.device_fingerprint is None:
        raise SourceError("errors.phone_unmarked")
    if not collector.is_same_device(transport, capture.device_fingerprint):
        raise PhoneError("errors.another_phone")
    before, logging_transport = capture, LoggingTransport(transport)
    for _ in range(_MAX_ROUNDS):
        keys = tuple(missing_keys(capture, knowledge))
        if not keys:
            break
        if "appops" in keys:
            # App-ops print ages, so the phone's clock has to be read at the same moment.
            keys = tuple(dict.fromkeys(("clock", *keys)))
            capture = replace(capture, taken_at=datetime.now(UTC))
        improved = [
            answer
            for answer in collect_answers(logging_transport, keys, on_round=progress)
            if not _was_cut(answer) or len(answer.text) > len(capture.answer(answer.key).text)
        ]
        capture = capture.with_answers(improved)
        if not improved:
            break
    if options.read_labels:
        progress("naming")
        phone_facts = facts.summarise_phone(capture)
        phone_facts = collect_apks(logging_transport, phone_facts, knowledge, options, on_apk_progress)
        capture = collect_details(logging_transport, phone_facts, knowledge, progress).capture
    if capture.answers == before.answers and capture.apks == before.apks:
        return before
    return replace(capture, log=(*before.log, *logging_transport.log), source=Source(kind=transport.kind, sha256=None))


def missing_keys(capture: Capture, knowledge: Knowledge) -> Iterator[str]:
    """Yield the keys of answers of a complete capture that are missing or were cut by a lost connection."""
    capture = replace(capture, apks=MappingProxyType({}))  # apps to inspect are chosen before any APK is read
    phone_facts = facts.summarise_phone(capture)
    user_ids = [user.id for user in phone_facts.users] or [0]
    missing = {key for key in questions.expected_keys(phone_facts.phone.sdk, user_ids) if _was_cut(capture.answer(key))}
    if not missing <= _LATER_QUESTIONS:
        yield from missing  # which apps to ask about follows from these
        return
    for key in keys_to_inspect(phone_facts, knowledge):
        # A complete capture of 1.0.0 lacks the questions of today, and they are no sign of a lost connection.
        if _was_cut(capture.answer(key)) and (key in capture.answers or not missing):
            yield key


def is_incomplete(capture: Capture, knowledge: Knowledge) -> bool:
    """Return whether anything is missing because the connection to the phone ended."""
    return was_interrupted(capture) or any(missing_keys(capture, knowledge))


def was_interrupted(capture: Capture) -> bool:
    """Return whether the connection ended during the capture, as far as can be told without gathering facts."""
    items: tuple[Answer | ApkParts, ...] = (*capture.answers.values(), *capture.apks.values())
    if any(map(_was_cut, items)):
        return True
    phone = device.phone_from_properties(device.parse_properties(capture.answer("properties").text), None)
    user_ids = device.parse_users(capture.answer("users").text)
    return any(
        _was_cut(capture.answer(key)) and (key in capture.answers or key not in _LATER_QUESTIONS)
        for key in questions.expected_keys(phone.sdk, user_ids)
    )


_LATER_QUESTIONS: Final = frozenset({"packages_proto", "user_types"})
"""Questions that privaudit 1.0.0 did not ask: a capture without them need not be an interrupted one."""


def _was_cut(item: Answer | ApkParts) -> bool:
    """Return whether an answer or APK is missing or truncated only because the connection ended."""
    reason = item.detail.key if item.detail is not None else None
    part_problems = item.problems.values() if isinstance(item, ApkParts) else ()
    return (
        reason in _CUT_KEYS
        or any(problem.key in _CUT_KEYS for problem in part_problems)
        or (item.state is AnswerState.NOT_ASKED and reason != _NO_TIME_KEY)
    )
