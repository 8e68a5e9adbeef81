"""Everything to say of one app of one user: what was found, how that is known, and where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.i18n.sanitize import display_name
from privaudit.model import Access, AccessState, App, DataClass, History, Message, MessageValue, ReadBy, SignatureMatch
from privaudit.report import matrix
from privaudit.report.view import ReportView

_MAX_LINE_CHARS: Final = 400
"""Characters of a line that is shown as the phone printed it."""


def app_sentences(view: ReportView, app: App) -> Iterator[str]:
    """One sentence or two for each thing, the findings first."""
    first = view.installs_of(app.package)[0]
    again = app is not first and (app.listed, app.lending) == (first.listed, first.lending)
    for finding in sorted(view.findings_of(app), key=lambda one: one.rule == "listed"):
        if again and finding.rule == "listed":
            continue
        yield view.translate(finding.message)
        if finding.rule in {"data_access", "suspect"}:
            yield from _access_sentences(view, app, finding.message.key.partition(".")[2])
    yield from [view.t("report.as_above")] if again else _recognition_sentences(view, app)
    yield from _display_sentences(view, app, is_repeated=again)
    if app.enabled is False:
        yield view.t("report.switched_off")
    if app.user != 0:
        yield view.t("report.in_user", user=view.user_label(app.user))
    if app.installer is not None:
        yield view.t("report.installed_by", installer=app.installer_name or app.installer)
    elif app.installer_known and not app.system:
        yield view.t("report.no_installer")


def _display_sentences(view: ReportView, app: App, *, is_repeated: bool) -> Iterator[str]:
    """How it shows itself on the phone."""
    if app.label_problem is not None:
        yield view.t("report.name_unread", why=app.label_problem)
    if app.launcher_labels and not is_repeated:
        yield view.t("report.other_name", names=app.launcher_labels)
    if app.launcher_icon is False and not app.system and not is_repeated:
        yield view.t("report.no_icon")


def _recognition_sentences(view: ReportView, app: App) -> Iterator[str]:
    for listing in app.listed:
        yield from _list_match_sentences(view, listing)
    for reason in app.lending.reasons:
        if reason.key != "lending.listed":
            yield view.translate(reason)


def _access_sentences(view: ReportView, app: App, finding_key: str) -> Iterator[str]:
    """What the finding's own sentence (`finding_key`: its key) leaves open."""
    # Where a record of this app was read, so was what blocks it.
    unread = any(one.state.allows_reading and one.history is History.UNKNOWN for one in app.access.values())
    if unread and view.has_gap("appops"):
        yield view.t("report.permission_alone")
    for data, access in app.access.items():
        values: dict[str, MessageValue] = {"data": Message(key=f"data_access.{data}")}
        if access.state.allows_reading and not finding_key.startswith(access.state.value):
            yield view.t(f"data_access.{access.state}", app=display_name(app.label, app.package), **values)
        yield from _history_sentences(view, app, data, access, values)
        if access.is_incoming_only:
            yield view.t("report.only_incoming")
        if matrix.has_other_route(access):
            yield view.t("report.other_way", **values)
        if access.state is AccessState.BLOCKED and finding_key != "blocked":
            yield view.t("report.blocked", **values)
        if access.state is AccessState.UNKNOWN:
            yield view.t("report.not_read", **values)


def _history_sentences(
    view: ReportView, app: App, data: DataClass, access: Access, values: dict[str, MessageValue]
) -> Iterator[str]:
    if access.history is History.RECORDED:
        # Receiving a new message is recorded like reading; it is not opening the old ones.
        name = "received" if data is DataClass.SMS and has_only_received_sms(app, access) else "read"
        if access.last_read is not None:
            yield view.t(f"report.last_{name}", at_at=access.last_read.isoformat(), **values)
        else:
            yield view.t(f"report.last_{name}_ago", ago=view.age_message(access.last_read_age_s or 0), **values)
        if access.last_read_by in {ReadBy.FOR_ANOTHER, ReadBy.THROUGH_ANOTHER}:
            yield view.t(f"report.read_{access.last_read_by}")
    elif access.state.allows_reading:
        yield view.t("report.no_record" if access.history is History.NO_RECORD else "report.history_not_read", **values)
    if access.last_refused is not None:
        yield view.t("report.refused", at_at=access.last_refused.isoformat(), **values)
    elif access.last_refused_age_s is not None:
        yield view.t("report.refused_ago", ago=view.age_message(access.last_refused_age_s), **values)


def has_only_received_sms(app: App, access: Access) -> bool:
    """Whether the record of SMS is that of a new message that came in, not of reading the old ones."""
    used = {one.name.rpartition(".")[2]: one.last_access for one in matrix.permissions_for(app, DataClass.SMS)}
    opened = used.pop("READ_SMS", None)
    return opened != access.last_read and access.last_read in used.values()


def _list_match_sentences(view: ReportView, list_match: SignatureMatch) -> Iterator[str]:
    if list_match.via is not None:
        yield view.t("listed.via", via=list_match.via)
    action = list_match.action.casefold()
    if "spyloan" in action:
        yield view.t("listed.spyloan")
    if "reported" in action:
        yield view.t("listed.reported")
    chosen = view.report.knowledge.rules.country
    if list_match.tier != "own" and list_match.country is not None and list_match.country != chosen:
        yield view.t("listed.elsewhere" if chosen else "listed.of_country", country=list_match.country)
    if list_match.disputed:
        yield view.t("listed.disputed")


def evidence_refs(view: ReportView, app: App) -> str:
    """Where it is written: lines of the phone's answers, rows of lists."""
    lines: dict[str, set[int]] = {}
    for finding in view.findings_of(app):
        for one in finding.evidence:
            lines.setdefault(one.question.removesuffix(f".{app.package}"), set()).add(one.line)
    parts = [
        view.t(
            "report.ground_lines",
            n=len(numbers),
            question=question,
            lines=view.t("report.ground_and").join(map(str, sorted(numbers))),
        )
        for question, numbers in lines.items()
    ]
    parts += [view.t("report.ground_list", signature=listing.signature) for listing in app.listed]
    return view.t("report.ground_separator").join(parts)


def evidence_lines(view: ReportView, app: App) -> Iterator[tuple[str, str]]:
    """The lines themselves: where each stands, and what it says, word for word but tamed."""
    if view.report.shared:
        return  # they were taken out
    lines = {(one.question, one.line): one.text for finding in view.findings_of(app) for one in finding.evidence}
    for (question, line), text in sorted(lines.items()):
        name = question.removesuffix(f".{app.package}")
        where = view.t("report.ground_lines", n=1, question=name, lines=str(line))
        yield where, view.language.quote_untrusted(text.strip(), _MAX_LINE_CHARS)
