"""Rights pages: each item has a source, unchecked items are marked, and nothing is printed that no item contains."""

from __future__ import annotations

import itertools
import re
import tomllib
from datetime import date
from html import unescape
from pathlib import Path

import pytest

import privaudit
from privaudit.cli.options import parse_country
from privaudit.documents import Heading, ItemList, PageBreak, Paragraph, letters, rights_page
from privaudit.documents.render import render_document
from privaudit.errors import UsageError
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights
from privaudit.knowledge.loader import Problems
from privaudit.model import KnowledgeInfo, RuleSetInfo
from privaudit.report import html, txt
from tests.fixtures.sentences import ENGLISH
from tests.test_language import CHINESE_NEVER, ENGLISH_NEVER
from tests.test_locales import NEVER

FOLDER = Path(privaudit.__file__).parent / "data" / "rights"
FILES = sorted(FOLDER.glob("*.toml"))
COUNTRIES = ("CL", "CN", "CO", "GH", "ID", "IN", "KE", "MX", "NG", "PE", "PH", "PK", "TZ", "UG")
NO_LAW = ("CL", "CO", "GH", "PE", "TZ", "UG")
"""Countries of which offices were looked up, and no article of law."""
TONGUES = catalog.languages()
TRANSLATED = {
    "common": {"es", "fil", "hi", "id", "sw"},
    "cl": {"es"},
    "co": {"es"},
    "id": {"id"},
    "in": {"hi"},
    "ke": {"sw"},
    "mx": {"es"},
    "pe": {"es"},
    "ph": {"fil"},
    "tz": {"sw"},
}
"""The languages of a file beside English and Chinese: in each, every item is worded."""
MARKS = {
    "en": "[check]",
    "es": "[comprobar]",
    "fil": "[tiyakin]",
    "hi": "[जाँचें]",
    "id": "[cek]",
    "sw": "[hakiki]",
    "zh": "〔核对〕",
}
GOOD = """\
[country]
name.en = "Nowhere"
name.zh = "无处"
[[law]]
id = "one"
text.en = "Something."
text.zh = "某事。"
source = "the statute"
checked_on = "2026-01-30"
checked_by = "somebody"
"""


def raw_items(file):
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return [(part, item) for part, items in data.items() if part != "country" for item in items]


def wordings(file):
    """Each text and each name of a file by language, with the id of its item."""
    for _, item in raw_items(file):
        yield from ((item["id"], item[key]) for key in ("text", "name") if key in item)


def spoken(country):
    """The languages in which the whole page of `country` can be read."""
    return ["en", "zh", *sorted(TRANSLATED["common"] & TRANSLATED.get(country.lower(), set()))]


def mistakes(tmp_path, text):
    file = tmp_path / "xx.toml"
    file.write_text(text, encoding="utf-8")
    found = Problems()
    read = rights.read_rights_file(file, found)
    assert (read is None) == bool(found)
    return [ENGLISH[one.key] and Translator("en").translate(one) for one in found]


# --- the files ------------------------------------------------------------------------------------------------------


def test_countries_with_a_rights_page():
    assert rights.countries_with_rights() == COUNTRIES


def test_a_valid_file_has_no_problems(tmp_path):
    assert mistakes(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('source = "the statute"\n', ""), "“source” is missing"),
        (('source = "the statute"', 'source = " "'), "“source” cannot be"),
        (('text.zh = "某事。"\n', ""), "“zh” is missing"),
        (("text.zh", 'text.tlh = "Dochvam."\ntext.zh'), "“tlh”"),
        (('name.zh = "无处"', 'name.zh = "无处"\nletter = "tlh"'), "must be one of en, es, fil, hi, id, sw"),
        (('checked_on = "2026-01-30"', 'checked_on = "last week"'), "cannot be “last week”"),
        (('checked_by = "somebody"\n', ""), "verify = true"),
        (('checked_on = "2026-01-30"\nchecked_by = "somebody"\n', ""), "verify = true"),
        (('source = "the statute"', 'source = "the statute"\nurl = "statute"'), "starts with https"),
        (('source = "the statute"', 'sauce = "the statute"'), "did you mean “source”?"),
        (('[[law]]\nid = "one"', '[[office]]\nid = "one"\nname.en = "O"\nname.zh = "部"'), "needs a step"),
    ],
    ids=[
        "no source",
        "blank source",
        "no Chinese",
        "tongue",
        "letter",
        "no day",
        "nobody",
        "unchecked and unmarked",
        "url",
        "key",
        "rung",
    ],
)
def test_an_item_without_source_or_review_is_refused(tmp_path, change, said):
    found = mistakes(tmp_path, GOOD.replace(*change))
    assert found
    assert said in " ".join(found)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_item_has_a_source_and_a_review(file):
    for part, item in raw_items(file):
        assert item["source"].strip(), (part, item["id"])
        assert item.get("verify") or (item["checked_on"] and item["checked_by"]), item["id"]
        if part == "office":
            # Numbers and offices change: each is called before it is relied on.
            assert item.get("verify") or not item.get("reach"), item["id"]
        if "general knowledge" in item["source"]:
            assert item["verify"], item["id"]


