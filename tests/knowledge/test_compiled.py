"""Compiled lists: they load like the TOML files beside them, or are not used."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit import __version__, knowledge
from privaudit.errors import KnowledgeError
from privaudit.i18n import catalog
from privaudit.knowledge import compile_lists, export, lint, loader, rules
from privaudit.knowledge.loader import COMPILED_FILE, CompiledFile, Problems, encode_compiled, read_compiled
from privaudit.knowledge.schema import ListSource, SignatureRow

LIST = "risky/secp-2024.toml"
LISTED = "com.rockethouse.easyloan"
SHIPPED = compile_lists(loader.shipped_folder())


@pytest.fixture
def folder(tmp_path):
    """The shipped lists, compiled."""
    copy = Path(shutil.copytree(str(loader.shipped_folder()), tmp_path / "signatures"))
    (copy / COMPILED_FILE).write_bytes(SHIPPED)
    return copy


def compile_folder(path: Path) -> None:
    (path / COMPILED_FILE).write_bytes(compile_lists(path))


@pytest.fixture
def parsed_files(monkeypatch):
    """How many lists and vocabularies were parsed from TOML."""
    parsed, parse = [], tomllib.loads

    def count(text):
        data = parse(text)
        parsed.extend(key for key in ("app", "label") if key in data)
        return data

    monkeypatch.setattr(tomllib, "loads", count)
    return parsed


def load_both(path: Path):
    """Load with the compiled file and without it: the knowledge, or the problems."""

    def load():
        try:
            return knowledge.load_knowledge(folder=path)
        except KnowledgeError as error:
            return error.problems

    with_it = load()
    content = (path / COMPILED_FILE).read_bytes()
    (path / COMPILED_FILE).unlink()
    without_it = load()
    (path / COMPILED_FILE).write_bytes(content)
    return with_it, without_it


def assert_equal(one: knowledge.Knowledge, other: knowledge.Knowledge) -> None:
    """Compare everything that a list, a row, a lookup and a report can say."""
    assert one == other
    for part, same in zip(one.lists, other.lists, strict=True):
        assert part.rows == same.rows
        assert part.canonical_json == same.canonical_json
        assert [(ref.package, ref.countries, ref.status) for ref in part.row_refs] == [
            (ref.row.package, ref.row.countries or tuple(filter(None, [ref.app_list.source.country])), ref.status)
            for ref in same.row_refs
        ]
        for key in (key for row in same.rows for key in row.match_keys):
            assert one.find_matches(*key) == other.find_matches(*key)
            assert one.find_lender(key[1]) == other.find_lender(key[1])
    for country in (None, "PK", "PH", "CN"):
        assert one.describe_lists(country) == other.describe_lists(country)
        assert one.describe_lists(country).sha256 == hash_of_toml(one)


def hash_of_toml(lists: knowledge.Knowledge) -> str:
    """What reports have stated since version 1."""
    content = {
        "vocabulary": lists.vocabulary_data,
        "lists": {f"{part.kind}/{part.id}": part.toml_data for part in lists.lists},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def test_compiled_lists_are_used_and_equal_the_parsed_ones(folder, parsed_files):
    lists = knowledge.load_knowledge(folder=folder)
    assert parsed_files == []
    (folder / COMPILED_FILE).unlink()
    assert_equal(lists, knowledge.load_knowledge(folder=folder))
    assert len(parsed_files) == len(lists.lists) + 1


def test_rows_are_converted_when_they_are_used(folder):
    lists = knowledge.load_knowledge(folder=folder)
    lists.describe_lists("PK")
    assert sum(len(part._rows) for part in lists.lists) < sum(len(part.tables) for part in lists.lists) / 10
    ref = next(ref for part in lists.lists for ref in part.row_refs if ref.package and part.kind == "risky")
    assert lists.find_matches("package", ref.package)
    assert ref.row_number in ref.app_list._rows
    assert ref.row is ref.row


VOCABULARY = """
trap = []
label = [{term = "qwertz", lang = "en", match = "word", weight = "strong", basis = "language"}]
package = [{token = "loan", match = "whole", weight = "weak"}]
"""
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
digests = st.sampled_from(["1" * 64, "2" * 64, "a" * 64])
countries = st.sampled_from(["PK", "PH", "IN"])
packages = st.none() | st.sampled_from([f"com.example.a{number}" for number in range(6)])


@st.composite
def lists_toml(draw, kind):
    """A list, now and then with a mistake."""
    rows = draw(
        st.lists(
            st.builds(
                SignatureRow,
                package=packages,
                names=st.lists(texts, max_size=2).map(tuple),
                countries=st.lists(countries, max_size=2).map(tuple),
                sha256=st.lists(digests, max_size=1).map(tuple),
                certificates=st.lists(digests, max_size=1).map(tuple),
                disputed=st.booleans(),
                note=st.none() | texts,
                status=st.sampled_from(["licensed", "market_lender"]) if kind == "lenders" else st.none(),
            ),
            max_size=4,
            unique_by=lambda row: row.package or id(row),
        )
    )
    rows = [row for row in rows if row.package or row.names or row.sha256 or row.certificates]
    head = {"tier": draw(st.sampled_from("ABN")), "action": "named"} if kind == "risky" else {}
    source = ListSource(
        publisher=draw(texts),
        title="x",
        date=draw(st.sampled_from([None, "2024", "2025-02"])),
        country=draw(st.none() | countries),
        licence="none",
        refreshed="never",
        **head,
    )
    text = export.list_to_toml(source, rows, "generated")
    mistake = draw(
        st.sampled_from(["", "", "", "\n[[app]]\nnote = 'names nothing'\n", "\n[[app]]\npackage = 1\n", "\n["])
    )
    coercion = draw(st.sampled_from(["", '\n[[app]]\nnames = ["y"]\nstatus = "paired"\ndisputed = 1\n']))
    return text + coercion + mistake


@settings(max_examples=60, deadline=None)
@given(risky=lists_toml("risky"), lenders=lists_toml("lenders"))
def test_generated_lists_load_the_same_with_and_without_compiling(tmp_path_factory, risky, lenders):
    path = tmp_path_factory.mktemp("lists")
    shipped = Path(str(loader.shipped_folder()))
    shutil.copy(shipped / "stores.toml", path)
    (path / "vocabulary.toml").write_text(VOCABULARY, encoding="utf-8")
    for name, text in (("risky/one.toml", risky), ("lenders/two.toml", lenders)):
        (path / name).parent.mkdir()
        (path / name).write_text(text, encoding="utf-8", newline="\n")
    compile_folder(path)
    compiled_lists, parsed_lists = load_both(path)
    if isinstance(parsed_lists, tuple):
        assert compiled_lists == parsed_lists
    else:
        assert_equal(compiled_lists, parsed_lists)


# --- what changed since -----------------------------------------------------------------------------------------------


NEW_ROW = '\n[[app]]\npackage = "com.example.newcomer"\nnames = ["Newcomer"]\n'


def change(folder):
    with (folder / LIST).open("a", encoding="utf-8") as stream:
        stream.write(NEW_ROW)


def change_one_byte(folder):
    text = (folder / LIST).read_bytes()
    (folder / LIST).write_bytes(text.replace(b'package = "com', b'package = "cxm', 1))


def add(folder):
    head, _, _ = (folder / LIST).read_text(encoding="utf-8").partition("[[app]]")
    (folder / "risky" / "added.toml").write_text(head + NEW_ROW, encoding="utf-8")


def delete(folder):
    (folder / LIST).unlink()


def rename(folder):
    (folder / LIST).rename(folder / "risky" / "renamed.toml")


def change_vocabulary(folder):
    path = folder / "vocabulary.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('term = "', 'term = "x', 1), encoding="utf-8")


@pytest.mark.parametrize("edit", [change, change_one_byte, add, delete, rename, change_vocabulary])
def test_a_toml_file_that_changed_since_counts(folder, edit):
    before = knowledge.load_knowledge(folder=folder)
    edit(folder)
    with_it, without_it = load_both(folder)
    assert_equal(with_it, without_it)
    assert with_it != before


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (lambda folder: (folder / LIST).write_text("spoilt"), "knowledge.toml"),
        (lambda folder: (folder / LIST).rename(folder / "lenders" / "moved.toml"), "knowledge.misplaced_key"),
        (lambda folder: (folder / "vocabulary.toml").unlink(), "knowledge.unreadable"),
        (lambda folder: (folder / LIST).write_bytes(b"#" * (loader.MAX_FILE_BYTES + 1)), "knowledge.too_large"),
    ],
)
def test_a_mistake_that_was_made_since_is_reported(folder, edit, key):
    edit(folder)
    with_it, without_it = load_both(folder)
    assert key in {problem.key for problem in with_it}
    assert with_it == without_it


@pytest.mark.parametrize(
    "mistake",
    [
        "\n[[app]]\nnote = 'names nothing'\n",
        '\n[[app]]\nnames = ["x"]\nstatus = "licensed"\n',
        "\n[[app]]\npackage = 'x'\nnames = 3\nunknown = 1\n",
        f"\n[[app]]\npackage = '{LISTED}'\n\n[[app]]\npackage = '{LISTED}'\n",
        "\n[[app]]\nnames = ['x']\nnote = 2026-01-01\n",
        "\n[",
    ],
)
def test_lists_with_mistakes_are_not_compiled(folder, mistake):
    with (folder / LIST).open("a", encoding="utf-8") as stream:
        stream.write(mistake)
    compile_folder(folder)
    with_it, without_it = load_both(folder)
    assert with_it == without_it
    assert with_it
    assert {problem.values["file"] for problem in with_it} == {LIST}


# --- damage -----------------------------------------------------------------------------------------------------------


def cut(data, place):
    return data[: int(len(data) * place)]


def flip(data, place):
    at = int((len(data) - 1) * place)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@settings(max_examples=40, deadline=None)
@given(damage=st.sampled_from([cut, flip]), place=st.floats(0, 0.999))
def test_a_damaged_compiled_file_is_not_used(tmp_path_factory, damage, place):
    path = tmp_path_factory.mktemp("damaged")
    (path / COMPILED_FILE).write_bytes(damage(SHIPPED, place))
    assert read_compiled(path).json_by_file == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"not ours",
        b"\x00\xff" * 1000,
        b'{"format": 1}\n',
        SHIPPED.replace(__version__.encode(), b"0.9.0", 1),
        SHIPPED + b"risky",
    ],
)
def test_another_file_of_this_name_is_not_used(folder, content, parsed_files):
    (folder / COMPILED_FILE).write_bytes(content)
    lists = knowledge.load_knowledge(folder=folder)
    assert len(parsed_files) == len(lists.lists) + 1


def test_a_compiled_file_of_other_lists_is_not_used(folder, parsed_files):
    demo = Path(str(loader.shipped_folder())).parent / "privaudit" / "data" / "demo" / "lists"
    (folder / COMPILED_FILE).write_bytes(compile_lists(demo))
    parsed_files.clear()
    lists = knowledge.load_knowledge(folder=folder)
    assert len(parsed_files) == len(lists.lists) + 1


def test_lists_that_another_version_compiled_are_not_used(folder, monkeypatch):
    assert read_compiled(folder).json_by_file
    monkeypatch.setattr(loader, "_FIRST_LINE", loader._FIRST_LINE.replace(__version__, "0.9.0"))
    assert read_compiled(folder).json_by_file == {}


def test_an_unreadable_compiled_file_is_not_used(folder):
    (folder / COMPILED_FILE).unlink()
    (folder / COMPILED_FILE).mkdir()
    assert read_compiled(folder).json_by_file == {}
    assert knowledge.load_knowledge(folder=folder).lists


def test_the_size_of_a_compiled_file_is_limited(folder, monkeypatch):
    size = (folder / COMPILED_FILE).stat().st_size
    assert size < loader.MAX_COMPILED_BYTES
    monkeypatch.setattr(loader, "MAX_COMPILED_BYTES", size)
    assert read_compiled(folder).json_by_file
    monkeypatch.setattr(loader, "MAX_COMPILED_BYTES", size - 1)
    assert read_compiled(folder).json_by_file == {}


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def rules_folder(tmp_path, monkeypatch):
    """The rules, compiled."""
    copy = Path(shutil.copytree(catalog.RULES_FOLDER, tmp_path / "rules"))
    (copy / COMPILED_FILE).write_bytes(rules.compile_rules(copy))
    monkeypatch.setattr(catalog, "RULES_FOLDER", copy)
    return copy


def read_rules():
    problems = Problems()
    rule_set = rules.read_rules(problems)
    return rule_set, rule_set.toml_data, rule_set.describe_rules("CN", date(2026, 1, 1)), problems


def test_compiled_rules_are_used_and_equal_the_parsed_ones(rules_folder, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(tomllib, "loads", None)
        compiled_rules = read_rules()
    (rules_folder / COMPILED_FILE).unlink()
    assert compiled_rules == read_rules()
    assert compiled_rules[0].rules


@pytest.mark.parametrize("edit", ["change", "spoil", "delete", "add"])
def test_a_rule_that_changed_since_counts(rules_folder, edit):
    before = read_rules()
    file = next(file for file in sorted(rules_folder.glob("*.toml")) if file.stem.startswith("CN"))
    text = file.read_text(encoding="utf-8")
    if edit == "delete":
        file.unlink()
    elif edit == "add":
        file.with_name("CN-ADDED.toml").write_text(text.replace(file.stem, "CN-ADDED"), encoding="utf-8")
    else:
        file.write_text(text.replace("says = ", "says = 'not' # " if edit == "change" else "sais = "), encoding="utf-8")
    changed = read_rules()
    (rules_folder / COMPILED_FILE).unlink()
    assert changed == read_rules() != before


# --- where it is used, and where not ----------------------------------------------------------------------------------


def forge(path: Path, name: str) -> None:
    """Write a compiled file that says something else than the list beside it."""
    toml = (path / name).read_bytes()
    data = tomllib.loads(toml.decode())
    data["app"] = [{"package": "com.example.forged"}]
    file = CompiledFile("risky", toml, loader.to_canonical_json(data))
    (path / COMPILED_FILE).write_bytes(encode_compiled([file]))


def test_lists_of_the_user_and_checks_are_always_parsed(folder):
    with (folder / LIST).open("a", encoding="utf-8") as stream:
        stream.write("\n[[app]]\nnote = 'names nothing'\n")
    forge(folder, LIST)
    problems = lint.lint_signatures(folder).problems
    assert "knowledge.names_nothing" in {problem.key for problem in problems}
    with pytest.raises(KnowledgeError) as error:
        knowledge.load_knowledge(extra_lists=[folder])
    assert "knowledge.names_nothing" in {problem.key for problem in error.value.problems}


def test_loading_writes_nothing(folder):
    (folder / COMPILED_FILE).unlink()
    before = sorted(folder.rglob("*"))
    knowledge.load_knowledge(folder=folder).describe_lists()
    assert sorted(folder.rglob("*")) == before


def test_a_checkout_has_no_compiled_file():
    assert not (loader.shipped_folder() / COMPILED_FILE).is_file()
