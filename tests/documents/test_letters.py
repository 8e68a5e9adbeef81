"""Letters: what they demand, what they never say, what the page says that their sender keeps, and what is refused."""

from __future__ import annotations

import itertools
import re
import stat
import subprocess
import sys
from datetime import date, datetime
from types import SimpleNamespace

import pytest

from privaudit.capture import archive
from privaudit.documents import (
    DocumentTable,
    FieldList,
    Heading,
    ItemList,
    Notice,
    Paragraph,
    Title,
    app_blocks,
    letters,
)
from privaudit.documents.letters import LetterKind, LetterOptions
from privaudit.documents.render import BLANK_FIELD, DOCUMENT_FORMATS, render_document
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights
from privaudit.model import History
from privaudit.report import json as report_json
from privaudit.report.view import ReportView
from tests.fixtures.sentences import ENGLISH, TRANSLATED, forms
from tests.test_language import ATTACKS

COUNTRIES = rights.countries_with_rights()
APP = "com.example.kuaiyihua"
READ_APP = "com.example.sudaibao"
"""The phone of the demo recorded a read of it."""
SENT = [
    *((LetterKind.DELETION, addressee) for addressee in letters.ADDRESSEES),
    (LetterKind.COMPLAINT, letters.ADDRESSEES[0]),
]
SENT_IDS = [*letters.ADDRESSEES, "complaint"]
LETTER_LANGUAGES = {"CL": "es", "CN": "zh", "CO": "es", "ID": "id", "MX": "es", "PE": "es", "TZ": "sw"}
"""Where letters are written in another language than English."""
STATEMENTS = {
    "en": (
        "I do not consent to the use of my contacts, my messages or my call log, and I withdraw any consent given.",
        "State the legal basis for each use of these data.",
        "Nothing in this letter admits any debt; all rights are reserved.",
    ),
    "es": (
        (
            "No doy mi consentimiento para el uso de mis contactos, mis mensajes ni mi registro de llamadas, y retiro "
            "todo consentimiento dado."
        ),
        "Indiquen el fundamento legal de cada uso de estos datos.",
        "Nada en esta carta reconoce deuda alguna; me reservo todos los derechos.",
    ),
    "fil": (
        (
            "Hindi ako pumapayag na gamitin ang aking contacts, mga mensahe o talaan ng tawag, at binabawi ko ang "
            "anumang pahintulot na naibigay."
        ),
        "Sabihin ang legal na batayan ng bawat paggamit ng data na ito.",
        "Walang bahagi ng liham na ito ang umaamin ng anumang utang; nakalaan ang lahat ng karapatan.",
    ),
    "hi": (
        "सहमति नहीं देता/देती, और दी गई हर सहमति वापस लेता/लेती हूँ।",
        "इन डेटा के हर इस्तेमाल का क़ानूनी आधार बताएँ।",
        "इस चिट्ठी की कोई बात किसी क़र्ज़ को नहीं मानती; सारे अधिकार मेरे पास बने रहते हैं।",
    ),
    "id": (
        (
            "Saya tidak menyetujui penggunaan kontak, pesan, atau riwayat panggilan saya, dan menarik setiap "
            "persetujuan yang pernah diberikan."
        ),
        "Menyebutkan dasar hukum setiap penggunaan data ini.",
        "Tidak ada isi surat ini yang mengakui utang apa pun; semua hak dipertahankan.",
    ),
    "sw": (
        (
            "Sikubali majina yangu ya simu, ujumbe wangu au kumbukumbu zangu za simu zitumiwe, na ninaondoa idhini "
            "yoyote iliyotolewa."
        ),
        "Elezeni msingi wa kisheria wa kila matumizi ya data hii.",
        "Hakuna chochote katika barua hii kinachokiri deni lolote; haki zote zimehifadhiwa.",
    ),
    "zh": (
        "本人不同意使用本人的通讯录、短信、通话记录，并撤回此前就此作出的一切同意。",
        "书面说明每一项使用的法律依据",
        "本函任何内容都不构成对债务的承认；本人保留一切权利。",
    ),
}
"""What each demand says of consent, of its legal basis and of the debt."""
AGAINST_SENDER = ("papers.found_limits", "rights.verify", "papers.before_lawyer", "rights.debt", "papers.notice")
"""What the sender has to know and no addressee is told."""
OFFERS = {
    "en": r"\b(?:pay|owe|repay|instal(?!led|ad)\w*|settle\w*)\b",
    "es": r"\b(?:pag[ao]r\w*|adeud\w*|debo|debemos|abon\w*|cuotas?|liquid\w*|plazos)\b",
    "id": r"\b(?:(?:mem|di)?bayar(?:kan)?|(?:me)?lunas\w*|berutang|cicil\w*|mencicil|angsur\w*)\b",
    "zh": r"还款(?!、权限)|欠款|愿意|分期|协商|偿还",
}
"""Words of whoever owes a debt or offers to pay it."""


