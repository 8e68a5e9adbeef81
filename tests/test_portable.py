"""The portable archives for computers without Python: what is in them, that archives depend on it alone, and starters.

The Linux starter runs here with a fake uv. `.ci/release` runs every command of the Linux folder, `make windows` of the
Windows one, with the network cut (`tools/portable/smoke.py`).
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from privaudit.cli.app import COMMANDS
from privaudit.virtual_phone.programs import load_apks
from tests.virtual_phone.conftest import need

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tools" / "portable"
WORDS = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
CMD = (FOLDER / "privaudit.cmd").read_bytes()

posix = pytest.mark.unix  # a shell script


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("portable_build", FOLDER / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# --- Contents -------------------------------------------------------------------------------------------------------


def test_every_dependency_is_pinned_within_its_bounds(build):
    pinned = {}
    for pin in build.read_pins():
        pinned.setdefault(pin.name, []).append(pin.release.partition("==")[2])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in map(Requirement, project["dependencies"]):
        versions = pinned[requirement.name]
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: run `make lock`"
    assert all(pin.hashes.count("--hash=sha256:") for pin in build.read_pins())
    assert {"uv", build.FROM_SOURCE} <= pinned.keys()


def test_each_platform_gets_what_it_needs(build):
    windows, linux = build.TARGETS
    for python in build.PYTHONS:
        names = {}
        for target in build.TARGETS:
            names[target.name] = [pin.name for pin in build.read_pins() if pin.is_needed(target, python)]
            # One release of each: markers have chosen between them.
            assert len(names[target.name]) == len(set(names[target.name])), python
        assert "tzdata" in set(names[windows.name]) - set(names[linux.name])
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert lowest == f">={build.PYTHONS[0]}"


def imported_modules():
    """Yield the top-level modules of other projects that privaudit imports anywhere, inside functions too."""
    for file in (ROOT / "privaudit").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.partition(".")[0]


# The first comes with an extra, the others with a browser.
NOT_IN_THE_FOLDER = {"distributed", "pyodide", "pyodide_js", "js"}


def modules_of(distributions):
    """Top-level modules of the named distributions, where they are installed."""
    owners = importlib.metadata.packages_distributions()
    return {module for module, names in owners.items() if distributions & {canonicalize_name(name) for name in names}}


def test_the_folder_holds_all_that_is_imported(build):
    shipped = {pin.name for pin in build.read_pins()} - build.PRUNED
    modules = set(imported_modules()) - sys.stdlib_module_names - NOT_IN_THE_FOLDER - {"privaudit"}
    assert modules - modules_of(shipped) == set(), "imported, but not in the Windows folder"


def test_what_is_pruned_is_pinned_and_needed_by_androguard_alone(build):
    assert {pin.name for pin in build.read_pins()} >= build.PRUNED, "the list is older than locked.txt"
    for name in {pin.name for pin in build.read_pins()} - build.PRUNED - {"androguard", "uv"}:
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        needs = {
            canonicalize_name(one.name) for one in map(Requirement, required) if not one.marker or one.marker.evaluate()
        }
        assert needs.isdisjoint(build.PRUNED), f"{name} needs {needs & build.PRUNED}"


REFUSE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
"""
READ_WITH_ANDROGUARD = """
import sys
from androguard.core.apk import APK
app = APK(sys.argv[1])
print(app.get_package(), len(app.get_permissions()), len(app.get_certificates_v2()), app.get_android_manifest_xml().tag)
"""


@pytest.mark.parametrize(
    "command", [["-m", "privaudit", "apk"], ["-c", READ_WITH_ANDROGUARD]], ids=["apk", "androguard"]
)
def test_an_apk_is_read_without_what_is_pruned(build, command, environment, tmp_path):
    pruned = modules_of(build.PRUNED)
    assert {"IPython", "sqlalchemy", "networkx"} <= pruned
    # Python imports this in each process that it starts.
    (tmp_path / "sitecustomize.py").write_text(REFUSE.format(modules=pruned), encoding="utf-8")
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(ROOT)])
    refused = subprocess.run(
        [sys.executable, "-c", "import networkx"], env=environment, check=False, capture_output=True
    )
    assert b"ModuleNotFoundError: networkx" in refused.stderr
    file = tmp_path / "loan.apk"
    file.write_bytes(load_apks()["com.example.sudaibao-10402.apk"])
    done = subprocess.run([sys.executable, *command, str(file)], env=environment, check=False, capture_output=True)
    assert b"com.example.sudaibao" in done.stdout, done.stderr.decode()
    assert b"ModuleNotFoundError" not in done.stderr, done.stderr.decode()


