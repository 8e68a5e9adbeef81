"""Reads a capture into facts. Nothing is judged here, and nothing that was not read becomes "not granted"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from privaudit.capture import Capture
from privaudit.capture.answers import Answer, detail
from privaudit.capture.questions import BY_NAME, expected
from privaudit.facts import appops, apps, device, dump, packages, special_access, users
from privaudit.facts.access import Clock
from privaudit.model import AnswerState, Coverage, Facts, Message, Place, User, UserKind


def gather(capture: Capture) -> Facts:
    """Everything that `capture` says.

    Facts of an answer that is not whole are kept where they are sure (a grant that was printed), never where they rest
    on something missing. `Facts.coverage` says what was not read, and why.
    """
    listed = {answer.user or 0: packages.parse_list(answer.text) for answer in capture.to("installed")}
    good = {
        answer.user or 0: listed[answer.user or 0][0]
        for answer in capture.to("installed")
        if answer.state is AnswerState.ANSWERED and listed[answer.user or 0][0]
    }
    found = device.properties(capture.answer("properties").text)
    said = users.parse(capture.answer("users").text, None)
    known = frozenset().union(*good.values()) if said and set(said) <= set(good) else None
    blocks = dump.read(capture, known)
    phone = device.phone(found, blocks.dump.sdk)
    clock, now = device.clock(found, capture.answer("clock").text, capture.taken_at)
    kinds = users.parse(capture.answer("users").text, phone.sdk) or {
        user: UserKind.OWNER if user == 0 else UserKind.OTHER for user in blocks.users() | set(good)
    }
    ops, ops_answer = _appops(capture)
    sources = apps.Sources(
        blocks=blocks,
        appops=ops,
        listed=good,
        third_party={
            answer.user or 0: frozenset(packages.parse_list(answer.text)[0])
            for answer in capture.to("third_party")
            if answer.state is AnswerState.ANSWERED
        },
        special=special_access.gather(capture),
        clock=Clock(now=now),
        zone=ZoneInfo(clock.zone) if clock.zone else None,
    )
    people = tuple(_user(number, kind, capture, good, blocks) for number, kind in sorted(kinds.items()))
    places: dict[tuple[str, int, str], tuple[Place, ...]] = {}
    every = tuple(app for user in people if user.checked for app in apps.build(sources, user.id, places))
    put_right = {"packages": blocks.answer, "appops": ops_answer}
    unparsed = {"packages": blocks.dump.unparsed, "appops": ops.unparsed if ops else 0} | {
        f"installed.{user}": count for user, (_, count) in listed.items()
    }
    return Facts(
        phone=phone,
        clock=clock,
        users=people,
        apps=every,
        coverage=tuple(
            replace(row, could_hide=_could_hide(row))
            for row in _coverage(capture, phone.sdk, kinds, put_right, unparsed, blocks)
        ),
        places=places,
    )


def _user(number: int, kind: UserKind, capture: Capture, good: Mapping[int, object], blocks: dump.Blocks) -> User:
    answer = capture.answer(f"installed.{number}")
    checked = number in good or (answer.state is AnswerState.NOT_ASKED and number in blocks.users())
    return User(id=number, kind=kind, checked=checked, why_not=None if checked else _state_of_list(answer))


def _state_of_list(answer: Answer) -> AnswerState:
    # A list without a single package is no answer: no phone is without apps.
    return AnswerState.UNREADABLE if answer.state is AnswerState.ANSWERED else answer.state


def _appops(capture: Capture) -> tuple[appops.Dump | None, Answer]:
    answer = capture.answer("appops")
    if not answer.text:
        return None, answer
    parsed = appops.parse(answer.text)
    if parsed.forged is not None:
        return None, replace(answer, state=AnswerState.UNREADABLE, detail=detail("forged", package=parsed.forged))
    if not parsed.uids and answer.state is AnswerState.ANSWERED:
        return None, replace(answer, state=AnswerState.UNREADABLE, detail=detail("not_this_dump"))
    if answer.state is AnswerState.ANSWERED and answer.exit_code is None and not answer.text.endswith("\n"):
        return parsed, replace(answer, state=AnswerState.UNREADABLE, detail=detail("no_end"))
    return parsed, answer


def _coverage(
    capture: Capture,
    sdk: int | None,
    numbers: Iterable[int],
    put_right: Mapping[str, Answer],
    unparsed: Mapping[str, int],
    blocks: dump.Blocks,
) -> Iterator[Coverage]:
    wanted = dict.fromkeys(expected(sdk, sorted(numbers)))
    for name, question in BY_NAME.items():
        if question.per == "phone" and name not in wanted:
            yield Coverage(question=name, user=None, state=AnswerState.NOT_SUPPORTED)
    for key in wanted:
        answer = put_right.get(key) or capture.answer(key)
        yield _row(answer, unparsed.get(key, 0))
    for answer in capture.to("package"):
        name = answer.about or ""
        if answer.state is not AnswerState.ANSWERED:
            yield replace(_row(answer, 0), detail=_about(name, answer.detail))
        elif name in blocks.details and (forged := blocks.details[name][1].forged) is not None:
            yield Coverage(
                question="package", user=None, state=AnswerState.UNREADABLE, detail=detail("forged", package=forged)
            )


def _row(answer: Answer, unparsed: int) -> Coverage:
    state, problem = answer.state, answer.detail
    if answer.question == "installed" and state is AnswerState.ANSWERED and not packages.parse_list(answer.text)[0]:
        state, problem = AnswerState.UNREADABLE, detail("no_packages")
    elif answer.question == "users" and state is AnswerState.ANSWERED and not users.parse(answer.text, None):
        state, problem = AnswerState.UNREADABLE, detail("no_user")
    elif answer.question == "properties" and state is AnswerState.ANSWERED and not device.properties(answer.text):
        state, problem = AnswerState.UNREADABLE, detail("not_this_dump")
    return Coverage(question=answer.question, user=answer.user, state=state, unparsed_lines=unparsed, detail=problem)


def _could_hide(row: Coverage) -> bool:
    """What this Android version does not have hides nothing."""
    if row.state is AnswerState.NOT_SUPPORTED and row.detail is None:
        return False
    return BY_NAME[row.question].essential and (row.state is not AnswerState.ANSWERED or row.unparsed_lines > 0)


def _about(package: str, problem: Message | None) -> Message:
    return problem or detail("phone_said", said=package)
