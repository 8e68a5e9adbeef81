"""The first page: the verdict in one sentence, whether anything could not be checked, and three things to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from privaudit.model import Message
from privaudit.report import gaps, summary
from privaudit.report.view import ReportView
from privaudit.revocation import steps


def verdict(view: ReportView) -> tuple[str, tuple[str, ...]]:
    """The verdict, and what belongs to it."""
    first, *more = summary.summary_sentences(view)
    return first, tuple(more)


def completeness(view: ReportView) -> str | None:
    """That everything could be read; ``None`` where not, for then the verdict says so itself."""
    return view.t("report.page_all_read") if view.report.complete and not gaps.missing_data(view) else None


def next_steps(view: ReportView) -> Iterator[tuple[str, str]]:
    """Three things to do, in this order: what each is called, and how it is done."""
    names = ["keep", "close", "demand"]
    if not view.report.counts.apps_seen:
        names = ["keep", "again", "help"]
    elif not view.report.findings:
        names = ["keep", "look", "help"]
    elif not any(finding.steps for finding in view.report.findings):
        names = ["keep", "look", "demand"]
    how = {
        "keep": Message(key="steps.evidence"),
        "look": replace(steps.check_other_apps_step(view.report.phone), key="report.act_look_how"),
    }
    for name in names:
        yield view.t(f"report.act_{name}"), view.translate(how.get(name) or Message(key=f"report.act_{name}_how"))


def limits(view: ReportView) -> Iterator[str]:
    """What no check of a phone tells."""
    for name in ("sent", "gone", "much", "harmless", "same"):
        yield view.t(f"report.cannot_{name}")
