"""A right beside the permission list lets this app read messages or the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.findings import severity
from privaudit.findings.context import CheckContext
from privaudit.findings.unrecognised import is_reported
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message

_READING_KINDS: Final = frozenset({"default_phone"})


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """One finding a right, of lending and listed apps, and of suspect ones that their owner asked to see."""
    if not app.is_recognised and not is_reported(app, context):
        return
    for held in app.special_access:
        grade = severity.SEVERITY[_severity_case(app, held.kind)]
        if held.kind in _READING_KINDS:
            grade = severity.for_readable(app) if app.is_recognised else severity.SEVERITY["suspect"]
        yield Finding(
            rule="special_access",
            severity=grade,
            package=app.package,
            user=app.user,
            message=Message(key=f"special_access.{held.kind}", values={"app": display_name(app.label, app.package)}),
            evidence=context.evidence_for(app, held.kind, "package"),
            steps=(),
        )


def _severity_case(app: App, kind: str) -> str:
    if kind not in severity.HIGH_RISK_ROUTES:
        return "other"
    return "side_door" if app.is_recognised else "suspect"
