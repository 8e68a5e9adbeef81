"""Compare two reports on one phone: what was closed, what was opened again, what cannot be known.

The comparison is written as text for a terminal, as an HTML page, and as JSON.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import TypeAdapter

from privaudit.errors import UsageError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import display_name
from privaudit.model import AccessState, App, Message, MessageValue, Report
from privaudit.report import summary
from privaudit.report.json import dump_json, format_json_schema
from privaudit.report.layout import hanging_indent, wrap
from privaudit.report.view import DATA_NAME_KEYS, SPECIAL_ACCESS_KEYS, SPECIAL_ACCESS_QUESTIONS


class ChangeDirection(StrEnum):
    """The kinds of changes, and of what did not change, in the order in which to look at them."""

    OPENED = "opened"
    STILL_OPEN = "still_open"
    UNKNOWN = "unknown"
    APPEARED = "appeared"
    CHANGED = "changed"
    CLOSED = "closed"
    GONE = "gone"
    UNCHANGED = "unchanged"


DIFF_SUFFIXES: Final = (".txt", ".html", ".json")
"""Suffixes of the files that a comparison can be written to."""
_LINE_COLUMNS: Final = 80
_DIRECTION_KEYS: Final[Mapping[ChangeDirection, str]] = {
    ChangeDirection.OPENED: "diff.opened",
    ChangeDirection.STILL_OPEN: "diff.still_open",
    ChangeDirection.UNKNOWN: "diff.unknown",
    ChangeDirection.APPEARED: "diff.appeared",
    ChangeDirection.CHANGED: "diff.changed",
    ChangeDirection.CLOSED: "diff.closed",
    ChangeDirection.GONE: "diff.gone",
    ChangeDirection.UNCHANGED: "diff.unchanged",
}
_SUBJECT_KEYS: Final[Mapping[str, str]] = {
    "app": "diff.app",
    **{data.value: key for data, key in DATA_NAME_KEYS.items()},
    **SPECIAL_ACCESS_KEYS,
}
_STATE_KEYS: Final[Mapping[str, str]] = {
    "held": "diff.held",
    "not_held": "diff.not_held",
    "can_read": "diff.can_read",
    "only_while_open": "diff.only_while_open",
    "asks_each_time": "diff.asks_each_time",
    "blocked": "diff.blocked",
    "not_allowed": "diff.not_allowed",
    "not_requested": "diff.not_requested",
    "not_known": "diff.not_known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportChange:
    """One kind of access of one app before and after, or an app that one of the reports does not have."""

    package: str
    user: int
    label: str | None
    what: str
    """A kind of data, a kind of special access, or ``app``."""
    before: str | None
    """The state of access, ``held`` or ``not_held``; ``None``: the app was not installed."""
    after: str | None
    direction: ChangeDirection

    @property
    def app_name(self) -> str:
        """The name of the app."""
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
    """Whether one of them was anonymized: then the times are those of a month's beginning."""
    changes: tuple[ReportChange, ...]
    unchanged: tuple[ReportChange, ...] = ()
    """What is as before of the apps of either report, so that each of them stands in the comparison."""


def compare_reports(before: Report, after: Report, packages: Collection[str] = ()) -> Diff:
    """Return what changed, and that the `packages` which neither report has are not known.

    Raises `UsageError` if the reports are on two phones, or the second is the older one.
    """
    shared = before.shared or after.shared
    # Of an anonymized report no more than the month is known.
    is_same_month = (before.taken_at.year, before.taken_at.month) == (after.taken_at.year, after.taken_at.month)
    if after.taken_at < before.taken_at and not (shared and is_same_month):
        raise UsageError("errors.diff_order")
    if not _is_same_phone(before, after):
        raise UsageError("errors.diff_phones")
    order = list(ChangeDirection)
    rows = sorted(_iter_changes(before, after, packages), key=lambda row: order.index(row.direction))
    return Diff(
        before_at=before.taken_at,
        after_at=after.taken_at,
        demo=before.demo or after.demo,
        complete=before.complete and after.complete,
        shared=shared,
        changes=tuple(row for row in rows if not _is_unchanged(row)),
        unchanged=tuple(filter(_is_unchanged, rows)),
    )


