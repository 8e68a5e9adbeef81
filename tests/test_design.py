"""The house keeps its order: one direction, few doors to the outside, quick to start, modules of one screen."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import privaudit

ROOT = Path(privaudit.__file__).parent
FILES = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in sorted(ROOT.rglob("*.py"))}
STAGES = {
    # a stage: what it may know beside model, errors, language and itself
    "transport": set(),
    "capture": {"transport"},  # a live phone is asked through one
    "knowledge": {"rules"},
    "locales": set(),
    "roms": set(),
    "rules": set(),
    "facts": {"capture", "roms"},
    "findings": {"capture", "facts", "knowledge"},  # evidence is cut out of the capture
    # A step closes what a finding found; a change is made on a phone, and read back by the same parsers.
    "remedy": {"capture", "facts", "findings", "roms", "transport"},
    # A file is read and judged as what a phone says is; it may lie on one.
    "vet": {"capture", "facts", "findings", "knowledge", "transport"},
    "scan": {"capture", "report", "vet"},  # many files, a line of the document each
    "rights": {"knowledge"},  # its files are read and checked as the lists are
    "report": {"remedy", "rights", "roms", "vet"},  # what stands above the steps, whatever they are
    # What a person takes away: it holds reports, and says where in a capture a line stands.
    "papers": {"capture", "report", "rights"},
    "demo": {"transport"},  # it is a phone: the audit knows it, it knows no audit
}
# It runs the pipeline for many phones, writes their pages, and rehearses with the demo; it never changes a phone (see
# test_a_workshop_never_changes_a_phone).
STAGES["workshop"] = {*STAGES, "audit", "resume"}
STAGES["commands"] = {*STAGES, "audit", "resume"}  # they talk to people about all of them; no stage knows them
PIPELINE = {"audit", "cli", "resume"}
"""What joins the stages."""
EVERYWHERE = {"model", "errors", "language", "private", "__init__"}
LONGER = {
    # module: why it is longer than a screen or two
    "model": "every noun in one place, each field with its meaning",
    "capture.questions": "the one list of what a phone is asked",
}


@cache
def imports(module):
    """Modules that `module` imports, at the top or inside functions, whole names."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def ours(module):
    """First parts of our own modules that `module` imports."""
    parts = {name.split(".")[1] for name in imports(module) if name.startswith("privaudit.")}
    return {part for part in parts if part in STAGES or part in FILES}


def inside(stage):
    return [module for module in FILES if module == stage or module.startswith(f"{stage}.")]


@pytest.mark.parametrize("stage", STAGES)
def test_one_direction(stage):
    for module in inside(stage):
        assert ours(module) - EVERYWHERE - {stage} <= STAGES[stage], module


def test_the_lower_floor_knows_no_stage():
    assert ours("model") == set()
    assert ours("errors") <= {"model"}
    # Menu words are the ROM's, and a rule's words stand in its file.
    assert ours("language") <= {"model", "errors", "locales", "roms", "rules"}


def test_only_the_pipeline_knows_all_stages():
    for module in FILES:
        if module not in PIPELINE and module.partition(".")[0] not in STAGES:
            assert not ours(module) & STAGES.keys() - {"locales", "roms", "rules"}, module


def users_of(package):
    return {
        module for module in FILES if any(name == package or name.startswith(f"{package}.") for name in imports(module))
    }


def test_outside_libraries_have_one_door_each():
    assert all(re.match(r"facts\.apk", module) for module in users_of("androguard"))
    assert users_of("jinja2") | users_of("markupsafe") == {"report.page.__init__"}
    for package in ("adb_shell", "usb1", "libusb_package"):
        assert all(module.startswith("transport.") for module in users_of(package)), package


@pytest.mark.parametrize(
    "package", ["socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests", "httpx", "aiohttp"]
)
def test_no_network_but_to_a_phone_and_for_newer_lists(package):
    users = {module for module in users_of(package) if not module.startswith(("transport.", "demo."))}
    # A cluster that was asked for has its own door; see below.
    assert users <= {"knowledge.fetch", *(("scan.cluster",) if package == "asyncio" else ())}
    # And only the one command that says so reaches it.
    assert users_of("privaudit.knowledge.update") == {"commands.exchange", "knowledge.bundle"}
    assert users_of("privaudit.knowledge.update") == {"commands.exchange"}


