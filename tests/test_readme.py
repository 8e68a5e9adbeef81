"""Documents are tests: every command of the README exists, and what it shows is what comes out."""

import contextlib
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

import privaudit
from privaudit import cli
from privaudit.capture import archive
from privaudit.model import AccessState
from privaudit.report import json
from tests.fixtures.sentences import ENGLISH, forms
from tests.virtual_phone.conftest import need

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md", "CONTRIBUTING.md")
}
REFERENCE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
FIRST_PHONE = (ROOT / "docs" / "first-real-phone.md").read_text(encoding="utf-8")
CHINESE = DOCUMENTS["README.zh.md"]


def commands(*texts):
    """Every command line of ours in these texts, once."""
    pairs = [
        pair for text in texts for pair in re.findall(r"`(privaudit\s[^`]+)`|^\$ (privaudit .+)$", text, re.MULTILINE)
    ]
    return sorted({" ".join("".join(pair).split()) for pair in pairs})


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "privaudit", *arguments],
        # On Windows, redirected text would be in the console's code page.
        env={**os.environ, "LC_ALL": "C", **({"PYTHONUTF8": "1"} if os.name == "nt" else {})},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def find_command(words):
    """Return the command that `words` begin with, and the words after it."""
    here = typer.main.get_command(cli.typer_app)
    while words and isinstance(here, TyperGroup) and words[0] in here.list_commands(None):
        here, words = here.get_command(None, words[0]), words[1:]
    return here, words


@pytest.mark.parametrize("command", commands(*DOCUMENTS.values(), REFERENCE, FIRST_PHONE))
def test_every_documented_command_line_is_parsed(command):
    """Parsed whole, by the parser itself: the command, each option, its values, and what must not be missing."""
    here, words = find_command(shlex.split(command)[1:])
    if "COMMAND" in words:
        words = ["--help"]
    if isinstance(here, TyperGroup) and words != ["--help"]:
        known = {option for parameter in here.params for option in parameter.opts} | {"--install-completion"}
        assert words, f"`{command}` only prints help"
        assert set(words) <= known
        return
    with contextlib.suppress(typer.Exit):
        here.make_context(command, words)


NAMED = re.compile(r"“privaudit ([^”]+)”|\bprivaudit ([a-z]+(?: --?[a-z-]+)+)")
IN_WORDS = {
    " ".join("".join(pair).split())
    for sentence in ENGLISH.values()
    for form in forms(sentence)
    for pair in NAMED.findall(form)
}


@pytest.mark.parametrize("command", sorted(IN_WORDS))
def test_every_command_named_in_a_message_exists(command):
    """They name a command and an option, seldom a whole line."""
    here, words = find_command(command.split())
    assert here.name != "privaudit"
    known = {option for parameter in here.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= known


@pytest.fixture(scope="module")
def at_hand(report_of, capture_of_story, tmp_path_factory):
    """The files that the documents speak of."""
    folder = tmp_path_factory.mktemp("documents")
    archive.write_archive(capture_of_story("borrower"), folder / "check.zip")
    for name in ("report.json", "before.json", "after.json"):
        (folder / name).write_text(json.render(report_of("borrower")), encoding="utf-8")
    with zipfile.ZipFile(ROOT / "privaudit" / "virtual_phone" / "apks.zip") as apks:
        (folder / "loan.apk").write_bytes(apks.read(next(name for name in apks.namelist() if name.endswith("apk"))))
    (folder / "apps.csv").write_text("package,name\ncom.example.loan,Loan\n", encoding="utf-8")
    (folder / "mylist.toml").write_text(
        '[source]\npublisher = "me"\ntitle = "mine"\n[[app]]\npackage = "com.example.loan"\n', encoding="utf-8"
    )
    rule = (ROOT / "privaudit" / "data" / "rules" / "IN-RBI-DLD-2025.toml").read_text(encoding="utf-8")
    (folder / "IN-EXAMPLE-2026.toml").write_text(rule.replace("IN-RBI-DLD-2025", "IN-EXAMPLE-2026"), encoding="utf-8")
    return folder


# A workshop runs until it is closed: tests/workshop runs it in a terminal.
RUN = [line for line in commands(*DOCUMENTS.values()) if not re.match(r"privaudit workshop (?!kit)", line)]


@pytest.mark.parametrize("command", RUN)
def test_every_command_of_the_readme_runs(command, at_hand, environment, tmp_path):
    """It exits with 4 where it needs a phone, never with a usage error or an internal error."""
    folder = tmp_path / "folder"
    shutil.copytree(at_hand, folder)
    words = shlex.split(command.replace("com.example.loan", "com.example.sudaibao"))  # an app of the phone at hand
    for before, after in itertools.pairwise(words):
        if before in {"-o", "capture"}:
            (folder / after).unlink(missing_ok=True)  # what a command writes, it must not find
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env=environment,
        cwd=folder,
        input=b"y\n",
        check=False,
        capture_output=True,
        timeout=300,
    )
    output = done.stderr.decode() + done.stdout.decode()
    assert done.returncode in {0, 3, 4, 5}, output
    if done.returncode == 4:
        assert "What to do: " in output or "怎么办：" in output


