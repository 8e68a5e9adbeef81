"""Nothing on the way of a check exists on Unix alone. What Windows itself does is tried where such a machine is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import privaudit
from privaudit.capture import archive

ROOT = Path(privaudit.__file__).parent

# Takes away what Windows lacks, after the standard library has taken what it wants for itself, and runs a command.
WITHOUT_UNIX = """
import asyncio, concurrent.futures, ctypes, logging, os, pathlib, platform, random, selectors, shutil, signal, socket
import ssl, subprocess, sys, tempfile, threading, time, webbrowser, zipfile
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


@pytest.mark.skipif(sys.platform == "win32", reason="there it is so anyway")
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
        (["evidence", "check.zip", "-o", "kept"], 0),
        (["rights", "CN", "-o", "rights.html"], 0),
        (["signatures", "check"], 0),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_a_check_needs_nothing_that_only_unix_has(command, code, demo_capture, environment, tmp_path):
    archive.write_archive(demo_capture, tmp_path / "check.zip")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_UNIX, *command],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert done.returncode == code, done.stderr.decode()


def test_files_are_opened_as_bytes_and_not_as_lines_of_windows():
    """``os.open`` without ``O_BINARY`` makes two bytes of each line's end there, and of each byte 10 in a zip."""
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.open":
                said = ast.unparse(node)
                # A lock holds nothing; the other two are no files.
                assert "O_BINARY" in said or file.name == "lock.py" or "devnull" in said or "O_RDONLY" in said, said
