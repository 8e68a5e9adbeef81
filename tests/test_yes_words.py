"""A yes is a yes at every question: in the menu, in `revoke` and `undo`, and before a letter, in each language."""

from __future__ import annotations

import io
import sys
import unicodedata
from pathlib import Path

import pytest

from privaudit.cli.console import CliConsole
from privaudit.cli.letter import letter
from privaudit.cli.menu import Menu
from privaudit.cli.options import PhoneOptions
from privaudit.cli.revoke import RevocationCommand
from privaudit.i18n import Translator, catalog
from privaudit.i18n.answers import is_yes
from privaudit.report import json

APP = "com.example.loan"


def yes_words(code):
    return str(catalog.sentence("cli.yes_words", code)).split()


ANSWERS = [
    *((code, word) for code in catalog.languages() for word in dict.fromkeys(["y", "yes", *yes_words(code)])),
    ("es", "SÍ"),
    ("zh", "ｙ"),
    ("zh", "ＹＥＳ"),
    ("zh", "是。"),
    ("sw", "Ndiyo."),
    ("es", unicodedata.normalize("NFD", "sí")),
]
"""A language, and an answer that is a yes in it."""
REFUSALS = [(code, answer) for code in catalog.languages() for answer in ("", "n", "no", "maybe")]


@pytest.fixture
def type_answer(monkeypatch):
    def type_line(answer):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n"))

    return type_line


@pytest.fixture
def saved_report(made, tmp_path):
    path = tmp_path / "report.json"
    app = made.app(APP, label="Loan", version_name="1", contacts=made.access("can_read"))
    path.write_text(json.render(made.report(app)), encoding="utf-8")
    return path


def menu_keeps_page(code, home, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr("privaudit.cli.menu.open_in_browser", lambda _: True)

    def write_page(arguments):
        Path(arguments[arguments.index("--output") + 1]).write_text("page", encoding="utf-8")
        return 0

    Menu(write_page, code)._run_and_open_html("demo")
    return any(home.glob("page-*.html"))


def revoke_agrees(code):
    command = RevocationCommand(CliConsole(code, plain=True), PhoneOptions(), apply=True, yes=False)
    return command._confirm("cli.ask_apply", 2)


def letter_is_written(code, report, monkeypatch):
    written = []
    monkeypatch.setattr("privaudit.cli.letter._write_document", lambda *arguments: written.append(arguments))
    letter(report, app=APP, kind="complaint", country="KE", lang=code)
    return bool(written)


@pytest.mark.parametrize(("code", "answer"), ANSWERS)
def test_a_yes_counts_at_every_question(type_answer, saved_report, tmp_path, monkeypatch, code, answer):
    type_answer(answer)
    assert menu_keeps_page(code, tmp_path, monkeypatch)
    type_answer(answer)
    assert revoke_agrees(code)
    type_answer(answer)
    assert letter_is_written(code, saved_report, monkeypatch)


@pytest.mark.parametrize(("code", "answer"), REFUSALS)
def test_anything_else_is_a_no_at_every_question(type_answer, saved_report, tmp_path, monkeypatch, code, answer):
    type_answer(answer)
    assert not menu_keeps_page(code, tmp_path, monkeypatch)
    type_answer(answer)
    assert not revoke_agrees(code)
    type_answer(answer)
    assert not letter_is_written(code, saved_report, monkeypatch)


@pytest.mark.parametrize("code", catalog.languages())
def test_yes_words_are_written_as_answers_are_compared(code):
    for word in yes_words(code):
        assert word == unicodedata.normalize("NFC", word.casefold())
        assert is_yes(word, Translator(code))
