"""The package name of this app equals one on a published list. It need not be the same app."""

from __future__ import annotations

from collections.abc import Iterator

from privaudit.findings import Ground, severity
from privaudit.i18n import name_of
from privaudit.model import App, Finding, Listing, Message, Severity


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a listing."""
    for listing in app.listed:
        yield Finding(
            rule="listed",
            severity=of_listing(app, listing),
            package=app.package,
            user=app.user,
            message=sentence(app, listing),
            evidence=ground.evidence(app, "package"),
            steps=(),
        )


def sentence(app: App, listing: Listing) -> Message:
    """What may be said of an app on a list."""
    by = "" if listing.match == "package" or listing.tier == "own" else f"_{listing.match}"
    return Message(
        key=f"listed.{listing.tier}{by}",
        values={
            "app": name_of(app.label, app.package),
            "publisher": listing.publisher,
            "action": listing.action,
            "title": listing.title,
            "dated_on": listing.date or Message(key="listed.undated"),
        },
    )


def of_listing(app: App, listing: Listing) -> Severity:
    """The grade of a listing, by what the app can read now."""
    if listing.tier == "N":
        return severity.TABLE["notified"]
    if listing.tier == "own":
        return severity.of_access(app)
    grade = severity.TABLE["listed_reads" if severity.reads(app) else "listed_closed"]
    return severity.lowered(grade) if listing.disputed else grade
