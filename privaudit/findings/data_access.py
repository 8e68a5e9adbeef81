"""This app can read your contacts, SMS or call log: now, or once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from privaudit.facts import permission_table
from privaudit.facts.access import DATA_PERMISSIONS
from privaudit.findings import severity
from privaudit.findings.context import CheckContext
from privaudit.i18n.sanitize import display_name
from privaudit.model import AccessState, App, DataClass, Finding, History, Message

_CLOSED_STATES: Final = frozenset({AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED})
_BLOCKED_STATES: Final = frozenset({AccessState.BLOCKED})
_UNKNOWN_STATES: Final = frozenset({AccessState.UNKNOWN})


def check(app: App, context: CheckContext) -> Iterator[Finding]:
    """At most one finding an app and user: the most open state that it has."""
    if not app.is_recognised:
        return
    sdk = context.facts.phone.sdk
    for key, data in _candidate_findings(app, sdk):
        if not data:
            continue
        others = (
            [held.name for one in data for held in permission_table.granted_in_group(app, one, sdk)]
            if key == "group_open"
            else ()
        )
        evidence = context.evidence_for(app, *fact_keys(data), *others, "package")
        yield Finding(
            rule="data_access",
            severity=severity.for_access(app, group_open=key == "group_open"),
            package=app.package,
            user=app.user,
            message=Message(
                key=f"data_access.{key}",
                values={"app": display_name(app.label, app.package), "data": data_class_labels(app, data)},
            ),
            evidence=evidence,
            steps=(),
        )
        return


def _candidate_findings(app: App, sdk: int | None) -> Iterator[tuple[str, tuple[DataClass, ...]]]:
    yield from readable_now(app)
    by_state = {data: app.access[data].state for data in severity.recorded_data(app)}
    for key, states in (
        ("has_read", _CLOSED_STATES),
        ("has_read_blocked", _BLOCKED_STATES),
        ("has_read_now_unknown", _UNKNOWN_STATES),
    ):
        yield key, tuple(data for data, state in by_state.items() if state in states)
    # A record makes an app worth a look whatever closed it; without one, the block itself is worth telling.
    yield "blocked", tuple(data for data, access in app.access.items() if access.state is AccessState.BLOCKED)
    yield "group_open", permission_table.reachable_by_group(app, sdk)
    # A permission that whole dumps do not show as asked for makes no finding.
    asked = {permission.name for permission in app.permissions}
    yield (
        "asked",
        tuple(
            data
            for data, access in app.access.items()
            if access.state is AccessState.NOT_ALLOWED
            and any(door.permission in asked for door in DATA_PERMISSIONS[data])
        ),
    )


def readable_now(app: App) -> Iterator[tuple[str, tuple[DataClass, ...]]]:
    """What `app` can read, the most open state first: the word for the state, and the data."""
    for state in (AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME):
        data = tuple(data for data, access in app.access.items() if access.state is state)
        recorded = any(app.access[one].history is History.RECORDED for one in data)
        # "That it can, not that it did" does not go with a record that it did.
        yield "can_read_recorded" if recorded and state is AccessState.CAN_READ else state.value, data


def data_class_labels(app: App, data_classes: tuple[DataClass, ...]) -> tuple[Message, ...]:
    """The kinds of data, in words. Who may only receive SMS cannot open the old ones."""
    return tuple(
        Message(key=f"data_access.{'new_sms' if app.access[one].is_incoming_only else one}") for one in data_classes
    )


def fact_keys(data_classes: Iterable[DataClass]) -> Iterator[str]:
    """Names of the facts on which access to `data_classes` rests, as `privaudit.model.Facts.places` has them."""
    for one in data_classes:
        for door in DATA_PERMISSIONS[one]:
            yield door.permission
            yield f"op:{door.op}"
