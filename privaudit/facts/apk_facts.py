"""Read the APKs of a capture and add their labels, certificates and hashes to the apps."""

from collections.abc import Mapping
from typing import Any

from privaudit.apk.info import ApkInfo
from privaudit.apk.parts import FILE_SHA256, signers_requested
from privaudit.capture.answers import coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.model import AnswerState, AppSummary, Coverage, LabelState, Message


def base_apk_paths(capture: Capture) -> Mapping[str, str]:
    """Return the path of each package's base APK; that of the owner, if several users have the package."""
    paths: dict[str, str] = {}
    for answer in sorted(capture.answers_to("installed"), key=lambda answer: answer.user or 0):
        for package, entry in parse_package_list(answer.text)[0].items():
            if entry.apk_path is not None:
                paths.setdefault(package, entry.apk_path)
    return paths


def unreadable_label(info: ApkInfo) -> Message | None:
    """Return why the app's label could not be read; ``None``: it was, or nobody asked."""
    return None if info.label is not None else info.label_problem or info.problem


def labels_and_signers(info: ApkInfo, sdk: int | None) -> dict[str, Any]:
    """Return the fields that `AppSummary` and `App` take from the APK."""
    unread = LabelState.UNREADABLE if unreadable_label(info) is not None else LabelState.NOT_ASKED
    return {
        "label": info.label,
        "label_state": LabelState.READ if info.label is not None else unread,
        "labels": info.labels if info.label is not None else {},
        "launcher_labels": info.launcher_labels,
        "certificates_sha256": _certificates(info, sdk),
        "apk_sha256": info.sha256,
    }


def _certificates(info: ApkInfo, sdk: int | None) -> tuple[str, ...]:
    """Return the digests of the certificates in force on a phone of `sdk`, and of those that they replaced."""
    signers = info.signing.active_signers(sdk) if info.signing is not None else ()
    return tuple(
        dict.fromkeys(
            digest for signer in signers for digest in (signer.certificate_sha256, *signer.certificate_history)
        )
    )


def _may_lack_signers(info: ApkInfo, sdk: int | None) -> bool:
    """Return whether a signer that a phone of `sdk` verifies may be missing: only signers of v1 can be read in part."""
    signing = info.signing
    return (
        info.signing_problem is not None
        and signing is not None
        and signing.active_signers(sdk) == signing.schemes.get("v1")
    )


def apk_coverage_rows(
    capture: Capture, apps: tuple[AppSummary, ...], apks: Mapping[str, ApkInfo], sdk: int | None
) -> tuple[Coverage, ...]:
    """How many names were read, whether signers could not be, and whether the phone computed what files hash to.

    An app that can read data and has no readable label or signer may be a lending app, or on a list. Missing hashes
    hide nothing: they are computed only on request.
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
    readers = {app.package for app in apps if app.can_read}
    label_count, app_count = len(tried_apps.keys() - unread), len({app.package for app in apps})
    labels = Coverage(
        question="names",
        user=None,
        state=AnswerState.UNREADABLE if unread else AnswerState.ANSWERED,
        detail=coverage_message("coverage.names", n=label_count, of=app_count),
        could_hide=bool(unread & readers),
    )
    unsigned = {
        name
        for name, app in tried_apps.items()
        if signers_requested(capture.apks[name]) and not app.system
        if not app.certificates_sha256 or _may_lack_signers(apks[name], sdk)
    }
    if unsigned <= unread:  # nothing was read of their files, which `labels` says
        return labels, hashes
    signers = Coverage(question="signers", user=None, state=AnswerState.UNREADABLE, could_hide=bool(unsigned & readers))
    return labels, hashes, signers
