"""The portable archives for computers without Python: what is in them, that archives depend on it alone, and starters.

The Linux starter runs here with a fake Python. `.ci/release` runs every command of the Linux folder, `make windows` of
the Windows one, with the network cut (`tools/portable/smoke.py`).
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
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from privaudit.cli.app import COMMANDS
from privaudit.virtual_phone.programs import load_apks

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
    assert build.FROM_SOURCE in pinned


def test_each_platform_gets_what_it_needs(build):
    names = {}
    for target in build.TARGETS:
        python = target.python_version.rpartition(".")[0]
        names[target.name] = [pin.name for pin in build.read_pins() if pin.is_needed(target, python)]
        # One release of each: markers have chosen between them.
        assert len(names[target.name]) == len(set(names[target.name])), python
    assert "tzdata" in set(names["windows"]) - set(names["linux"])


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
    assert modules - modules_of(shipped) == set(), "imported, but not in the portable folder"


def test_what_is_pruned_is_pinned_and_needed_by_androguard_alone(build):
    assert {pin.name for pin in build.read_pins()} >= build.PRUNED, "the list is older than locked.txt"
    for name in {pin.name for pin in build.read_pins()} - build.PRUNED - {"androguard"}:
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


def embeddable_zip():
    """A zip with the files of CPython's embeddable one that the build looks at."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("python.exe", "python313.dll", "python313.zip", "LICENSE.txt"):
            archive.writestr(name, name)
        archive.writestr("python313._pth", "python313.zip\n.\n\n#import site\n")
    return content.getvalue()


STDLIB = ("os.py", "json/__init__.py", "LICENSE.txt", "lib-dynload/_bisect.so")
NOT_IMPORTED = (
    *("test/test_os.py", "tkinter/__init__.py", "site-packages/pip/__init__.py", "__pycache__/os.pyc"),
    *("config-3.13-x86_64/Makefile", "lib-dynload/_tkinter.so"),
)


