"""Read the APKs of a capture and add their labels, certificates and hashes to the apps."""

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
    """Return the path of each package's base APK; that of the owner, if several users have the package."""
    paths: dict[str, str] = {}
    for answer in sorted(capture.answers_to("installed"), key=lambda answer: answer.user or 0):
        for package, entry in parse_package_list(answer.text)[0].items():
            if entry.apk_path is not None:
                paths.setdefault(package, entry.apk_path)
    return paths


class ApkInfoReader:
    """Reads APKs, each once, although the facts of a growing capture are gathered several times."""

    def __init__(self) -> None:
        self._cached_info: dict[str, tuple[ApkParts, tuple[object, ...], ApkInfo]] = {}
        self._parsed_manifests: dict[int, tuple[ApkPart, ApkManifest]] = {}

    def trim_resources(self, parts: ApkParts) -> ApkParts:
        """Call `info.trim_resources`, and keep the parsed manifest for `read_all`."""
        return info.trim_resources(parts, self._parse_and_hold)

    def _parse_and_hold(self, part: ApkPart) -> ApkManifest:
        manifest = info.parse_manifest_part(part)
        self._parsed_manifests[id(part)] = part, manifest  # `part` is kept so that its id is not reused
        return manifest

    def _take_parsed(self, part: ApkPart) -> ApkManifest:
        parsed = self._parsed_manifests.pop(id(part), None)
        return info.parse_manifest_part(part) if parsed is None else parsed[1]

    def read_all(self, capture: Capture, phone: Phone, versions: Mapping[str, int]) -> Mapping[str, ApkInfo]:
        """Read every APK in `capture`; `versions` are the version codes that the phone reports."""
        return {package: self._read_apk(parts, phone, versions.get(package)) for package, parts in capture.apks.items()}

    def _read_apk(self, parts: ApkParts, phone: Phone, version_code: int | None) -> ApkInfo:
        options = (phone.languages, phone.sdk, version_code)
        cached = self._cached_info.get(parts.package)
        if cached is not None and cached[0] is parts and cached[1] == options:
            return cached[2]
        apk_info = info.read_installed_apk(
            parts, phone.languages, phone.sdk, version_code=version_code, manifest_parser=self._take_parsed
        )
        self._cached_info[parts.package] = parts, options, apk_info
        return apk_info


def apply_apk_info(app: App, info: ApkInfo | None, sdk: int | None) -> App:
    """Return `app` with its labels, certificates and hash, or with the reason why its APK could not be read."""
    if info is None:
        return app
    problem = None if info.label is not None else info.label_problem or info.problem
    no_label_state = LabelState.UNREADABLE if problem is not None else LabelState.NOT_ASKED
    signers = info.signing.active_signers(sdk) if info.signing is not None else ()
    certificates = dict.fromkeys(
        digest for signer in signers for digest in (signer.certificate_sha256, *signer.certificate_history)
    )
    return replace(
        app,
        label=info.label,
        label_state=LabelState.READ if info.label is not None else no_label_state,
        label_problem=problem,
        labels=info.labels if info.label is not None else {},
        launcher_labels=info.launcher_labels,
        certificates_sha256=tuple(certificates),
        apk_sha256=info.sha256,
        launcher_icon=info.launcher_icon,
    )


def apk_coverage_rows(capture: Capture, apps: tuple[App, ...]) -> tuple[Coverage, ...]:
    """Report how many labels were read, and whether the phone computed the hashes of APKs.

    An app that can read data and has no readable label may be a lending app. Missing hashes hide nothing: they are
    computed only on request.
    """
    all_parts = capture.apks.values()
    is_hashed = any(parts.sha256 is not None for parts in all_parts)
    problem = next((parts.problems[FILE_SHA256] for parts in all_parts if FILE_SHA256 in parts.problems), None)
    not_hashed_state = AnswerState.NOT_SUPPORTED if problem else AnswerState.NOT_ASKED
    hashes = Coverage(
        question="hashes",
        user=None,
        state=AnswerState.ANSWERED if is_hashed else not_hashed_state,
        detail=None if is_hashed else problem,
    )
    # Captures of other tools may contain hashes although no label was read.
    tried = {name for name, parts in capture.apks.items() if parts.state is not AnswerState.NOT_ASKED or parts.detail}
    if not tried:
        return Coverage(question="names", user=None, state=AnswerState.NOT_ASKED), hashes
    tried_apps = {app.package: app for app in apps if app.package in tried}
    unread = {name for name, app in tried_apps.items() if app.label_state is not LabelState.READ and not app.system}
    readers = {app.package for app in apps for access in app.access.values() if access.state.allows_reading}
    label_count, app_count = len(tried_apps.keys() - unread), len({app.package for app in apps})
    labels = Coverage(
        question="names",
        user=None,
        state=AnswerState.UNREADABLE if unread else AnswerState.ANSWERED,
        detail=coverage_message("coverage.names", n=label_count, of=app_count),
        could_hide=bool(unread & readers),
    )
    return labels, hashes
