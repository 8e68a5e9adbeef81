"""The structure of the package: layers, one place for each library, fast start-up, whole modules and classes."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import privaudit
from privaudit.cli.app import COMMANDS

ROOT = Path(privaudit.__file__).parent
FILES = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in sorted(ROOT.rglob("*.py"))}
"""Path of each module by its name below ``privaudit``; a package is named ``folder.__init__``."""

# --- layers: import-linter holds the order, this test names what each stage may import --------------------------------

STAGES = {
    # stage: the stages that it may import, beside itself and `FOUNDATION`
    "i18n": {"roms"},  # words of a menu are the ROM's
    "transport": set(),
    "apk": set(),
    "capture": {"apk", "i18n", "transport"},  # a phone is asked through a transport
    "dumpsys": {"capture", "roms"},
    "facts": {"apk", "capture", "dumpsys"},
    "knowledge": {"apk", "i18n"},
    "findings": {"capture", "facts", "i18n", "knowledge"},  # evidence is cut out of the capture
    # A step closes what a finding names. A change is read back by the parsers of a capture. The lists say what lends.
    "revocation": {"capture", "dumpsys", "facts", "findings", "i18n", "knowledge", "roms", "transport"},
    "report": {"facts", "i18n", "knowledge", "revocation", "roms"},
    # A file is judged like what a phone answers, and may be on a phone.
    "vetting": {"apk", "capture", "dumpsys", "facts", "findings", "i18n", "knowledge", "report", "transport"},
    "documents": {"capture", "i18n", "knowledge", "report", "revocation", "roms"},  # a page has steps
    "virtual_phone": {"transport"},  # the audit is tested against it, and it knows no audit
}
# It runs the pipeline for many phones, and rehearses with the virtual phone; it never changes a phone (see below).
STAGES["workshop"] = {*STAGES, "audit", "resume", "roms"} - {"vetting"}
STAGES["cli"] = {*STAGES, "audit", "resume", "roms"}
# It does what the commands do, for one phone; of a workshop it has the words of consent and the counts.
STAGES["browser"] = {*STAGES, "audit", "resume", "roms"} - {"cli", "vetting"}
PIPELINE = {
    "audit": {*STAGES}
    - {"browser", "cli", "workshop", "documents", "vetting", "report", "virtual_phone", "i18n", "dumpsys"},
    "resume": {"apk", "audit", "capture", "dumpsys", "facts", "knowledge", "transport"},
}
"""The modules that join the stages."""
FOUNDATION = {"android", "atomic_write", "errors", "home", "interruptible", "model", "__init__"}
"""Modules that every stage may import."""


@cache
def imports(module):
    """Return the modules that `module` imports, at the top or inside functions, by their full names."""
    names = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def imported_stages(module):
    """Return the folders and top modules of privaudit that `module` imports."""
    parts = {name.split(".")[1] for name in imports(module) if name.startswith("privaudit.")}
    return {part for part in parts if part in STAGES or part in FILES}


def modules_in(stage):
    return [module for module in FILES if module == stage or module.startswith(f"{stage}.")]


def importers(package):
    """Return the modules that import `package` or a part of it."""
    return {
        module for module in FILES if any(name == package or name.startswith(f"{package}.") for name in imports(module))
    }


@pytest.mark.parametrize("stage", [*STAGES, *PIPELINE])
def test_each_stage_imports_only_the_stages_below_it(stage):
    allowed = FOUNDATION | {stage} | {**STAGES, **PIPELINE}[stage]
    assert {module: others for module in modules_in(stage) if (others := imported_stages(module) - allowed)} == {}


def test_the_foundation_imports_no_stage():
    assert imported_stages("model") == set()
    assert imported_stages("errors") <= {"model"}
    assert imported_stages("roms") <= FOUNDATION
    assert imported_stages("atomic_write") <= FOUNDATION


def test_only_the_pipeline_and_stages_import_stages():
    others = [
        module for module in FILES if module not in {*PIPELINE, "__main__"} and module.partition(".")[0] not in STAGES
    ]
    assert {module: stages for module in others if (stages := imported_stages(module) & STAGES.keys())} == {}


def test_the_table_of_commands_names_a_module_and_a_help_text_for_each():
    from privaudit.i18n import Translator

    assert {module for module, _, _ in COMMANDS.values()} <= {
        module.removeprefix("cli.") for module in modules_in("cli")
    }
    assert all(Translator().has_key(key) for _, _, key in COMMANDS.values())


# --- one module for each outside library and power --------------------------------------------------------------------


def test_each_outside_library_is_imported_in_one_place():
    assert importers("androguard") == {"vetting.androguard_process"}
    assert importers("jinja2") == {"report.html_page", "virtual_phone.dump_writers.package_dump"}
    assert importers("markupsafe") == {"report.html_page"}
    assert importers("platformdirs") == {"knowledge.releases"}
    assert importers("pyodide") == {"browser.worker_host", "transport.webusb"}
    for package in ("adb_shell", "usb1", "libusb_package"):
        assert all(module.startswith("transport.") for module in importers(package)), package


@pytest.mark.parametrize(
    "package", ["socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests", "httpx", "aiohttp"]
)
def test_no_network_but_to_a_phone_and_for_newer_lists(package):
    modules = {module for module in importers(package) if not module.startswith(("transport.", "virtual_phone."))}
    # A cluster is connected to only where the user names one; see below.
    assert modules <= {"knowledge.update", *(("vetting.dask_cluster",) if package == "asyncio" else ())}
    # Only the commands that update and pack lists reach it.
    assert importers("privaudit.knowledge.update") == {"cli.signatures"}


def test_only_a_batch_starts_processes():
    assert importers("concurrent.futures.process") == {"vetting.batch"}
    assert {
        module for module in importers("concurrent.futures") if "ProcessPool" in FILES[module].read_text("utf-8")
    } == {"vetting.batch"}


def test_only_a_cluster_that_the_user_names_is_connected_to():
    assert importers("distributed") | importers("dask") == {"vetting.dask_cluster"}
    assert importers("privaudit.vetting.dask_cluster") == {"cli.apk"}


def test_a_workshop_never_changes_a_phone():
    for module in modules_in("workshop"):
        names = {name for name in imports(module) if name.startswith("privaudit.revocation")}
        # Only sentences about taps: no command that writes, no plan, no undo, no page opened on the phone.
        assert all(name == "privaudit.revocation" or name.startswith("privaudit.revocation.steps") for name in names), (
            module
        )


def test_the_keyboard_and_file_locks_are_used_in_one_place():
    assert importers("termios") == importers("tty") == {"workshop.keyboard"}
    assert importers("msvcrt") == {"workshop.keyboard", "workshop.storage"}
    assert importers("fcntl") == {"workshop.storage"}


def test_only_the_menu_opens_the_browser():
    assert importers("webbrowser") == {"cli.menu"}


def test_no_other_program_is_started():
    for package in ("subprocess", "multiprocessing", "ctypes", "pty"):
        modules = {module for module in importers(package) if not module.startswith("transport.")}
        # Python itself: for androguard, and for a command line of privaudit that is typed in the menu.
        assert modules <= ({"vetting.second_reader", "cli.menu"} if package == "subprocess" else set()), package


def test_no_file_names_a_path_of_a_workplace():
    tests = Path(__file__).parent
    places = re.compile(r"/" + r"work/|\.\./" + r"shared")
    files = [*ROOT.rglob("*.py"), *ROOT.rglob("*.toml"), *tests.rglob("*.py")]
    assert [
        file for file in files if file != tests / "conftest.py" and places.search(file.read_text(encoding="utf-8"))
    ] == []


def unbounded_wait(call):
    """Whether a call may wait for ever, and so not hear Ctrl-C on Windows."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if any(keyword.arg == "timeout" for keyword in call.keywords):
        return False
    arguments = len(call.args) + len(call.keywords)
    # queue.get, Event.wait, Thread.join, Future.result, Lock.acquire, select: the first argument is the time-out.
    if name in {"get", "wait", "join", "result", "exception", "acquire", "select"} and isinstance(
        call.func, ast.Attribute
    ):
        return arguments == 0
    return (name in {"wait", "as_completed"} and len(call.args) < 2) or (name == "wait_for" and len(call.args) < 2)


