"""A list with an app's name is told beside what recognises the app, and nothing else depends on it."""

from __future__ import annotations

import csv as tables
import io
import json
import shutil
from dataclasses import replace

import pytest

from privaudit import audit, knowledge
from privaudit.findings import legal_rules, named
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import loader
from privaudit.knowledge.export import list_to_toml
from privaudit.knowledge.schema import ListSource, SignatureRow
from privaudit.model import AppSummary, Lending, LendingVerdict, Message, PhoneClock
from privaudit.report import app_details, csv, html, share, txt
from privaudit.report import json as report_json
from privaudit.report.view import ReportView

LENDS = Lending(verdict=LendingVerdict.LIKELY, reasons=(Message(key="lending.name", values={"words": ("kredit",)}),))
LISTED = "An app of this name is on the list of Bank of Examplia of 15 June 2023. Many apps share names."


@pytest.fixture
def lists(tmp_path):
    """Load a list with these rows, or names, for Ghana, beside one that says nothing; ``more`` has further lists."""

    def make(*rows, kind="risky", user=False, more=(), **source):
        folder, own_file = tmp_path / "lists", tmp_path / "mine.toml"
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / "risky").mkdir(exist_ok=True)
        for name in ("vocabulary.toml", "stores.toml"):
            shutil.copy(str(loader.shipped_folder() / name), folder / name)
        given = {"publisher": "Bank of Examplia", "title": "Unlicensed lenders", "date": "2023-06-15", "country": "GH"}
        given |= {"licence": "facts", "refreshed": "by hand"}
        given |= {"status": "market_lender"} if kind == "lenders" else {"tier": "B", "action": "unlicensed"}
        nothing = ListSource(publisher="Nobody", title="x", licence="x", refreshed="x", tier="B", action="x")
        texts = {
            folder / "risky" / "nothing.toml": list_to_toml(nothing, [SignatureRow(package="com.example.nowhere")])
        }
        for number, (changed, given_rows) in enumerate(((source, rows), *more)):
            file = own_file if user else folder / kind / f"list-{number}.toml"
            own_rows = [row if isinstance(row, SignatureRow) else SignatureRow(names=(row,)) for row in given_rows]
            texts[file] = list_to_toml(ListSource(**{**given, **changed}), own_rows)
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
        return knowledge.load_knowledge(folder=folder, extra_lists=[own_file] if user else ())

    return make


def names_found(made, known, label, countries=("GH",), **changed):
    app = made.app(label=label, **{"lending": LENDS, **changed})
    return [match.name for match in named.annotate_named(app, known, countries).named]


@pytest.mark.parametrize(
    "label",
    [
        "Kredit Cepat",
        "kreditcepat",
        "KREDIT-CEPAT!",
        "Kredit Cepat - Pinjaman Online",
        "Kredit Cepat – Pinjaman Online",
        "Kredit Cepat—Pinjaman",
        "Kredit Cepat -- Pinjaman",
        "Kredit Cepat- Pinjaman",
        "Ｋｒｅｄｉｔ Ｃｅｐａｔ",
        "Kredit\u200bCepat",  # what nobody sees makes no other name
        "Kre\u00addit\u2060 Cepat\ufe0f",
        "💰 Kredit Cepat 💰",
        "Kredit\nCepat",
        "- Kredit Cepat",  # nothing stands before this dash
    ],
)
def test_an_equal_name_is_told(made, lists, label):
    assert names_found(made, lists("Kredit Cepat"), label) == ["Kredit Cepat"]


@pytest.mark.parametrize(
    "label",
    [
        None,
        "",
        "Kredit",
        "Cepat",
        "Kredit Cepat Plus",
        "Kredit Cepats",
        "Kredit Cepa",
        "Kredit Cepát",
        "Kredit-Plus Cepat",
        "Pinjaman Online - Kredit Cepat",
        "Kredit\u200bCepats",
        "Kredit Cepat" + "x" * 300,
        "💰💰💰",
        "\u200b\u200b\u200b",
    ],
)
def test_another_name_is_not(made, lists, label):
    assert names_found(made, lists("Kredit Cepat"), label) == []


