"""A report made to be handed on: with what it tells of one phone, nobody should find its owner again.

Times are taken back to the beginning of their month, and `Report.shared` makes every renderer tell the month alone.
What else would single a phone out is left out: its patch level, when apps were installed, what they are called, and the
lines that the phone printed, which hold times. Where a line stands is kept, so that its owner can still show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from privaudit.model import Access, App, Evidence, Finding, LabelState, Lending, Message, Permission, Report, Value
from privaudit.report import head

REMOVED: Final = "[removed]"
"""Stands for what was left out, as in a saved check."""


def coarsened(report: Report) -> Report:
    """`report` without names, days, or what would single its phone out."""
    if report.shared:
        return report
    names = {name: app.package for app in report.apps for name in _names(app)}
    consent = report.consent
    return replace(
        report,
        shared=True,
        taken_at=_month(head.moment(report)),
        phone=replace(report.phone, security_patch=None),
        consent=consent and replace(consent, given_at=_month(consent.given_at)),
        source=replace(report.source, sha256=None),
        apps=tuple(_app(app, report.taken_at, names) for app in report.apps),
        findings=tuple(_finding(finding, names) for finding in report.findings),
    )


def _names(app: App) -> Iterable[str]:
    return {name for name in (app.label, *app.labels.values(), *app.launcher_labels) if name}


def _app(app: App, taken_at: datetime, names: dict[str, str]) -> App:
    return replace(
        app,
        label=None,
        label_state=LabelState.NOT_ASKED,
        labels={},
        label_problem=None,
        launcher_labels=(),
        first_installed=None,
        last_updated=None,
        access={data: _access(access, taken_at) for data, access in app.access.items()},
        other_access={data: _access(access, taken_at) for data, access in app.other_access.items()},
        permissions=tuple(map(_permission, app.permissions)),
        lending=Lending(
            verdict=app.lending.verdict, reasons=tuple(_message(reason, names) for reason in app.lending.reasons)
        ),
    )


def _access(access: Access, taken_at: datetime) -> Access:
    return replace(
        access,
        last_read=_last(access.last_read, access.last_read_age_s, taken_at),
        last_read_age_s=None,
        history_since=access.history_since and _month(access.history_since),
        last_refused=_last(access.last_refused, access.last_refused_age_s, taken_at),
        last_refused_age_s=None,
    )


def _last(moment: datetime | None, age_s: int | None, taken_at: datetime) -> datetime | None:
    """The month of a time; an age alone would tell the day."""
    if moment is None and age_s is not None:
        moment = taken_at - timedelta(seconds=age_s)
    return moment and _month(moment)


def _permission(permission: Permission) -> Permission:
    return replace(
        permission,
        last_access=permission.last_access and _month(permission.last_access),
        last_reject=permission.last_reject and _month(permission.last_reject),
    )


def _finding(finding: Finding, names: dict[str, str]) -> Finding:
    return replace(
        finding,
        message=_message(finding.message, names),
        evidence=tuple(Evidence(question=one.question, line=one.line, text=REMOVED) for one in finding.evidence),
        steps=tuple(_message(step, names) for step in finding.steps),
    )


def _message(message: Message, names: dict[str, str]) -> Message:
    return replace(message, values={name: _value(value, names) for name, value in message.values.items()})


def _value(value: Value, names: dict[str, str]) -> Value:
    if isinstance(value, Message):
        return _message(value, names)
    if isinstance(value, tuple):
        return tuple(_message(part, names) if isinstance(part, Message) else names.get(part, part) for part in value)
    return names.get(value, value) if isinstance(value, str) else value


def _month(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
