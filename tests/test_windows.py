"""No command needs what exists only on Unix. Windows itself is tested on a Windows machine."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import privaudit
from privaudit.capture import archive

ROOT = Path(privaudit.__file__).parent

# Removes what Windows lacks, after the standard library has imported what it needs, and runs a command. platformdirs
# is imported before, too: it has a module for Windows, and chooses by the real platform.
WITHOUT_UNIX = """
import asyncio, concurrent.futures, ctypes, logging, os, pathlib, platform, random, selectors, shutil, signal, socket
import ssl, subprocess, sys, tempfile, threading, time, webbrowser, zipfile
import platformdirs.unix
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
