"""The one table of severity: in which order to act. It never says who is guilty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.model import App, AppSummary, DataClass, History, Severity

SEVERITY: Final[Mapping[str, Severity]] = {
    "listed_reads": Severity.HIGH,
    "side_door": Severity.HIGH,
    "reads": Severity.MEDIUM,
    "has_read": Severity.LOW,
    "listed_closed": Severity.LOW,
    "lender_asks": Severity.LOW,
    "group_open": Severity.LOW,
    "suspect": Severity.LOW,
    "notified": Severity.INFO,
    "asked": Severity.INFO,
    "other": Severity.INFO,
}
"""
- ``listed_reads``: can read now, and stands on a malware researcher's or a regulator's list (tier A or B).
- ``side_door``: a lending or listed app is the default SMS app, or has accessibility or notification access.
- ``reads``: a lending app can read now. When it last did so orders within the grade and never changes it.
- ``has_read``: has read, and is closed now.
- ``listed_closed``: listed, and cannot read now.
- ``lender_asks``: an APK that is not installed, of a lending app that may ask for contacts, SMS or call log.
- ``group_open``: cannot read now, but holds a permission of the same group, with which the phone may give it the rest.
- ``suspect``: not recognised, from no store, can read.
- ``notified``: named in a regulator's notice to mend.
- ``asked``: asks for it and does not have it.
- ``other``: worth knowing (a keyboard, a device administrator).

The user's own list raises nothing: it has no published source.
"""


HIGH_RISK_ROUTES: Final = frozenset({"accessibility", "notification_listener", "default_sms"})


def readable_data(app: App | AppSummary) -> tuple[DataClass, ...]:
    """Return the kinds of data that `app` can read now."""
    return tuple(data for data, state in app.access_states.items() if state.allows_reading)


def recorded_data(app: App) -> tuple[DataClass, ...]:
    """Data that the phone recorded `app` as having read."""
    return tuple(data for data, access in app.access.items() if access.history is History.RECORDED)


def one_lower(severity: Severity) -> Severity:
    """One grade lower: for what a source disputes."""
    grades = list(Severity)
    return grades[min(severity.order + 1, len(grades) - 1)]


def for_access(app: App, *, group_open: bool = False) -> Severity:
    """How soon to look at what `app` can read; `group_open`: or may be given, for it holds another of the group."""
    if readable_data(app):
        return for_readable(app)
    return SEVERITY["has_read" if recorded_data(app) else "group_open" if group_open else "asked"]


def high_risk_routes(app: App | AppSummary) -> frozenset[str]:
    """Rights beside the permission list by which messages or the screen reach `app`."""
    return HIGH_RISK_ROUTES & app.special_access_kinds


def for_readable(app: App) -> Severity:
    """The grade of an app that can read now."""
    graded = [listing for listing in app.listed if listing.tier in {"A", "B"}]
    if not graded:
        return SEVERITY["reads"]
    grade = SEVERITY["listed_reads"]
    return one_lower(grade) if all(listing.disputed for listing in graded) else grade