@pytest.mark.parametrize("name", ["💰", "💰💰💰", "12", "1234", "KC", "K-C", "1-2-3", "\u200b\u200b\u200b"])
def test_a_name_with_too_little_in_it_equals_none(made, lists, name):
    known = lists(name)
    for label in (name, "💰", "1234", "123", "KC", "ab", "ab - Cepat", ""):
        assert names_found(made, known, label) == []
    assert names_found(made, lists("ab - Kredit"), "ab") == []


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Duit Saku - pinjolnya masa kini", "Duit Saku"),
        ("Duit Saku – pinjolnya masa kini", "Duit Saku - aman"),
        ("Duit Saku - pinjolnya masa kini", "duit saku, PINJOLNYA masa kini"),
        ("急用借贷", "急用借贷-借钱"),
        ("तुरंत ऋण", "तुरंतऋण"),
        ("E-Cash Loans", "ECash Loans"),
    ],
)
def test_both_may_have_a_tail(made, lists, name, label):
    assert names_found(made, lists(name), label) == [name]


def test_what_stands_before_a_tail_counts_only_if_it_is_no_name_of_honest_apps(made, lists):
    """Regulators list imitations of lenders that they licensed, and names that are words."""
    tails = ("Rupiah Cepat - Dana Kilat", "Dana Baik - uang", "Pinjaman - cepat", "Duit Saku - uang")
    unsafe = SignatureRow(names=("Rupiah Cepat",), name_match="unsafe")
    known = lists(*tails, unsafe)
    assert names_found(made, known, "Duit Saku") == ["Duit Saku - uang"]
    assert names_found(made, known, "Rupiah Cepat") == []
    assert names_found(made, known, "Pinjaman") == []  # a word of the vocabulary
    assert names_found(made, known, "Rupiah Cepat - Dana Kilat") == ["Rupiah Cepat - Dana Kilat"]
    lender = replace(known.lists[0], kind="lenders", toml_data={"app": [{"names": ["Dana Baik"]}]})
    assert names_found(made, known, "Dana Baik") == ["Dana Baik - uang"]
    assert names_found(made, replace(known, lists=(*known.lists, lender)), "Dana Baik") == []


@pytest.mark.parametrize("verdict", [LendingVerdict.YES, LendingVerdict.LIKELY, LendingVerdict.EMBEDS])
def test_only_apps_that_other_signs_recognise_are_named(made, lists, verdict):
    known = lists("Kredit Cepat")
    assert names_found(made, known, "Kredit Cepat", lending=Lending(verdict=verdict)) == ["Kredit Cepat"]
    ordinary = Lending(verdict=LendingVerdict.NO)
    assert names_found(made, known, "Kredit Cepat", lending=ordinary) == []


def test_a_name_recognises_no_app(made, lists):
    """An ordinary app of the same name."""
    from privaudit.findings import recognise_apps

    known = lists("Teman Baik")
    (app,) = recognise_apps([made.app(label="Teman Baik", contacts=made.access("can_read"))], known)
    assert (app.lending.verdict, app.listed, app.is_recognised) == (LendingVerdict.NO, (), False)
    assert named.annotate_named(app, known, ("GH",)) == app
    assert "named" not in AppSummary.__dataclass_fields__  # so that it can decide nothing about a capture


@pytest.mark.parametrize("where", ["labels", "launcher_labels"])
def test_labels_of_every_language_and_under_every_icon_are_compared(made, lists, where):
    given = {"labels": {"en": "Tools", "id": "Kredit Cepat"}, "launcher_labels": ("Kredit Cepat",)}[where]
    app = named.annotate_named(made.app(label="Tools", lending=LENDS, **{where: given}), lists("Kredit Cepat"), ("GH",))
    assert [match.label for match in app.named] == ["Kredit Cepat"]
    sentences = [*app_details.app_sentences(ReportView(made.report(app), Translator("en")), app)]
    assert LISTED in sentences
    assert "This is about the name “Kredit Cepat”" in sentences[sentences.index(LISTED) + 1]


