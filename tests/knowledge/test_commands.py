"""``privaudit signatures`` as people use it: what is printed, where, with which exit code, in two languages."""

from __future__ import annotations

import json
from datetime import date

import pytest

from privaudit import knowledge
from privaudit.i18n import Translator, catalog
from privaudit.knowledge import rights
from privaudit.model import SignatureListInfo
from privaudit.report import gaps as prose
from privaudit.report import legal_rules

WORTH = "The published lists contain 2011 package names"


@pytest.mark.parametrize(
    ("words", "package"),
    [
        (["king.credit.ng"], "king.credit.ng"),
        (["KING.CREDIT"], "king.credit.ng"),
        (["prestamo", "seguro"], "com.prestamoseguro.ss"),
        (["Préstamo Seguro"], "com.prestamoseguro.ss"),
        (["ยืมด้วยความมั่นใจ"], "com.flashloan.wsft"),
        (["इंस्टेंट"], "com.aa.kredit.android"),
        (["借条"], "com.qihoo.loan"),
        (["--country", "PE"], "com.huaynamoney.prestamos.creditos.peru.loan.credit"),
        (["--publisher", "McAfee", "uang"], "com.uang.belanja"),
    ],
)
def test_list_searches_package_names_in_any_script_country_and_publisher(run, words, package):
    done = run("signatures", "list", *words)
    assert done.code == 0, done.err
    assert any(line.startswith(package) for line in done.out.splitlines())
    assert WORTH in done.out
    assert "days old" in done.out


def test_list_filters_by_country_and_publisher(run):
    everything = run("signatures", "list").out
    assert "5403 apps." in everything
    assert "7754 apps." in run("signatures", "list", "--lenders").out
    found = json.loads(run("signatures", "list", "--publisher", "ESET", "--json").out)["signatures"]
    assert len(found) == 34
    assert {source["publisher"] for one in found for source in one["sources"]} == {"ESET"}
    assert "No list matches." in run("signatures", "list", "no-such-app").out


def test_show_prints_every_source(run):
    done = run("signatures", "show", "com.pera4u.peso", "--country", "PH")
    shown = done.out
    assert "Securities and Exchange Commission, Philippines (SEC) (no date)" in shown
    assert "Listed as “delisted”." in shown
    assert "Disputed" in shown
    assert "LoanWatch (Boston University)" in shown
    assert f"{WORTH}, 11 of them for the Philippines" in shown
    both = run("signatures", "show", "com.qihoo.loan", "--lang", "zh").out
    assert "通报" in both
    assert "china-unidentified#" in both
    assert "可信度低" in both


def test_show_says_that_a_name_never_matches_and_shows_sdks(run):
    assert "A name alone never makes a match." in run("signatures", "show", "RapiPlata").out
    assert "com.bqs.risk.df.android" in run("signatures", "show", "baiqishi").out
    assert "Showing the first 20 of" in run("signatures", "show", "cash").out


@pytest.mark.parametrize(("country", "name"), [("CN", "China"), ("KE", "Kenya")])
def test_commands_say_that_nothing_was_found(run, country, name):
    said = run("signatures", "list", "nothing", "--country", country).out
    assert f"but none for {name}" in said
    assert "“not on the list” says nothing" in said


@pytest.mark.parametrize(
    ("country", "n"),
    [("ID", 1783), ("PK", 122), ("NG", 58), ("PH", 11), ("PE", 7), ("MX", 3), ("IN", 2), ("CN", 0), ("KE", 0)],
)
def test_coverage_counts_the_rows_of_a_country(country, n):
    assert knowledge.load_knowledge().describe_lists(country).packages_for_country == n


