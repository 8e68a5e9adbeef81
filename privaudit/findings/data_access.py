"""Check: this app can read your contacts, SMS or call log, or has read them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from privaudit.facts import permissions
from privaudit.facts.access import DATA_PERMISSIONS
from privaudit.findings import severity
from privaudit.findings.context import CheckContext
from privaudit.i18n.sanitize import display_name
from privaudit.model import AccessState, App, DataClass, Finding, History, Message, MessageValue

READABLE_KEYS: Final[Mapping[AccessState, str]] = {
    AccessState.CAN_READ: "data_access.can_read",
    AccessState.ONLY_WHILE_OPEN: "data_access.only_while_open",
    AccessState.ASKS_EACH_TIME: "data_access.asks_each_time",
}
"""States in which an app can read, the most open one first → sentence."""
_HAS_READ_KEYS: Final[Mapping[str, frozenset[AccessState]]] = {
    "data_access.has_read": frozenset({AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED}),
    "data_access.has_read_blocked": frozenset({AccessState.BLOCKED}),
    "data_access.has_read_now_unknown": frozenset({AccessState.UNKNOWN}),
}
"""Sentence about an app that has read → its states now."""
_GROUP_OPEN_KEY: Final = "data_access.group_open"
DATA_CLASS_KEYS: Final[Mapping[DataClass, str]] = {
    DataClass.CONTACTS: "data_access.contacts",
    DataClass.SMS: "data_access.sms",
    DataClass.CALL_LOG: "data_access.call_log",
}


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """Yield at most one finding for an app and user: the most open state that it has."""
    if not app.is_reported:
        return
    sdk = context.facts.phone.sdk
    key, data_classes = next((finding for finding in _candidate_findings(app, sdk) if finding[1]), (None, ()))
    if key is None:
        return
    is_group_open = key == _GROUP_OPEN_KEY
    facts = [*fact_keys(data_classes)]
    for data in data_classes if is_group_open else ():
        facts += (permission.name for permission in permissions.granted_in_group(app, data, sdk))
    values: dict[str, MessageValue] = {"app": display_name(app.label, app.package)}
    values["data"] = data_class_labels(app, data_classes)
    grade = severity.for_access(app, group_open=is_group_open)
    yield context.build_finding(app, "data_access", grade, Message(key=key, values=values), *facts)


def _candidate_findings(app: App, sdk: int | None) -> Iterator[tuple[str, tuple[DataClass, ...]]]:
    """Yield each sentence with the data that it applies to, the most urgent sentence first."""
    for state, data_classes in readable_now(app):
        has_record = any(app.access[data].history is History.RECORDED for data in data_classes)
        # The sentence for CAN_READ says "not that it did", which a record contradicts.
        is_recorded = has_record and state is AccessState.CAN_READ
        yield "data_access.can_read_recorded" if is_recorded else READABLE_KEYS[state], data_classes
    recorded = severity.recorded_data(app)
    for key, states in _HAS_READ_KEYS.items():
        yield key, tuple(data for data in recorded if app.access[data].state in states)
    # Data that was read is reported above, whatever closed it. Without a record the block itself is reported.
    yield "data_access.blocked", _data_in_state(app, AccessState.BLOCKED)
    yield _GROUP_OPEN_KEY, permissions.reachable_by_group(app, sdk)
    # Only requests that the source lists count: dumps of all packages mostly do not list them.
    requested = {permission.name for permission in app.permissions}
    not_allowed = _data_in_state(app, AccessState.NOT_ALLOWED)
    yield (
        "data_access.asked",
        tuple(data for data in not_allowed if any(info.permission in requested for info in DATA_PERMISSIONS[data])),
    )


def readable_now(app: App) -> Iterator[tuple[AccessState, tuple[DataClass, ...]]]:
    """Yield each state in which an app can read, the most open one first, with the data that `app` can read in it."""
    for state in READABLE_KEYS:
        yield state, _data_in_state(app, state)


def _data_in_state(app: App, state: AccessState) -> tuple[DataClass, ...]:
    return tuple(data for data, access in app.access.items() if access.state is state)


def data_class_labels(app: App, data_classes: Iterable[DataClass]) -> tuple[Message, ...]:
    """Return the names of the data; "new SMS" if the app only receives SMS and cannot open the old ones."""
    return tuple(
        Message(key="data_access.new_sms" if app.access[data].is_incoming_only else DATA_CLASS_KEYS[data])
        for data in data_classes
    )


def fact_keys(data_classes: Iterable[DataClass]) -> Iterator[str]:
    """Yield the facts that prove access to `data_classes`, as named in `privaudit.model.Facts.locations`."""
    for data in data_classes:
        for info in DATA_PERMISSIONS[data]:
            yield info.permission
            yield f"op:{info.op}"