def _is_unchanged(row: ReportChange) -> bool:
    return row.before is not None and row.before == row.after


def _is_same_phone(before: Report, after: Report) -> bool:
    """Return whether both may be of one phone: its model, and when the apps that both have were first installed."""
    old, new = before.phone, after.phone
    for names in ({old.model, new.model}, {old.manufacturer, new.manufacturer}):
        if len(names - {None}) > 1:
            return False
    times = {(app.package, app.user): app.first_installed for app in before.apps if app.first_installed is not None}
    matches = [
        times[app.package, app.user] == app.first_installed
        for app in after.apps
        if app.first_installed is not None and (app.package, app.user) in times
    ]
    return any(matches) or not matches


def _iter_changes(before: Report, after: Report, packages: Collection[str]) -> Iterator[ReportChange]:
    old_apps, new_apps = ({(app.package, app.user): app for app in report.apps} for report in (before, after))
    coverage = (row for row in (*before.coverage, *after.coverage) if row.question in SPECIAL_ACCESS_QUESTIONS)
    complete = not any(row.could_hide for row in coverage)
    for key in sorted({**old_apps, **new_apps}):
        old_app, new_app = old_apps.get(key), new_apps.get(key)
        if old_app is not None and new_app is not None:
            rows = (
                *_access_changes(old_app, new_app),
                *_special_access_changes(old_app, new_app, complete=complete),
            )
            yield from rows or (_make_change(new_app, "app", "held", "held", ChangeDirection.UNCHANGED),)
        elif new_app is not None:
            direction = ChangeDirection.APPEARED if _is_user_checked(before, new_app) else ChangeDirection.UNKNOWN
            yield _make_change(new_app, "app", None, "held", direction)
        elif old_app is not None:
            direction = ChangeDirection.GONE if _is_user_checked(after, old_app) else ChangeDirection.UNKNOWN
            yield _make_change(old_app, "app", "held", None, direction)
    for package in sorted(set(packages) - {package for package, _ in (*old_apps, *new_apps)}):
        yield ReportChange(
            package=package, user=0, label=None, what="app", before=None, after=None, direction=ChangeDirection.UNKNOWN
        )


def _access_changes(old_app: App, new_app: App) -> Iterator[ReportChange]:
    for data, before in old_app.access.items():
        after = new_app.access[data]
        if before.state is after.state is AccessState.NOT_REQUESTED:
            continue
        if AccessState.UNKNOWN in {before.state, after.state}:
            direction = ChangeDirection.UNKNOWN
        elif before.state is after.state:
            direction = ChangeDirection.STILL_OPEN if after.state.allows_reading else ChangeDirection.UNCHANGED
        elif after.state.allows_reading != before.state.allows_reading:
            direction = ChangeDirection.OPENED if after.state.allows_reading else ChangeDirection.CLOSED
        else:
            direction = ChangeDirection.CHANGED
        old_state, new_state = (
            "not_known" if state is AccessState.UNKNOWN else state.value for state in (before.state, after.state)
        )
        yield _make_change(new_app, data.value, old_state, new_state, direction)


def _special_access_changes(old_app: App, new_app: App, *, complete: bool) -> Iterator[ReportChange]:
    """Yield the kinds gained, lost and kept; unless both reports are `complete`, a kind that one lacks may be held."""
    old_kinds, new_kinds = ({access.kind for access in app.special_access} for app in (old_app, new_app))
    for kind in sorted(old_kinds & new_kinds):
        yield _make_change(new_app, kind, "held", "held", ChangeDirection.STILL_OPEN)
    for kind in sorted(old_kinds ^ new_kinds):
        if kind in new_kinds:
            before, after, direction = "not_held", "held", ChangeDirection.OPENED
        else:
            before, after, direction = "held", "not_held", ChangeDirection.CLOSED
        yield _make_change(new_app, kind, before, after, direction if complete else ChangeDirection.UNKNOWN)