@pytest.mark.parametrize(
    ("countries", "rows", "told"),
    [
        (("GH",), (), True),
        (("NG",), (), False),
        ((), (), False),
        (("NG", "GH"), (), True),
        (("NG",), ("NG", "KE"), True),
        (("GH",), ("NG", "KE"), False),  # where a row has countries, they count
    ],
)
def test_only_lists_for_the_country_of_the_phone_count(made, lists, countries, rows, told):
    known = lists(SignatureRow(names=("Kredit Cepat",), countries=rows))
    assert bool(names_found(made, known, "Kredit Cepat", countries)) == told


def test_a_list_of_no_country_names_nothing(made, lists):
    assert names_found(made, lists("Kredit Cepat", country=None), "Kredit Cepat", ("GH", "NG")) == []


@pytest.mark.parametrize(
    ("languages", "zone", "chosen", "countries"),
    [
        (("en-GB",), "Africa/Accra", None, ("GB", "GH")),
        (("es-419", "es-MX"), None, None, ("MX",)),
        (("zh-Hans-CN",), "Asia/Shanghai", None, ("CN",)),
        (("sw",), "Africa/Dar_es_Salaam", None, ("TZ",)),
        (("en-GB",), "Africa/Accra", "NG", ("NG",)),
        (("en",), "Europe/Berlin", None, ()),
        ((), None, None, ()),
        ((), None, "PE", ("PE",)),
    ],
)
def test_the_countries_of_a_phone(made, languages, zone, chosen, countries):
    phone = made.phone(languages=languages)
    assert named.naming_countries(phone, PhoneClock(zone=zone, offset_s=None), chosen) == countries


def test_every_country_that_lists_have_names_for_has_a_time_zone():
    from privaudit.knowledge.rules import country_by_time_zone

    refs = [ref for one in knowledge.load_knowledge().lists if one.kind == "risky" for ref in one.row_refs]
    countries = {country for ref in refs if ref.row.names for country in ref.countries}
    assert countries - set(country_by_time_zone().values()) == set()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"tier": "A"}, LISTED),
        ({"tier": "B"}, LISTED),
        (
            {"tier": "N"},
            "An app of this name is named in a notice of Bank of Examplia of 15 June 2023. Many apps share",
        ),
        ({"tier": "B", "date": None}, "is on a list of Bank of Examplia that has no date. Many apps share names."),
        ({"tier": "N", "date": None}, "is named in a notice of Bank of Examplia that has no date. Many apps share"),
        ({"tier": "B", "date": "2023"}, "is on the list of Bank of Examplia of 2023. Many apps share names."),
        ({"kind": "lenders"}, None),  # also what collections of volunteers (tier C) are shipped as
        ({"user": True}, None),
        ({"user": True, "kind": "lenders"}, None),
    ],
    ids=str,
)
def test_what_is_said_of_each_tier(made, lists, source, told):
    app = named.annotate_named(made.app(label="Kredit Cepat", lending=LENDS), lists("Kredit Cepat", **source), ("GH",))
    text = " ".join(app_details.app_sentences(ReportView(made.report(app), Translator("en")), app))
    assert (told or "Bank of Examplia") in text if told else "Bank of Examplia" not in text
    assert bool(app.named) == (told is not None)


def test_a_row_of_names_that_honest_apps_share_is_left_out(made, lists):
    rows = (SignatureRow(names=("Kredit Cepat",), name_match="unsafe"), "Uang Hebat")
    assert names_found(made, lists(*rows), "Kredit Cepat") == []
    assert names_found(made, lists(*rows), "Uang Hebat") == ["Uang Hebat"]


