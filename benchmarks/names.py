"""What the names of apps cost: bytes and round trips of one APK of 100 MB, and time for 300 apps over a shaped line.

    .venv/bin/python benchmarks/names.py

Prints figure, reference and ratio; ends with 1 where a ratio is over its budget. The phone runs in a process of its
own, as a real one would, and sends 20 MB/s with 2 ms for each message. The reference is what the bytes alone take.
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

sys.path.insert(0, str(Path(__file__).resolve().parent))

from apk_files import grown
from measure import Row, tell

from privaudit.apk import info
from privaudit.apk.parts import ARSC, MANIFEST, SIGNING_BLOCK
from privaudit.capture import remote_apks
from privaudit.capture.remote_apks import ApkRequest
from privaudit.model import Command, Reply
from privaudit.transport import SCRIPT_TIMEOUT_S, Transport, connect
from privaudit.virtual_phone import apks as demo_apks
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.faults import SimulatedLink
from privaudit.virtual_phone.adbd.server import AdbdServer

BYTES_PER_S = 20e6
LATENCY_S = 0.002
APPS = 300
MOST_TRIPS = 4
MOST_BYTES = 1.05
MOST_TIME = 1.5


class Counting:
    """A connection that counts what goes over it."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection
        self.kind = connection.kind
        self.command_limit = connection.command_limit
        self.trips = 0
        self.bytes = 0

    def run(self, command: Command, *, timeout_s: float = SCRIPT_TIMEOUT_S, limit: int = 1 << 28) -> Reply:
        """Run and count."""
        reply = self._connection.run(command, timeout_s=timeout_s, limit=limit)
        self.trips += 1
        self.bytes += len(reply.stdout)
        return reply


def serve(count: int, size: int, table: int, files: int) -> None:
    """The phone's process: APKs grown from those of the demo. Prints its address, runs until its input ends."""
    story = load_scenario("borrower")
    named = [app for app in story.apps if app.labels]
    content = {}
    for number in range(count):
        app = named[number % len(named)]
        # Every size from a third of it to twice, as on a phone; the mean is as asked.
        share = (
            1.0 if count == 1 else 1 / 3 + (5 / 3) * number / count if number % 2 else 2 / 3 + (1 / 3) * number / count
        )
        grow = {"table": int(table * share), "files": int(files * share), "size": int(size * share)}
        content[f"/data/app/{app.package}-{number}/base.apk"] = grown(
            demo_apks.load_apks()[demo_apks.apk_entry_name(app)], **grow
        )
    with AdbdServer(
        programs={}, files=content, key_policy=KeyPolicy(required=False), link=SimulatedLink(BYTES_PER_S, LATENCY_S)
    ) as phone:
        print(phone.address, *content, flush=True)
        sys.stdin.read()


def on_phone(shape: tuple[int, int, int, int], measure: Callable[[Counting, list[str]], list[Row]]) -> list[Row]:
    """Start a phone with APKs of `shape`, connect, measure, stop."""
    command = [sys.executable, __file__, "--serve", *map(str, shape)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as phone,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert phone.stdout is not None
        assert phone.stdin is not None
        address, *paths = phone.stdout.readline().split()
        with connect(transport=f"tcp:{address}", on_waiting=lambda _: None, key_folder=Path(folder)) as connection:
            rows = measure(Counting(connection), paths)
        phone.stdin.close()
    return rows


def wanted(path: str, *, certificates: bool) -> ApkRequest:
    """What is asked of the APK at `path`."""
    return ApkRequest(package=path.split("/")[3].rpartition("-")[0], path=path, with_certificates=certificates)


def one_large(line: Counting, paths: list[str]) -> list[Row]:
    """Bytes and round trips of one APK."""
    found = next(remote_apks.read_apks(line, [wanted(paths[0], certificates=True)]))
    assert found.size is not None
    assert info.read_installed_apk(found, ["zh-CN"], 34).label
    parts = found.parts
    # As in the file: 22 bytes, a record of 46 and 41 of name for each picture, the manifest packed, the table stored.
    packed = len(zlib.compress(parts[MANIFEST].to_bytes(), 9)) - 6
    needed = 22 + LARGE[3] * (46 + 41) + packed + parts[ARSC].size + parts[SIGNING_BLOCK].size
    return [
        Row(
            what=f"name and signers of one APK of {found.size / 1e6:.0f} MB",
            ours=line.bytes,
            unit="bytes",
            reference=needed,
            beside="its end record, directory, manifest, table and signing block",
            budget=MOST_BYTES,
        ),
        Row(what="round trips of it", ours=line.trips, unit="", reference=MOST_TRIPS, beside="budget", budget=1.0),
    ]


def many(line: Counting, paths: list[str]) -> list[Row]:
    """The time from the first question to the last name."""
    began = time.monotonic()
    rows = [wanted(path, certificates=False) for path in paths]
    labels = [
        info.read_installed_apk(info.trim_resources(found), ["zh-CN", "en"], 34).label
        for found in remote_apks.read_apks(line, [], rows)
    ]
    took = time.monotonic() - began
    assert len(labels) == len(paths)
    assert all(labels)
    return [
        Row(
            what=f"{len(paths)} names, {line.bytes / 1e6:.0f} MB",
            ours=took,
            unit="s",
            reference=line.bytes / BYTES_PER_S,
            beside="the line alone",
            budget=MOST_TIME,
        )
    ]


LARGE = (1, 100_000_000, 8_000_000, 8000)
MANY = (APPS, 3_000_000, 700_000, 900)
"""Count; bytes of an APK, of its table; files in it."""


def main() -> int:
    """Measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs=4, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve[0], arguments.serve[1], arguments.serve[2], arguments.serve[3])
        return 0
    return tell(
        [*on_phone(LARGE, one_large), *on_phone(MANY, many)],
        floor="1 × of the bytes: a name stands in the table, which the manifest points into, and the directory says"
        " where both are; three round trips, for each tells where the next part lies.",
    )


if __name__ == "__main__":
    sys.exit(main())
