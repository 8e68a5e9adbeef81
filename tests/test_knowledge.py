"""What privaudit knows: the shipped files, the words, a user's own lists, and what happens when files are wrong."""

from __future__ import annotations

import cProfile
import pstats
import re
import time
import tomllib
from pathlib import Path

import pytest

from privaudit import knowledge
from privaudit.errors import KnowledgeError
from privaudit.findings.lending import recognise_lending
from privaudit.knowledge import Knowledge, lint, loader
from privaudit.knowledge.vocabulary import FalseFriend, NameVerdict, check_false_friend_patterns
from privaudit.model import Message
from tests.fixtures.sentences import ENGLISH

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE.parent / "signatures" / "examples.toml").read_text(encoding="utf-8"))["name"]
DEMO_LISTS = HERE.parent / "privaudit" / "demo" / "lists"

HEAD = """\
[source]
publisher = "Somebody"
title = "A list"
licence = "none"
tier = "A"
action = "named"
refreshed = "never"
"""


@pytest.fixture(scope="module")
def known() -> Knowledge:
    # For those who mend a list and run the tests to see whether it is right.
    wrong = lint.lint_signatures().problems
    if wrong:
        pytest.fail("\n".join(["", *map(english, wrong)]), pytrace=False)
    return knowledge.load_knowledge()


