"""Runs the laboratory's adbd on a loopback port, and plays the person who holds the phone.

    phone.py ROOT PORT [--programs FOLDER] [--put FILE:/phone/path]...

Needs root, and a mount namespace of its own (``unshare --mount``): the phone's files lie in memory over ROOT, which
stays as it is. Orders come a line each on standard input:

    answer allow|always|cancel|ignore [SECONDS]   what to do about "Allow USB debugging?", from now on
    kill                                          the cable is pulled: adbd ends without a word

and the end of standard input ends it all. What happens is told a line each on standard output: ``up``, ``asked KEY``,
``allowed``, ``cancelled``, ``gone KEY``, ``down``.

AOSP: frameworks/base AdbDebuggingManager.java is the other end of ``/dev/socket/adbd``: ``PK`` and a key asks, ``OK``
and ``NO`` answer, ``DC`` tells of a computer that left.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

NODES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
LONGEST_KEY = 8192


def mount(*words: object) -> None:
    """``mount WORDS``."""
    subprocess.run(["mount", *map(str, words)], check=True)


def say(*words: str) -> None:
    """One line to whoever gave the order."""
    print(*words, flush=True)


def furnish(root: Path, programs: Path | None, put: list[str]) -> Path:
    """The phone's files, in memory over `root`, with its programs and what is `put` there; gives where they lie."""
    layer = Path("/mnt")
    mount("-t", "tmpfs", "phone", layer)
    for name in ("changed", "work", "phone"):
        (layer / name).mkdir()
    phone = layer / "phone"
    mount("-t", "overlay", "-o", f"lowerdir={root},upperdir={layer}/changed,workdir={layer}/work", "phone", phone)
    if programs:
        shutil.copytree(programs, phone / "usr/local/bin", dirs_exist_ok=True)
    for pair in put:
        source, _, target = pair.partition(":")
        place = phone / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if Path(source).is_dir():
            shutil.copytree(source, place, dirs_exist_ok=True)
        else:
            shutil.copy(source, place)
    mount("-t", "proc", "proc", phone / "proc")
    mount("-t", "tmpfs", "-o", "mode=755", "dev", phone / "dev")
    for name in ("pts", "socket", "shm"):
        (phone / "dev" / name).mkdir()
    for name, (major, minor) in NODES.items():
        os.mknod(phone / "dev" / name, 0o020666, os.makedev(major, minor))
        (phone / "dev" / name).chmod(0o666)
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", phone / "dev/pts")
    (phone / "dev/ptmx").symlink_to("pts/ptmx")
    return phone


def start(phone: Path, port: int) -> int:
    """Start adbd; gives its process id."""
    pid = os.fork()
    if not pid:
        become_adbd(phone, port)
    return pid


def become_adbd(phone: Path, port: int) -> NoReturn:
    """Turn into adbd, with the socket by which Android's framework talks to it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it must not outlive us
    os.setsid()
    os.chroot(phone)
    os.chdir("/")
    framework = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    framework.bind("/dev/socket/adbd")
    os.set_inheritable(framework.fileno(), True)
    log = os.open("/dev/shm/adbd.log", os.O_CREAT | os.O_WRONLY, 0o600)
    for fd, target in ((os.open("/dev/null", os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(fd, target)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/usr/sbin",
        "HOME": "/root",
        "ADBD_PORT": str(port),
        "LD_PRELOAD": "/opt/adbd_glue.so",
        "ANDROID_SOCKET_adbd": str(framework.fileno()),
    }
    os.execve("/opt/adbd", ["/opt/adbd"], environment)


class Person:
    """Whoever holds the phone."""

    def __init__(self, phone: Path) -> None:
        self._keys = phone / "data/misc/adb/adb_keys"
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = str(phone / "dev/socket/adbd")
        self.does, self.after = "allow", 0.0

    def watch(self) -> None:
        """Answer whatever the phone asks, until adbd ends."""
        for _ in range(200):
            try:
                self._line.connect(self._socket)
                break
            except OSError:
                time.sleep(0.05)
        while message := self._line.recv(LONGEST_KEY):
            kind, key = message[:2], message[2:].strip(b"\0")
            words = {b"PK": "asked", b"DC": "gone"}
            say(words.get(kind, "said"), key.decode("ascii", "replace")[:40])
            if kind == b"PK" and self.does != "ignore":
                threading.Timer(self.after, self._answer, [key]).start()

    def _answer(self, key: bytes) -> None:
        if self.does == "always":
            with self._keys.open("ab") as keys:
                keys.write(key + b"\n")
        self._line.send(b"NO" if self.does == "cancel" else b"OK")
        say("cancelled" if self.does == "cancel" else "allowed")


def wait_for(port: int) -> None:
    """Until adbd listens."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("adbd does not listen")


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--programs", type=Path)
    parser.add_argument("--put", action="append", default=[])
    given = parser.parse_args()
    phone = furnish(given.root, given.programs, given.put)
    pid = start(phone, given.port)
    person = Person(phone)
    threading.Thread(target=person.watch, daemon=True).start()
    wait_for(given.port)
    say("up")
    for line in sys.stdin:
        order, *words = line.split()
        if order == "answer":
            person.does, person.after = words[0], float(words[1]) if len(words) > 1 else 0.0
        elif order == "kill":
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            say("down")
            return
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


main()
