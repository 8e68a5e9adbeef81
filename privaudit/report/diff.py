"""What changed between two reports on one phone: what was closed, what came back, what cannot be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from privaudit.errors import UsageError
from privaudit.i18n import name_of
from privaudit.model import AccessState, App, Report

SCHEMA: Final = "privaudit-diff/1"
_SPECIAL: Final = frozenset({"settings", "roles", "device_policy", "appops", "packages"})
"""Questions that tell of rights beside the permission list."""


class Direction(StrEnum):
    """What kind of change. The order is the one in which to look at them."""

    OPENED = "opened"
    UNKNOWN = "unknown"
    APPEARED = "appeared"
    CHANGED = "changed"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs."""

    package: str
    user: int
    label: str | None
    what: str
    """A kind of data, a kind of special access, or ``app``."""
    before: str | None
    """The state of access, ``held`` or ``not_held``; ``None``: the app was not there."""
    after: str | None
    direction: Direction

    @property
    def name(self) -> str:
        """What to call the app."""
        return name_of(self.label, self.package)


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
    changes: tuple[Change, ...]


def compare(before: Report, after: Report) -> Diff:
    """What changed from `before` to `after`.

    Raises:
        UsageError: they tell of two phones, or the second is the older.
    """
    shared = before.shared or after.shared
    if after.taken_at < before.taken_at and not (shared and _one_month(before, after)):
        raise UsageError("errors.diff_order")
    if not _one_phone(before, after):
        raise UsageError("errors.diff_phones")
    changes = sorted(_changes(before, after), key=lambda one: list(Direction).index(one.direction))
    return Diff(
        before_at=before.taken_at,
        after_at=after.taken_at,
        demo=before.demo or after.demo,
        complete=before.complete and after.complete,
        shared=shared,
        changes=tuple(changes),
    )


def _one_month(before: Report, after: Report) -> bool:
    """Whether no order can be told, one of them being coarsened."""
    times = (before.taken_at, after.taken_at)
    return len({(moment.year, moment.month) for moment in times}) == 1


def _one_phone(before: Report, after: Report) -> bool:
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


def _changes(before: Report, after: Report) -> Iterator[Change]:
    first, second = ({(app.package, app.user): app for app in report.apps} for report in (before, after))
    for key in sorted({**first, **second}):
        was, now = first.get(key), second.get(key)
        if was is not None and now is not None:
            yield from _access(was, now)
            yield from _special(was, now, sure=_sure(before) and _sure(after))
        elif now is not None:
            yield _change(now, "app", None, "held", Direction.APPEARED if _looked(before, now) else Direction.UNKNOWN)
        elif was is not None:
            yield _change(was, "app", "held", None, Direction.GONE if _looked(after, was) else Direction.UNKNOWN)


def _access(was: App, now: App) -> Iterator[Change]:
    for data, before in was.access.items():
        after = now.access[data]
        if before.state is after.state:
            continue
        if AccessState.UNKNOWN in {before.state, after.state}:
            direction = Direction.UNKNOWN
        elif after.state.reads != before.state.reads:
            direction = Direction.OPENED if after.state.reads else Direction.CLOSED
        else:
            direction = Direction.CHANGED
        yield _change(now, data.value, _state(before.state), _state(after.state), direction)


def _state(state: AccessState) -> str:
    return "not_known" if state is AccessState.UNKNOWN else state.value


def _special(was: App, now: App, *, sure: bool) -> Iterator[Change]:
    """Rights gained and lost. A right that is not told of is only lost where all could be read."""
    had, has = ({one.kind for one in app.special_access} for app in (was, now))
    for kind in sorted(had ^ has):
        gained = kind in has
        direction = Direction.UNKNOWN if not sure else Direction.OPENED if gained else Direction.CLOSED
        before, after = ("not_held", "held") if gained else ("held", "not_held")
        yield _change(now, kind, before, after, direction)


def _change(app: App, what: str, before: str | None, after: str | None, direction: Direction) -> Change:
    return Change(
        package=app.package,
        user=app.user,
        label=app.label,
        what=what,
        before=before,
        after=after,
        direction=direction,
    )


def _sure(report: Report) -> bool:
    return not any(row.could_hide for row in report.coverage if row.question in _SPECIAL)


def _looked(report: Report, app: App) -> bool:
    """Whether `report` would have told of `app`: its user was checked."""
    return any(user.id == app.user and user.checked for user in report.users)
