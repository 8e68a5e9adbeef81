"""Special access: which apps are reported, with which severity and which steps."""

from __future__ import annotations

import pytest

from privaudit.findings import special_access, unrecognised
from privaudit.model import Lending, LendingVerdict
from privaudit.revocation import steps

LENDING = Lending(verdict=LendingVerdict.YES)
GRADES = {
    "accessibility": "high",
    "notification_listener": "high",
    "default_sms": "high",
    "device_admin": "info",
    "device_owner": "info",
    "profile_owner": "info",
    "input_method": "info",
    "overlay": "info",
    "usage": "info",
    "all_files": "info",
    "install_packages": "info",
}
LEFT_ALONE = {"device_owner", "profile_owner"}


@pytest.mark.parametrize(("kind", "grade"), GRADES.items())
def test_each_special_access_of_a_lending_app_has_its_severity(made, kind, grade):
    app = made.app(lending=LENDING, holds=[kind])
    (finding,) = special_access.check(app, made.ground(app))
    assert (finding.severity.value, finding.message.key) == (grade, f"special_access.{kind}")
    assert bool(steps.attach_steps(finding, app, made.phone()).steps) is (kind not in LEFT_ALONE)


@pytest.mark.parametrize("owner", ["device_owner", "profile_owner"])
def test_device_owner_gets_no_steps(made, owner):
    app = made.app(lending=LENDING, holds=[owner, "device_admin"])
    for finding in special_access.check(app, made.ground(app)):
        assert not steps.attach_steps(finding, app, made.phone()).steps


@pytest.mark.parametrize("kind", GRADES)
def test_special_access_of_a_store_app_gives_no_finding(made, kind):
    app = made.app(holds=[kind], installer="com.android.vending")
    assert not list(special_access.check(app, made.ground(app, include_unrecognised=True)))


@pytest.mark.parametrize(
    ("kind", "counted"), [("accessibility", True), ("notification_listener", True), ("usage", False)]
)
def test_high_risk_special_access_makes_an_app_unrecognised_reader(made, kind, counted):
    app = made.app(holds=[kind])
    assert unrecognised.is_unrecognised_reader(app, made.ground(app).knowledge) is counted
    assert not list(special_access.check(app, made.ground(app)))  # its name is its owner's to ask for
    named = made.ground(app, include_unrecognised=True)
    assert [one.message.key for one in unrecognised.check(app, named)] == (["suspect.another_way"] if counted else [])
    assert [one.severity.value for one in special_access.check(app, named)] == (["low"] if counted else [])
