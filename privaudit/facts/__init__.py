"""Reads a capture into facts. Nothing is judged here, and nothing that was not read becomes "not granted"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

from privaudit.android import FIRST_APP_ID, PER_USER_RANGE
from privaudit.apk.info import ApkInfo, read_installed_apk
from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys import appops, device, special_access
from privaudit.dumpsys.appops_model import AppOpsDump
from privaudit.dumpsys.device import DumpClock
from privaudit.dumpsys.package_list import InstalledPackage, parse_package_list
from privaudit.facts import apk_facts, apps, coverage, package_dumps
from privaudit.facts.apps import AppInputs
from privaudit.facts.effective_permission import OP_SWITCHES, OP_SWITCHES_MAX_SDK
from privaudit.model import (
    AnswerState,
    AppSummary,
    Coverage,
    FactLocation,
    Facts,
    Phone,
    PhoneClock,
    User,
    UserKind,
)


def gather_facts(capture: Capture) -> Facts:
    """Return everything that `capture` says, with every app in full."""
    return summarise_phone(capture).build_apps()


def summarise_phone(
    capture: Capture, previous: PhoneFacts | None = None, parsed_apks: Mapping[str, ApkInfo] | None = None
) -> PhoneFacts:
    """Parse `capture` and summarise every app.

    A fact from an answer that is not whole is kept where it is certain (a grant that was printed), never where it rests
    on something missing. `PhoneFacts.coverage` says what was not read, and why.

    Args:
        capture: Of one phone.
        previous: The facts of the same capture when it had fewer answers and APKs. What rests on the same answers is taken
            from there.
        parsed_apks: By package, APKs that were parsed when they were read.
    """
    lists = _checked_package_lists(capture)
    package_lists = {user: one.packages for user, one in lists.items() if one.answer.state is AnswerState.ANSWERED}
    properties = device.parse_properties(capture.answer("properties").text)
    dumps = package_dumps.read_package_dumps(capture, package_lists)
    phone = device.phone_from_properties(properties, dumps.full.dump.sdk)
    clock_answer = capture.answer("clock")
    clock, now = device.parse_phone_clock(properties, clock_answer.text, capture.taken_at)
    if clock_answer.translated_from is not None:
        clock = replace(clock, offset_s=None)  # no computer's clock was read beside it
    kinds = _user_kinds(capture, phone.sdk, dumps.user_ids() | set(package_lists))
    ops, ops_answer = _checked_appops(capture, dumps, package_lists)
    special = special_access.parse_special_access(capture)
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
    users = tuple(_build_user(number, kind, capture, lists, dumps) for number, kind in sorted(kinds.items()))
    version_codes = dumps.version_codes()
    apks = _read_apks(capture, phone, version_codes, previous, parsed_apks or {})
    summaries = tuple(_summarise_apps(capture, inputs, users, apks, previous))
    parsed = coverage.ParsedAnswers(
        answers={
            "packages": dumps.full.answer,
            "appops": ops_answer,
            **{one.answer.key: one.answer for one in lists.values()},
        },
        unparsed_lines={
            "packages": dumps.full.dump.unparsed_lines,
            "appops": ops.unparsed_lines,
            "users": device.count_unparsed_user_lines(capture.answer("users").text),
            **{one.answer.key: one.unparsed_lines for one in lists.values()},
            **special.unparsed_lines,
        },
        package_dumps=dumps,
    )
    return PhoneFacts(
        capture=capture,
        phone=phone,
        clock=clock,
        users=users,
        summaries=summaries,
        coverage=(
            *coverage.coverage_rows(capture, phone.sdk, kinds, parsed),
            *apk_facts.apk_coverage_rows(capture, summaries),
        ),
        inputs=inputs,
        version_codes=version_codes,
        apks=apks,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFacts:
    """What a capture says of a phone, with a summary of each app. `build_apps` reads apps in full."""

    capture: Capture
    phone: Phone
    clock: PhoneClock
    users: tuple[User, ...]
    summaries: tuple[AppSummary, ...]
    coverage: tuple[Coverage, ...]
    inputs: AppInputs
    version_codes: Mapping[str, int]
    apks: Mapping[str, ApkInfo]

    def build_apps(self, keys: Iterable[tuple[str, int]] | None = None) -> Facts:
        """Return the facts with the apps of `keys` (package and user) in full, in that order; ``None``: with every app."""
        locations: dict[tuple[str, int, str], tuple[FactLocation, ...]] = {}
        selected = ((one.package, one.user) for one in self.summaries) if keys is None else keys
        return Facts(
            phone=self.phone,
            clock=self.clock,
            users=self.users,
            apps=tuple(
                apps.build_app(self.inputs, package, user, self.apks.get(package), locations)
                for package, user in selected
            ),
            coverage=self.coverage,
            locations=locations,
        )


def _read_apks(
    capture: Capture,
    phone: Phone,
    version_codes: Mapping[str, int],
    previous: PhoneFacts | None,
    parsed_apks: Mapping[str, ApkInfo],
) -> Mapping[str, ApkInfo]:
    known: dict[str, ApkInfo] = {}
    if previous is not None and previous.phone == phone:
        known = {
            package: info
            for package, info in previous.apks.items()
            if capture.apks.get(package) is previous.capture.apks[package]
            and version_codes.get(package) == previous.version_codes.get(package)
        }
    known |= parsed_apks
    return {
        package: known.get(package)
        or read_installed_apk(parts, phone.languages, phone.sdk, version_code=version_codes.get(package))
        for package, parts in capture.apks.items()
    }


def _summarise_apps(
    capture: Capture,
    inputs: AppInputs,
    users: Iterable[User],
    apks: Mapping[str, ApkInfo],
    previous: PhoneFacts | None,
) -> Iterator[AppSummary]:
    known = {}
    if previous is not None and _shared_answers(capture) == _shared_answers(previous.capture):
        known = {(one.package, one.user): one for one in previous.summaries}
    for user in users:
        # The dump may name apps of a user whose list was refused: not all of them, so the user stays unchecked.
        if not user.checked and user.id not in inputs.package_dumps.user_ids():
            continue
        for package in apps.installed_packages(inputs, user.id):
            summary = known.get((package, user.id))
            if (
                summary is None
                or previous is None
                or previous.apks.get(package) is not apks.get(package)
                or previous.capture.answers.get(f"package.{package}") is not capture.answers.get(f"package.{package}")
            ):
                summary = apps.summarise_app(inputs, package, user.id, apks.get(package))
            yield summary


def _shared_answers(capture: Capture) -> Mapping[str, int]:
    """Identity of each answer that is not about one package: a changed one may change every app."""
    return {key: id(answer) for key, answer in capture.answers.items() if not key.startswith("package.")}


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
