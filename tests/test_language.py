"""Every key has an English and a Chinese sentence, sentences have no forbidden words, and phone text is sanitised."""

from __future__ import annotations

import ast
import json
import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import privaudit
from privaudit.browser import page_data
from privaudit.i18n import Translator, catalog
from privaudit.i18n.sanitize import MAX_LABEL_CHARS, display_name, sanitize_text
from privaudit.model import Message
from privaudit.report import json as report_json
from privaudit.report import txt
from tests.fixtures.sentences import AREAS, ENGLISH, TRANSLATED, forms

SOURCE = Path(privaudit.__file__).parent
CHINESE = TRANSLATED["zh"]
ATTACKS = {
    "escape": "\x1b[2J\x1b[1;31mowned\x1b]0;title\x07",
    "c1": "\x9b31mred\x85next",
    "bidi": "\u202egpj.exe\u2066x\u2069\u061c\u200f",
    "newline": "Good\nResult  nothing found\r\n\u2028\u2029\x0b\x0cend",
    "zero width": "a\u200bb\u2060c\ufeffd\u00ade\U000e0041",
    "long": "长" * 10_000,
    "long latin": "x" * 10_000,
    "marks": "e" + "\u0301" * 500 + "\u200b" + "\u0302" * 500,
    "surrogates": "half \ud800 pair \udfff",
    "quotes": "X” cannot read anything. “Y",
    "markup": "[bold red]x[/] <script>alert(1)</script> {app} %s {0.__class__}",
    "blank": "\u3164\u115f\u2800",
    "invisible": "\u202e\u200b",
}


# --- keys -----------------------------------------------------------------------------------------------------------


AREA = rf"(?:{'|'.join(AREAS)})"
ERROR_PARTS = ("what", "why", "next")
FILE_SUFFIXES = (".json", ".txt", ".jinja", ".toml", ".html", ".csv", ".zip")


@cache
def used_keys():
    """Keys that the code and the templates name: where each stands, and a pattern that fits it."""
    used = []
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            where = f"{file.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"
            used += [(where, pattern) for pattern in _patterns(node)]
    for file in sorted(SOURCE.rglob("*.jinja")):
        text = file.read_text(encoding="utf-8")
        keys = re.findall(rf"['\"]({AREA}\.\w+)['\"]", text)
        used += [(file.name, re.escape(key) + (r"\w*" if key.endswith("_") else "")) for key in keys]
    used += [("browser/page", re.escape(key)) for key in page_data.named_keys()]
    return tuple(used)


def _patterns(node):
    if isinstance(node, ast.JoinedStr):
        parts = (re.escape(part.value) if isinstance(part, ast.Constant) else r"[\w.]*" for part in node.values)
        pattern = "".join(parts)
        if re.match(rf"{AREA}\\\.", pattern):
            yield pattern
    elif (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(rf"{AREA}\.[\w.]*[a-zA-Z\d]", node.value)
    ) and (node.value in ENGLISH or not node.value.endswith(FILE_SUFFIXES)):
        yield re.escape(node.value)


def _fits(pattern):
    """Keys that `expand_pattern` names. An error is named without the part of its three sentences."""
    end = rf"(?:\.(?:{'|'.join(ERROR_PARTS)}))?" if pattern.startswith("errors") else ""
    return {key for key in ENGLISH if re.fullmatch(pattern + end, key)}


def test_every_key_in_the_code_has_an_english_sentence():
    unknown = [f"{where}: {pattern}" for where, pattern in used_keys() if not _fits(pattern)]
    assert unknown == []


KEYS_OF_SAVED_REPORTS = {"coverage.forged"}
"""Only reports of privaudit 1.0.0 hold them."""


def test_every_english_sentence_is_used():
    used = set().union(*(_fits(pattern) for pattern in {pattern for _, pattern in used_keys()}))
    assert sorted(ENGLISH.keys() - used) == sorted(KEYS_OF_SAVED_REPORTS)


def test_every_error_has_three_sentences():
    errors = {key.rpartition(".")[0] for key in ENGLISH if key.startswith("errors.")}
    assert [
        f"{name}.{part}" for name in sorted(errors) for part in ERROR_PARTS if f"{name}.{part}" not in ENGLISH
    ] == []


