"""The details of one app of one user: its findings, how each is known, and the evidence."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from privaudit import model
from privaudit.i18n.sanitize import display_name
from privaudit.report import gaps, matrix
from privaudit.report.view import DATA_NAME_KEYS, ReportView

_MAX_LINE_CHARS: Final = 400
"""Characters of an evidence line that are shown."""
_NAMED_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "A": ("named.on_list", "named.on_list_undated"),
    "B": ("named.on_list", "named.on_list_undated"),
    "N": ("named.in_notice", "named.in_notice_undated"),
}
"""Tier of the list → sentence with its date, and the one without a date."""
_READING_STATE_KEYS: Final[Mapping[model.AccessState, str]] = {
    model.AccessState.CAN_READ: "data_access.can_read",
    model.AccessState.ONLY_WHILE_OPEN: "data_access.only_while_open",
    model.AccessState.ASKS_EACH_TIME: "data_access.asks_each_time",
}
MEANS_UNLICENSED: Final = frozenset({"illegal", "informal", "unlicensed"})
"""A regulator's words for a lender without a licence. They sound like a judgement on what the app did."""


def app_sentences(view: ReportView, app: model.App) -> Iterator[str]:
    """Yield one or two sentences for each fact about the app, the findings first."""
    first = view.installs_of(app.package)[0]
    is_repeated = app is not first and (app.listed, app.lending, app.named) == (
        first.listed,
        first.lending,
        first.named,
    )
    for finding in sorted(view.findings_of(app), key=lambda finding: finding.rule == "listed"):
        if is_repeated and finding.rule == "listed":
            continue
        yield view.translate(finding.message)
        if finding.rule in {"data_access", "suspect"}:
            yield from _access_sentences(view, app, finding)
    if is_repeated:
        yield view.t("report.as_above")
    else:
        yield from _recognition_sentences(view, app)
    yield from _display_sentences(view, app, is_repeated=is_repeated)
    if app.enabled is False:
        yield view.t("report.switched_off")
    if app.user != 0:
        yield view.t("report.in_user", user=view.user_label(app.user))
    if app.installer is not None:
        yield view.t("report.installed_by", installer=app.installer_name or app.installer)
    elif app.installer_known and not app.system:
        yield view.t("report.no_installer")


def _recognition_sentences(view: ReportView, app: model.App) -> Iterator[str]:
    """Yield what lists and words say of the app, and which lists have its name."""
    today = view.report.taken_at.date()
    for match in app.listed:
        yield from list_match_sentences(view.t, match, view.report.knowledge.rules.country, today)
    yield from (view.translate(reason) for reason in app.lending.reasons if reason.key != "lending.listed")
    for name_match in app.named:
        yield from _name_match_sentences(view.t, app, name_match, today)
    if app.named_by_user:
        yield view.t("report.named" if app.is_recognised else "report.named_unrecognised")


def list_match_sentences(
    t: Callable[..., str], match: model.SignatureMatch, chosen_country: str | None, today: date
) -> Iterator[str]:
    """Yield what to know about a list that has an app, and how old the list is on `today`, the day of the check."""
    if match.via is not None:
        yield t("listed.via", via=match.via)
    if "spyloan" in match.action.casefold():
        yield t("listed.spyloan")
    if "reported" in match.action.casefold():
        yield t("listed.reported")
    if match.action.casefold() in MEANS_UNLICENSED:
        yield t("listed.no_licence", action=match.action)
    if match.tier != "own" and match.country not in {None, chosen_country}:
        yield t("listed.elsewhere" if chosen_country else "listed.of_country", country=match.country)
    yield from _worth_sentences(t, match, today)


def _worth_sentences(
    t: Callable[..., str], match: model.SignatureMatch | model.NameMatch, today: date
) -> Iterator[str]:
    """Yield what lessens the weight of a list: its age, and that another source contradicts it."""
    if years := gaps.years_between(match.date, today):
        yield t("listed.old", n=years)
    if match.disputed:
        yield t("listed.disputed")


def _name_match_sentences(t: Callable[..., str], app: model.App, match: model.NameMatch, today: date) -> Iterator[str]:
    """Yield that a list has an app of this name, which is no finding."""
    dated_key, undated_key = _NAMED_KEYS[match.tier]
    yield t(dated_key if match.date else undated_key, publisher=match.publisher, dated_on=match.date)
    if match.label != app.label:
        yield t("named.which", name=match.label)
    yield from _worth_sentences(t, match, today)


def _display_sentences(view: ReportView, app: model.App, *, is_repeated: bool) -> Iterator[str]:
    """Yield how the app shows itself on the phone."""
    if app.label_problem is not None:
        yield view.t("report.name_unread", why=app.label_problem)
    if app.launcher_labels and not is_repeated:
        yield view.t("report.other_name", names=app.launcher_labels)
    if app.launcher_icon is False and not app.system and not is_repeated:
        yield view.t("report.no_icon")


