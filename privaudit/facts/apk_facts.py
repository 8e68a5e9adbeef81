"""Joins what APKs say of themselves with what the phone says of them: names, requests, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from privaudit.apk import info
from privaudit.apk.info import ApkFacts
from privaudit.apk.manifest import Manifest
from privaudit.apk.parts import HASH, Apk, Part
from privaudit.capture import Capture
from privaudit.capture.answers import detail
from privaudit.dumpsys import package_checks
from privaudit.model import AnswerState, App, Coverage, LabelState, Phone


def paths(capture: Capture) -> Mapping[str, str]:
    """Where each installed package's base APK is; the owner's copy, where several users have it."""
    found: dict[str, str] = {}
    for answer in sorted(capture.to("installed"), key=lambda one: one.user or 0):
        for package, line in package_checks.parse_list(answer.text)[0].items():
            if line.path is not None:
                found.setdefault(package, line.path)
    return found


class Reader:
    """Reads each APK once, however often the facts of a capture that grows are gathered."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Apk, tuple[object, ...], ApkFacts]] = {}
        self._manifests: dict[int, tuple[Part, Manifest]] = {}

    def thin(self, one: Apk) -> Apk:
        """`apk.thin`. Its manifest is not parsed again when `read` comes to it."""
        return info.thin(one, self._first)

    def _first(self, part: Part) -> Manifest:
        manifest = info.parsed(part)
        self._manifests[id(part)] = part, manifest  # held, so that its id stays its own
        return manifest

    def _again(self, part: Part) -> Manifest:
        before = self._manifests.pop(id(part), None)
        return info.parsed(part) if before is None else before[1]

    def read(self, capture: Capture, phone: Phone, versions: Mapping[str, int]) -> Mapping[str, ApkFacts]:
        """Facts of every APK in `capture`. `versions`: the version codes that the phone gives."""
        return {package: self._one(one, phone, versions.get(package)) for package, one in capture.apks.items()}

    def _one(self, one: Apk, phone: Phone, version_code: int | None) -> ApkFacts:
        asked = (phone.languages, phone.sdk, version_code)
        before = self._known.get(one.package)
        if before is not None and before[0] is one and before[1] == asked:
            return before[2]
        found = info.read(one, phone.languages, phone.sdk, version_code=version_code, parse=self._again)
        self._known[one.package] = one, asked, found
        return found


def named(app: App, facts: ApkFacts | None, sdk: int | None) -> App:
    """`app` with its name and signers. Where its file could not be read, with the reason."""
    if facts is None:
        return app
    problem = None if facts.label is not None else facts.label_problem or facts.problem
    unread = LabelState.UNREADABLE if problem is not None else LabelState.NOT_ASKED
    signers = facts.signing.in_force(sdk) if facts.signing is not None else ()
    certificates = dict.fromkeys(digest for one in signers for digest in (one.certificate, *one.history))
    return replace(
        app,
        label=facts.label,
        label_state=LabelState.READ if facts.label is not None else unread,
        label_problem=problem,
        labels=facts.labels if facts.label is not None else {},
        launcher_labels=facts.launcher_labels,
        certificates_sha256=tuple(certificates),
        apk_sha256=facts.sha256,
        launcher_icon=facts.launcher_icon,
    )


def coverage(capture: Capture, apps: tuple[App, ...]) -> tuple[Coverage, ...]:
    """How many names were read, and whether the phone computed what files hash to.

    An app that reads and whose name could not be read may be a lending app. Hashes are extra: nobody misses a finding
    for want of them who does not ask.
    """
    hashed = any(one.sha256 is not None for one in capture.apks.values())
    refused = next((one.problems[HASH] for one in capture.apks.values() if HASH in one.problems), None)
    state = AnswerState.ANSWERED if hashed else AnswerState.NOT_SUPPORTED if refused else AnswerState.NOT_ASKED
    hashes = Coverage(question="hashes", user=None, state=state, detail=None if hashed else refused)
    # Other tools tell hashes without having read a name.
    tried = {name for name, one in capture.apks.items() if one.state is not AnswerState.NOT_ASKED or one.detail}
    if not tried:
        return Coverage(question="names", user=None, state=AnswerState.NOT_ASKED), hashes
    asked = {app.package: app for app in apps if app.package in tried}
    unread = {name for name, app in asked.items() if app.label_state is not LabelState.READ and not app.system}
    reads = {app.package for app in apps for access in app.access.values() if access.state.reads}
    row = Coverage(
        question="names",
        user=None,
        state=AnswerState.UNREADABLE if unread else AnswerState.ANSWERED,
        detail=detail("coverage.names", n=len(asked.keys() - unread), of=len({app.package for app in apps})),
        could_hide=bool(unread & reads),
    )
    return row, hashes
