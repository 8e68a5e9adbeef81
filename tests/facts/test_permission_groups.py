"""A granted permission lets the phone grant the others of its group without a question."""

from __future__ import annotations

import pytest

from privaudit.facts import permissions
from privaudit.findings import data_access
from privaudit.model import Lending, LendingVerdict
from privaudit.revocation import steps

LENDING = Lending(verdict=LendingVerdict.YES)


def closed(made, *also, state="not_allowed", data="contacts"):
    asked = {"contacts": "READ_CONTACTS", "sms": "READ_SMS", "call_log": "READ_CALL_LOG"}[data]
    held = tuple(made.permission(name) for name in also)
    access = {data: made.access(state)}
    return made.app(lending=LENDING, permissions=(made.permission(asked, "denied"), *held), **access)


@pytest.mark.parametrize(
    ("data", "also", "expected"),
    [
        ("contacts", "GET_ACCOUNTS", "low"),
        ("contacts", "WRITE_CONTACTS", "low"),
        ("sms", "SEND_SMS", "low"),
        ("call_log", "WRITE_CALL_LOG", "low"),
        ("contacts", "SEND_SMS", "info"),
        ("call_log", "READ_PHONE_STATE", "info"),
    ],
)
def test_other_permission_of_the_group_gives_a_finding_with_steps(made, data, also, expected):
    app = closed(made, also, data=data)
    (finding,) = data_access.check(app, made.ground(app))
    assert finding.severity.value == expected
    assert finding.message.key == ("data_access.group_open" if expected == "low" else "data_access.asked")
    taps = steps.attach_steps(finding, app, made.phone()).steps
    assert bool(taps) is (expected == "low")


@pytest.mark.parametrize(("sdk", "group"), [(27, "phone"), (34, None)])
def test_call_log_belongs_to_the_phone_group_up_to_android_8(made, sdk, group):
    app = closed(made, "READ_PHONE_STATE", data="call_log")
    assert permissions.groups_to_revoke(app, sdk) == ((group,) if group else ())


def test_unrequested_permission_is_not_reachable_by_group(made):
    app = made.app(lending=LENDING, contacts=made.access("not_allowed"), permissions=(made.permission("GET_ACCOUNTS"),))
    assert permissions.reachable_by_group(app, 34) == ()


def test_groups_of_readable_and_blocked_data_are_revoked(made):
    app = made.app(lending=LENDING, contacts=made.access("can_read"), sms=made.access("blocked"))
    assert permissions.groups_to_revoke(app, 34) == ("contacts", "sms")


@pytest.mark.parametrize(
    ("state", "key"),
    [("not_allowed", "has_read"), ("blocked", "has_read_blocked"), ("unknown", "has_read_now_unknown")],
)
def test_recorded_read_names_the_state_now(made, state, key):
    app = made.app(lending=LENDING, contacts=made.access(state, read=made.now))
    (finding,) = data_access.check(app, made.ground(app))
    assert finding.message.key == f"data_access.{key}"