@pytest.mark.parametrize(
    ("here", "newest", "today", "said", "old"),
    [
        (None, "2026-01-01", date(2026, 6, 30), "says little", False),
        (None, "2026-01-01", date(2026, 7, 1), "says little", True),
        (0, "2026", date(2026, 6, 30), "says nothing", False),
        (9, "2026-01", date(2026, 7, 1), "says nothing", True),
        (10, None, date(2026, 7, 1), "says little", False),
    ],
)
def test_coverage_states_the_limits_of_the_lists(here, newest, today, said, old):
    stamp = SignatureListInfo(packages=50, packages_for_country=here, newest=newest, sha256="0" * 64)
    for code in ("en", "zh"):
        lines = [*prose.list_coverage_sentences(Translator(code), stamp, None if here is None else "KE", today)]
        assert len(lines) == 1 + (here is None) + old
    assert said in next(iter(prose.list_coverage_sentences(Translator("en"), stamp, "KE", today)))


@pytest.mark.parametrize(
    ("packages", "names", "newest", "said", "unsaid"),
    [
        (0, 97, "2023-06-15", "none for Kenya", "old"),
        (
            0,
            97,
            "2023-06-15",
            "For Kenya, they contain 97 app names; the newest list for Kenya is dated 15 June 2023.",
            "",
        ),
        (12, 1, "2025-06", "12 of them for Kenya", "none for Kenya"),
        (12, 1, "2025-06", "For Kenya, they contain 1 app name; the newest list for Kenya is dated June 2025.", "none"),
        (12, 0, None, "they contain 0 app names; the newest list for Kenya is dated not known", "none for Kenya"),
        (0, 0, None, "none for Kenya", "they contain 0"),
        (12, None, None, "12 of them for Kenya", "app name"),  # a report of an older version
    ],
)
def test_the_line_about_the_lists_tells_packages_names_and_date_for_the_country(packages, names, newest, said, unsaid):
    stamp = SignatureListInfo(
        packages=50,
        packages_for_country=packages,
        newest="2026-01-01",
        sha256="0" * 64,
        names_for_country=names,
        newest_for_country=newest,
    )
    first = next(iter(prose.list_coverage_sentences(Translator("en"), stamp, "KE", date(2026, 1, 10))))
    assert said in first
    assert not unsaid or unsaid not in first
    for code in catalog.languages():
        lines = [*prose.list_coverage_sentences(Translator(code), stamp, "KE", date(2026, 1, 10))]
        assert not [line for line in lines if "[" in line or "…" in line]
        assert not names or str(names) in lines[0] or "1 " in Translator("en").t("report.list_names", n=names)


@pytest.mark.parametrize(
    ("newest", "today", "years"),
    [
        ("2025-01-10", date(2026, 1, 10), 0),
        ("2025-01-10", date(2026, 1, 11), 1),
        ("2023-01-11", date(2026, 1, 10), 2),
        ("2025-01", date(2026, 1, 31), 0),
        ("2025-01", date(2026, 2, 1), 1),
        ("2025", date(2026, 12, 31), 0),  # it may be of December
        ("2025", date(2027, 1, 1), 1),
        ("2027-01-01", date(2026, 1, 1), 0),
        (None, date(2026, 1, 1), 0),
        ("", date(2026, 1, 1), 0),
        ("some day", date(2026, 1, 1), 0),
    ],
)
def test_a_list_that_is_more_than_a_year_old_says_how_old(newest, today, years):
    assert prose.years_between(newest, today) == years
    stamp = SignatureListInfo(
        packages=50, packages_for_country=20, newest=None, sha256="0" * 64, newest_for_country=newest
    )
    text = " ".join(prose.list_coverage_sentences(Translator("en"), stamp, "KE", today))
    assert ("The newest list for Kenya is more than" in text) == (years > 0)
    assert (f"{years} years old" in text) == (years > 1)


