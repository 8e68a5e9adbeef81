"""Not recognised, from no store on record, not the phone's own, and can read. Named to the owner only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.findings import Ground, data_access, severity
from privaudit.findings.lending import names_of
from privaudit.i18n import name_of
from privaudit.model import App, Finding, Message, Value

_DECOY: Final = "Its name says “{name}”; such an app needs no contacts, SMS or call log. "
_UNKNOWN: Final = (
    "No app store is on record for it, and this tool does not know it. It may be harmless. Do you know what it is for?"
)


def is_suspect(app: App, ground: Ground) -> bool:
    """Whether the owner should look at an app that we do not recognise. An installer that was not read is no store."""
    from_store = app.installer in ground.knowledge.stores
    reaches = bool(severity.reads(app) or severity.side_doors(app))
    return not app.recognised and not app.system and not from_store and reaches


def is_named(app: App, ground: Ground) -> bool:
    """Whether the owner asked to see it by name."""
    return ground.name_suspects and is_suspect(app, ground)


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """One finding a suspect app, when its owner asked for it."""
    if not is_named(app, ground):
        return
    # Where it can read nothing by permission, what else it holds is told by the rule on special access.
    state, data = next(((state, data) for state, data in data_access.open_now(app) if data), ("another_way", ()))
    key = f"suspect.{state.removesuffix('_recorded')}"
    values: dict[str, Value] = {"app": name_of(app.label, app.package)}
    if data:
        values["data"] = data_access.names(app, data)
        decoy = _decoy(app, ground)
        if decoy is not None:
            key, values["name"] = f"{key}_decoy", decoy
    yield Finding(
        rule="suspect",
        severity=severity.TABLE["suspect"],
        package=app.package,
        user=app.user,
        message=Message(key=key, values=values),
        evidence=ground.evidence(app, *data_access.facts_of(data), "package"),
        steps=(),
    )


def _decoy(app: App, ground: Ground) -> str | None:
    """The small tool that one of its names claims to be."""
    found = (ground.knowledge.vocabulary.decoy_in(label) for label in names_of(app))
    return next((word for word in found if word), None)
