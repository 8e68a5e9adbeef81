"""The one table of severity: in which order to act. It never says who is guilty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.model import App, DataClass, History, Severity

TABLE: Final[Mapping[str, Severity]] = {
    "listed_reads": Severity.HIGH,
    "side_door": Severity.HIGH,
    "reads": Severity.MEDIUM,
    "has_read": Severity.LOW,
    "listed_closed": Severity.LOW,
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
- ``suspect``: not recognised, from no store, can read.
- ``notified``: named in a regulator's notice to mend.
- ``asked``: asks for it and does not have it.
- ``other``: worth knowing (a keyboard, a device administrator).

The user's own list raises nothing: it has no published source.
"""


def reads(app: App) -> tuple[DataClass, ...]:
    """Data that can reach `app` now."""
    return tuple(data for data, access in app.access.items() if access.state.reads)


def has_read(app: App) -> tuple[DataClass, ...]:
    """Data that the phone recorded `app` as having read."""
    return tuple(data for data, access in app.access.items() if access.history is History.RECORDED)


def lowered(severity: Severity) -> Severity:
    """One grade lower: for what a source disputes."""
    grades = list(Severity)
    return grades[min(severity.order + 1, len(grades) - 1)]


def of_access(app: App) -> Severity:
    """How soon to look at what `app` can read."""
    if reads(app):
        return of_reading(app)
    return TABLE["has_read"] if has_read(app) else TABLE["asked"]


def of_reading(app: App) -> Severity:
    """The grade of an app that can read now."""
    graded = [listing for listing in app.listed if listing.tier in {"A", "B"}]
    if not graded:
        return TABLE["reads"]
    grade = TABLE["listed_reads"]
    return lowered(grade) if all(listing.disputed for listing in graded) else grade
