"""What was not checked: what could not be read this time, what no check can see, and what the lists are worth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import AnswerState, Coverage, History, Message, MessageValue, SignatureListInfo
from privaudit.report import legal_rules
from privaudit.report.view import ReportView

MIN_COUNTRY_PACKAGES: Final = 10
"""Fewer packages than this for a country, and “not on the list” says nothing there."""
MAX_LIST_AGE_DAYS: Final = 180
"""Days after which the newest list is too old to pass over in silence. New loan apps appear within weeks."""


def list_coverage_sentences(
    language: Translator, list_info: SignatureListInfo, country: str | None, today: date
) -> Iterator[str]:
    """How much the lists hold, what that means, and a warning where they are old."""
    values = _list_values(list_info, country)
    here = list_info.packages_for_country
    if here is None:
        yield language.t("report.list_is", **values)
        yield language.t("report.list_choose")
    else:
        name = (
            "list_country_none" if here == 0 else "list_country_few" if here < MIN_COUNTRY_PACKAGES else "list_country"
        )
        yield language.t(f"report.{name}", **values)
    if list_info.newest is not None:
        days = (today - _earliest_date(list_info.newest)).days
        if days > MAX_LIST_AGE_DAYS:
            yield language.t("report.list_old", n=days)


def list_size_sentence(language: Translator, list_info: SignatureListInfo, country: str | None) -> str:
    """The same in one short sentence, to stand beside a number of listed apps."""
    name = "list_held" if list_info.packages_for_country is None else "list_held_country"
    return language.t(f"report.{name}", **_list_values(list_info, country))


def _list_values(list_info: SignatureListInfo, country: str | None) -> dict[str, MessageValue]:
    return {
        "packages": list_info.packages,
        "newest_on": list_info.newest,
        "here": list_info.packages_for_country,
        "country": country,
    }


def _earliest_date(day: str) -> date:
    """Of a year, a month or a day; the earliest, so that a vague date warns sooner, and one that is none at once."""
    try:
        year, month, first = (*map(int, day.split("-")), 1, 1)[:3]
        return date(year, month, first)
    except (ValueError, OverflowError):
        return date.min


_MANUAL_SOURCES = frozenset({"folder", "bugreport", "androidqf"})
"""Sources of which nobody promises that they hold every answer."""

_PROCESS_STATE_OPS_SDK: Final = 28
"""From Android 9 app-ops keep a time for each process state; before, one for each op."""


def gap_sentences(view: ReportView) -> Iterator[str]:
    """Everything, in the order of how much it matters here."""
    yield from missing_data(view)
    if view.has_gap("appops"):
        yield view.t("report.gap_appops")
    yield from _history_limits(view)
    yield from _general_limits(view)
    yield from _list_limits(view)
    yield from legal_rules.no_rules_notice(view.language, view.report.knowledge.rules)
    yield from unrecognised_notice(view)


def missing_data(view: ReportView) -> tuple[str, ...]:
    """What could not be read, and why; each thing once."""
    missed = {user.id for user in view.report.users if not user.checked}
    rows = [
        _coverage_sentence(view, row)
        for row in view.report.coverage
        # A user that could not be looked at is one gap, however many questions it took to see that.
        if row.could_hide and row.user not in missed
    ]
    seen = {app.user for app in view.report.apps}
    for user in view.report.users:
        if not user.checked:
            refused = "refused" if user.why_not is AnswerState.REFUSED else "other"
            why = Message(key=f"report.why_user_{'partly' if user.id in seen else refused}")
            rows.append(view.t("report.gap_user", user=view.user_label(user.id), why=why))
    if not view.report.users:
        rows.append(view.t("report.scope_unknown"))
    return tuple(dict.fromkeys(rows))


def _coverage_sentence(view: ReportView, row: Coverage) -> str:
    what = Message(key=f"question.{row.question}")
    if row.user:
        what = Message(key="report.gap_of_user", values={"what": what, "user": view.user_label(row.user)})
    if row.state is AnswerState.ANSWERED:
        why = Message(key="coverage.unparsed", values={"n": row.unparsed_lines})
        return view.t("report.gap_answered", what=what, why=why)
    if row.state is AnswerState.UNREADABLE and row.detail is not None:
        return view.t("report.gap_unreadable_why", what=what, why=row.detail)
    lost = row.state is AnswerState.NOT_ASKED and view.report.source.kind not in _MANUAL_SOURCES
    return view.t(f"report.gap_{'lost' if lost else row.state}", what=what)


def _history_limits(view: ReportView) -> Iterator[str]:
    """How far back the phone's records of reading go, on this version of Android."""
    sdk, android = view.report.phone.sdk, view.report.phone.android
    accesses = [access for app in view.report.apps for access in app.access.values()]
    if all(access.history is History.UNKNOWN for access in accesses):
        return  # nothing was read of them: that stands among the gaps
    if sdk is not None and sdk < _PROCESS_STATE_OPS_SDK:
        yield view.t("report.records_each", android=android or f"SDK {sdk}")
    else:
        yield view.t("report.records_state")
    if since := min((one.history_since.isoformat() for one in accesses if one.history_since), default=None):
        yield view.t("report.records_since", since_on=since[:10])


def _general_limits(view: ReportView) -> Iterator[str]:
    for name in ("uninstalled", "mini", "sent", "elsewhere"):
        yield view.t(f"report.never_{name}")
    yield from _label_limits(view)


def _label_limits(view: ReportView) -> Iterator[str]:
    row = next((row for row in view.report.coverage if row.question == "names"), None)
    if row is None or row.detail is None:
        yield view.t("report.never_names")
    elif not row.could_hide:  # else it stands among the gaps
        yield view.t("report.names_read", read=row.detail)


def _list_limits(view: ReportView) -> Iterator[str]:
    stamp, country = view.report.knowledge.signatures, view.report.knowledge.rules.country
    yield from list_coverage_sentences(view.language, stamp, country, view.report.taken_at.date())


def unrecognised_notice(view: ReportView) -> Iterator[str]:
    """How many apps nobody here knows; who they are, their owner asks for. Named ones stand above already."""
    n = view.report.counts.suspect
    if n and not any(finding.rule == "suspect" for finding in view.report.findings):
        yield view.t("report.suspects", n=n)
        yield view.t("report.suspects_how")