def without_spaces(text):
    return re.sub(r"\s+", "", text)


def draft(report, country, kind, app=APP, **options):
    return letters.draft_letter(report, app, kind, rights.load_rights(country), LetterOptions(**options))


def body_of(document):
    """The text of the letter, without the page that its sender keeps."""
    return without_spaces("".join(map(render_one, document.pages()[-1:])))


def kept_page(document):
    """The text of the page that the sender keeps."""
    return without_spaces(render_one(document.instructions))


def render_one(page):
    """One page of a document as text."""
    title = Title(page.title)
    assert page.blocks[0] == title
    alone = letters.documents.Document(page.title, page.language_code, page.blocks)
    return render_document(alone, "txt")


def render_letter(report, country, kind, file_format="txt", app=APP, **options):
    return render_document(draft(report, country, kind, app, **options), file_format)


def field_rows(document):
    return dict(row for block in document.blocks if isinstance(block, FieldList) for row in block.rows)


def numbered(document):
    (one,) = (block for block in document.blocks if isinstance(block, ItemList) and block.marker == "number")
    return one.items


# --- what they say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("addressee", ["lender", "collector"])
def test_a_demand_withdraws_consent_asks_for_the_basis_and_admits_no_debt(demo_report, country, addressee, code):
    body = body_of(draft(demo_report, country, LetterKind.DELETION, addressee=addressee, letter_language=code))
    for statement in STATEMENTS[code]:
        assert without_spaces(statement) in body
    assert "快易花" in body
    assert APP in body
    assert without_spaces(Translator(code).t("report.demo")) in body
    assert without_spaces(Translator(code).t("report.user_clone", user=999)) in body  # the clone has grants of its own


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize(("kind", "addressee"), SENT, ids=SENT_IDS)
def test_a_letter_has_its_parts_in_order(demo_report, country, kind, addressee):
    known = rights.load_rights(country)
    document = draft(demo_report, country, kind, addressee=addressee)
    say = Translator(known.country.letter).t
    rows = field_rows(document)
    is_complaint = kind is LetterKind.COMPLAINT
    parties = ("complainant", "respondent") if is_complaint else ("from", "to")
    blanks = {say(f"papers.{name}") for name in (*parties, "date", "to_reach", "reply_to", "signature")}
    assert {name for name, value in rows.items() if value is None} >= blanks
    filled = {name for name, value in rows.items() if value is not None}
    store = {say("papers.installed_from")} if addressee == "app-store" else set()
    assert filled - store == {say(f"papers.{name}") for name in ("subject", "app", "package", "version")}
    body = body_of(document)
    end = [
        "no_debt_complaint" if is_complaint else "no_debt",
        *(["signature"] if is_complaint else ["reply_to", "signature"]),
    ]
    parts = ["date", "subject", "app", *end, "attached_head"]
    place = 0
    for name in parts:
        place = body.index(without_spaces(say(f"papers.{name}")), place)
    assert len(numbered(document)) >= 3
    assert [block for block in document.blocks if isinstance(block, ItemList)][-1].marker == "tick"


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize(("kind", "addressee"), SENT, ids=SENT_IDS)
def test_what_would_argue_against_the_sender_stands_on_the_page_that_the_sender_keeps(
    demo_report, country, kind, addressee, code
):
    say = Translator(code).t
    options = {"addressee": addressee, "letter_language": code, "own_language": code}
    document = draft(demo_report, country, kind, **options)
    body, kept = body_of(document), kept_page(document)
    for key in AGAINST_SENDER:
        for sentence in re.split(r"(?<=[.。।]) ?", say(key)):
            assert not without_spaces(sentence) or without_spaces(sentence) not in body, sentence
    clocks = without_spaces(say("report.seconds", n=abs(demo_report.phone_clock.offset_s)))
    assert clocks not in body
    assert clocks in kept
    kept_keys = ("papers.before_promise", "papers.before_lawyer", "rights.debt", "papers.notice")
    for sentence in map(say, kept_keys):
        assert without_spaces(sentence) in kept
    assert without_spaces(say("papers.before_limits", when="").partition("。")[2].partition(". ")[2]) in kept
    if code != "en" and not catalog.is_reviewed(code):
        assert without_spaces(say("report.unreviewed")) in kept
    assert without_spaces(say("report.unreviewed")) not in body


