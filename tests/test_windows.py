"""What differs on Windows, on any system: no command needs what exists only on Unix; text, pipes, files and signals.

Windows itself is tested on a Windows machine.
"""

import ast
import json
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

import privaudit
from privaudit.atomic_write import atomic_writer
from privaudit.capture import archive
from privaudit.cli.menu import Menu
from privaudit.errors import SourceError, UsageError
from privaudit.knowledge import releases
from privaudit.vetting import batch
from privaudit.workshop.model import DeviceStage
from privaudit.workshop.session import WorkshopSession
from tests.fixtures.sentences import ENGLISH, TRANSLATED

ROOT = Path(privaudit.__file__).parent
PROJECT = ROOT.parent

# Removes what Windows lacks, after the standard library has imported what it needs, and runs a command. platformdirs
# is imported before, too: it has a module for Windows, and chooses by the real platform.
WITHOUT_UNIX = """
import asyncio, concurrent.futures, ctypes, logging, os, pathlib, platform, random, selectors, shutil, signal, socket
import ssl, subprocess, sys, tempfile, threading, time, webbrowser, zipfile
import platformdirs.unix
shutil._use_fd_functions = False
shutil._rmtree_impl = shutil._rmtree_unsafe  # from Python 3.14 on
for name in (
    "crypt", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog",
    "termios", "tty",
):
    sys.modules[name] = None
for module, names in {
    os: (
        "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_SYNC chown chroot ctermid fchdir fchmod fchown fdatasync fork "
        "forkpty getegid geteuid getgid getgroups getloadavg getpgid getpgrp getpriority getresuid getsid "
        "getuid killpg lchown lockf mkfifo mknod nice openpty pathconf pipe2 posix_fadvise posix_spawn pread preadv "
        "pwrite readv sched_getaffinity sendfile setegid seteuid setgid setpgid setsid setuid statvfs sync sysconf "
        "tcgetpgrp ttyname uname wait wait3 writev"
    ),
    signal: "SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2 SIGWINCH alarm pause "
            "pthread_kill setitimer sigwait",
    socket: "AF_UNIX",
}.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
from privaudit.cli import main
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lacks it anyway")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["demo", "-o", "report.html", "-o", "report.csv", "-o", "report.json"], 3),
        (["audit", "check.zip", "-o", "report.json"], 3),
        (["audit"], 4),
        (["capture", "new.zip"], 4),
        (["devices"], 4),
        (["steps", "--from", "check.zip"], 0),
        (["revoke", "com.example.sudaibao", "--from", "check.zip"], 0),
        (["evidence", "check.zip", "-o", "evidence"], 0),
        (["rights", "CN", "-o", "rights.html"], 0),
        (["signatures", "check"], 0),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_commands_run_without_what_only_unix_has(command, code, demo_capture, environment, tmp_path):
    archive.write_archive(demo_capture, tmp_path / "check.zip")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, *command],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert done.returncode == code, done.stderr.decode()


def test_files_are_opened_in_binary_mode():
    """On Windows ``os.open`` without ``O_BINARY`` writes two bytes for each byte 10, in a zip too."""
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.open":
                call = ast.unparse(node)
                # A lock file stays empty; the other two are not files.
                is_lock = file.relative_to(ROOT).as_posix() == "workshop/storage.py"
                assert "O_BINARY" in call or is_lock or "devnull" in call or "O_RDONLY" in call, call


# --- text, pipes and files --------------------------------------------------------------------------------------------

# What is not ours is loaded before, for the system that it runs on.
AS_WINDOWS = """
import asyncio, concurrent.futures.process, ctypes, os, platformdirs, shutil, signal, socket, subprocess, sys, tempfile
import sysconfig, cryptography.hazmat.primitives.asymmetric.rsa, rich.console, typer, usb1
sysconfig.get_config_vars()
{before}
sys.platform = "win32"
from privaudit.cli import main
main()
"""


@pytest.fixture
def run_as_windows(environment, tmp_path):
    """Run ``privaudit`` in a process that takes itself for Windows, after the lines `before`."""

    def run(*command, before="", **options):
        program = AS_WINDOWS.format(before=before)
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": tmp_path, **options}
        variables = {**environment, "PYTHONUTF8": "0"}
        return subprocess.run([sys.executable, "-c", program, *command], env=variables, check=False, **given)

    return run


def console_of(code_page):
    return f"os.device_encoding = lambda fd: {code_page!r} if fd == 2 else None"


def test_redirected_text_has_the_code_page_of_the_console(run_as_windows):
    done = run_as_windows("demo", "--lang", "zh", before=console_of("cp936"))
    assert done.returncode == 3, done.stderr
    assert "速贷宝" in done.stdout.decode("gbk")
    assert "正在读取" in done.stderr.decode("gbk")


@pytest.mark.parametrize("command", [["demo", "--json"], ["signatures", "list", "--json"], ["schema"]])
def test_json_is_utf_8_whatever_the_code_page(run_as_windows, command):
    done = run_as_windows(*command, before=console_of("cp936"))
    assert "privaudit" in json.dumps(json.loads(done.stdout.decode("utf-8")))
    assert command[0] != "demo" or "速贷宝" in done.stdout.decode("utf-8")


@pytest.mark.parametrize(
    ("lang", "code_page"),
    [("hi", "cp936"), ("en", "cp437"), ("zh", "cp65001"), ("zh", None), ("zh", "cp0")],
)
def test_text_is_utf_8_where_the_code_page_cannot_hold_it(run_as_windows, lang, code_page):
    before = f"{console_of(code_page)}; import locale; locale.getencoding = lambda: 'utf-8'"  # that of a Windows
    done = run_as_windows("demo", "--lang", lang, before=before)
    assert done.returncode == 3, done.stderr
    assert "速贷宝" in done.stdout.decode("utf-8")


CLOSED_PIPES = """
import errno, io
reading, writing = os.pipe()
os.close(reading)
os.dup2(writing, {number})
class ClosedPipe(io.FileIO):
    def write(self, data):
        try:
            return super().write(data)
        except BrokenPipeError:
            raise OSError(errno.EINVAL, "Invalid argument")