def test_a_list_is_told_once(made, lists):
    """Twice on one list, in two files of one publisher, and on another list."""
    other = {"publisher": "Police of Examplia", "date": None}
    again = {"title": "Unlicensed lenders, names alone", "date": "2023-06"}
    known = lists("Kredit Cepat", "KreditCepat", more=((other, ["Kredit cepat"]), (again, ["Kredit Cepat"])))
    app = named.annotate_named(made.app(label="Kredit Cepat", lending=LENDS), known, ("GH",))
    assert [(match.publisher, match.date) for match in app.named] == [
        ("Bank of Examplia", "2023-06-15"),
        ("Police of Examplia", None),
    ]


def test_a_list_that_has_the_package_is_not_repeated(made, lists):
    known = lists("Kredit Cepat")
    same = made.listing("B", publisher="Bank of Examplia", date="2023-06-15")
    assert names_found(made, known, "Kredit Cepat", listed=(same,)) == []
    for other in ({"date": "2024-01"}, {"publisher": "Police"}):
        assert names_found(made, known, "Kredit Cepat", listed=(replace(same, **other),)) == ["Kredit Cepat"]
    own = replace(same, tier="own")
    assert names_found(made, known, "Kredit Cepat", listed=(own,)) == ["Kredit Cepat"]


def test_age_and_doubt_are_told_of_a_name(made, lists):
    row = SignatureRow(names=("Kredit Cepat",), disputed=True)
    app = named.annotate_named(made.app(label="Kredit Cepat", lending=LENDS), lists(row), ("GH",))
    sentences = [*app_details.app_sentences(ReportView(made.report(app), Translator("en")), app)]
    at = sentences.index(LISTED)
    assert "the list was more than 2 years old" in sentences[at + 1]
    assert "disputed" in sentences[at + 2]


# --- a whole report ---------------------------------------------------------------------------------------------------


@pytest.fixture
def reports(demo_capture, lists):
    """Reports on the demo phone of a Chinese borrower, with a list that has a name of its app and with one without."""
    with_name, without = (
        audit.build_report(demo_capture, lists(name), audit.ReportOptions(country="GH"))
        for name in ("速贷宝", "速贷宝宝")
    )
    return with_name, without


def test_no_finding_grade_or_count_depends_on_a_name(reports):
    with_name, without = reports
    assert [app.package for app in with_name.apps if app.named] == ["com.example.sudaibao"]
    stripped = replace(with_name, apps=tuple(replace(app, named=()) for app in with_name.apps))
    assert replace(stripped, knowledge=without.knowledge) == without
    assert with_name.counts.listed == 0


def test_the_country_of_the_phone_counts_without_the_option(demo_capture, lists):
    """The demo phone is set to China."""
    for country, told in (("CN", True), ("GH", False)):
        report = audit.build_report(demo_capture, lists("速贷宝", country=country), audit.ReportOptions())
        assert any(app.named for app in report.apps) == told
    report = audit.build_report(demo_capture, lists("速贷宝", country="CN"), audit.ReportOptions(country="GH"))
    assert not any(app.named for app in report.apps)


def test_a_name_stands_in_json_beside_the_lists(reports, tmp_path):
    file = tmp_path / "report.json"
    file.write_text(report_json.render(reports[0]), encoding="utf-8")
    (app,) = [app for app in json.loads(file.read_text(encoding="utf-8"))["apps"] if app["named"]]
    assert app["listed"] == []
    assert app["named"] == [
        {
            "signature": "list-0#1",
            "tier": "B",
            "publisher": "Bank of Examplia",
            "title": "Unlicensed lenders",
            "date": "2023-06-15",
            "country": "GH",
            "name": "速贷宝",
            "label": "速贷宝",
            "disputed": False,
        }
    ]
    read_back = report_json.read_report(file)
    assert [app.named for app in read_back.apps] == [app.named for app in reports[0].apps]
    assert txt.render(read_back, Translator("en")) == txt.render(reports[0], Translator("en"))


