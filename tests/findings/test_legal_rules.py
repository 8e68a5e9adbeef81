"""Legal rules annotate the apps that they apply to, by country and store, and change no severity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from privaudit import audit, findings, knowledge
from privaudit.findings.legal_rules import annotate_app, data_classes_of, match_rule
from privaudit.knowledge import rules as rulebook
from privaudit.knowledge.loader import Problems
from privaudit.model import App, DataClass, Lending, LendingVerdict, OtherDataClass, RequestedState, Severity
from privaudit.virtual_phone import scenario_names

BOOK = rulebook.read_rules(Problems())
RULES = {rule.id: rule for rule in BOOK.rules}
CONCERNED = [rule for rule in BOOK.rules if rule.concern]
LENDS = Lending(verdict=LendingVerdict.YES)
PLAY = "com.android.vending"
TODAY = date(2026, 6, 1)


def ids(app: App) -> set[str]:
    return {match.id for match in app.rules}


def day_of(rule):
    """Return a day on which the rule is in force."""
    return date.fromisoformat(rule.in_force_until) if rule.in_force_until else TODAY


def of(app, rule, **changed):
    given = {"country": rule.country, "day": day_of(rule), **changed}
    return {match for match in annotate_app(app, BOOK, given["country"], given["day"]).rules if match.id == rule.id}


def installed_by(rule):
    return rule.stores[0] if rule.kind == "store" else None


@pytest.fixture
def lender(made):
    """Build a lending app with these permissions."""

    def lender(*permissions, **changed):
        return made.app(**{"lending": LENDS, "permissions": permissions, **changed})

    return lender


def named(rule):
    return [(concern, name) for concern in rule.concern for name in (*concern.permissions, *concern.special)]


@pytest.mark.parametrize(("rule", "concern", "name"), [(rule, *one) for rule in CONCERNED for one in named(rule)])
def test_every_permission_of_every_rule_matches_when_held_and_requested(made, lender, rule, concern, name):
    def told(app):
        return {(match.says, match.likely, match.match) for match in of(app, rule)}

    store, likely = installed_by(rule), concern.mapping == "inferred"
    if name in concern.special:
        assert (concern.says, likely, "granted") in told(lender(holds=(name,), installer=store))
        return
    held, asked = made.permission(name), made.permission(name, "denied")
    assert told(lender(held, installer=store)) == {(concern.says, likely, "granted")}
    assert told(lender(asked, installer=store)) == {(concern.says, likely, "requested")}
    (match,) = of(lender(held, installer=store), rule)
    assert match.permissions == (f"android.permission.{name}",)
    assert match.data
    assert set(match.data) <= {*map(str, DataClass), *map(str, OtherDataClass)}
    assert match.verify is rule.has_unverified_parts


@pytest.mark.parametrize("rule", CONCERNED, ids=lambda rule: rule.id)
def test_rule_matches_only_where_it_applies(made, lender, rule):
    everything = tuple(made.permission(name) for _, name in named(rule))
    store = installed_by(rule)
    app = lender(*everything, installer=store)
    assert of(app, rule)
    # An app that is neither lending nor listed, one that holds and asks for nothing, and one that only may ask.
    assert not of(replace(app, lending=Lending(verdict=LendingVerdict.NO)), rule)
    assert not of(lender(installer=store), rule)
    unknown = replace(made.permission("READ_CONTACTS", "denied"), requested=RequestedState.UNKNOWN)
    assert not of(lender(unknown, installer=store), rule)
    if rule.kind == "store":
        for other in (None, "com.huawei.appmarket", "com.android.shell"):
            assert not of(replace(app, installer=other), rule)
        assert not of(replace(app, installer_known=False), rule)
        assert of(app, rule, country="CN")
    else:
        assert not of(app, rule, country=None)
        assert not of(app, rule, country="ZZ")


@pytest.mark.parametrize("rule", [rule for rule in BOOK.rules if not rule.concern], ids=lambda rule: rule.id)
def test_rights_conduct_and_observations_annotate_no_app(made, lender, rule):
    app = lender(*(made.permission(name) for other in CONCERNED for _, name in named(other)), installer=PLAY)
    assert not of(app, rule)


def test_observation_is_not_a_rule():
    applying = BOOK.applicable(None, "CN", TODAY) + BOOK.applicable(PLAY, "NG", TODAY)
    assert "ANY-SIDELOAD-LENDER" not in {rule.id for rule in applying}


@pytest.mark.parametrize(
    ("rule", "day", "applies"),
    [
        ("IN-RBI-DLG-2022", date(2022, 9, 1), False),
        ("IN-RBI-DLG-2022", date(2022, 9, 2), True),
        ("IN-RBI-DLG-2022", date(2025, 5, 7), True),
        ("IN-RBI-DLG-2022", date(2025, 5, 8), False),
        ("IN-RBI-DLD-2025", date(2025, 5, 7), False),
        ("IN-RBI-DLD-2025", date(2025, 5, 8), True),
        ("ID-OJK-CAMILAN", date(2018, 12, 31), False),
        ("ID-OJK-CAMILAN", date(2019, 1, 1), True),  # known by its year alone
    ],
)
def test_rule_outside_its_dates_does_not_apply(made, lender, rule, day, applies):
    app = lender(made.permission("READ_CONTACTS"))
    assert bool(of(app, RULES[rule], day=day)) is applies


def test_rule_about_grants_ignores_requests(made, lender):
    rule = replace(RULES["KE-DCP-2022"], match="granted")
    assert not [*match_rule(lender(made.permission("READ_CONTACTS", "denied")), rule)]
    assert [*match_rule(lender(made.permission("READ_CONTACTS")), rule)]


def test_blocked_and_ask_each_time_count_as_held(made, lender):
    for state in ("allowed", "foreground", "ask", "blocked"):
        (match,) = of(lender(made.permission("READ_CONTACTS", state)), RULES["KE-DCP-2022"])
        assert match.match == "granted"
    assert not of(
        lender(replace(made.permission("READ_CONTACTS", "unknown"), requested=RequestedState.UNKNOWN)),
        RULES["KE-DCP-2022"],
    )


def test_an_unknown_name_has_no_data():
    assert data_classes_of("android.permission.CAMERA") == data_classes_of("nothing") == ()


# --- they annotate --------------------------------------------------------------------------------------------------


def _graded(made, grade: str):
    """Build a lending app with a finding of this severity."""
    contacts = made.access(
        "can_read" if grade in {"high", "medium"} else "not_allowed", read=made.now if grade == "low" else None
    )
    listed = (made.listing("A"),) if grade == "high" else ()
    held = made.permission("READ_CONTACTS", "allowed" if grade in {"high", "medium"} else "denied")
    return made.app(contacts=contacts, lending=LENDS, listed=listed, permissions=(held,))


@pytest.mark.parametrize("grade", [grade.value for grade in Severity])
def test_rules_change_no_finding_and_no_severity(made, grade):
    """All rules at once, and each alone, leave the findings on an app of each severity unchanged."""
    app = _graded(made, grade)
    before = _findings(made, app)
    assert before[0].severity == grade
    every = tuple(match for rule in CONCERNED for match in match_rule(app, rule))
    assert every
    for rules in (every, *((match,) for match in every)):
        assert _findings(made, replace(app, rules=rules)) == before


@pytest.mark.parametrize("rule", CONCERNED, ids=lambda rule: rule.id)
def test_holding_all_permissions_of_a_rule_gives_no_finding(made, rule):
    """A lending app that cannot read contacts, SMS or call log has no finding, whatever a rule says."""
    app = made.app(lending=LENDS, permissions=tuple(made.permission(name) for _, name in named(rule)))
    assert not _findings(made, replace(app, rules=tuple(match_rule(app, rule))))


def _findings(made, app):
    """Run every check on `app` unchanged; `run_checks` would recognise it again."""
    ground = made.ground(app)
    found = [finding for rule in findings._checks() for finding in rule(app, ground)]
    return sorted(found, key=lambda finding: finding.severity.order)


@pytest.mark.parametrize("story", scenario_names())
def test_a_country_changes_no_finding_no_verdict_and_no_count(capture_of_story, story):
    taken, known = capture_of_story(story), knowledge.load_knowledge(demo=True)
    without = audit.build_report(taken, known, audit.ReportOptions())
    for country in ("CN", "IN", "ID", "PH", "KE", "NG", "PK", "MX"):
        chosen = audit.build_report(taken, known, audit.ReportOptions(country=country))
        assert (chosen.findings, chosen.verdict, chosen.counts) == (without.findings, without.verdict, without.counts)
        assert {app.package for app in chosen.apps} == {app.package for app in without.apps}
        # Mexico's alert is younger than this check.
        assert any(ids(app) & {rule.id for rule in BOOK.rules if rule.country == country} for app in chosen.apps) or (
            country == "MX"
        )


def test_chinese_rule_gives_no_severity_to_a_chinese_lender(made, lender):
    everything = tuple(made.permission(name) for _, name in named(RULES["CN-NECESSARY-2021"]))
    app = annotate_app(lender(*everything, contacts=made.access("can_read")), BOOK, "CN", TODAY)
    assert "CN-NECESSARY-2021" in ids(app)
    assert {match.says for match in app.rules if match.id == "CN-NECESSARY-2021"} == {"not_necessary"}
    assert {finding.severity for finding in _findings(made, app)} == {Severity.MEDIUM}


def test_only_lending_and_listed_apps_are_annotated(demo_capture):
    report = audit.build_report(
        demo_capture,
        knowledge.load_knowledge(demo=True),
        audit.ReportOptions(include_all_apps=True, include_unrecognised=True, country="CN"),
    )
    assert {app.is_recognised for app in report.apps if app.rules} == {True}
    assert len(report.apps) > 100
