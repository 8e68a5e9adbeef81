"""The table: a row for each app and user, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit.i18n import Translator, catalog
from privaudit.model import Lending, LendingVerdict
from privaudit.report import csv as table
from privaudit.report import share, write_report
from privaudit.virtual_phone import scenario_names

LENDS = Lending(verdict=LendingVerdict.YES)


def rows(report, code="en"):
    """The headings and a row for each app; the row with the words of another language is checked and left out."""
    text = table.render(report, Translator(code))
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    keys, *others = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    if code != "en":
        words, *others = others
        assert len(words) == len(keys)
        assert words != keys
    return [keys, *others]


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("story", scenario_names())
def test_one_row_per_app_and_user(report_of, story, code):
    report = report_of(story)
    header, *body = rows(report, code)
    assert len(set(header)) == len(header)
    assert {len(row) for row in body} == {len(header)}
    assert sorted((row[2], int(row[3])) for row in body) == sorted((app.package, app.user) for app in report.apps)


def test_row_values(made):
    app = made.app(
        label="速贷宝",
        lending=LENDS,
        contacts=made.access("can_read", read=made.now),
        sms=made.access("unknown"),
        holds=("default_sms",),
        listed=(made.listing(),),
    )
    header, row = rows(made.report(app))
    values = dict(zip(header, row, strict=True))
    assert values["Checked"] == "2026-01-10 15:42"  # by the phone's clock
    assert (values["name"], values["Android user"], values["what comes first"]) == ("速贷宝", "0", "act first")
    assert (values["contacts"], values["contacts: last read"]) == ("can read", "2026-01-10 07:41")
    assert (values["SMS"], values["SMS: last read"]) == ("not known", "-")
    assert values["other ways"] == "default SMS app"
    assert values["on which lists"] == "Example Security 2023-12-05"
    assert values["things not checked"] == "0"


@pytest.mark.parametrize("story", scenario_names())
def test_every_row_names_the_edition_of_the_lists(report_of, story):
    report = report_of(story)
    header, *body = rows(report)
    lists = report.knowledge.signatures
    assert header[-5:-3] == ["newest list", "SHA-256 of the lists"]
    assert {tuple(row[-5:-3]) for row in body} == {(lists.newest, lists.sha256)}
    shared = rows(share.anonymize_report(report))[1:]
    assert {tuple(row[-5:-3]) for row in shared} == {(lists.newest[:7], lists.sha256)}


def test_columns_have_the_same_keys_in_every_language(demo_report):
    assert len({tuple(rows(demo_report, code)[0]) for code in catalog.languages()}) == 1


@pytest.mark.parametrize(
    ("story", "routes"), [("hyperos", "notifications"), ("emui5", "screen"), ("coloros", "sms_role")]
)
def test_rows_tell_how_an_app_sees_messages(report_of, story, routes):
    header, *body = rows(report_of(story), "zh")
    column = header.index("sees messages by")
    assert {row[column] for row in body} == {"", routes}
    assert {row[header.index("severity")] for row in body if row[column]} == {"high"}


def test_several_sources_make_one_table(run, report_of, tmp_path):
    for story in ("borrower", "hyperos"):
        write_report(report_of(story), tmp_path / f"{story}.json", Translator("en"))
    files = [tmp_path / f"{story}.json" for story in ("borrower", "hyperos")]
    (tmp_path / "cut.zip").write_bytes(b"PK")
    done = run("audit", files[0], tmp_path / "cut.zip", files[1], "--plain", "-o", tmp_path / "all.csv")
    assert done.code == 3
    header, *body = csv.reader((tmp_path / "all.csv").read_text(encoding="utf-8-sig").splitlines())
    apps = {str(file): len(report_of(story).apps) for file, story in zip(files, ("borrower", "hyperos"), strict=True)}
    assert Counter(row[header.index("source")] for row in body) == apps


def test_report_without_apps_has_only_the_header(made):
    assert len(rows(made.report())) == 1


ATTACKS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u200b=1", "＝1", "＠A1", "\x00=1"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_formula_is_escaped(made, attack):
    app = made.app(label=attack, version_name=attack, lending=LENDS, listed=(made.listing(publisher=attack),))
    _, row = rows(made.report(app))
    assert not [cell for cell in row if len(cell) > 1 and cell[0] in "=+-@\t\r\n＝＋－＠ "]
    assert sum(cell.startswith("'") for cell in row) == 3


@settings(max_examples=50)
@given(st.text(max_size=50))
def test_cell_text_does_not_leave_its_cell(text):
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerow([table.escape_cell(text), "next"])
    assert next(csv.reader(io.StringIO(stream.getvalue(), newline="")))[1] == "next"
    assert "\n" not in table.escape_cell(text)
