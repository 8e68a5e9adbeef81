"""The pipeline on one screen: ask, gather, choose suspects, ask again, gather, judge, report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from privaudit import __version__, facts, findings
from privaudit.apk import parts
from privaudit.capture import remote_apks, remote_file
from privaudit.capture.collector import OnRound, collect_answers, collect_first_round
from privaudit.capture.command_log import LoggingTransport
from privaudit.capture.model import Capture
from privaudit.capture.scripts import is_apk_path
from privaudit.errors import ConnectionLost
from privaudit.facts import apk_facts
from privaudit.facts.cache import AppCache
from privaudit.findings import legal_rules
from privaudit.knowledge import Knowledge
from privaudit.model import (
    AnswerState,
    App,
    Counts,
    Coverage,
    Facts,
    KnowledgeInfo,
    Report,
    Severity,
    Tool,
    Verdict,
)
from privaudit.revocation import steps
from privaudit.transport.base import Transport

_COMPLETE_DUMP_MIN_SDK: Final = 29
"""Below Android 10 a whole dump may lack an app that asks and was never granted: each own app is asked for by name."""
_USER_APP_PATHS: Final = ("/data/", "/mnt/")
"""Where Android installs, inside and on a card."""
_HASH_BATCH_SIZE: Final = 8
"""APKs in one script: a slow phone reads 100 MB in some seconds, and a script must end within minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What the user asked for beside the audit itself."""

    include_all_apps: bool = False
    """Put every app into the report, not only lending and listed ones."""
    include_unrecognised: bool = False
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionOptions:
    """How much a phone is asked."""

    read_labels: bool = True
    """Read the names of apps from their APKs."""
    hash_apks: bool = False
    """Let the phone compute the SHA-256 of every APK whose name is read: a hash finds an app under any name."""


def collect(
    transport: Transport,
    knowledge: Knowledge,
    *,
    demo: bool = False,
    options: CollectionOptions = CollectionOptions(),
    progress: OnRound = lambda _: None,
    on_apk_progress: remote_apks.OnReadProgress = lambda _: None,
    cache: AppCache | None = None,
) -> Capture:
    """Take a whole capture of a connected phone: everything, then the details of the suspects, then names.

    Args:
        transport: the phone.
        knowledge: tells which apps are suspect.
        demo: whether it is the virtual one.
        options: how much to ask.
        progress: told the name of each round as it begins.
        on_apk_progress: told how many APKs are read.
        cache: what `judged` need not read again.
    """
    recorder = LoggingTransport(transport)
    capture = collect_first_round(recorder, demo=demo, on_round=progress)
    cache = cache or AppCache()
    gathered = facts.gather_facts(capture, cache)
    wanted = dict.fromkeys((*_fallback_keys(capture, gathered), *packages_to_inspect(gathered, knowledge, cache)))
    capture = capture.with_answers(collect_answers(recorder, wanted, on_round=progress))
    if options.read_labels:
        progress("naming")
        capture = collect_apks(recorder, capture, knowledge, options, on_apk_progress, cache)
    return replace(capture, log=recorder.log)


def collect_apks(
    transport: Transport,
    capture: Capture,
    knowledge: Knowledge,
    options: CollectionOptions,
    on_apk_progress: remote_apks.OnReadProgress,
    cache: AppCache | None = None,
) -> Capture:
    """`capture` with what APKs say: suspects and candidates with their signers first, then the owner's other apps."""
    cache = cache or AppCache()
    paths = apk_facts.base_apk_paths(capture)
    every = {app.package: app for app in _recognise_apps(capture, knowledge, cache)}
    first = [name for name, app in every.items() if _needs_label_first(app)]
    then = [
        name
        for name, app in every.items()
        if not _needs_label_first(app) and _is_user_installed(app, paths.get(name, ""))
    ]
    read = remote_apks.read_apks(
        transport,
        tuple(_apk_requests(first, capture, with_certificates=True)),
        tuple(_apk_requests(then, capture)),
        on_progress=on_apk_progress,
    )
    capture = capture.with_apks(map(cache.apk_reader.trim_resources, read))
    # A name may show what a package did not: now its signers are of interest too.
    late = [
        app.package for app in _recognise_apps(capture, knowledge, cache) if app.is_recognised and app.package in then
    ]
    again = remote_apks.read_apks(transport, tuple(_apk_requests(dict.fromkeys(late), capture, with_certificates=True)))
    # A cable pulled here takes no name away that was read before.
    capture = capture.with_apks(
        cache.apk_reader.trim_resources(one)
        if one.state is AnswerState.ANSWERED
        else parts.with_cut_signers(capture.apks[one.package])
        for one in again
        if one.state in {AnswerState.ANSWERED, AnswerState.NOT_ASKED}
    )
    if not options.hash_apks:
        return capture
    wanted = [
        paths[name] for name in (*first, *then) if is_apk_path(paths.get(name, "")) and not _has_hash(capture, name)
    ]
    hashes: dict[str, str | None] = {}
    with contextlib.suppress(ConnectionLost):  # what was read before stays
        for begin in range(0, len(wanted), _HASH_BATCH_SIZE):
            asked = wanted[begin : begin + _HASH_BATCH_SIZE]
            hashes |= {**dict.fromkeys(asked), **remote_file.fetch_file_hashes(transport, asked)}
    return capture.with_apks(
        parts.with_sha256(one, hashes[one.path]) for one in capture.apks.values() if one.path in hashes
    )


