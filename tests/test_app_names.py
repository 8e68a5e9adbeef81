"""`steps`, `revoke`, `open`, `letter` and `evidence --app`: apps by label, by a part of it, or by package name."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from privaudit.cli.console import CliConsole
from privaudit.cli.options import resolve_packages, validate_app_names
from privaudit.errors import UsageError

GOLDEN = Path(__file__).parent / "golden" / "borrower.json"
PACKAGE = "com.example.kuaiyihua"


class Terminal(io.StringIO):
    """Standard input or error that is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def apps(made):
    return [
        made.app("com.a.loan", label="Easy Loan"),
        made.app("com.a.loan", label="Easy Loan", user=999),
        made.app("com.b.loan", label="Easy Loans Plus"),
        made.app("com.c.loan", label="快易花"),
        made.app("com.d.loan", label="快易花 Pro"),
        made.app("com.e.twin", label="Twin"),
        made.app("com.f.twin", label="twin"),
        made.app("com.g.mask", label="com.a.loan"),
    ]


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("com.b.loan", "com.b.loan"),
        ("com.a.loan", "com.a.loan"),  # a package name counts before a label that imitates it
        ("easy loan", "com.a.loan"),  # the whole label, of both copies of one app
        ("Plus", "com.b.loan"),  # a part that only one app has
        ("快易花", "com.c.loan"),
        ("花pro", "com.d.loan"),
    ],
)
def test_one_app_has_the_name(apps, name, package):
    assert resolve_packages(CliConsole("en", plain=True), [name, package], apps) == [package]


@pytest.mark.parametrize(
    ("name", "error"), [("twin", "app_ambiguous"), ("快易", "app_ambiguous"), ("Nobody", "app_missing")]
)
def test_nothing_is_guessed_outside_a_terminal(apps, name, error):
    with pytest.raises(UsageError) as refused:
        resolve_packages(CliConsole("en", plain=True), [name], apps)
    assert refused.value.name == error
    if error == "app_ambiguous":
        assert len(refused.value.values["found"]) == 2


@pytest.mark.parametrize(("typed", "package"), [("1", "com.e.twin"), ("2", "com.f.twin")])
@pytest.mark.parametrize("code", ["en", "zh"])
def test_in_a_terminal_the_user_chooses(apps, monkeypatch, typed, package, code):
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr(sys, "stderr", shown)
    assert resolve_packages(CliConsole(code, plain=True), ["TWIN"], apps) == [package]
    assert "1  Twin com.e.twin" in shown.getvalue()
    assert "2  twin com.f.twin" in shown.getvalue()


@pytest.mark.parametrize("typed", ["", "0", "3", "-1", "²", "twin", "y", pytest.param("9" * 5000, id="5000 digits")])
def test_any_other_answer_chooses_nothing(apps, monkeypatch, typed):
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(UsageError):
        resolve_packages(CliConsole("en", plain=True), ["twin"], apps)


def test_a_hostile_label_does_not_reach_the_terminal(made):
    apps = [made.app("com.a", label="Loan\x1b[2J one"), made.app("com.b", label="Loan\x1b[2J two")]
    with pytest.raises(UsageError) as refused:
        resolve_packages(CliConsole("en", plain=True), ["Loan"], apps)
    assert "\x1b" not in str(refused.value.values["found"])


@pytest.mark.parametrize("name", ["", " ", "…", "?!"])
def test_a_name_without_letters_is_refused(name):
    with pytest.raises(UsageError):
        validate_app_names([name])


@pytest.mark.parametrize("name", ["快易花", "易花", PACKAGE])
def test_steps_letter_and_evidence_take_labels(run, tmp_path, name):
    steps = run("steps", name, "--from", GOLDEN)
    assert (steps.code, "快易花" in steps.out, "安信" in steps.out) == (0, True, False), steps.err
    letter = run("letter", GOLDEN, "--app", name, "--kind", "deletion", "--country", "CN", "--yes")
    assert letter.code == 0, letter.err
    assert letter.out == run("letter", GOLDEN, "--app", PACKAGE, "--kind", "deletion", "--country", "CN", "--yes").out
    kept = run("evidence", GOLDEN, "--app", name, "-o", tmp_path / "kept")
    assert kept.code == 0, kept.err
    assert "1 app" in kept.err


def test_revoke_takes_labels_of_apps_that_no_list_knows(run, demo_phone, tmp_path):
    with demo_phone() as phone:
        way = ("--transport", f"tcp:{phone.address}")
        planned = run("revoke", "安信消费贷", *way)
        unknown = run("revoke", "小翼分", *way)
        package = "com.example.creditwing"
        closed = run("revoke", package, *way, "--apply", "--yes", "--ledger", "l.json", cwd=tmp_path)
        again = run("revoke", "小翼分期", *way, "--ledger", "l.json", cwd=tmp_path)
        several = run("revoke", "助手", *way)
    assert (planned.code, "com.example.anxin" in planned.out) == (0, True), planned.err
    assert unknown.code == 0, unknown.err
    assert "“小翼分” is 小翼分期 com.example.creditwing" in unknown.err
    assert closed.code == 0, closed.err
    assert again.code == 0, again.err
    assert several.code == 2
    assert "several apps" in several.err


@pytest.mark.parametrize("name", ["速贷宝", "sudaibao", "速贷"])
def test_a_label_closes_nothing_where_nobody_is_asked(run, demo_phone, name, tmp_path):
    with demo_phone() as phone:
        address = ("--transport", f"tcp:{phone.address}", "--lang", "en")
        done = run("revoke", name, "--apply", "--yes", "--ledger", tmp_path / "l.ledger.json", *address)
    assert (done.code, "--yes takes package names only" in done.err) == (2, True)
    assert not list(tmp_path.glob("*.ledger.json"))