def test_a_law_whose_text_was_not_read_is_marked():
    """So the page before a letter lists it."""
    for file in FILES:
        for part, item in raw_items(file):
            if part == "law" and re.search(r"not (?:read|seen|confirmed|found|compared)", item["source"]):
                assert item.get("verify"), item["id"]


@pytest.mark.parametrize(
    ("country", "ids"),
    [
        ("CN", "pipl-44 pipl-45 pipl-47 pipl-48 pipl-50 civil-1033 civil-1035 civil-1037 civil-1038 limitation-14"),
        ("IN", "rbi-12 rbi-recovery dpdp"),
        ("ID", "pdp-8 pdp-9 pojk-22"),
        ("KE", "dpa-26 dpa-32 dpa-40 dpa-56 dcp"),
        ("NG", "ndpa-26 ndpa-34 ndpa-35 ndpa-36 deon"),
        ("PH", "dpa-16b dpa-16c dpa-16e npc-20-01 sec-mc18"),
        ("PK", "secp-15"),
        ("MX", "oposicion acceso cancelacion redeco"),
    ],
)
def test_letters_can_cite_the_laws_that_they_stand_on(country, ids):
    cited = {law.id for law in rights.load_rights(country).law if law.backs}
    assert {f"{country.lower()}-{name}" for name in ids.split()} <= cited


def test_an_article_cited_for_the_legal_basis_speaks_of_it():
    for code in COUNTRIES:
        for law in rights.load_rights(code).law:
            if "basis" in law.backs:
                assert re.search(r"\b(?:consent|basis|ground|legal interest|explain)", law.text["en"]), law.id


def test_consent_is_withdrawn_from_the_lender_to_whom_it_was_given():
    for code in COUNTRIES:
        for law in rights.load_rights(code).law:
            if "stop" in law.backs and re.search(r"\bwithdraw", law.text["en"]):
                assert law.binds == ("lender",), law.id


def test_a_text_falls_back_to_english():
    text = {"en": "one", "zh": "一", "es": "uno"}
    assert [rights.in_language(text, code) for code in ("en", "zh", "es", "hi")] == ["one", "一", "uno", "one"]


def test_a_new_language_needs_no_python(tmp_path, monkeypatch):
    words = GOOD.replace('text.zh = "某事。"', 'text.zh = "某事。"\ntext.sn = "Chinhu."')
    assert "“sn”" in " ".join(mistakes(tmp_path, words))
    languages = (*catalog.languages(), "sn")
    monkeypatch.setattr(catalog, "languages", lambda: languages)
    assert mistakes(tmp_path, words) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_item_of_a_file_has_the_same_languages(file):
    head = tomllib.loads(file.read_text(encoding="utf-8"))["country"]
    assert {head.get("letter", "en")} <= {"en", "zh"} | (TRANSLATED.get(file.stem, set()) & TRANSLATED["common"])
    for name, words in wordings(file):
        assert words.keys() == {"en", "zh"} | TRANSLATED.get(file.stem, set()), name


DIGIT = "零一二三四五六七八九"
UNIT = {"十": 10, "百": 100, "千": 1000}


