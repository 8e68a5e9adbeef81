"""The first page: the verdict in one sentence, whether anything could not be checked, and three things to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from privaudit.model import Message
from privaudit.report import gaps, summary
from privaudit.report.view import Voice
from privaudit.revocation import steps


def verdict(voice: Voice) -> tuple[str, tuple[str, ...]]:
    """The verdict, and what belongs to it."""
    first, *more = summary.result(voice)
    return first, tuple(more)


def whole(voice: Voice) -> str | None:
    """That everything could be read; ``None`` where not, for then the verdict says so itself."""
    return voice.text("report.page_all_read") if voice.report.complete and not gaps.missing(voice) else None


def acts(voice: Voice) -> Iterator[tuple[str, str]]:
    """Three things to do, in this order: what each is called, and how it is done."""
    names = ["keep", "close", "demand"]
    if not voice.report.counts.apps_seen:
        names = ["keep", "again", "help"]
    elif not voice.report.findings:
        names = ["keep", "look", "help"]
    elif not any(finding.steps for finding in voice.report.findings):
        names = ["keep", "look", "demand"]
    how = {
        "keep": Message(key="steps.evidence"),
        "look": replace(steps.last_of_all(voice.report.phone), key="report.act_look_how"),
    }
    for name in names:
        yield voice.text(f"report.act_{name}"), voice.say(how.get(name) or Message(key=f"report.act_{name}_how"))


def cannot(voice: Voice) -> Iterator[str]:
    """What no check of a phone tells."""
    for name in ("sent", "gone", "much", "harmless", "same"):
        yield voice.text(f"report.cannot_{name}")