def test_an_own_page_in_english_says_that_nobody_checked_a_chinese_letter(demo_report, monkeypatch):
    note = without_spaces(ENGLISH["papers.before_unreviewed"])
    for reviewed in (False, True):
        monkeypatch.setattr(catalog, "is_reviewed", lambda one, known=reviewed: known or one == "en")
        document = draft(demo_report, "CN", LetterKind.DELETION, own_language="en")
        assert (note in kept_page(document)) == (not reviewed)


@pytest.mark.parametrize(
    ("access", "permissions", "said"),
    [
        (("can_read", {}), (), "It had permission to read: contacts."),
        (("only_while_open", {}), (), "It had permission to read: contacts (while open)."),
        (("can_read", {"ways": ("incoming",)}), (), "It had permission to read: contacts (new ones only)."),
        (("asks_each_time", {}), (), "It asks for permission to read: contacts."),
        (("not_allowed", {}), ("READ_CONTACTS",), "It asks for permission to read: contacts."),
        (("blocked", {}), ("READ_CONTACTS",), "It asks for permission to read: contacts."),
        (("not_requested", {}), (), None),
        (("unknown", {}), (), None),
        (
            ("not_allowed", {"ways": ("accessibility",)}),
            ("READ_CONTACTS",),
            "It had access, by other means, to: contacts (accessibility).",
        ),
        (
            ("not_allowed", {"read": datetime.fromisoformat("2026-01-08T21:14:00+08:00")}),
            (),
            "My phone recorded that it read: contacts (last on 8 January 2026, 21:14).",
        ),
        (
            ("not_allowed", {"history": History.RECORDED, "last_read_age_s": 7200}),
            (),
            "My phone recorded that it read: contacts (2 hours before this).",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) and value and isinstance(value[0], str) else None,
)
def test_facts_claim_what_was_measured_and_no_more(made, access, permissions, said):
    state, changed = access
    held = tuple(made.permission(name, "denied") for name in permissions)
    app = made.app(contacts=made.access(state, **changed), permissions=held)
    view = ReportView(made.report(app), Translator("en"))
    installed, *facts = app_blocks.fact_sentences(view, app.package)
    assert installed == "On 10 January 2026, 15:42, the app named above was present on my phone."
    assert facts == ([] if said is None else [said])


def test_facts_name_the_copy_of_the_app_that_they_are_about(made):
    app = made.app(contacts=made.access("can_read"))
    clone = made.app(user=999, call_log=made.access("can_read"))
    _, fact = app_blocks.fact_sentences(ReportView(made.report(app, clone), Translator("en")), app.package)
    assert fact == "It had permission to read: contacts (the phone itself) and call log (app clone 999)."


# --- to whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_addressee_gets_a_letter_of_its_own(demo_report, country):
    say = Translator(rights.load_rights(country).country.letter).t
    asked = {}
    for addressee in letters.ADDRESSEES:
        document = draft(demo_report, country, LetterKind.DELETION, addressee=addressee)
        asked[addressee] = [item.partition(say("papers.cite_open"))[0] for item in numbered(document)]
    keys = {
        "lender": (
            "demand_stop",
            "demand_recipients",
            "demand_basis",
            "demand_delete",
            "demand_caller",
            "demand_answer",
        ),
        "collector": (
            "demand_stop",
            "demand_mandate",
            "demand_origin",
            "demand_basis",
            "demand_delete",
            "demand_answer",
        ),
        "app-store": ("store_review", "store_developer", "store_keep", "store_answer"),
    }
    for addressee, names in keys.items():
        assert asked[addressee] == [say(f"papers.{name}").partition(say("papers.cite_open"))[0] for name in names]


def test_a_store_is_told_from_where_the_app_came_and_of_no_account(made):
    app = made.app(contacts=made.access("can_read"), installer="com.android.vending", installer_name="Google Play")
    document = draft(made.report(app), "KE", LetterKind.DELETION, app.package, addressee="app-store")
    rows = field_rows(document)
    assert rows[ENGLISH["papers.installed_from"]] == "Google Play"
    assert ENGLISH["papers.account"] not in rows
    assert without_spaces(STATEMENTS["en"][0]) not in body_of(document)
    kept = kept_page(document)
    assert without_spaces(ENGLISH["papers.before_store"]) in kept
    assert without_spaces(ENGLISH["papers.before_send"]) not in kept


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_collector_finds_the_sender_by_the_number_that_it_called(demo_report, country):
    say = Translator(rights.load_rights(country).country.letter).t
    for addressee, known_by in (("lender", "papers.account"), ("collector", "papers.called_number")):
        rows = field_rows(draft(demo_report, country, LetterKind.DELETION, addressee=addressee))
        asked = rows.keys() & {say("papers.account"), say("papers.called_number")}
        assert asked == {say(known_by)}


@pytest.mark.parametrize("code", STATEMENTS)
@pytest.mark.parametrize("country", COUNTRIES)
def test_only_an_authority_gets_the_log_and_only_a_lender_the_identification(demo_report, country, code):
    """The log names witnesses and reports to the police; a copy of an identity card can be misused."""
    known, say = rights.load_rights(country), Translator(code).t
    enclosed, options = {}, {"letter_language": code, "own_language": code}
    for addressee in letters.ADDRESSEES:
        document = draft(demo_report, country, LetterKind.DELETION, addressee=addressee, **options)
        enclosed[addressee] = [block for block in document.blocks if isinstance(block, ItemList)][-1].items
        has_proof = addressee == "lender" and known.country.identification is not None
        assert (without_spaces(say("papers.before_identification")) in kept_page(document)) == has_proof
    screens = say("papers.enclosed_screens")
    assert enclosed["collector"] == enclosed["app-store"] == (screens,)
    proof = known.country.identification
    assert enclosed["lender"] == ((screens,) if proof is None else (screens, rights.in_language(proof, code)))
    complaint = draft(demo_report, country, LetterKind.COMPLAINT, **options)
    attached = [block for block in complaint.blocks if isinstance(block, ItemList)][-1].items
    assert attached[:2] == (say("papers.title_evidence_list"), say("papers.log_head"))


CITED_FOR = {
    "lender": ("stop", "recipients", "basis", "delete", "caller", "answer"),
    "collector": ("stop", "caller", "recipients", "basis", "delete", "answer"),
    "app-store": ("review", None, None, None),
    "complaint": ("complain", "delete", None),
}
"""The demand for which each numbered sentence cites laws."""


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("whom", CITED_FOR)
def test_each_sentence_cites_the_laws_that_support_it_and_bind_its_addressee(demo_report, country, whom):
    known = rights.load_rights(country)
    language = Translator(known.country.letter)
    options = {} if whom == "complaint" else {"addressee": whom}
    kind = LetterKind.COMPLAINT if whom == "complaint" else LetterKind.DELETION
    sentences = numbered(draft(demo_report, country, kind, written_on=date(2026, 11, 30), **options))
    for sentence, demand in zip(sentences, CITED_FOR[whom], strict=True):
        laws = [
            law
            for law in known.law
            if demand in law.backs and (whom == "complaint" or whom in law.binds) and law.in_force_from is None
        ]
        citation = letters._citations(laws, language)
        assert sentence.endswith(citation)
        assert bool(citation) == sentence.endswith(language.t("papers.cite_close"))


def test_articles_of_one_statute_are_cited_together():
    def cite(country, *ids):
        known = rights.load_rights(country)
        laws = {law.id: law for law in known.law}
        return letters._citations([laws[name] for name in ids], Translator(known.country.letter))

    assert cite("CN", "cn-pipl-15", "cn-civil-1033", "cn-pipl-44") == (
        "（《个人信息保护法》第十五条、第四十四条；《民法典》第一千零三十二条、第一千零三十三条）"
    )
    assert cite("KE", "ke-dpa-26", "ke-dpa-56") == " (Data Protection Act, 2019, section 26, section 56)"
    assert cite("KE") == ""


# --- which laws -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("whom", CITED_FOR)
def test_the_kept_page_lists_each_cited_law_that_nobody_compared(demo_report, country, whom):
    known = rights.load_rights(country)
    options = {} if whom == "complaint" else {"addressee": whom}
    kind = LetterKind.COMPLAINT if whom == "complaint" else LetterKind.DELETION
    document = draft(demo_report, country, kind, written_on=date(2026, 11, 30), **options)
    ticked = [b.items for b in document.instructions.blocks if isinstance(b, ItemList) and b.marker == "tick"]
    assert {name for names in ticked for name in names} == {
        rights.in_language(law.name, known.country.letter)
        for law in known.law
        if law.verify
        and law.in_force_from is None
        and set(law.backs) & set(CITED_FOR[whom])
        and (whom == "complaint" or whom in law.binds)
    }


@pytest.mark.parametrize(
    ("day", "is_cited"), [(date(2026, 11, 30), False), (date(2027, 5, 13), False), (date(2027, 5, 14), True)]
)
def test_india_does_not_cite_the_data_protection_act_before_it_is_in_force(demo_report, day, is_cited):
    document = draft(demo_report, "IN", LetterKind.DELETION, written_on=day, own_language="en")
    name = without_spaces("DPDP Act 2023, sections 6(4) and 11 to 14")
    assert (name in body_of(document)) == is_cited
    assert (without_spaces("not in force before 14 May 2027") in kept_page(document)) == (not is_cited)


def test_a_demand_in_pakistan_says_that_it_stands_on_the_licence(demo_report):
    for country in COUNTRIES:
        body = body_of(draft(demo_report, country, LetterKind.DELETION, letter_language="en"))
        said = without_spaces("these demands stand on the conditions of the lender’s licence from the SECP")
        assert (said in body) == (country == "PK")


def test_a_demand_in_mexico_encloses_identification(demo_report):
    for country in COUNTRIES:
        document = draft(demo_report, country, LetterKind.DELETION)
        said = without_spaces("Copia de mi identificación oficial, para el ejercicio de los derechos ARCO")
        assert (said in body_of(document)) == (country == "MX")
    body = body_of(draft(demo_report, "MX", LetterKind.DELETION))
    assert without_spaces("Respondan por escrito a (domicilio o correo)") in body
    for right in ("oposición", "acceso", "cancelación"):
        assert without_spaces(f"derecho de {right} (ARCO)") in body


@pytest.mark.parametrize("kind", [LetterKind.DELETION, LetterKind.COMPLAINT])
def test_china_warns_of_promises_by_the_article_of_2020(demo_report, kind):
    kept = kept_page(draft(demo_report, "CN", kind, own_language="zh"))
    assert "（法释〔2008〕11号，2020年修正）第十四条" in kept


# --- in which language ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "letter_language"), [*itertools.product(("en", "zh", "hi"), (None, "sw"))])
def test_the_kept_page_is_in_the_language_of_the_sender(demo_report, own, letter_language):
    document = draft(demo_report, "CN", LetterKind.DELETION, own_language=own, letter_language=letter_language)
    code = letter_language or "zh"
    assert document.language_code == code
    assert document.instructions.language_code == own
    assert without_spaces(Translator(own).t("papers.notice")) in kept_page(document)
    assert without_spaces(STATEMENTS[code][0]) in body_of(document)
    page = render_document(document, "html")
    tags = {"zh": "zh-Hans"}
    assert re.findall(r'<section lang="([\w-]+)"', page) == [tags.get(own, own), tags.get(code, code)]


def test_letters_are_in_the_language_of_the_country():
    assert {code: rights.load_rights(code).country.letter for code in COUNTRIES} == {
        code: LETTER_LANGUAGES.get(code, "en") for code in COUNTRIES
    }


@pytest.mark.parametrize("country", LETTER_LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_translated_letter_has_no_english_sentence(demo_report, country, kind):
    known = rights.load_rights(country)
    document = draft(demo_report, country, kind)
    named = {words["en"] for _, item in known.all_items() for words in (item.name, item.text) if words is not None}
    named -= {
        rights.in_language(words, document.language_code)
        for _, item in known.all_items()
        for words in (item.name, item.text)
        if words
    }
    said = {sentence for key, words in ENGLISH.items() if key.startswith("papers.") for sentence in forms(words)}
    said -= {sentence for words in TRANSLATED[document.language_code].values() for sentence in forms(words)}
    for piece in itertools.chain.from_iterable(map(sentences_of, document.pages())):
        assert piece not in said
        assert not [english for english in named if english in piece]
        assert not re.search(r"\b(?:the|and|of|is|you|your|with|not|was)\b", piece), piece


def sentences_of(document):
    """Every sentence of a paper that is ours, apart from the others."""
    for block in document.blocks:
        match block:
            case Title(text) | Heading(text) | Paragraph(text):
                yield text
            case ItemList(items) | Notice(items):
                yield from items
            case FieldList(rows):
                yield from (name for name, _ in rows)


# --- complaint and list -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("country", COUNTRIES)
def test_complaint_names_offices_and_the_kept_page_how_to_reach_them(demo_report, country):
    known = rights.load_rights(country)
    code = known.country.letter
    document = draft(demo_report, country, LetterKind.COMPLAINT)
    offices = next(block for block in document.blocks if isinstance(block, ItemList)).items
    assert offices[:-1] == tuple(rights.in_language(one.name, code) for one in known.office if one.letter)
    kept = kept_page(document)
    for office in known.office:
        for contact in office.reach if office.letter else ():
            assert without_spaces(contact) in kept, office.id
        if office.letter:
            assert without_spaces(rights.in_language(office.text, code)) in kept, office.id
            named = office.name.values()
            assert not [contact for contact in office.reach if any(contact in name for name in named)], office.id


@pytest.mark.parametrize("country", COUNTRIES)
def test_complaint_tells_what_happened_in_a_table_to_fill_in(demo_report, country):
    document = draft(demo_report, country, LetterKind.COMPLAINT)
    (table,) = (block for block in document.blocks if isinstance(block, DocumentTable))
    assert table.rows == ()
    assert table.blank_rows >= 3
    assert len(table.header) == 5


def test_a_chinese_complaint_speaks_as_complaints_do(demo_report):
    body = body_of(draft(demo_report, "CN", LetterKind.COMPLAINT))
    assert "投诉人" in body
    assert "请求调查" in body
    for word in ("本函", "要求人", "查一查"):
        assert word not in body


WHETHER = {"en": "whether", "es": "si", "fil": "kung", "hi": "क्या", "id": "apakah", "sw": "kama", "zh": "是否"}


@pytest.mark.parametrize("code", WHETHER)
def test_a_complaint_asks_whether_the_data_were_used_and_does_not_claim_it(code):
    """A permission does not show it."""
    say = Translator(code).t
    asked = say("papers.asks_look")
    assert WHETHER[code] in (asked if code == "zh" else asked.split())
    assert not re.match(r"Use of|Uso de|Paggamit|Penggunaan|Matumizi", say("papers.subject_complaint"))


@pytest.mark.parametrize("country", ["CN", "KE"])
def test_evidence_list_has_every_line_of_this_app_only_and_in_its_annex(demo_report, country):
    document = draft(demo_report, country, LetterKind.EVIDENCE_LIST)
    say = Translator(rights.load_rights(country).country.letter).t
    text = without_spaces(render_document(document, "txt"))
    listed, annex = text.split(without_spaces(say("papers.annex_head")))
    lines = {one.text.strip() for finding in demo_report.findings if finding.package == APP for one in finding.evidence}
    assert lines
    for line in map(without_spaces, lines):
        assert line in annex
        assert line not in listed
    assert not re.search(r"granted=|flags=|USER_SET|_CONTACTS|:allow|foreground", listed)
    for key in ("papers.found_limits", "papers.computer_time"):
        assert without_spaces(say(key)) in annex
        assert without_spaces(say(key)) not in listed
    for other in {app.package for app in demo_report.apps} - {APP}:
        assert other not in text
    assert demo_report.knowledge.signatures.sha256 in annex
    assert listed.count(without_spaces(say("papers.log_witness"))) == 14


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("addressee", letters.ADDRESSEES)
def test_letters_acknowledge_no_debt_and_offer_no_payment(demo_report, country, kind, addressee):
    body = render_one(draft(demo_report, country, kind, addressee=addressee))
    for offers in OFFERS.values():
        assert not re.search(offers, body.replace("合同、每一笔还款", ""), re.IGNORECASE)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_hostile_labels_are_escaped(made, attack):
    app = made.app(label=attack, version_name=attack, installer=attack, contacts=made.access("can_read"))
    report = made.report(app)
    for kind, addressee in [*SENT, (LetterKind.EVIDENCE_LIST, "lender")]:
        page = render_letter(report, "CN", kind, "html", "com.example.made", addressee=addressee)
        assert "<script>" not in page
        assert "default-src &#39;none&#39;" in page
        assert not {char for char in page if char in "\u202e\u2066\u061c\x1b\x9b"}
        text = render_letter(report, "CN", kind, "txt", "com.example.made", addressee=addressee)
        assert "\nResult  nothing found" not in text
        marked = render_letter(report, "CN", kind, "md", "com.example.made", addressee=addressee)
        assert "<script>" not in marked


def test_phone_text_in_html_is_isolated_in_bdi(made):
    report = made.report(made.app(label="قرض", contacts=made.access("can_read")))
    page = render_letter(report, "PK", LetterKind.DELETION, "html", "com.example.made")
    assert "<bdi>قرض</bdi>" in page
    assert "<bdi>com.example.made</bdi>" in page


@pytest.mark.parametrize("file_format", DOCUMENT_FORMATS)
def test_the_kept_page_comes_before_the_letter_on_a_page_of_its_own(demo_report, file_format):
    text = render_letter(demo_report, "CN", LetterKind.DELETION, file_format)
    title = Translator("zh").t("papers.title_deletion")
    place = text.index(f">{title}</h1>" if file_format == "html" else title)
    kept, letter = text.index("对方发现了"), text.index("本函任何内容")
    breaks = {"txt": "=" * 80, "md": "\n---\n", "html": 'class="page"'}
    assert kept < text.index(breaks[file_format]) < place < letter


# --- refusals -------------------------------------------------------------------------------------------------------


def test_report_without_findings_is_refused(made):
    for report in (made.report(), made.report(made.app(), findings=())):
        with pytest.raises(SourceError) as error:
            render_letter(report, "CN", LetterKind.DELETION, app="com.example.made")
        assert error.value.name == "nothing_to_write_about"


def test_app_without_findings_is_refused(made):
    report = made.report(made.app(), made.app("com.example.other"), findings=(made.finding(made.app()),))
    for app in ("com.example.other", "com.example.nowhere", ""):
        with pytest.raises(UsageError) as error:
            render_letter(report, "CN", LetterKind.DELETION, app=app)
        assert error.value.values["known"] == ("com.example.made",)


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(demo_report, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(demo_report), encoding="utf-8")
    return file


def letter(run, saved, *arguments, **variables) -> SimpleNamespace:
    return run("letter", saved, "--app", APP, *arguments, cwd=saved.parent, **variables)


@pytest.mark.unix
def test_letter_command_writes_private_files(run, saved):
    files = [saved.parent / f"letter.{file_format}" for file_format in DOCUMENT_FORMATS]
    outputs = [part for file in files for part in ("-o", file)]
    done = letter(run, saved, "--kind", "deletion", "--country", "cn", "--yes", *outputs)
    assert done.code == 0, done.err
    assert done.out == ""
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "快易花" in file.read_text(encoding="utf-8")
    again = letter(run, saved, "--kind", "deletion", "--country", "CN", "--yes", "-o", files[0])
    assert again.code == 2
    assert "filled it in" in again.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--kind", "deletion", "--country", "BR"], 2, "no page for the country “BR”"),
        (["--kind", "deletion"], 2, "No country was chosen"),
        (["--kind", "threat", "--country", "CN"], 2, "deletion, complaint and evidence-list"),
        (["--kind", "deletion", "--country", "CN", "-o", "x.pdf"], 2, ".txt, .md and .html"),
        (["--kind", "deletion", "--country", "CN"], 2, "there is no keyboard input"),
        (["--kind", "deletion", "--country", "CN", "--to", "bank"], 2, "lender, collector and app-store"),
        (["--kind", "complaint", "--country", "CN", "--to", "collector"], 2, "Only a demand"),
        (["--kind", "deletion", "--country", "CN", "--letter-lang", "tlh"], 2, "not available in “tlh”"),
    ],
    ids=["country", "no country", "kind", "form", "not asked", "addressee", "addressee of a complaint", "language"],
)
def test_letter_command_refusals(run, saved, arguments, code, said):
    done = letter(run, saved, *arguments)
    assert done.code == code
    assert said in done.err
    assert done.out == ""
    assert "What to do: " in done.err


