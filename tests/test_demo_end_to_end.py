"""`privaudit demo`: the story's own truth comes out at the other end of the wire, and nothing else does."""

from __future__ import annotations

import json
import re

import pytest

from privaudit import audit, knowledge
from privaudit.model import DataClass
from privaudit.transport import connect
from privaudit.virtual_phone import load_scenario, scenario_names, scenario_title

BORROWER_ACCESS = {
    # package, user: contacts, sms, call_log
    ("com.example.sudaibao", 0): ("can_read", "can_read", "not_requested"),
    ("com.example.kuaiyihua", 0): ("can_read", "not_requested", "not_allowed"),
    ("com.example.kuaiyihua", 999): ("not_allowed", "not_requested", "can_read"),
    ("com.example.anxin", 0): ("can_read", "not_allowed", "not_allowed"),
    ("com.example.happyloan", 0): ("not_allowed", "not_allowed", "not_allowed"),
    ("com.example.creditwing", 0): ("blocked", "not_requested", "not_requested"),
}
RECOGNISED = {package for package, _ in BORROWER_ACCESS}
SUSPECT = "com.example.haoyouquan"
MARK = {"en": "demo phone", "zh": "演示手机"}
_PACKAGE = re.compile(r"(?<![\w.])[a-z]\w*(?:\.\w+)+", re.ASCII)


@pytest.fixture
def document(run):
    done = run("demo", "--json")
    assert done.code == 3
    return json.loads(done.out)


def by_app(document):
    return {(app["package"], app["user"]): app for app in document["apps"]}


def test_current_access_of_each_app(document):
    apps = by_app(document)
    assert {
        key: tuple(app["access"][data]["state"] for data in ("contacts", "sms", "call_log"))
        for key, app in apps.items()
    } == BORROWER_ACCESS


def test_recorded_access_of_each_app(document):
    recorded = {
        (package, data)
        for (package, _), app in by_app(document).items()
        for data, access in app["access"].items()
        if access["history"] == "recorded"
    }
    assert recorded == {
        ("com.example.sudaibao", "contacts"),
        ("com.example.anxin", "contacts"),
        ("com.example.happyloan", "contacts"),
    }


def test_reasons_of_recognition(document):
    apps = by_app(document)
    assert {key: [match["tier"] for match in app["listed"]] for key, app in apps.items() if app["listed"]} == {
        ("com.example.sudaibao", 0): ["A"],
        ("com.example.kuaiyihua", 0): ["B"],
        ("com.example.kuaiyihua", 999): ["B"],
    }
    assert [reason["key"] for reason in apps["com.example.anxin", 0]["lending"]["reasons"]] == ["lending.registered"]
    assert apps["com.example.happyloan", 0]["lending"]["verdict"] == "likely"


def test_severity_of_each_app(document):
    graded = {}
    for finding in document["findings"]:
        graded.setdefault((finding["package"], finding["user"]), finding["severity"])
    assert graded == {
        ("com.example.sudaibao", 0): "high",
        ("com.example.kuaiyihua", 0): "high",
        ("com.example.kuaiyihua", 999): "high",
        ("com.example.anxin", 0): "medium",
        ("com.example.happyloan", 0): "low",
        ("com.example.creditwing", 0): "info",
    }
    assert document["verdict"] == "found"
    assert document["complete"] is True


def test_counts(document):
    assert document["counts"] == {
        "apps_seen": len(
            [app for app in load_scenario("borrower").apps if any(i.installed for i in app.installs.values())]
        ),
        "lending": 5,
        "listed": 2,
        "suspect": 1,
        "lending_can_read": {"contacts": 3, "sms": 1, "call_log": 1},
        "lending_special_access": {"notifications": 0, "screen": 0, "sms_role": 0},
        "others_can_read": 18,
        "others_can_read_system": 15,
    }


@pytest.mark.parametrize("options", [[], ["--lang", "zh"], ["--json"]])
def test_other_apps_are_not_named(run, options):
    others = {app.package for app in load_scenario("borrower").apps} - RECOGNISED
    others -= {"com.android.vending", "android"}  # the store that installed them; the root of every permission's name
    assert not others & set(_PACKAGE.findall(run("demo", *options).out))


def test_the_unrecognised_app_is_named_with_unknown(run):
    document = json.loads(run("demo", "--json", "--unknown").out)
    assert {app["package"] for app in document["apps"]} == RECOGNISED | {SUSPECT}
    named = [finding for finding in document["findings"] if finding["package"] == SUSPECT]
    assert [(finding["rule"], finding["severity"]) for finding in named] == [("suspect", "low")]
    assert named[0]["steps"]


