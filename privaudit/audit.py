"""The pipeline on one screen: ask, gather, choose suspects, ask again, gather, judge, report.

Longer than 300 lines because it is the one module that knows every stage.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privaudit import __version__, facts, findings
from privaudit.apk import parts
from privaudit.capture import questions, remote_apks, remote_file
from privaudit.capture.answers import coverage_message, missing_answer
from privaudit.capture.collector import OnRound, collect_answers, collect_first_round
from privaudit.capture.command_log import LoggingTransport
from privaudit.capture.model import Capture
from privaudit.capture.scripts import is_apk_path
from privaudit.errors import ConnectionLost
from privaudit.facts import PhoneFacts, apk_facts
from privaudit.findings import legal_rules, named
from privaudit.findings.unrecognised import is_unrecognised_reader
from privaudit.knowledge import Knowledge
from privaudit.model import (
    AccessState,
    AnswerState,
    AppNameQuery,
    AppSummary,
    Counts,
    Facts,
    KnowledgeInfo,
    Report,
    Severity,
    Tool,
    Verdict,
)
from privaudit.revocation import steps
from privaudit.transport.base import Transport

_USER_APP_PATHS: Final = ("/data/", "/mnt/")
"""Where Android installs, inside and on a card."""
_NO_ACCESS: Final = frozenset({AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED})
_MAX_DETAILS: Final = 1000
"""Answers about single apps, each of some ten kilobytes."""
_HASH_BATCH_SIZE: Final = 8
"""APKs in one script: a slow phone reads 100 MB in some seconds, and a script must end within minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What the user asked for beside the audit itself."""

    include_all_apps: bool = False
    """Put every app into the report, not only lending and listed ones."""
    include_unrecognised: bool = False
    country: str | None = None
    app_names: tuple[str, ...] = ()
    """Names of apps that the user asks for: package names, or labels, whole or in part."""
    include_packages: frozenset[str] = frozenset()
    """Packages to report on in any case, where they are installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionOptions:
    """How much a phone is asked."""

    read_labels: bool = True
    """Read the names of apps from their APKs."""
    hash_apks: bool = False
    """Let the phone compute the SHA-256 of every APK whose name is read: a hash finds an app under any name."""
    app_names: tuple[str, ...] = ()
    """As in `ReportOptions`: these apps are asked about like recognised ones."""


def collect(
    transport: Transport,
    knowledge: Knowledge,
    *,
    demo: bool = False,
    options: CollectionOptions = CollectionOptions(),
    progress: OnRound = lambda _: None,
    on_apk_progress: remote_apks.OnReadProgress = lambda _: None,
) -> tuple[Capture, PhoneFacts]:
    """Collect a whole capture of a connected phone: everything, then details of the apps that matter, then their APKs.

    Returns its facts as well, which `build_report` need not gather again. `knowledge` decides which apps are asked
    about by name. `progress` is called with the name of each round as it begins, and `on_apk_progress` with how many
    APKs are read. `demo` means the virtual phone.
    """
    log = LoggingTransport(transport)
    capture = collect_first_round(log, demo=demo, on_round=progress)
    phone_facts = facts.summarise_phone(capture)
    phone_facts = collect_details(log, phone_facts, knowledge, progress, options.app_names)
    if options.read_labels:
        progress("naming")
        phone_facts = collect_apks(log, phone_facts, knowledge, options, on_apk_progress)
        # The same questions once more, about the apps that only their names have recognised.
        phone_facts = collect_details(log, phone_facts, knowledge, progress, options.app_names)
    return replace(phone_facts.capture, log=log.log), phone_facts


def collect_details(
    transport: Transport,
    phone_facts: PhoneFacts,
    knowledge: Knowledge,
    progress: OnRound,
    app_names: Sequence[str] = (),
) -> PhoneFacts:
    """Ask the questions about single apps that the phone was not asked yet; return the facts with the answers."""
    capture = phone_facts.capture
    wanted = dict.fromkeys((*_fallback_keys(phone_facts), *keys_to_inspect(phone_facts, knowledge, app_names)))
    keys = [key for key in wanted if capture.answer(key).state is AnswerState.NOT_ASKED]
    if not keys:
        return phone_facts
    # No real phone has more; with a hostile one this must end.
    too_many = coverage_message("coverage.too_many", n=_MAX_DETAILS)
    answers = {key: missing_answer(key) for key in keys[:_MAX_DETAILS]}  # as long as the connection has not brought it
    answers |= {one.key: one for one in collect_answers(transport, tuple(answers), on_round=progress)}
    answers |= {key: missing_answer(key, AnswerState.UNREADABLE, too_many) for key in keys[_MAX_DETAILS:]}
    return facts.summarise_phone(capture.with_answers(answers.values()), phone_facts)