def test_letter_command_refuses_what_is_no_check(run, tmp_path):
    (tmp_path / "check.zip").write_bytes(b"PK")
    for name, said in (("check.zip", "check.zip"), ("nowhere.json", "does not exist")):
        done = run("letter", name, "--app", APP, "--kind", "deletion", "--country", "CN", cwd=tmp_path)
        assert done.code == 4
        assert said in done.err


def test_letter_command_takes_a_saved_check(run, demo_capture, saved, tmp_path):
    check = tmp_path / "check.zip"
    archive.write_archive(demo_capture, check)
    arguments = ("--app", APP, "--kind", "deletion", "--country", "CN", "--yes", "--lang", "en")
    from_check, from_report = (run("letter", source, *arguments) for source in (check, saved))
    assert from_check.code == 0, from_check.err
    facts = "该应用当时拥有读取权限"
    assert facts in from_check.out
    assert from_check.out.partition(facts)[2] == from_report.out.partition(facts)[2]


def test_letter_command_chooses_addressee_and_languages(run, saved):
    chosen = ("--to", "collector", "--letter-lang", "es", "--lang", "sw")
    done = letter(run, saved, "--kind", "deletion", "--country", "CN", "--yes", *chosen)
    assert done.code == 0, done.err
    kept, _, body = done.out.partition("=" * 80)
    assert Translator("sw").t("papers.before_lawyer") in " ".join(kept.split())
    for key in ("papers.demand_mandate", "papers.subject_collector"):
        assert without_spaces(Translator("es").t(key)) in without_spaces(body)


