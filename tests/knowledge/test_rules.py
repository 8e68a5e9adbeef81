"""Legal rules: each shipped rule states its authority, date and source, and every problem of a rule is reported."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from privaudit.facts.access import OTHER_ROUTES
from privaudit.facts.permissions import PERMISSION_INFO
from privaudit.i18n import catalog
from privaudit.knowledge import lint as rule_linter
from privaudit.knowledge import rules as rulebook
from privaudit.knowledge.loader import Problems

KNOWN = rule_linter.CheckablePermissions(permissions=frozenset(PERMISSION_INFO), special_access=frozenset(OTHER_ROUTES))
TODAY = date(2026, 6, 1)
BOOK = rulebook.read_rules(Problems())
CHINESE_NEVER = "黑名单 高危 恶意 诈骗 违法 非法 安全 干净 放心 鉴定 取证 存证 受害者 网贷逾期"
ENGLISH_NEVER = "blacklist malicious scammer fraud illegally unlawful criminal victim forensic safe collects violates"
GOOD = """
id = "XX-MADE-2025"
kind = "country"
country = "XX"
basis = "circular"
citation = "Circular 1 of 2025"
date = "2025-01-01"
in_force_from = "2025-02-01"
text_read = true
known_until = "2025-06-01"

[[concern]]
says = "forbids"
mapping = "stated"
permissions = ["READ_CONTACTS"]

[[source]]
what = "the circular"
where = "example.org"

[words.en]
authority = "Authority of X"
title = "Circular 1"
says = "Lending apps may not reach contacts."

[words.zh]
authority = "某机构"
title = "一号通函"
says = "贷款应用不得访问通讯录。"
"""


@pytest.fixture
def linted(tmp_path, worded):
    """What the linter says of a rule: ours with these replacements."""

    def lint(*changes: tuple[str, str], name: str = "XX-MADE-2025.toml") -> list[str]:
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return worded(rule_linter.lint_rules(tmp_path / name, KNOWN, today=TODAY).problems)

    return lint


# --- ours -----------------------------------------------------------------------------------------------------------


def test_shipped_rules_have_no_problems(worded):
    checked = rule_linter.lint_rules(None, KNOWN)
    assert not worded(checked.problems)
    assert len(checked.rules) == 30


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_each_rule_states_authority_date_and_source(rule):
    assert rule.source
    assert rule.citation
    assert rule.date
    assert rule.date != "undated" or rule.id in {"GPLAY-QAP", "ANY-SIDELOAD-LENDER"}
    for code in ("en", "zh"):
        for name in ("authority", "title", "says"):
            assert catalog.rule_text(rule.id, name, code)
    assert re.search(r"[\u4e00-\u9fff]", rule.words["zh"]["says"])
    assert rule.checked_by is None  # until somebody who knows the law has read it, every report says that nobody has


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_rule_texts_claim_nothing_that_an_audit_cannot_know(rule):
    """Of where an app came from, of what it took, of who is guilty: a rule's words say none of it."""
    said = " ".join(sentence for words in rule.words.values() for key, sentence in words.items() if key != "title")
    for word in (*CHINESE_NEVER.split(), "绕过", "收集整个通讯录", "说明它", "侧载"):
        assert word not in said
    assert not re.search(rf"\b({'|'.join(ENGLISH_NEVER.split())}|side-?step\w*|bypass\w*)\b", said, re.IGNORECASE)
    if rule.concern:  # its name may stand beside an app
        assert not rule_linter._FORBIDDEN_WORDS["zh"].search(rule.words["zh"]["title"])
        assert not rule_linter._FORBIDDEN_WORDS["en"].search(rule.words["en"]["title"])


def test_the_play_rule_covers_only_apps_from_play():
    (rule,) = (rule for rule in BOOK.rules if rule.id == "GPLAY-LOAN-2023")
    assert "如果" not in rule.words["zh"]["says"]
    assert " if " not in rule.words["en"]["says"]
    assert rule.stores[0] == "com.android.vending"


