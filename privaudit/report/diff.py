"""What changed between two reports on one phone: what was closed, what came back, what cannot be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from privaudit.errors import UsageError
from privaudit.i18n.sanitize import display_name
from privaudit.model import AccessState, App, Report

DIFF_SCHEMA: Final = "privaudit-diff/1"
_SPECIAL_ACCESS_QUESTIONS: Final = frozenset({"settings", "roles", "device_policy", "appops", "packages"})
"""Questions that tell of rights beside the permission list."""


class ChangeDirection(StrEnum):
    """What kind of change. The order is the one in which to look at them."""

    OPENED = "opened"
    UNKNOWN = "unknown"
    APPEARED = "appeared"
    CHANGED = "changed"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChange:
    """One thing that differs."""

    package: str
    user: int
    label: str | None
    what: str
    """A kind of data, a kind of special access, or ``app``."""
    before: str | None
    """The state of access, ``held`` or ``not_held``; ``None``: the app was not there."""
    after: str | None
    direction: ChangeDirection

    @property
    def app_name(self) -> str:
        """What to call the app."""
        return display_name(self.label, self.package)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The document that ``privaudit diff --json`` writes."""

    schema: Literal["privaudit-diff/1"] = "privaudit-diff/1"
    before_at: datetime
    after_at: datetime
    demo: bool
    complete: bool
    """Whether both reports could read everything."""
    shared: bool
    """Whether one of them was coarsened to be handed on: then the times are those of a month's beginning."""
    changes: tuple[ReportChange, ...]


def compare_reports(before: Report, after: Report) -> Diff:
    """What changed from `before` to `after`.

    Raises:
        UsageError: they tell of two phones, or the second is the older.
    """
    shared = before.shared or after.shared
    if after.taken_at < before.taken_at and not (shared and _is_same_month(before, after)):
        raise UsageError("errors.diff_order")
    if not _is_same_phone(before, after):
        raise UsageError("errors.diff_phones")
    changes = sorted(_iter_changes(before, after), key=lambda one: list(ChangeDirection).index(one.direction))
    return Diff(
        before_at=before.taken_at,
        after_at=after.taken_at,
        demo=before.demo or after.demo,
        complete=before.complete and after.complete,
        shared=shared,
        changes=tuple(changes),
    )


def _is_same_month(before: Report, after: Report) -> bool:
    """Whether no order can be told, one of them being coarsened."""
    times = (before.taken_at, after.taken_at)
    return len({(moment.year, moment.month) for moment in times}) == 1


def _is_same_phone(before: Report, after: Report) -> bool:
    """Whether both may tell of one phone: its model, and when the apps that both have were first installed."""
    for one, other in ((before.phone.model, after.phone.model), (before.phone.manufacturer, after.phone.manufacturer)):
        if one is not None and other is not None and one != other:
            return False
    times = {(app.package, app.user): app.first_installed for app in before.apps if app.first_installed is not None}
    both = [
        times[app.package, app.user] == app.first_installed
        for app in after.apps
        if app.first_installed is not None and (app.package, app.user) in times
    ]
    return any(both) or not both


def _iter_changes(before: Report, after: Report) -> Iterator[ReportChange]:
    first, second = ({(app.package, app.user): app for app in report.apps} for report in (before, after))
    for key in sorted({**first, **second}):
        was, now = first.get(key), second.get(key)
        if was is not None and now is not None:
            yield from _access_changes(was, now)
            yield from _special_access_changes(
                was, now, complete=_is_special_access_complete(before) and _is_special_access_complete(after)
            )
        elif now is not None:
            yield _make_change(
                now,
                "app",
                None,
                "held",
                ChangeDirection.APPEARED if _is_user_checked(before, now) else ChangeDirection.UNKNOWN,
            )
        elif was is not None:
            yield _make_change(
                was,
                "app",
                "held",
                None,
                ChangeDirection.GONE if _is_user_checked(after, was) else ChangeDirection.UNKNOWN,
            )


def _access_changes(old_app: App, new_app: App) -> Iterator[ReportChange]:
    for data, before in old_app.access.items():
        after = new_app.access[data]
        if before.state is after.state:
            continue
        if AccessState.UNKNOWN in {before.state, after.state}:
            direction = ChangeDirection.UNKNOWN
        elif after.state.allows_reading != before.state.allows_reading:
            direction = ChangeDirection.OPENED if after.state.allows_reading else ChangeDirection.CLOSED
        else:
            direction = ChangeDirection.CHANGED
        yield _make_change(new_app, data.value, _state_key(before.state), _state_key(after.state), direction)


def _state_key(state: AccessState) -> str:
    return "not_known" if state is AccessState.UNKNOWN else state.value


def _special_access_changes(old_app: App, new_app: App, *, complete: bool) -> Iterator[ReportChange]:
    """Rights gained and lost. A right that is not told of is only lost where all could be read."""
    had, has = ({one.kind for one in app.special_access} for app in (old_app, new_app))
    for kind in sorted(had ^ has):
        gained = kind in has
        direction = (
            ChangeDirection.UNKNOWN if not complete else ChangeDirection.OPENED if gained else ChangeDirection.CLOSED
        )
        before, after = ("not_held", "held") if gained else ("held", "not_held")
        yield _make_change(new_app, kind, before, after, direction)


def _make_change(
    app: App, what: str, before: str | None, after: str | None, direction: ChangeDirection
) -> ReportChange:
    return ReportChange(
        package=app.package,
        user=app.user,
        label=app.label,
        what=what,
        before=before,
        after=after,
        direction=direction,
    )


def _is_special_access_complete(report: Report) -> bool:
    return not any(row.could_hide for row in report.coverage if row.question in _SPECIAL_ACCESS_QUESTIONS)


def _is_user_checked(report: Report, app: App) -> bool:
    """Whether `report` would have told of `app`: its user was checked."""
    return any(user.id == app.user and user.checked for user in report.users)