def test_reading_a_catalog_by_table_equals_parsing_the_file():
    for code in catalog.languages():
        file = SOURCE / "data" / "locales" / f"{code}.toml"
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
        flat = {
            f"{area}.{name}": text
            for area, table in whole.items()
            if isinstance(table, dict)
            for name, text in table.items()
        }
        assert dict(catalog.messages(code)) == flat, code


def test_chinese_sentences_are_chinese():
    for key, words in CHINESE.items():
        for sentence in forms(words):
            bare = re.sub(r"\{[^}]*\}|Android|SDK", "", sentence)
            assert re.search(r"[\u4e00-\u9fff]", bare) or not re.search("[A-Za-z]", bare), f"{key}: {sentence}"


# --- what may not be said -------------------------------------------------------------------------------------------

CHINESE_NEVER = re.findall(r"\w+", "黑名单 高危 恶意 诈骗 违法 非法 安全 干净 放心 鉴定 取证 存证 受害者 网贷逾期")
ENGLISH_NEVER = (
    r"blacklist|malicious|malware|scam\w*|fraud\w*|illegal\w*|unlawful|criminal\w*|victims?|forensic\w*"
    r"|safe|safely|clean"
)
ALLOWED = {
    ("report.not_advice", "违法"),  # the sentence that says that this sheet does not judge
    ("makers.samsung", "安全"),  # where Samsung's menu leads, and
    ("makers.xiaomi", "安全"),  # what Xiaomi calls the switch that is better left alone
    ("report.user_secure_folder", "安全"),  # Samsung's name of the thing; under another nobody finds it
    ("steps.copy_secure_folder", "安全"),
    ("kit.iphone_1", "安全"),  # Apple's name of the menu
    ("kit.iphone_6", "安全"),
}


def test_words_that_are_never_printed():
    said = [(key, word) for key, words in CHINESE.items() for word in CHINESE_NEVER if word in "".join(forms(words))]
    assert set(said) <= ALLOWED
    said = [
        (key, match[0])
        for key, words in ENGLISH.items()
        for match in re.finditer(rf"\b(?:{ENGLISH_NEVER})\b", " ".join(forms(words)), re.IGNORECASE)
    ]
    assert said == []


def test_the_disclaimer_says_that_no_violation_is_established():
    assert "不认定谁违法" in CHINESE["report.not_advice"]


@pytest.mark.parametrize(
    ("key", "words"),
    [  # what the ten sentences of our words-and-harms sheet must keep saying, whatever their wording
        ("report.found", ["查到 {n} 个贷款应用", "其中 {contacts} 个现在能读通讯录"]),
        ("report.found_gaps", ["没能检查", "所以这不是全部"]),
        ("report.nothing_gaps", ["在能读到的部分", "不说明手机没问题", "也不说明通讯录没被拿走过"]),
        ("report.nothing_complete", ["能问的都问了", "小程序", "查不到"]),
        ("data_access.can_read", ["权限开着", "这只说明它能读，不说明它读过"]),
        ("report.last_read", ["手机系统记录", "没有写读了多少条", "没有写是否上传"]),
        ("report.no_record", ["没有记录，不等于从没读过"]),
        ("steps.no_recall", ["关权限管的是以后", "已经传走的，收不回来", "另外书面提出"]),
        ("listed.A", ["应用的内部名称", "名单可能过时", "包名相同，不等于就是同一个应用"]),
        ("report.not_advice", ["不是法律意见", "不认定谁违法", "先问律师或法律援助"]),
        ("cli.allow", ["请本人解锁手机", "{fingerprint}", "不要勾"]),
        ("report.leaving_2", ["撤消 USB 调试授权"]),
        ("report.leaving_4", ["支付应用"]),
        ("steps.notice", ["先想好找谁帮忙"]),
    ],
)
def test_the_sentences_that_matter_most(key, words):
    sentence = "".join(forms(CHINESE[key]))
    for part in words:
        assert part in sentence


# --- filling ---------------------------------------------------------------------------------------------------------


