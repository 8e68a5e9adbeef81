"""Check: an unrecognised app that came from no known store and can read data. Only the owner sees its name."""

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.findings import data_access, severity
from privaudit.findings.context import CheckContext
from privaudit.findings.lending import all_labels
from privaudit.i18n.sanitize import display_name
from privaudit.knowledge import Knowledge
from privaudit.model import AccessState, App, AppSummary, Finding, Message, MessageValue

_KEYS: Final[Mapping[AccessState, tuple[str, str]]] = {
    AccessState.CAN_READ: ("suspect.can_read", "suspect.can_read_decoy"),
    AccessState.ONLY_WHILE_OPEN: ("suspect.only_while_open", "suspect.only_while_open_decoy"),
    AccessState.ASKS_EACH_TIME: ("suspect.asks_each_time", "suspect.asks_each_time_decoy"),
}
"""State → sentence, and the one for an app with the name of a simple tool, which needs none of the data."""


def is_unrecognised_reader(app: App | AppSummary, knowledge: Knowledge) -> bool:
    """Return whether the owner should look at an unrecognised app. An unread installer does not count as a store."""
    from_store = app.installer in knowledge.stores
    can_read = bool(severity.readable_data(app) or severity.HIGH_RISK_ROUTES & app.special_access_kinds)
    return not app.is_reported and not app.system and not from_store and can_read


def is_reported_reader(app: App, context: CheckContext) -> bool:
    """Return whether to report an unrecognised app by name, which the owner must have asked for."""
    return context.include_unrecognised and is_unrecognised_reader(app, context.knowledge)


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """Yield one finding for an unrecognised app, if the owner asked for it."""
    if not is_reported_reader(app, context):
        return
    values: dict[str, MessageValue] = {"app": display_name(app.label, app.package)}
    # Without a permission that reads data, the app has special access, which its own check describes.
    key = "suspect.another_way"
    state, data = next(((state, data) for state, data in data_access.readable_now(app) if data), (None, ()))
    if state is not None:
        values["data"] = data_access.data_class_labels(app, data)
        key, decoy_key = _KEYS[state]
        terms = (context.knowledge.vocabulary.find_decoy(label) for label in all_labels(app))
        if decoy := next(filter(None, terms), None):
            key, values["name"] = decoy_key, decoy
    message = Message(key=key, values=values)
    yield context.build_finding(app, "suspect", severity.SEVERITY["suspect"], message, *data_access.fact_keys(data))