def test_the_rule_set_hash_depends_on_content_alone():
    assert BOOK.describe_rules("IN", TODAY).rules_for_country == 1  # the older one is over
    assert BOOK.describe_rules("IN", date(2023, 1, 1)).rules_for_country == 1
    assert BOOK.describe_rules("ZZ", TODAY).rules_for_country == 0
    assert BOOK.describe_rules(None, TODAY).rules_for_country is None
    backwards = rulebook.RuleSet(rules=BOOK.rules[::-1], toml_data=BOOK.toml_data[::-1])
    fewer = rulebook.RuleSet(rules=BOOK.rules[1:], toml_data=BOOK.toml_data[1:])
    assert (
        BOOK.describe_rules(None, TODAY).sha256
        == backwards.describe_rules(None, TODAY).sha256
        != fewer.describe_rules(None, TODAY).sha256
    )


def test_a_rule_id_of_a_saved_report_opens_no_other_file():
    for name in ("../locales/zh", "/etc/passwd", "CN-NO-SUCH-RULE", "cn-csl", ""):
        assert catalog.rule_texts(name) == {}
    assert catalog.rule_text("CN-CSL", "title", "tlh") == "Cybersecurity Law"


# --- mistakes -------------------------------------------------------------------------------------------------------


def test_a_valid_rule_has_no_problems(linted):
    assert linted() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "XX-MADE-2025"', 'id = "XX-OTHER"', "its id is XX-OTHER, so the file must be named XX-OTHER.toml"),
        ('id = "XX-MADE-2025"', 'id = "../x"', "“id” cannot be “../x”"),
        ('country = "XX"\n', "", "a rule of the kind “country” needs “country”"),
        ('kind = "country"', 'kind = "store"', "a rule of the kind “store” needs “stores”"),
        ('kind = "country"', 'kind = "observation"', "a rule of the kind “observation” must not have “concern”"),
        ('kind = "country"', 'kind = "law"', "must be one of store, country and observation"),
        ('country = "XX"', 'country = "xx"', "is not a country code"),
        ('country = "XX"', 'country = "XX"\nland = "XX"', "unknown key “land”"),
        ('date = "2025-01-01"\n', "", "“date” is missing"),
        ('date = "2025-01-01"', 'date = "soon"', "“soon” is not a date"),
        ('date = "2025-01-01"', 'date = "2027"', "“date” is 2027, which is in the future"),
        ('known_until = "2025-06-01"', 'known_until = "2026-12"', "“known_until” is 2026-12, which is in the future"),
        ('date = "2025', 'in_force_until = "2025-01-31"\ndate = "2025', "is before in_force_from (2025-02-01)"),
        ('date = "2025', 'replaced_by = "CN-CSL"\ndate = "2025', "so give its last day in in_force_until"),
        ('date = "2025', 'replaced_by = "CN-CSS"\ndate = "2025', "no rule CN-CSS; did you mean “CN-CSL”?"),
        ('date = "2025', 'checked_by = "A lawyer"\ndate = "2025', "checked_on and checked_by belong together"),
        ('["READ_CONTACTS"]', '["READ_CONTACT"]', "no phone is asked about READ_CONTACT"),
        ('["READ_CONTACTS"]', '["CAMERA"]', "put it under unread"),
        ('["READ_CONTACTS"]', '["READ_CONTACTS", "READ_CONTACTS"]', "already contains READ_CONTACTS"),
        ('["READ_CONTACTS"]', '["READ_SMS"]\nunread = ["READ_CONTACTS"]', "move it from unread to permissions"),
        ('["READ_CONTACTS"]', '["READ_SMS"]\nspecial = ["all_file"]', "does not know the special access"),
        ('["READ_CONTACTS"]', "[]", "this names no permission or special access"),
        ('"forbids"', '"conditional"', "“conditional” needs a condition"),
        ('"stated"', '"guessed"', "must be one of stated and inferred"),
        ('[[source]]\nwhat = "the circular"\nwhere = "example.org"\n', "source = []\n", "“source”"),
        ('says = "贷款应用不得访问通讯录。"', "", "[words.zh]: “says” is missing"),
        ('title = "Circular 1"', 'title = "Circular 1"\nremark = "x"', "unknown key “remark”"),
        ('title = "Circular 1"', 'title = "Circular 1"\nverify = "x"', "[words.zh]: “verify” is missing"),
        ("may not reach contacts", "may {not} reach contacts", "“says” cannot be"),
    ],
)
def test_each_problem_of_a_rule_is_reported(linted, old, new, said):
    mistakes = linted((old, new))
    assert any(said in mistake for mistake in mistakes), mistakes