def collect_apks(
    transport: Transport,
    phone_facts: PhoneFacts,
    knowledge: Knowledge,
    options: CollectionOptions,
    on_apk_progress: remote_apks.OnReadProgress,
) -> PhoneFacts:
    """Read the APKs of apps whose label decides something, with certificates, then those of the owner's other apps."""
    capture, paths = phone_facts.capture, apk_facts.base_apk_paths(phone_facts.capture)
    by_package = {app.package: app for app in _recognise_apps(phone_facts, knowledge, options.app_names)}
    priority = [name for name, app in by_package.items() if _needs_label_first(app)]
    others = [
        name
        for name, app in by_package.items()
        if not _needs_label_first(app) and _is_user_installed(app, paths.get(name, ""))
    ]
    phone_facts = facts.add_apks(
        phone_facts,
        remote_apks.read_apks(
            transport,
            tuple(_apk_requests(priority, capture, with_certificates=True)),
            tuple(_apk_requests(others, capture)),
            on_progress=on_apk_progress,
        ),
    )
    # A label may recognise an app that its package name did not: now its signers matter too.
    recognised = _recognise_apps(phone_facts, knowledge, options.app_names)
    newly_recognised = dict.fromkeys(app.package for app in recognised if app.is_reported and app.package in others)
    if newly_recognised:
        capture = phone_facts.capture
        retried = remote_apks.read_apks(
            transport, tuple(_apk_requests(newly_recognised, capture, with_certificates=True))
        )
        # A cable pulled here removes no label that was read before.
        phone_facts = facts.add_apks(
            phone_facts,
            (
                apk if apk.state is AnswerState.ANSWERED else parts.with_cut_signers(capture.apks[apk.package])
                for apk in retried
                if apk.state in {AnswerState.ANSWERED, AnswerState.NOT_ASKED}
            ),
        )
    return _with_hashes(transport, phone_facts, (*priority, *others)) if options.hash_apks else phone_facts


def _with_hashes(transport: Transport, phone_facts: PhoneFacts, packages: Iterable[str]) -> PhoneFacts:
    capture, paths = phone_facts.capture, apk_facts.base_apk_paths(phone_facts.capture)
    wanted = [paths[name] for name in packages if is_apk_path(paths.get(name, "")) and not _has_hash(capture, name)]
    hashes: dict[str, str | None] = {}
    with contextlib.suppress(ConnectionLost):  # what was read before stays
        for begin in range(0, len(wanted), _HASH_BATCH_SIZE):
            batch = wanted[begin : begin + _HASH_BATCH_SIZE]
            hashes |= {**dict.fromkeys(batch), **remote_file.fetch_file_hashes(transport, batch)}
    hashed = [parts.with_sha256(apk, hashes[apk.path]) for apk in capture.apks.values() if apk.path in hashes]
    return facts.summarise_phone(capture.with_apks(hashed), phone_facts)


def _recognise_apps(phone_facts: PhoneFacts, knowledge: Knowledge, app_names: Sequence[str]) -> tuple[AppSummary, ...]:
    """Return every app, those that lend, are listed or were asked for by name marked as such."""
    queries = named.find_named_apps(app_names, phone_facts.summaries)
    return findings.recognise_apps(phone_facts.summaries, knowledge, _named_packages(queries))


def _named_packages(queries: Iterable[AppNameQuery]) -> frozenset[str]:
    return frozenset(package for query in queries for package in query.packages)


def _needs_label_first(app: AppSummary) -> bool:
    """Whether its label decides something: reported, or not part of the phone and able to read."""
    return app.is_reported or (not app.system and app.can_read)


