"""What SECURITY.md promises of this computer: private files, no shell, bounded archives, libraries within bounds."""

from __future__ import annotations

import ast
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

import privaudit
from privaudit.capture import read_source
from privaudit.errors import SourceError
from privaudit.report import FORMATS

ROOT = Path(privaudit.__file__).parent
REPOSITORY = ROOT.parent
FILES = {file.relative_to(ROOT).as_posix(): file for file in sorted(ROOT.rglob("*.py"))}

# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_to_all():
    """A umask of 0: every new file and folder is open to all users, unless its creator restricts it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.unix
def test_everything_that_is_written_is_private(run, demo_phone, tmp_path, home, open_to_all):
    """Every file has mode 0600 and every folder 0700, whatever the umask, whichever command wrote it."""
    folder = tmp_path / "outputs"
    folder.mkdir(mode=0o700)
    home.chmod(0o700)
    check, report = folder / "check.zip", folder / "report.json"
    app = "com.example.flashpeso"
    with demo_phone("android16") as phone:
        transport = ("--transport", f"tcp:{phone.address}")
        assert run("capture", check, *transport).code == 0
        run("revoke", app, "--apply", "--yes", "--ledger", folder / "ledger.json", *transport)
    assert (folder / "ledger.json").is_file()
    outputs = [word for suffix in ("txt", "html", "csv") for word in ("-o", folder / f"report.{suffix}")]
    assert run("audit", check, "-o", report, *outputs).code in {0, 3, 5}
    assert run("diff", report, report, "-o", folder / "diff.html").code == 0
    letter = ("letter", report, "--app", app, "--kind", "deletion", "--country", "IN", "--yes")
    assert run(*letter, "-o", folder / "letter.md").code == 0
    assert run("evidence", check, "-o", folder / "kept").code == 0
    assert run("signatures", "export", "-o", folder / "lists.csv").code == 0
    assert run("signatures", "import", folder / "lists.csv", "-o", folder / "own").code in {0, 2}
    assert run("workshop", "kit", "-o", folder / "kit").code == 0
    wrong = [
        f"{path.relative_to(tmp_path)}: {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in [*folder.rglob("*"), *home.rglob("*")]
        if stat.S_IMODE(path.lstat().st_mode) & 0o077 and path.suffix != ".pub"
    ]
    assert not wrong
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} >= {".zip", ".json", ".html", ".csv", ".md"}
    assert (home / ".android" / "adbkey").is_file()


def left_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_demo_leaves_nothing_behind(run, tmp_path):
    done = run("demo", "android16", cwd=tmp_path, TMPDIR=str(tmp_path))
    assert (done.code, left_in(tmp_path)) == (3, set())
    assert "adbkey" not in done.err


@pytest.mark.parametrize(
    ("command", "written"),
    [
        (("audit",), set()),
        (("audit", "--json"), set()),
        (("capture", "check.zip"), {"check.zip"}),
        (("revoke", "com.example.flashpeso"), set()),
    ],
)
def test_an_audit_without_o_leaves_nothing_behind(run, demo_phone, tmp_path, home, command, written):
    """Nothing but the key, which is told of once. The second run finds the key and is silent about it."""
    with demo_phone("android16") as phone:
        words = (*command, "--transport", f"tcp:{phone.address}")
        runs = [run(*words, cwd=tmp_path, TMPDIR=str(tmp_path)) for _ in range(2)]
    key = home / ".android" / "adbkey"
    assert left_in(tmp_path) == {"home/.android/adbkey", "home/.android/adbkey.pub"} | written
    assert runs[0].err.count(str(key)) == 2  # itself, and the public half
    assert all(text in runs[0].err for text in ("recognises this computer", "To remove it, delete both files"))
    assert str(key) not in runs[1].err
    assert str(key) not in runs[0].out + runs[1].out


@cache
def calls(file):
    """Every call in a module: its name as written, and the call."""
    tree = ast.parse(FILES[file].read_text(encoding="utf-8"))
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def callers(pattern):
    return {file for file in FILES for name, _ in calls(file) if re.search(pattern, name)}


def test_files_are_written_through_one_door():
    """`privaudit.atomic_write`; each other module has its reason beside it."""
    writers = {
        "atomic_write.py",
        "transport/adb_auth.py",  # a key that another adb may create at the same moment
        "knowledge/update.py",  # into a folder that mkdtemp made
        "vetting/batch.py",  # appends while a batch runs: the file is its own record of progress
        "workshop/storage.py",  # a lock file, which stays empty
    }
    written = callers(r"\.(write_text|write_bytes|touch|symlink_to|hardlink_to)$") | {
        file
        for file in FILES
        for name, node in calls(file)
        if name == "os.open" and any(word in ast.unparse(node) for word in ("O_CREAT", "O_TRUNC"))
    }
    opened = {
        file
        for file in FILES
        for name, node in calls(file)
        if re.search(r"(^|\.)open$", name)
        and any(isinstance(arg, ast.Constant) and re.fullmatch(r"[wax]b?\+?", str(arg.value)) for arg in node.args)
    }
    assert written <= writers
    assert opened == set()


def test_temporary_files_have_unpredictable_names():
    assert not callers(r"mktemp$|NamedTemporaryFile$|gettempdir$")
    assert not [file for file in FILES if re.search(r"[\"']/(var/)?tmp", FILES[file].read_text(encoding="utf-8"))]


# --- programs ---------------------------------------------------------------------------------------------------------

RUNS = r"(^|\.)(eval|exec|compile|__import__|system|popen|Popen|spawn\w*|execv\w*|execl\w*|fork|forkpty|startfile)$"


def test_nothing_is_run_on_this_computer():
    """No shell, no other program than Python itself with a file of ours or with privaudit, no code out of a file."""
    runs = {(file, name) for file in FILES for name, _ in calls(file) if re.search(RUNS, name)}
    second_reader, menu = "vetting/second_reader.py", "cli/menu.py"
    assert {run for run in runs if run[1] not in {"re.compile", "self.exec"}} == {
        (file, "subprocess.Popen") for file in (second_reader, menu)
    }
    source = FILES[second_reader].read_text(encoding="utf-8")
    assert 'command = [sys.executable, "-P", str(_PROGRAM)]' in source
    assert re.search(
        r"^_PROGRAM: Final = Path\(__file__\)\.with_name\(\"androguard_process\.py\"\)$", source, re.MULTILINE
    )
    (popen,) = (node for name, node in calls(second_reader) if name == "subprocess.Popen")
    assert ast.unparse(popen.args[0]) == "command"
    assert {keyword.arg for keyword in popen.keywords} == {"stdin", "stdout", "stderr"}
    # -P: a folder named privaudit on a stick is not imported.
    (popen,) = (node for name, node in calls(menu) if name == "subprocess.Popen")
    assert ast.unparse(popen.args[0]).startswith("[sys.executable, '-P', '-m', 'privaudit', ")
    assert popen.keywords == []
    names = {"subprocess", "multiprocessing", "pickle", "marshal", "shelve", "yaml", "code", "runpy"}
    for file, path in FILES.items():
        if file != "cli/menu.py":  # shows a page that this computer has just written
            assert "webbrowser" not in path.read_text(encoding="utf-8"), file
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                allowed = {"subprocess"} if file in {second_reader, menu} else set()
                assert not (names - allowed) & {alias.name.partition(".")[0] for alias in node.names}, file
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in names, file


def test_modules_are_imported_by_name_only_within_privaudit():
    """No text from outside decides where the name that `import_module` gets begins."""
    for file in FILES:
        for name, node in calls(file):
            if re.search(r"(^|\.)import_module$", name):
                text = ast.unparse(node.args[0])
                assert re.match(r"f['\"](privaudit\.|\{__name__\}\.)|FORMATS\[", text), (file, text)
    assert all(module.startswith("privaudit.report.") for module in FORMATS.values())


def test_only_commands_of_two_files_go_to_a_phone():
    """See also test_commands_are_made_in_two_files_only: no transport gets a command that is built elsewhere."""
    senders = callers(r"\b(transport|connection|log)\.run$")
    assert senders <= {
        "capture/collector.py",
        "capture/remote_file.py",
        "cli/devices.py",
        "revocation/apply.py",
        "revocation/settings_page.py",
        "workshop/worker.py",
    }
    for file in senders:
        assert "Command(" not in FILES[file].read_text(encoding="utf-8"), file


# --- archives ---------------------------------------------------------------------------------------------------------


def test_no_archive_is_unpacked_to_where_it_says():
    assert not callers(r"\.(extract|extractall|unpack_archive)$")


@pytest.mark.parametrize("name", ["../../outside.txt", "/outside.txt", "C:\\outside.txt", "a/../../outside.txt"])
def test_names_in_an_archive_touch_no_file(tmp_path, name):
    """The archive's own names; a symbolic link in it is a name like any other."""
    file = tmp_path / "deep" / "some.zip"
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"x")
        link = zipfile.ZipInfo("dumpstate_log.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SourceError):
        read_source(file)
    assert sorted(tmp_path.rglob("*")) == before


# --- libraries --------------------------------------------------------------------------------------------------------


def test_every_library_has_a_lower_bound_and_it_is_tested():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "oldest.py"], capture_output=True, check=True, text=True
    )
    oldest = dict(line.split("==") for line in done.stdout.splitlines())
    named = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"] if "sys_platform ==" not in line}
    assert oldest.keys() == named
    assert "make oldest" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