def test_a_saved_report_without_names_is_read(reports, tmp_path):
    document = json.loads(report_json.render(reports[0]))
    for app in document["apps"]:
        del app["named"]
    for key in ("names_for_country", "newest_for_country"):
        del document["knowledge"]["signatures"][key]
    file = tmp_path / "old.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    read_back = report_json.read_report(file)
    assert not any(app.named for app in read_back.apps)
    assert read_back.knowledge.signatures.names_for_country is None
    assert "app name" not in txt.render(read_back, Translator("en"))


@pytest.mark.parametrize("code", catalog.languages())
def test_every_format_and_language_tells_a_name(reports, code):
    language = Translator(code)
    said = language.t("named.on_list", publisher="Bank of Examplia", dated_on="2023-06-15")
    assert code == "en" or said != Translator("en").t(
        "named.on_list", publisher="Bank of Examplia", dated_on="2023-06-15"
    )
    with_name, without = reports
    plain, page = (render(with_name, language) for render in (txt.render, html.render))
    assert "".join(said.split()) in "".join(plain.split()).replace("·", "")
    assert "Bank of Examplia" in page
    assert "Bank of Examplia" not in txt.render(without, language) + html.render(without, language)
    table = csv.render(with_name, language).removeprefix("\ufeff")
    header, *rows = tables.reader(io.StringIO(table, newline=""))
    words = header if code == "en" else rows.pop(0)
    column = words.index(language.t("report.csv_named"))
    assert {row[column] for row in rows} == {"", "Bank of Examplia 2023-06-15"}
    assert "Bank of Examplia" not in {row[words.index(language.t("report.csv_lists"))] for row in rows}


def test_an_app_without_findings_has_a_card_for_its_name(made, lists):
    app = named.annotate_named(made.app(label="Kredit Cepat", lending=LENDS), lists("Kredit Cepat"), ("GH",))
    text = " ".join(txt.render(made.report(app, findings=()), Translator("en")).split())
    assert LISTED in text


def test_a_report_to_be_handed_on_names_none(reports):
    """What identifies there is the package, so that “of this name” would be said of the package."""
    shared = share.anonymize_report(reports[0])
    assert not any(app.named for app in shared.apps)
    for text in (
        report_json.render(shared),
        txt.render(shared, Translator("en")),
        csv.render(shared, Translator("en")),
    ):
        assert "Bank of Examplia" not in text


def test_another_country_is_chosen_for_a_saved_report(demo_capture, lists, made):
    known = lists("速贷宝")
    report = audit.build_report(demo_capture, known, audit.ReportOptions(country="NG"))
    assert not any(app.named for app in report.apps)
    again = legal_rules.apply_country(report, known, "GH")
    assert [app.package for app in again.apps if app.named] == ["com.example.sudaibao"]
    # Other lists than those that the report tells of name nothing in it.
    other = replace(known, vocabulary_data={})
    assert not any(app.named for app in legal_rules.apply_country(report, other, "GH").apps)
    assert any(app.named for app in legal_rules.apply_country(again, other, "NG").apps)


def test_a_copy_of_the_app_does_not_repeat_it(made, lists):
    known = lists("Kredit Cepat")
    first, copy = (
        named.annotate_named(made.app(label="Kredit Cepat", lending=LENDS, user=user), known, ("GH",))
        for user in (0, 999)
    )
    view = ReportView(made.report(first, copy), Translator("en"))
    assert LISTED in [*app_details.app_sentences(view, first)]
    assert LISTED not in [*app_details.app_sentences(view, copy)]


def test_hostile_names_are_tamed(made, lists):
    known = lists("Kredit Cepat", publisher="Bank\u202e<b>\x1b[31m")
    app = named.annotate_named(
        made.app(label="<b>\u202eTools", labels={"id": "Kredit\u202e Cepat"}, lending=LENDS), known, ("GH",)
    )
    assert app.named
    report = made.report(app)
    for text in (txt.render(report, Translator("en")), html.render(report, Translator("en"))):
        assert not {"\u202e", "\x1b"} & set(text)
    assert "<b>" not in html.render(report, Translator("en"))