def _make_change(
    app: App, what: str, before: str | None, after: str | None, direction: ChangeDirection
) -> ReportChange:
    return ReportChange(
        package=app.package, user=app.user, label=app.label, what=what, before=before, after=after, direction=direction
    )


def _is_user_checked(report: Report, app: App) -> bool:
    """Return whether `report` would contain `app` if it was installed: its user was checked."""
    return any(user.id == app.user and user.checked for user in report.users)


def render_diff(diff: Diff, suffix: str, language: Translator) -> str:
    """Return the comparison in the format of `suffix`, one of `DIFF_SUFFIXES`; ends in a line feed."""
    if suffix == ".json":
        return diff_to_json(diff)
    return diff_to_html(diff, language) if suffix == ".html" else diff_to_text(diff, language)


def diff_to_text(diff: Diff, language: Translator) -> str:
    """Return the comparison as text for a terminal."""
    return "".join(f"{line}\n" for line in _text_lines(_DiffText(diff, language)))


def diff_to_html(diff: Diff, language: Translator) -> str:
    """Return the comparison as an HTML page."""
    from privaudit.report import html_page  # loads Jinja2

    language = replace(language, isolate_bidi=True)
    return html_page.render_page("diff", language, vars(_DiffText(diff, language)))


def diff_to_json(diff: Diff) -> str:
    """Return the document that ``privaudit diff --json`` writes."""
    return dump_json(TypeAdapter(Diff), diff, indent=2)


def diff_schema() -> str:
    """Return the JSON Schema of the document."""
    return format_json_schema(TypeAdapter(Diff), "privaudit-diff/1")


class _DiffText:
    """The comparison in sentences: the values of the template ``diff.html.jinja``."""

    def __init__(self, diff: Diff, language: Translator) -> None:
        language = replace(language, month_precision=diff.shared)
        remarks = (("diff.gaps", not diff.complete), ("diff.nothing", not diff.changes))
        self.notices = tuple(summary.notices(language, demo=diff.demo))
        self.title = language.t("diff.title", before_at=diff.before_at.isoformat(), after_at=diff.after_at.isoformat())
        self.remarks = tuple(language.t(key) for key, applies in remarks if applies)
        self.groups = tuple(_change_groups(diff, language))
        self.closing = language.t("steps.no_recall")


def _change_groups(diff: Diff, language: Translator) -> Iterator[tuple[ChangeDirection, str, tuple[str, ...]]]:
    """Yield each direction in which something changed, its title, and its changes in sentences."""
    for direction, key in _DIRECTION_KEYS.items():
        changes = [change for change in (*diff.changes, *diff.unchanged) if change.direction is direction]
        if changes:
            yield direction, language.t(key), tuple(language.translate(_change_message(change)) for change in changes)


def _text_lines(text: _DiffText) -> Iterator[str]:
    for sentence in (*text.notices, text.title, *text.remarks):
        yield from wrap(sentence, _LINE_COLUMNS)
    for _, title, sentences in text.groups:
        yield ""
        yield from wrap(title, _LINE_COLUMNS)
        for sentence in sentences:
            yield from hanging_indent("  · ", sentence, _LINE_COLUMNS)
    yield ""
    yield from wrap(text.closing, _LINE_COLUMNS)


def _change_message(change: ReportChange) -> Message:
    app: MessageValue = change.app_name
    if change.user != 0:
        app = Message(key="diff.of_user", values={"app": change.app_name, "user": change.user})
    # A kind of special access that a later version added is not in the table: shown as its key.
    what = Message(key=_SUBJECT_KEYS.get(change.what, "diff." + change.what))
    if change.before is None or change.after is None:
        return Message(key="diff.row", values={"app": app, "what": what})
    if change.what == "app":
        return Message(key="diff.row_nothing", values={"app": app})
    if change.before == change.after:
        state = Message(key=_STATE_KEYS[change.after])
        return Message(key="diff.row_same", values={"app": app, "what": what, "state": state})
    before, after = Message(key=_STATE_KEYS[change.before]), Message(key=_STATE_KEYS[change.after])
    return Message(key="diff.row_states", values={"app": app, "what": what, "before": before, "after": after})