def test_plurals_lists_and_missing_values():
    english, chinese = Translator("en"), Translator("zh")
    assert english.t("report.days", n=1) == "1 day"
    assert english.t("report.days", n=2) == "2 days"
    assert chinese.t("report.days", n=1) == "1 天"
    assert english.t("report.scope_is", users=("a", "b", "c")) == "a, b and c."
    assert chinese.t("report.scope_is", users=("a", "b", "c")) == "a、b 和 c。"
    assert english.t("report.scope_is", users=()) == "not known."
    assert english.t("report.android", android=None) == "Android not known"


@pytest.mark.parametrize(
    ("iso", "english", "chinese"),
    [
        ("2026-01-08T21:14:00+08:00", "8 January 2026, 21:14", "2026年1月8日 21:14"),
        ("2026-01-08", "8 January 2026", "2026年1月8日"),
        ("2026-01", "January 2026", "2026年1月"),
        ("2026", "2026", "2026年"),
        ("", "", ""),
        ("soon\n", "soon", "soon"),
        ("2026-13", "2026-13", "2026-13"),
        ("2026-00-10", "2026-00-10", "2026-00-10"),
        ("2026-02-30", "2026-02-30", "2026-02-30"),
    ],
)
def test_dates(iso, english, chinese):
    assert (Translator("en").format_date(iso), Translator("zh").format_date(iso)) == (english, chinese)


@pytest.mark.parametrize("key", ["listed.of_a_later_version", "nobody.knows", "menu.no_such_rom.nothing", "x", ""])
def test_an_unknown_key_is_printed_in_brackets(key):
    assert Translator("en").translate(Message(key=key, values={"x": "y"})) == f"[{key}]"


def test_a_missing_value_is_printed_as_an_ellipsis():
    assert Translator("en").translate(Message(key="report.version")) == "version …"


@pytest.mark.parametrize("rom", ["no-such", "nowhere", "aosp"])
def test_menu_words_fall_back_to_stock_android(rom):
    assert Translator("en").t(f"menu.{rom}.settings") == "Settings"


# --- text from phones -------------------------------------------------------------------------------------------------


@given(st.text(st.characters(), max_size=700))
def test_sanitize_text_removes_control_and_format_characters(text):
    shown = sanitize_text(text)
    assert len(shown) <= MAX_LABEL_CHARS
    assert shown == " ".join(shown.split())
    for char in shown:
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.category(char) != "Cf" or char in "\u200c\u200d"
    assert sanitize_text(shown) == shown


def test_sanitize_text_keeps_ordinary_text():
    for text in (
        "速贷宝",
        "Préstamo Fácil",
        "ऋण क्ष\u200dत्रिय",
        "قرض\u200cها",
        "👨\u200d👩\u200d👧 Loan",
        "A & B: 100% <3",
    ):
        assert sanitize_text(text) == text


@pytest.mark.parametrize(
    ("label", "shown"),
    [(None, "com.x"), ("", "com.x"), ("\u202e", "com.x"), ("\u3164", "com.x"), ("\u200d", "com.x"), ("Loan", "Loan")],
)
def test_display_name_of_a_blank_label_is_the_package(label, shown):
    assert display_name(label, "com.x") == shown


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("code", ["en", "zh"])
def test_hostile_names_versions_and_publishers_are_harmless(made, attack, code):
    listing = made.listing("A", publisher=attack, title=attack, via=attack, action=attack)
    app = made.app(
        label=attack,
        version_name=attack,
        installer=attack,
        installer_name=attack,
        contacts=made.access("can_read", read=made.now),
        listed=(listing,),
    )
    values = {"app": attack, "publisher": attack, "title": attack, "action": attack, "dated_on": attack}
    finding = made.finding(app, message=Message(key="listed.A", values=values), rule="listed")
    report = made.report(app, findings=(finding,))
    shown = txt.render(report, Translator(code))
    for line in shown.splitlines():
        assert cell_len(line) <= 80, line
    bad = {char for char in shown if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert not bad
    assert "Result  nothing found" not in {line[:23] for line in shown.splitlines()}
    assert "“X”" not in shown
    saved = json.loads(report_json.render(report))
    assert saved["apps"][0]["label"] == attack.encode("utf-8", "replace").decode()


def test_a_newline_in_a_label_adds_no_line(made):
    clean = txt.render(made.report(made.app(label="Good end")), Translator("en"))
    forged = txt.render(made.report(made.app(label="Good\nend")), Translator("en"))
    assert clean == forged