def count(chinese):
    """第一千零三十四条 is article 1034, （十二） its item 12; 第二百五十三条之一 is 253-1."""
    total, digit = 0, 0
    for char in chinese:
        if char in UNIT:
            total, digit = total + (digit or 1) * UNIT[char], 0
        else:
            digit = DIGIT.index(char)
    return total + digit


def numbers(text):
    """Every number in a text: of articles, telephones, years. The months of Chinese dates have names elsewhere."""
    text = re.sub(r"(?<=年)\d{1,2}(?=月)", "", text)
    return {int(one) for one in re.findall(r"\d+", text)} | {
        count(one) for one in re.findall(rf"(?<=[第（])[{DIGIT}{''.join(UNIT)}]+(?=[条）])|(?<=条之)[{DIGIT}]", text)
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_translations_have_the_same_numbers(file):
    for name, words in wordings(file):
        for code, text in words.items():
            assert numbers(text) == numbers(words["en"]), (name, code)


def test_number_extraction():
    assert numbers("第一千零三十四条（十二），12386，2026年1月14日") == {1034, 12, 12386, 2026, 14}
    assert numbers("Artículo 16, tel. 55 5242") != numbers("Article 16, tel. 55 5243")


def test_item_ids_are_unique():
    ids = [item["id"] for file in FILES for _, item in raw_items(file)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_all_sections(country):
    known = rights.load_rights(country)
    for part in rights.RIGHTS_SECTIONS:
        assert bool(getattr(known, part)) == (part != "law" or country not in NO_LAW), part
    assert any(item.letter for item in known.office)
    assert bool(known.articles_for("stop", "lender")) == (country not in NO_LAW)
    assert bool(known.articles_for("complain")) == (country not in NO_LAW)
    own = [item for part, item in known.all_items() if part == "licence"]
    assert len(own) > len(rights.load_rights(None).licence), "how to look up a lender there"


def test_common_items_name_no_law_and_no_number():
    common = rights.load_rights(None)
    assert not common.law
    for _, item in common.all_items():
        for text in (rights.in_language(item.text, code) for code in TONGUES):
            assert not re.search(r"第\S{1,9}条|(?:article|section|artículo|Pasal) \d|\d{3,}", text), item.id


@pytest.mark.parametrize("given", ["XX", "China", "", "../CN"])
def test_a_country_without_a_page_is_refused(given):
    with pytest.raises(UsageError) as error:
        rights.load_rights(given)
    assert error.value.name == "country_without_rights"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_texts_contain_no_forbidden_words(file):
    for _, item in raw_items(file):
        # The titles of laws and the words of menus are what they are.
        chinese = re.sub(r"《[^》]*》|“[^”]*”", "", item["text"]["zh"])
        assert not [word for word in CHINESE_NEVER if word in chinese], item["id"]
        if "name" in item:
            assert not [word for word in CHINESE_NEVER if word in re.sub(r"《[^》]*》", "", item["name"]["zh"])]
        english = item["text"]["en"]
        assert not re.search(rf"\b(?:{ENGLISH_NEVER})\b", english, re.IGNORECASE), item["id"]
        for words in (item["text"], item.get("name", {})):
            for code in words.keys() & NEVER.keys() - {"zh"}:
                assert not re.search(rf"(?<!\w)(?:{NEVER[code]})(?!\w)", words[code], re.IGNORECASE), item["id"]


def test_no_text_advises_not_to_pay_or_to_promise():
    everything = "".join(file.read_text(encoding="utf-8") for file in FILES)
    for word in (
        *("need not repay", "do not have to repay", "不用还", "愿意协商", "协商还款"),
        *("no tiene que pagar", "no hay que pagar", "no pague la deuda", "tidak perlu membayar", "tidak usah membayar"),
    ):
        assert word not in everything


# --- what is printed ------------------------------------------------------------------------------------------------

NUMBERED = re.compile(
    r"第[一二三四五六七八九十百千零〇]+条(?:之一)?"
    r"|(?:articles?|sections?|paragraphs?|artículos?|Pasal|No\.|第)\s*\d[\d()]*"
    r"|(?<![A-Za-z0-9.])\+?\d[\d -]{1,18}\d(?![A-Za-z0-9:])"
)
"""An article, or whatever could be dialled."""
OURS = re.compile(
    r"\d{1,2} \w+ 2026, \d\d:\d\d|2026年1月\d+日 ?\d\d:\d\d|2026-01-\d\d[ T]?[\d:+.]*|Android\d+|SHA-256|[0-9a-f]{64}"
)


NUMBERS_OF_OURS = re.compile(r"\[\d+\]|¶\d+\.|2026年1月10日15:41|10January2026,15:41|2024年11月25日|25November2024")
"""Numbers of sources; when the made report was taken, and how old its lists are."""


def read(text):
    """What a browser shows of HTML."""
    return unescape(re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]*>", " ", text, flags=re.DOTALL))


def squeezed(text):
    return re.sub(r"\s+", "", text)


def untraced(shown, known):
    """What looks like an article or a number in `result_lines` when all that the items of `known` say is taken out."""
    ours = ("2026-01-10T15:42", "2024-11-25")  # when the made report was taken, and how old its lists are
    said = {Translator(code).format_date(day) for day, code in itertools.product(ours, TONGUES)}
    names = {rights.in_language(law.name, code) for law in known.law for code in TONGUES}
    for _, item in known.all_items():
        assert item.source
        for words in filter(None, (item.name, item.text)):
            said |= {rights.in_language(words, code) for code in TONGUES}
        said |= {item.source, item.url or "", *item.reach}
        for day in filter(None, (item.checked_on, item.in_force_from)):
            said |= {Translator(code).format_date(day) for code in TONGUES}
    for words in filter(None, (known.country.ground, known.country.identification)):
        said |= {rights.in_language(words, code) for code in TONGUES}
    known_texts = {text: re.escape(text) for text in map(squeezed, said - names - {""})}
    for statute, articles in articles_by_statute(known):
        one = f"(?:{'|'.join(sorted(map(re.escape, articles), key=len, reverse=True))})"
        known_texts[statute + max(articles, key=len)] = rf"{re.escape(statute)}{one}(?:[、,]{one})*"
    rest = squeezed(OURS.sub("", shown))
    for text in sorted(known_texts, key=len, reverse=True):
        rest = re.sub(known_texts[text], "¶", rest)
    return NUMBERED.findall(NUMBERS_OF_OURS.sub("", rest))


def articles_by_statute(known):
    """Each statute as a letter cites it, and its articles that are known: it cites one after another."""
    found = {}
    for law, code in itertools.product(known.law, TONGUES):
        statute, article = map(squeezed, letters._split_citation(rights.in_language(law.name, code)))
        found.setdefault(statute, set()).add(article)
    return found.items()


def papers(report, country):
    known = rights.load_rights(country)
    demands = [(letters.LetterKind.DELETION, addressee) for addressee in letters.ADDRESSEES]
    others = [(kind, "lender") for kind in (letters.LetterKind.COMPLAINT, letters.LetterKind.EVIDENCE_LIST)]
    days = (date(2026, 11, 30), date(2030, 1, 1))
    for code, (kind, addressee), day in itertools.product(spoken(country), demands + others, days):
        options = letters.LetterOptions(addressee=addressee, letter_language=code, own_language=code, written_on=day)
        name = f"{kind} {addressee} {code}"
        yield name, known, letters.draft_letter(report, "com.example.loan", kind, known, options)
    for code in spoken(country):
        language = Translator(code)
        yield f"page {code}", known, rights_page.full_rights_page(known, language)
        yield f"friends {code}", known, rights_page.page_for_contacts(known, language)


@pytest.fixture
def report(made):
    app = made.app("com.example.loan", label="Loan", version_name="x", contacts=made.access("can_read"))
    return made.report(app)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("form", ["txt", "html"])
def test_every_printed_article_and_number_comes_from_an_item(report, country, form):
    for name, known, paper in papers(report, country):
        shown = render_document(paper, form)
        assert untraced(read(shown) if form == "html" else shown, known) == [], name


def test_an_invented_article_is_detected(report):
    known = rights.load_rights("CN")
    shown = render_document(rights_page.full_rights_page(known, Translator("zh")), "txt")
    assert untraced(f"{shown}见第九百九十九条。", known)
    assert untraced(f"{shown}《民法典》第四十四条。", known)
    assert not untraced("《个人信息保护法》第四十四条、第四十五条。", known)
    assert untraced(f"{shown}请打 12399 。", known)
    assert untraced(f"{shown} See article 999.", known)


@pytest.mark.parametrize(("country", "code"), [(country, code) for country in COUNTRIES for code in spoken(country)])
def test_unchecked_items_are_printed_with_the_mark(report, country, code):
    known, language = rights.load_rights(country), Translator(code)
    shown = squeezed(render_document(rights_page.full_rights_page(known, language), "txt"))
    for _, item in known.all_items():
        text = squeezed(rights.in_language(item.text, code))
        assert text in shown, item.id
        assert (text + squeezed(MARKS[code]) in shown) == item.verify, item.id


PAGES = (rights_page.full_rights_page, rights_page.page_for_contacts, rights_page.call_page)
MISSING = ("emergency", "crisis", "lenders", "data", "police")
every_page = pytest.mark.parametrize("country", [None, *COUNTRIES])
every_language = pytest.mark.parametrize("code", TONGUES)


@pytest.mark.parametrize("country", COUNTRIES)
@every_language
def test_the_numbers_to_call_stand_first_and_have_a_source_and_a_date(country, code):
    known, t = rights.load_rights(country), Translator(code).t
    (emergency, *_), crisis = known.with_role("emergency"), known.with_role("crisis")
    for item in (emergency, *crisis):
        assert item.reach, item.id
        assert item.source, item.id
        assert item.url, item.id
        assert item.checked_on, item.id
    for create in PAGES:
        lists = [block.items for block in create(known, Translator(code)).blocks if isinstance(block, ItemList)]
        first = lists[0][0]  # what to say begins with when to call the police, and the number
        assert t("papers.call_number", number=emergency.reach[0]).strip() in first
    shown = render_document(rights_page.full_rights_page(known, Translator(code)), "txt")
    for item in (*known.with_role("emergency"), *known.with_role("police"), *crisis):
        for reach in item.reach:
            assert squeezed(reach) in squeezed(shown), item.id


def test_every_crisis_line_and_emergency_number_is_known():
    assert {item.reach[0] for item in rights.load_rights("CN").with_role("crisis")} == {"12356"}
    for country in COUNTRIES:
        missing = rights.load_rights(country).missing_roles()
        assert "emergency" not in missing, country
        assert "lenders" not in missing, country
        assert "data" not in missing, country
    assert rights.load_rights("UG").missing_roles() == ("police",)
    assert rights.load_rights(None).missing_roles() == ()


@every_page
@every_language
def test_what_has_no_source_is_said_in_its_place(country, code, monkeypatch):
    known, t = rights.load_rights(country), Translator(code).t
    sentences = {role: t("papers.missing", what=t(f"papers.missing_{role}")) for role in MISSING}

    def said():
        shown = squeezed(render_document(rights_page.full_rights_page(known, Translator(code)), "txt"))
        return tuple(role for role, sentence in sentences.items() if squeezed(sentence) in shown)

    assert said() == tuple(role for role in MISSING if role in known.missing_roles())
    monkeypatch.setattr(rights.CountryRights, "with_role", lambda _self, _role: ())
    assert said() == (MISSING if country else ())


@every_page
@every_language
def test_no_heading_and_no_list_is_empty(country, code):
    known = rights.load_rights(country)
    for create in PAGES:
        blocks = create(known, Translator(code)).blocks
        for block, following in zip(blocks, (*blocks[1:], None), strict=True):
            if isinstance(block, Heading):
                assert following is not None, block
                assert not isinstance(following, Heading | PageBreak), block
            assert not (isinstance(block, ItemList) and not all(block.items)), block
            assert not (isinstance(block, ItemList) and not block.items), block
            assert not (isinstance(block, Paragraph) and not block.text.strip()), block


@every_page
@every_language
def test_five_lines_to_say_then_the_steps_in_their_order(country, code):
    known, language = rights.load_rights(country), Translator(code)
    blocks = [
        block for block in rights_page.full_rights_page(known, language).blocks if not isinstance(block, PageBreak)
    ]
    headings = [block.text for block in blocks if isinstance(block, Heading)]
    keys = ("safety", "evidence", "close", "demand", "complaint", "court", "report", "delete")
    steps = [f"{number}. {language.t(f'papers.part_{key}')}" for number, key in enumerate(keys, 1)]
    assert headings[:9] == [language.t("papers.call_title"), *steps]
    begin = blocks.index(Heading(language.t("papers.call_title")))
    borrower, friend = blocks[begin + 2], blocks[begin + 4]
    assert [type(block) for block in (borrower, friend)] == [ItemList, ItemList]
    assert len(borrower.items) == len(friend.items) == 5
    said = [squeezed(item.partition(" [")[0]) for item in (*borrower.items, *friend.items)]
    call = squeezed(render_document(rights_page.call_page(known, language), "txt"))
    handout = squeezed(render_document(rights_page.page_for_contacts(known, language), "txt"))
    assert all(line in call for line in said)  # one source for each page, also that in the browser
    assert all(line in handout for line in said[5:])


@every_page
@every_language
def test_the_meaning_of_the_mark_stands_once_at_the_top(country, code):
    known, language = rights.load_rights(country), Translator(code)
    notice = squeezed(language.t("papers.page_notice", mark=MARKS[code]))
    long_mark = squeezed(language.t("rights.verify"))
    for create in PAGES:
        document = create(known, language)
        assert isinstance(document.blocks[1], Paragraph)  # below the title
        assert notice in squeezed(document.blocks[1].text)
        shown = squeezed(render_document(document, "txt"))
        assert shown.count(notice) == 1
        assert long_mark not in shown
        assert not re.search(
            "notalawyer|不是律师|noesabogad|nounapersonaabogada|hindiabogado|bukanpengacara|siwakili", shown
        )


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_letter_without_law_cites_nothing_and_says_so_on_the_private_page(report, country):
    known = rights.load_rights(country)
    t = Translator(known.country.letter).t
    for kind in (letters.LetterKind.DELETION, letters.LetterKind.COMPLAINT):
        for document in (
            letters.draft_letter(report, "com.example.loan", kind, known),
            letters.draft_blank_letter(kind, known),
        ):
            private, _, letter = squeezed(render_document(document, "md")).replace("\\", "").partition("---")
            assert (squeezed(t("papers.no_law")) in private) == (country in NO_LAW)
            assert squeezed(t("papers.no_law")) not in letter
            if country in NO_LAW:
                assert squeezed(t("papers.demand_stop") + t("papers.cite_open")) not in letter


@pytest.mark.parametrize("country", COUNTRIES)
@every_language
def test_a_country_is_chosen_by_its_name(country, code):
    for name in (rights.in_language(rights.load_rights(country).country.name, code), country.lower()):
        assert parse_country(name) == country
    assert parse_country(Translator(code).t(f"rules.place_{country}")) == country


@pytest.mark.parametrize("country", [*COUNTRIES, None, "BR"])
@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("form", [txt, html], ids=["text", "page"])
def test_the_report_ends_with_the_stages(made, report, country, code, form):
    stamp = KnowledgeInfo(signatures=report.knowledge.signatures, rules=RuleSetInfo(country=country, sha256=None))
    app = made.app("com.example.loan", label="Loan", version_name="x", contacts=made.access("can_read"))
    shown = form.render(made.report(app, knowledge=stamp), Translator(code))
    head, end = Translator(code).t("rights.next" if form is txt else "rights.page", country="").rstrip("）)"), "-----"
    if form is html:
        shown, end = read(shown), Translator(code).t("report.remember")
    part = squeezed(shown).rpartition(squeezed(head))[2].partition(squeezed(end))[0]
    known = rights.load_rights(country if country in COUNTRIES else None)
    for step, offices in known.stages():
        assert squeezed(rights.in_language(step.text, code)) in part
        for office in offices:
            assert squeezed(rights.in_language(office.text, code)) in part
    debt = {"en": "adebtdoesnotjustifyharassment", "zh": "欠了债，也不等于可以骚扰你"}[code]
    advice = {"en": "Notlegaladvice", "zh": "这不是法律意见"}[code]
    assert debt in part
    assert advice in part
    assert untraced(part, known) == []
    if country not in COUNTRIES:
        assert not re.search(r"第\S{1,9}条|article|Pasal", part)
        if form is txt:  # a page names no option
            assert "CN" in part
            assert country is None or country in part
