"""What was not checked: what could not be read this time, what no check can see, and what the lists are worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.model import AnswerState, Coverage, History, Message
from privaudit.report import legal_rules, lists
from privaudit.report.view import Voice

_BY_HAND = frozenset({"folder", "bugreport", "androidqf"})
"""Sources of which nobody promises that they hold every answer."""

_BY_STATE_SDK: Final = 28
"""From Android 9 app-ops keep a time for each process state; before, one for each op."""


def sentences(voice: Voice) -> Iterator[str]:
    """Everything, in the order of how much it matters here."""
    yield from missing(voice)
    if voice.gap("appops"):
        yield voice.text("report.gap_appops")
    yield from _records(voice)
    yield from _never(voice)
    yield from _lists(voice)
    yield from legal_rules.none_here(voice.language, voice.report.knowledge.rules)
    yield from suspects(voice)


def missing(voice: Voice) -> tuple[str, ...]:
    """What could not be read, and why; each thing once."""
    missed = {user.id for user in voice.report.users if not user.checked}
    rows = [
        _row(voice, row)
        for row in voice.report.coverage
        # A user that could not be looked at is one gap, however many questions it took to see that.
        if row.could_hide and row.user not in missed
    ]
    seen = {app.user for app in voice.report.apps}
    for user in voice.report.users:
        if not user.checked:
            refused = "refused" if user.why_not is AnswerState.REFUSED else "other"
            why = Message(key=f"report.why_user_{'partly' if user.id in seen else refused}")
            rows.append(voice.text("report.gap_user", user=voice.user(user.id), why=why))
    if not voice.report.users:
        rows.append(voice.text("report.scope_unknown"))
    return tuple(dict.fromkeys(rows))


def _row(voice: Voice, row: Coverage) -> str:
    what = Message(key=f"question.{row.question}")
    if row.user:
        what = Message(key="report.gap_of_user", values={"what": what, "user": voice.user(row.user)})
    if row.state is AnswerState.ANSWERED:
        why = Message(key="coverage.unparsed", values={"n": row.unparsed_lines})
        return voice.text("report.gap_answered", what=what, why=why)
    if row.state is AnswerState.UNREADABLE and row.detail is not None:
        return voice.text("report.gap_unreadable_why", what=what, why=row.detail)
    lost = row.state is AnswerState.NOT_ASKED and voice.report.source.kind not in _BY_HAND
    return voice.text(f"report.gap_{'lost' if lost else row.state}", what=what)


def _records(voice: Voice) -> Iterator[str]:
    """How far back the phone's records of reading go, on this version of Android."""
    sdk, android = voice.report.phone.sdk, voice.report.phone.android
    accesses = [access for app in voice.report.apps for access in app.access.values()]
    if all(access.history is History.UNKNOWN for access in accesses):
        return  # nothing was read of them: that stands among the gaps
    if sdk is not None and sdk < _BY_STATE_SDK:
        yield voice.text("report.records_each", android=android or f"SDK {sdk}")
    else:
        yield voice.text("report.records_state")
    if since := min((one.history_since.isoformat() for one in accesses if one.history_since), default=None):
        yield voice.text("report.records_since", since_on=since[:10])


def _never(voice: Voice) -> Iterator[str]:
    for name in ("uninstalled", "mini", "sent", "elsewhere"):
        yield voice.text(f"report.never_{name}")
    yield from _names(voice)


def _names(voice: Voice) -> Iterator[str]:
    row = next((row for row in voice.report.coverage if row.question == "names"), None)
    if row is None or row.detail is None:
        yield voice.text("report.never_names")
    elif not row.could_hide:  # else it stands among the gaps
        yield voice.text("report.names_read", read=row.detail)


def _lists(voice: Voice) -> Iterator[str]:
    stamp, country = voice.report.knowledge.signatures, voice.report.knowledge.rules.country
    yield from lists.sentences(voice.language, stamp, country, voice.report.taken_at.date())


def suspects(voice: Voice) -> Iterator[str]:
    """How many apps nobody here knows; who they are, their owner asks for. Named ones stand above already."""
    n = voice.report.counts.suspect
    if n and not any(finding.rule == "suspect" for finding in voice.report.findings):
        yield voice.text("report.suspects", n=n)
        yield voice.text("report.suspects_how")
