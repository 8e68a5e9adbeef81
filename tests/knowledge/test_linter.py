"""The linter reports all problems at once, in plain sentences with file and row."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from privaudit.knowledge import lint, loader

TESTKEY, SOME = "a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc", "1" * 64


def test_shipped_lists_have_no_problems():
    checked = lint.lint_signatures()
    assert checked.problems == ()
    assert len(checked.lists) >= 31


def test_all_problems_are_reported_at_once(listed, worded):
    rows = """
[[app]]
package = "com.example.one"
sha256 = ["{digest}"]
harms = ["contact_harrassment"]
{extra}

[[app]]
package = "com.example.two"
sha256 = ["{digest}"]
certificates = ["{testkey}"]

[[app]]
package = "{package}"
sha256 = ["{last}"]
"""
    wrong = {"digest": SOME, "testkey": TESTKEY, "last": SOME[1:], "package": "no package", "extra": "disputd = true"}
    said = worded(lint.lint_signatures(listed(rows.format(**wrong))).problems)
    assert any("entry 1: unknown key “disputd”; did you mean “disputed”?" in s for s in said)
    assert any("entry 3: “no package” is not a package name" in s for s in said)
    assert any("entry 3" in s and "SHA-256" in s for s in said)
    # A file that cannot be read as a list is looked at no further; once it can, the rest comes out too.
    said = worded(
        lint.lint_signatures(listed(rows.format(**wrong | {"last": SOME, "package": "a.b", "extra": ""}))).problems
    )
    assert any("“contact_harrassment” is not one of the harms" in s and "“contact_harassment”" in s for s in said)
    assert sum(f"already contains the digest {SOME}" in s for s in said) == 2
    assert any("entry 2" in s and "published test or debug certificate (AOSP testkey)" in s for s in said)


def test_a_source_date_in_the_future_is_reported(listed, worded):
    path = listed('[[app]]\npackage = "com.example.a"\n', 'date = "2026-03"')
    assert worded(lint.lint_signatures(path, today=date(2026, 3, 1)).problems) == []
    assert "is in the future" in worded(lint.lint_signatures(path, today=date(2026, 2, 28)).problems)[0]


def test_a_package_on_a_risky_and_a_lender_list_must_be_disputed(listed, worded):
    row = '[[app]]\npackage = "com.finaccel.android"\n'  # a shipped lender
    path = listed(row, 'tier = "B"')
    (said,) = worded(lint.lint_signatures(path).problems)
    assert "com.finaccel.android is also on a list of lenders (lawnicons-2026#8)" in said
    assert lint.lint_signatures(listed(row + "disputed = true\n", 'tier = "B"')).problems == ()
    # A notice does not deny that an app lends.
    assert lint.lint_signatures(listed(row, 'tier = "N"')).problems == ()
    # Nor does a collection that nobody vouches for deny what the app did.
    unsure = '[[app]]\npackage = "com.julofinance.juloapp"\n'
    assert lint.lint_signatures(listed(unsure, 'tier = "B"')).problems == ()
    # And the other way round: a list of lenders that holds what a shipped list calls SpyLoan.
    path = listed('[[app]]\npackage = "king.credit.ng"\n', 'status = "registered"')
    (said,) = worded(lint.lint_signatures(path).problems)
    assert "risky/eset-2023.toml" in said
    assert "own/mine#1" in said


def test_a_certificate_shared_by_developers_is_reported(listed, worded):
    rows = "".join(
        f'[[app]]\npackage = "com.example.{maker}"\ndeveloper = "{maker}"\ncertificates = ["{SOME}"]\n'
        for maker in ("aa", "bb")
    )
    said = worded(lint.lint_signatures(listed(rows)).problems)
    assert len(said) == 2
    assert "rows of different developers also list the certificate" in said[0]
    assert lint.lint_signatures(listed(rows.replace('"bb"', '"aa"'))).problems == ()


@pytest.mark.parametrize(
    ("row", "country", "is_reported"),
    [
        ('names = ["ADA kami"]', "ID", True),  # a licensed lender of Indonesia is called AdaKami
        ('names = ["AdaKami"]', "GH", False),
        ('names = ["AdaKami Pro"]', "ID", False),
        ('names = ["AdaKami"]\ndisputed = true', "ID", False),
        ('names = ["AdaKami"]\nname_match = "unsafe"', "ID", False),
        ('package = "com.example.copy"\nnames = ["AdaKami"]', "ID", True),
    ],
)
def test_a_name_that_a_register_of_the_country_has_must_be_marked(listed, worded, row, country, is_reported):
    said = worded(lint.lint_signatures(listed(f"[[app]]\n{row}\n", f'tier = "B"\ncountry = "{country}"')).problems)
    assert bool(said) is is_reported
    assert all("ojk-2026#" in one for one in said)


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ('package = "com.example.a"', None),
        ('package = "com.example.b"\nmatches = false', None),
        (f'sha256 = "{SOME}"', None),
        (f'certificate = "{"2" * 64}"', None),
        ('package = "com.example.b"', "example 1: com.example.b must be on this list, but it is not"),
        (f'sha256 = "{SOME}"\nmatches = false', f"example 1: {SOME} must not be on this list, but it is"),
        (f'certificate = "{SOME}"', "must be on this list"),
    ],
)
def test_examples_are_executed(listed, worded, example, said):
    row = f'[[app]]\npackage = "com.example.a"\nsha256 = ["{SOME}"]\ncertificates = ["{"2" * 64}"]\n'
    found = worded(lint.lint_signatures(listed(f"{row}[[example]]\n{example}\n")).problems)
    assert (not found) if said is None else (len(found) == 1 and said in found[0])


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped lists, to be spoilt."""
    return Path(shutil.copytree(str(loader.shipped_folder()), tmp_path / "signatures"))


def spoil(folder: Path, name: str, before: str, after: str) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("examples.toml", 'expect = ["lending"]', 'expect = ["no"]', "was judged “lending”, but must be no"),
        (
            "vocabulary.toml",
            "label = [",
            'label = [\n  { term = "loan", lang = "en", match = "inword", weight = "weak", basis = "language" },',
            "the word “loan” appears twice",
        ),
        ("vocabulary.toml", "regex = '", "regex = '(", "is invalid"),
        ("sdks.toml", 'purpose = "alt_credit_score"', 'purpose = "spying"', "must be one of"),
        ("release.toml", "number = ", "nummer = ", "nummer"),
        ("risky/secp-2024.toml", 'publisher = "', 'publsher = "', "did you mean “publisher”"),
        ("risky/secp-2024.toml", 'tier = "B"\n', "", "“tier” is missing"),
        (
            "risky/eset-2023.toml",
            'package = "king.credit.ng"',
            'package = "com.finaccel.android"',
            "also on a list of lenders",
        ),
    ],
)
def test_a_complete_folder_is_checked_as_the_shipped_one(folder, worded, name, before, after, said):
    assert lint.lint_signatures(folder).problems == ()
    spoil(folder, name, before, after)
    assert any(said in one and name in one for one in worded(lint.lint_signatures(folder).problems))


def test_a_missing_source_is_reported(listed, worded):
    path = listed("")
    path.write_text('[[app]]\npackage = "com.example.a"\n')
    assert any("“source” is missing" in one for one in worded(lint.lint_signatures(path).problems))