# --- releases ---------------------------------------------------------------------------------------------------------

WORKFLOWS = {file.name: file.read_text(encoding="utf-8") for file in (REPOSITORY / ".github/workflows").glob("*.yml")}


def test_workflows_use_actions_by_their_commit():
    used = [action for text in WORKFLOWS.values() for action in re.findall(r"uses: (\S+)", text)]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_a_release_is_audited_described_and_signed_before_it_is_attached():
    text = WORKFLOWS["release.yml"]
    steps = ["pip-audit", "describe.sh", "SHA256SUMS", "attest-build-provenance@", "gh release upload"]
    assert sorted(steps, key=text.rindex) == steps
    assert "--strict" in text  # what could not be looked up is no success
    build, publish = text.split("  publish:")
    assert "write" not in build.partition("jobs:")[2]  # what runs others' code cannot sign or publish
    assert not re.search(r"pip|make|\.sh", publish)
    assert [name for name, other in WORKFLOWS.items() if "gh release upload" in other] == ["release.yml"]
    shipped = (REPOSITORY / "tools/release/describe.sh").read_text(encoding="utf-8")
    for pins in ("tools/portable/locked.txt", "tools/browser/locked.txt"):
        assert pins in shipped
        assert pins in text


@pytest.mark.parametrize(("kind", "names"), [("page", {"pyodide"}), ("installation", {"python"})])
def test_the_bill_of_materials_names_what_no_python_package_says(kind, names, tmp_path):
    bill = tmp_path / "bill.json"
    bill.write_text('{"components": []}', encoding="utf-8")
    tool = REPOSITORY / "tools/release/add_components.py"
    subprocess.run([sys.executable, tool, bill, kind], check=True)
    components = json.loads(bill.read_text(encoding="utf-8"))["components"]
    assert {component["name"] for component in components} == names
    assert all(component["version"] in component["purl"] and component["hashes"] for component in components)
    assert kind in (REPOSITORY / "tools/release/describe.sh").read_text(encoding="utf-8").split()


def test_readmes_say_how_to_check_a_release():
    for name in ("README.md", "README.zh.md", "SECURITY.md"):
        assert "gh attestation verify privaudit.html --repo" in (REPOSITORY / name).read_text(encoding="utf-8"), name


# --- SECURITY.md ------------------------------------------------------------------------------------------------------


def test_every_claim_of_security_md_names_a_test_that_is_there():
    text = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
    known = {
        name
        for file in (REPOSITORY / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named
    assert named <= known, named - known
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith(("| can", "| claim", "|--")):
            assert "`test_" in line or "not" in line, line
