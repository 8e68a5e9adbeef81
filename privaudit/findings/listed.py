"""The package name of this app equals one on a published list. It need not be the same app."""

from __future__ import annotations

from collections.abc import Iterator

from privaudit.findings import severity
from privaudit.findings.context import CheckContext
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message, Severity, SignatureMatch


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """One finding a listing."""
    for listing in app.listed:
        yield Finding(
            rule="listed",
            severity=severity_for(app, listing),
            package=app.package,
            user=app.user,
            message=message_for(app, listing),
            evidence=context.evidence_for(app, "package"),
            steps=(),
        )


def message_for(app: App, match: SignatureMatch) -> Message:
    """What may be said of an app on a list."""
    by = "" if match.match == "package" or match.tier == "own" else f"_{match.match}"
    return Message(
        key=f"listed.{match.tier}{by}",
        values={
            "app": display_name(app.label, app.package),
            "publisher": match.publisher,
            "action": match.action,
            "title": match.title,
            "dated_on": match.date or Message(key="listed.undated"),
        },
    )


def severity_for(app: App, match: SignatureMatch) -> Severity:
    """The grade of a listing, by what the app can read now."""
    if match.tier == "N":
        return severity.SEVERITY["notified"]
    if match.tier == "own":
        return severity.for_access(app)
    grade = severity.SEVERITY["listed_reads" if severity.readable_data(app) else "listed_closed"]
    return severity.one_lower(grade) if match.disputed else grade
