"""The end of the report, which is what stays on the screen: the result, what to remember, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from privaudit.model import App, DataClass, LendingVerdict
from privaudit.report import gaps, legal_rules, lists, matrix
from privaudit.report.view import Voice

_LIVE: Final = frozenset({"usb", "tcp", "server", "demo"})
"""Sources in which a phone with debugging switched on lies on the table."""


def rows(voice: Voice) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name of each part, and its sentences."""
    yield "summary", tuple(result(voice))
    yield (
        "remember",
        (voice.text("steps.no_recall"), voice.text("report.remember_debt"), voice.text("report.not_advice")),
    )
    first = voice.text("report.next_connect" if voice.report.demo else "report.next_save")
    yield "next", (first, *legal_rules.suggestion(voice))
    if voice.report.source.kind in _LIVE:
        yield "leaving", tuple(voice.text(f"report.leaving_{number}") for number in range(1, 5))


def result(voice: Voice) -> Iterator[str]:
    """The verdict in a few sentences. Never "clean"."""
    counts, missing = voice.report.counts, len(gaps.missing(voice))
    if not counts.apps_seen:
        yield voice.text("report.nothing_read")
    elif counts.lending:
        can = counts.lending_can_read
        yield voice.text("report.found", n=counts.lending, contacts=can[DataClass.CONTACTS])
        if can[DataClass.SMS] or can[DataClass.CALL_LOG]:
            yield voice.text("report.found_other", sms=can[DataClass.SMS], call_log=can[DataClass.CALL_LOG])
        yield from _how_sure(voice)
        if not voice.report.complete:
            yield voice.text("report.found_gaps", n=missing)
    elif voice.report.complete:
        yield voice.text("report.nothing_complete")
    else:
        yield voice.text("report.nothing_gaps", n=missing)
    if counts.suspect and not counts.lending:
        yield from gaps.suspects(voice)


def _how_sure(voice: Voice) -> Iterator[str]:
    """How many of them stand where. A count that joins them would say too much of some."""
    grounds: tuple[tuple[str, Callable[[App], bool]], ...] = (
        ("found_listed", lambda app: any(listing.tier in {"A", "B"} for listing in app.listed)),
        ("found_notified", lambda app: any(listing.tier == "N" for listing in app.listed)),
        ("found_own", lambda app: any(listing.tier == "own" for listing in app.listed)),
        ("found_embeds", lambda app: app.lending.verdict is LendingVerdict.EMBEDS),
        ("found_by_name", matrix.by_name_alone),
        ("found_unsure", matrix.by_unsure_list),
    )
    for key, holds in grounds:
        n = len({app.package for app in voice.report.apps if holds(app)})
        if n:
            yield voice.text(f"report.{key}", n=n)
        if n and key == "found_listed":
            known = voice.report.knowledge
            yield lists.held(voice.language, known.signatures, known.rules.country)
