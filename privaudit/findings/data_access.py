"""This app can read your contacts, SMS or call log: now, or once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from privaudit.facts.access import DOORS
from privaudit.findings import Ground, severity
from privaudit.model import AccessState, App, DataClass, Finding, Message

WORDS: Final[Mapping[str, str]] = {
    "can_read": "“{app}” can read {data} now: the permission is on. This says that it can, not that it did.",
    "only_while_open": "“{app}” can read {data} while it is open.",
    "asks_each_time": "“{app}” can read {data} after the phone has asked you.",
    "has_read": "“{app}” has read {data} before, says the phone. It cannot read it now.",
    "has_read_now_unknown": "“{app}” has read {data} before, says the phone. Whether it can now was not read.",
    "asked": "“{app}” asks for {data} and cannot read it now.",
    "contacts": "contacts",
    "sms": "SMS",
    "call_log": "call log",
}
_CLOSED: Final = frozenset({AccessState.BLOCKED, AccessState.NOT_ALLOWED})


def judge(app: App, ground: Ground) -> Iterator[Finding]:
    """At most one finding an app and user: the most open state that it has."""
    if not app.recognised:
        return
    for key, data in _cases(app):
        if not data:
            continue
        evidence = ground.evidence(app, *(fact for one in data for fact in _facts(one)), "package")
        names = tuple(Message(key=f"data_access.{one}") for one in data)
        yield Finding(
            rule="data_access",
            severity=severity.of_access(app),
            package=app.package,
            user=app.user,
            message=Message(key=f"data_access.{key}", values={"app": app.label or app.package, "data": names}),
            evidence=evidence,
            steps=(),
        )
        return


def _cases(app: App) -> Iterator[tuple[str, tuple[DataClass, ...]]]:
    for state in (AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME):
        yield state.value, tuple(data for data, access in app.access.items() if access.state is state)
    known = tuple(data for data in severity.has_read(app) if app.access[data].state is not AccessState.UNKNOWN)
    yield "has_read", known
    yield "has_read_now_unknown", tuple(data for data in severity.has_read(app) if data not in known)
    # A permission that whole dumps do not show as asked for makes no finding.
    asked = {permission.name for permission in app.permissions}
    yield (
        "asked",
        tuple(
            data
            for data, access in app.access.items()
            if access.state in _CLOSED and any(door.permission in asked for door in DOORS[data])
        ),
    )


def _facts(data: DataClass) -> Iterator[str]:
    for door in DOORS[data]:
        yield door.permission
        yield f"op:{door.op}"