@pytest.mark.parametrize("word", CHINESE_NEVER.split())
def test_forbidden_chinese_words_are_reported(linted, word):
    (mistake,) = linted(("不得访问通讯录", f"不得访问通讯录，{word}"))
    assert f"“says” says “{word}”" in mistake


@pytest.mark.parametrize("word", ENGLISH_NEVER.split())
def test_forbidden_english_words_are_reported(linted, word):
    (mistake,) = linted(("may not reach contacts", f"{word} may not reach contacts"))
    assert f"“says” says “{word}”" in mistake


def test_all_problems_of_all_rules_are_reported_at_once(run, tmp_path):
    (tmp_path / "XX-A.toml").write_text(GOOD.replace('"forbids"', '"conditional"'), encoding="utf-8")
    (tmp_path / "XX-B.toml").write_text("id = ", encoding="utf-8")
    (tmp_path / "XX-C.toml").write_bytes(b'id = "\xff"')
    (tmp_path / "XX-MADE-2025.toml").write_text(GOOD, encoding="utf-8")
    done = run("rules", "check", tmp_path)
    assert done.code == 2
    assert "4 errors:" in done.out
    for said in ("must be named XX-MADE-2025.toml", "needs a condition", "XX-B.toml, line 1", "not UTF-8"):
        assert said in done.out
    chinese = run("rules", "check", tmp_path, "--lang", "zh").out
    assert "4 处错误：" in chinese


@pytest.mark.parametrize("where", ["nothing-here", "empty"])
def test_a_missing_path_is_reported(run, tmp_path, where):
    (tmp_path / "empty").mkdir()
    done = run("rules", "check", tmp_path / where)
    assert done.code == 2
    assert where in done.out


# --- as people use it -----------------------------------------------------------------------------------------------


def test_check_accepts_the_shipped_rules(run):
    done = run("rules", "check")
    assert (done.code, done.out) == (0, "30 rules: no errors.\n")


def test_list(run):
    done = run("rules", "list")
    assert done.code == 0
    assert "30 rules." in done.out
    lines = {line.split("  ")[0]: line for line in done.out.splitlines()}
    assert lines["IN-RBI-DLD-2025"].startswith("IN-RBI-DLD-2025  IN  2025-05-08  Reserve Bank of India: ")
    assert "[no longer in force]" in lines["IN-RBI-DLG-2022"]
    assert "[not fully verified]" in lines["CN-NECESSARY-2021"]
    assert "[" not in lines["CN-PIPL-MIN"]
    assert "not legal advice" in done.out
    assert "30 January 2026" in done.out


def test_list_narrows_in_any_language_and_gives_json(run):
    assert "14 rules." in run("rules", "list", "--country", "cn").out
    assert "民法典" in run("rules", "list", "民法典", "--lang", "zh").out
    assert "CN-CIVIL-1032" in run("rules", "list", "民法典").out
    assert "No rule matches." in run("rules", "list", "nothing-like-it").out
    found = json.loads(run("rules", "list", "--country", "IN", "--json").out)
    assert {one["id"] for one in found["rules"]} == {"IN-RBI-DLD-2025", "IN-RBI-DLG-2022"}
    assert found["sha256"] == BOOK.describe_rules(None, TODAY).sha256
    assert run("rules", "list", "--country", "Atlantis").code == 2


def test_show(run):
    shown = run("rules", "show", "in-rbi-dld-2025").out
    for said in (
        "Reserve Bank of India, 8 May 2025",
        "para 12",
        "In force from 8 May 2025.",
        "Does not allow lending apps: READ_CONTACTS",
        "(likely: it does not name them; this is our reading)",
        "Allows only on a condition (used once,",
        "no phone is asked about it: CAMERA",
        "Not verified: the number of the paragraph",
        "Its original text was not read",
        "ssrana.in",
        "No one with legal expertise has checked it.",
    ):
        assert said in shown
    assert "IN-RBI-DLG-2022" not in shown
    older = run("rules", "show", "IN-RBI-DLG-2022", "--lang", "zh").out
    assert "2022年9月2日起施行，到2025年5月7日为止。" in older
    assert "已被 IN-RBI-DLD-2025 替代。" in older
    right = run("rules", "show", "CN-CIVIL-1032").out
    assert "It concerns no permission" in right
    assert "Its original text was not read" not in right
    assert "Showing the first 20 of" in run("rules", "show", "2").out
    assert "No rule matches." in run("rules", "show", "nothing-like-it").out
