"""Turn a capture into facts, without judging them. What was not read never becomes "not granted"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from privaudit.android import FIRST_APP_ID, MAX_PACKAGES, PER_USER_RANGE
from privaudit.apk.info import ApkInfo, read_installed_apk, trim_and_read_apk
from privaudit.apk.parts import ApkParts
from privaudit.capture.answers import Answer, coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys import appops, device, gc_paused, special_access
from privaudit.dumpsys.appops import AppOpsDump
from privaudit.dumpsys.appops_get import parse_appops_get
from privaudit.dumpsys.device import DumpClock
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.dumpsys.special_access import SpecialAccessFacts
from privaudit.facts import apk_facts, apps, coverage, package_dumps
from privaudit.facts.apps import AppInputs
from privaudit.facts.package_dumps import PackageDumps, PackageLists, with_problem
from privaudit.facts.permissions import OP_SWITCHES, OP_SWITCHES_MAX_SDK
from privaudit.model import (
    AnswerState,
    AppSummary,
    Coverage,
    FactLocation,
    Facts,
    Message,
    Phone,
    PhoneClock,
    User,
    UserKind,
)

_APPOPS_TITLE: Final = "Current AppOps"


def gather_facts(capture: Capture) -> Facts:
    """Return everything that `capture` says, with every app in full."""
    return summarise_phone(capture).build_apps()


def summarise_phone(
    capture: Capture, previous: PhoneFacts | None = None, parsed_apks: Mapping[str, ApkInfo] | None = None
) -> PhoneFacts:
    """Parse `capture` and summarise every app.

    A fact from an answer that is not whole is kept where it is certain (a grant that was printed), never where it rests
    on something missing. `PhoneFacts.coverage` says what was not read, and why.

    `previous`: the facts of the same capture when it had fewer answers and APKs, reused where the answers are the same.
    `parsed_apks`: by package, APKs that were parsed when they were read.
    """
    list_answers = {
        answer.user or 0: _check_package_list(answer, capture) for answer in capture.answers_to("installed")
    }
    package_lists = {
        user: parse_package_list(answer.text)[0]
        for user, answer in list_answers.items()
        if answer.state is AnswerState.ANSWERED
    }
    properties = device.parse_properties(capture.answer("properties").text)
    dumps = package_dumps.read_package_dumps(capture, package_lists)
    phone = device.phone_from_properties(properties, dumps.full.dump.sdk)
    clock_answer = capture.answer("clock")
    clock, now = device.parse_phone_clock(properties, clock_answer.text, capture.taken_at)
    if clock_answer.translated_from is not None:
        clock = replace(clock, offset_s=None)  # no computer's clock was read beside it
    kinds = {
        **{user_id: device.user_kind(user_id) for user_id in dumps.user_ids() | package_lists.keys()},
        **device.parse_users(capture.answer("users").text, capture.answer("user_types").text),
    }
    ops, doubtful_uids, ops_answer = _check_appops(capture, dumps, package_lists)
    special = special_access.parse_special_access(capture)
    inputs = AppInputs(
        sdk=phone.sdk,
        has_miui_ops=phone.rom.id in {"miui", "hyperos"} if properties else None,
        package_dumps=dumps,
        appops=ops,
        appops_complete=ops_answer.state is AnswerState.ANSWERED,
        appops_uids={
            (package, uid // PER_USER_RANGE): uid for uid, uid_ops in ops.uids.items() for package in uid_ops.packages
        },
        verified_ops={
            (answer.key.split(".", 2)[2], answer.user or 0): parse_appops_get(answer.text, answer.key)
            for answer in capture.answers_to("appops_get")
            if answer.state is AnswerState.ANSWERED
        },
        doubtful_uids=doubtful_uids,
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
    users = tuple(
        _build_user(user_id, kind, list_answers.get(user_id) or capture.answer(f"installed.{user_id}"), dumps)
        for user_id, kind in sorted(kinds.items())
    )
    version_codes = dumps.version_codes()
    apks = _read_apks(capture, phone, version_codes, previous, parsed_apks or {})
    summaries = tuple(_summarise_apps(capture, inputs, users, apks, previous))
    doubt = coverage_message("coverage.doubtful", n=len(doubtful_uids)) if doubtful_uids else None

    @cache
    def read_coverage() -> tuple[Coverage, ...]:
        assessed = {
            "packages": dumps.full.answer,
            "packages_proto": dumps.proto_answer,
            "appops": with_problem(ops_answer, doubt),
            **{answer.key: answer for answer in list_answers.values()},
        }
        unparsed_lines = {
            "packages": dumps.full.dump.unparsed_lines,
            "appops": ops.unparsed_lines,
            "users": device.count_unparsed_user_lines(capture.answer("users").text),
            **{answer.key: parse_package_list(answer.text)[1] for answer in list_answers.values()},
            **(special.unparsed_lines + _count_unknown_holders(capture, special, summaries, package_lists)),
        }
        notes = dict(_coverage_notes(capture, inputs))
        return (
            *coverage.coverage_rows(
                capture, phone.sdk, kinds, dumps, assessed=assessed, unparsed_lines=unparsed_lines, notes=notes
            ),
            *apk_facts.apk_coverage_rows(capture, summaries, apks, phone.sdk),
        )

    return PhoneFacts(
        capture=capture,
        phone=phone,
        clock=clock,
        users=users,
        summaries=summaries,
        read_coverage=read_coverage,
        inputs=inputs,
        version_codes=version_codes,
        apks=apks,
    )


def add_apks(phone_facts: PhoneFacts, apks: Iterable[ApkParts]) -> PhoneFacts:
    """Add APKs to the capture, their resource tables trimmed, and to the facts. Returns the new facts."""
    phone, trimmed, parsed = phone_facts.phone, [], {}
    with gc_paused():
        for apk in apks:
            version_code = phone_facts.version_codes.get(apk.package)
            kept, parsed[apk.package] = trim_and_read_apk(apk, phone.languages, phone.sdk, version_code=version_code)
            trimmed.append(kept)
    return summarise_phone(phone_facts.capture.with_apks(trimmed), phone_facts, parsed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFacts:
    """What a capture says of a phone, with a summary of each app. `build_apps` reads apps in full."""

    capture: Capture
    phone: Phone
    clock: PhoneClock
    users: tuple[User, ...]
    summaries: tuple[AppSummary, ...]
    read_coverage: Callable[[], tuple[Coverage, ...]]
    """Returns `coverage`. An audit summarises a phone after each round trip, and says only once what was read."""
    inputs: AppInputs
    version_codes: Mapping[str, int]
    apks: Mapping[str, ApkInfo]

    @property
    def coverage(self) -> tuple[Coverage, ...]:
        """What was read and what was not."""
        return self.read_coverage()

    def build_apps(self, keys: Iterable[tuple[str, int]] | None = None) -> Facts:
        """Return the facts with the apps of `keys` (package and user) in full; ``None``: with every app."""
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
        known = {
            (one.package, one.user): one
            for one in previous.summaries
            if previous.apks.get(one.package) is apks.get(one.package)
            and all(
                previous.capture.answers.get(key) is capture.answers.get(key)
                for key in (f"package.{one.package}", f"appops_get.{one.user}.{one.package}")
            )
        }
    for user in users:
        # The dump may name apps of a user whose list was refused: not all of them, so the user stays unchecked.
        if not user.checked and user.id not in inputs.package_dumps.user_ids():
            continue
        for package in apps.installed_packages(inputs, user.id):
            yield known.get((package, user.id)) or apps.summarise_app(inputs, package, user.id, apks.get(package))


def _shared_answers(capture: Capture) -> Mapping[str, int]:
    """Identity of each answer that is not about one package: a changed one may change every app."""
    return {
        key: id(answer) for key, answer in capture.answers.items() if not key.startswith(("package.", "appops_get."))
    }


def _check_package_list(answer: Answer, capture: Capture) -> Answer:
    """Return an answer to ``pm list packages`` with a state that reflects what its text contains."""
    packages, _ = parse_package_list(answer.text)
    third_party = capture.answer(f"third_party.{answer.user or 0}")
    problem = None
    if not packages:
        problem = "coverage.no_packages"  # every phone has apps
    elif len(packages) >= MAX_PACKAGES:
        problem = "coverage.too_many"
    elif answer.exit_code is None and not answer.text.endswith("\n"):
        problem = "coverage.no_end"
    elif (
        third_party.state is AnswerState.ANSWERED
        and not parse_package_list(third_party.text)[0].keys() <= packages.keys()
    ):
        problem = "coverage.no_end"  # the shorter list has a package that the longer one lacks
    return with_problem(answer, coverage_message(problem, n=MAX_PACKAGES) if problem is not None else None)


def _build_user(user_id: int, kind: UserKind, list_answer: Answer, dumps: PackageDumps) -> User:
    is_in_dump = list_answer.state is AnswerState.NOT_ASKED and user_id in dumps.user_ids()
    checked = list_answer.state is AnswerState.ANSWERED or is_in_dump
    return User(id=user_id, kind=kind, checked=checked, why_not=None if checked else list_answer.state)


def _check_appops(
    capture: Capture, dumps: PackageDumps, package_lists: PackageLists
) -> tuple[AppOpsDump, frozenset[int], Answer]:
    """Return the app-ops, the uids whose lines are doubtful, and the answer."""
    answer = capture.answer("appops")
    dump = _parse_appops_cached(answer.text)
    if not answer.text:
        return dump, frozenset(), answer
    doubtful_uids = {uid for uid, uid_ops in dump.uids.items() if uid_ops.is_doubtful}
    doubtful_uids.update(_find_wrong_uids(dump, dumps, package_lists))
    # A text that was saved by hand may lack its beginning, with the uids there.
    has_beginning = answer.exit_code is not None or _APPOPS_TITLE in answer.text.partition("\n  Uid ")[0]
    answer = package_dumps.assess_answer(
        answer, is_this_dump=bool(dump.uids) and has_beginning, reached_end=dump.reached_end
    )
    return dump, frozenset(doubtful_uids), answer


@lru_cache(maxsize=package_dumps.CACHED_DUMPS)
def _parse_appops_cached(text: str) -> AppOpsDump:
    return appops.parse_appops(text, apps.RELEVANT_OPS)  # facts are gathered again after each round of questions


def _count_unknown_holders(
    capture: Capture, special: SpecialAccessFacts, summaries: Iterable[AppSummary], package_lists: PackageLists
) -> Counter[str]:
    """Count, by answer key, the holders of a role and administrators that the user has not installed, in saved texts.

    Android removes these with their package: the name was altered, or the answer is of another phone. Settings may name
    removed apps.
    """
    saved = {key for key in ("roles", "device_policy") if capture.answer(key).exit_code is None}
    installed = {(one.package, one.user) for one in summaries}
    return Counter(
        entry.location.answer_key
        for (package, user), entries in special.by_package_and_user.items()
        for entry in entries
        if entry.location.answer_key in saved and user in package_lists and (package, user) not in installed
    )


def _coverage_notes(capture: Capture, inputs: AppInputs) -> Iterator[tuple[str, Message]]:
    """Yield what to know of answers that were read: which texts could be checked, and how many differed."""
    if inputs.package_dumps.proto:
        if differing := inputs.package_dumps.differing_packages(apps.DATA_CLASS_PERMISSIONS.keys()):
            yield "packages_proto", coverage_message("coverage.differing", n=len(differing))
    elif capture.answer("packages").exit_code is None:  # another tool saved the text
        yield "packages", coverage_message("coverage.text_alone")
    if differing_ops := apps.differing_ops(inputs):
        yield "appops", coverage_message("coverage.differing", n=differing_ops)


def _find_wrong_uids(dump: AppOpsDump, dumps: PackageDumps, package_lists: PackageLists) -> Iterator[int]:
    """Yield each uid with a package that is not its own, and the uid before it, whose text may have opened it."""
    before: int | None = None
    for uid, uid_ops in dump.uids.items():
        user, app_id = divmod(uid, PER_USER_RANGE)
        # Names under the system's own uids need not be packages.
        for name in uid_ops.packages if app_id >= FIRST_APP_ID else ():
            block, entry = dumps.full.dump.find_block(name), package_lists.get(user, {}).get(name)
            known_ids = {one.app_id for one in (block, entry) if one is not None} - {None}
            # An app that is hidden from the list and holds none of the permissions has no block either.
            is_hidden_elsewhere = not (dumps.names_every_package or dumps.proto or dump.has_tags)
            is_unknown = block is None and entry is None and name not in dumps.proto and user in package_lists
            if is_unknown and not is_hidden_elsewhere:
                yield uid
            elif known_ids and app_id not in known_ids:
                yield from (uid, uid if before is None else before)
        before = uid