def own(tmp_path: Path, text: str | bytes, name: str = "mine.toml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def mistakes(*paths: Path) -> tuple[Message, ...]:
    with pytest.raises(KnowledgeError) as error:
        knowledge.load_knowledge(extra_lists=paths)
    assert error.value.name == "knowledge_mistakes"
    return error.value.problems


def english(message: Message) -> str:
    """The mistake in words, which proves that each has words and fills all of their gaps."""
    values = {key: english(value) if isinstance(value, Message) else value for key, value in message.values.items()}
    return ENGLISH[message.key].format_map(values)


def chinese(known: Knowledge) -> dict[str, tuple[str, ...]]:
    """Known lenders of China and their names."""
    lenders = [ref for app_list in known.lists if app_list.kind == "lenders" for ref in app_list.row_refs]
    return {ref.row.package: ref.row.names for ref in lenders if ref.row.package and "CN" in ref.countries}


# --- the shipped files ----------------------------------------------------------------------------------------------


def test_shipped_lists_have_the_expected_rows(known: Knowledge):
    rows = {part.id: len(part.rows) for part in known.lists}
    # Published once, so neither more nor fewer.
    assert (rows["eset-2023"], rows["eset-2023-hashes"], rows["mcafee-2024"]) == (17, 17, 15)
    # These may grow.
    assert rows["cac-2021"] >= 7
    assert rows["china-unidentified"] >= 44
    assert rows["loanwatch-2026"] >= 1
    words = known.vocabulary
    assert len(words.label) >= 225
    assert len(words.package) >= 91
    assert len(words.trap) >= 29
    assert sum(term.basis == "attested" for term in words.label) >= 93


def test_publishers_are_the_originals_not_the_reprints(known: Knowledge):
    for part in known.lists:
        if part.kind == "risky":
            assert not re.search("secondary|reprint|Boston University", part.source.publisher, re.IGNORECASE)
            assert part.source.publisher != part.source.via


def test_every_shipped_row_matches(known: Knowledge):
    for part in known.lists:
        for number, row in enumerate(part.rows, 1):
            signature = f"{part.id}#{number}"
            if part.kind == "lenders":
                lender = known.find_lender(row.package) if row.package else None
                assert (lender is None) is (row.package is None), signature
                continue
            found = known.find_matches("package", row.package or "")
            found += tuple(one for digest in row.sha256 for one in known.find_matches("apk_sha256", digest))
            assert (signature in {listing.signature for listing in found}) is bool(row.match_keys), signature


def test_a_lender_comes_from_the_most_confident_list(known: Knowledge):
    sure = known.find_lender("com.finaccel.android")  # in an icon pack, and in files that nobody vouches for
    assert sure is not None
    assert (sure.signature.partition("#")[0], sure.confidence) == ("lawnicons-2026", None)
    unsure = known.find_lender("com.julofinance.juloapp")
    assert unsure is not None
    assert (unsure.signature.partition("#")[0], unsure.confidence) == ("indonesia-unidentified", "low")


def test_a_regulators_list_names_the_regulator(known: Knowledge):
    """Not the university that collected it."""
    collected = [part for part in known.lists if part.kind == "risky" and "LoanWatch" in (part.source.via or "")]
    publishers = {part.source.publisher.rpartition("(")[2].rstrip(")") for part in collected}
    assert publishers == {"SECP", "FCCPC", "SEC"}
    undated = [part for part in collected if part.source.date is None]
    assert sum(len(part.rows) for part in undated) == 96 + 6  # delisted, and what only the study's script has
    (listing,) = known.find_matches("package", "com.indiaquickloan.quickloan")
    assert (listing.publisher.rpartition("(")[2], listing.date, listing.action) == ("FCCPC)", None, "delisted")


def test_lists_of_scores_only_recognise_apps(known: Knowledge):
    (tracker,) = (part for part in known.lists if part.id == "killerloanapps-2026")
    assert tracker.kind == "lenders"
    assert tracker.source.confidence == "low"
    assert len(tracker.rows) >= 1109
    assert not any(re.search("scor|risk|severe|high", row.note or "", re.IGNORECASE) for row in tracker.rows)
    assert all(not row.harms and not row.sha256 for row in tracker.rows)
    for row in tracker.rows:  # others may list such an app; this list alone makes no match
        lists = {match.signature.partition("#")[0] for match in known.find_matches("package", row.package or "")}
        assert tracker.id not in lists


def test_every_collected_package_is_on_a_list(known: Knowledge):
    risky = [row for part in known.lists if part.kind == "risky" for row in part.rows]
    lenders = [row for part in known.lists if part.kind == "lenders" for row in part.rows]
    graded = {row.package for part in known.lists if part.source.tier in {"A", "B"} for row in part.rows}
    assert len(graded - {None}) == 2011
    assert sum(not row.match_keys for row in risky) == 3298 + 70  # names alone; seventy of notices
    assert len({row.package for row in lenders} - {None}) == 1612
    assert len({digest for row in risky for digest in row.sha256}) == 45


def test_a_package_that_indonesia_lists_is_illegal_there(known: Knowledge):
    """Also those that older lists filed under India or without a list of risky apps."""
    moved = "com.yodana.ksp0213 com.idompet.ksp0324 com.pinjaman.kspdompet.mangga com.pinjam.duit.hucytt"
    for package in [*moved.split(), "online.getmoneysofast.tres", "cgso.rscu.zxh", "com.jalurlaba.app"]:
        (listing,) = (one for one in known.find_matches("package", package) if one.country == "ID")
        assert (listing.tier, listing.action, listing.via) == ("B", "illegal", "ojk-invest-api (Namchee)")
        assert listing.publisher.endswith("(OJK)")
        lender = known.find_lender(package)
        assert lender is None or lender.countries == ("ID",)


def test_names_carry_the_doubts_of_their_sources(known: Knowledge):
    risky = [
        (ref, name.casefold())
        for part in known.lists
        if part.kind == "risky"
        for ref in part.row_refs
        for name in ref.row.names
    ]
    doubted = {name for ref, name in risky if ref.row.disputed and not ref.row.match_keys}
    assert {
        "cashwow",
        "creditpeso",
        "peso2go",
        "juanhand",
        "pinoy peso",
        "coco peso",
        "cashguard",
        "cashcow",
    } <= doubted
    unsafe = {name for ref, name in risky if ref.row.name_match}
    assert {"cash", "easy loan", "borrow", "tala"} <= unsafe
    assert sum(ref.row.name_match == "unsafe" for ref, _ in risky) >= 350
    countries = {name: set(ref.countries) for ref, name in risky if ref.app_list.source.tier == "A"}
    assert countries["rapiplata"] == {"CO", "PE"}
    assert countries["crediBus préstamos de crédito".casefold()] == {"PE"}
    assert countries["préstamos de crédito-yumicash"] == countries["préstamoscrédito – guayabacash"] == {"MX"}
    assert not any(
        name == "tiktok" for part in known.lists for row in part.rows for name in map(str.casefold, row.names)
    )


def test_lists_hold_no_contact_data(known: Knowledge):
    contact = re.compile(r"\w@\w|@\w|https?:|\+?62 ?8\d{6}|\d{9}|instagram|facebook|whatsapp", re.IGNORECASE)
    for part in known.lists:
        assert not any(contact.search(text) for row in part.rows for text in (*row.names, row.developer or "")), part.id


def test_the_readmes_say_what_the_lists_cover(known: Knowledge):
    """A number that is out of date, or a country that is said to have none, misleads."""
    packages, indonesia = known.describe_lists().packages, known.describe_lists("ID").packages_for_country
    assert known.describe_lists("CN").packages_for_country == 0
    english, chinese = (
        " ".join((HERE.parent / name).read_text(encoding="utf-8").split()) for name in ("README.md", "README.zh.md")
    )
    assert f"{packages:,} packages of risky apps, {indonesia:,} of them in Indonesia, and none for China" in english
    assert f"{packages} 个风险应用的包名，其中 {indonesia} 个在印度尼西亚，中国的一个也没有" in chinese


def test_superseded_registers_are_gone(known: Knowledge):
    lists = {part.id: part for part in known.lists}
    assert not {"ojk-2019", "sec-ph-recorded"} & lists.keys()
    rows = {part_id: len(lists[part_id].rows) for part_id in ("ojk-2026", "sec-ph-recorded-2026", "cbk-2025")}
    assert rows == {"ojk-2026": 94, "sec-ph-recorded-2026": 161, "cbk-2025": 7}
    assert not any("digido" in name.casefold() for row in lists["sec-ph-recorded-2026"].rows for name in row.names)


def test_a_match_states_publisher_date_and_source(known: Knowledge):
    (listing,) = known.find_matches("package", "king.credit.ng")
    assert (listing.tier, listing.publisher, listing.via) == ("A", "ESET", "HackersOnlineClub")
    assert (listing.action, listing.date, listing.match) == ("SpyLoan", "2023-12", "package")
    (notice,) = known.find_matches("package", "com.qihoo.loan")
    assert (notice.tier, notice.action, notice.country, notice.via) == ("N", "notified", "CN", "界面新闻, 北京青年报")


def test_only_the_exact_package_name_matches(known: Knowledge):
    assert known.find_matches("package", "king.credit") == ()
    assert known.find_matches("package", "king.credit.ng.two") == ()
    assert known.find_matches("package", "EasyCash") == ()


def test_no_chinese_lender_has_the_status_licensed(known: Knowledge):
    lenders = [known.find_lender(package) for package in chinese(known)]
    assert len(lenders) >= 45
    assert {lender.status for lender in lenders if lender} == {"market_lender", "embeds_lending"}
    assert sum(lender.status == "embeds_lending" for lender in lenders if lender) >= 6
    unidentified = known.find_lender("com.msxf.loan")
    assert unidentified is not None
    source = unidentified.app_list.source
    assert (source.publisher, source.date, unidentified.row.names) == ("not identified", None, ("马上金融",))
    assert known.find_lender("com.tencent.mm") is None


def test_list_info_counts_tiers_a_and_b(known: Knowledge):
    stamp = known.describe_lists("CN")
    assert stamp.packages >= 32
    assert stamp.packages_for_country == 0  # the notice names lending apps of China, and is not counted
    assert (stamp.newest or "") >= "2024-11-25"
    mexico = known.describe_lists("MX").packages_for_country or 0
    assert 0 < mexico < stamp.packages
    assert known.describe_lists().packages_for_country is None
    assert knowledge.load_knowledge(country="MX").describe_lists().packages_for_country == mexico
    assert re.fullmatch("[0-9a-f]{64}", stamp.sha256)
    assert knowledge.load_knowledge().describe_lists("CN") == stamp


def test_texts_of_lists_use_no_judging_words(known: Knowledge):
    shown = [text for part in known.lists for text in [part.source.note, *(row.note for row in part.rows)] if text]
    shown += [
        *(text for key, text in ENGLISH.items() if key.startswith("knowledge.")),
        *(trap.why for trap in known.vocabulary.trap),
    ]
    never = "黑名单|高危|恶意|诈骗|违法|非法|安全|干净|放心|鉴定|取证|存证|受害者|blacklist|malicious|illegal"
    assert [text for text in shown if re.search(never, text, re.IGNORECASE)] == []


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("label") or case["package"])
def test_names_are_classified_as_measured(known: Knowledge, case: dict):
    word = known.vocabulary.classify(case.get("label"), case.get("package"))
    assert word.verdict in case["expect"]
    assert bool(word.terms) == (word.verdict != "no")