def relocatable_tar():
    """An archive with some files of a relocatable CPython, among them what the folder leaves out."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        library = [f"lib/python3.13/{name}" for name in (*STDLIB, *NOT_IMPORTED)]
        for name in (
            "bin/python3.13",
            "bin/pip3.13",
            "lib/libpython3.13.so.1.0",
            "include/python3.13/Python.h",
            *library,
        ):
            entry = tarfile.TarInfo(f"python/{name}")
            entry.size, entry.mode = len(name), 0o755 if name.startswith("bin") else 0o644
            archive.addfile(entry, io.BytesIO(name.encode()))
        link = tarfile.TarInfo("python/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, "python3.13"
        archive.addfile(link)
    return content.getvalue()


def test_a_cpython_with_another_hash_is_refused(build, tmp_path):
    file = tmp_path / "python.zip"
    file.write_bytes(embeddable_zip())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    for target in build.TARGETS:
        assert build.read_python(target, file, digest.upper()) == file.read_bytes()
        with pytest.raises(SystemExit, match=f"{digest}, not {target.python_sha256}"):
            build.read_python(target, file, target.python_sha256)
        assert re.fullmatch(r"[0-9a-f]{64}", target.python_sha256)
        assert target.python_url.count(target.python_version)
        with pytest.raises(SystemExit, match=re.escape(str(tmp_path / "absent"))):
            build.read_python(target, tmp_path / "absent", target.python_sha256)
        with pytest.raises(SystemExit, match=f"(?s)python.*--{target.name}-python FILE"):
            build.read_python(replace(target, python_url=(tmp_path / "python").as_uri()), None, target.python_sha256)


def test_the_cpython_that_tests_use_is_pinned_and_never_handed_out(build):
    text = (ROOT / "tools" / "windows" / "pythons.txt").read_text(encoding="utf-8")
    releases = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}", line) for line in releases)
    assert {pin.name for pin in build.read_pins()}.isdisjoint(line.partition("==")[0] for line in releases)
    windows, linux = build.TARGETS
    assert windows.python_url.startswith("https://www.python.org/ftp/python/")
    assert linux.python_url.startswith("https://github.com/astral-sh/python-build-standalone/releases/download/")
    workflow = (ROOT / ".github" / "workflows" / "portable.yml").read_text(encoding="utf-8")
    assert "make portable\n" in workflow, "a release takes the publishers' own"


@pytest.fixture
def build_folder(build, tmp_path, monkeypatch):
    """Build the folder of a target from a CPython, with a pip that only records what it is asked."""
    asked = []

    def lay_out(*arguments, **_variables):
        asked.append(arguments)
        if arguments[0] == "install":
            folder = Path(arguments[arguments.index("--target") + 1])
            for name in ("privaudit/__init__.py", "bin/privaudit", "x-1.dist-info/RECORD", "x-1.dist-info/METADATA"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).touch()

    def run(target, python):
        monkeypatch.setattr(build, "run_pip", lay_out)
        (tmp_path / "wheels").mkdir()
        (tmp_path / "wheels" / "privaudit-1.0-py3-none-any.whl").touch()
        build.build_folder(target, python, tmp_path / "wheels", tmp_path / "folder")
        _, install = asked
        assert {"--no-index", "--no-deps", "privaudit==1.0"} <= set(install)
        assert install[install.index("--python-version") + 1] == "3.13"
        return tmp_path / "folder"

    return run


def files_in(folder):
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


PACKAGES = {"files/packages/privaudit/__init__.py", "files/packages/x-1.dist-info/METADATA"}


def test_the_windows_folder_holds_python_isolated(build, build_folder):
    windows, _ = build.TARGETS
    folder = build_folder(windows, embeddable_zip())
    paths = (folder / "files" / "python" / "python313._pth").read_text(encoding="ascii").splitlines()
    assert paths == ["python313.zip", ".", "..\\packages"]  # no `import site`, so nothing of the user's is read
    assert files_in(folder) == PACKAGES | {
        *("LICENSE.txt", "README.txt", "privaudit.cmd"),
        *(f"files/python/{name}" for name in ("LICENSE.txt", "python.exe", "python313.dll", "python313.zip")),
        "files/python/python313._pth",
    }


def test_the_linux_folder_holds_a_python_without_what_nothing_imports(build, build_folder, tmp_path):
    _, linux = build.TARGETS
    folder = build_folder(linux, relocatable_tar())
    library = "files/python/lib/python3.13"
    assert files_in(folder) == PACKAGES | {
        *("LICENSE.txt", "README.txt", "privaudit.sh", "privaudit.desktop"),
        *("files/python/bin/python3", "files/python/LICENCES.txt", f"{library}/site-packages/privaudit.pth"),
        *(f"{library}/{name}" for name in STDLIB),
    }
    site = folder / library / "site-packages"
    (line,) = (site / "privaudit.pth").read_text(encoding="ascii").splitlines()
    assert (site / line).resolve() == (folder / "files" / "packages").resolve()
    build.pack_tar(folder, tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        executable = {entry.name.removeprefix("folder/") for entry in archive if entry.mode == 0o755}
    assert executable == {"privaudit.sh", "privaudit.desktop", "files/python/bin/python3"}


def test_nothing_that_the_linux_folder_leaves_out_is_imported(build):
    left_out = {name for name in sys.stdlib_module_names if build.UNUSED_STDLIB.match(f"{name}/")}
    assert {"ensurepip", "tkinter"} <= left_out
    assert left_out.isdisjoint(imported_modules())


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
            lines = [windows.line.format(line) for line in WORDS[language][sentence].splitlines()]
            assert said.decode(encoding).splitlines()[: len(lines)] == lines


def test_the_smoke_runs_every_command():
    text = (FOLDER / "smoke.py").read_text(encoding="utf-8")
    assert set(re.findall(r'\.(?:run|start)\(\s*"(\w+)"', text)) == set(COMMANDS)


def test_archives_depend_on_their_content_alone(build, tmp_path):
    folder = tmp_path / "privaudit-0"
    (folder / "files" / "bin").mkdir(parents=True)
    (folder / "privaudit.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "files" / "bin" / "python3").write_bytes(b"\x7fELF")
    (folder / "files" / "x.py").write_bytes(b"")
    first, second = [], []
    for contents in (first, second):
        for name, pack in (("x.zip", build.pack_zip), ("x.tar.gz", build.pack_tar)):
            pack(folder, tmp_path / name)
            contents.append((tmp_path / name).read_bytes())
        os.utime(folder / "privaudit.sh", (1_000_000_000, 1_000_000_000))
    assert first == second
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        modes = {entry.name: entry.mode for entry in archive}
    assert modes == {
        "privaudit-0/files/bin/python3": 0o755,
        "privaudit-0/privaudit.sh": 0o755,
        "privaudit-0/files/x.py": 0o644,
    }
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
    for target in (windows, linux):
        printed = re.findall(r"^@(\w+)\.(\w+)@$", (FOLDER / target.starters[0]).read_text("utf-8"), re.MULTILINE)
        assert sorted(printed) == sorted((name, language) for name in target.sentences for language in WORDS)
    readme = {"about", "licences", windows.name, linux.name}
    assert {*windows.sentences, *linux.sentences, *readme} == WORDS["en"].keys()


def test_windows_starter_is_ascii_and_has_every_label():
    CMD.decode("ascii")
    labels = set(re.findall(r"^:(\w+)", CMD.decode(), re.MULTILINE))
    jumps = re.findall(r"goto ([\w%]+)", CMD.decode())
    assert {jump.replace("%language%", language) for jump in jumps for language in WORDS} == labels


# --- The Linux starter ----------------------------------------------------------------------------------------------

PYTHON = """#!/bin/sh
[ "$1" = -c ] && exit 0
echo "ran: $*; ${PYTHONPATH:-no path}, $PYTHONNOUSERSITE$PYTHONSAFEPATH"
exit 3
"""


@pytest.fixture
def unpacked(build, tmp_path):
    """The unpacked Linux archive, with a Python that only prints its arguments and settings."""
    folder = tmp_path / "on: a stick"
    python = folder / "files" / "python" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON, encoding="utf-8")
    _, linux = build.TARGETS
    for name in linux.starters:
        build.write_starter(name, linux, build.read_words("1"), folder)
    for file in (python, *(folder / name for name in linux.starters)):
        file.chmod(0o755)
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


@posix
def test_starter_runs_the_python_of_the_folder_without_the_settings_of_another(unpacked):
    done = start(unpacked, "audit", "a b.zip", PYTHONPATH="/elsewhere", PYTHONHOME="/elsewhere")
    assert (done.returncode, done.stdout, done.stderr) == (3, "ran: -m privaudit audit a b.zip; no path, 11\n", "")


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
def test_window_of_a_double_click_stays_open_after_ctrl_c(unpacked):
    pexpect = pytest.importorskip("pexpect")
    python = unpacked / "files" / "python" / "bin" / "python3"
    python.write_text(
        '#!/bin/sh\n[ "$1" = -c ] && exit 0\ntrap "exit 130" INT\necho begun\nwhile :; do sleep 0.1; done\n',
        encoding="utf-8",
    )
    window = pexpect.spawn("sh", [str(unpacked / "privaudit.sh")], env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
    window.expect("begun")
    window.sendintr()
    window.expect("Enter closes this window.")
    window.sendline("")
    window.expect(pexpect.EOF)
    window.close()
    assert window.exitstatus == 130


@posix
@pytest.mark.parametrize(
    ("language", "sentence"), [("C.UTF-8", "copy the whole folder"), ("zh_CN.UTF-8", "复制到电脑硬盘上")]
)
@pytest.mark.parametrize("fault", ["not executable", "cannot run"])
def test_a_python_that_cannot_start_is_reported(unpacked, fault, language, sentence):
    python = unpacked / "files" / "python" / "bin" / "python3"
    if fault == "cannot run":
        python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    else:
        python.chmod(0o644)
    done = start(unpacked, LC_ALL=language)
    assert (done.returncode, done.stdout) == (4, "")
    assert sentence in done.stderr
    assert "What to do: " in done.stderr or "怎么办：" in done.stderr


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
    assert done.stdout.startswith("ran: -m privaudit;")
    assert "Terminal=true" in text
