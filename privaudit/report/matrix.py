"""Who can read what: a title, a cell of two short lines for each app and kind of data, and what the words mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit.facts.access import DATA_PERMISSIONS
from privaudit.model import (
    Access,
    AccessState,
    App,
    DataClass,
    History,
    LendingVerdict,
    Message,
    OtherDataClass,
    Permission,
    RequestedState,
)
from privaudit.report.view import ReportView

AnyDataClass = DataClass | OtherDataClass

_UNKNOWN_ACCESS: Final = Access(
    state=AccessState.UNKNOWN,
    ways=(),
    last_read=None,
    last_read_age_s=None,
    history=History.UNKNOWN,
    history_since=None,
)
_USER_CHOICE_FLAGS: Final = frozenset({"USER_SET", "USER_FIXED"})
"""Somebody chose, at the question or in Settings. Without them a permission that is off was never given."""


def matrix_title(view: ReportView) -> str:
    """Above the matrix of the numbered sheet."""
    return _counts_sentence(view, "report.matrix_all" if _has_all_apps(view) else "report.matrix")


def app_counts(view: ReportView) -> str:
    """How many apps there are, and whether all are shown."""
    return _counts_sentence(view, "report.page_counts_all" if _has_all_apps(view) else "report.page_counts")


def _counts_sentence(view: ReportView, key: str) -> str:
    return view.t(key, n=view.report.counts.lending, seen=view.report.counts.apps_seen)


def _has_all_apps(view: ReportView) -> bool:
    counts = view.report.counts
    return len({app.package for app in view.report.apps}) == counts.apps_seen > counts.lending


def reason_note(view: ReportView, app: App) -> str:
    """Why it is here, in a few words."""
    tiers = {listing.tier for listing in app.listed}
    registered = any(reason.key.startswith("lending.registered") for reason in app.lending.reasons)
    reasons = (
        ("listed", tiers & {"A", "B"}),
        ("own", "own" in tiers),
        ("notified", "N" in tiers),
        ("embeds", app.lending.verdict is LendingVerdict.EMBEDS),
        ("registered", registered),
        ("lender", app.lending.verdict is LendingVerdict.YES or is_matched_by_unconfirmed_list(app)),
        ("name", is_matched_by_name_only(app)),
        ("suspect", any(finding.rule == "suspect" for finding in view.findings_of(app))),
    )
    return next((view.t(f"report.note_{name}") for name, holds in reasons if holds), "")


def is_matched_by_name_only(app: App) -> bool:
    """Whether nothing but words in its names makes it a lending app."""
    return app.lending.verdict is LendingVerdict.LIKELY and all(map(_is_name_reason, app.lending.reasons))


def is_matched_by_unconfirmed_list(app: App) -> bool:
    """Whether only collections that nobody vouches for make it one."""
    return app.lending.verdict is LendingVerdict.LIKELY and not is_matched_by_name_only(app)


def _is_name_reason(reason: Message) -> bool:
    return reason.key in {"lending.name", "lending.name_and_access", "lending.trap_and_access"}


def access_to(app: App, data: AnyDataClass) -> Access:
    """What is known of `data`. A report of an earlier version may lack what no finding rests on."""
    known = app.access[data] if isinstance(data, DataClass) else app.other_access.get(data)
    return known or _UNKNOWN_ACCESS


def cell_text(view: ReportView, app: App, data: AnyDataClass) -> tuple[str, str]:
    """Two short lines: can it read, and has it."""
    access = access_to(app, data)
    return view.t(f"report.state_{access.state}"), _second_line(view, app, data, access)


def _second_line(view: ReportView, app: App, data: AnyDataClass, access: Access) -> str:
    if has_other_route(access):
        return view.t("report.why_other_way")
    if access.history is History.RECORDED:
        if access.last_read is not None:
            return view.t("report.history_recorded", day_short=access.last_read.date().isoformat())
        return view.t("report.history_recorded_ago", ago=view.age_message(access.last_read_age_s or 0))
    if access.state.allows_reading:
        return view.t("report.why_incoming" if access.is_incoming_only else f"report.history_{access.history}")
    why = _denial_reason(app, data) if access.state is AccessState.NOT_ALLOWED else access.state.value
    return view.t(f"report.why_{why}")


def has_other_route(access: Access) -> bool:
    """Whether a right beside the permission list reaches what the permission keeps closed.

    "Cannot read" alone would be false comfort.
    """
    return not access.state.allows_reading and bool(access.ways)


def permissions_for(app: App, data: AnyDataClass) -> tuple[Permission, ...]:
    """The app's permissions for `data`."""
    by_name = {permission.name: permission for permission in app.permissions}
    return tuple(by_name[row.permission] for row in DATA_PERMISSIONS[data] if row.permission in by_name)


