"""Anonymize a report that is handed on, so that what it contains of one phone does not identify the owner.

Times are set to the beginning of their month, and `Report.shared` makes every renderer show the month only. Everything
else that would single out a phone is removed: its patch level, when apps were installed, what they are called, and the
lines that the phone printed, which hold times. Where a line stands is kept, so that the owner can still show it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from privaudit.model import Access, App, Finding, LabelState, Message, MessageValue, Report
from privaudit.report import summary

Time = TypeVar("Time", datetime, datetime | None)

REMOVED_TEXT: Final = "[removed]"
"""Stands for what was removed, as in a redacted capture."""


def anonymize_report(report: Report) -> Report:
    """Return `report` without names, days, and everything else that would single out its phone."""
    if report.shared:
        return report
    package_by_label = {
        label: app.package
        for app in report.apps
        for label in (app.label, *app.labels.values(), *app.launcher_labels)
        if label
    }
    consent = report.consent
    return replace(
        report,
        shared=True,
        app_names=(),
        taken_at=_month_start(summary.audit_time(report)),
        phone=replace(report.phone, security_patch=None),
        consent=consent and replace(consent, given_at=_month_start(consent.given_at)),
        source=replace(report.source, sha256=None),
        apps=tuple(_anonymize_app(app, report.taken_at, package_by_label) for app in report.apps),
        findings=tuple(_anonymize_finding(finding, package_by_label) for finding in report.findings),
    )


def _anonymize_app(app: App, taken_at: datetime, package_by_label: dict[str, str]) -> App:
    return replace(
        app,
        label=None,
        label_state=LabelState.NOT_ASKED,
        labels={},
        label_problem=None,
        launcher_labels=(),
        named=(),  # else the sentence “of this name” would be about what stands in its place, the package
        first_installed=None,
        last_updated=None,
        access={data: _anonymize_access(access, taken_at) for data, access in app.access.items()},
        other_access={data: _anonymize_access(access, taken_at) for data, access in app.other_access.items()},
        permissions=tuple(
            replace(one, last_access=_month_start(one.last_access), last_reject=_month_start(one.last_reject))
            for one in app.permissions
        ),
        lending=replace(
            app.lending, reasons=tuple(_anonymize_message(reason, package_by_label) for reason in app.lending.reasons)
        ),
    )


def _anonymize_access(access: Access, taken_at: datetime) -> Access:
    return replace(
        access,
        last_read=_event_month(access.last_read, access.last_read_age_s, taken_at),
        last_read_age_s=None,
        history_since=_month_start(access.history_since),
        last_refused=_event_month(access.last_refused, access.last_refused_age_s, taken_at),
        last_refused_age_s=None,
    )


def _event_month(moment: datetime | None, age_s: int | None, taken_at: datetime) -> datetime | None:
    """Return the month of a time that is known by itself or by its age, which would give the day."""
    if moment is None and age_s is not None:
        moment = taken_at - timedelta(seconds=age_s)
    return _month_start(moment)


def _anonymize_finding(finding: Finding, package_by_label: dict[str, str]) -> Finding:
    return replace(
        finding,
        message=_anonymize_message(finding.message, package_by_label),
        evidence=tuple(replace(evidence, text=REMOVED_TEXT) for evidence in finding.evidence),
        steps=tuple(_anonymize_message(step, package_by_label) for step in finding.steps),
    )


def _anonymize_message(message: Message, package_by_label: dict[str, str]) -> Message:
    return replace(
        message, values={name: _anonymize_value(value, package_by_label) for name, value in message.values.items()}
    )


def _anonymize_value(value: MessageValue, package_by_label: dict[str, str]) -> MessageValue:
    if isinstance(value, Message):
        return _anonymize_message(value, package_by_label)
    if isinstance(value, tuple):
        return tuple(
            _anonymize_message(part, package_by_label)
            if isinstance(part, Message)
            else package_by_label.get(part, part)
            for part in value
        )
    return package_by_label.get(value, value) if isinstance(value, str) else value


def _month_start(moment: Time) -> Time:
    return moment and moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
