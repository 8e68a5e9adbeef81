"""The schema of the report document is published, valid and additive, and every document follows it."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from privaudit import audit, knowledge
from privaudit.capture import read_source
from privaudit.errors import SourceError
from privaudit.i18n import Translator
from privaudit.report import json as report_json
from privaudit.report import share
from privaudit.report.diff import compare_reports, diff_to_json
from privaudit.virtual_phone import scenario_names

PUBLISHED = json.loads(
    (resources.files("privaudit") / "data" / "schemas" / "privaudit-report-1.json").read_text(encoding="utf-8")
)
DOCUMENTED = {
    # DESIGN section 5, field by field
    "Report": "schema demo tool knowledge taken_at phone_clock consent source phone users coverage counts apps findings"
    " verdict complete",
    "Tool": "name version",
    "KnowledgeStamp": "signatures rules",
    "ListStamp": "packages packages_for_country newest sha256",
    "RulesStamp": "country sha256",
    "PhoneClock": "zone offset_s",
    "Consent": "given_at scope",
    "Source": "kind sha256",
    "Phone": "manufacturer model android sdk sdk_inferred security_patch rom languages",
    "Rom": "id name version",
    "User": "id kind checked why_not",
    "Coverage": "question user state unparsed_lines detail",
    "Counts": "apps_seen lending listed suspect lending_can_read lending_special_access others_can_read",
    "App": "package user label label_state labels version_name version_code target_sdk installer installer_name"
    " first_installed last_updated system enabled certificates_sha256 apk_sha256 lending access permissions"
    " special_access listed named rules",
    "Lending": "verdict reasons",
    "Access": "state ways last_read history history_since",
    "Permission": "name requested granted flags mode effective last_access last_reject",
    "SpecialAccess": "kind component",
    "Listing": "signature tier action publisher via title date country url match disputed",
    "NameMatch": "publisher title date country name",
    "RuleMatch": "id match verify",
    "Finding": "rule severity package user message evidence steps",
    "Message": "key values",
    "Evidence": "question line text",
}
ADDED = {
    # beyond DESIGN, each for a reason
    "Coverage": {"could_hide"},  # which gaps make a report incomplete: else a reader would have to know our questions
    # null would mean "none" or "not read"; why a name is not there; an icon, and another name under it
    # named_by_user: DESIGN section 5
    # severity: else a program would have to find the highest of its findings
    "App": {
        "severity",
        "installer_known",
        "label_problem",
        "launcher_icon",
        "launcher_labels",
        "other_access",
        "named_by_user",
    },
    # what it says of which data: else a program would have to know our files of rules
    # its row; whether it is a notice; which of the app's names it is; whether another source contradicts it
    "Counts": {"others_can_read_system"},  # most apps that can read came with the phone
    "Source": {"path"},  # which of several sources a line is about
    "NameMatch": {"signature", "tier", "label", "disputed"},
    # "none for this country" means packages; names are told beside them, and how new the lists for the country are
    "ListStamp": {"names_for_country", "newest_for_country"},
    "RuleMatch": {"says", "condition", "likely", "data", "permissions", "date"},
    # what "no rule" is worth: how many there are for the country, how far they are known, and whether anybody checked
    "RulesStamp": {"rules_for_country", "known_until", "checked"},
    # dates of a report to be handed on are those of a month: nothing else says so; what was asked for, found or not
    "Report": {"shared", "app_names"},
    # ages are known also where the phone's clock was not read; who fetched it; refusals; other_access: DESIGN section 3
    "Access": {"last_read_age_s", "last_read_by", "last_refused", "last_refused_age_s"},
}


def properties(name):
    return PUBLISHED["properties"] if name == "Report" else PUBLISHED["$defs"][name]["properties"]


def test_printed_schema_equals_the_published_one(run):
    assert json.loads(run("schema").out) == PUBLISHED


@pytest.fixture
def published_diff_schema():
    file = resources.files("privaudit") / "data" / "schemas" / "privaudit-diff-1.json"
    return json.loads(file.read_text(encoding="utf-8"))


def test_printed_schema_of_comparisons_equals_the_published_one(run, published_diff_schema):
    assert json.loads(run("schema", "--diff").out) == published_diff_schema


def test_comparisons_keep_to_the_published_schema(run, made, published_diff_schema):
    published = published_diff_schema
    Draft202012Validator.check_schema(published)
    assert 'additionalProperties": false' not in json.dumps(published)
    apps = made.app(contacts=made.access("can_read")), made.app(contacts=made.access("not_allowed"))
    for before, after in (apps, reversed(apps), (apps[0], apps[0])):
        diff = compare_reports(made.report(before), made.report(after), ["com.nobody.here"])
        Draft202012Validator(published).validate(json.loads(diff_to_json(diff)))
    assert run("schema", "--diff", "--apk").code == 2


def test_published_schema_is_valid():
    Draft202012Validator.check_schema(PUBLISHED)
    assert PUBLISHED["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_fields_are_documented(name):
    assert set(properties(name)) == set(DOCUMENTED[name].split()) | ADDED.get(name, set())


def test_schema_allows_additional_keys():
    """Additive only: nothing forbids a key that a later privaudit adds, and reading passes it over."""
    assert 'additionalProperties": false' not in json.dumps(PUBLISHED)


def test_unknown_keys_are_ignored(demo_report, tmp_path):
    document = json.loads(report_json.render(demo_report))
    document["of_a_later_version"] = document["apps"][0]["of_a_later_version"] = {"x": 1}
    file = tmp_path / "later.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert report_json.read_report(file) == report_json.read_report(_written(tmp_path / "now.json", demo_report))


def _written(path, report):
    path.write_text(report_json.render(report), encoding="utf-8")
    return path


def _valid(report):
    document = json.loads(report_json.render(report))
    errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(PUBLISHED).iter_errors(document)]
    assert not errors
    return document


@pytest.fixture(scope="module")
def known():
    return knowledge.load_knowledge(demo=True)


@pytest.mark.parametrize("story", scenario_names())
def test_reports_of_all_scenarios_and_options_are_valid(capture_of_story, known, story):
    taken = capture_of_story(story)
    plain = audit.build_report(taken, known, audit.ReportOptions())
    _valid(plain)
    assert _valid(share.anonymize_report(plain))["shared"] is True
    document = _valid(
        audit.build_report(
            taken, known, audit.ReportOptions(include_all_apps=True, include_unrecognised=True, country="IN")
        )
    )
    rules = [rule for app in document["apps"] for rule in app["rules"]]
    assert {"id", "match", "verify", "says", "likely", "data", "permissions", "date"} <= rules[0].keys()
    assert document["knowledge"]["rules"]["country"] == "IN"
    assert len(document["knowledge"]["rules"]["sha256"]) == 64


def test_demo_report_is_valid(demo_report):
    assert _valid(demo_report)["demo"] is True
    assert json.loads(report_json.to_json_line(demo_report)) == json.loads(report_json.render(demo_report))
    line = report_json.to_json_line(demo_report)
    assert line.count("\n") == 1
    edition = json.loads(line)["knowledge"]["signatures"]
    assert (edition["newest"], len(edition["sha256"])) == (demo_report.knowledge.signatures.newest, 64)


@pytest.mark.parametrize("sample", ["lg-m150-android6.0.1", "rockchip-rk322x-android7.1.2"])
def test_reports_of_real_phones_are_valid(samples, sample):
    _valid(
        audit.build_report(
            read_source(samples / sample),
            knowledge.load_knowledge(),
            audit.ReportOptions(include_all_apps=True),
        )
    )


def test_minimal_reports_are_valid(made):
    app = made.app(contacts=made.access("can_read", read=made.now), listed=(made.listing("own", date=None),))
    _valid(made.report(app))
    _valid(made.report())


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.999])
def test_truncated_report_is_refused(demo_report, tmp_path, part):
    text = report_json.render(demo_report, Translator("en")).rstrip()
    file = tmp_path / "report.json"
    file.write_text(text[: int(len(text) * part)], encoding="utf-8")
    with pytest.raises(SourceError, match="report_torn"):
        report_json.read_report(file)


def test_other_document_is_refused_with_the_location(tmp_path):
    file = tmp_path / "report.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="not_a_report") as caught:
        report_json.read_report(file)
    assert caught.value.values["where"] == "demo"


def test_report_is_read_back(demo_report, tmp_path):
    file = _written(tmp_path / "report.json", demo_report)
    read_back = report_json.read_report(file)
    assert report_json.render(read_back) == file.read_text(encoding="utf-8")