def test_every_example_is_a_case():
    assert len(CASES) == 81


def test_recall_on_malware_research(known: Knowledge):
    ids = {"eset-2023", "mcafee-2024"}
    rows = [row for part in known.lists if part.id in ids for row in part.rows]
    alone = [known.vocabulary.classify(None, row.package or "").verdict for row in rows]
    assert [alone.count(verdict) for verdict in ("lending", "maybe", "trapped", "weak", "no")] == [13, 9, 0, 2, 8]
    both = [known.vocabulary.classify(row.names[0], row.package).verdict for row in rows]
    assert [both.count(verdict) for verdict in ("lending", "maybe", "trapped", "weak", "no")] == [28, 2, 0, 2, 0]


def test_recall_on_chinese_lenders(known: Knowledge):
    judge = known.vocabulary.classify
    verdicts = [
        judge(names[0], package).verdict
        for package, names in chinese(known).items()
        if (lender := known.find_lender(package)) and lender.status != "embeds_lending"
    ]
    assert verdicts.count("lending") >= 23
    assert "trapped" not in verdicts
    assert (verdicts.count("lending") + verdicts.count("maybe")) / len(verdicts) >= 41 / 52


def test_a_verdict_comes_with_its_terms(known: Knowledge):
    words = known.vocabulary
    assert words.classify("极速借款", None).terms == ("借款",)
    assert words.classify("DANA", "id.dana").terms == ("dana",)
    assert words.classify("Loan EMI Calculator", None).verdict == "trapped"
    assert words.classify(None, "com.mutangtech.qianji").verdict == "no"
    assert words.classify(None, None).verdict == "no"


