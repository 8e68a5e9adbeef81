"""Reads a capture into facts. Nothing is judged here, and nothing that was not read becomes "not granted"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from privaudit.capture import Capture
from privaudit.capture.answers import Answer, detail
from privaudit.dumpsys import appops, device, package_checks, special_access, users
from privaudit.dumpsys.clock import Clock
from privaudit.dumpsys.package_checks import Listed
from privaudit.facts import apk_facts, apps, coverage, package_dumps
from privaudit.facts.app_sources import Sources
from privaudit.facts.cache import Memory
from privaudit.facts.effective_permission import SWITCHED_UNTIL_SDK, SWITCHES
from privaudit.model import AnswerState, Facts, Place, User, UserKind

_PER_USER: Final = 100000
_FIRST_APP_ID: Final = 10000


def gather(capture: Capture, memory: Memory | None = None) -> Facts:
    """Everything that `capture` says. `memory`: of this phone, when its capture had less to say.

    Facts of an answer that is not whole are kept where they are sure (a grant that was printed), never where they rest
    on something missing. `Facts.coverage` says what was not read, and why.
    """
    lists = _lists(capture)
    listed = {user: one.packages for user, one in lists.items() if one.answer.state is AnswerState.ANSWERED}
    found = device.properties(capture.answer("properties").text)
    blocks = package_dumps.read(capture, listed)
    phone = device.phone(found, blocks.whole.dump.sdk)
    said = capture.answer("clock")
    clock, now = device.clock(found, said.text, capture.taken_at)
    if said.translated_from is not None:
        clock = replace(clock, offset_s=None)  # no computer's clock was looked at beside it
    kinds = _users(capture, phone.sdk, blocks.users() | set(listed))
    ops, ops_answer = _appops(capture, blocks, listed)
    special = special_access.gather(capture)
    memory = memory or Memory()
    memory.begin(capture)
    apks = memory.reader.read(capture, phone, blocks.versions())
    sources = Sources(
        sdk=phone.sdk,
        blocks=blocks,
        appops=ops,
        appops_whole=ops_answer.state is AnswerState.ANSWERED and not ops.unparsed,
        switches=SWITCHES if phone.sdk is not None and phone.sdk <= SWITCHED_UNTIL_SDK else {},
        listed=listed,
        third_party={
            answer.user or 0: frozenset(package_checks.parse_list(answer.text)[0])
            for answer in capture.to("third_party")
            if answer.state is AnswerState.ANSWERED
        },
        special=special.held,
        clock=Clock(now=now, zone=ZoneInfo(clock.zone) if clock.zone else None),
    )
    people = tuple(_user(number, kind, capture, lists, blocks) for number, kind in sorted(kinds.items()))
    places: dict[tuple[str, int, str], tuple[Place, ...]] = {}
    every = tuple(
        app
        for user in people
        # Of a user whose list is refused the dump of permissions may tell all the same: not everything, so not checked.
        if user.checked or user.id in blocks.users()
        for app in memory.apps(capture, sources, apks, user.id, places)
    )
    reading = coverage.Reading(
        answers={
            "packages": blocks.whole.answer,
            "appops": ops_answer,
            **{one.answer.key: one.answer for one in lists.values()},
        },
        unparsed={
            "packages": blocks.whole.dump.unparsed,
            "appops": ops.unparsed,
            "users": users.unparsed(capture.answer("users").text),
            **{one.answer.key: one.unparsed for one in lists.values()},
            **special.unparsed,
        },
        blocks=blocks,
    )
    return Facts(
        phone=phone,
        clock=clock,
        users=people,
        apps=every,
        coverage=(*coverage.rows(capture, phone.sdk, kinds, reading), *apk_facts.coverage(capture, every)),
        places=places,
    )


@dataclass(frozen=True, slots=True)
class _List:
    """``pm list packages`` of one user, its state put right by what the text turned out to be."""

    answer: Answer
    packages: Mapping[str, Listed]
    unparsed: int


def _lists(capture: Capture) -> Mapping[int, _List]:
    lists = {}
    for answer in capture.to("installed"):
        user = answer.user or 0
        found, unparsed = package_checks.parse_list(answer.text)
        own = capture.answer(f"third_party.{user}")
        problem = None
        if not found:
            problem = "coverage.no_packages"  # no phone is without apps
        elif answer.exit_code is None and not answer.text.endswith("\n"):
            problem = "coverage.no_end"
        elif own.state is AnswerState.ANSWERED and not package_checks.parse_list(own.text)[0].keys() <= found.keys():
            problem = "coverage.no_end"  # one list holds what the longer one lacks
        if problem is not None and answer.state is AnswerState.ANSWERED:
            answer = replace(answer, state=AnswerState.UNREADABLE, detail=detail(problem))  # noqa: PLW2901
        lists[user] = _List(answer, found, unparsed)
    return lists


def _users(capture: Capture, sdk: int | None, seen: Iterable[int]) -> dict[int, UserKind]:
    """Users that were listed; those that only other answers tell of, too."""
    others = {number: UserKind.OWNER if number == 0 else UserKind.OTHER for number in seen}
    return {**others, **users.parse(capture.answer("users").text, sdk)}


def _user(
    number: int, kind: UserKind, capture: Capture, lists: Mapping[int, _List], blocks: package_dumps.Blocks
) -> User:
    answer = lists[number].answer if number in lists else capture.answer(f"installed.{number}")
    by_blocks = answer.state is AnswerState.NOT_ASKED and number in blocks.users()
    checked = answer.state is AnswerState.ANSWERED or by_blocks
    return User(id=number, kind=kind, checked=checked, why_not=None if checked else answer.state)


def _appops(
    capture: Capture, blocks: package_dumps.Blocks, listed: Mapping[int, Mapping[str, Listed]]
) -> tuple[appops.Dump, Answer]:
    answer = capture.answer("appops")
    parsed = _ops(answer.text)
    if not answer.text:
        return parsed, answer
    forged = parsed.forged or _under_wrong_uid(parsed, blocks, listed)
    if forged is not None:
        return appops.Dump(), replace(
            answer, state=AnswerState.UNREADABLE, detail=detail("coverage.forged", package=forged)
        )
    if answer.state is not AnswerState.ANSWERED:
        return parsed, answer
    if not parsed.uids:
        return parsed, replace(answer, state=AnswerState.UNREADABLE, detail=detail("coverage.not_this_dump"))
    if answer.exit_code is None and not parsed.ends:
        return parsed, replace(answer, state=AnswerState.UNREADABLE, detail=detail("coverage.no_end"))
    return parsed, answer


@lru_cache(maxsize=package_dumps.AT_ONCE)
def _ops(text: str) -> appops.Dump:
    return appops.parse(text, apps.OPS)  # the same after each round of asking a phone


def _under_wrong_uid(
    parsed: appops.Dump, blocks: package_dumps.Blocks, listed: Mapping[int, Mapping[str, Listed]]
) -> str | None:
    """A package that app-ops name below the uid of another app."""
    for number, uid in parsed.uids.items():
        user, app_id = divmod(number, _PER_USER)
        if app_id < _FIRST_APP_ID:
            continue  # the system's own uids go by names that no package has
        for name in uid.packages:
            block, line = blocks.whole.dump.packages.get(name), listed.get(user, {}).get(name)
            known = {block.app_id if block is not None else None, line.app_id if line is not None else None} - {None}
            if known and app_id not in known:
                return name
    return None