sys.{name} = io.TextIOWrapper(io.BufferedWriter(ClosedPipe({number}, "w")), encoding="utf-8")
"""


@pytest.mark.parametrize(("name", "number"), [("stdout", 1), ("stderr", 2)])
@pytest.mark.parametrize(("command", "code"), [("demo", 3), ("--help", 0), ("--version", 0)])
def test_a_closed_pipe_is_no_full_disk(run_as_windows, name, number, command, code):
    done = run_as_windows(command, before=CLOSED_PIPES.format(name=name, number=number))
    other = done.stdout if name == "stderr" else done.stderr
    assert done.returncode == code, other.decode()
    assert b"could not be written" not in other
    assert b"Traceback" not in other


@pytest.mark.parametrize("command", ["demo", "--help"])
@pytest.mark.parametrize("merged", [False, True], ids=["stdout", "both"])
def test_a_reader_that_leaves_changes_no_exit_code(environment, command, merged):
    process = subprocess.Popen(
        [sys.executable, "-m", "privaudit", command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.DEVNULL,
    )
    process.stdout.close()
    assert process.wait() == (3 if command == "demo" else 0)


def test_a_table_that_excel_has_open(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    table = tmp_path / "report.csv"
    table.write_text("old", encoding="utf-8")
    monkeypatch.setattr(Path, "replace", refused)
    for platform, name in [("win32", "file_in_use"), ("linux", "not_written")]:
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(SourceError) as caught, atomic_writer(table) as stream:
            stream.write(b"new")
        assert caught.value.name == name
    assert "Excel" in ENGLISH["errors.file_in_use.why"]
    assert [file.name for file in tmp_path.iterdir()] == ["report.csv"]
    assert table.read_text(encoding="utf-8") == "old"


def test_files_of_git_are_the_same_on_windows():
    """What is compared byte for byte, or run by a shell, has no CRLF in a checkout."""
    rules = (PROJECT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "* text=auto eol=lf" in rules
    if (PROJECT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "--eol"], cwd=PROJECT, capture_output=True, check=True, text=True)
        with_crlf = [line for line in listed.stdout.splitlines() if re.match(r"i/(crlf|mixed)\b", line)]
        assert [line for line in with_crlf if "attr/-text" not in line] == []


# --- commands, processes, signals, folders ----------------------------------------------------------------------------


def test_no_shell_completion(run_as_windows):
    """typer would set PowerShell's execution policy to Unrestricted."""
    done = run_as_windows("--install-completion")
    assert done.returncode == 2, done.stderr
    assert b"completion" not in run_as_windows("--help").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of Unix in place of SIGBREAK")