def test_a_false_friend_keeps_a_weak_term(known: Knowledge):
    word = known.vocabulary.classify("Cash Register POS", None)
    assert (word.verdict, word.terms) == ("trapped", ("cash",))


def test_case_width_and_invisible_characters_do_not_matter(known: Knowledge):
    def judge(label: str) -> NameVerdict:
        return known.vocabulary.classify(label, None)

    assert judge("Ｌｏａｎ").verdict == "lending"
    assert judge("LOAN").verdict == "lending"
    assert judge("贷\u200b款").terms == ("贷款",)
    assert judge("FastCash").terms == judge("fast cash").terms == ("fast cash",)
    assert judge("vay").verdict == "lending"
    assert judge("váy").verdict == "no"


DISGUISES = {
    **{
        f"U+{ord(char):04X}": char.join
        for char in "\u034f\ufe0f\U000e0100\U000e0061\u180b\u180e\ufffa\u2060\u00ad\u200d"
    },
    **{f"U+{ord(char):04X}": char.join for char in "\u3164\uffa0\u115f\u2800\u2009\u00a0\n .·•_|💰\ue000\ufffc"},
    **{
        f"U+{ord(mark):04X}": (lambda name, mark=mark: "".join(c + mark for c in name))
        for mark in "\u0301\u0332\u20dd\u0336"
    },
    "Cyrillic": lambda name: name.translate(str.maketrans("aoeicpxykmtnrs", "аоеісрхукмтпгѕ")),
    "Greek": lambda name: name.translate(str.maketrans("aoinvptuk", "αοιηνρτυκ")),
    "small capitals": lambda name: name.translate(str.maketrans("aeinomstr", "ᴀᴇɪɴᴏᴍꜱᴛʀ")),
    **{
        start: (lambda name, start=start: _shifted(name, ord(start)))
        for start in ("Ⓐ", "🄰", "🅐", "🅰", "🇦", "Ａ", "𝐀", "𝕬")
    },
    "displayed from the right": lambda name: "\u202e" + name[::-1],
}