def test_letter_command_asks_for_confirmation(environment, saved):
    for answer, written in (("n\n", False), ("\n", False), ("y\n", True)):
        command = ["letter", str(saved), "--app", APP, "--kind", "complaint", "--country", "KE"]
        done = subprocess.run(
            [sys.executable, "-m", "privaudit", *command],
            env=environment,
            input=answer.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0
        assert b"What happens if they notice?" in done.stderr
        assert (b"Complaint concerning personal data" in done.stdout) == written
        assert (b"Nothing was written" in done.stderr) == (not written)


def test_rights_command(run, tmp_path):
    whole, half, common = run("rights", "CN", "--lang", "zh"), run("rights", "ke", "--friends"), run("rights")
    assert whole.code == half.code == common.code == 0
    assert "第四十七条" in whole.out
    assert "Where you can complain yourself" in half.out
    assert len(half.out.splitlines()) < 40  # half a page
    assert "names no law" in common.err
    refused = run("rights", "BR", "-o", tmp_path / "x.html")
    assert refused.code == 2
    assert "BR" in refused.err
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("kind", LetterKind)
def test_a_blank_letter_says_the_same_and_names_no_app(demo_report, kind, country):
    """For whoever cannot connect a phone."""
    blank = letters.draft_blank_letter(kind, rights.load_rights(country))
    text = render_document(blank, "txt")
    assert BLANK_FIELD in text
    assert not re.search(r"\[\w+\.", text)  # no key without a sentence
    assert APP not in text
    filled = letters.draft_letter(demo_report, APP, kind, rights.load_rights(country))
    headings = [block for block in filled.blocks if isinstance(block, Heading)]
    say = Translator(blank.language_code).t
    annex = [Heading(say("papers.annex_head")), Heading(say("papers.list_lines"))]
    assert [block for block in headings if block not in blank.blocks] == annex * (kind is LetterKind.EVIDENCE_LIST)
    if kind.is_sent:
        assert without_spaces(say("papers.before_photo")) in kept_page(blank)
        assert without_spaces(say("papers.found_by_hand")) in body_of(blank)
