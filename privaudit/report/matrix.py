"""Who can read what: a title, a cell of two short lines for each app and kind of data, and what the words mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.model import (
    Access,
    AccessState,
    App,
    DataClass,
    History,
    LendingVerdict,
    Message,
    OtherData,
    Permission,
    Requested,
)
from privaudit.report.view import Voice

Data = DataClass | OtherData

_PERMISSIONS: Final[Mapping[Data, tuple[str, ...]]] = {
    DataClass.CONTACTS: ("READ_CONTACTS",),
    DataClass.SMS: ("READ_SMS", "RECEIVE_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH"),
    DataClass.CALL_LOG: ("READ_CALL_LOG",),
    OtherData.PHONE: ("READ_PHONE_STATE", "READ_PHONE_NUMBERS"),
    OtherData.LOCATION: ("ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION"),
    OtherData.MEDIA: ("READ_EXTERNAL_STORAGE", "READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"),
    OtherData.APP_LIST: ("QUERY_ALL_PACKAGES",),
}
_NOT_TOLD: Final = Access(
    state=AccessState.UNKNOWN,
    ways=(),
    last_read=None,
    last_read_age_s=None,
    history=History.UNKNOWN,
    history_since=None,
)
_CHOSEN: Final = frozenset({"USER_SET", "USER_FIXED"})
"""Somebody chose, at the question or in Settings. Without them a permission that is off was never given."""


def title(voice: Voice) -> str:
    """Above the matrix of the numbered sheet."""
    return _counted(voice, "report.matrix_all" if _shows_all(voice) else "report.matrix")


def counts(voice: Voice) -> str:
    """How many apps there are, and whether all are shown."""
    return _counted(voice, "report.page_counts_all" if _shows_all(voice) else "report.page_counts")


def _counted(voice: Voice, key: str) -> str:
    return voice.text(key, n=voice.report.counts.lending, seen=voice.report.counts.apps_seen)


def _shows_all(voice: Voice) -> bool:
    counts = voice.report.counts
    return len({app.package for app in voice.report.apps}) == counts.apps_seen > counts.lending


def note(voice: Voice, app: App) -> str:
    """Why it is here, in a few words."""
    tiers = {listing.tier for listing in app.listed}
    registered = any(reason.key.startswith("lending.registered") for reason in app.lending.reasons)
    reasons = (
        ("listed", tiers & {"A", "B"}),
        ("own", "own" in tiers),
        ("notified", "N" in tiers),
        ("embeds", app.lending.verdict is LendingVerdict.EMBEDS),
        ("registered", registered),
        ("lender", app.lending.verdict is LendingVerdict.YES or by_unsure_list(app)),
        ("name", by_name_alone(app)),
        ("suspect", any(finding.rule == "suspect" for finding in voice.findings(app))),
    )
    return next((voice.text(f"report.note_{name}") for name, holds in reasons if holds), "")


def by_name_alone(app: App) -> bool:
    """Whether nothing but words in its names makes it a lending app."""
    return app.lending.verdict is LendingVerdict.LIKELY and all(map(_of_name, app.lending.reasons))


def by_unsure_list(app: App) -> bool:
    """Whether only collections that nobody vouches for make it one."""
    return app.lending.verdict is LendingVerdict.LIKELY and not by_name_alone(app)


def _of_name(reason: Message) -> bool:
    return reason.key in {"lending.name", "lending.name_and_access", "lending.trap_and_access"}


def access_of(app: App, data: Data) -> Access:
    """What is known of `data`. A report of an earlier version may lack what no finding rests on."""
    known = app.access[data] if isinstance(data, DataClass) else app.other_access.get(data)
    return known or _NOT_TOLD


def cell(voice: Voice, app: App, data: Data) -> tuple[str, str]:
    """Two short lines: can it read, and has it."""
    access = access_of(app, data)
    return voice.text(f"report.state_{access.state}"), _below(voice, app, data, access)


def _below(voice: Voice, app: App, data: Data, access: Access) -> str:
    if other_way(access):
        return voice.text("report.why_other_way")
    if access.history is History.RECORDED:
        if access.last_read is not None:
            return voice.text("report.history_recorded", day_short=access.last_read.date().isoformat())
        return voice.text("report.history_recorded_ago", ago=voice.ago(access.last_read_age_s or 0))
    if access.state.reads:
        return voice.text("report.why_incoming" if access.only_incoming else f"report.history_{access.history}")
    why = _why_closed(app, data) if access.state is AccessState.NOT_ALLOWED else access.state.value
    return voice.text(f"report.why_{why}")


def other_way(access: Access) -> bool:
    """Whether a right beside the permission list reaches what the permission keeps closed.

    "Cannot read" alone would be false comfort.
    """
    return not access.state.reads and bool(access.ways)


def permissions(app: App, data: Data) -> tuple[Permission, ...]:
    """The app's permissions for `data`."""
    by_name = {permission.name.rpartition(".")[2]: permission for permission in app.permissions}
    return tuple(by_name[name] for name in _PERMISSIONS[data] if name in by_name)


def _why_closed(app: App, data: Data) -> str:
    asked = [one for one in permissions(app, data) if one.requested is Requested.YES]
    chosen = any(_CHOSEN.intersection(one.flags) for one in asked)
    return "refused" if chosen else "not_granted"


def legend(voice: Voice, shown: tuple[Data, ...] = tuple(DataClass)) -> Iterator[tuple[str, str]]:
    """Each word of the matrix that needs one, and its meaning. `shown`: the columns of the matrix."""
    said = {word for app in voice.report.apps for data in shown for word in cell(voice, app, data) if word}
    recorded = any(one.history is History.RECORDED for app in voice.report.apps for one in app.access.values())
    can_read = "legend_can_read_by_permission" if voice.gap("appops") else "legend_can_read"
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
        if voice.text(f"report.{word}") in said:
            yield voice.text(f"report.{word}"), voice.text(f"report.{meaning}")
        if word == "state_asks_each_time" and recorded:
            yield voice.text("report.legend_word_recorded"), voice.text("report.legend_recorded")