def _shifted(name: str, first: int) -> str:
    return "".join(chr(first + ord(char.upper()) - ord("A")) if "a" <= char.lower() <= "z" else char for char in name)


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguise_that_people_see_through_hides_no_term(known: Knowledge, disguise: str):
    for name in ("Fast Loan", "现金贷借款", "Pinjaman Online", "Préstamo Rápido", "तुरंत लोन"):
        assert known.vocabulary.classify(DISGUISES[disguise](name), None).verdict == "lending", name
    assert known.vocabulary.find_decoy(DISGUISES[disguise]("Calculator")) == "calculator"


def test_one_accent_hides_no_strong_term(known: Knowledge):
    judge = known.vocabulary.classify
    assert [judge(name, None).verdict for name in ("Lóan", "Présta", "Pinjâm", "L.oan", "Lo-an", "贷 款王")] == [
        "lending"
    ] * 6


DIGITS = (
    "l0an",
    "L04n",
    "1oan",
    "Qu1ck L0ans",
    "pinj4man",
    "P1NJ4M",
    "Pinjo1",
    "fa5t ca5h",
    "Pay1ater",
    "7ala Pr3stamo",
)


@pytest.mark.parametrize("name", DIGITS)
def test_digits_for_letters_hide_no_strong_term(known: Knowledge, name: str):
    assert known.vocabulary.classify(name, None).verdict == "lending"


@pytest.mark.parametrize(
    "name", ["Area51", "Mp3 Player", "H0tel", "Web3", "B4 Camera", "1st Aid", "G0ogle", "va4y", "p0lend"]
)
def test_digits_that_are_digits_make_no_term(known: Knowledge, name: str):
    assert known.vocabulary.classify(name, None).verdict == "no"


TAILS = (
    "极速版",
    "专业版",
    "手机版",
    "最新版",
    "官方版",
    "版",
    "Pro",
    " 2.0",
    "（官方）",
    "-Lite",
    "极速版 Pro 3",
    "app",
    " ™",
)


@pytest.mark.parametrize("tail", TAILS)
def test_the_end_of_a_label_is_found_before_its_tail(known: Knowledge, tail: str):
    judge = known.vocabulary.classify
    assert judge(f"万人借{tail}", None).verdict == "lending"
    assert judge(f"随便花{tail}", None).verdict == "maybe"
    assert judge(f"捷信{tail}", None).verdict == "lending"
    assert judge(f"十里桃花{tail}", None).verdict == "no"
    assert judge(f"花粉部落{tail}", None).verdict == "no"


@pytest.mark.parametrize("label", ["a" * 50_000 + "花b国", "花" + "a版1" * 20_000 + "国", "贷花借钱" * 10_000])
def test_a_long_label_takes_little_time(known: Knowledge, label: str):
    start = time.process_time()
    known.vocabulary.classify(label, None)
    assert time.process_time() - start < 5


def test_terms_that_overlap_count_once(known: Knowledge):
    assert known.vocabulary.classify("麻花钱包", None).verdict == "maybe"
    assert known.vocabulary.classify("现金钱包", None).terms == ("钱包", "现金")
    assert known.vocabulary.classify("现金钱包", None).verdict == "lending"


def test_a_disguised_calculator_is_a_calculator(known: Knowledge):
    assert known.vocabulary.classify("Lоan EMI Calculator", None).verdict == "trapped"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Loạn Thế Tam Quốc",
            "Váy được yêu",
            "Lăng loàn",
            "Кора VPN",
            "Кредо",
            "сон",
            "ले लो न",
            "放心 借阅",
            "租借 款式",
        ),
        *("Trello.Android", "hello.angel", "A B C D Kids", "v.a.y", "Ioan", "Pêra", "Prêt à porter", "S.H.I.E.L.D"),
    ],
)
def test_what_only_looks_like_a_disguise_is_no_term(known: Knowledge, name: str):
    assert known.vocabulary.classify(name, None).verdict == "no"


