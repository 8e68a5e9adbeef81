"""The severity of each finding, in one table: in which order to act, never who is guilty."""

from collections.abc import Mapping
from typing import Final

from privaudit.model import App, AppSummary, DataClass, History, Severity

SEVERITY: Final[Mapping[str, Severity]] = {
    "listed_reads": Severity.HIGH,  # can read now, and is on a list of a malware researcher or regulator (tier A or B)
    "side_door": Severity.HIGH,  # lending or listed; the default SMS app, or has accessibility or notification access
    "reads": Severity.MEDIUM,  # a lending app can read now; the time of its last read only orders findings
    "has_read": Severity.LOW,  # has read, and cannot read now
    "listed_closed": Severity.LOW,  # listed, and cannot read now
    "lender_asks": Severity.LOW,  # an APK that is not installed, of a lending app that may ask for the data
    "group_open": Severity.LOW,  # holds a permission of the same group: the phone may grant the rest unasked
    "suspect": Severity.LOW,  # not recognised, from no known store, can read
    "notified": Severity.INFO,  # named in a regulator's notice that demands corrections
    "asked": Severity.INFO,  # requests the permission and does not have it
    "other": Severity.INFO,  # worth knowing: a keyboard, a device admin
}
"""The user's own list does not raise the severity: it has no published source."""
HIGH_RISK_ROUTES: Final = frozenset({"accessibility", "notification_listener", "default_sms"})
"""Kinds of special access that open messages or the screen."""


def readable_data(app: App | AppSummary) -> tuple[DataClass, ...]:
    """Return the data that `app` can read now."""
    return tuple(data for data, state in app.access_states.items() if state.allows_reading)


def recorded_data(app: App) -> tuple[DataClass, ...]:
    """Return the data that `app` has read according to the phone's records."""
    return tuple(data for data, access in app.access.items() if access.history is History.RECORDED)


def for_access(app: App, *, group_open: bool = False) -> Severity:
    """Return the severity of what `app` can read, or may be granted through another permission (`group_open`)."""
    if readable_data(app):
        return for_readable(app)
    if recorded_data(app):
        return SEVERITY["has_read"]
    return SEVERITY["group_open" if group_open else "asked"]


def for_readable(app: App) -> Severity:
    """Return the severity of an app that can read now."""
    listings = [match for match in app.listed if match.tier in {"A", "B"}]
    if not listings:
        return SEVERITY["reads"]
    grade = SEVERITY["listed_reads"]
    return one_lower(grade) if all(match.disputed for match in listings) else grade


def one_lower(severity: Severity) -> Severity:
    """Return the next lower severity, which applies to disputed listings."""
    grades = list(Severity)
    return grades[min(severity.order + 1, len(grades) - 1)]