DEAF_WAITS_OF_DASK = {
    ("vetting.dask_cluster", wait)
    for wait in ("as_completed([], loop=client.loop)", "future.exception()", "future.result()")
}
"""Dask's client waits in slices itself."""


def test_no_wait_is_deaf_to_ctrl_c():
    found = {
        (module, ast.unparse(node))
        for module, file in FILES.items()
        if module not in {"interruptible", "transport.webusb"} and not module.startswith("browser.")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and unbounded_wait(node)
    }
    assert found == DEAF_WAITS_OF_DASK


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("queue.get()", True),
        ("event.wait()", True),
        ("thread.join()", True),
        ("future.result()", True),
        ("lock.acquire()", True),
        ("selector.select()", True),
        ("wait(futures, return_when=FIRST_COMPLETED)", True),
        ("as_completed(futures)", True),
        ("condition.wait_for(done)", True),
        ("queue.get(timeout=1)", False),
        ("event.wait(1)", False),
        ("', '.join(names)", False),
        ("values.get('x')", False),
        ("wait(futures, 1)", False),
        ("condition.wait_for(done, 1)", False),
    ],
)
def test_waits_are_found(code, is_found):
    assert unbounded_wait(ast.parse(code, mode="eval").body) is is_found


def test_the_home_folder_is_asked_for_in_one_place():
    asking = {
        module
        for module, file in FILES.items()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"expanduser", "home"}
    }
    assert asking == {"home"}


