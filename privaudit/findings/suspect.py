"""Not recognised, from no store on record, not the phone's own, and can read. Named to the owner only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import Ground, data_access, severity
from privaudit.language import name_of
from privaudit.model import App, Finding, Message

_UNKNOWN: Final = (
    "No app store is on record for it, and this tool does not know it. It may be harmless. Do you know what it is for?"
)
WORDS: Final[Mapping[str, str]] = {
    "can_read": "“{app}” can read {data} now. " + _UNKNOWN,
    "only_while_open": "“{app}” can read {data} while you have it open. " + _UNKNOWN,
    "asks_each_time": "“{app}” can read {data} when you say yes to the phone's question. " + _UNKNOWN,
}


def is_suspect(app: App, ground: Ground) -> bool:
    """Whether the owner should look at an app that we do not recognise. An installer that was not read is no store."""
    from_store = app.installer in ground.knowledge.stores
    return not app.recognised and not app.system and not from_store and bool(severity.reads(app))


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a suspect app, when its owner asked for it."""
    if not ground.name_suspects or not is_suspect(app, ground):
        return
    state, data = next((state, data) for state, data in data_access.open_now(app) if data)
    yield Finding(
        rule="suspect",
        severity=severity.TABLE["suspect"],
        package=app.package,
        user=app.user,
        message=Message(
            key=f"suspect.{state.removesuffix('_recorded')}",
            values={"app": name_of(app.label, app.package), "data": data_access.names(app, data)},
        ),
        evidence=ground.evidence(app, *data_access.facts_of(data), "package"),
        steps=(),
    )
