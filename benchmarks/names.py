"""What reading app names costs: bytes and round trips of one APK of 100 MB, and the time of 300 over a slow connection.

    .venv/bin/python -m benchmarks.names

The phone is a process of its own, as a real one would be, and sends 20 MB/s with a latency of 2 ms. The reference is
the time that the bytes alone take.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from benchmarks.apk_files import enlarge_apk
from benchmarks.measure import ROOT, Outcome, Row, compare
from benchmarks.results import publish
from privaudit.apk import info
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK
from privaudit.capture import remote_apks
from privaudit.capture.remote_apks import ApkRequest
from privaudit.model import Command, Reply
from privaudit.transport import connect
from privaudit.transport.base import SCRIPT_TIMEOUT_S, Transport
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.adbd.wire import SimulatedLink
from privaudit.virtual_phone.programs import apk_entry_name, load_apks

BYTES_PER_S = 20e6
LATENCY_S = 0.002
MAX_ROUND_TRIPS = 4
MAX_BYTES_RATIO = 1.05
MAX_TIME_RATIO = 1.5
ONE_LARGE = (1, 100_000_000, 8_000_000, 8000)
MANY = (300, 3_000_000, 700_000, 900)
"""Number of APKs; bytes of an APK, and of its resource table; files in an APK."""


class CountingTransport:
    """A connection that counts round trips and received bytes."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection
        self.kind = connection.kind
        self.command_limit = connection.command_limit
        self.round_trips = 0
        self.bytes = 0

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = 1 << 28) -> Reply:
        """Run a command and count it."""
        reply = self._connection.run(command, timeout_s=timeout_s, limit=limit)
        self.round_trips += 1
        self.bytes += len(reply.stdout)
        return reply


def serve(count: int, total_bytes: int, table_bytes: int, files: int) -> None:
    """Be the phone, with enlarged demo APKs: print the address and their paths, and run until standard input ends."""
    named_apps = [app for app in load_scenario("borrower").apps if app.labels]
    content = {}
    for number in range(count):
        app = named_apps[number % len(named_apps)]
        # Sizes between a third and twice the requested one, as on a phone; their mean is the requested one.
        low, high = (1 / 3, 2.0) if number % 2 else (2 / 3, 1.0)
        factor = 1.0 if count == 1 else low + (high - low) * number / count
        content[f"/data/app/{app.package}-{number}/base.apk"] = enlarge_apk(
            load_apks()[apk_entry_name(app)],
            table_bytes=int(table_bytes * factor),
            files=int(files * factor),
            total_bytes=int(total_bytes * factor),
        )
    with AdbdServer(
        programs={}, files=content, key_policy=KeyPolicy(required=False), link=SimulatedLink(BYTES_PER_S, LATENCY_S)
    ) as phone:
        print(phone.address, *content, flush=True)
        sys.stdin.read()


def measure_on_phone(
    shape: tuple[int, int, int, int], measure: Callable[[CountingTransport, list[str]], list[Row]]
) -> list[Row]:
    """Start a phone with APKs of `shape`, connect, measure, and stop it."""
    command = [sys.executable, "-m", "benchmarks.names", "--serve", *map(str, shape)]
    with (
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as phone,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert phone.stdout is not None
        assert phone.stdin is not None
        address, *paths = phone.stdout.readline().split()
        with connect(transport=f"tcp:{address}", on_waiting=lambda _: None, key_folder=Path(folder)) as connection:
            rows = measure(CountingTransport(connection), paths)
        phone.stdin.close()
    return rows


def apk_request(path: str, *, certificates: bool) -> ApkRequest:
    """Return the request for the APK at `path`."""
    return ApkRequest(package=path.split("/")[3].rpartition("-")[0], path=path, with_certificates=certificates)


def measure_one(transport: CountingTransport, paths: list[str]) -> list[Row]:
    """Measure bytes and round trips of one APK."""
    apk = next(remote_apks.read_apks(transport, [apk_request(paths[0], certificates=True)]))
    assert apk.size is not None
    assert info.read_installed_apk(apk, ["zh-CN"], 34).label
    # In the file: an end record of 22 bytes, a directory record of 46 bytes and a name of 41 for each picture, the
    # deflated manifest, the stored table.
    deflated_manifest = len(zlib.compress(apk.parts[MANIFEST].to_bytes(), 9)) - 6
    pictures = ONE_LARGE[3]
    needed_bytes = 22 + pictures * (46 + 41) + deflated_manifest + apk.parts[ARSC].size + apk.parts[SIGNING_BLOCK].size
    return [
        Row(
            what=f"name and signers of one APK of {apk.size / 1e6:.0f} MB",
            ours=transport.bytes,
            unit="bytes",
            reference=needed_bytes,
            reference_name="its end record, directory, manifest, table and signing block",
            budget=MAX_BYTES_RATIO,
        ),
        Row(
            what="round trips of it",
            ours=transport.round_trips,
            unit="",
            reference=MAX_ROUND_TRIPS,
            reference_name="budget",
            budget=1.0,
        ),
    ]


def measure_many(transport: CountingTransport, paths: list[str]) -> list[Row]:
    """Measure the time from the first request to the last name."""
    start = time.monotonic()
    requests = [apk_request(path, certificates=False) for path in paths]
    labels = [
        info.trim_and_read_apk(apk, ["zh-CN", "en"], 34)[1].label
        for apk in remote_apks.read_apks(transport, [], requests)
    ]
    seconds = time.monotonic() - start
    assert len(labels) == len(paths)
    assert all(labels)
    return [
        Row(
            what=f"{len(paths)} names, {transport.bytes / 1e6:.0f} MB",
            ours=seconds,
            unit="s",
            reference=transport.bytes / BYTES_PER_S,
            reference_name="the connection alone",
            budget=MAX_TIME_RATIO,
        )
    ]


def measure() -> Outcome:
    """Measure and compare."""
    rows = [*measure_on_phone(ONE_LARGE, measure_one), *measure_on_phone(MANY, measure_many)]
    note = (
        "Floor: 1 × the bytes: a name is in the table, which the manifest refers to, and the directory says where both"
        " are. Three round trips, because each one tells where the next part is."
    )
    return compare(rows, note=note)


def main() -> int:
    """Measure, or be the phone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs=4, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        count, total_bytes, table_bytes, files = arguments.serve
        serve(count, total_bytes, table_bytes, files)
        return 0
    return publish("names", measure)


if __name__ == "__main__":
    sys.exit(main())