# --- whole modules and classes ----------------------------------------------------------------------------------------

MAX_LINES = 500
MAX_LINES_WITHOUT_REASON = 300
THE_CONTRACT = {"model"}
"""May be longer: the published document stands in one file."""
PROTOCOL_IMPLEMENTATIONS = set()
"""Public class names that several modules may define, because each implements the same Protocol."""


def sentences(text):
    return [sentence for sentence in re.split(r"[.:!?](?:\s+|$)", text) if sentence.strip()]


def test_a_module_has_at_most_500_lines_and_above_300_says_why_it_is_one_thing():
    """The reason stands in the docstring: it has at least two sentences."""
    offenders = []
    for module, file in FILES.items():
        text = file.read_text(encoding="utf-8")
        length, docstring = len(text.splitlines()), ast.get_docstring(ast.parse(text)) or ""
        if length > MAX_LINES and module not in THE_CONTRACT:
            offenders.append(f"{module}: {length} lines")
        elif length > MAX_LINES_WITHOUT_REASON and len(sentences(docstring)) < 2:
            offenders.append(f"{module}: {length} lines, and a docstring without a reason")
    assert offenders == []


def test_the_package_has_at_most_225_modules_and_its_virtual_phone_45_with_5500_lines():
    phone = modules_in("virtual_phone")
    assert len(FILES) - len({*modules_in("browser"), "transport.webusb"}) <= 225
    assert len(phone) <= 45
    assert sum(len(FILES[module].read_text(encoding="utf-8").splitlines()) for module in phone) <= 5500