def test_describing_the_lists_counts_names_and_dates_for_the_country():
    known = knowledge.load_knowledge()
    assert known.describe_lists().names_for_country is None
    assert known.describe_lists().newest_for_country is None
    refs = [ref for one in known.lists if one.kind == "risky" for ref in one.row_refs if "ID" in ref.countries]
    told = known.describe_lists("ID")
    names = {name.casefold() for ref in refs if ref.row.name_match is None for name in ref.row.names}
    assert told.names_for_country == len(names) > 100
    assert told.newest_for_country == max(ref.app_list.source.date for ref in refs)
    assert told.newest == known.describe_lists().newest


def test_that_there_are_none_is_said_only_of_countries_with_none():
    """In every language, and nowhere by the name of a country in a sentence."""
    known = knowledge.load_knowledge()
    for code in catalog.languages():
        language = Translator(code)
        for country in rights.countries_with_rights():
            info = known.describe_lists(country)
            first = next(prose.list_coverage_sentences(language, info, country, date(2026, 1, 1)))
            none = language.t(
                "report.list_country_none",
                packages=info.packages,
                newest_on=info.newest,
                country=legal_rules.country_label(country),
            )
            assert (none in first) == (info.packages_for_country == 0), (code, country)
    assert known.describe_lists("CN").packages_for_country == 0


# --- the summary ------------------------------------------------------------------------------------------------------


def test_the_summary_counts_by_country_and_publisher(run):
    lines = run("signatures", "list", "--summary").out.splitlines()
    assert lines[0].split() == ["country", "tier", "packages", "names", "newest", "publisher"]
    rows = [line.split(maxsplit=5) for line in lines[1 : lines.index("")]]
    china = [row[1:3] for row in rows if row[0] == "CN"]
    assert china[0] == ["A+B", "0"]  # a notice is no list that makes a finding
    assert ["N", "0"] in china
    assert ["PE", "B", "5"] in [row[:3] for row in rows]
    assert not [row for row in rows if row[5] == "none" and (row[2], row[3]) != ("0", "0")]
    known = knowledge.load_knowledge()
    totals = {row[0]: int(row[2]) for row in rows if row[1] == "A+B" and row[0] != "-"}
    assert totals == {country: known.describe_lists(country).packages_for_country for country in totals}
    assert set(rights.countries_with_rights()) <= set(totals)
    assert WORTH in "\n".join(lines)


def test_the_summary_is_of_what_was_searched_for(run):
    rows = json.loads(run("signatures", "list", "--summary", "--publisher", "eset", "--json").out)["summary"]
    assert {row["publisher"] for row in rows} == {"ESET", None}
    row = run("signatures", "list", "--summary", "--country", "KE", "--publisher", "eset", "--lang", "zh").out
    assert row.splitlines()[1].split() == ["KE", "A+B", "0", "0", "-", "没有"]
    rows = json.loads(run("signatures", "list", "king.credit.ng", "--summary", "--json").out)["summary"]
    assert {row["country"] for row in rows} == {None}
    assert sum(row["packages"] for row in rows if row["publisher"]) == 1
    rows = json.loads(run("signatures", "list", "--summary", "--lenders", "--country", "KE", "--json").out)["summary"]
    assert [row for row in rows if row["tier"] is None and row["publisher"] and row["packages"]]


