"""The end of the report, which is what stays on the screen: the result, what to remember, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from privaudit.model import App, DataClass, LendingVerdict
from privaudit.report import gaps, legal_rules, lists, matrix
from privaudit.report.view import ReportView

_LIVE_SOURCES: Final = frozenset({"usb", "tcp", "server", "demo"})
"""Sources in which a phone with debugging switched on lies on the table."""


def summary_sections(view: ReportView) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name of each part, and its sentences."""
    yield "summary", tuple(summary_sentences(view))
    yield (
        "remember",
        (view.t("steps.no_recall"), view.t("report.remember_debt"), view.t("report.not_advice")),
    )
    first = view.t("report.next_connect" if view.report.demo else "report.next_save")
    yield "next", (first, *legal_rules.country_suggestion(view))
    if view.report.source.kind in _LIVE_SOURCES:
        yield "leaving", tuple(view.t(f"report.leaving_{number}") for number in range(1, 5))


def summary_sentences(view: ReportView) -> Iterator[str]:
    """The verdict in a few sentences. Never "clean"."""
    counts, missing = view.report.counts, len(gaps.missing_data(view))
    if not counts.apps_seen:
        yield view.t("report.nothing_read")
    elif counts.lending:
        can = counts.lending_can_read
        yield view.t("report.found", n=counts.lending, contacts=can[DataClass.CONTACTS])
        if can[DataClass.SMS] or can[DataClass.CALL_LOG]:
            yield view.t("report.found_other", sms=can[DataClass.SMS], call_log=can[DataClass.CALL_LOG])
        yield from _recognition_counts(view)
        if not view.report.complete:
            yield view.t("report.found_gaps", n=missing)
    elif view.report.complete:
        yield view.t("report.nothing_complete")
    else:
        yield view.t("report.nothing_gaps", n=missing)
    if counts.suspect and not counts.lending:
        yield from gaps.unrecognised_notice(view)


def _recognition_counts(view: ReportView) -> Iterator[str]:
    """How many of them stand where. A count that joins them would say too much of some."""
    grounds: tuple[tuple[str, Callable[[App], bool]], ...] = (
        ("found_listed", lambda app: any(listing.tier in {"A", "B"} for listing in app.listed)),
        ("found_notified", lambda app: any(listing.tier == "N" for listing in app.listed)),
        ("found_own", lambda app: any(listing.tier == "own" for listing in app.listed)),
        ("found_embeds", lambda app: app.lending.verdict is LendingVerdict.EMBEDS),
        ("found_by_name", matrix.is_matched_by_name_only),
        ("found_unsure", matrix.is_matched_by_unconfirmed_list),
    )
    for key, holds in grounds:
        n = len({app.package for app in view.report.apps if holds(app)})
        if n:
            yield view.t(f"report.{key}", n=n)
        if n and key == "found_listed":
            known = view.report.knowledge
            yield lists.list_size_sentence(view.language, known.signatures, known.rules.country)
