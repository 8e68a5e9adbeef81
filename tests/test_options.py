"""Options that several commands share: countries by name or code, brands of phones."""

from __future__ import annotations

import sys

import pytest

from privaudit.cli import options
from privaudit.errors import UsageError
from privaudit.i18n import Translator, catalog


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("CN", "CN"),
        ("cn", "CN"),
        ("FR", "FR"),  # a code needs no data of ours
        ("China", "CN"),
        ("中国", "CN"),
        ("印度", "IN"),
        ("भारत", "IN"),
        ("mexico", "MX"),
        ("MÉXICO", "MX"),
        ("Pilipinas", "PH"),
        ("Kenya", "KE"),
        (None, None),
        ("", None),
    ],
)
def test_a_country_is_given_by_code_or_name(given, code):
    assert options.parse_country(given) == code


@pytest.mark.parametrize("given", ["Niger", "Indo", "Ind", "Atlantis", "C", "C1", "ABC", " "])
def test_a_country_is_never_guessed(given):
    """Niger is not Nigeria."""
    with pytest.raises(UsageError) as refused:
        options.parse_country(given)
    assert refused.value.name == "country_unknown"


@pytest.mark.parametrize("words", [["rights", "Kenya"], ["rights", "ke"]])
def test_rights_of_a_country_by_name(run, words):
    assert "Kenya" in run(*words).out.splitlines()[0]


def test_a_letter_and_a_page_take_a_country_by_name(run, tmp_path):
    from pathlib import Path

    golden = Path(__file__).parent / "golden" / "borrower.json"
    by_name, by_code = (
        run("letter", golden, "--app", "快易花", "--kind", "complaint", "--country", country, "--yes").out
        for country in ("中国", "CN")
    )
    assert by_name == by_code != ""
    assert run("audit", golden, "--country", "Wonderland").code == 2


@pytest.mark.parametrize("brand", ["xiaomi", "redmi", "oppo", "realme", "vivo", "honor", "samsung", "infinix", "tecno"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_steps_take_a_brand(run, brand, lang):
    done = run("steps", "--usb", "--rom", brand, "--lang", lang)
    assert done.code == 0, done.err
    assert brand in done.out.casefold()
    assert "--rom" not in done.out


def test_an_unknown_brand_is_told_the_known_ones(run):
    done = run("steps", "--usb", "--rom", "windows")
    assert done.code == 2
    assert "tecno" in done.err


@pytest.mark.parametrize(
    ("words", "language", "country"),
    [
        (["audit", "--country", "Kenya"], "zh", "KE"),
        (["audit", "--country=ph"], "en", "PH"),
        (["audit"], "zh", "CN"),
        (["audit"], "en", None),
        (["audit", "--country", "Niger"], "zh", None),
    ],
)
def test_help_that_nobody_asked_for_is_for_the_chosen_country(monkeypatch, words, language, country):
    monkeypatch.setattr(sys, "argv", ["privaudit", *words])
    assert options.suggest_country(language) == country


@pytest.mark.parametrize(
    ("platform", "words"), [("linux", "undo '/a b/l.json' c.zip"), ("win32", 'undo "/a b/l.json" c.zip')]
)
def test_a_printed_command_quotes_what_has_blanks(monkeypatch, platform, words):
    monkeypatch.setattr(sys, "platform", platform)
    assert options.command_line("undo", "/a b/l.json", "c.zip") == words


@pytest.mark.parametrize("code", catalog.languages())
@pytest.mark.parametrize("key", ["cli.ledger_kept", "cli.stopped_between"])
def test_where_a_ledger_is_printed_its_command_can_be_copied(code, key):
    told = Translator(code).t(key, path="/a b/l.json", quoted="'/a b/l.json'")
    assert told.count("/a b/l.json") == 2
    assert told.count("'/a b/l.json'") == 1