def test_only_a_scan_starts_processes_of_its_own():
    assert users_of("concurrent.futures.process") == {"scan.cores"}
    assert {
        module for module in users_of("concurrent.futures") if "ProcessPool" in FILES[module].read_text("utf-8")
    } == {"scan.cores"}


def test_only_a_cluster_that_was_asked_for_is_connected_to():
    assert users_of("distributed") | users_of("dask") == {"scan.cluster"}
    # And only the one command that says so reaches it.
    assert users_of("privaudit.vetting.dask_cluster") == {"commands.bench"}


def test_a_workshop_never_changes_a_phone():
    for module in inside("workshop"):
        remedy = {name for name in imports(module) if name.startswith("privaudit.revocation")}
        # Words of taps only: no command that writes, no plan, no undo, no page shown on the phone.
        assert remedy <= {"privaudit.revocation", "privaudit.revocation.steps"}, module


def test_the_keyboard_and_locks_have_one_door_each():
    assert users_of("termios") == users_of("tty") == {"workshop.keys"}
    assert users_of("msvcrt") == {"workshop.keys", "workshop.lock"}
    assert users_of("fcntl") == {"workshop.lock"}


def test_the_browser_is_opened_by_the_menu_alone():
    assert users_of("webbrowser") == {"commands.menu"}


def test_no_other_program_is_started():
    for package in ("subprocess", "multiprocessing", "ctypes", "pty"):
        assert all(module.startswith("transport.") for module in users_of(package)), package


@pytest.mark.parametrize("module", FILES)
def test_modules_are_of_one_screen(module):
    length = len(FILES[module].read_text(encoding="utf-8").splitlines())
    if module in LONGER:
        assert length > 250, f"{module} is short again: take it off the list"
    else:
        assert length <= 250, f"{module}: {length} lines; split it by noun, or argue in LONGER"


def test_no_path_of_a_workplace():
    tests = Path(__file__).parent
    places = re.compile(r"/" + r"work/|\.\./" + r"shared")
    for file in [*ROOT.rglob("*.py"), *ROOT.rglob("*.toml"), *tests.rglob("*.py")]:
        if file != tests / "conftest.py":
            assert not places.search(file.read_text(encoding="utf-8")), file


# --- quick to start -------------------------------------------------------------------------------------------------

HEAVY = (
    "pydantic",
    "rich.console",
    "jinja2",
    "adb_shell",
    "usb1",
    "androguard",
    "cryptography",
    "lxml",
    "privaudit.audit",
)


def loaded(code):
    """Modules in a fresh process after `code`."""
    code = f"import sys, json\n{code}\nsys.stderr.write('|' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    return set(json.loads(done.stderr.rpartition("|")[2]))


def among(modules, heavy):
    return {name for name in heavy if any(one == name or one.startswith(f"{name}.") for one in modules)}


def test_help_loads_nothing_heavier_than_typer():
    code = """
sys.argv = ["privaudit", "--help"]
from privaudit.cli import main
try:
    main()
except SystemExit:
    pass
"""
    assert not among(loaded(code), HEAVY)


# What typer itself loads to run a command with one argument: pydantic, since typer 0.2x.
TYPER = """
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
@app.command()
def one(name: str = ""): pass
@app.command()
def two(): pass
app(["one"], standalone_mode=False)
"""


NOWHERE = ["--transport", "tcp:127.0.0.1:1"]


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["audit", *NOWHERE],
        ["audit", "nowhere"],
        ["steps", *NOWHERE],
        ["open", "permissions", "com.example.loan", *NOWHERE],
        ["revoke", "com.example.loan", "--apply", *NOWHERE],
        ["revoke", "com.example.loan", "--from", "nowhere"],
        ["undo", "nowhere"],
        ["diff", "nowhere", "nowhere"],
    ],
)
def test_a_first_line_is_said_before_heavy_imports(command):
    code = f"""
sys.argv = ["privaudit", *{command!r}]
from privaudit.cli import talk
def line(text):
    raise SystemExit(0)
talk.Talk._line = staticmethod(line)
from privaudit.cli import main
try:
    main()
except SystemExit:
    pass
"""
    assert not among(loaded(code) - loaded(TYPER), HEAVY)
