"""What a visit to a phone costs, beside Debian's adb with its server running; and how fast a long answer comes.

    .venv/bin/python benchmarks/transport.py [--lab]

Prints figures, references and ratios; ends with 1 where one is over its budget. The phone is a process of its own that
speaks ADB on loopback: the demo phone, or with ``--lab`` AOSP's adbd (``make lab-tcp`` builds it; needs root). A visit:
connect with a known key, ask two scripts, close, all in one process; adb's: its client for each script, its server
running and connected. Speed: the same answer through ``shell,v2,raw`` and through adb-shell's own ``shell()``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from adb_shell.adb_device import AdbDeviceTcp
from measure import Row, tell

from privaudit.model import Command
from privaudit.transport import adb_auth, connect
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.shell.toybox import ProgramResult

LONG = b"0123456789abcde\n" * (40 << 16)
"""40 MB, as many lines as a large dump has."""
SCRIPTS = ("echo first; say one", "echo second; say two")
MOST_TIME = 1.5
LEAST_MB_S = 100.0
LEAST_RATIO = 4.0
VISITS = 30
READS = 5


def serve(folder: Path) -> None:
    """The phone's process: says where it listens, and lasts until standard input ends."""
    programs = {
        "say": lambda argv, _stdin: ProgramResult(argv[1].encode() * 1000),
        "long": lambda _argv, _stdin: ProgramResult(LONG),
    }
    policy = KeyPolicy(known_keys=(adb_auth.load_or_create(folder).GetPublicKey(),), answer="ignore")
    with AdbdServer(programs=programs, key_policy=policy) as phone:
        print(phone.address, flush=True)
        sys.stdin.read()


def best(run: Callable[[], object], times: int) -> float:
    """Seconds of the quickest `run`: what else this computer does only adds to them."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken)


def free_port() -> int:
    """Where a server may listen."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def visits(address: str, folder: Path) -> tuple[float, float]:
    """Seconds of a visit of ours, and of adb's."""

    def ours() -> None:
        with connect(transport=f"tcp:{address}", on_waiting=print, key_folder=folder) as line:
            for text in SCRIPTS:
                assert line.run(Command(text=text, why="benchmark")).exit_code == 0

    adb = shutil.which("adb")
    assert adb, "Debian's adb is what we compare with: apt install adb"
    port = str(free_port())
    env = {**os.environ, "HOME": str(folder.parent), "ADB_MDNS": "0"}
    server = subprocess.Popen(
        [adb, "-P", port, "nodaemon", "server"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        client = [adb, "-P", port, "-s", address]
        while (
            b"connected"
            not in subprocess.run(
                [adb, "-P", port, "connect", address], env=env, capture_output=True, check=False
            ).stdout
        ):
            time.sleep(0.1)

        def theirs() -> None:
            for text in SCRIPTS:
                subprocess.run([*client, "shell", text], env=env, check=True, stdout=subprocess.DEVNULL)

        ours()
        theirs()
        return best(ours, VISITS), best(theirs, VISITS)
    finally:
        server.kill()
        server.wait()


def speeds(address: str, folder: Path) -> tuple[float, float]:
    """MB/s of ``shell,v2,raw`` through us, and of adb-shell's own ``shell()``."""
    host, port = address.rsplit(":", 1)
    with connect(transport=f"tcp:{address}", on_waiting=print, key_folder=folder) as line:

        def ours() -> None:
            assert line.run(Command(text="long", why="benchmark")).stdout == LONG

        ours()
        mine = best(ours, READS)
    device = AdbDeviceTcp(host, int(port), default_transport_timeout_s=60)
    device.connect(rsa_keys=[adb_auth.load_or_create(folder)])

    def theirs() -> None:
        assert len(device.shell("long", decode=False)) == len(LONG)

    plain = best(theirs, READS)
    device.close()
    return len(LONG) / 1e6 / mine, len(LONG) / 1e6 / plain


@contextlib.contextmanager
def demo_phone(folder: Path) -> Iterator[str]:
    """The demo phone, in a process of its own; gives its address."""
    command = [sys.executable, __file__, "--serve", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as phone:
        assert phone.stdin is not None
        assert phone.stdout is not None
        yield phone.stdout.readline().strip()
        phone.stdin.close()


@contextlib.contextmanager
def lab_phone(folder: Path) -> Iterator[str]:
    """AOSP's adbd, which has let this key in before; gives its address."""
    from tests.lab.conftest import run_phone

    programs = folder.parent / "programs"
    programs.mkdir()
    said = {"long": LONG, "say": b"x" * 1000}
    for name, text in said.items():
        (folder.parent / name).write_bytes(text)
        (programs / name).write_text(f"#!/bin/sh\nexec cat /opt/{name}\n")
        (programs / name).chmod(0o755)
    put = {folder.parent / name: f"/opt/{name}" for name in said}
    with run_phone(answer="always", programs=programs, put=put) as phone:
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=folder).close()
        yield phone.address


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", action="store_true", help="AOSP's adbd instead of the demo phone")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return 0
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / ".android"
        adb_auth.load_or_create(folder)
        with (lab_phone if given.lab else demo_phone)(folder) as address:
            mine, adb = visits(address, folder)
            fast, plain = speeds(address, folder)
    rows = [
        Row(
            what="a visit: connect, ask two scripts, close",
            ours=mine * 1000,
            unit="ms",
            reference=adb * 1000,
            beside="Debian's adb",
            budget=MOST_TIME,
        ),
        # Either is enough: a slow computer is slow for both, and a quick one needs no more.
        Row(
            what="a long answer over `shell,v2,raw`",
            ours=fast,
            unit="MB/s",
            reference=plain,
            beside="`adb_shell`'s own `shell()`",
            budget=min(LEAST_RATIO, LEAST_MB_S / plain),
            at_least=True,
        ),
    ]
    return tell(rows, floor="of a visit, the phone's own time for two scripts; it is in both figures.")


if __name__ == "__main__":
    raise SystemExit(main())
