"""The pipeline on one screen: ask, gather, choose suspects, ask again, gather, judge, report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from privaudit import __version__, facts, findings
from privaudit.apk import parts
from privaudit.capture import Capture, remote_apks, remote_file
from privaudit.capture.collector import Progress, ask_more, take
from privaudit.capture.command_log import Recorder
from privaudit.capture.questions import is_apk_path
from privaudit.errors import ConnectionLost
from privaudit.facts import apk_facts
from privaudit.facts.cache import Memory
from privaudit.findings import legal_rules
from privaudit.knowledge import Knowledge
from privaudit.model import (
    AnswerState,
    App,
    Counts,
    Coverage,
    Facts,
    KnowledgeStamp,
    Report,
    Severity,
    Tool,
    Verdict,
)
from privaudit.revocation import steps
from privaudit.transport import Transport

_NAMED_BY_DUMP_SDK: Final = 29
"""Below Android 10 a whole dump may lack an app that asks and was never granted: each own app is asked for by name."""
_OWN_APPS: Final = ("/data/", "/mnt/")
"""Where Android installs, inside and on a card."""
_HASHED_TOGETHER: Final = 8
"""APKs in one script: a slow phone reads 100 MB in some seconds, and a script must end within minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the user asked for beside the audit itself."""

    all_apps: bool = False
    """Put every app into the report, not only lending and listed ones."""
    name_suspects: bool = False
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How much a phone is asked."""

    names: bool = True
    """Read the names of apps from their APKs."""
    hashes: bool = False
    """Let the phone compute the SHA-256 of every APK whose name is read: a hash finds an app under any name."""


def live(
    transport: Transport,
    knowledge: Knowledge,
    *,
    demo: bool = False,
    reach: Reach = Reach(),
    progress: Progress = lambda _: None,
    counted: remote_apks.Progress = lambda _: None,
    memory: Memory | None = None,
) -> Capture:
    """Take a whole capture of a connected phone: everything, then the details of the suspects, then names.

    Args:
        transport: the phone.
        knowledge: tells which apps are suspect.
        demo: whether it is the virtual one.
        reach: how much to ask.
        progress: told the name of each round as it begins.
        counted: told how many APKs are read.
        memory: what `judged` need not read again.
    """
    recorder = Recorder(transport)
    capture = take(recorder, demo=demo, progress=progress)
    memory = memory or Memory()
    gathered = facts.gather(capture, memory)
    wanted = dict.fromkeys((*_unasked(capture, gathered), *suspects(gathered, knowledge, memory)))
    capture = capture.having(ask_more(recorder, wanted, progress=progress))
    if reach.names:
        progress("naming")
        capture = named(recorder, capture, knowledge, reach, counted, memory)
    return replace(capture, log=recorder.log)


def named(
    transport: Transport,
    capture: Capture,
    knowledge: Knowledge,
    reach: Reach,
    counted: remote_apks.Progress,
    memory: Memory | None = None,
) -> Capture:
    """`capture` with what APKs say: suspects and candidates with their signers first, then the owner's other apps."""
    memory = memory or Memory()
    paths = apk_facts.paths(capture)
    every = {app.package: app for app in _recognised(capture, knowledge, memory)}
    first = [name for name, app in every.items() if _candidate(app)]
    then = [name for name, app in every.items() if not _candidate(app) and _is_own(app, paths.get(name, ""))]
    read = remote_apks.read(
        transport, tuple(_wanted(first, capture, sign=True)), tuple(_wanted(then, capture)), progress=counted
    )
    capture = capture.naming(map(memory.reader.thin, read))
    # A name may show what a package did not: now its signers are of interest too.
    late = [app.package for app in _recognised(capture, knowledge, memory) if app.recognised and app.package in then]
    again = remote_apks.read(transport, tuple(_wanted(dict.fromkeys(late), capture, sign=True)))
    # A cable pulled here takes no name away that was read before.
    capture = capture.naming(
        memory.reader.thin(one) if one.state is AnswerState.ANSWERED else parts.cut(capture.apks[one.package])
        for one in again
        if one.state in {AnswerState.ANSWERED, AnswerState.NOT_ASKED}
    )
    if not reach.hashes:
        return capture
    wanted = [
        paths[name] for name in (*first, *then) if is_apk_path(paths.get(name, "")) and not _hashed(capture, name)
    ]
    hashes: dict[str, str | None] = {}
    with contextlib.suppress(ConnectionLost):  # what was read before stays
        for begin in range(0, len(wanted), _HASHED_TOGETHER):
            asked = wanted[begin : begin + _HASHED_TOGETHER]
            hashes |= {**dict.fromkeys(asked), **remote_file.hashes(transport, asked)}
    return capture.naming(parts.hashed(one, hashes[one.path]) for one in capture.apks.values() if one.path in hashes)


