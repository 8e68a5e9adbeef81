"""Reads a capture into facts. Nothing is judged here, and nothing that was not read becomes "not granted"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from privaudit.android import FIRST_APP_ID, PER_USER_RANGE
from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys import appops, device, special_access
from privaudit.dumpsys.appops_model import AppOpsDump
from privaudit.dumpsys.device import DumpClock
from privaudit.dumpsys.package_list import InstalledPackage, parse_package_list
from privaudit.facts import apk_facts, apps, coverage, package_dumps
from privaudit.facts.apps import AppInputs
from privaudit.facts.cache import AppCache
from privaudit.facts.effective_permission import OP_SWITCHES, OP_SWITCHES_MAX_SDK
from privaudit.model import AnswerState, FactLocation, Facts, User, UserKind


def gather_facts(capture: Capture, cache: AppCache | None = None) -> Facts:
    """Everything that `capture` says. `cache`: of this phone, when its capture had less to say.

    Facts of an answer that is not whole are kept where they are sure (a grant that was printed), never where they rest
    on something missing. `Facts.apk_coverage_rows` says what was not read, and why.
    """
    lists = _checked_package_lists(capture)
    listed = {user: one.packages for user, one in lists.items() if one.answer.state is AnswerState.ANSWERED}
    found = device.parse_properties(capture.answer("properties").text)
    blocks = package_dumps.read_package_dumps(capture, listed)
    phone = device.phone_from_properties(found, blocks.full.dump.sdk)
    said = capture.answer("clock")
    clock, now = device.parse_phone_clock(found, said.text, capture.taken_at)
    if said.translated_from is not None:
        clock = replace(clock, offset_s=None)  # no computer's clock was looked at beside it
    kinds = _user_kinds(capture, phone.sdk, blocks.user_ids() | set(listed))
    ops, ops_answer = _checked_appops(capture, blocks, listed)
    special = special_access.parse_special_access(capture)
    cache = cache or AppCache()
    cache.invalidate(capture)
    apks = cache.apk_reader.read_all(capture, phone, blocks.version_codes())
    sources = AppInputs(
        sdk=phone.sdk,
        package_dumps=blocks,
        appops=ops,
        appops_complete=ops_answer.state is AnswerState.ANSWERED and not ops.unparsed_lines,
        op_switches=OP_SWITCHES if phone.sdk is not None and phone.sdk <= OP_SWITCHES_MAX_SDK else {},
        package_lists=listed,
        third_party_packages={
            answer.user or 0: frozenset(parse_package_list(answer.text)[0])
            for answer in capture.answers_to("third_party")
            if answer.state is AnswerState.ANSWERED
        },
        special_access=special.by_package_and_user,
        clock=DumpClock(now=now, zone=ZoneInfo(clock.zone) if clock.zone else None),
    )
    people = tuple(_build_user(number, kind, capture, lists, blocks) for number, kind in sorted(kinds.items()))
    places: dict[tuple[str, int, str], tuple[FactLocation, ...]] = {}
    every = tuple(
        app
        for user in people
        # Of a user whose list is refused the dump of permissions may tell all the same: not everything, so not checked.
        if user.checked or user.id in blocks.user_ids()
        for app in cache.build_apps(capture, sources, apks, user.id, places)
    )
    reading = coverage.ParsedAnswers(
        answers={
            "packages": blocks.full.answer,
            "appops": ops_answer,
            **{one.answer.key: one.answer for one in lists.values()},
        },
        unparsed_lines={
            "packages": blocks.full.dump.unparsed_lines,
            "appops": ops.unparsed_lines,
            "users": device.count_unparsed_user_lines(capture.answer("users").text),
            **{one.answer.key: one.unparsed_lines for one in lists.values()},
            **special.unparsed_lines,
        },
        package_dumps=blocks,
    )
    return Facts(
        phone=phone,
        clock=clock,
        users=people,
        apps=every,
        coverage=(
            *coverage.coverage_rows(capture, phone.sdk, kinds, reading),
            *apk_facts.apk_coverage_rows(capture, every),
        ),
        locations=places,
    )


@dataclass(frozen=True, slots=True)
class _CheckedPackageList:
    """``pm list packages`` of one user, its state put right by what the text turned out to be."""

    answer: Answer
    packages: Mapping[str, InstalledPackage]
    unparsed_lines: int


def _checked_package_lists(capture: Capture) -> Mapping[int, _CheckedPackageList]:
    lists = {}
    for answer in capture.answers_to("installed"):
        user = answer.user or 0
        found, unparsed = parse_package_list(answer.text)
        own = capture.answer(f"third_party.{user}")
        problem = None
        if not found:
            problem = "coverage.no_packages"  # no phone is without apps
        elif answer.exit_code is None and not answer.text.endswith("\n"):
            problem = "coverage.no_end"
        elif own.state is AnswerState.ANSWERED and not parse_package_list(own.text)[0].keys() <= found.keys():
            problem = "coverage.no_end"  # one list holds what the longer one lacks
        if problem is not None and answer.state is AnswerState.ANSWERED:
            answer = replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message(problem))  # noqa: PLW2901
        lists[user] = _CheckedPackageList(answer, found, unparsed)
    return lists


def _user_kinds(capture: Capture, sdk: int | None, seen_user_ids: Iterable[int]) -> dict[int, UserKind]:
    """Users that were listed; those that only other answers tell of, too."""
    others = {number: UserKind.OWNER if number == 0 else UserKind.OTHER for number in seen_user_ids}
    return {**others, **device.parse_users(capture.answer("users").text, sdk)}


def _build_user(
    user_id: int,
    kind: UserKind,
    capture: Capture,
    package_lists: Mapping[int, _CheckedPackageList],
    package_dumps: package_dumps.PackageDumps,
) -> User:
    answer = package_lists[user_id].answer if user_id in package_lists else capture.answer(f"installed.{user_id}")
    by_blocks = answer.state is AnswerState.NOT_ASKED and user_id in package_dumps.user_ids()
    checked = answer.state is AnswerState.ANSWERED or by_blocks
    return User(id=user_id, kind=kind, checked=checked, why_not=None if checked else answer.state)


def _checked_appops(
    capture: Capture,
    package_dumps: package_dumps.PackageDumps,
    package_lists: Mapping[int, Mapping[str, InstalledPackage]],
) -> tuple[AppOpsDump, Answer]:
    answer = capture.answer("appops")
    parsed = _parse_appops_cached(answer.text)
    if not answer.text:
        return parsed, answer
    forged = parsed.forged_name or _find_wrong_uid(parsed, package_dumps, package_lists)
    if forged is not None:
        return AppOpsDump(), replace(
            answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.forged", package=forged)
        )
    if answer.state is not AnswerState.ANSWERED:
        return parsed, answer
    if not parsed.uids:
        return parsed, replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.not_this_dump"))
    if answer.exit_code is None and not parsed.reached_end:
        return parsed, replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message("coverage.no_end"))
    return parsed, answer


@lru_cache(maxsize=package_dumps.CACHED_DUMPS)
def _parse_appops_cached(text: str) -> AppOpsDump:
    return appops.parse_appops(text, apps.RELEVANT_OPS)  # the same after each round of asking a phone


def _find_wrong_uid(
    parsed: AppOpsDump,
    package_dumps: package_dumps.PackageDumps,
    package_lists: Mapping[int, Mapping[str, InstalledPackage]],
) -> str | None:
    """A package that app-ops name below the uid of another app."""
    for number, uid in parsed.uids.items():
        user, app_id = divmod(number, PER_USER_RANGE)
        if app_id < FIRST_APP_ID:
            continue  # the system's own uids go by names that no package has
        for name in uid.packages:
            block, line = package_dumps.full.dump.packages.get(name), package_lists.get(user, {}).get(name)
            known = {block.app_id if block is not None else None, line.app_id if line is not None else None} - {None}
            if known and app_id not in known:
                return name
    return None
