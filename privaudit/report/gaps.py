"""What was not checked: what could not be read this time, what no check can see, and how much the lists cover."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from privaudit.i18n import Translator
from privaudit.model import (
    AnswerState,
    AppNameQuery,
    Coverage,
    History,
    Message,
    MessageValue,
    Report,
    SignatureListInfo,
)
from privaudit.report import legal_rules, matrix
from privaudit.report.view import ReportView

MIN_COUNTRY_PACKAGES: Final = 10
"""With fewer packages than this for a country, “not on the list” says nothing there."""
MAX_LIST_AGE_DAYS: Final = 180
"""Days after which the newest list is too old to use without a warning. New loan apps appear within weeks."""
_GAP_KEYS: Final[Mapping[AnswerState, str]] = {
    AnswerState.REFUSED: "report.gap_refused",
    AnswerState.UNREADABLE: "report.gap_unreadable",
    AnswerState.TIMED_OUT: "report.gap_timed_out",
    AnswerState.NOT_SUPPORTED: "report.gap_not_supported",
    AnswerState.NOT_ASKED: "report.gap_not_asked",
}
_DOUBT_KEYS: Final = frozenset({"coverage.text_alone", "coverage.differing"})
_PARTLY_KEYS: Final = frozenset(
    {"coverage.doubtful", "coverage.outdated", "coverage.missing_apps", "coverage.lost_grants", "coverage.too_many"}
)
"""What is wrong with a part of an answer; the rest of it was read."""
_FOREIGN_SOURCES: Final = frozenset({"folder", "bugreport", "androidqf"})
"""Sources that other tools wrote, which need not hold every answer."""
_PROCESS_STATE_OPS_SDK: Final = 28
"""From Android 9 app-ops keep a time for each process state; before, one for each op."""


def gap_sentences(view: ReportView) -> Iterator[str]:
    """Yield every gap and limit, the most important first."""
    yield from missing_data(view)
    if view.has_gap("appops"):
        yield view.t("report.gap_appops")
    yield from _answers_in_doubt(view)
    yield from _history_limits(view)
    yield from map(
        view.t, ("report.never_uninstalled", "report.never_mini", "report.never_sent", "report.never_elsewhere")
    )
    yield from _label_limits(view)
    knowledge, today = view.report.knowledge, view.report.taken_at.date()
    for sentence in list_coverage_sentences(view.language, knowledge.signatures, knowledge.rules.country, today):
        if not (view.is_page and sentence == view.t("report.list_choose")):
            yield sentence
    yield from legal_rules.no_rules_notice(view.language, knowledge.rules)
    yield from other_readers_notice(view)
    yield from unrecognised_notice(view)


def other_readers_notice(view: ReportView) -> Iterator[str]:
    """Yield how many apps can read and are not shown, and how to see them; nothing if every app is shown."""
    counts = view.report.counts
    if counts.others_can_read is None or not counts.apps_seen or matrix.has_all_apps(view):
        return
    values = {"n": counts.others_can_read, "system": counts.others_can_read_system}
    if view.is_brief and not view.is_page and counts.others_can_read:
        yield view.t("report.short_others", **values)
        return
    yield view.t("report.others" if counts.others_can_read else "report.others_none", **values)
    yield view.t("report.others_how_page" if view.is_page else "report.others_how")


def missing_data(view: ReportView) -> tuple[str, ...]:
    """Return what could not be read, and why; each thing once."""
    unchecked_users = {user.id for user in view.report.users if not user.checked}
    # A user that could not be checked is one gap, however many questions it took to see that.
    rows = (row for row in view.report.coverage if row.could_hide and row.user not in unchecked_users)
    sentences = [_coverage_sentence(view, row) for row in rows]
    users_with_apps = {app.user for app in view.report.apps}
    for user in view.report.users:
        if user.checked:
            continue
        if user.id in users_with_apps:
            key = "report.why_user_partly"
        else:
            key = "report.why_user_refused" if user.why_not is AnswerState.REFUSED else "report.why_user_other"
        sentences.append(view.t("report.gap_user", user=view.user_label(user.id), why=Message(key=key)))
    if not view.report.users:
        sentences.append(view.t("report.scope_unknown"))
    sentences += (view.t("report.name_missing", name=query.name) for query in missing_names(view.report))
    return tuple(dict.fromkeys(sentences))


def missing_names(report: Report) -> tuple[AppNameQuery, ...]:
    """Return the names by which the user asked for apps that were not found."""
    return tuple(query for query in report.app_names if not query.packages)


def _answers_in_doubt(view: ReportView) -> Iterator[str]:
    """Yield what to know about texts that were read whole, and into which an app could write."""
    for row in view.report.coverage:
        if row.state is AnswerState.ANSWERED and row.detail is not None and row.detail.key in _DOUBT_KEYS:
            what = Message(key=f"question.{row.question}")
            yield view.t("report.gap_answered", what=what, why=row.detail)


def _coverage_sentence(view: ReportView, row: Coverage) -> str:
    what = Message(key=f"question.{row.question}")  # from a saved report: a later version may ask more
    if row.user:
        what = Message(key="report.gap_of_user", values={"what": what, "user": view.user_label(row.user)})
    if row.state is AnswerState.ANSWERED:
        reason = Message(key="coverage.unparsed", values={"n": row.unparsed_lines})
        return view.t("report.gap_answered", what=what, why=reason)
    if row.state is AnswerState.UNREADABLE and row.detail is not None:
        key = "report.gap_partly" if row.detail.key in _PARTLY_KEYS else "report.gap_unreadable_why"
        return view.t(key, what=what, why=row.detail)
    if row.state is AnswerState.NOT_ASKED and view.report.source.kind not in _FOREIGN_SOURCES:
        return view.t("report.gap_lost", what=what)
    return view.t(_GAP_KEYS[row.state], what=what)


def _history_limits(view: ReportView) -> Iterator[str]:
    """Yield how far back the phone's records of reading go, on this version of Android."""
    sdk, android = view.report.phone.sdk, view.report.phone.android
    accesses = [access for app in view.report.apps for access in app.access.values()]
    if all(access.history is History.UNKNOWN for access in accesses):
        return  # no record was read at all: that is among the gaps
    if sdk is not None and sdk < _PROCESS_STATE_OPS_SDK:
        yield view.t("report.records_each", android=android or f"SDK {sdk}")
    else:
        yield view.t("report.records_state")
    if since := min((access.history_since.isoformat() for access in accesses if access.history_since), default=None):
        yield view.t("report.records_since", since_on=since[: len("2026-01-31")])