def test_package_names_are_split_into_parts(known: Knowledge):
    def judge(package: str) -> NameVerdict:
        return known.vocabulary.classify(None, package)

    assert judge("com.example.quickLend2").verdict == "lending"
    assert judge("com.example.lendu").verdict == "no"
    assert judge("com.example_lend").verdict == "lending"


def test_terms_of_false_friends_exist(known: Knowledge):
    words = known.vocabulary
    terms = {"label": {term.term for term in words.label}, "package": {token.token for token in words.package}}
    idle = [trap.why for trap in words.trap if trap.effect == "cancel" and not terms[trap.scope] & set(trap.concerns)]
    # Traps for brand words (tala) and for parts that no token looks inside of.
    assert idle == ['contain "tala"']


def test_an_invalid_pattern_is_reported():
    found = loader.Problems()
    trap = FalseFriend(scope="label", regex="(", effect="cancel", concerns=(), why="test")
    check_false_friend_patterns([trap], "vocabulary.toml", found)
    assert [message.key for message in found] == ["knowledge.regex"]
    assert "trap 1" in english(found[0])


# --- a user's own lists ---------------------------------------------------------------------------------------------


def test_a_user_list_has_tier_own(tmp_path: Path):
    path = own(tmp_path, HEAD + '[[app]]\npackage = "king.credit.ng"\n')
    found = knowledge.load_knowledge(extra_lists=[path])
    assert [(one.signature, one.tier) for one in found.find_matches("package", "king.credit.ng")] == [
        ("eset-2023#16", "A"),
        ("own/mine#1", "own"),
    ]
    assert found.describe_lists().packages == knowledge.load_knowledge().describe_lists().packages
    assert found.describe_lists().sha256 != knowledge.load_knowledge().describe_lists().sha256


def test_a_user_list_needs_few_keys(tmp_path: Path):
    digest = "0" * 64
    text = f"""\ufeff[source]\r\npublisher = "We"\r\ntitle = "Ours"\r\n[[app]]\r\nsha256 = ["{digest}"]\r\n
        [[app]]\r\ncertificates = ["{digest}"]\r\n"""
    found = knowledge.load_knowledge(extra_lists=[own(tmp_path, text)])
    assert [one.match for one in found.find_matches("apk_sha256", digest)] == ["apk_sha256"]
    assert [one.signature for one in found.find_matches("certificate", digest)] == ["own/mine#2"]


def test_folders_of_user_lists(tmp_path: Path):
    row = '[[app]]\npackage = "com.example.loan"\n'
    own(tmp_path, HEAD + row, "plain/one.toml")
    own(tmp_path, '[source]\npublisher = "We"\ntitle = "Ours"\nstatus = "registered"\n' + row, "plain/two.toml")
    plain = knowledge.load_knowledge(extra_lists=[tmp_path / "plain"])
    lender = plain.find_lender("com.example.loan")
    assert len(plain.find_matches("package", "com.example.loan")) == 1
    assert lender is not None
    assert (lender.status, lender.signature) == ("registered", "own/two#1")
    own(tmp_path, HEAD + row, "like-ours/risky/one.toml")
    own(tmp_path, "not a list", "like-ours/vocabulary.toml")
    assert (
        len(knowledge.load_knowledge(extra_lists=[tmp_path / "like-ours"]).find_matches("package", "com.example.loan"))
        == 1
    )


# --- mistakes -------------------------------------------------------------------------------------------------------


