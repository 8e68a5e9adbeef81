"""Not recognised, from no store, not part of the phone, and can read contacts, SMS or call log. Named to the owner only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import Ground, severity
from privaudit.model import App, Finding, Message

WORDS: Final[Mapping[str, str]] = {
    "can_read": (
        "“{app}” can read {data} now and did not come from an app store. This tool does not know it;"
        " it may be harmless. Do you know what it is for?"
    ),
}


def is_suspect(app: App, ground: Ground) -> bool:
    """Whether the owner should look at an app that we do not recognise."""
    from_store = app.installer in ground.knowledge.stores
    return not app.recognised and not app.system and not from_store and bool(severity.reads(app))


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a suspect app, when its owner asked for it."""
    if not ground.name_suspects or not is_suspect(app, ground):
        return
    data = severity.reads(app)
    yield Finding(
        rule="suspect",
        severity=severity.TABLE["suspect"],
        package=app.package,
        user=app.user,
        message=Message(
            key="suspect.can_read",
            values={
                "app": app.label or app.package,
                "data": tuple(Message(key=f"data_access.{one}") for one in data),
            },
        ),
        evidence=ground.evidence(app, "package"),
        steps=(),
    )
