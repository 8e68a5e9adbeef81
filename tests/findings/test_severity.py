"""Severity: every row of the table, through the checks that use it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from privaudit import knowledge
from privaudit.findings import data_access, listed, run_checks, severity, special_access, unrecognised
from privaudit.i18n import Translator
from privaudit.model import Facts, Finding, Lending, LendingVerdict, Severity

LENDING = Lending(verdict=LendingVerdict.YES)
READ = datetime(2026, 1, 8, tzinfo=UTC)


def grade(rule, app, made, **changed):
    return [finding.severity.value for finding in rule.check(app, made.ground(app, **changed))]


OPEN = {"contacts": "can_read"}
RECORD = {"contacts": "not_allowed", "read": READ}
SHUT = {"contacts": "not_allowed"}


@pytest.mark.parametrize(
    ("access", "tiers", "expected"),
    [
        # can read now, on a list of tier A or B: high, with or without a record
        ("can_read", ["A"], "high"),
        ("can_read", ["B"], "high"),
        ("only_while_open", ["A"], "high"),
        ("asks_each_time", ["B"], "high"),
        # a lending app can read now
        ("can_read", [], "medium"),
        ("only_while_open", [], "medium"),
        ("can_read", ["N"], "medium"),
        ("can_read", ["own"], "medium"),
        # disputed lowers by one, unless another list says so undisputed
        ("can_read", ["A?"], "medium"),
        ("can_read", ["A?", "B?"], "medium"),
        ("can_read", ["A?", "B"], "high"),
        # asked for, not granted
        ("not_allowed", [], "info"),
        ("blocked", [], "info"),
    ],
)
@pytest.mark.parametrize("read", [None, READ], ids=["no record", "record"])
def test_data_access(made, access, tiers, expected, read):
    listings = tuple(made.listing(tier[0] if tier != "own" else tier, disputed="?" in tier) for tier in tiers)
    app = made.app(
        contacts=made.access(access, read=read),
        permissions=(made.permission("READ_CONTACTS", "denied" if access == "not_allowed" else "allowed"),),
        lending=LENDING,
        listed=listings,
    )
    # A record never changes the grade of what is open; what is closed is worth a look because of it.
    closed = access in {"not_allowed", "blocked"}
    assert grade(data_access, app, made) == ["low" if closed and read else expected]


def test_not_requested_gives_no_finding(made):
    assert not grade(data_access, made.app(lending=LENDING), made)


def test_unknown_access_gives_no_finding(made):
    app = made.app(contacts=made.access("unknown"), permissions=(), lending=LENDING)
    assert not grade(data_access, app, made)


@pytest.mark.parametrize(
    ("access", "tier", "disputed", "expected"),
    [
        ("can_read", "A", False, "high"),
        ("can_read", "B", False, "high"),
        ("can_read", "A", True, "medium"),
        ("not_allowed", "A", False, "low"),
        ("not_allowed", "B", False, "low"),
        ("not_requested", "A", False, "low"),
        ("not_allowed", "B", True, "info"),
        ("can_read", "N", False, "info"),
        ("can_read", "N", True, "info"),
        ("not_allowed", "N", False, "info"),
        ("can_read", "own", False, "medium"),
        ("not_allowed", "own", False, "info"),
    ],
)
def test_listed(made, access, tier, disputed, expected):
    app = made.app(contacts=made.access(access), listed=(made.listing(tier, disputed=disputed),))
    assert grade(listed, app, made) == [expected]


def test_one_finding_for_each_listing(made):
    app = made.app(contacts=made.access("can_read"), listed=(made.listing("A"), made.listing("N")))
    assert grade(listed, app, made) == ["high", "info"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("default_sms", "high"),
        ("accessibility", "high"),
        ("notification_listener", "high"),
        ("default_phone", "medium"),
        ("input_method", "info"),
        ("device_admin", "info"),
        ("device_owner", "info"),
    ],
)
def test_special_access(made, kind, expected):
    assert grade(special_access, made.app(holds=[kind], lending=LENDING), made) == [expected]


def test_listed_default_phone_app_reads_the_call_log(made):
    app = made.app(holds=["default_phone"], listed=(made.listing("B"),))
    assert grade(special_access, app, made) == ["high"]


def test_special_access_of_other_apps_gives_no_finding(made):
    assert not grade(special_access, made.app(holds=["accessibility"]), made)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ["low"]),
        ({"installer": "com.android.vending"}, []),
        ({"installer_known": False}, ["low"]),  # not read is not "from a store"
        ({"installer": "com.example.browser"}, ["low"]),
        ({"system": True}, []),
        ({"lending": LENDING}, []),
    ],
)
def test_unrecognised(made, changed, expected):
    app = made.app(contacts=made.access("can_read"), **changed)
    assert grade(unrecognised, app, made, include_unrecognised=True) == expected
    assert not grade(unrecognised, app, made, include_unrecognised=False)


@pytest.mark.parametrize("state", ["only_while_open", "asks_each_time"])
def test_unrecognised_app_is_reported_with_its_state(made, state):
    app = made.app(sms=made.access(state))
    (finding,) = unrecognised.check(app, made.ground(app, include_unrecognised=True))
    assert finding.message.key == f"suspect.{state}"


@pytest.mark.parametrize(
    ("label", "decoy"),
    [
        ("Scientific Calculator", "calculator"),
        ("Fast Manne Guide", "guide"),
        ("高清壁纸", "壁纸"),
        ("FlashlightPro", "flashlight"),
        ("Photo Wallpaper HD", "wallpaper"),
        ("Kalkulator Ilmiah", "kalkulator"),
        ("Chat", None),
    ],
)
@pytest.mark.parametrize("data", ["contacts", "sms", "call_log"])
def test_decoy_label_is_named(made, label, decoy, data):
    app = made.app(label=label, **{data: made.access("can_read")})
    ground = made.ground(app, include_unrecognised=True, knowledge=knowledge.load_knowledge())
    (finding,) = unrecognised.check(app, ground)
    assert finding.message.key == ("suspect.can_read_decoy" if decoy else "suspect.can_read")
    assert finding.message.values.get("name") == decoy
    assert unrecognised.is_unrecognised_reader(app, ground.knowledge)
    stored = made.app(label=label, installer="com.android.vending", **{data: made.access("can_read")})
    assert not unrecognised.is_unrecognised_reader(stored, ground.knowledge)


@pytest.mark.parametrize("state", ["can_read", "only_while_open", "asks_each_time"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_decoy_sentence_does_not_accuse(made, state, lang):
    app = made.app(label="Compass", sms=made.access(state))
    (finding,) = unrecognised.check(
        app, made.ground(app, include_unrecognised=True, knowledge=knowledge.load_knowledge())
    )
    said = Translator(lang).translate(finding.message)
    assert "compass" in said
    assert ("It may be harmless" if lang == "en" else "也可能没有问题") in said


def test_one_lower_stops_at_info():
    assert [severity.one_lower(one) for one in Severity] == [
        Severity.MEDIUM,
        Severity.LOW,
        Severity.INFO,
        Severity.INFO,
    ]


def test_last_read_orders_findings_of_one_severity(made):
    apps = tuple(
        made.app(
            package,
            contacts=made.access("can_read", read=READ if age else None, last_read_age_s=age),
        )
        for package, age in (
            ("com.example.aloan", None),
            ("com.example.bloan", 900),
            ("com.example.cloan", 60),
            ("com.example.sudaibao", None),
        )
    )
    ground = made.ground(*apps)
    findings = run_checks(ground.capture, ground.facts, ground.knowledge).findings
    order = dict.fromkeys(finding.package.rpartition(".")[2] for finding in findings)
    assert list(order) == ["sudaibao", "cloan", "bloan", "aloan"]


def test_a_finding_without_evidence_cannot_be_built(made):
    app = made.app()
    with pytest.raises(ValueError, match="no evidence"):
        made.finding(app, evidence=())
    assert isinstance(made.finding(app), Finding)


def test_evidence_quotes_the_line(made):
    app = made.app(contacts=made.access("can_read"), lending=LENDING)
    (finding,) = data_access.check(app, made.ground(app))
    assert [(one.question, one.line, one.text) for one in finding.evidence] == [
        ("packages", 2, "the line that proves it")
    ]


@pytest.mark.parametrize(
    ("key", "line", "shown"),
    [
        ("packages", "    packages=[com.other.app, com.example.made]", "    packages=[[removed], com.example.made]"),
        ("packages", "  com.other.app.provider.Thing in com.other.app", "  [removed] in [removed]"),
        ("packages", "  android.permission.READ_CONTACTS: granted=true", None),
        ("packages", "  com.example.made.provider.Thing", None),
        ("roles", "      com.example.made", None),
        (
            "settings.0",
            "enabled_accessibility_services=com.other.app/.A:com.example.made/.B:com.gone/.C",
            "enabled_accessibility_services=[removed]:com.example.made/.B:[removed]",
        ),
        (
            "installed.0",
            "package:/data/app/base.apk=com.example.made  installer=com.android.vending",
            None,
        ),
    ],
)
def test_evidence_names_no_other_app(made, key, line, shown):
    app = made.app(contacts=made.access("can_read"), lending=LENDING, installer="com.android.vending")
    others = (app, made.app("com.other.app"), made.app("com.android.vending"), made.app("android"))
    ground = made.ground(*others, capture=made.capture({key: f"x\n{line}\n"}))
    assert ground._quote_line(app, key, 2).text == (shown or line)


def test_facts_without_apps_give_no_findings(made):
    ground = made.ground()
    assert isinstance(ground.facts, Facts)
    nothing = run_checks(ground.capture, ground.facts, ground.knowledge)
    assert (nothing.apps, nothing.findings) == ((), ())