def test_all_apps_are_listed_with_all_apps(run):
    document = json.loads(run("demo", "--json", "--all-apps").out)
    names = {app["package"] for app in document["apps"]}
    assert len(names) == document["counts"]["apps_seen"]
    assert "com.example.loancalculator" in names
    assert not [finding for finding in document["findings"] if finding["package"] not in RECOGNISED]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format_says_that_it_is_a_demo(run, tmp_path, lang):
    done = run("demo", "--lang", lang, "-o", tmp_path / "a.txt", "-o", tmp_path / "a.json")
    for text in (done.out, (tmp_path / "a.txt").read_text(encoding="utf-8")):
        assert MARK[lang] in text.splitlines()[1]
        end = text.index("-" * 80) if "-" * 80 in text else text.rstrip().rindex("\n")
        assert MARK[lang] in text[end:]  # the end is what stays on the screen
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["demo"] is True
    assert json.loads(run("demo", "--json").out)["demo"] is True


def test_an_audit_takes_two_round_trips_and_only_reads(demo_phone, tmp_path):
    with (
        demo_phone() as phone,
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=tmp_path) as connection,
    ):
        audit.collect(connection, knowledge.load_knowledge(demo=True), demo=True)
        sent = list(phone.commands)
    scripts = [text for text in sent if "\na() {" in text]
    assert len(scripts) == 2
    asked = [line.split(maxsplit=2)[2] for text in scripts for line in text.splitlines() if line.startswith("a ")]
    reads = ("g ", "s ", "o ", "date +%s", "pm list ", "cmd user list -v", "dumpsys ")
    assert all(
        "o() { for k in READ_CONTACTS " in text and "cmd appops get --user $1 $2 $k;" in text for text in scripts
    )
    assert asked
    assert not [command for command in asked if not command.startswith(reads)]
    writes = (
        r"\b(put|delete|grant|revoke|reset|clear|uninstall|install|set|force-stop|disable|enable|am|input|content)\b"
    )
    for text in sent:
        assert not re.search(rf"\b(settings|pm|appops|cmd|svc|ime|dpm)\s+(--user \S+ )?{writes}", text), text
        assert "content query" not in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_list_of_scenarios(run, language):
    done = run("demo", "--list", "--lang", language)
    assert done.code == 0
    lines = [line.split(maxsplit=1) for line in done.out.splitlines()]
    assert lines == [[name, scenario_title(name, language)] for name in scenario_names()]
    assert len(lines) >= 7


# Story → (package, Android user) → what it can do with contacts, SMS and the call log.
EXPECTED_ACCESS = {
    "hyperos": {
        ("com.example.sudaibao", 0): ("blocked", "not_allowed", "not_requested"),
        ("com.example.kuaiyihua", 0): ("asks_each_time", "not_requested", "asks_each_time"),
        ("com.example.kuaiyihua", 999): ("can_read", "not_requested", "can_read"),
        ("com.example.miaojie", 0): ("not_allowed", "blocked", "can_read"),
    },
    "coloros": {
        ("com.example.jiedaitong", 0): ("can_read", "can_read", "not_requested"),
        ("com.example.anxin", 0): ("not_allowed", "not_allowed", "not_allowed"),
        ("com.example.anxin", 999): ("can_read", "not_allowed", "not_allowed"),
        # Came with the phone, for every user of it; the name of its updated copy tells.
        ("com.example.xiaohuajie", 0): ("can_read", "not_allowed", "not_allowed"),
        ("com.example.xiaohuajie", 999): ("not_allowed", "not_allowed", "not_allowed"),
    },
    "emui5": {
        ("com.example.sudaibao", 0): ("can_read", "blocked", "not_requested"),
        ("com.example.bangbangdai", 0): ("not_allowed", "not_allowed", "can_read"),
    },
    "android6": {
        ("com.example.laodaikuan", 0): ("can_read", "blocked", "can_read"),
        ("com.example.qianbaojie", 0): ("blocked", "not_requested", "not_requested"),
        ("com.example.kuaiyihua", 0): ("not_allowed", "not_requested", "not_allowed"),
    },
    "oneui": {
        ("com.example.prestarapido", 0): ("can_read", "can_read", "not_allowed"),
        ("com.example.creditofacil", 0): ("not_allowed", "not_requested", "not_requested"),
        # The folder's list is refused; the dump of permissions tells of it all the same.
        ("com.example.prestarapido", 150): ("can_read", "not_allowed", "not_allowed"),
    },
    "android16": {
        ("com.example.flashpeso", 0): ("not_allowed", "not_allowed", "not_allowed"),
        ("com.example.flashpeso", 10): ("can_read", "can_read", "not_allowed"),
        ("com.example.pautang", 0): ("not_requested", "not_requested", "not_requested"),
    },
}


@pytest.mark.parametrize("story", EXPECTED_ACCESS)
def test_each_scenario_gives_the_expected_access(report_of, story):
    report = report_of(story)
    accesses = {
        (app.package, app.user): tuple(str(app.access[data].state) for data in DataClass)
        for app in report.apps
        if app.is_recognised
    }
    assert accesses == EXPECTED_ACCESS[story]
    closed = [user.id for user in load_scenario(story).users if user.denied_to_shell]
    assert [user.id for user in report.users if not user.checked] == closed
    assert report.complete == (not closed)
    assert report.phone.rom.id == {"android6": "aosp", "android16": "aosp", "emui5": "emui"}.get(story, story)


def test_every_scenario_has_expected_access():
    assert {*EXPECTED_ACCESS, "borrower"} == set(scenario_names())
