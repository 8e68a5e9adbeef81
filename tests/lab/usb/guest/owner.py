"""Starts adbd with the socket by which Android's framework talks to it, and plays the owner: ``owner.py ADBD``.

``/tmp/answer`` says what the owner does, and may change while the question stands: ``allow [SECONDS]``, ``always``,
``cancel`` or ``ignore``.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

SOCKET = "/dev/socket/adbd"
ANSWER = Path("/tmp/answer")


def start(adbd: str) -> None:
    """The daemon, in a process of its own."""
    Path(SOCKET).parent.mkdir(parents=True, exist_ok=True)
    Path(SOCKET).unlink(missing_ok=True)
    framework = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    framework.bind(SOCKET)
    os.set_inheritable(framework.fileno(), True)
    if os.fork():
        return
    log = os.open("/tmp/adbd.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    changed = {"LD_PRELOAD": "/opt/adbd_glue.so", "ANDROID_SOCKET_adbd": str(framework.fileno())}
    os.execve(adbd, [adbd], {"PATH": os.environ["PATH"], "HOME": "/root", **changed})


def main() -> None:
    """Answer until adbd ends."""
    start(sys.argv[1])
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for _ in range(100):
        try:
            line.connect(SOCKET)
            break
        except OSError:
            time.sleep(0.1)
    while message := line.recv(8192):
        if message[:2] != b"PK":
            continue
        # The question stands until somebody taps.
        while (words := ANSWER.read_text(encoding="utf-8").split()) == ["ignore"]:
            time.sleep(0.2)
        time.sleep(float(words[1]) if len(words) > 1 else 0)
        if words[0] == "always":
            with Path("/data/misc/adb/adb_keys").open("ab") as keys:
                keys.write(message[2:].strip(b"\0") + b"\n")
        line.send(b"NO" if words[0] == "cancel" else b"OK")


main()