def _label_limits(view: ReportView) -> Iterator[str]:
    row = next((row for row in view.report.coverage if row.question == "names"), None)
    if row is None or row.detail is None:
        yield view.t("report.never_names")
    elif not row.could_hide:  # else it is among the gaps
        yield view.t("report.names_read", read=row.detail)


def unrecognised_notice(view: ReportView) -> Iterator[str]:
    """Yield how many apps are not recognised, unless findings name them; their owner may ask for the names."""
    count = view.report.counts.suspect
    if count and not any(finding.rule == "suspect" for finding in view.report.findings):
        yield view.t("report.suspects", n=count)
        yield view.t("report.suspects_how_page" if view.is_page else "report.suspects_how")


def list_coverage_sentences(
    language: Translator, list_info: SignatureListInfo, country: str | None, today: date
) -> Iterator[str]:
    """Yield how many packages and names the lists hold, what that means, and a warning if they are old."""
    values = _list_values(list_info, country)
    for_country = list_info.packages_for_country
    if for_country is None:
        yield language.t("report.list_is", **values)
        yield language.t("report.list_choose")
    else:
        key = "report.list_country_few" if for_country < MIN_COUNTRY_PACKAGES else "report.list_country"
        sentences = [language.t(key if for_country else "report.list_country_none", **values)]
        sentences += _names_sentence(language, list_info, values)
        yield language.t("report.between_sentences").join(sentences)
    if years := years_between(list_info.newest_for_country, today):
        yield language.t("report.list_old_country", n=years, country=values["country"])
    age_days = (today - _earliest_date(list_info.newest)).days if list_info.newest is not None else 0
    if age_days > MAX_LIST_AGE_DAYS:
        yield language.t("report.list_old", n=age_days)


def _names_sentence(
    language: Translator, list_info: SignatureListInfo, values: Mapping[str, MessageValue]
) -> Iterator[str]:
    """Yield how many names the lists hold for the country, and how new they are there; nothing if they hold nothing."""
    names = list_info.names_for_country
    if names is not None and (names or list_info.packages_for_country):
        newest = list_info.newest_for_country
        yield language.t("report.list_names", n=names, newest_on=newest, country=values["country"])


def list_size_sentence(language: Translator, list_info: SignatureListInfo, country: str | None) -> str:
    """Return how many packages the lists hold, to stand beside a number of listed apps."""
    keys = {None: "report.list_held", 0: "report.list_country_none"}
    key = keys.get(list_info.packages_for_country, "report.list_held_country")
    return language.t(key, **_list_values(list_info, country))


def _list_values(list_info: SignatureListInfo, country: str | None) -> dict[str, MessageValue]:
    return {
        "packages": list_info.packages,
        "newest_on": list_info.newest,
        "here": list_info.packages_for_country,
        "country": legal_rules.country_label(country),
    }


def years_between(date_text: str | None, today: date) -> int:
    """Return how many years ``YYYY[-MM[-DD]]`` is more than ago: 0 if it may be less than one, or if there is none."""
    parts = (date_text or "").split("-")
    today_parts = f"{today:%Y-%m-%d}".split("-")[: len(parts)]
    if not all(part.isdecimal() for part in parts):
        return 0
    # A vague date may mean its last day, so a year is full only once the month, or the whole year, is over.
    is_full = today_parts[1:] > parts[1:]
    return max(int(today_parts[0]) - int(parts[0]) - (not is_full), 0)


def _earliest_date(text: str) -> date:
    """Return the first day of a ``YYYY[-MM[-DD]]``, so that a vague date warns early; an invalid one warns at once."""
    try:
        year, month, day = (*map(int, text.split("-")), 1, 1)[:3]
        return date(year, month, day)
    except (ValueError, OverflowError):
        return date.min
