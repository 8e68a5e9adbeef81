"""Scenarios: their keys, their errors, and what is derived from them."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from importlib import resources

import pytest
from pydantic import ValidationError

from privaudit.virtual_phone import load_scenario, scenario_names
from privaudit.virtual_phone.release import FLAG_BITS
from privaudit.virtual_phone.scenario.build import parse_scenario, read_scenario
from privaudit.virtual_phone.scenario.schema import parse_age
from privaudit.virtual_phone.shell.toybox import Toybox
from tests.virtual_phone.scenario_checks import count_filler_apps, find_problems

_HEAD = """
title = { en = "t", zh = "t" }
[phone]
sdk = 34
zone = "Asia/Shanghai"
zone_offset_minutes = 480
zone_abbreviation = "CST"
factory_time = 2009-01-01T08:00:00
properties = {}
[[user]]
id = 0
name = "Owner"
flags = "13"
"""
_APP = '[[app]]\npackage = "com.example.one"\nrequests = ["INTERNET", "READ_CONTACTS", "READ_SMS"]\n'


def _grants(package, user):
    phone = load_scenario("borrower")
    app = phone.find_app(package)
    return {grant.name.removeprefix("android.permission."): grant for grant in phone.runtime_grants(app, user)}


def test_scenarios_are_deterministic():
    assert "borrower" in scenario_names()
    for name in scenario_names():
        assert load_scenario(name) == load_scenario(name)


def test_scenarios_have_no_errors():
    for name in scenario_names():
        file = resources.files("privaudit.virtual_phone") / "scenarios" / f"{name}.toml"
        assert list(find_problems(parse_scenario(file.read_text(encoding="utf-8")))) == [], name


def test_unknown_scenario():
    with pytest.raises(KeyError):
        load_scenario("nobody")


def test_type_errors_are_reported_together():
    text = _HEAD.replace("sdk = 34", "sdk = 12") + _APP + 'color = "red"\n[[app.user]]\nid = 0\n'
    text += 'grants = { READ_SMS = "perhaps" }\nops = [{ op = "READ_MINDS", access = "soon" }]\n'
    with pytest.raises(ValidationError) as caught:
        read_scenario(text, name="bad")
    assert {error["loc"] for error in caught.value.errors()} == {
        ("phone", "sdk"),
        ("app", 0, "color"),
        ("app", 0, "user", 0, "grants", "READ_SMS"),
        ("app", 0, "user", 0, "ops", 0, "op"),
        ("app", 0, "user", 0, "ops", 0, "access"),
    }


def test_semantic_errors_are_reported_together():
    text = _HEAD + _APP + '[[app.user]]\nid = 7\ngrants = { CAMERA = "allowed" }\n' + _APP
    text += '[[app]]\npackage = "com.example.two"\nsystem = true\nshared_user = "nobody"\n'
    text += (
        '[roles.0]\nSMS = ["com.example.three"]\n[ordinary]\ncount = 5000\nseed = 1\ninstaller = "com.example.store"\n'
    )
    assert [problem.partition(": ")[0] for problem in find_problems(parse_scenario(text))] == [
        "app[0].user[0].id",
        "app[0].user[0].grants.CAMERA",
        "app[1].package",
        "app[2].shared_user",
        "app[2].path",
        "ordinary.count",
        "roles.0.SMS",
    ]


def test_unknown_modes_and_permissions_of_a_release():
    old = _HEAD.replace("sdk = 34", "sdk = 28") + _APP.replace('"READ_SMS"', '"READ_SMS", "POST_NOTIFICATIONS"')
    old += (
        '[[app.user]]\nid = 0\nuid_modes = { READ_SMS = "foreground" }\ngrants = { POST_NOTIFICATIONS = "allowed" }\n'
    )
    old += 'ops = [{ op = "READ_SMS" }, { op = "READ_SMS", mode = "ask" }]\n'
    assert [problem.partition(": ")[0] for problem in find_problems(parse_scenario(old))] == [
        "app[0].user[0].uid_modes.READ_SMS",
        "app[0].user[0].ops[1].mode",
        "app[0].user[0].grants.POST_NOTIFICATIONS",
    ]
    good = old.replace("sdk = 28", 'sdk = 34\nvendor = "miui"')
    assert list(find_problems(parse_scenario(good))) == []


def test_legacy_denials_are_app_ops():
    legacy = _APP + "target_sdk = 22\n" + '[[app.user]]\nid = 0\ngrants = { READ_SMS = "denied" }\n'
    old = read_scenario(_HEAD.replace("sdk = 34", "sdk = 23") + legacy, name="t").find_app("com.example.one")
    assert old.installs[0].grants == ()
    assert {one.name.rpartition(".")[2]: one.granted for one in old.install_permissions} == {
        "INTERNET": True, "READ_CONTACTS": True, "READ_SMS": True,
    }  # fmt: skip
    assert old.installs[0].uid_modes == {"READ_SMS": "ignore"}
    new = read_scenario(_HEAD + legacy, name="t").find_app("com.example.one").installs[0]
    assert [(one.granted, bool(one.flags & FLAG_BITS["REVIEW_REQUIRED"])) for one in new.grants] == [
        (True, True),
        (True, False),
    ]
    assert new.grants[1].flags & FLAG_BITS["REVOKED_COMPAT"]
    assert new.uid_modes == {"READ_CONTACTS": "ignore", "READ_SMS": "ignore"}


def test_not_toml():
    with pytest.raises(tomllib.TOMLDecodeError):
        read_scenario("title = ", name="bad")


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("1d18h28m", timedelta(days=1, hours=18, minutes=28)),
        ("36s979ms", timedelta(seconds=36, milliseconds=979)),
        ("5ms", timedelta(milliseconds=5)),
        ("2m", timedelta(minutes=2)),
    ],
)
def test_parse_age(text, age):
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "soon", "3", "1h1d", 5])
def test_malformed_ages(text):
    with pytest.raises(ValueError, match="an age looks like"):
        parse_age(text)


def test_denied_permissions_are_ignored_by_the_app_op():
    install = read_scenario(_HEAD + _APP + '[[app.user]]\nid = 0\ngrants = { READ_CONTACTS = "allowed" }\n', name="t")
    assert install.find_app("com.example.one").installs[0].uid_modes == {"READ_SMS": "ignore"}


def test_location_without_background_is_foreground_only():
    phone = load_scenario("borrower")
    assert phone.find_app("com.example.sudaibao").installs[0].uid_modes["FINE_LOCATION"] == "foreground"
    assert "FINE_LOCATION" not in phone.find_app("com.example.navigator").installs[0].uid_modes


def test_apps_are_androids_or_invented():
    phone = load_scenario("borrower")
    assert all(
        app.package == "android" or app.package.startswith(("com.example.", "com.android.")) for app in phone.apps
    )
    assert all(app.package.startswith("com.example.") for app in phone.apps if not app.is_system)
    assert 60 <= len(phone.apps) <= 140


def test_lending_apps_have_two_labels():
    phone = load_scenario("borrower")
    for package in ("sudaibao", "kuaiyihua", "anxin", "happyloan", "creditwing", "loancalculator"):
        assert phone.find_app(f"com.example.{package}").labels.keys() == {"zh-CN", "en"}


def test_grants_of_the_listed_apps():
    sudaibao, kuaiyihua = _grants("com.example.sudaibao", 0), _grants("com.example.kuaiyihua", 0)
    assert sudaibao["READ_CONTACTS"].granted
    assert sudaibao["READ_SMS"].granted
    assert load_scenario("borrower").find_app("com.example.sudaibao").installer is None
    assert kuaiyihua["READ_CONTACTS"].granted
    assert not kuaiyihua["READ_CALL_LOG"].granted
    clone = _grants("com.example.kuaiyihua", 999)
    assert not clone["READ_CONTACTS"].granted
    assert clone["READ_CONTACTS"].flags & FLAG_BITS["USER_FIXED"]
    assert clone["READ_CALL_LOG"].granted


def test_grant_without_the_app():
    phone = load_scenario("borrower")
    assert not phone.find_app("com.example.chat").installs[999].installed
    assert _grants("com.example.chat", 999)["READ_CONTACTS"].granted


def test_filler_app_count():
    text = _HEAD + _APP + '[ordinary]\ncount = 3\nseed = 1\ninstaller = "com.example.store"\n'
    assert len(read_scenario(text, name="t").apps) == 4
    assert count_filler_apps() >= 80


def test_demo_lists_are_invented_and_match_the_scenario():
    lists = resources.files("privaudit") / "data" / "demo" / "lists"
    phone = load_scenario("borrower")
    packages = {}
    for kind in ("risky", "lenders"):
        for file in (lists / kind).iterdir():
            document = tomllib.loads(file.read_text(encoding="utf-8"))
            assert "invented" in document["source"]["publisher"]
            assert all(row["package"].startswith("com.example.") for row in document["app"])
            packages[file.name] = [row["package"] for row in document["app"] if phone.find_app(row["package"])]
    assert packages == {
        "demo-research.toml": ["com.example.sudaibao"],
        "demo-regulator.toml": ["com.example.kuaiyihua"],
        "demo-register.toml": ["com.example.anxin"],
    }


def test_readme_s_scenario_and_tools():
    text = (resources.files("privaudit.virtual_phone") / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1]
    assert list(find_problems(parse_scenario(example))) == []
    phone = read_scenario(example, name="README")
    assert phone.apps[0].package == "com.example.loan"
    tools = re.search(r"subset of toybox: `([a-z0-9 ]+)`", text)[1].split()
    assert {*tools, "["} == Toybox.NAMES