TARGETS = set(re.findall(r"(?:^\$ |`)make ([\w-]+)", "".join([*DOCUMENTS.values(), REFERENCE]), re.MULTILINE))


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_make_target_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_report_begins_as_the_readme_shows():
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1]
    printed = re.sub(r"\d{1,2} \w{3} \d{4} *", "DATE         ", run("demo").stdout)
    for line in shown.splitlines():
        assert line in printed


def example(language):
    """Return the only program in the documents that is written in `language`."""
    (program,) = re.findall(rf"```{language}\n(.*?)```", README + REFERENCE, re.DOTALL)
    return program


@pytest.mark.unix
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
    for text in (README, CHINESE):
        explained = text.partition("| 0 |")[1:]
        assert codes == set(re.findall(r"^\| (\d+) \|", "".join(explained), re.MULTILINE))


def test_both_readmes_have_the_same_sections_and_commands():
    """The same headings in the same order, the same commands but for the language, the same table of what to add."""
    for pattern in (r"^#+ ", r"^\| [^|]+\| [^|]+\|$"):
        first, other = (len(re.findall(pattern, text, re.MULTILINE)) for text in (README, CHINESE))
        assert first == other, pattern
    names = [{command.split()[1] for command in commands(text)} for text in (README, CHINESE)]
    assert names[0] == names[1]


def test_the_chinese_readme_has_no_forbidden_words():
    never = "黑名单|高危|恶意|诈骗|违法|非法|安全|干净|放心|鉴定|取证|存证|受害者|网贷逾期"
    assert re.findall(never, CHINESE) == []


def test_the_readme_is_read_in_five_minutes():
    assert len(README.split()) < 1400  # of 280 a minute, code and tables included
    assert len(re.findall(r"[\u4e00-\u9fff]", CHINESE)) < 2500  # of 500 a minute


@pytest.mark.parametrize(
    "name", [*DOCUMENTS, "docs/commands.md", "docs/first-real-phone.md", "docs/first-real-phone.zh.md", "SECURITY.md"]
)
def test_every_link_and_picture_exists(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?://)([^)]*)\)", text):
        path, _, heading = link.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), link
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
        assert not heading or heading in {title.lower().replace(" ", "-") for title in headings}, link


def test_the_version_is_told_alike():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, day = re.search(r"^## (\d\S+) \((.+)\)$", changes, re.MULTILINE).groups()
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert privaudit.__version__ == version
    assert f"\nversion: {version}\n" in citation
    released = datetime.strptime(day, "%d %B %Y").replace(tzinfo=UTC)
    assert f'date-released: "{released:%Y-%m-%d}"' in citation
