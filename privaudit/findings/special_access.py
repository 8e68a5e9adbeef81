"""A right beside the permission list lets this app read messages or the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.findings import Ground, severity
from privaudit.findings.unrecognised import is_named
from privaudit.i18n import name_of
from privaudit.model import App, Finding, Message

_READS: Final = frozenset({"default_phone"})


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a right, of lending and listed apps, and of suspect ones that their owner asked to see."""
    if not app.recognised and not is_named(app, ground):
        return
    for held in app.special_access:
        grade = severity.TABLE[_ground(app, held.kind)]
        if held.kind in _READS:
            grade = severity.of_reading(app) if app.recognised else severity.TABLE["suspect"]
        yield Finding(
            rule="special_access",
            severity=grade,
            package=app.package,
            user=app.user,
            message=Message(key=f"special_access.{held.kind}", values={"app": name_of(app.label, app.package)}),
            evidence=ground.evidence(app, held.kind, "package"),
            steps=(),
        )


def _ground(app: App, kind: str) -> str:
    if kind not in severity.SIDE_DOORS:
        return "other"
    return "side_door" if app.recognised else "suspect"
