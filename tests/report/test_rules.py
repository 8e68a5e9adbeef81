"""Legal rules in the report: authority, date, data held or asked for; inferred and unverified rules are marked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from rich.cells import cell_len

from privaudit import audit, knowledge
from privaudit.findings.legal_rules import annotate_app
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rules as rulebook
from privaudit.knowledge.loader import Problems
from privaudit.knowledge.rules import country_by_time_zone
from privaudit.model import KnowledgeInfo, Lending, LendingVerdict, Message, PhoneClock, RuleMatch
from privaudit.report import html, legal_rules, txt
from privaudit.report import json as report_json
from privaudit.report.view import ReportView

RULE_SET = rulebook.read_rules(Problems())
RULES = {rule.id: rule for rule in RULE_SET.rules}
TODAY = date(2026, 6, 1)
ENGLISH, CHINESE = Translator("en"), Translator("zh")
LENDS = Lending(verdict=LendingVerdict.YES)


@pytest.fixture
def report_with_rules(made):
    """A report on a lending app that holds and asks for these, with the rules of a country and of its store."""

    def build(held=(), asked=(), country=None, installer=None, day=TODAY, **changed):
        permissions = (*map(made.permission, held), *(made.permission(name, "denied") for name in asked))
        app = made.app(lending=LENDS, permissions=permissions, installer=installer, **changed)
        app = annotate_app(app, RULE_SET, country, day)
        report = made.report(app, findings=())
        return replace(report, knowledge=replace(report.knowledge, rules=RULE_SET.describe_rules(country, day)))

    return build


def citations(report, language=ENGLISH):
    view = ReportView(report, language)
    return [sentence for app in report.apps for sentence in legal_rules.rule_sentences(view, app)]


def test_citation_names_authority_date_and_data(report_with_rules):
    (sentence,) = citations(report_with_rules(["READ_CONTACTS"], ["READ_CALL_LOG"], "IN"))
    assert sentence == (
        "Rule, not fully verified: Digital Lending Directions, 2025 (Reserve Bank of India, 8 May 2025). "
        "It says that lending apps may not have access to: contacts (this app has this access); "
        "call log (this app asks for it; not granted)."
    )
    (sentence,) = citations(report_with_rules(["READ_CONTACTS"], ["READ_CALL_LOG"], "IN"), CHINESE)
    assert sentence == (
        "规定（未全部核实）：《数字借贷指引》（2025）（印度储备银行，2025年5月8日）。"
        "它不许贷款应用取得：通讯录（这个应用已经有权限）；通话记录（申请过、尚未获准）。"
    )


@pytest.mark.parametrize(
    ("held", "asked", "country", "english", "chinese"),
    [
        (["READ_SMS"], [], "IN", "it likely says that lending apps may not have access to: SMS", "很可能"),
        ([], ["ACCESS_FINE_LOCATION"], "IN", "on a condition (used once, to open the account", "有条件才允许（只在"),
        (["READ_CONTACTS"], [], "CN", "It does not list as necessary: contacts (this app", "没有列为必要"),
        (
            ["READ_CONTACTS"],
            [],
            "PH",
            "likely allows only on a condition (only what the",
            "很可能有条件",
        ),
        (["READ_CONTACTS"], [], "KE", "which no permission shows. It likely means", "权限看不出来"),
        (["READ_CONTACTS"], [], "MX", "As we read it, it likely advises you to refuse: ", "很可能建议你拒绝"),
    ],
)
def test_each_stance_has_its_own_sentence(report_with_rules, held, asked, country, english, chinese):
    report = report_with_rules(held, asked, country)
    assert any(english in sentence for sentence in citations(report))
    assert any(chinese in sentence for sentence in citations(report, CHINESE))


@pytest.mark.parametrize("rule", [rule for rule in RULE_SET.rules if rule.concern], ids=lambda rule: rule.id)
def test_inferred_and_unverified_rules_are_marked(report_with_rules, rule):
    day = date.fromisoformat(rule.in_force_until) if rule.in_force_until else TODAY
    for concern in rule.concern:
        for how in ({"held": concern.permissions}, {"asked": concern.permissions}):
            report = report_with_rules(**how, country=rule.country, installer=next(iter(rule.stores), None), day=day)
            (app,) = report.apps
            (mine,) = {match for match in app.rules if match.id == rule.id and match.says == concern.says}
            report = replace(report, apps=(replace(app, rules=(mine,)),))
            for language, likely, mark in (
                (ENGLISH, "likely", "not fully verified"),
                (CHINESE, "很可能", "未全部核实"),
            ):
                (sentence,) = citations(report, language)
                text, *_ = legal_rules.rule_explanations(ReportView(report, language))
                assert (likely in sentence) is (concern.mapping == "inferred")
                assert (mark in sentence) is rule.has_unverified_parts
                assert ("Not verified" in text or "未核实" in text) is rule.has_unverified_parts
                assert rule.words[language.code]["authority"] in sentence
                assert rule.words[language.code]["says"] in text
                assert "…" not in sentence + text
                assert not re.search(r"\[|collects|violat|illegal|违反|违法|非法", sentence)


def test_data_that_the_rule_names_is_not_repeated_as_inferred(report_with_rules):
    (sentence,) = citations(report_with_rules(["READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO"], country="PK"))
    assert sentence.endswith(
        "It says that lending apps may not have access to: photos/files (this app has this access)."
    )
    assert "likely" not in sentence


def test_another_stance_on_the_same_data_is_cited(report_with_rules):
    """Location once, on a condition; in the background likely never."""
    (sentence,) = citations(report_with_rules(["ACCESS_FINE_LOCATION", "ACCESS_BACKGROUND_LOCATION"], country="IN"))
    assert "on a condition (used once" in sentence
    assert sentence.endswith(
        "it likely says that lending apps may not have access to: location (this app has this access)."
    )


def test_rule_on_precise_location_does_not_apply_to_approximate(report_with_rules):
    precise, rough = "ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION"
    (sentence,) = citations(report_with_rules([precise, rough], installer="com.android.vending"))
    assert sentence.endswith("precise location (this app has this access).")
    assert citations(report_with_rules([precise, rough], country="IN"))[0].endswith(
        "location (this app has this access)."
    )


def test_play_rules_apply_only_to_apps_from_play(report_with_rules):
    assert citations(report_with_rules(["READ_CONTACTS"], installer="com.android.vending"))
    assert not citations(report_with_rules(["READ_CONTACTS"], installer="com.xiaomi.market"))
    assert not citations(report_with_rules(["READ_CONTACTS"]))


def test_expired_rule_is_not_cited(report_with_rules):
    cited = " ".join(citations(report_with_rules(["READ_CONTACTS"], country="IN")))
    assert "2025" in cited
    assert "Guidelines on Digital Lending, 2022" not in cited


def test_undated_rule(report_with_rules):
    report = report_with_rules(["QUERY_ALL_PACKAGES"], installer="com.android.vending")
    assert any("(Google Play, no date known)" in sentence for sentence in citations(report))
    assert any("日期不明" in sentence for sentence in citations(report, CHINESE))


def test_each_rule_is_explained_once_with_its_limits(report_with_rules, made):
    report = report_with_rules(["READ_CONTACTS"], country="CN")
    (app,) = report.apps
    report = replace(report, apps=(app, replace(app, package="com.example.other"), replace(app, user=999)))
    shown = txt.render(report, ENGLISH)
    assert shown.count("What these rules say") == 1
    flat = " ".join(shown.split())
    assert flat.count("For online lending it lists as necessary") == 1
    assert flat.count("Rule, not fully verified: Scope of necessary personal information") == 2  # not for the copy
    assert "current to 30 January 2026" in flat
    assert "it does not show what an app did" in flat
    assert "No one with legal expertise has checked these rules" in flat
    assert all(cell_len(line) <= 80 for line in shown.splitlines())


def test_checked_rules_have_no_reservation(report_with_rules):
    report = report_with_rules(["READ_CONTACTS"], country="CN")
    stamp = replace(report.knowledge.rules, checked=True)
    report = replace(report, knowledge=KnowledgeInfo(signatures=report.knowledge.signatures, rules=stamp))
    assert "No one with legal expertise" not in " ".join(legal_rules.rule_explanations(ReportView(report, ENGLISH)))


def test_app_without_findings_is_listed_with_its_rules(report_with_rules):
    shown = txt.render(report_with_rules(asked=["ACCESS_FINE_LOCATION"], country="IN"), ENGLISH)
    assert "[for information] 1 com.example.made" in shown
    assert "Ground:" not in shown


def test_report_without_rules_has_no_rules_section(report_with_rules):
    report = report_with_rules(["READ_CONTACTS"])
    assert not [*legal_rules.rule_explanations(ReportView(report, ENGLISH))]
    assert "What these rules say" not in txt.render(report, ENGLISH)


def test_country_without_rules_has_a_notice(report_with_rules):
    shown = " ".join(txt.render(report_with_rules(["READ_CONTACTS"], country="BR"), ENGLISH).split())
    assert "This tool has no rules for BR. That does not mean that there are none." in shown
    assert "no rules of IN" not in txt.render(report_with_rules(["READ_CONTACTS"], country="IN"), ENGLISH)


def test_unknown_rule_does_not_hide_the_others(report_with_rules, tmp_path):
    report = report_with_rules(["READ_CONTACTS"], country="IN")
    (app,) = report.apps
    later = RuleMatch(id="XX-LATER", match="granted", verify=True)
    file = tmp_path / "report.json"
    file.write_text(report_json.render(replace(report, apps=(replace(app, rules=(later, *app.rules)),))), "utf-8")
    cited = citations(report_json.read_report(file))
    assert cited[0].startswith("Rule, not fully verified: [rule.XX-LATER.title]")
    assert "Digital Lending Directions" in cited[1]


# --- the country is suggested, never assumed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("languages", "zone", "country"),
    [
        (("zh-CN",), None, "CN"),
        (("zh-Hans-CN",), None, "CN"),
        (("en-IN", "hi-IN"), "Asia/Shanghai", "IN"),  # what the owner chose before where the phone is
        (("en-US",), "Asia/Kolkata", "IN"),
        (("en-GB",), "Africa/Nairobi", "KE"),
        (("fil-PH",), None, "PH"),
        (("es-MX",), None, "MX"),
        (("in-ID",), None, "ID"),
        ((), "Asia/Karachi", "PK"),
        (("ha",), "Africa/Lagos", "NG"),
        (("de-DE",), "Europe/Berlin", None),
        ((), None, None),
        (("zh",), "nowhere", None),
    ],
)
def test_detect_country(languages, zone, country):
    assert legal_rules.detect_country(languages, zone) == country


def test_every_country_with_rules_or_lists_has_a_time_zone_and_a_name():
    here = {rule.country for rule in RULE_SET.rules if rule.country}
    assert {legal_rules.detect_country((), zone) for zone in country_by_time_zone()} - {None} == here
    for country in {*here, *country_by_time_zone().values()}:
        name = legal_rules.country_label(country)
        assert isinstance(name, Message)
        for language in (ENGLISH, CHINESE):
            assert not language.translate(name).startswith("[")


def test_country_suggestion_applies_no_rules(report_with_rules, made):
    report = replace(report_with_rules(["READ_CONTACTS"]), phone=made.phone(languages=("en-IN",)))
    assert "This looks like a phone from India: add --country IN to see the rules there." in " ".join(
        txt.render(report, ENGLISH).split()
    )
    assert "这像是一部印度的手机" in "".join(txt.render(report, CHINESE).split())
    assert report.apps[0].rules == ()
    chosen = replace(report_with_rules(["READ_CONTACTS"], country="CN"), phone=made.phone(languages=("en-IN",)))
    assert not [*legal_rules.country_suggestion(ReportView(chosen, ENGLISH))]
    nowhere = replace(report, phone=made.phone(), phone_clock=PhoneClock(zone=None, offset_s=None))
    assert not [*legal_rules.country_suggestion(ReportView(nowhere, ENGLISH))]


COUNTRY_OF_LANGUAGE = {"es": "MX", "fil": "PH", "hi": "IN", "id": "ID", "sw": "KE"}


@pytest.mark.parametrize("code", COUNTRY_OF_LANGUAGE)
@pytest.mark.parametrize("country", ["own", "CN"])
def test_no_language_embeds_english_rules_or_menu_words(capture_of_story, code, country):
    """A rule without a translation is left out, and counted."""
    country = COUNTRY_OF_LANGUAGE[code] if country == "own" else country
    lists = knowledge.load_knowledge(demo=True, country=country)
    report = audit.build_report(capture_of_story("oneui"), lists, audit.ReportOptions(country=country))
    text = txt.render(report, Translator(code)) + html.render(report, Translator(code))
    rules = {match.id for app in report.apps for match in app.rules}
    assert rules
    for rule in rules:
        for key in ("title", "says"):
            assert catalog.rule_text(rule, key, "en") not in text, rule
    assert "Special access" not in text
    untranslated = {rule for rule in rules if not catalog.has_rule_texts(rule, code)}
    assert (Translator(code).t("rules.untranslated", n=len(untranslated)) in " ".join(text.split())) == bool(
        untranslated
    )
    assert country == "CN" or not untranslated & {rule for rule in rules if rule.startswith(country)}


# --- as people use it -------------------------------------------------------------------------------------------------


def test_country_option_for_demo_and_saved_report(run, tmp_path):
    file = tmp_path / "report.json"
    plain = run("demo", "--details", "-o", file)
    assert "add --country CN to see the rules there" in " ".join(plain.out.split())
    assert "Scope of necessary" not in plain.out
    assert "Policy on personal loan apps (Google Play" in " ".join(plain.out.split())
    live = run("demo", "--details", "--country", "cn")
    saved = run("audit", file, "--details", "--country", "CN")
    assert live.code == saved.code == plain.code == 3
    for shown in (live, saved):
        flat = " ".join(shown.out.split())
        assert "Scope of necessary personal information for common types of apps (CAC," in flat
        assert "but none for China" in flat
        assert "shows its rules" not in flat


@pytest.mark.parametrize("code", catalog.languages())
def test_no_document_cites_a_rule_in_another_language(report_with_rules, code):
    """Also `privaudit apk`: what cites and explains rules leaves out those without texts, and tells how many."""
    (app,) = report_with_rules(["READ_CONTACTS"], country="CN").apps
    ids = {match.id for match in app.rules}
    told = {rule for rule in ids if catalog.has_rule_texts(rule, code)}
    language = Translator(code)
    assert len(list(legal_rules.cite_rules(language, app.rules, installed=False))) == len(told)
    explained = " ".join(legal_rules.explain_rules(language, app.rules, RULE_SET.describe_rules("CN", TODAY)))
    for rule in ids:
        assert (language.t(f"rule.{rule}.says") in explained) == (rule in told)
    left_out = language.t("rules.untranslated", n=len(ids - told))
    assert (left_out in explained) == bool(ids - told)
