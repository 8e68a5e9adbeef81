"""Tables as Excel saves them become lists, and every mistake has its row; exported tables come back the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit import knowledge
from privaudit.knowledge import csv_format, export, signatures
from privaudit.knowledge.loader import Problems
from privaudit.knowledge.schema import ListSource, SignatureRow

DEFAULTS = {"publisher": "me", "title": "mine"}
CHINESE = "包名,名称,国家,日期,发布者,名单标题\r\ncom.example.dai,速贷宝；速贷,CN,2025/6/26,某机构,某名单\r\n"


def read(data: bytes | str, defaults=DEFAULTS):
    mistakes = Problems()
    found = csv_format.parse_csv(data.encode() if isinstance(data, str) else data, "t.csv", mistakes, defaults)
    return found, mistakes


@pytest.mark.parametrize(
    "data",
    [
        CHINESE.encode("utf-8"),
        CHINESE.encode("utf-8-sig"),
        CHINESE.encode("utf-16"),
        b"\xfe\xff" + CHINESE.encode("utf-16-be"),
        CHINESE.encode("gb18030"),
        CHINESE.replace(",", "\t").encode("utf-16"),  # Excel's "Unicode text"
        CHINESE.replace(",", ";").encode("gb18030"),  # where the comma is for decimals
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "utf-16 be", "gb18030", "tabs", "semicolons"],
)
def test_csv_is_read_in_every_encoding_of_excel(data):
    ((one,), mistakes) = read(data)
    assert not mistakes
    assert one.source == ListSource(publisher="某机构", title="某名单", date="2025-06-26")
    assert one.rows == (SignatureRow(package="com.example.dai", names=("速贷宝", "速贷"), countries=("CN",)),)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025/6/26", "2025-06-26"),
        ("2025-06-26", "2025-06-26"),
        ("2025年6月26日", "2025-06-26"),
        ("2025.6", "2025-06"),
        ("2025年6月", "2025-06"),
        ("2025", "2025"),
    ],
)
def test_dates_are_read_in_common_notations(written, day):
    ((one,), mistakes) = read(f"package,date\ncom.example.a,{written}\n")
    assert not mistakes
    assert one.source.date == day


def test_problems_name_their_row(worded):
    found, mistakes = read(
        "package,sha256,countries,disputed,date\n"
        "com.example.a,,,,\n"
        "no package,,,,\n"
        ",,KE,,\n"
        "com.example.b,123,Kenya,perhaps,2025/13/1\n"
        "com.example.a,,,,\n"
    )
    said = worded(mistakes)
    assert [one.partition("row ")[2].partition(":")[0] for one in said] == ["3", "4", "5", "5", "5", "5", "6"]
    assert "t.csv, row 3: “no package” is not a package name" in said[0]
    assert "row 6: this file already contains com.example.a" in said[-1]
    assert len(found[0].rows) == 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "no_heads"),
        ("country,date\nKE,2020\n", "no_heads"),
        ("package,pakage name\ncom.example.a,x\n", "unknown_head"),
        ("package,包名\ncom.example.a,com.example.b\n", "head_twice"),
        ("package\n\n\n", "no_rows"),
        ('package\n"com.example.a\n', "not_table"),
        (b"package\n\x81\xff\xff\x00", "encoding_table"),
    ],
)
def test_a_file_that_is_not_csv_is_reported(worded, text, key):
    found, mistakes = read(text)
    assert [mistake.key for mistake in mistakes] == [f"knowledge.{key}"]
    assert worded(mistakes)
    assert not found


def test_a_misspelt_header_gets_a_suggestion(worded):
    _, mistakes = read("pakage\ncom.example.a\n")
    assert "did you mean “package”?" in worded(mistakes)[0]


def test_rows_of_several_sources_become_several_lists():
    found, mistakes = read("package,publisher,title\ncom.example.a,A,x\ncom.example.b,B,x\ncom.example.a,B,x\n")
    assert not mistakes
    assert {one.source.publisher: len(one.rows) for one in found} == {"A": 1, "B": 2}


@pytest.mark.parametrize("chinese", [True, False])
def test_the_csv_template_can_be_imported(chinese):
    ((one,), mistakes) = read(csv_format.csv_template(chinese=chinese))
    assert not mistakes
    assert one.source.publisher == "Who made the list"
    assert [row.package for row in one.rows] == ["com.example.loan"]


def test_shipped_lists_survive_a_csv_round_trip():
    known = knowledge.load_knowledge()
    every = signatures.group_entries(known.lists)
    found, mistakes = read(csv_format.entries_to_csv(every))
    assert not mistakes
    back = {(one.source, row) for one in found for row in one.rows}
    there = {(part.source, row) for part in known.lists for row in part.rows}
    assert len(back) == len(there) == sum(len(part.rows) for part in known.lists)
    # A list's own status is written into each row; what says how a list is kept up is not in a table.
    assert {(one.publisher, one.title, one.date, row.package, row.sha256, row.disputed) for one, row in back} == {
        (one.publisher, one.title, one.date, row.package, row.sha256, row.disputed) for one, row in there
    }


def test_formula_cells_are_quoted():
    row = SignatureRow(package="com.example.a", names=("=HYPERLINK(1)",), note="-1+1")
    part = signatures.SignatureList(
        id="x",
        file="x",
        kind="risky",
        is_user_list=True,
        source=ListSource(**DEFAULTS),
        examples=(),
        toml_data={"app": [{"package": row.package, "names": list(row.names), "note": row.note}]},
    )
    text = csv_format.entries_to_csv(signatures.group_entries([part]))
    assert "'=HYPERLINK" in text
    ((one,), mistakes) = read(text)
    assert not mistakes
    assert one.rows == (row,)


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(words, max_size=3), note=words, disputed=st.booleans(), title=words)
def test_written_toml_reads_the_same(tmp_path_factory, names, note, disputed, title):
    source = ListSource(publisher="me", title=title, date="2025-06")
    row = SignatureRow(package="com.example.a", names=tuple(names), note=note, disputed=disputed)
    path = tmp_path_factory.mktemp("toml") / "mine.toml"
    path.write_text(export.list_to_toml(source, [row], "note"), encoding="utf-8", newline="\n")
    mistakes = Problems()
    (part,) = signatures.read_user_lists(path, mistakes)
    assert (part.source, part.rows) == (source, (row,))


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_do_not_crash(data):
    found, mistakes = read(data)
    assert isinstance(found, tuple)
    assert all(isinstance(one, export.ImportedList) for one in found)
    assert found or mistakes
