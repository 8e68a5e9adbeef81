"""Turn a capture into facts, without judging them. What was not read never becomes "not granted"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys import FIRST_APP_ID, PER_USER_RANGE, appops, device, special_access
from privaudit.dumpsys.appops_model import AppOpsDump
from privaudit.dumpsys.device import DumpClock
from privaudit.dumpsys.package_list import InstalledPackage, parse_package_list
from privaudit.facts import apk_facts, apps, coverage, package_dumps
from privaudit.facts.apps import AppInputs, FactLocations
from privaudit.facts.cache import AppCache
from privaudit.facts.effective_permission import OP_SWITCHES, OP_SWITCHES_MAX_SDK
from privaudit.facts.package_dumps import PackageDumps
from privaudit.model import AnswerState, Facts, User, UserKind


def gather_facts(capture: Capture, cache: AppCache | None = None) -> Facts:
    """Gather everything that `capture` contains.

    An incomplete answer contributes the facts that are certain (a grant that was printed), never those that depend on
    something missing. `Facts.coverage` lists what was not read, and why.

    Args:
        capture: of one phone.
        cache: apps built from an earlier, smaller capture of the same phone.
    """
    checked_lists = _check_package_lists(capture)
    package_lists = {
        user: checked.packages
        for user, checked in checked_lists.items()
        if checked.answer.state is AnswerState.ANSWERED
    }
    properties = device.parse_properties(capture.answer("properties").text)
    dumps = package_dumps.read_package_dumps(capture, package_lists)
    phone = device.phone_from_properties(properties, dumps.full.dump.sdk)
    clock_answer = capture.answer("clock")
    clock, now = device.parse_phone_clock(properties, clock_answer.text, capture.taken_at)
    if clock_answer.translated_from is not None:
        clock = replace(clock, offset_s=None)  # it was not compared with a computer's clock
    kinds = _user_kinds(capture, phone.sdk, dumps.user_ids() | set(package_lists))
    ops, ops_answer = _check_appops(capture, dumps, package_lists)
    special = special_access.parse_special_access(capture)
    cache = cache or AppCache()
    cache.invalidate(capture)
    apks = cache.apk_reader.read_all(capture, phone, dumps.version_codes())
    inputs = AppInputs(
        sdk=phone.sdk,
        package_dumps=dumps,
        appops=ops,
        appops_complete=ops_answer.state is AnswerState.ANSWERED and not ops.unparsed_lines,
        op_switches=OP_SWITCHES if phone.sdk is not None and phone.sdk <= OP_SWITCHES_MAX_SDK else {},
        package_lists=package_lists,
        third_party_packages={
            answer.user or 0: frozenset(parse_package_list(answer.text)[0])
            for answer in capture.answers_to("third_party")
            if answer.state is AnswerState.ANSWERED
        },
        special_access=special.by_package_and_user,
        clock=DumpClock(now=now, zone=ZoneInfo(clock.zone) if clock.zone else None),
    )
    users = tuple(_build_user(user_id, kind, capture, checked_lists, dumps) for user_id, kind in sorted(kinds.items()))
    locations = FactLocations()
    gathered_apps = tuple(
        app
        for user in users
        # The package dump may describe some apps of a user whose list was refused. That user stays unchecked.
        if user.checked or user.id in dumps.user_ids()
        for app in cache.build_apps(capture, inputs, apks, user.id, locations)
    )
    parsed = coverage.ParsedAnswers(
        answers={
            "packages": dumps.full.answer,
            "appops": ops_answer,
            **{checked.answer.key: checked.answer for checked in checked_lists.values()},
        },
        unparsed_lines={
            "packages": dumps.full.dump.unparsed_lines,
            "appops": ops.unparsed_lines,
            "users": device.count_unparsed_user_lines(capture.answer("users").text),
            **{checked.answer.key: checked.unparsed_lines for checked in checked_lists.values()},
            **special.unparsed_lines,
        },
        package_dumps=dumps,
    )
    return Facts(
        phone=phone,
        clock=clock,
        users=users,
        apps=gathered_apps,
        coverage=(
            *coverage.coverage_rows(capture, phone.sdk, kinds, parsed),
            *apk_facts.apk_coverage_rows(capture, gathered_apps),
        ),
        locations=locations,
    )


@dataclass(frozen=True, slots=True)
class _CheckedPackageList:
    """``pm list packages`` of one user. The state of `answer` reflects what its text contains."""

    answer: Answer
    packages: Mapping[str, InstalledPackage]
    unparsed_lines: int


def _check_package_lists(capture: Capture) -> Mapping[int, _CheckedPackageList]:
    checked_lists = {}
    for answer in capture.answers_to("installed"):
        user = answer.user or 0
        packages, unparsed_lines = parse_package_list(answer.text)
        third_party = capture.answer(f"third_party.{user}")
        problem = None
        if not packages:
            problem = "coverage.no_packages"  # every phone has apps
        elif answer.exit_code is None and not answer.text.endswith("\n"):
            problem = "coverage.no_end"
        elif (
            third_party.state is AnswerState.ANSWERED
            and not parse_package_list(third_party.text)[0].keys() <= packages.keys()
        ):
            problem = "coverage.no_end"  # the shorter list has a package that the longer one lacks
        checked = answer
        if problem is not None and answer.state is AnswerState.ANSWERED:
            checked = replace(answer, state=AnswerState.UNREADABLE, detail=coverage_message(problem))
        checked_lists[user] = _CheckedPackageList(checked, packages, unparsed_lines)
    return checked_lists


def _user_kinds(capture: Capture, sdk: int | None, seen_user_ids: Iterable[int]) -> dict[int, UserKind]:
    """Return the listed users, and those that only other answers mention."""
    unlisted = {user_id: UserKind.OTHER if user_id else UserKind.OWNER for user_id in seen_user_ids}
    return {**unlisted, **device.parse_users(capture.answer("users").text, sdk)}


def _build_user(
    user_id: int,
    kind: UserKind,
    capture: Capture,
    checked_lists: Mapping[int, _CheckedPackageList],
    dumps: PackageDumps,
) -> User:
    answer = checked_lists[user_id].answer if user_id in checked_lists else capture.answer(f"installed.{user_id}")
    is_in_dump = answer.state is AnswerState.NOT_ASKED and user_id in dumps.user_ids()
    checked = answer.state is AnswerState.ANSWERED or is_in_dump
    return User(id=user_id, kind=kind, checked=checked, why_not=None if checked else answer.state)


def _check_appops(
    capture: Capture, dumps: PackageDumps, package_lists: Mapping[int, Mapping[str, InstalledPackage]]
) -> tuple[AppOpsDump, Answer]:
    answer = capture.answer("appops")
    dump = _parse_appops_cached(answer.text)
    if not answer.text:
        return dump, answer
    problem = None
    forged_name = dump.forged_name or _find_wrong_uid(dump, dumps, package_lists)
    if forged_name is not None:
        dump, problem = AppOpsDump(), coverage_message("coverage.forged", package=forged_name)
    elif answer.state is AnswerState.ANSWERED and not dump.uids:
        problem = coverage_message("coverage.not_this_dump")
    elif answer.state is AnswerState.ANSWERED and answer.exit_code is None and not dump.reached_end:
        problem = coverage_message("coverage.no_end")
    return dump, answer if problem is None else replace(answer, state=AnswerState.UNREADABLE, detail=problem)


@lru_cache(maxsize=package_dumps.CACHED_DUMPS)
def _parse_appops_cached(text: str) -> AppOpsDump:
    return appops.parse_appops(text, apps.RELEVANT_OPS)  # facts are gathered again after each round of questions


def _find_wrong_uid(
    dump: AppOpsDump, dumps: PackageDumps, package_lists: Mapping[int, Mapping[str, InstalledPackage]]
) -> str | None:
    """Return a package that app-ops list under the uid of another app."""
    for uid, uid_ops in dump.uids.items():
        user, app_id = divmod(uid, PER_USER_RANGE)
        if app_id < FIRST_APP_ID:
            continue  # names under the system's own uids need not be packages
        for name in uid_ops.packages:
            block, entry = dumps.full.dump.packages.get(name), package_lists.get(user, {}).get(name)
            known_ids = {
                block.app_id if block is not None else None,
                entry.app_id if entry is not None else None,
            } - {None}
            if known_ids and app_id not in known_ids:
                return name
    return None
