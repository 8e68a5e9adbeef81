"""Letters: what they demand, what they never say, and what is refused."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from privaudit.documents import (
    FieldList,
    Heading,
    ItemList,
    Notice,
    Paragraph,
    Title,
    letters,
)
from privaudit.documents.letters import LetterKind
from privaudit.documents.render import BLANK_FIELD, DOCUMENT_FORMATS, render_document
from privaudit.errors import SourceError, UsageError
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights
from privaudit.report import json as report_json
from tests.fixtures.sentences import ENGLISH, TRANSLATED, forms
from tests.test_language import ATTACKS

COUNTRIES = rights.countries_with_rights()
APP = "com.example.kuaiyihua"
LETTER_LANGUAGES = {"CN": "zh", "ID": "id", "MX": "es"}
"""Where letters are written in another language than English."""
DEMANDS = {
    "en": (
        "Stop.",
        "to whom you gave them, and on what legal basis",
        "Delete these data",
        "employer, and your written authorisation",
    ),
    "es": (
        "Que paren.",
        "a quién se los dieron y con qué fundamento",
        "Que borren estos datos",
        "quién la emplea y el mandato por escrito",
    ),
    "id": (
        "Berhenti.",
        "kepada siapa Anda memberikannya, dan atas dasar apa",
        "Hapus data ini",
        "tempat kerja, dan surat kuasa tertulis",
    ),
    "zh": ("停止。", "提供给了谁，法律依据是什么", "删除这些信息", "所在公司，并附上你方的书面委托"),
}
CONFIRM = {
    "en": "Confirm in writing by",
    "es": "Que confirmen por escrito, a más tardar",
    "id": "Nyatakan secara tertulis paling lambat",
    "zh": "书面答复办理结果",
}
NO_DEBT = {
    "en": "This letter concerns personal data only. Nothing here admits any debt; all rights are reserved.",
    "es": "Esta carta trata solo de datos personales. No reconoce ninguna deuda y no cambia ningún derecho sobre ella.",
    "id": (
        "Surat ini hanya mengenai data pribadi. Surat ini tidak mengakui utang apa pun dan tidak mengubah hak apa pun "
        "tentangnya."
    ),
    "zh": "本函只涉及个人信息，其中任何内容都不构成对债务的承认；本人保留一切权利。",
}
NOTICE = {
    "en": "What happens if they notice?",
    "es": "¿Qué pasa si se dan cuenta?",
    "id": "Apa yang terjadi kalau mereka tahu?",
    "zh": "对方发现了，会怎么样？",
}
OFFERS = {
    "en": r"\b(?:pay|owe|repay|instal\w*|settle\w*)\b",
    "es": r"\b(?:pag[ao]r\w*|adeud\w*|debo|debemos|abon\w*|cuotas?|liquid\w*|plazos)\b",
    "id": r"\b(?:(?:mem|di)?bayar(?:kan)?|(?:me)?lunas\w*|berutang|cicil\w*|mencicil|angsur\w*)\b",
    "zh": r"还款(?!、权限)|欠款|愿意|分期|协商|偿还",
}
"""Words of whoever owes a debt or offers to pay it."""


def without_spaces(text):
    return re.sub(r"\s+", "", text)


def render_letter(report, country, kind, file_format="txt", app=APP):
    return render_document(letters.draft_letter(report, app, kind, rights.load_rights(country)), file_format)


def letter_body(text):
    """The part of a text letter that leaves the house."""
    return text.partition("=" * 80)[2]


@pytest.mark.parametrize("country", COUNTRIES)
def test_demand_in_every_country(demo_report, country):
    code = rights.load_rights(country).country.letter
    letter = render_letter(demo_report, country, LetterKind.DELETION)
    before, body = without_spaces(letter.partition("=" * 80)[0]), without_spaces(letter_body(letter))
    assert without_spaces(NOTICE[code]) in before
    for demand in (*DEMANDS[code], CONFIRM[code], NO_DEBT[code], Translator(code).t("report.demo")):
        assert without_spaces(demand) in body, demand
    assert without_spaces(Translator(code).t("rights.debt")) in before
    assert "快易花" in body
    assert APP in body
    assert body.count(without_spaces(BLANK_FIELD)) >= 7
    for item in rights.load_rights(country).articles_for("stop"):
        assert without_spaces(rights.in_language(item.name, code)) in body
    # What the owner's copy and the clone can read stands there; each has grants of its own.
    assert without_spaces(Translator(code).t("report.user_clone", user=999)) in body


@pytest.mark.parametrize("country", COUNTRIES)
def test_complaint_names_offices_of_the_country(demo_report, country):
    code = rights.load_rights(country).country.letter
    body = without_spaces(letter_body(render_letter(demo_report, country, LetterKind.COMPLAINT)))
    known = rights.load_rights(country)
    for item in known.office:
        name = without_spaces(rights.in_language(item.name, code))
        assert (name in body) == (
            item.letter
            or name in without_spaces("".join(rights.in_language(i.name, code) for i in known.office if i.letter))
        )
    assert without_spaces(NO_DEBT[code]) in body
    assert without_spaces(Translator(code).t("papers.judge")) in body


@pytest.mark.parametrize("country", ["CN", "KE"])
def test_evidence_list_has_every_line_of_this_app_only(demo_report, country):
    text = render_letter(demo_report, country, LetterKind.EVIDENCE_LIST)
    lines = {one.text.strip() for finding in demo_report.findings if finding.package == APP for one in finding.evidence}
    assert lines
    for line in lines:
        assert without_spaces(line) in without_spaces(text)
    for other in {app.package for app in demo_report.apps} - {APP}:
        assert other not in text
    assert without_spaces(demo_report.knowledge.signatures.sha256) in without_spaces(text)
    assert text.count(Translator(rights.load_rights(country).country.letter).t("papers.log_witness")) == 14


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("kind", [kind for kind in LetterKind if kind.is_sent])
def test_only_app_fields_are_filled_in(demo_report, country, kind):
    known = rights.load_rights(country)
    blocks = letters.draft_letter(demo_report, APP, kind, known).blocks
    rows = dict(row for block in blocks if isinstance(block, FieldList) for row in block.rows)
    say = Translator(known.country.letter).t
    assert {name for name, value in rows.items() if value is not None} == {
        say(f"papers.{name}") for name in ("app", "package", "version")
    }
    assert {say(f"papers.{name}") for name in ("from", "date", "reach", "signature", "to_reach")} <= rows.keys()


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("kind", LetterKind)
def test_letters_acknowledge_no_debt_and_offer_no_payment(demo_report, country, kind):
    body = (
        letter_body(render_letter(demo_report, country, kind))
        if kind.is_sent
        else render_letter(demo_report, country, kind)
    )
    for offers in OFFERS.values():
        assert not re.search(offers, body.replace("合同、每一笔还款", ""), re.IGNORECASE)


def test_letters_are_in_the_language_of_the_country():
    assert {code: rights.load_rights(code).country.letter for code in COUNTRIES} == {
        code: LETTER_LANGUAGES.get(code, "en") for code in COUNTRIES
    }


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


@pytest.mark.parametrize("country", LETTER_LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_translated_letter_has_no_english_sentence(demo_report, country, kind):
    known = rights.load_rights(country)
    document = letters.draft_letter(demo_report, APP, kind, known)
    named = {words["en"] for _, item in known.all_items() for words in (item.name, item.text) if words is not None}
    named -= {
        rights.in_language(words, document.language_code)
        for _, item in known.all_items()
        for words in (item.name, item.text)
        if words
    }
    said = {sentence for key, words in ENGLISH.items() if key.startswith("papers.") for sentence in forms(words)}
    said -= {sentence for words in TRANSLATED[document.language_code].values() for sentence in forms(words)}
    for piece in sentences_of(document):
        assert piece not in said
        assert not [english for english in named if english in piece]
        assert not re.search(r"\b(?:the|and|of|is|you|your|with|not|was)\b", piece), piece


@pytest.mark.parametrize("country", COUNTRIES)
def test_unreviewed_translation_has_a_notice(demo_report, country, monkeypatch):
    code = rights.load_rights(country).country.letter
    mark = without_spaces(Translator(code).t("report.unreviewed"))
    for reviewed in (False, True):
        monkeypatch.setattr(catalog, "is_reviewed", lambda one, known=reviewed: known or one == "en")
        for kind in (LetterKind.DELETION, LetterKind.COMPLAINT):
            letter = render_letter(demo_report, country, kind)
            assert (mark in without_spaces(letter.partition("=" * 80)[0])) == (code != "en" and not reviewed)
            assert mark not in without_spaces(letter_body(letter))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_hostile_labels_are_escaped(made, attack):
    app = made.app(label=attack, version_name=attack, contacts=made.access("can_read"))
    report = made.report(app)
    for kind in LetterKind:
        page = render_letter(report, "CN", kind, "html", "com.example.made")
        assert "<script>" not in page
        assert "default-src &#39;none&#39;" in page
        assert not {char for char in page if char in "\u202e\u2066\u061c\x1b\x9b"}
        text = render_letter(report, "CN", kind, "txt", "com.example.made")
        assert "\nResult  nothing found" not in text
        marked = render_letter(report, "CN", kind, "md", "com.example.made")
        assert "<script>" not in marked


def test_phone_text_in_html_is_isolated_in_bdi(made):
    page = render_letter(
        made.report(made.app(label="قرض", contacts=made.access("can_read"))),
        "PK",
        LetterKind.DELETION,
        "html",
        "com.example.made",
    )
    assert "<bdi>قرض</bdi>" in page
    assert "<bdi>com.example.made</bdi>" in page


@pytest.mark.parametrize("file_format", DOCUMENT_FORMATS)
def test_instructions_come_before_the_letter(demo_report, file_format):
    text = render_letter(demo_report, "CN", LetterKind.DELETION, file_format)
    title = Translator("zh").t("papers.title_deletion")
    place = text.index(f">{title}</h1>" if file_format == "html" else title)
    assert text.index("对方发现了") < place


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
    ],
    ids=["country", "no country", "kind", "form", "not asked"],
)
def test_letter_command_refusals(run, saved, arguments, code, said):
    done = letter(run, saved, *arguments)
    assert done.code == code
    assert said in done.err
    assert done.out == ""
    assert "What to do: " in done.err


def test_letter_command_requires_a_report(run, tmp_path):
    (tmp_path / "check.zip").write_bytes(b"PK")
    for name, said in (("check.zip", "is not a saved report"), ("nowhere.json", "does not exist")):
        done = run("letter", name, "--app", APP, "--kind", "deletion", "--country", "CN", cwd=tmp_path)
        assert done.code == 4
        assert said in done.err


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
    framed = [block for block in filled.blocks if isinstance(block, Heading | Notice)]
    assert [block for block in framed if block not in blank.blocks] == [
        Heading(Translator(blank.language_code).t("papers.list_lines"))
    ] * (kind is LetterKind.EVIDENCE_LIST)