def imported_names(tree):
    """Return what each name from privaudit stands for: (module, name in it), the name ``None`` for a module."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "privaudit":
            folder = node.module.removeprefix("privaudit").removeprefix(".")
            for alias in node.names:
                target = f"{folder}.{alias.name}".removeprefix(".")
                source = folder if folder in FILES else f"{folder}.__init__".removeprefix(".")
                is_module = target in FILES or f"{target}.__init__" in FILES
                names[alias.asname or alias.name] = (target, None) if is_module else (source, alias.name)
    return names


@cache
def classes():
    """Return every class at the top of a module: (module, name) → its definition and its bases as (module, name)."""
    definitions = {}
    for module, file in FILES.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = imported_names(tree)
        for node in tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            bases = []
            for expression in node.bases:
                base = expression.value if isinstance(expression, ast.Subscript) else expression
                if isinstance(base, ast.Name):
                    bases.append(names.get(base.id, (module, base.id)))
                elif isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
                    bases.append((names.get(base.value.id, (base.value.id, None))[0], base.attr))
            definitions[module, node.name] = (node, bases)
    return definitions


def test_no_public_class_name_is_defined_in_two_modules():
    modules = defaultdict(list)
    for module, name in classes():
        if not name.startswith("_") and name not in PROTOCOL_IMPLEMENTATIONS:
            modules[name].append(module)
    assert {name: places for name, places in modules.items() if len(places) > 1} == {}


def is_abstract(key):
    """Whether a class is an exception, a Protocol or an abstract class, itself or by inheritance."""
    if key not in classes():
        return key[1] in {"Protocol", "ABC", "Exception", "BaseException"}
    node, bases = classes()[key]
    methods = [ast.unparse(part) for part in node.body if isinstance(part, ast.FunctionDef)]
    return any("@abstractmethod" in method or "@abc.abstractmethod" in method for method in methods) or any(
        map(is_abstract, bases)
    )


def test_no_class_is_continued_in_another_module():
    """A concrete class with one subclass only, in another module, is one class cut in two."""
    subclasses = defaultdict(list)
    for key, (_, bases) in classes().items():
        for base in bases:
            subclasses[base].append(key)
    assert [
        f"{module}.{name} continues {base_module}.{base}"
        for (base_module, base), derived in subclasses.items()
        if (base_module, base) in classes() and len(derived) == 1 and not is_abstract((base_module, base))
        for module, name in derived
        if module != base_module
    ] == []


# --- fast start-up ----------------------------------------------------------------------------------------------------

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


def loaded_modules(code):
    """Return the modules of a fresh process after `code`."""
    code = f"import sys, json\n{code}\nsys.stderr.write('|' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    return set(json.loads(done.stderr.rpartition("|")[2]))


def heavy_modules(modules):
    return {heavy for heavy in HEAVY if any(name == heavy or name.startswith(f"{heavy}.") for name in modules)}


def test_help_loads_nothing_heavier_than_typer():
    code = """
sys.argv = ["privaudit", "--help"]
from privaudit.cli import main
try:
    main()
except SystemExit:
    pass
"""
    assert not heavy_modules(loaded_modules(code))


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


NO_PHONE = ["--transport", "tcp:127.0.0.1:1"]


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["audit", *NO_PHONE],
        ["audit", "nowhere"],
        ["devices"],
        ["steps", *NO_PHONE],
        ["open", "permissions", "com.example.loan", *NO_PHONE],
        ["revoke", "com.example.loan", "--apply", *NO_PHONE],
        ["revoke", "com.example.loan", "--from", "nowhere"],
        ["undo", "nowhere"],
        ["diff", "nowhere", "nowhere"],
    ],
)
def test_the_first_line_is_printed_before_heavy_imports(command):
    code = f"""
sys.argv = ["privaudit", *{command!r}]
from privaudit.cli import console
def exit_at_first_line(text):
    raise SystemExit(0)
console.CliConsole._print_stderr = staticmethod(exit_at_first_line)
from privaudit.cli import main
try:
    main()
except SystemExit:
    pass
"""
    assert not heavy_modules(loaded_modules(code) - loaded_modules(TYPER))


@pytest.mark.parametrize("command", [["demo"], ["apk", "app.apk"]], ids=["demo", "apk"])
def test_no_command_loads_androguard_or_what_it_brings(command, tmp_path):
    with zipfile.ZipFile(ROOT / "virtual_phone" / "apks.zip") as apks:
        name = next(name for name in apks.namelist() if name.endswith(".apk"))
        (tmp_path / "app.apk").write_bytes(apks.read(name))
    words = [str(tmp_path / word) if word == "app.apk" else word for word in command]
    loaded = loaded_modules(f"""
sys.argv = ["privaudit", *{words!r}]
import privaudit.cli
try:
    privaudit.cli.main()
except SystemExit as end:
    assert end.code in (0, 3, 5), end.code
""")
    assert "privaudit.report.view" in loaded or "privaudit.vetting.report" in loaded  # it ran
    heavy = {"androguard", "IPython", "sqlalchemy", "networkx", "lxml", "jedi", "loguru", "dataset", "apkInspector"}
    assert {name.partition(".")[0] for name in loaded} & heavy == set()
