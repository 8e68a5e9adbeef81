"""Lending apps are recognised by lists, then by words; a trapped term never hides an app with access."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from privaudit import audit, knowledge
from privaudit.findings.lending import recognise_lending
from privaudit.i18n import Translator
from privaudit.knowledge.vocabulary import LabelTerm
from privaudit.model import AppSummary, RequestedState, Severity, Verdict
from privaudit.report import json as report_json
from privaudit.report import txt
from privaudit.virtual_phone import connect_phone, load_scenario

READ = datetime(2026, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    (folder / "lenders").mkdir()
    (folder / "risky").mkdir()
    for name, head in {
        "market": 'publisher = "Market"\nstatus = "market_lender"\ndate = "2025-03"',
        "undated": 'publisher = "Market"\nstatus = "market_lender"',
        "register": 'publisher = "Register"\nstatus = "licensed"\ndate = "2025-01-31"',
        "oldregister": 'publisher = "Register"\nstatus = "registered"',
        "wallet": 'publisher = "Market"\nstatus = "embeds_lending"',
        "nobody": 'publisher = "not identified"\nstatus = "market_lender"',
        "paired": 'publisher = "Study"\nstatus = "paired"\ndate = "2026"',
        "oldpaired": 'publisher = "Study"\nstatus = "paired"',
        "tracker": 'publisher = "Tracker"\nstatus = "market_lender"\nconfidence = "low"\ndate = "2026-09-21"',
        "oldtracker": 'publisher = "Tracker"\nstatus = "market_lender"\nconfidence = "low"',
        "unknown": 'publisher = "not identified"\nstatus = "market_lender"\nconfidence = "low"',
        "unsurewallet": 'publisher = "Tracker"\nstatus = "embeds_lending"\nconfidence = "low"',
    }.items():
        row = f'[[app]]\npackage = "com.list.{name}"\n'
        text = f'[source]\ntitle = "T"\nlicence = "x"\nrefreshed = "x"\n{head}\n{row}'
        (folder / "lenders" / f"{name}.toml").write_text(text, encoding="utf-8")
    (folder / "risky" / "mine.toml").write_text(
        '[source]\npublisher = "P"\ntitle = "T"\n[[app]]\npackage = "com.list.mine"\n', encoding="utf-8"
    )
    known = knowledge.load_knowledge(extra_lists=[folder], demo=True)
    # Its lenders count as shipped ones; the sentence on a user's own lists is tested with the lists.
    lists = tuple(replace(one, is_user_list=one.is_user_list and one.kind == "risky") for one in known.lists)
    return replace(known, lists=lists)


@pytest.mark.parametrize(
    ("package", "verdict", "reason", "words"),
    [
        ("com.list.market", "yes", "lending.known", "Market names it as a lending app (March 2025)"),
        ("com.list.undated", "yes", "lending.known_undated", "(no date)"),
        ("com.list.register", "yes", "lending.registered", "register of Register (31 January 2025)"),
        ("com.list.oldregister", "yes", "lending.registered_undated", "register of Register (no date)"),
        ("com.list.wallet", "embeds", "lending.embeds", "also offers loans"),
        ("com.list.nobody", "yes", "lending.known_unidentified", "by unidentified"),
        ("com.list.paired", "yes", "lending.paired", "by name, with a lender in a regulator's register (2026)"),
        ("com.list.oldpaired", "yes", "lending.paired_undated", "register (no date)"),
        (
            "com.list.tracker",
            "likely",
            "lending.unsure",
            "(21 September 2026), in a collection of unknown reliability",
        ),
        (
            "com.list.oldtracker",
            "likely",
            "lending.unsure_undated",
            "(no date), in a collection of unknown reliability",
        ),
        ("com.list.unknown", "likely", "lending.known_unidentified", "by unidentified"),
        ("com.list.unsurewallet", "embeds", "lending.embeds", "also offers loans"),
        ("com.example.happyloan", "likely", "lending.name", "loan"),
    ],
)
def test_verdict_and_its_reason(made, lists, package, verdict, reason, words):
    lending = recognise_lending(made.app(package), lists)
    assert lending.verdict == verdict
    assert [one.key for one in lending.reasons] == [reason]
    sentence = Translator("en").translate(lending.reasons[0])
    assert words in sentence
    assert "licensed" not in sentence.casefold()  # approved is not safe


def test_a_listing_is_a_reason(made, lists):
    app = made.app("com.list.mine", listed=lists.find_matches("package", "com.list.mine"))
    assert recognise_lending(app, lists).verdict == "yes"
    assert [one.key for one in recognise_lending(app, lists).reasons] == ["lending.listed"]


def test_name_supports_an_unsure_list_and_a_listing_decides(made, lists):
    both = recognise_lending(made.app("com.list.tracker", label="Quick Loan"), lists)
    assert (both.verdict, [one.key for one in both.reasons]) == ("likely", ["lending.unsure", "lending.name"])
    settled = recognise_lending(made.app("com.list.tracker", listed=(made.listing("B"),)), lists)
    assert (settled.verdict, [one.key for one in settled.reasons]) == ("yes", ["lending.unsure", "lending.listed"])


def test_listed_wallet_still_embeds_lending(made, lists):
    app = made.app("com.list.wallet", listed=(made.listing("A"),))
    assert recognise_lending(app, lists).verdict == "embeds"


@pytest.mark.parametrize("state", ["not_allowed", "not_requested", "unknown"])
def test_trapped_or_weak_term_without_access_is_ignored(made, lists, state):
    for name in ("com.example.loancalculator", "com.example.creditwing"):
        assert recognise_lending(made.app(name, contacts=made.access(state)), lists).verdict == "no"


@pytest.mark.parametrize("state", ["can_read", "only_while_open", "asks_each_time", "blocked"])
@pytest.mark.parametrize("data", ["contacts", "sms", "call_log"])
@pytest.mark.parametrize(
    ("package", "key"),
    [
        ("com.example.loancalculator", "lending.trap_and_access"),
        ("com.example.creditwing", "lending.name_and_access"),
    ],
)
def test_trapped_term_with_access_counts(made, lists, package, key, data, state):
    lending = recognise_lending(made.app(package, **{data: made.access(state)}), lists)
    assert lending.verdict == "likely"
    assert [one.key for one in lending.reasons] == [key]


def test_ordinary_app_is_not_lending(made, lists):
    lending = recognise_lending(made.app("com.example.weather", contacts=made.access("can_read", read=READ)), lists)
    assert (lending.verdict, lending.reasons) == ("no", ())


def test_launcher_label_counts(made):
    app = made.app("com.example.abc", label="Tools", launcher_labels=("极速贷款",))
    assert recognise_lending(app, knowledge.load_knowledge()).verdict == "likely"


@pytest.mark.parametrize(
    "labels", [{"zh-CN": "计算器", "en": "Instant Loan"}, {"zh-CN": "极速贷款", "und": "Loan Calculator"}]
)
def test_every_label_counts(made, labels):
    app = made.app("com.example.abc", label=next(iter(labels.values())), labels=labels)
    assert recognise_lending(app, knowledge.load_knowledge()).verdict == "likely"


DATA_REQUESTS = {"READ_CONTACTS": "contacts", "READ_SMS": "sms", "RECEIVE_SMS": "sms", "READ_CALL_LOG": "call_log"}


def asking(made, label, permission="READ_CONTACTS", requested="yes", state="not_allowed", **changed):
    """An app that requests `permission` and was not given it, and its summary."""
    permissions = (made.permission(permission, "denied", requested=RequestedState(requested)),)
    data = {DATA_REQUESTS.get(permission, "contacts"): made.access(state)}
    app = made.app("com.example.abc", label=label, permissions=permissions, **data, **changed)
    same = {name: getattr(app, name) for name in ("package", "user", "system", "installer", "label", "labels")}
    same |= {"access_states": app.access_states, "special_access_kinds": frozenset(), "requests": app.requests}
    return app, AppSummary(**same)


@pytest.mark.parametrize("permission", DATA_REQUESTS)
@pytest.mark.parametrize("label", ["量子钱包", "Rupee King", "Uang Kita", "Kr3dit"])
def test_what_is_called_a_loan_app_and_asks_is_told(made, label, permission):
    for app in asking(made, label, permission):
        lending = recognise_lending(app, knowledge.load_knowledge())
        assert (lending.verdict, [one.key for one in lending.reasons]) == ("likely", ["lending.name_and_requests"])
        assert "It was not given them." in Translator("en").translate(lending.reasons[0])


def test_one_label_of_many_is_enough(made):
    app, _ = asking(made, "Loan Calculator", labels={"zh": "量子钱包"})
    assert recognise_lending(app, knowledge.load_knowledge()).reasons[0].values == {"words": ("钱包",)}


@pytest.mark.parametrize(
    ("label", "changed"),
    [
        ("量子钱包", {"requested": "no"}),
        ("量子钱包", {"requested": "unknown"}),
        ("量子钱包", {"state": "not_requested"}),
        ("量子钱包", {"state": "unknown"}),
        ("量子钱包", {"permission": "CAMERA"}),
        ("量子钱包", {"system": True}),
        ("华为钱包", {}),
        ("金融界", {}),
        ("Cash Money", {}),
        ("Loan Calculator", {}),
        ("图书借阅", {}),
        ("Notes", {}),
    ],
)
def test_who_does_not_ask_and_weak_and_trapped_words_are_not_told(made, label, changed):
    for app in asking(made, label, **changed):
        assert recognise_lending(app, knowledge.load_knowledge()).verdict == "no"


def test_a_report_tells_of_a_lender_that_asks():
    known = knowledge.load_knowledge(demo=True)
    term = LabelTerm(term="寄件", lang="zh", match="sub", weight="medium", basis="language")
    words = replace(known.vocabulary, label=(*known.vocabulary.label, term))
    known = replace(known, vocabulary=words)
    with connect_phone(load_scenario("borrower")) as connection:
        report = audit.build_report(audit.collect(connection, known, demo=True)[0], known, audit.ReportOptions())
    (app,) = (app for app in report.apps if app.package == "com.example.express")
    assert [one.key for one in app.lending.reasons] == ["lending.name_and_requests"]
    (finding,) = (finding for finding in report.findings if finding.package == app.package)
    assert (finding.message.key, finding.severity) == ("data_access.asked", Severity.INFO)
    only = replace(report, findings=(finding,), verdict=Verdict.NOTHING_FOUND)
    assert "寄件" in txt.render(only, Translator("en"))
    assert "lending.name_and_requests" in report_json.render(report)