def test_a_publisher_in_the_summary_is_tamed(run, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[source]\npublisher = "a\\u001B[31m\\u202Eb"\ntitle = "t"\n[[app]]\npackage = "com.example.a"\n')
    out = run("signatures", "list", "--summary", "--signatures", path).out
    assert "own" in out
    assert not {"\x1b", "\u202e"} & set(out)


def test_check_exits_with_2_and_prints_every_problem(run, tmp_path):
    assert "no errors" in run("signatures", "check").out
    path = tmp_path / "mine.toml"
    path.write_text('[source]\npublisher = "me"\n[[app]]\npackage = "x"\n[[app]]\npackag = "com.example.a"\n')
    done = run("signatures", "check", path)
    assert done.code == 2
    assert done.out.startswith("4 errors:")
    for said in (
        "“title” is missing",
        "entry 1: “x” is not a package name",
        "entry 2: unknown key “packag”",
        "did you mean “package”?",
    ):
        assert said in done.out
    assert run("signatures", "check", tmp_path / "nowhere").code == 2


def test_an_imported_csv_is_a_list_for_an_audit(run, tmp_path, demo_phone):
    table = tmp_path / "apps.csv"
    table.write_bytes("包名,名称,日期\r\ncom.example.sudaibao,速贷宝,2025/6/26\r\n".encode("gb18030"))
    done = run("signatures", "import", table, "-o", tmp_path / "mine.toml", "--publisher", "legal aid")
    assert done.code == 0, done.err
    assert "1 row." in done.err
    assert run("signatures", "check", tmp_path / "mine.toml").code == 0
    with demo_phone() as phone:
        audited = run(
            "audit",
            "--details",
            "--transport",
            f"tcp:{phone.address}",
            "--signatures",
            tmp_path / "mine.toml",
            "--no-apks",
        )
    assert "on a list that you added" in " ".join(audited.out.split())
    again = run("signatures", "import", table, "-o", tmp_path / "mine.toml")
    assert again.code == 2
    assert "already exists" in again.err


def test_import_refuses_invalid_files_and_writes_nothing(run, tmp_path):
    table = tmp_path / "apps.csv"
    table.write_text("package,publisher,title\nnot a package,a,b\n")
    done = run("signatures", "import", table, "-o", tmp_path / "mine.toml")
    assert done.code == 2
    assert "apps.csv, row 2: “not a package” is not a package name" in done.err
    table.write_text("package,publisher,title\ncom.example.a,a,b\ncom.example.a,c,b\n")
    assert "rows from 2 sources" in run("signatures", "import", table, "-o", tmp_path / "mine.toml").err
    assert not (tmp_path / "mine.toml").exists()
    done = run("signatures", "import", table, "-o", tmp_path / "folder")
    assert sorted(file.name for file in (tmp_path / "folder").iterdir()) == ["a.toml", "c.toml"]
    assert run("signatures", "import", table).code == 2
    assert run("signatures", "import", tmp_path / "x.docx", "-o", "y.toml").code in {2, 4}
    assert run("signatures", "import", tmp_path / "none.csv", "-o", tmp_path / "y.toml").code == 4


def test_the_csv_template_exists_in_both_languages(run):
    assert run("signatures", "import", "--template").raw.startswith(b"\xef\xbb\xbfpackage,names,")
    assert "包名,名称,开发者".encode() in run("signatures", "import", "--template", "--lang", "zh").raw


@pytest.mark.parametrize("suffix", ["csv", "json", "stix2"])
def test_exported_lists_can_be_imported(run, tmp_path, suffix):
    file = tmp_path / f"lists.{suffix}"
    done = run("signatures", "export", "--publisher", "ESET", "-o", file)
    assert done.code == 0, done.err
    assert "34 apps" in done.err
    assert WORTH in done.out
    if suffix == "json":
        assert json.loads(file.read_text(encoding="utf-8"))["schema"] == "privaudit-signatures/1"
        return
    assert run("signatures", "import", file, "-o", tmp_path / "back").code == 0
    assert "34 rows" in run("signatures", "check", tmp_path / "back").out


def test_export_refuses_unknown_formats_and_missing_folders(run, tmp_path):
    assert ".stix2" in run("signatures", "export", "-o", tmp_path / "x.pdf").err
    assert run("signatures", "export", "-o", tmp_path / "none" / "x.csv").code == 2


def test_update_without_a_key_says_so(run, tmp_path):
    done = run("signatures", "update", tmp_path / "lists.zip")
    assert done.code == 4
    assert "No key is configured" in done.err
    assert "minisign public key" in done.err
    assert "没有设置密钥" in run("signatures", "update", "x.zip", "--lang", "zh").err
