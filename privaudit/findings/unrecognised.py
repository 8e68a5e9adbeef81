"""Not recognised, from no store on record, not the phone's own, and can read. Named to the owner only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit.findings import data_access, severity
from privaudit.findings.context import CheckContext
from privaudit.findings.lending import all_labels
from privaudit.i18n.sanitize import display_name
from privaudit.knowledge import Knowledge
from privaudit.model import App, AppSummary, Finding, Message, MessageValue

_DECOY: Final = "Its name says “{name}”; such an app needs no contacts, SMS or call log. "
_UNKNOWN: Final = (
    "No app store is on record for it, and this tool does not know it. It may be harmless. Do you know what it is for?"
)


def is_unrecognised_reader(app: App | AppSummary, knowledge: Knowledge) -> bool:
    """Whether the owner should look at an app that we do not recognise. An installer that was not read is no store."""
    from_store = app.installer in knowledge.stores
    reaches = bool(severity.readable_data(app) or severity.high_risk_routes(app))
    return not app.is_recognised and not app.system and not from_store and reaches


def is_reported(app: App, context: CheckContext) -> bool:
    """Whether the owner asked to see it by name."""
    return context.include_unrecognised and is_unrecognised_reader(app, context.knowledge)


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """One finding a suspect app, when its owner asked for it."""
    if not is_reported(app, context):
        return
    # Where it can read nothing by permission, what else it holds is told by the rule on special access.
    state, data = next(((state, data) for state, data in data_access.readable_now(app) if data), ("another_way", ()))
    key = f"suspect.{state.removesuffix('_recorded')}"
    values: dict[str, MessageValue] = {"app": display_name(app.label, app.package)}
    if data:
        values["data"] = data_access.data_class_labels(app, data)
        decoy = _find_decoy_term(app, context)
        if decoy is not None:
            key, values["name"] = f"{key}_decoy", decoy
    yield Finding(
        rule="suspect",
        severity=severity.SEVERITY["suspect"],
        package=app.package,
        user=app.user,
        message=Message(key=key, values=values),
        evidence=context.evidence_for(app, *data_access.fact_keys(data), "package"),
        steps=(),
    )


def _find_decoy_term(app: App, context: CheckContext) -> str | None:
    """The small tool that one of its names claims to be."""
    found = (context.knowledge.vocabulary.find_decoy(label) for label in all_labels(app))
    return next((word for word in found if word), None)
