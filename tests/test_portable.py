"""The portable archives for computers without Python: pins, archives, and starters, run with a fake uv."""

import importlib.util
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

from tests.virtual_phone.conftest import need

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tools" / "portable"
WORDS = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
CMD = (FOLDER / "privaudit.cmd").read_bytes()

posix = pytest.mark.skipif(os.name != "posix", reason="a shell script")


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


def test_starters_look_for_the_versions_of_python_that_have_wheels(build):
    last = int(build.PYTHONS[-1].partition(".")[2])
    versions = f">={build.PYTHONS[0]},<3.{last + 1}"
    for name in ("privaudit.sh", "privaudit.cmd"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert versions in text
        assert re.search(r"--managed-python --python (\S+?);? ?(?:&&|then|$)", text, re.MULTILINE)[1] in build.PYTHONS


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
            for name, sentence in sentences.items():
                if name != "readme":
                    sentence.format(version="1").encode(target.encodings[language])
    never = ["黑名单", "高危", "恶意", "诈骗", "违法", "非法", "安全", "干净", "放心", "鉴定", "取证", "存证", "受害者"]
    assert not [word for word in never for sentence in WORDS["zh"].values() if word in sentence]


def test_every_sentence_is_printed_and_every_printed_one_exists():
    shell = set(re.findall(r"\btell (\w+)", (FOLDER / "privaudit.sh").read_text(encoding="utf-8")))
    command = set(re.findall(r"%words%\\(\w+)\.txt", CMD.decode()))
    assert shell == WORDS["en"].keys() - {"readme"}
    assert command == shell - {"close"}  # Windows' own `pause` prints that


def test_windows_starter_is_ascii_and_has_every_label():
    CMD.decode("ascii")
    labels = set(re.findall(r"^:(\w+)", CMD.decode(), re.MULTILINE))
    jumps = set(re.findall(r"(?:goto |call :)(\w+)", CMD.decode()))
    assert jumps == labels


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