def _denial_reason(app: App, data: AnyDataClass) -> str:
    asked = [one for one in permissions_for(app, data) if one.requested is RequestedState.YES]
    chosen = any(_USER_CHOICE_FLAGS.intersection(one.flags) for one in asked)
    return "refused" if chosen else "not_granted"


def matrix_legend(view: ReportView, columns: tuple[AnyDataClass, ...] = tuple(DataClass)) -> Iterator[tuple[str, str]]:
    """Each word of the matrix that needs one, and its meaning. `columns`: the columns of the matrix."""
    said = {word for app in view.report.apps for data in columns for word in cell_text(view, app, data) if word}
    recorded = any(one.history is History.RECORDED for app in view.report.apps for one in app.access.values())
    can_read = "legend_can_read_by_permission" if view.has_gap("appops") else "legend_can_read"
    words = (
        ("state_can_read", can_read),
        ("state_only_while_open", "legend_only_while_open"),
        ("state_asks_each_time", "legend_asks_each_time"),
        ("history_no_record", "legend_no_record"),
        ("history_unknown", "legend_history_unknown"),
        ("why_incoming", "legend_incoming"),
        ("why_other_way", "legend_other_way"),
        ("why_blocked", "legend_blocked"),
        ("why_refused", "legend_refused"),
        ("why_not_granted", "legend_not_granted"),
        ("why_not_requested", "legend_not_requested"),
        ("state_unknown", "legend_unknown"),
    )
    for word, meaning in words:
        if view.t(f"report.{word}") in said:
            yield view.t(f"report.{word}"), view.t(f"report.{meaning}")
        if word == "state_asks_each_time" and recorded:
            yield view.t("report.legend_word_recorded"), view.t("report.legend_recorded")


WIDE_COLUMNS: Final[tuple[AnyDataClass, ...]] = (*DataClass, OtherDataClass.PHONE)
"""Columns of the matrix where there is room for more than what collectors use."""
_SPECIAL_ACCESS_QUESTIONS: Final = frozenset({"settings", "roles", "device_policy", "appops", "packages"})
"""Questions whose answers tell of rights beside the permission list."""
_NORMAL_ROUTES: Final = frozenset({"permission", "incoming", "no_permission_needed"})
"""Ways that are no right beside the permission list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAccessRow:
    """One kind of data that an app reaches, asked for, or may reach."""

    data: str
    state: AccessState
    access_text: str
    detail: str
    routes: str


def data_label(view: ReportView, data: AnyDataClass) -> str:
    """What a kind of data is called in tables."""
    return view.t(f"report.{data}" if isinstance(data, DataClass) else f"report.other_{data}")


def access_rows(view: ReportView, app: App) -> Iterator[DataAccessRow]:
    """Contacts, SMS and call log always; other kinds where the app asked for them or reaches them."""
    for data in (*DataClass, *OtherDataClass):
        access = access_to(app, data)
        asked = access.state is not AccessState.NOT_REQUESTED or access.ways
        if isinstance(data, DataClass) or (asked and data in app.other_access):
            can, below = cell_text(view, app, data)
            ways = [_route_label(view, way) for way in access.ways]
            yield DataAccessRow(
                data=data_label(view, data),
                state=access.state,
                access_text=can,
                detail=below,
                routes=view.t("report.between_ways").join(ways) or view.t("report.way_none"),
            )


def special_access_routes(view: ReportView, app: App) -> tuple[tuple[str, bool], ...]:
    """Rights beside the permission list, and whether the app holds them; else that none is seen, or not known."""
    kinds = dict.fromkeys(right.kind for right in app.special_access)
    held = tuple((view.t(f"diff.{kind}"), True) for kind in kinds)
    if not _is_special_access_complete(view, app):
        return (*held, (view.t("report.routes_more_unknown" if held else "report.state_unknown"), False))
    return held or ((view.t("report.routes_none"), False),)


def _is_special_access_complete(view: ReportView, app: App) -> bool:
    """Whether a right that is not told of is not there."""
    looked = any(user.id == app.user and user.checked for user in view.report.users)
    return looked and not any(
        row.could_hide and row.question in _SPECIAL_ACCESS_QUESTIONS and row.user in {None, app.user}
        for row in view.report.coverage
    )


def _route_label(view: ReportView, route: str) -> str:
    return view.translate(Message(key=f"report.way_{route}" if route in _NORMAL_ROUTES else f"diff.{route}"))