def test_the_linux_starter_looks_for_the_versions_of_python_that_have_wheels(build):
    last = int(build.PYTHONS[-1].partition(".")[2])
    text = (FOLDER / "privaudit.sh").read_text(encoding="utf-8")
    assert f">={build.PYTHONS[0]},<3.{last + 1}" in text
    assert re.search(r"--managed-python --python (\S+?);? ?(?:&&|then|$)", text, re.MULTILINE)[1] in build.PYTHONS


def embeddable_zip():
    """A zip with the files of CPython's embeddable one that the build looks at."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("python.exe", "python313.dll", "python313.zip", "LICENSE.txt"):
            archive.writestr(name, name)
        archive.writestr("python313._pth", "python313.zip\n.\n\n#import site\n")
    return content.getvalue()


def test_a_cpython_with_another_hash_is_refused(build, tmp_path):
    file = tmp_path / "python.zip"
    file.write_bytes(embeddable_zip())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert build.read_windows_python(file, digest.upper()) == file.read_bytes()
    with pytest.raises(SystemExit, match=f"{digest}, not {build.WINDOWS_PYTHON_SHA256}"):
        build.read_windows_python(file, build.WINDOWS_PYTHON_SHA256)
    assert re.fullmatch(r"[0-9a-f]{64}", build.WINDOWS_PYTHON_SHA256)


def test_the_cpython_that_tests_use_is_pinned_and_never_handed_out(build):
    text = (ROOT / "tools" / "windows" / "pythons.txt").read_text(encoding="utf-8")
    releases = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}", line) for line in releases)
    assert {pin.name for pin in build.read_pins()}.isdisjoint(line.partition("==")[0] for line in releases)
    assert build.WINDOWS_PYTHON_URL.startswith("https://www.python.org/ftp/python/")
    workflow = (ROOT / ".github" / "workflows" / "portable.yml").read_text(encoding="utf-8")
    assert "make portable\n" in workflow, "a release takes python.org's own"


def test_the_windows_folder_holds_python_isolated_and_no_uv(build, tmp_path, monkeypatch):
    asked = []

    def lay_out(*arguments, **_variables):
        asked.append(arguments)
        if arguments[0] == "install":
            folder = Path(arguments[arguments.index("--target") + 1])
            for name in ("privaudit/__init__.py", "bin/privaudit", "x-1.dist-info/RECORD", "x-1.dist-info/METADATA"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).touch()

    monkeypatch.setattr(build, "run_pip", lay_out)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "privaudit-1.0-py3-none-any.whl").touch()
    windows, _ = build.TARGETS
    folder = tmp_path / "folder"
    build.build_folder(windows, build.PYTHONS, embeddable_zip(), tmp_path / "wheels", folder)
    paths = (folder / "files" / "python" / "python313._pth").read_text(encoding="ascii").splitlines()
    assert paths == ["python313.zip", ".", "..\\packages"]  # no `import site`, so nothing of the user's is read
    assert {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()} == {
        *("LICENSE.txt", "README.txt", "privaudit.cmd"),
        *(f"files/python/{name}" for name in ("LICENSE.txt", "python.exe", "python313.dll", "python313.zip")),
        "files/python/python313._pth",
        *("files/packages/privaudit/__init__.py", "files/packages/x-1.dist-info/METADATA"),
    }
    _, install = asked
    assert {"--no-index", "--no-deps", "privaudit==1.0"} <= set(install)
    assert install[install.index("--python-version") + 1] == "3.13"


def test_the_windows_starter_says_its_sentences_in_the_encoding_of_each_language(build, tmp_path):
    windows, _ = build.TARGETS
    build.write_starter("privaudit.cmd", windows, build.read_words("1"), tmp_path)
    written = (tmp_path / "privaudit.cmd").read_bytes()
    assert b"@" not in written.removeprefix(b"@echo off")
    assert written.count(b"\r\n") == written.count(b"\n")
    for sentence in windows.sentences:
        for language, encoding in windows.encodings.items():
            label = f":{sentence}_{language}\r\n".encode()
            said = written.partition(label)[2].partition(b"\r\ngoto" if sentence == "unpack" else b"\r\n:")[0]
            lines = [f"echo {line}" for line in WORDS[language][sentence].splitlines()]
            assert said.decode(encoding).splitlines()[: len(lines)] == lines


def test_the_smoke_runs_every_command():
    text = (FOLDER / "smoke.py").read_text(encoding="utf-8")
    assert set(re.findall(r'\.(?:run|start)\(\s*"(\w+)"', text)) == set(COMMANDS)


def test_archives_depend_on_their_content_alone(build, tmp_path):
    folder = tmp_path / "privaudit-0"
    (folder / "files").mkdir(parents=True)
    (folder / "privaudit.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "files" / "uv").write_bytes(b"\x7fELF")
    (folder / "files" / "x.whl").write_bytes(b"PK")
    first, second = [], []
    for contents in (first, second):
        for name, pack in (("x.zip", build.pack_zip), ("x.tar.gz", build.pack_tar)):
            pack(folder, tmp_path / name)
            contents.append((tmp_path / name).read_bytes())
        os.utime(folder / "privaudit.sh", (1_000_000_000, 1_000_000_000))
    assert first == second
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        modes = {entry.name: entry.mode for entry in archive}
    assert modes == {"privaudit-0/files/uv": 0o755, "privaudit-0/files/x.whl": 0o644, "privaudit-0/privaudit.sh": 0o755}
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert sorted(archive.namelist()) == sorted(modes)


# --- Sentences ------------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_sentences(build):
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for target in build.TARGETS:
        for language, sentences in WORDS.items():
            for name in target.sentences:
                sentences[name].format(version="1").encode(target.encodings[language])
    for sentences in WORDS.values():
        for name in build.TARGETS[0].sentences:
            assert not re.search(r"[&|<>^%\"]|^\s*$", sentences[name].rstrip("\n"), re.MULTILINE), (
                "echo gives it a meaning"
            )
    never = ["黑名单", "高危", "恶意", "诈骗", "违法", "非法", "安全", "干净", "放心", "鉴定", "取证", "存证", "受害者"]
    assert not [word for word in never for sentence in WORDS["zh"].values() if word in sentence]


def test_every_sentence_is_printed_and_every_printed_one_exists(build):
    windows, linux = build.TARGETS
    shell = set(re.findall(r"\btell (\w+)", (FOLDER / "privaudit.sh").read_text(encoding="utf-8")))
    assert shell == set(linux.sentences)
    printed = re.findall(r"^@(\w+)\.(\w+)@$", CMD.decode(), re.MULTILINE)
    assert sorted(printed) == sorted((name, language) for name in windows.sentences for language in WORDS)
    readme = {"about", "licences", windows.name, linux.name}
    assert {*windows.sentences, *linux.sentences, *readme} == WORDS["en"].keys()


def test_windows_starter_is_ascii_and_has_every_label():
    CMD.decode("ascii")
    labels = set(re.findall(r"^:(\w+)", CMD.decode(), re.MULTILINE))
    jumps = re.findall(r"goto ([\w%]+)", CMD.decode())
    assert {jump.replace("%language%", language) for jump in jumps for language in WORDS} == labels


# --- The Linux starter ----------------------------------------------------------------------------------------------

UV = """#!/bin/sh
# Creates what uv would create; the file `refuse` beside it holds the arguments that it fails on.
here=$(dirname "$0")
echo "$*" >> "$here/calls"
while read -r word; do case "$*" in *"$word"*) exit 2 ;; esac; done < "$here/refuse"
case "$1" in
  venv) for last; do :; done; mkdir -p "$last/bin"; ln -sf "$here/python.sh" "$last/bin/python" ;;
