"""Documents are tests: every command of the README exists, and what it shows is what comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from privaudit.model import AccessState
from privaudit.report import json
from tests.demo.conftest import need

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`(privaudit [^`]+)`|^\$ (privaudit .+)$", README, re.MULTILINE)))


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "privaudit", *arguments],
        env={**os.environ, "LC_ALL": "C"},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize("command", [" ".join(filter(None, pair)) for pair in COMMANDS])
def test_every_command_and_option_exists(command):
    _, name, *words = command.split()
    shown = run(name, "--help")
    assert shown.returncode == 0, shown.stderr
    for option in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<!\S){re.escape(option)}\b", shown.stdout.replace(",", " ")), option


@pytest.mark.parametrize("target", re.findall(r"^\$ make (\w+)$", README, re.MULTILINE))
def test_every_make_target_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_report_begins_as_the_readme_shows():
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1]
    printed = re.sub(r"\d{1,2} \w{3} \d{4} *", "DATE         ", run("demo").stdout)
    for line in shown.splitlines():
        assert line in printed


def example(language):
    """The one program of the README in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return found


def test_the_jq_example_shows_who_can_read_contacts(demo_report, tmp_path):
    need("jq")
    (tmp_path / "report.json").write_text(json.render(demo_report), encoding="utf-8")
    shell = ["sh", "-c", example("sh")]
    shown = subprocess.run(shell, cwd=tmp_path, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    can_read = [app for app in demo_report.apps if app.access["contacts"].state == "can_read"]
    assert [line.split("\t")[:2] for line in shown.splitlines()] == [[app.package, str(app.user)] for app in can_read]
    assert "2026-01-08T21:13" in shown


def test_the_duckdb_example_counts_phones(report_of, tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    reports = [report_of(story) for story in ("borrower", "hyperos", "oneui")]
    for place, report in enumerate(reports):
        (tmp_path / f"report-{place}.json").write_text(json.render(report), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    rows = {package: (phones, can_read) for package, phones, can_read in duckdb.sql(example("sql")).fetchall()}
    apps = [(place, app) for place, report in enumerate(reports) for app in report.apps]
    assert rows == {
        package: tuple(
            len({place for place, app in apps if app.package == package and app.access["contacts"].state in states})
            for states in (set(AccessState), {"can_read"})
        )
        for package in {app.package for _, app in apps}
    }
    assert rows["com.example.sudaibao"][0] == 2


def test_each_exit_code_of_the_code_is_explained():
    errors = (ROOT / "privaudit" / "errors.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"^EXIT_\w+ = (\d+)$", errors, re.MULTILINE)) - {"1"}  # 1 is a mistake of ours
    assert codes == set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))
