"""Joins what APKs say of themselves with what the phone says of them: names, requests, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from privaudit.apk import info
from privaudit.apk.info import ApkInfo
from privaudit.apk.manifest import ApkManifest
from privaudit.apk.parts import FILE_SHA256, ApkPart, ApkParts
from privaudit.capture.answers import coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.model import AnswerState, App, Coverage, LabelState, Phone


def base_apk_paths(capture: Capture) -> Mapping[str, str]:
    """Where each installed package's base APK is; the owner's copy, where several users have it."""
    found: dict[str, str] = {}
    for answer in sorted(capture.answers_to("installed"), key=lambda one: one.user or 0):
        for package, line in parse_package_list(answer.text)[0].items():
            if line.apk_path is not None:
                found.setdefault(package, line.apk_path)
    return found


class ApkInfoReader:
    """Reads each APK once, however often the facts of a capture that grows are gathered."""

    def __init__(self) -> None:
        self._cached_info: dict[str, tuple[ApkParts, tuple[object, ...], ApkInfo]] = {}
        self._parsed_manifests: dict[int, tuple[ApkPart, ApkManifest]] = {}

    def trim_resources(self, parts: ApkParts) -> ApkParts:
        """`apk.trim_resources`. Its manifest is not parsed again when `read` comes to it."""
        return info.trim_resources(parts, self._parse_and_hold)

    def _parse_and_hold(self, part: ApkPart) -> ApkManifest:
        manifest = info.parse_manifest_part(part)
        self._parsed_manifests[id(part)] = part, manifest  # held, so that its id stays its own
        return manifest

    def _take_parsed(self, part: ApkPart) -> ApkManifest:
        before = self._parsed_manifests.pop(id(part), None)
        return info.parse_manifest_part(part) if before is None else before[1]

    def read_all(self, capture: Capture, phone: Phone, versions: Mapping[str, int]) -> Mapping[str, ApkInfo]:
        """Facts of every APK in `capture`. `versions`: the version codes that the phone gives."""
        return {package: self._read_apk(one, phone, versions.get(package)) for package, one in capture.apks.items()}

    def _read_apk(self, parts: ApkParts, phone: Phone, version_code: int | None) -> ApkInfo:
        asked = (phone.languages, phone.sdk, version_code)
        before = self._cached_info.get(parts.package)
        if before is not None and before[0] is parts and before[1] == asked:
            return before[2]
        found = info.read_installed_apk(
            parts, phone.languages, phone.sdk, version_code=version_code, manifest_parser=self._take_parsed
        )
        self._cached_info[parts.package] = parts, asked, found
        return found


def apply_apk_info(app: App, info: ApkInfo | None, sdk: int | None) -> App:
    """`app` with its name and signers. Where its file could not be read, with the reason."""
    if info is None:
        return app
    problem = None if info.label is not None else info.label_problem or info.problem
    unread = LabelState.UNREADABLE if problem is not None else LabelState.NOT_ASKED
    signers = info.signing.active_signers(sdk) if info.signing is not None else ()
    certificates = dict.fromkeys(
        digest for one in signers for digest in (one.certificate_sha256, *one.certificate_history)
    )
    return replace(
        app,
        label=info.label,
        label_state=LabelState.READ if info.label is not None else unread,
        label_problem=problem,
        labels=info.labels if info.label is not None else {},
        launcher_labels=info.launcher_labels,
        certificates_sha256=tuple(certificates),
        apk_sha256=info.sha256,
        launcher_icon=info.launcher_icon,
    )


def apk_coverage_rows(capture: Capture, apps: tuple[App, ...]) -> tuple[Coverage, ...]:
    """How many names were read, and whether the phone computed what files hash to.

    An app that reads and whose name could not be read may be a lending app. Hashes are extra: nobody misses a finding
    for want of them who does not ask.
    """
    hashed = any(one.sha256 is not None for one in capture.apks.values())
    refused = next((one.problems[FILE_SHA256] for one in capture.apks.values() if FILE_SHA256 in one.problems), None)
    state = AnswerState.ANSWERED if hashed else AnswerState.NOT_SUPPORTED if refused else AnswerState.NOT_ASKED
    hashes = Coverage(question="hashes", user=None, state=state, detail=None if hashed else refused)
    # Other tools tell hashes without having read a name.
    tried = {name for name, one in capture.apks.items() if one.state is not AnswerState.NOT_ASKED or one.detail}
    if not tried:
        return Coverage(question="names", user=None, state=AnswerState.NOT_ASKED), hashes
    asked = {app.package: app for app in apps if app.package in tried}
    unread = {name for name, app in asked.items() if app.label_state is not LabelState.READ and not app.system}
    reads = {app.package for app in apps for access in app.access.values() if access.state.allows_reading}
    row = Coverage(
        question="names",
        user=None,
        state=AnswerState.UNREADABLE if unread else AnswerState.ANSWERED,
        detail=coverage_message("coverage.names", n=len(asked.keys() - unread), of=len({app.package for app in apps})),
        could_hide=bool(unread & reads),
    )
    return row, hashes