def test_all_problems_of_all_files_are_reported_at_once(tmp_path: Path):
    one = own(
        tmp_path,
        """\
[source]
publisher = ""
titel = "A list"
tier = "Z"
date = "2023-02-31"
country = "Kenya"
url = "javascript:alert(1)"
status = "licensed"
action = "named"

[[app]]
package = "no package"

[[app]]
package = "com.example.loan"
names = "Loan"
sha256 = ["ABC"]
disputed = "perhaps"

[[app]]
package = "com.example.loan"
developer = 3

[[app]]
note = "which?"
""",
        "one.toml",
    )
    two = own(tmp_path, "[source]\npublisher = 'x'\n[[app]\n", "two.toml")
    three = own(tmp_path, '[source]\ntitle = "\xff"'.encode("latin-1"), "three.toml")
    found = mistakes(one, two, three, tmp_path / "nowhere.toml")
    said = "\n".join(english(message) for message in found)
    keys = sorted(message.key.removeprefix("knowledge.") for message in found)
    assert " ".join(keys) == (
        "choice country date digest duplicate encoding misplaced_key missing_key names_nothing not_there package toml "
        "unknown_key url wrong_kind wrong_kind wrong_kind wrong_value"
    )
    assert "one.toml, [[app]] entry 2: “ABC” is not a SHA-256 digest" in said
    assert "one.toml, [source]: unknown key “titel”" in said
    assert "two.toml, line 3: not valid TOML" in said
    assert "three.toml, line 2: not UTF-8" in said


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "missing_key"),
        ("source = 1\napp = 2", "wrong_kind"),
        ("source = []\napp = [1, [2]]", "wrong_kind"),
        (HEAD + 'app = [{package = "com.example.loan", date = 2020-01-01}]', "unknown_key"),
        (HEAD.replace('"never"', "2020-01-01") + "[[app]]\nnames = ['x']", "wrong_kind"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested"),
        ("a." * 2000 + "a = 1", "long_key"),
        ("a." * 50_000 + "a = 1", "long_key"),  # took minutes
        ("\n[" + '"a" . ' * 2000 + "a]", "long_key"),
        ("[[" + "a." * 17 + "a]]", "long_key"),
        ("x = {" + "a." * 17 + "a = 1}", "long_key"),
        ('"\\' * 50_000 + "." * 20, "toml"),
        ("a = ", "toml"),
        (b"\x00\xff\xfe", "encoding"),
    ],
)
def test_arbitrary_files_are_reported_without_a_crash(tmp_path: Path, text: str | bytes, key: str):
    found = mistakes(own(tmp_path, text))
    assert f"knowledge.{key}" in {message.key for message in found}
    assert all(english(message) for message in found)


def test_file_size_is_limited(tmp_path: Path):
    path = own(tmp_path, b"#" * (loader.MAX_FILE_BYTES + 1))
    assert [message.key for message in mistakes(path)] == ["knowledge.too_large"]


def test_an_empty_folder_is_reported(tmp_path: Path):
    assert [message.key for message in mistakes(tmp_path)] == ["knowledge.no_lists"]


def test_shipped_lists_require_more_keys_than_user_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shipped = loader.shipped_folder()
    words = (shipped / "vocabulary.toml").read_bytes()
    own(tmp_path, words, "pkg/_signatures/vocabulary.toml")
    monkeypatch.setattr(loader.resources, "files", lambda _: tmp_path / "pkg")
    assert [message.key for message in mistakes()] == ["knowledge.not_shipped"]
    own(
        tmp_path,
        '[source]\npublisher = "x"\ntitle = "y"\ntier = "own"\n[[app]]\nnames = ["z"]\n',
        "pkg/_signatures/risky/x.toml",
    )
    own(
        tmp_path,
        '[source]\npublisher = "x"\ntitle = "y"\naction = "z"\n[[app]]\nnames = ["z"]\n',
        "pkg/_signatures/lenders/y.toml",
    )
    assert sorted((str(found.values["file"]), found.key, str(found.values["key"])) for found in mistakes()) == [
        ("lenders/y.toml", "knowledge.misplaced_key", "action"),
        ("lenders/y.toml", "knowledge.missing_key", "licence"),
        ("lenders/y.toml", "knowledge.missing_key", "refreshed"),
        ("lenders/y.toml", "knowledge.missing_key", "status"),
        ("risky/x.toml", "knowledge.choice", "tier"),
        ("risky/x.toml", "knowledge.missing_key", "action"),
        ("risky/x.toml", "knowledge.missing_key", "licence"),
        ("risky/x.toml", "knowledge.missing_key", "refreshed"),
    ]


def test_missing_shipped_files_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loader.resources, "files", lambda _: tmp_path / "pkg")
    with pytest.raises(KnowledgeError) as error:
        knowledge.load_knowledge()
    assert error.value.name == "knowledge_missing"
    assert "are missing" in english(error.value.problems[0])