def test_ctrl_break_and_a_closed_window_end_a_command_like_ctrl_c(environment, tmp_path):
    program = AS_WINDOWS.format(before="signal.SIGBREAK = signal.SIGUSR1").replace('sys.platform = "win32"', "")
    process = subprocess.Popen(
        [sys.executable, "-c", program, "demo", "--serve"],
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        while b"127.0.0.1" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGUSR1)
        assert process.wait(60) == 0  # that command is ended so
    finally:
        process.kill()
        process.communicate()


def test_at_most_61_processes(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")  # ProcessPoolExecutor refuses more there
    assert list(batch.vet_on_cores([], SimpleNamespace(), cores=64)) == []


NO_HOME = """
for name in ("HOME", "USERPROFILE", "HOMEPATH", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
    os.environ.pop(name, None)
sys.modules["pwd"] = None
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for its folders otherwise")
@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["demo"], 3, b""),
        (["signatures", "list", "--summary"], 0, b""),
        (["signatures", "update", "lists.zip"], 2, b"Your home folder is not known"),
        (["audit", "--transport", "tcp:127.0.0.1:1"], 4, b""),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_no_home_folder_at_all(run_as_windows, tmp_path, command, code, words):
    done = run_as_windows(*command, before=NO_HOME)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "~").exists()


def test_each_use_of_the_home_folder_is_worded(monkeypatch):
    def none(*_, **__):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    monkeypatch.setattr(Path, "expanduser", none)
    for answer in ("user_data_path", "user_config_path"):
        monkeypatch.setattr(releases.platformdirs, answer, none)
    shown = []
    row = SimpleNamespace(owner_confirmed=True, stage=DeviceStage.DONE)
    session = SimpleNamespace(_show_error=shown.append, folder=None)
    WorkshopSession.export_full_report(session, row, "~/stick")
    assert [error.name for error in shown] == ["no_home"]
    for use in (lambda: Menu._new_path("page", ".html"), releases.updates_root, releases.public_key_folder):
        with pytest.raises(UsageError) as caught:
            use()
        assert caught.value.name == "no_home"


# --- drivers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "machine", "comes"),
    [("win32", "AMD64", True), ("win32", "ARM64", False), ("darwin", "arm64", True), ("linux", "aarch64", True)],
)
def test_libusb_comes_along_where_there_is_one(platform, machine, comes):
    """Windows on ARM has no wheel of it: privaudit installs without, and names the page in a browser."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (libusb,) = (line for line in map(Requirement, project["dependencies"]) if line.name == "libusb-package")
    assert libusb.marker.evaluate({"sys_platform": platform, "platform_machine": machine}) is comes
    for sentences in (ENGLISH, *TRANSLATED.values()):
        assert {"ARM", "privaudit.html", "adb"} <= set(
            re.findall(r"ARM|privaudit\.html|adb", sentences[LIBUSB_MISSING])
        )


def test_which_windows_is_needed():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "Operating System :: Microsoft :: Windows :: Windows 10" in project["classifiers"]
    assert all("Windows 10" in (PROJECT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))


LIBUSB_MISSING = "errors.libusb_missing.next"
DRIVERS = ("studio/run/oem-usb", "studio/run/win-usb", "developer.android.google.cn")
NO_DRIVER = re.compile(
    r"needs no (other|extra|further) driver|不用换驱动|不需要别的驱动|otro controlador\.|driver lain\.|ibang driver\.|"
    r"दूसरा ड्राइवर नहीं|kiendeshi kingine\."
)


@pytest.mark.parametrize("code", ["en", *TRANSLATED])
def test_adb_too_needs_a_driver_and_where_it_is(code):
    sentences = ENGLISH if code == "en" else TRANSLATED[code]
    assert "adb" in sentences["errors.windows_driver.why"]
    for place in DRIVERS:
        assert place in sentences["errors.windows_driver.next"]
    for key in ("errors.browser_nothing_chosen.next", "errors.browser_denied.next"):
        assert "studio/run/win-usb" in sentences[key]
        assert "developer.android.google.cn" in sentences[key]
    assert "Windows" in sentences["diagnose.start_server"]
    assert [key for key, words in sentences.items() if NO_DRIVER.search(str(words))] == []


@pytest.mark.parametrize(
    "name", ["README.md", "README.zh.md", "docs/commands.md", "docs/first-real-phone.md", "docs/first-real-phone.zh.md"]
)
def test_readmes_say_the_same_of_drivers(name):
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert NO_DRIVER.search(" ".join(text.split())) is None
    for place in DRIVERS:
        assert place in text