esac
"""
PYTHON = """#!/bin/sh
[ "$1" = -c ] && exit 0
echo "ran: $*"
exit 3
"""


@pytest.fixture
def unpacked(tmp_path):
    """The unpacked Linux archive, with a uv and a Python that only record their arguments."""
    need("sed")  # the only program beyond the core utilities that the starter calls
    folder = tmp_path / "on a stick"
    files = folder / "files"
    files.mkdir(parents=True)
    for name, text in (("uv", UV), ("python.sh", PYTHON), ("refuse", "")):
        (files / name).write_text(text, encoding="utf-8")
        (files / name).chmod(0o755)
    for language, sentences in WORDS.items():
        (files / "words" / language).mkdir(parents=True)
        for name, sentence in sentences.items():
            (files / "words" / language / f"{name}.txt").write_text(sentence.format(version="1"), encoding="utf-8")
    for name in ("privaudit.sh", "privaudit.desktop"):
        (folder / name).write_bytes((FOLDER / name).read_bytes())
        (folder / name).chmod(0o755)
    return folder


def start(folder, *arguments, **variables):
    return subprocess.run(
        [str(folder / "privaudit.sh"), *arguments],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )


def uv_calls(folder):
    return (folder / "files" / "calls").read_text(encoding="utf-8").splitlines()


@posix
def test_first_start_unpacks_and_later_ones_do_not(unpacked):
    first = start(unpacked, "audit", "a b.zip", UV_INDEX_URL="https://example.org", UV_OFFLINE="0")
    assert (first.returncode, first.stdout) == (3, "ran: -m privaudit audit a b.zip\n")
    assert "first start" in first.stderr
    assert [line.split()[0] for line in uv_calls(unpacked)] == ["--version", "venv", "pip"]
    assert "--offline --no-index" in uv_calls(unpacked)[-1]
    later = start(unpacked)
    assert (later.returncode, later.stdout, later.stderr) == (3, "ran: -m privaudit\n", "")
    assert len(uv_calls(unpacked)) == 3


@posix
def test_window_of_a_double_click_stays_open(unpacked):
    pexpect = pytest.importorskip("pexpect")
    window = pexpect.spawn(
        "sh", [str(unpacked / "privaudit.sh")], env={"PATH": os.environ["PATH"], "LANG": "zh_CN.UTF-8"}
    )
    window.expect("ran: -m privaudit")
    window.expect("按回车，关掉这个窗口。".encode())
    window.sendline("")
    window.expect(pexpect.EOF)
    window.close()
    assert window.exitstatus == 3


@posix
def test_moved_folder_is_unpacked_again(unpacked, tmp_path):
    start(unpacked)
    moved = unpacked.rename(tmp_path / "elsewhere")
    (moved / "files" / "ready" / "bin" / "python").unlink()
    (moved / "files" / "ready" / "bin" / "python").symlink_to("/nowhere/python")
    assert start(moved).returncode == 3
    assert len(uv_calls(moved)) == 6


@posix
def test_missing_python_is_downloaded_with_a_notice(unpacked):
    (unpacked / "files" / "refuse").write_text("--no-python-downloads\n", encoding="utf-8")
    done = start(unpacked, LC_ALL="zh_CN.UTF-8")
    assert done.returncode == 3
    assert "下载一次" in done.stderr
    assert sum("--managed-python" in line for line in uv_calls(unpacked)) == 1


@posix
@pytest.mark.parametrize("refused", ["venv", "pip"])
def test_failed_unpacking_is_reported_and_retried(unpacked, refused):
    (unpacked / "files" / "refuse").write_text(f"{refused}\n", encoding="utf-8")
    done = start(unpacked)
    assert (done.returncode, done.stdout) == (4, "")
    assert "What to do: " in done.stderr
    (unpacked / "files" / "refuse").write_text("", encoding="utf-8")
    assert start(unpacked).returncode == 3


@posix
def test_medium_without_execute_permission_is_reported(unpacked):
    (unpacked / "files" / "uv").chmod(0o644)
    done = start(unpacked)
    assert done.returncode == 4
    assert "copy the whole folder" in done.stderr


@posix
def test_desktop_file_starts_it(unpacked):
    text = (unpacked / "privaudit.desktop").read_text(encoding="utf-8")
    (line,) = re.findall(r"^Exec=(.+)$", text, re.MULTILINE)
    # First the escapes of a string of the file; then the quoting of its command line, which is the shell's; %k is where
    # the file lies.
    command = line.replace("\\\\", "\\").replace("%k", shlex.quote(str(unpacked / "privaudit.desktop")))
    done = subprocess.run(
        ["sh", "-c", command], cwd="/", check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.stdout == "ran: -m privaudit\n"
    assert "Terminal=true" in text