def _recognise_apps(capture: Capture, knowledge: Knowledge, cache: AppCache) -> tuple[App, ...]:
    return findings.recognise_apps(facts.gather_facts(capture, cache), knowledge, cache.recognition_cache)


def _needs_label_first(app: App) -> bool:
    """Whether its name decides something: recognised, or not part of the phone and able to read."""
    return app.is_recognised or (not app.system and any(access.state.allows_reading for access in app.access.values()))


def _is_user_installed(app: App, path: str) -> bool:
    """Whether it is more than what the maker put on the phone.

    Lenders come with some phones. Once such an app is updated, its new copy lies among the owner's apps.
    """
    return not app.system or path.startswith(_USER_APP_PATHS)


def _apk_requests(
    packages: Iterable[str], capture: Capture, *, with_certificates: bool = False
) -> Iterator[remote_apks.ApkRequest]:
    """What to read of `packages`; nothing that an earlier visit read."""
    paths = apk_facts.base_apk_paths(capture)
    for name in packages:
        known = capture.apks.get(name)
        read = known is not None and known.state is not AnswerState.NOT_ASKED
        if with_certificates and read and known is not None:
            read = parts.signers_requested(known)
        if name in paths and not read:
            yield remote_apks.ApkRequest(package=name, path=paths[name], with_certificates=with_certificates)


def _has_hash(capture: Capture, package: str) -> bool:
    known = capture.apks.get(package)
    return known is not None and (known.sha256 is not None or parts.FILE_SHA256 in known.problems)


def build_report(
    capture: Capture, knowledge: Knowledge, options: ReportOptions, cache: AppCache | None = None
) -> Report:
    """The report on a capture, live or saved. `cache`: the one that `collect` was given, with this `knowledge`."""
    cache = cache or AppCache()
    gathered = facts.gather_facts(capture, cache)
    judgement = findings.run_checks(
        capture,
        gathered,
        knowledge,
        include_unrecognised=options.include_unrecognised,
        recognition_cache=cache.recognition_cache,
    )
    by_key = {(app.package, app.user): app for app in judgement.apps}
    kinds = {user.id: user.kind for user in gathered.users}
    found = tuple(
        steps.attach_steps(finding, by_key[finding.package, finding.user], gathered.phone, kinds[finding.user])
        for finding in judgement.findings
    )
    named = {(finding.package, finding.user) for finding in found}
    day, book = capture.taken_at.date(), knowledge.rules
    # Only now: the findings stand already, and a rule can make none and raise none.
    shown = tuple(
        legal_rules.annotate_app(app, book, options.country, day)
        for key, app in by_key.items()
        if options.include_all_apps or app.is_recognised or key in named
    )
    return Report(
        demo=capture.demo,
        tool=Tool(name="privaudit", version=__version__),
        knowledge=KnowledgeInfo(
            signatures=knowledge.describe_lists(options.country), rules=book.describe_rules(options.country, day)
        ),
        taken_at=capture.taken_at,
        phone_clock=gathered.clock,
        consent=None,
        source=capture.source,
        phone=gathered.phone,
        users=gathered.users,
        coverage=tuple(map(_without_package_name, gathered.coverage)),
        counts=Counts.from_apps(judgement.apps, judgement.unrecognised_count),
        apps=shown,
        findings=found,
        verdict=Verdict.FOUND if any(f.severity is not Severity.INFO for f in found) else Verdict.NOTHING_FOUND,
        complete=is_complete(gathered),
    )


def _without_package_name(row: Coverage) -> Coverage:
    """`row` without the name of the app that was asked about: below Android 10 that may be any app."""
    return replace(row, detail=None) if row.question == "package" else row


def is_complete(gathered: Facts) -> bool:
    """Whether nothing is missing that could hide a finding."""
    looked_at = bool(gathered.users) and all(user.checked for user in gathered.users)
    return looked_at and not any(row.could_hide for row in gathered.coverage)


def _fallback_keys(capture: Capture, gathered: Facts) -> Iterator[str]:
    """Where the users could not be listed, at least the owner's apps are."""
    if not gathered.users and "installed.0" not in capture.answers:
        yield from ("installed.0", "third_party.0", "settings.0")


def packages_to_inspect(gathered: Facts, knowledge: Knowledge, cache: AppCache | None = None) -> Iterator[str]:
    """Packages whose own dump is worth a look: recognised ones; below Android 10 all that are not the system's."""
    cache = cache or AppCache()
    every = (gathered.phone.sdk or 0) < _COMPLETE_DUMP_MIN_SDK
    # What turned out forged or cut is no answer: then each app is asked for by name, where it can only speak of itself.
    states = {row.question: row.state for row in gathered.coverage}
    sound = states.get("packages") is AnswerState.ANSWERED
    for app in findings.recognise_apps(gathered, knowledge, cache.recognition_cache):
        if app.is_recognised or ((every or not sound) and not app.system):
            yield f"package.{app.package}"