def _is_user_installed(app: AppSummary, path: str) -> bool:
    """Whether it is more than what the manufacturer put on the phone.

    Some phones come with lenders. An update of such an app is stored among the owner's apps.
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
    capture: Capture, knowledge: Knowledge, options: ReportOptions, phone_facts: PhoneFacts | None = None
) -> Report:
    """Build the report on a capture, live or saved. Only apps that the report names are read in full.

    `phone_facts` are the facts of `capture` where `collect` gathered them; else they are gathered here.
    """
    phone_facts = phone_facts or facts.summarise_phone(capture)
    queries = named.find_named_apps(options.app_names, phone_facts.summaries)
    summaries = findings.recognise_apps(phone_facts.summaries, knowledge, _named_packages(queries))
    suspects = {(app.package, app.user) for app in summaries if is_unrecognised_reader(app, knowledge)}
    reported = [
        (app.package, app.user)
        for app in summaries
        if options.include_all_apps
        or app.is_reported
        or app.package in options.include_packages
        or (options.include_unrecognised and (app.package, app.user) in suspects)
    ]
    packages = frozenset(app.package for app in summaries)
    reported_packages = {app.package for app in summaries if app.is_reported}
    others = {app.package: app.system for app in summaries if app.can_read and app.package not in reported_packages}
    results = findings.run_checks(
        capture,
        phone_facts.build_apps(reported),
        knowledge,
        include_unrecognised=options.include_unrecognised,
        all_packages=packages,
        named_packages=_named_packages(queries),
    )
    apps = {(app.package, app.user): app for app in results.apps}
    user_kinds = {user.id: user.kind for user in phone_facts.users}
    found = tuple(
        steps.attach_steps(finding, apps[finding.package, finding.user], phone_facts.phone, user_kinds[finding.user])
        for finding in results.findings
    )
    highest = {(finding.package, finding.user): finding.severity for finding in reversed(found)}  # the first is highest
    day, rule_set = capture.taken_at.date(), knowledge.rules
    countries = named.naming_countries(phone_facts.phone, phone_facts.clock, options.country)
    return Report(
        demo=capture.demo,
        tool=Tool(name="privaudit", version=__version__),
        knowledge=KnowledgeInfo(
            signatures=knowledge.describe_lists(options.country), rules=rule_set.describe_rules(options.country, day)
        ),
        taken_at=capture.taken_at,
        phone_clock=phone_facts.clock,
        consent=None,
        source=capture.source,
        phone=phone_facts.phone,
        users=phone_facts.users,
        # Without the name of the app that was asked about: below Android 10 that may be any app.
        coverage=tuple(replace(row, detail=None) if row.question == "package" else row for row in phone_facts.coverage),
        counts=Counts.from_apps(
            results.apps,
            len({package for package, _ in suspects}),
            apps_seen=len(packages),
            others_can_read=len(others),
            others_can_read_system=sum(others.values()),
        ),
        # After the findings: a rule or a name can make none and raise none.
        apps=tuple(
            replace(
                named.annotate_named(
                    legal_rules.annotate_app(app, rule_set, options.country, day), knowledge, countries
                ),
                severity=highest.get((app.package, app.user)),
            )
            for app in results.apps
        ),
        findings=found,
        verdict=Verdict.FOUND if any(f.severity is not Severity.INFO for f in found) else Verdict.NOTHING_FOUND,
        complete=is_complete(phone_facts) and all(query.packages for query in queries),
        app_names=queries,
    )


def is_complete(phone_facts: Facts | PhoneFacts) -> bool:
    """Whether nothing is missing that could hide a finding."""
    looked_at = bool(phone_facts.users) and all(user.checked for user in phone_facts.users)
    return looked_at and not any(row.could_hide for row in phone_facts.coverage)


def _fallback_keys(phone_facts: PhoneFacts) -> Iterator[str]:
    """Where the users could not be listed, at least the owner's apps are asked for."""
    if not phone_facts.users and "installed.0" not in phone_facts.capture.answers:
        yield from ("installed.0", "third_party.0", "settings.0")


def keys_to_inspect(phone_facts: PhoneFacts, knowledge: Knowledge, app_names: Sequence[str] = ()) -> Iterator[str]:
    """Yield the keys of the answers about single apps: their own dumps, and the modes of the ops that read.

    Recognised apps, and those that the user named, are asked about in any case. Where only texts say who holds what, so
    are all of the owner's apps and every app that holds something: in its own dump an app can only speak of itself.
    """
    proto_is_whole = bool(phone_facts.inputs.package_dumps.proto)
    has_appops_get = (phone_facts.phone.sdk or 0) >= questions.QUESTIONS_BY_NAME["appops_get"].min_sdk
    apps = sorted(_recognise_apps(phone_facts, knowledge, app_names), key=lambda app: not app.is_reported)
    for app in apps:
        if app.is_reported or not (
            proto_is_whole or (app.system and _NO_ACCESS.issuperset(app.access_states.values()))
        ):
            yield f"package.{app.package}"
        if has_appops_get and (app.is_reported or is_unrecognised_reader(app, knowledge)):
            yield f"appops_get.{app.user}.{app.package}"
