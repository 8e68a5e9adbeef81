"""Documents are tests: every command of the README exists, and what it shows is what comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_each_exit_code_of_the_code_is_explained():
    errors = (ROOT / "privaudit" / "errors.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"^EXIT_\w+ = (\d+)$", errors, re.MULTILINE)) - {"1"}  # 1 is a mistake of ours
    assert codes == set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))
