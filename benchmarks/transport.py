"""What a visit to a phone costs, compared with Debian's adb and its running server; and how fast long output arrives.

    .venv/bin/python -m benchmarks.transport [--lab]

The phone is a process of its own that speaks ADB on loopback: the demo phone, or with ``--lab`` AOSP's adbd (``make
lab-tcp`` builds it; needs root). A visit of ours: connect with a known key, run two scripts and close, all in one
process. A visit of adb's: its client for each script, its server running and connected. Speed: the same output through
``shell,v2,raw`` and through adb-shell's own ``shell()``.
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

from adb_shell.adb_device import AdbDeviceTcp

from benchmarks.measure import ROOT, Outcome, Row, compare
from benchmarks.results import publish
from privaudit.model import Command
from privaudit.transport import adb_auth, connect
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.shell.toybox import ProgramResult

LONG_OUTPUT = b"0123456789abcde\n" * (40 << 16)
"""40 MB, in as many lines as a large dump has."""
SCRIPTS = ("echo first; say one", "echo second; say two")
MAX_TIME_RATIO = 1.5
MIN_MB_PER_S = 100.0
MIN_SPEED_RATIO = 4.0
VISITS = 30
READS = 5


def serve(key_folder: Path) -> None:
    """Be the phone: print the address, and run until standard input ends."""
    programs = {
        "say": lambda argv, _stdin: ProgramResult(argv[1].encode() * 1000),
        "long": lambda _argv, _stdin: ProgramResult(LONG_OUTPUT),
    }
    policy = KeyPolicy(known_keys=(adb_auth.load_or_create(key_folder).GetPublicKey(),), answer="ignore")
    with AdbdServer(programs=programs, key_policy=policy) as adbd:
        print(adbd.address, flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def demo_phone(key_folder: Path) -> Iterator[str]:
    """Run the demo phone in a process of its own; the context gives its address."""
    command = [sys.executable, "-m", "benchmarks.transport", "--serve", str(key_folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as phone:
        assert phone.stdin is not None
        assert phone.stdout is not None
        yield phone.stdout.readline().strip()
        phone.stdin.close()


@contextlib.contextmanager
def lab_phone(key_folder: Path) -> Iterator[str]:
    """Run AOSP's adbd, which has authorised the key before; the context gives its address."""
    from tests.lab.conftest import run_phone

    scratch = key_folder.parent
    programs = scratch / "programs"
    programs.mkdir()
    outputs = {"long": LONG_OUTPUT, "say": b"x" * 1000}
    for name, output in outputs.items():
        (scratch / name).write_bytes(output)
        (programs / name).write_text(f"#!/bin/sh\nexec cat /opt/{name}\n")
        (programs / name).chmod(0o755)
    put = {scratch / name: f"/opt/{name}" for name in outputs}
    with run_phone(answer="always", programs=programs, put=put) as phone:
        connect(transport=f"tcp:{phone.address}", on_waiting=lambda _: None, key_folder=key_folder).close()
        yield phone.address


def fastest(work: Callable[[], object], times: int) -> float:
    """Return the seconds of the fastest run of `work`: other programs only add to the time."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def free_port() -> int:
    """Return a port on which a server may listen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def time_visits(address: str, key_folder: Path) -> tuple[float, float]:
    """Return the seconds of a visit of ours, and of adb's."""

    def visit() -> None:
        with connect(transport=f"tcp:{address}", on_waiting=print, key_folder=key_folder) as connection:
            for script in SCRIPTS:
                assert connection.run(Command(text=script, why="benchmark")).exit_code == 0

    adb = shutil.which("adb")
    assert adb, "the reference is Debian's adb: apt install adb"
    port = str(free_port())
    env = {**os.environ, "HOME": str(key_folder.parent), "ADB_MDNS": "0"}

    def visit_with_adb() -> None:
        for script in SCRIPTS:
            command = [adb, "-P", port, "-s", address, "shell", script]
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)

    server = subprocess.Popen(
        [adb, "-P", port, "nodaemon", "server"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        connect_command = [adb, "-P", port, "connect", address]
        while b"connected" not in subprocess.run(connect_command, env=env, capture_output=True, check=False).stdout:
            time.sleep(0.1)
        visit()
        visit_with_adb()
        return fastest(visit, VISITS), fastest(visit_with_adb, VISITS)
    finally:
        server.kill()
        server.wait()


def measure_speeds(address: str, key_folder: Path) -> tuple[float, float]:
    """Return the MB/s of ``shell,v2,raw`` through us, and of adb-shell's own ``shell()``."""
    host, port = address.rsplit(":", 1)
    with connect(transport=f"tcp:{address}", on_waiting=print, key_folder=key_folder) as connection:

        def read() -> None:
            assert connection.run(Command(text="long", why="benchmark")).stdout == LONG_OUTPUT

        read()
        ours_s = fastest(read, READS)
    device = AdbDeviceTcp(host, int(port), default_transport_timeout_s=60)
    device.connect(rsa_keys=[adb_auth.load_or_create(key_folder)])

    def read_with_adb_shell() -> None:
        assert len(device.shell("long", decode=False)) == len(LONG_OUTPUT)

    adb_shell_s = fastest(read_with_adb_shell, READS)
    device.close()
    return len(LONG_OUTPUT) / 1e6 / ours_s, len(LONG_OUTPUT) / 1e6 / adb_shell_s


def measure(*, lab: bool) -> Outcome:
    """Measure and compare."""
    with tempfile.TemporaryDirectory() as home:
        key_folder = Path(home) / ".android"
        adb_auth.load_or_create(key_folder)
        with (lab_phone if lab else demo_phone)(key_folder) as address:
            ours_s, adb_s = time_visits(address, key_folder)
            ours_mb_per_s, adb_shell_mb_per_s = measure_speeds(address, key_folder)
    rows = [
        Row(
            what="a visit: connect, run two scripts, close",
            ours=ours_s * 1000,
            unit="ms",
            reference=adb_s * 1000,
            reference_name="Debian's adb",
            budget=MAX_TIME_RATIO,
        ),
        # Either is enough: a slow computer slows both, and on a fast one 100 MB/s suffice.
        Row(
            what="a long answer over `shell,v2,raw`",
            ours=ours_mb_per_s,
            unit="MB/s",
            reference=adb_shell_mb_per_s,
            reference_name="`adb_shell`'s own `shell()`",
            budget=min(MIN_SPEED_RATIO, MIN_MB_PER_S / adb_shell_mb_per_s),
            is_minimum=True,
        ),
    ]
    return compare(rows, note="Floor of a visit: the phone's own time for two scripts, which is in both figures.")


def main() -> int:
    """Measure, or be the phone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", action="store_true", help="AOSP's adbd instead of the demo phone")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return 0
    return publish("transport", lambda: measure(lab=arguments.lab), is_complete=not arguments.lab)


if __name__ == "__main__":
    sys.exit(main())