def _access_sentences(view: ReportView, app: model.App, finding: model.Finding) -> Iterator[str]:
    """Yield what the sentence of `finding` leaves open about the app's access."""
    # If a record of this app was read, so was whether app-ops block it.
    is_history_unread = any(
        access.state.allows_reading and access.history is model.History.UNKNOWN for access in app.access.values()
    )
    if is_history_unread and view.has_gap("appops"):
        yield view.t("report.permission_alone")
    finding_name = finding.message.key.partition(".")[2]  # begins with the state that the finding is about
    for data, access in app.access.items():
        values: dict[str, model.MessageValue] = {"data": model.Message(key=DATA_NAME_KEYS[data])}
        if access.state.allows_reading and not finding_name.startswith(access.state.value):
            yield view.t(_READING_STATE_KEYS[access.state], app=display_name(app.label, app.package), **values)
        yield from _history_sentences(view, app, data, access)
        if access.is_incoming_only:
            yield view.t("report.only_incoming")
        if matrix.has_other_route(access):
            yield view.t(matrix.other_route_keys(access)[1], **values)
        if access.state is model.AccessState.BLOCKED and finding_name != "blocked":
            yield view.t("report.blocked", **values)
        if access.state is model.AccessState.UNKNOWN:
            yield view.t("report.not_read", **values)


def _history_sentences(view: ReportView, app: model.App, data: model.DataClass, access: model.Access) -> Iterator[str]:
    data_name = model.Message(key=DATA_NAME_KEYS[data])
    if access.history is model.History.RECORDED:
        # Receiving a new message is recorded like reading; it does not open the old ones.
        is_received = data is model.DataClass.SMS and has_only_received_sms(app, access)
        if access.last_read is not None:
            key = "report.last_received" if is_received else "report.last_read"
            yield view.t(key, at_at=access.last_read.isoformat(), data=data_name)
        else:
            key = "report.last_received_ago" if is_received else "report.last_read_ago"
            yield view.t(key, ago=view.age_message(access.last_read_age_s or 0), data=data_name)
        if access.last_read_by is model.ReadBy.FOR_ANOTHER:
            yield view.t("report.read_for_another")
        elif access.last_read_by is model.ReadBy.THROUGH_ANOTHER:
            yield view.t("report.read_through_another")
    elif access.state.allows_reading:
        is_read = access.history is model.History.NO_RECORD
        yield view.t("report.no_record" if is_read else "report.history_not_read", data=data_name)
    if access.last_refused is not None:
        yield view.t("report.refused", at_at=access.last_refused.isoformat(), data=data_name)
    elif access.last_refused_age_s is not None:
        yield view.t("report.refused_ago", ago=view.age_message(access.last_refused_age_s), data=data_name)


def has_only_received_sms(app: model.App, access: model.Access) -> bool:
    """Return whether the record of SMS is of a new message that came in, not of reading the old ones."""
    last_uses = {
        permission.name.rpartition(".")[2]: permission.last_access
        for permission in matrix.permissions_for(app, model.DataClass.SMS)
    }
    last_opened = last_uses.pop("READ_SMS", None)
    return last_opened != access.last_read and access.last_read in last_uses.values()


def evidence_refs(view: ReportView, app: model.App) -> str:
    """Return where the findings are written: lines of the phone's answers, rows of lists."""
    lines: dict[str, set[int]] = {}
    for finding in view.findings_of(app):
        for evidence in finding.evidence:
            lines.setdefault(evidence.question.removesuffix(f".{app.package}"), set()).add(evidence.line)
    separator = view.t("report.ground_and")
    parts = []
    for question, numbers in lines.items():
        line_numbers = separator.join(map(str, sorted(numbers)))
        parts.append(view.t("report.ground_lines", n=len(numbers), question=question, lines=line_numbers))
    parts += [view.t("report.ground_list", signature=match.signature) for match in app.listed]
    return view.t("report.ground_separator").join(parts)


def evidence_lines(view: ReportView, app: model.App) -> Iterator[tuple[str, str]]:
    """Yield where each evidence line is, and its text, verbatim but sanitized."""
    if view.report.shared:
        return  # the lines were removed
    lines = {
        (evidence.question, evidence.line): evidence.text
        for finding in view.findings_of(app)
        for evidence in finding.evidence
    }
    for (question, number), text in sorted(lines.items()):
        answer = question.removesuffix(f".{app.package}")
        location = view.t("report.ground_lines", n=1, question=answer, lines=str(number))
        yield location, view.language.quote_untrusted(text.strip(), _MAX_LINE_CHARS)
