"""Joins what APKs say of themselves with what the phone says of them: names, requests, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from privaudit.apk.info import ApkInfo
from privaudit.apk.parts import FILE_SHA256
from privaudit.capture.answers import coverage_message
from privaudit.capture.model import Capture
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.model import AnswerState, App, AppSummary, Coverage, LabelState


def base_apk_paths(capture: Capture) -> Mapping[str, str]:
    """Where each installed package's base APK is; the owner's copy, where several users have it."""
    found: dict[str, str] = {}
    for answer in sorted(capture.answers_to("installed"), key=lambda one: one.user or 0):
        for package, line in parse_package_list(answer.text)[0].items():
            if line.apk_path is not None:
                found.setdefault(package, line.apk_path)
    return found


AppT = TypeVar("AppT", App, AppSummary)


def apply_apk_info(app: AppT, info: ApkInfo, sdk: int | None) -> AppT:
    """Return `app` with the labels and signers of its APK, or with the reason why they could not be read."""
    problem = None if info.label is not None else info.label_problem or info.problem
    unread = LabelState.UNREADABLE if problem is not None else LabelState.NOT_ASKED
    summary: dict[str, Any] = {
        "label": info.label,
        "label_state": LabelState.READ if info.label is not None else unread,
        "labels": info.labels if info.label is not None else {},
        "launcher_labels": info.launcher_labels,
        "certificates_sha256": _certificates(info, sdk),
        "apk_sha256": info.sha256,
    }
    if isinstance(app, AppSummary):
        return replace(app, **summary)
    return replace(app, **summary, label_problem=problem, launcher_icon=info.launcher_icon)


def _certificates(info: ApkInfo, sdk: int | None) -> tuple[str, ...]:
    """Return the digests of the certificates in force on a phone of `sdk`, and of those that they replaced."""
    signers = info.signing.active_signers(sdk) if info.signing is not None else ()
    return tuple(
        dict.fromkeys(
            digest for signer in signers for digest in (signer.certificate_sha256, *signer.certificate_history)
        )
    )


def apk_coverage_rows(capture: Capture, apps: tuple[AppSummary, ...]) -> tuple[Coverage, ...]:
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
    reads = {app.package for app in apps if app.can_read}
    row = Coverage(
        question="names",
        user=None,
        state=AnswerState.UNREADABLE if unread else AnswerState.ANSWERED,
        detail=coverage_message("coverage.names", n=len(asked.keys() - unread), of=len({app.package for app in apps})),
        could_hide=bool(unread & reads),
    )
    return row, hashes
