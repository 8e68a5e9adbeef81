"""Letters: what they demand, what they never say, and what is refused instead of guessed."""

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
LETTERS = {"CN": "zh", "ID": "id", "MX": "es"}
"""Where letters are written in another language than English."""
DEMANDS = {
    "en": (
        "Stop.",
        "to whom you gave them, and on what ground",
        "Delete these data",
        "employer, and your written mandate",
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
    "zh": ("停止。", "提供给了谁，依据是什么", "删除这些信息", "所在公司，并附上你方的书面委托"),
}
CONFIRM = {
    "en": "Confirm in writing by",
    "es": "Que confirmen por escrito, a más tardar",
    "id": "Nyatakan secara tertulis paling lambat",
    "zh": "书面答复办理结果",
}
NO_DEBT = {
    "en": "This letter concerns personal data only. It admits no debt and changes no right about it.",
    "es": "Esta carta trata solo de datos personales. No reconoce ninguna deuda y no cambia ningún derecho sobre ella.",
    "id": (
        "Surat ini hanya mengenai data pribadi. Surat ini tidak mengakui utang apa pun dan tidak mengubah hak apa pun "
        "tentangnya."
    ),
    "zh": "本函只涉及个人信息，不承认任何债务，也不改变与债务有关的任何权利。",
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


def squeezed(text):
    return re.sub(r"\s+", "", text)


def shown(report, country, kind, form="txt", app=APP):
    return render_document(letters.draft_letter(report, app, kind, rights.load_rights(country)), form)


def sent(text):
    """The part of a text letter that leaves the house."""
    return text.partition("=" * 80)[2]


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_demand_for_the_demo_story_in_every_country(demo_report, country):
    code = rights.load_rights(country).country.letter
    letter = shown(demo_report, country, LetterKind.DELETION)
    before, body = squeezed(letter.partition("=" * 80)[0]), squeezed(sent(letter))
    assert squeezed(NOTICE[code]) in before
    for demand in (*DEMANDS[code], CONFIRM[code], NO_DEBT[code], Translator(code).t("report.demo")):
        assert squeezed(demand) in body, demand
    assert squeezed(Translator(code).t("rights.debt")) in before
    assert "快易花" in body
    assert APP in body
    assert body.count(squeezed(BLANK_FIELD)) >= 7
    for item in rights.load_rights(country).articles_for("stop"):
        assert squeezed(item.name.in_language(code)) in body
    # What the owner's copy and the clone can read stands there; each has grants of its own.
    assert squeezed(Translator(code).t("report.user_clone", user=999)) in body


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_complaint_goes_to_offices_of_the_country(demo_report, country):
    code = rights.load_rights(country).country.letter
    body = squeezed(sent(shown(demo_report, country, LetterKind.COMPLAINT)))
    known = rights.load_rights(country)
    for item in known.office:
        name = squeezed(item.name.in_language(code))
        assert (name in body) == (
            item.letter or name in squeezed("".join(i.name.in_language(code) for i in known.office if i.letter))
        )
    assert squeezed(NO_DEBT[code]) in body
    assert squeezed(Translator(code).t("papers.judge")) in body


@pytest.mark.parametrize("country", ["CN", "KE"])
def test_the_list_names_every_line_of_the_app_and_no_other_app(demo_report, country):
    text = shown(demo_report, country, LetterKind.EVIDENCE_LIST)
    lines = {one.text.strip() for finding in demo_report.findings if finding.package == APP for one in finding.evidence}
    assert lines
    for line in lines:
        assert squeezed(line) in squeezed(text)
    for other in {app.package for app in demo_report.apps} - {APP}:
        assert other not in text
    assert squeezed(demo_report.knowledge.signatures.sha256) in squeezed(text)
    assert text.count(Translator(rights.load_rights(country).country.letter).t("papers.log_witness")) == 14


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("kind", [kind for kind in LetterKind if kind.is_sent])
def test_only_the_app_is_filled_in(demo_report, country, kind):
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
def test_no_letter_owns_a_debt_or_offers_payment(demo_report, country, kind):
    body = sent(shown(demo_report, country, kind)) if kind.is_sent else shown(demo_report, country, kind)
    for offers in OFFERS.values():
        assert not re.search(offers, body.replace("合同、每一笔还款", ""), re.IGNORECASE)


def test_letters_are_in_the_language_of_the_country():
    assert {code: rights.load_rights(code).country.letter for code in COUNTRIES} == {
        code: LETTERS.get(code, "en") for code in COUNTRIES
    }


def pieces(paper):
    """Every sentence of a paper that is ours, apart from the others."""
    for block in paper.blocks:
        match block:
            case Title(text) | Heading(text) | Paragraph(text):
                yield text
            case ItemList(items) | Notice(_, items):
                yield from items
            case FieldList(rows):
                yield from (name for name, _ in rows)


@pytest.mark.parametrize("country", LETTERS)
@pytest.mark.parametrize("kind", LetterKind)
def test_a_letter_in_another_language_has_no_english_sentence(demo_report, country, kind):
    known = rights.load_rights(country)
    paper = letters.draft_letter(demo_report, APP, kind, known)
    named = {words.en for _, item in known.all_items() for words in (item.name, item.text) if words is not None}
    named -= {
        words.in_language(paper.language_code)
        for _, item in known.all_items()
        for words in (item.name, item.text)
        if words
    }
    said = {sentence for key, words in ENGLISH.items() if key.startswith("papers.") for sentence in forms(words)}
    said -= {sentence for words in TRANSLATED[paper.language_code].values() for sentence in forms(words)}
    for piece in pieces(paper):
        assert piece not in said
        assert not [english for english in named if english in piece]
        assert not re.search(r"\b(?:the|and|of|is|you|your|with|not|was)\b", piece), piece


@pytest.mark.parametrize("country", COUNTRIES)
def test_whoever_sends_a_translation_is_told_that_nobody_checked_it(demo_report, country, monkeypatch):
    code = rights.load_rights(country).country.letter
    mark = squeezed(Translator(code).t("report.unreviewed"))
    for reviewed in (False, True):
        monkeypatch.setattr(catalog, "is_reviewed", lambda one, known=reviewed: known or one == "en")
        for kind in (LetterKind.DELETION, LetterKind.COMPLAINT):
            letter = shown(demo_report, country, kind)
            assert (mark in squeezed(letter.partition("=" * 80)[0])) == (code != "en" and not reviewed)
            assert mark not in squeezed(sent(letter))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_attacks_in_names_and_versions(made, attack):
    app = made.app(label=attack, version_name=attack, contacts=made.access("can_read"))
    report = made.report(app)
    for kind in LetterKind:
        page = shown(report, "CN", kind, "html", "com.example.made")
        assert "<script>" not in page
        assert "default-src &#39;none&#39;" in page
        assert not {char for char in page if char in "\u202e\u2066\u061c\x1b\x9b"}
        text = shown(report, "CN", kind, "txt", "com.example.made")
        assert "\nResult  nothing found" not in text
        marked = shown(report, "CN", kind, "md", "com.example.made")
        assert "<script>" not in marked


def test_phone_text_in_html_has_a_direction_of_its_own(made):
    page = shown(
        made.report(made.app(label="قرض", contacts=made.access("can_read"))),
        "PK",
        LetterKind.DELETION,
        "html",
        "com.example.made",
    )
    assert "<bdi>قرض</bdi>" in page
    assert "<bdi>com.example.made</bdi>" in page


@pytest.mark.parametrize("form", DOCUMENT_FORMATS)
def test_a_page_for_the_writer_comes_first_and_is_no_part_of_the_letter(demo_report, form):
    text = shown(demo_report, "CN", LetterKind.DELETION, form)
    title = Translator("zh").t("papers.title_deletion")
    place = text.index(f">{title}</h1>" if form == "html" else title)
    assert text.index("对方发现了") < place


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_report_without_findings_gives_no_letter(made):
    for report in (made.report(), made.report(made.app(), findings=())):
        with pytest.raises(SourceError) as error:
            shown(report, "CN", LetterKind.DELETION, app="com.example.made")
        assert error.value.name == "nothing_to_write_about"


def test_an_app_of_which_nothing_was_found_gives_no_letter(made):
    report = made.report(made.app(), made.app("com.example.other"), findings=(made.finding(made.app()),))
    for app in ("com.example.other", "com.example.nowhere", ""):
        with pytest.raises(UsageError) as error:
            shown(report, "CN", LetterKind.DELETION, app=app)
        assert error.value.values["known"] == ("com.example.made",)


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(demo_report, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(demo_report), encoding="utf-8")
    return file


def letter(run, saved, *arguments, **variables) -> SimpleNamespace:
    return run("letter", saved, "--app", APP, *arguments, cwd=saved.parent, **variables)


def test_the_letter_command_writes_each_form_private(run, saved):
    files = [saved.parent / f"letter.{form}" for form in DOCUMENT_FORMATS]
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
        (["--kind", "deletion", "--country", "CN"], 2, "nobody is at the keyboard"),
    ],
    ids=["country", "no country", "kind", "form", "not asked"],
)
def test_what_is_refused(run, saved, arguments, code, said):
    done = letter(run, saved, *arguments)
    assert done.code == code
    assert said in done.err
    assert done.out == ""
    assert "What to do: " in done.err


def test_what_is_no_report_is_refused(run, tmp_path):
    (tmp_path / "check.zip").write_bytes(b"PK")
    for name, said in (("check.zip", "is no saved report"), ("nowhere.json", "is not there")):
        done = run("letter", name, "--app", APP, "--kind", "deletion", "--country", "CN", cwd=tmp_path)
        assert done.code == 4
        assert said in done.err


def test_what_happens_if_they_notice_is_asked_first(environment, saved):
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


def test_rights_pages_of_the_command(run, tmp_path):
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
