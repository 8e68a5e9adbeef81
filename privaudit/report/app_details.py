"""Everything to say of one app of one user: what was found, how that is known, and where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.i18n import name_of
from privaudit.model import Access, AccessState, App, DataClass, History, Listing, Message, ReadBy, Value
from privaudit.report import matrix
from privaudit.report.view import Voice

_LONGEST_LINE: Final = 400
"""Characters of a line that is shown as the phone printed it."""


def sentences(voice: Voice, app: App) -> Iterator[str]:
    """One sentence or two for each thing, the findings first."""
    first = voice.copies(app.package)[0]
    again = app is not first and (app.listed, app.lending) == (first.listed, first.lending)
    for finding in sorted(voice.findings(app), key=lambda one: one.rule == "listed"):
        if again and finding.rule == "listed":
            continue
        yield voice.say(finding.message)
        if finding.rule in {"data_access", "suspect"}:
            yield from _access(voice, app, finding.message.key.partition(".")[2])
    yield from [voice.text("report.as_above")] if again else _known(voice, app)
    yield from _looks(voice, app, again=again)
    if app.enabled is False:
        yield voice.text("report.switched_off")
    if app.user != 0:
        yield voice.text("report.in_user", user=voice.user(app.user))
    if app.installer is not None:
        yield voice.text("report.installed_by", installer=app.installer_name or app.installer)
    elif app.installer_known and not app.system:
        yield voice.text("report.no_installer")


def _looks(voice: Voice, app: App, *, again: bool) -> Iterator[str]:
    """How it shows itself on the phone."""
    if app.label_problem is not None:
        yield voice.text("report.name_unread", why=app.label_problem)
    if app.launcher_labels and not again:
        yield voice.text("report.other_name", names=app.launcher_labels)
    if app.launcher_icon is False and not app.system and not again:
        yield voice.text("report.no_icon")


def _known(voice: Voice, app: App) -> Iterator[str]:
    for listing in app.listed:
        yield from _listing(voice, listing)
    for reason in app.lending.reasons:
        if reason.key != "lending.listed":
            yield voice.say(reason)


def _access(voice: Voice, app: App, said: str) -> Iterator[str]:
    """What the finding's own sentence (`said`: its key) leaves open."""
    # Where a record of this app was read, so was what blocks it.
    unread = any(one.state.reads and one.history is History.UNKNOWN for one in app.access.values())
    if unread and voice.gap("appops"):
        yield voice.text("report.permission_alone")
    for data, access in app.access.items():
        values: dict[str, Value] = {"data": Message(key=f"data_access.{data}")}
        if access.state.reads and not said.startswith(access.state.value):
            yield voice.text(f"data_access.{access.state}", app=name_of(app.label, app.package), **values)
        yield from _history(voice, app, data, access, values)
        if access.only_incoming:
            yield voice.text("report.only_incoming")
        if matrix.other_way(access):
            yield voice.text("report.other_way", **values)
        if access.state is AccessState.BLOCKED and said != "blocked":
            yield voice.text("report.blocked", **values)
        if access.state is AccessState.UNKNOWN:
            yield voice.text("report.not_read", **values)


def _history(voice: Voice, app: App, data: DataClass, access: Access, values: dict[str, Value]) -> Iterator[str]:
    if access.history is History.RECORDED:
        # Receiving a new message is recorded like reading; it is not opening the old ones.
        name = "received" if data is DataClass.SMS and received_only(app, access) else "read"
        if access.last_read is not None:
            yield voice.text(f"report.last_{name}", at_at=access.last_read.isoformat(), **values)
        else:
            yield voice.text(f"report.last_{name}_ago", ago=voice.ago(access.last_read_age_s or 0), **values)
        if access.last_read_by in {ReadBy.FOR_ANOTHER, ReadBy.THROUGH_ANOTHER}:
            yield voice.text(f"report.read_{access.last_read_by}")
    elif access.state.reads:
        yield voice.text(
            "report.no_record" if access.history is History.NO_RECORD else "report.history_not_read", **values
        )
    if access.last_refused is not None:
        yield voice.text("report.refused", at_at=access.last_refused.isoformat(), **values)
    elif access.last_refused_age_s is not None:
        yield voice.text("report.refused_ago", ago=voice.ago(access.last_refused_age_s), **values)


def received_only(app: App, access: Access) -> bool:
    """Whether the record of SMS is that of a new message that came in, not of reading the old ones."""
    used = {one.name.rpartition(".")[2]: one.last_access for one in matrix.permissions(app, DataClass.SMS)}
    opened = used.pop("READ_SMS", None)
    return opened != access.last_read and access.last_read in used.values()


def _listing(voice: Voice, listing: Listing) -> Iterator[str]:
    if listing.via is not None:
        yield voice.text("listed.via", via=listing.via)
    action = listing.action.casefold()
    if "spyloan" in action:
        yield voice.text("listed.spyloan")
    if "reported" in action:
        yield voice.text("listed.reported")
    chosen = voice.report.knowledge.rules.country
    if listing.tier != "own" and listing.country is not None and listing.country != chosen:
        yield voice.text("listed.elsewhere" if chosen else "listed.of_country", country=listing.country)
    if listing.disputed:
        yield voice.text("listed.disputed")


def ground(voice: Voice, app: App) -> str:
    """Where it is written: lines of the phone's answers, rows of lists."""
    lines: dict[str, set[int]] = {}
    for finding in voice.findings(app):
        for one in finding.evidence:
            lines.setdefault(one.question.removesuffix(f".{app.package}"), set()).add(one.line)
    parts = [
        voice.text(
            "report.ground_lines",
            n=len(numbers),
            question=question,
            lines=voice.text("report.ground_and").join(map(str, sorted(numbers))),
        )
        for question, numbers in lines.items()
    ]
    parts += [voice.text("report.ground_list", signature=listing.signature) for listing in app.listed]
    return voice.text("report.ground_separator").join(parts)


def evidence(voice: Voice, app: App) -> Iterator[tuple[str, str]]:
    """The lines themselves: where each stands, and what it says, word for word but tamed."""
    if voice.report.shared:
        return  # they were taken out
    lines = {(one.question, one.line): one.text for finding in voice.findings(app) for one in finding.evidence}
    for (question, line), text in sorted(lines.items()):
        name = question.removesuffix(f".{app.package}")
        where = voice.text("report.ground_lines", n=1, question=name, lines=str(line))
        yield where, voice.language.quote(text.strip(), _LONGEST_LINE)
