"""Translations: the same placeholders, plural forms of the language, no forbidden words, and lines that fit.

A sentence that a language lacks is printed in English; ``make untranslated`` lists them. Only Chinese must be complete.
"""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from dataclasses import replace
from importlib import resources

import pytest
from rich.cells import cell_len

from privaudit.i18n import Translator, catalog
from privaudit.model import Message
from privaudit.report import revocation_text, txt
from privaudit.report.diff import compare_reports, diff_to_text
from privaudit.virtual_phone import scenario_names
from tests.fixtures.sentences import ENGLISH, TRANSLATED, forms, placeholders

CODES = sorted(TRANSLATED)
SCREENS = {
    area: comment
    for comment, area in re.findall(
        r"^# (.+)\n\[(\w+)\]$",
        (resources.files("privaudit") / "data" / "locales" / "en.toml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
"""Area → where its sentences are seen, as the comment above it says."""
NUMBERS = range(200)

OS_ERRORS = ("ENOSPC", "EACCES", "EPERM", "EROFS", "ENOENT", "EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "EIO")


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("name", OS_ERRORS)
def test_what_the_operating_system_says_of_a_file_is_in_the_users_language(code, name):
    said = os.strerror(getattr(errno, name))
    told = Translator(code).t("errors.not_written.why", reason=said)
    assert said not in told
    assert "{" not in told
    assert code == "en" or told != Translator("en").t("errors.not_written.why", reason=said)
    assert said in Translator(code).t("errors.source_missing.what", path=said)  # a file may be called so


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_translations_have_no_unknown_keys(code):
    assert sorted(TRANSLATED[code].keys() - ENGLISH.keys()) == []


@pytest.mark.parametrize("code", CODES)
def test_sentences_still_missing_are_listed_by_area(code):
    missing = sorted(ENGLISH.keys() - TRANSLATED[code].keys())
    total = Counter(key.partition(".")[0] for key in ENGLISH)
    by_area = Counter(key.partition(".")[0] for key in missing)
    lines = [f"{code}: {len(missing)} of {len(ENGLISH)} sentences are printed in English"]
    for area, count in by_area.most_common():
        lines.append(f"  {area:12} {count:4} of {total[area]:4}: {SCREENS.get(area, '')}")
        lines += (f"    {key}" for key in missing if key.startswith(f"{area}."))
    print("", *lines, sep="\n")  # noqa: T201 - the output of `make untranslated`
    assert code != "zh" or not missing


BORROWERS_AREAS = {
    *("data_access", "lending", "listed", "named", "special_access", "suspect", "steps", "report", "rules"),
    *("coverage", "remedy", "diff", "apk", "vetting", "vetted"),
}
"""What a borrower reads on the page and in the terminal, also of an APK before it is installed."""


@pytest.mark.parametrize("code", CODES)
def test_no_language_shows_a_borrower_an_english_sentence(code):
    missing = ENGLISH.keys() - TRANSLATED[code].keys()
    assert sorted(key for key in missing if key.partition(".")[0] in {*BORROWERS_AREAS, "rights"}) == []


@pytest.mark.parametrize("code", CODES)
def test_every_language_has_its_own_dates(code):
    for name in ("minute", "day", "month", "year", "short", "months", "separator", "last_separator", "unknown"):
        assert f"dates.{name}" in TRANSLATED[code], name
    language = Translator(code)
    assert len(str(TRANSLATED[code]["dates.months"]).split()) == 12
    assert len({language.format_date(f"2026-{month:02}-08") for month in range(1, 13)}) == 12
    for iso in ("2026-01-08T21:14:00+08:00", "2026-01-08", "2026-01", "2026"):
        assert "2026" in language.format_date(iso)


@pytest.mark.parametrize("code", CODES)
def test_translations_have_the_placeholders_of_the_english(code):
    wrong = [
        (key, sentence)
        for key, words in TRANSLATED[code].items()
        if not key.startswith("dates.")  # a language may leave the name of the month out for its number
        for sentence in forms(words)
        if placeholders(sentence) | {"n"} != set.union(*map(placeholders, forms(ENGLISH[key]))) | {"n"}
    ]
    assert wrong == []


# --- plural forms -----------------------------------------------------------------------------------------------------


def counts(code):
    """Which numbers each form stands for."""
    found = {}
    for number in NUMBERS:
        found.setdefault(catalog.plural_form(code, number), set()).add(number)
    return found


@pytest.mark.parametrize("code", ["en", *CODES])
def test_plural_forms_match_the_language(code):
    stands_for = counts(code)
    for key, sentence in (ENGLISH if code == "en" else TRANSLATED[code]).items():
        if isinstance(sentence, str):
            assert isinstance(ENGLISH[key], str) or set(stands_for) == {"other"}, f"{key} needs {set(stands_for)}"
            continue
        assert set(sentence) == set(stands_for), key
        for form, said in sentence.items():
            # A form that stands for several numbers has to say which one; "1 app" would be wrong of 21.
            assert (
                len(stands_for[form]) == 1 or "n" in placeholders(said) or "n" not in placeholders(sentence["other"])
            ), key


@pytest.mark.parametrize(
    ("code", "ones"),
    [  # CLDR, plural rules for whole numbers
        ("en", {1}),
        ("es", {1}),
        ("sw", {1}),
        ("hi", {0, 1}),
        ("fil", {0, 1, 2, 3, 5, 7, 8, 10, 11, 12, 13, 15, 17, 18}),
        ("id", set()),
        ("zh", set()),
    ],
)
def test_plural_rules_follow_cldr(code, ones):
    assert {number for number in range(20) if catalog.plural_form(code, number) == "one"} == ones
    assert catalog.plural_form(code, None) == "other"


def test_english_fallback_uses_english_plurals(monkeypatch):
    """Five is "one" in Filipino: an English sentence that stands in must not say "1 app" for it."""
    whole = catalog.sentence
    monkeypatch.setattr(
        catalog, "sentence", lambda key, code: None if (key, code) == ("report.found_own", "fil") else whole(key, code)
    )
    assert Translator("fil").t("report.found_own", n=5) == "5 of them are on your own list."
    assert Translator("fil").t("report.days", n=5) == "5 araw"
    assert Translator("fil").t("report.days", n=6) == "6 na araw"


def test_singular_and_plural():
    assert Translator("es").t("report.days", n=1) == "1 día"
    assert Translator("es").t("report.days", n=2) == "2 días"
    assert Translator("id").t("report.days", n=1) == "1 hari"
    assert Translator("id").t("report.scope_is", users=("a", "b", "c")) == "a, b dan c."


@pytest.mark.parametrize(
    ("code", "minute", "month"),
    [
        ("id", "8 Januari 2026, 21.14", "Januari 2026"),
        ("es", "8 de enero de 2026, 21:14", "enero de 2026"),
        ("fil", "Enero 8, 2026, 21:14", "Enero 2026"),
    ],
)
def test_dates(code, minute, month):
    assert Translator(code).format_date("2026-01-08T21:14:00+08:00") == minute
    assert Translator(code).format_date("2026-01") == month


# --- what may not be said ---------------------------------------------------------------------------------------------

NEVER = {
    # malicious, illegal, fraud, safe, clean, victim, blacklist, forensic
    "es": (
        r"malicios\w*|malintencionad\w*|ilegal\w*|ilícit\w*|delict?\w*|fraud\w*|estaf\w*|segur[oa]s?|limpi[oa]s?"
        r"|víctimas?|lista negra|forense\w*|peritaje"
    ),
    "fil": (
        r"mapaminsala|nakakahamak|malisyoso\w*|ilegal|iligal|labag sa batas|krimen|kriminal|panloloko|manloloko|scam\w*"
        r"|estafa|panlilinlang|ligtas|malinis|biktima|blacklist|forensi\w*"
    ),
    "hi": r"दुर्भावनापूर्ण|गैर-?क़?ानूनी|अवैध|धोखाधड़ी|धोखेबाज़?|सुरक्षित|साफ़|पीड़ित|ब्लैकलिस्ट|काली सूची|फ़ॉरेंसिक|फोरेंसिक",
    "id": (
        r"berbahaya|jahat|kejahatan|ilegal|melawan hukum|kriminal|penipuan|penipu|menipu|aman|bersih|korban"
        r"|daftar hitam|forensik"
    ),
    "sw": (
        r"hasidi|haramu|kinyume cha sheria|ulaghai|utapeli|laghai|tapeli"
        r"|salama|safi|waathirika|mwathirika|mhanga|forensiki"
    ),
    "zh": "黑名单|高危|恶意|诈骗|违法|非法|安全|干净|放心|鉴定|取证|存证|受害者|网贷逾期",
}
ALLOWED = {
    ("es", "report.user_secure_folder"),  # Samsung's name of the thing, "Carpeta segura", "Folder Aman":
    ("es", "steps.copy_secure_folder"),  # under another nobody finds it
    ("id", "report.user_secure_folder"),
    ("id", "steps.copy_secure_folder"),
    ("zh", "report.user_secure_folder"),
    ("zh", "steps.copy_secure_folder"),
    ("zh", "report.not_advice"),  # the sentence that says that this sheet does not judge
    ("zh", "kit.iphone_1"),  # the word of Apple's own menu: Privacy & Security
    ("zh", "kit.iphone_6"),
    ("zh", "makers.samsung"),  # where Samsung's menu leads, and
    ("zh", "makers.xiaomi"),  # what Xiaomi calls the switch that is better left alone
}


@pytest.mark.parametrize("code", CODES)
def test_words_that_are_never_printed(code):
    bound = "" if code == "zh" else r"(?<!\w)"
    end = "" if code == "zh" else r"(?!\w)"
    never = re.compile(rf"{bound}(?:{NEVER[code]}){end}", re.IGNORECASE)
    said = {(code, key) for key, words in TRANSLATED[code].items() if never.search(" ".join(forms(words)))}
    assert said == {pair for pair in ALLOWED if pair[0] == code}


@pytest.mark.parametrize(
    ("key", "words"),
    [  # what the sentences that matter most must keep saying
        ("data_access.can_read", {"id": "bukan berarti", "es": "no que lo hizo", "fil": "hindi ibig sabihin"}),
        (
            "report.no_record",
            {"id": "tidak berarti tidak pernah", "es": "no quiere decir nunca", "fil": "hindi kailanman"},
        ),
        (
            "report.last_read",
            {"id": "tidak tercatat", "es": "No está registrado cuánto, ni si se envió", "fil": "Hindi nakatala"},
        ),
        (
            "listed.A",
            {
                "id": "belum tentu aplikasi yang sama",
                "es": "no tiene que ser la misma",
                "fil": "hindi nangangahulugang",
            },
        ),
        (
            "listed.B",
            {
                "id": "belum tentu aplikasi yang sama",
                "es": "no tiene que ser la misma",
                "fil": "hindi nangangahulugang",
            },
        ),
        ("report.found_gaps", {"id": "belum semuanya", "es": "esto no es todo", "fil": "hindi ito ang lahat"}),
        (
            "report.nothing_gaps",
            {"id": "tidak berarti ponselnya baik-baik saja", "es": "no quiere decir", "fil": "Hindi ibig sabihin"},
        ),
        (
            "steps.no_recall",
            {"id": "tidak bisa ditarik kembali", "es": "no se puede recuperar", "fil": "Hindi na mababawi"},
        ),
        (
            "report.not_advice",
            {"id": "bukan nasihat hukum", "es": "no es asesoría legal", "fil": "Hindi legal na payo"},
        ),
        ("steps.notice", {"id": "siapa yang akan membantu", "es": "quién le va a ayudar", "fil": "sino ang tutulong"}),
        ("cli.allow", {"id": "Jangan centang", "es": "No marque", "fil": "Huwag lagyan ng tsek"}),
    ],
)
def test_the_sentences_that_matter_most(key, words):
    for code, part in words.items():
        assert all(part in sentence for sentence in forms(TRANSLATED[code][key])), code


# --- the mark ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_an_unreviewed_translation_is_marked_everywhere(demo_report, code):
    language = Translator(code)
    mark = language.t("report.unreviewed")
    assert mark != Translator("en").t("report.unreviewed")
    assert (language.review_notice is None) == catalog.is_reviewed(code)
    later = replace(demo_report, taken_at=demo_report.taken_at.replace(year=demo_report.taken_at.year + 1))
    for shown in (
        txt.render(demo_report, language),
        diff_to_text(compare_reports(demo_report, later), language),
        revocation_text.render_steps(demo_report, language, frozenset()),
        revocation_text.usb_debugging_steps("aosp", language),
    ):
        assert (mark in " ".join(shown.split()) or mark in shown.replace("\n", "")) == (not catalog.is_reviewed(code))


def test_a_reviewed_translation_and_english_are_not_marked(monkeypatch):
    assert Translator("en").review_notice is None
    monkeypatch.setattr(catalog, "_load_area", lambda *_: {"reviewed_by": "A. Speaker"})
    assert Translator("id").review_notice is None
    monkeypatch.setattr(catalog, "_load_area", lambda *_: {})
    assert Translator("id").review_notice == Message(key="report.unreviewed")


# --- reports ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("story", scenario_names())
def test_every_scenario_renders_in_every_language(report_of, story, code):
    shown = txt.render(report_of(story), Translator(code))
    for line in shown.splitlines():
        assert cell_len(line) <= txt.DEFAULT_WIDTH, line
        assert not re.search(r"\[[a-z_]+\.[\w.]+\]", shown)


@pytest.mark.parametrize("code", ["en", *CODES])
def test_table_words_fit_their_columns(code):
    language = Translator(code)
    cells = [key for key in ENGLISH if re.match(r"report\.(?:state|why|history)_", key)]
    cells = [key for key in cells if not key.startswith(("report.why_user", "report.history_not_read"))]
    for key in [*cells, "report.contacts", "report.sms", "report.call_log", "report.legend_word_recorded"]:
        said = language.t(key, day_short="2026-09-28", ago=Message(key="report.days", values={"n": 59}))
        assert cell_len(said) < txt._CELL_COLUMNS, f"{key}: {said}"
    for name in ("checked", "phone", "how", "scope"):
        assert cell_len(language.t(f"report.{name}")) < txt._HEADER_LABEL_COLUMNS, name
    for name in ("summary", "remember", "next", "leaving"):
        assert cell_len(language.t(f"report.{name}")) < txt._SUMMARY_LABEL_COLUMNS, name
    notes = [key for key in ENGLISH if key.startswith("report.note_")]
    room = txt.DEFAULT_WIDTH - 3 * txt._CELL_COLUMNS - txt._INDENT_COLUMNS - 2
    for key in notes:
        assert cell_len(language.t(key)) < room, key


@pytest.mark.parametrize("code", ["en", *CODES])
def test_words_of_the_document_on_an_apk_fit_their_columns(code):
    language = Translator(code)
    labels = ("file", "app", "signer", "made_for", "result")
    heads = ("table_app", "table_lists", "contacts", "sms", "call_log")
    states = [key for key in ENGLISH if key.startswith(("vetted.state_", "vetted.cell_"))]
    other_data = ("phone", "location", "media", "app_list")
    for keys, columns in ((labels, 10), (heads, 14), (states, 14), (other_data, 16)):
        for key in keys:
            assert cell_len(language.t(key if "." in key else f"vetted.{key}")) < columns, key


# --- which language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_GB", "LANG": "zh_CN"}, "en"),
        ({"LC_ALL": "C", "LANG": "id_ID.UTF-8"}, "en"),
        ({"LANG": "tlh"}, "en"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "in_ID"}, "id"),
        ({"LC_MESSAGES": "fil_PH.UTF-8", "LANG": "en_US"}, "fil"),
        ({"LANG": "tl_PH.utf8"}, "fil"),
        ({"LANG": "es_MX.UTF-8"}, "es"),
        ({"LANG": "es-419"}, "es"),
        ({"LANG": "es@euro"}, "es"),
    ],
)
def test_system_language_from_environment_variables(monkeypatch, variables, code):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert catalog.system_language() == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Chinese (Simplified)_China", "zh"),
        ("Indonesian_Indonesia", "id"),
        ("Spanish_Mexico", "es"),
        ("Spanish (Mexico)_Mexico", "es"),
        ("Filipino_Philippines", "fil"),
        ("id_ID", "id"),
        ("English_United States", "en"),
        ("German_Germany", "en"),
        (None, "en"),
    ],
)
def test_system_language_on_windows(monkeypatch, name, code):
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("locale.getlocale", lambda: (name, "cp1252"))
    assert catalog.system_language() == code


def test_system_language_of_an_unparsable_locale(monkeypatch):
    def unknown():
        raise ValueError("unknown locale: UTF-8")

    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("locale.getlocale", unknown)
    assert catalog.system_language() == "en"


def test_the_help_names_every_language(monkeypatch):
    from privaudit.cli import options

    said = options.help_text("cli.lang")
    assert all(re.search(rf"\b{code}\b", said) for code in catalog.languages())