def test_every_problem_is_translated_with_the_same_placeholders():
    folder = HERE.parent / "privaudit" / "locales"
    for path in sorted(folder.glob("*.toml")):
        for key, sentence in tomllib.loads(path.read_text(encoding="utf-8")).get("knowledge", {}).items():
            assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", ENGLISH[f"knowledge.{key}"])), (
                path,
                key,
            )


# --- speed: by counting, so that a busy computer changes nothing ------------------------------------------------------


def calls(rows: int, folder: Path) -> int:
    """Functions called to read a list of so many rows and to look an app up."""
    own(folder, HEAD + "".join(f'[[app]]\npackage = "com.example.a{n}"\nnames = ["A {n}"]\n' for n in range(rows)))
    profile = cProfile.Profile()
    profile.enable()
    found = knowledge.load_knowledge(extra_lists=[folder / "mine.toml"])
    assert found.find_matches("package", "com.example.a7")
    profile.disable()
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]


def test_loading_time_is_linear_in_rows(tmp_path: Path):
    calls(10, tmp_path)  # whatever is made once
    without, once, twice = (calls(rows, tmp_path) for rows in (10, 1010, 2010))
    assert twice - without <= 2.05 * (once - without)


# --- the demo --------------------------------------------------------------------------------------------


@pytest.mark.skipif(not list(DEMO_LISTS.glob("*/*.toml")), reason="the demo has no lists yet")
def test_the_demo_uses_only_its_own_lists():
    found = knowledge.load_knowledge(demo=True)
    assert found.lists
    assert found.find_matches("package", "king.credit.ng") == ()
    assert found.vocabulary == knowledge.load_knowledge().vocabulary


def test_the_hash_does_not_depend_on_layout(tmp_path: Path):
    first = own(tmp_path, HEAD + "[[app]]\npackage = 'com.example.loan'\nnames = ['x']\n", "a/mine.toml")
    same = own(tmp_path, "# note\n" + HEAD + "[[app]]\nnames = ['x']\npackage = \"com.example.loan\"\n", "b/mine.toml")
    other = own(tmp_path, HEAD + "[[app]]\npackage = 'com.example.loan'\nnames = ['y']\n", "c/mine.toml")
    stamps = [knowledge.load_knowledge(extra_lists=[path]).describe_lists().sha256 for path in (first, same, other)]
    assert stamps[0] == stamps[1] != stamps[2]


def test_stores_are_keyed_by_installer_package():
    stores = knowledge.load_knowledge().stores
    assert stores["com.android.vending"] == "Google Play"
    assert {"com.huawei.appmarket", "com.xiaomi.market", "com.heytap.market", "com.bbk.appstore"} <= stores.keys()
    assert "com.google.android.packageinstaller" not in stores  # opens any file: no store


def test_dots_in_values_and_comments_are_no_long_key(tmp_path: Path):
    dots = "a." * 40
    text = f"# {dots}\n{HEAD}note = \"{dots}\"\n[[app]]\npackage = \"com.example.loan\"\nnote = '''\n{dots}\n'''\n"
    assert knowledge.load_knowledge(extra_lists=[own(tmp_path, text)]).find_matches("package", "com.example.loan")


@pytest.mark.parametrize("status", ["licensed", "registered", "paired", "market_lender", "embeds_lending"])
def test_a_users_list_of_lenders_speaks_for_no_publisher(tmp_path: Path, made, status):
    head = f'[source]\npublisher = "OJK"\ntitle = "Register"\ndate = "2026-01"\nstatus = "{status}"\n'
    rows = "".join(f'[[app]]\npackage = "{name}"\n' for name in ("com.example.mine", "com.finaccel.android"))
    known = knowledge.load_knowledge(extra_lists=[own(tmp_path, head + rows)])
    lending = recognise_lending(made.app("com.example.mine"), known)
    assert [(reason.key, reason.values) for reason in lending.reasons] == [("lending.own_list", {})]
    # A package that a shipped list has is told with the shipped list.
    assert known.find_lender("com.finaccel.android") == knowledge.load_knowledge().find_lender("com.finaccel.android")
