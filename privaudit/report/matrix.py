"""Who can read what: two short lines for each app and kind of data, the legend, and the routes to the data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from privaudit import model
from privaudit.facts.access import DATA_PERMISSIONS
from privaudit.report.view import SPECIAL_ACCESS_QUESTIONS, ReportView

AnyDataClass: TypeAlias = model.DataClass | model.OtherDataClass

WIDE_COLUMNS: Final[tuple[AnyDataClass, ...]] = (*model.DataClass, model.OtherDataClass.PHONE)
"""Columns of the matrix where there is room for more than what collectors use."""
DATA_LABEL_KEYS: Final[Mapping[AnyDataClass, str]] = {
    model.DataClass.CONTACTS: "report.contacts",
    model.DataClass.SMS: "report.sms",
    model.DataClass.CALL_LOG: "report.call_log",
    model.OtherDataClass.PHONE: "report.other_phone",
    model.OtherDataClass.LOCATION: "report.other_location",
    model.OtherDataClass.MEDIA: "report.other_media",
    model.OtherDataClass.APP_LIST: "report.other_app_list",
}
_STATE_KEYS: Final[Mapping[model.AccessState, str]] = {
    model.AccessState.CAN_READ: "report.state_can_read",
    model.AccessState.ONLY_WHILE_OPEN: "report.state_only_while_open",
    model.AccessState.ASKS_EACH_TIME: "report.state_asks_each_time",
    model.AccessState.BLOCKED: "report.state_blocked",
    model.AccessState.NOT_ALLOWED: "report.state_not_allowed",
    model.AccessState.NOT_REQUESTED: "report.state_not_requested",
    model.AccessState.UNKNOWN: "report.state_unknown",
}
_CLOSED_STATE_KEYS: Final[Mapping[model.AccessState, str]] = {
    model.AccessState.BLOCKED: "report.why_blocked",
    model.AccessState.NOT_REQUESTED: "report.why_not_requested",
    model.AccessState.UNKNOWN: "report.why_unknown",
}
"""Second line of a cell whose state does not read."""
_ROUTE_KEYS: Final[Mapping[str, str]] = {
    "permission": "report.way_permission",
    "incoming": "report.way_incoming",
    "no_permission_needed": "report.way_no_permission_needed",
}
"""Routes that are not special access."""
_NAME_REASONS: Final = frozenset(
    {"lending.name", "lending.name_and_access", "lending.name_and_requests", "lending.trap_and_access"}
)
"""Reasons that rest on words in an app's name."""
_LEGEND: Final = (
    ("report.state_can_read", "report.legend_can_read"),
    ("report.state_only_while_open", "report.legend_only_while_open"),
    ("report.state_asks_each_time", "report.legend_asks_each_time"),
    ("report.legend_word_recorded", "report.legend_recorded"),
    ("report.history_no_record", "report.legend_no_record"),
    ("report.history_unknown", "report.legend_history_unknown"),
    ("report.why_incoming", "report.legend_incoming"),
    ("report.why_screen", "report.legend_screen"),
    ("report.why_notifications", "report.legend_notifications"),
    ("report.why_other_way", "report.legend_other_way"),
    ("report.why_blocked", "report.legend_blocked"),
    ("report.why_refused", "report.legend_refused"),
    ("report.why_not_granted", "report.legend_not_granted"),
    ("report.why_not_requested", "report.legend_not_requested"),
    ("report.state_unknown", "report.legend_unknown"),
)
"""Each word of the matrix that needs an explanation, and the explanation."""
_USER_CHOICE_FLAGS: Final = frozenset({"USER_SET", "USER_FIXED"})
"""The user chose, in the permission dialog or in Settings. Without them a denied permission was never granted."""
_OTHER_ROUTE_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "accessibility": ("report.why_screen", "report.other_way_screen"),
    "notification_listener": ("report.why_notifications", "report.other_way_notifications"),
}
"""Special access by which an app reaches data → a few words, and a sentence. The first that it holds says most."""
UNKNOWN_ACCESS: Final = model.Access(
    state=model.AccessState.UNKNOWN,
    ways=(),
    last_read=None,
    last_read_age_s=None,
    history=model.History.UNKNOWN,
    history_since=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAccessRow:
    """One kind of data that an app can read, asks for, or may be able to read."""

    data: str
    state: model.AccessState
    access_text: str
    detail: str
    routes: str


def app_counts(view: ReportView, key: str, all_shown_key: str) -> str:
    """Return how many apps there are, in the message for some or for all of them being shown."""
    counts = view.report.counts
    return view.t(all_shown_key if has_all_apps(view) else key, n=counts.lending, seen=counts.apps_seen)


def has_all_apps(view: ReportView) -> bool:
    """Return whether the report has every app of the phone, not only those that it is about."""
    counts = view.report.counts
    return len({app.package for app in view.report.apps}) == counts.apps_seen > counts.lending


def data_label(view: ReportView, data: AnyDataClass) -> str:
    """Return the name of a kind of data in tables."""
    return view.t(DATA_LABEL_KEYS[data])


def reason_note(view: ReportView, app: model.App) -> str:
    """Return why the app is in the report, in a few words; empty if it is there only because all are."""
    tiers = {match.tier for match in app.listed}
    is_registered = any(reason.key.startswith("lending.registered") for reason in app.lending.reasons)
    is_lender = app.lending.verdict is model.LendingVerdict.YES or is_matched_by_unconfirmed_list(app)
    reasons = (
        ("report.note_listed", bool(tiers & {"A", "B"})),
        ("report.note_own", "own" in tiers),
        ("report.note_notified", "N" in tiers),
        ("report.note_embeds", app.lending.verdict is model.LendingVerdict.EMBEDS),
        ("report.note_registered", is_registered),
        ("report.note_lender", is_lender),
        ("report.note_name", is_matched_by_name_only(app)),
        ("report.note_named", app.named_by_user),
        ("report.note_suspect", any(finding.rule == "suspect" for finding in view.findings_of(app))),
    )
    return next((view.t(key) for key, applies in reasons if applies), "")


def is_matched_by_name_only(app: model.App) -> bool:
    """Return whether only words in the app's names suggest that it is a lending app."""
    return app.lending.verdict is model.LendingVerdict.LIKELY and all(
        reason.key in _NAME_REASONS for reason in app.lending.reasons
    )


def is_matched_by_unconfirmed_list(app: model.App) -> bool:
    """Return whether only collections that no authority confirms suggest that it is a lending app."""
    return app.lending.verdict is model.LendingVerdict.LIKELY and not is_matched_by_name_only(app)


def access_to(app: model.App, data: AnyDataClass) -> model.Access:
    """Return the app's access to `data`. A report of an earlier version may lack kinds that no finding rests on."""
    access = app.access[data] if isinstance(data, model.DataClass) else app.other_access.get(data)
    return access or UNKNOWN_ACCESS


def cell_text(view: ReportView, app: model.App, data: AnyDataClass) -> tuple[str, str]:
    """Return two short lines: whether the app can read `data`, and whether it has."""
    access = access_to(app, data)
    return view.t(_STATE_KEYS[access.state]), _second_line(view, app, data, access)


def _second_line(view: ReportView, app: model.App, data: AnyDataClass, access: model.Access) -> str:
    if has_other_route(access):
        return view.t(other_route_keys(access)[0])
    if access.history is model.History.RECORDED:
        if access.last_read is not None:
            return view.t("report.history_recorded", day_short=access.last_read.date().isoformat())
        return view.t("report.history_recorded_ago", ago=view.age_message(access.last_read_age_s or 0))
    if access.state.allows_reading:
        key = "report.history_unknown" if access.history is model.History.UNKNOWN else "report.history_no_record"
        return view.t("report.why_incoming" if access.is_incoming_only else key)
    if access.state is model.AccessState.NOT_ALLOWED:
        return view.t("report.why_refused" if _was_refused(app, data) else "report.why_not_granted")
    return view.t(_CLOSED_STATE_KEYS[access.state])


def other_route_keys(access: model.Access) -> tuple[str, str]:
    """Return a few words and a sentence for the special access that reaches what the permission keeps closed."""
    found = (keys for route, keys in _OTHER_ROUTE_KEYS.items() if route in access.ways)
    return next(found, ("report.why_other_way", "report.other_way"))


def has_other_route(access: model.Access) -> bool:
    """Whether special access reaches what the permission keeps closed: "cannot read" alone would be false comfort."""
    return not access.state.allows_reading and bool(access.ways)


def permissions_for(app: model.App, data: AnyDataClass) -> tuple[model.Permission, ...]:
    """Return the app's permissions for `data`."""
    by_name = {permission.name: permission for permission in app.permissions}
    names = (data_permission.permission for data_permission in DATA_PERMISSIONS[data])
    return tuple(by_name[name] for name in names if name in by_name)


def _was_refused(app: model.App, data: AnyDataClass) -> bool:
    return any(
        permission.requested is model.RequestedState.YES and _USER_CHOICE_FLAGS.intersection(permission.flags)
        for permission in permissions_for(app, data)
    )


def matrix_legend(
    view: ReportView,
    columns: tuple[AnyDataClass, ...] = tuple(model.DataClass),
    keys: frozenset[str] = frozenset(dict(_LEGEND)),
) -> Iterator[tuple[str, str]]:
    """Yield each word in `keys` that stands in the matrix and needs an explanation, and the explanation."""
    used = {line for app in view.report.apps for data in columns for line in cell_text(view, app, data) if line}
    if any(access.history is model.History.RECORDED for app in view.report.apps for access in app.access.values()):
        used.add(view.t("report.legend_word_recorded"))  # an example: the cells hold dates
    for word_key, meaning_key in _LEGEND:
        if word_key in keys and (word := view.t(word_key)) in used:
            by_permission = word_key == "report.state_can_read" and view.has_gap("appops")
            yield word, view.t("report.legend_can_read_by_permission" if by_permission else meaning_key)


def access_rows(view: ReportView, app: model.App) -> Iterator[DataAccessRow]:
    """Yield contacts, SMS and call log always; other kinds if the app asks for them or reaches them."""
    for data in (*model.DataClass, *model.OtherDataClass):
        access = access_to(app, data)
        is_relevant = access.state is not model.AccessState.NOT_REQUESTED or access.ways
        if isinstance(data, model.DataClass) or (is_relevant and data in app.other_access):
            access_text, detail = cell_text(view, app, data)
            routes = (
                view.t(_ROUTE_KEYS[route]) if route in _ROUTE_KEYS else view.special_access_label(route)
                for route in access.ways
            )
            yield DataAccessRow(
                data=data_label(view, data),
                state=access.state,
                access_text=access_text,
                detail=detail,
                routes=view.t("report.between_ways").join(routes) or view.t("report.way_none"),
            )


def special_access_routes(view: ReportView, app: model.App) -> tuple[tuple[str, bool], ...]:
    """Return the app's kinds of special access, each with True; else, with False, that none is seen or not known."""
    kinds = dict.fromkeys(special_access.kind for special_access in app.special_access)
    held = tuple((view.special_access_label(kind), True) for kind in kinds)
    # Complete: a kind of special access that the report does not show is not held.
    is_complete = any(user.id == app.user and user.checked for user in view.report.users) and not any(
        row.could_hide and row.question in SPECIAL_ACCESS_QUESTIONS and row.user in {None, app.user}
        for row in view.report.coverage
    )
    if not is_complete:
        return (*held, (view.t("report.routes_more_unknown" if held else "report.state_unknown"), False))
    return held or ((view.t("report.routes_none"), False),)