def _recognised(capture: Capture, knowledge: Knowledge, memory: Memory) -> tuple[App, ...]:
    return findings.recognised(facts.gather(capture, memory), knowledge, memory.recognised)


def _candidate(app: App) -> bool:
    """Whether its name decides something: recognised, or not part of the phone and able to read."""
    return app.recognised or (not app.system and any(access.state.reads for access in app.access.values()))


def _is_own(app: App, path: str) -> bool:
    """Whether it is more than what the maker put on the phone.

    Lenders come with some phones. Once such an app is updated, its new copy lies among the owner's apps.
    """
    return not app.system or path.startswith(_OWN_APPS)


def _wanted(packages: Iterable[str], capture: Capture, *, sign: bool = False) -> Iterator[remote_apks.Wanted]:
    """What to read of `packages`; nothing that an earlier visit read."""
    paths = apk_facts.paths(capture)
    for name in packages:
        known = capture.apks.get(name)
        read = known is not None and known.state is not AnswerState.NOT_ASKED
        if sign and read and known is not None:
            read = parts.signers_asked(known)
        if name in paths and not read:
            yield remote_apks.Wanted(package=name, path=paths[name], certificates=sign)


def _hashed(capture: Capture, package: str) -> bool:
    known = capture.apks.get(package)
    return known is not None and (known.sha256 is not None or parts.HASH in known.problems)


def judged(capture: Capture, knowledge: Knowledge, wishes: Wishes, memory: Memory | None = None) -> Report:
    """The report on a capture, live or saved. `memory`: the one that `live` was given, with this `knowledge`."""
    memory = memory or Memory()
    gathered = facts.gather(capture, memory)
    judgement = findings.judge(
        capture, gathered, knowledge, name_suspects=wishes.name_suspects, known=memory.recognised
    )
    by_key = {(app.package, app.user): app for app in judgement.apps}
    kinds = {user.id: user.kind for user in gathered.users}
    found = tuple(
        steps.for_finding(finding, by_key[finding.package, finding.user], gathered.phone, kinds[finding.user])
        for finding in judgement.findings
    )
    named = {(finding.package, finding.user) for finding in found}
    day, book = capture.taken_at.date(), knowledge.rules
    # Only now: the findings stand already, and a rule can make none and raise none.
    shown = tuple(
        legal_rules.annotated(app, book, wishes.country, day)
        for key, app in by_key.items()
        if wishes.all_apps or app.recognised or key in named
    )
    return Report(
        demo=capture.demo,
        tool=Tool(name="privaudit", version=__version__),
        knowledge=KnowledgeStamp(signatures=knowledge.stamp(wishes.country), rules=book.stamp(wishes.country, day)),
        taken_at=capture.taken_at,
        phone_clock=gathered.clock,
        consent=None,
        source=capture.source,
        phone=gathered.phone,
        users=gathered.users,
        coverage=tuple(map(_unnamed, gathered.coverage)),
        counts=Counts.of(judgement.apps, judgement.suspects),
        apps=shown,
        findings=found,
        verdict=Verdict.FOUND if any(f.severity is not Severity.INFO for f in found) else Verdict.NOTHING_FOUND,
        complete=is_complete(gathered),
    )


def _unnamed(row: Coverage) -> Coverage:
    """`row` without the name of the app that was asked about: below Android 10 that may be any app."""
    return replace(row, detail=None) if row.question == "package" else row


def is_complete(gathered: Facts) -> bool:
    """Whether nothing is missing that could hide a finding."""
    looked_at = bool(gathered.users) and all(user.checked for user in gathered.users)
    return looked_at and not any(row.could_hide for row in gathered.coverage)


def _unasked(capture: Capture, gathered: Facts) -> Iterator[str]:
    """Where the users could not be listed, at least the owner's apps are."""
    if not gathered.users and "installed.0" not in capture.answers:
        yield from ("installed.0", "third_party.0", "settings.0")


def suspects(gathered: Facts, knowledge: Knowledge, memory: Memory | None = None) -> Iterator[str]:
    """Packages whose own dump is worth a look: recognised ones; below Android 10 all that are not the system's."""
    memory = memory or Memory()
    every = (gathered.phone.sdk or 0) < _NAMED_BY_DUMP_SDK
    # What turned out forged or cut is no answer: then each app is asked for by name, where it can only speak of itself.
    states = {row.question: row.state for row in gathered.coverage}
    sound = states.get("packages") is AnswerState.ANSWERED
    for app in findings.recognised(gathered, knowledge, memory.recognised):
        if app.recognised or ((every or not sound) and not app.system):
            yield f"package.{app.package}"
