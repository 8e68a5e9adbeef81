"""What a live audit costs beyond the offline audit of what it collected, compared with adb-shell moving the same bytes.

    .venv/bin/python -m benchmarks.live

The large phone is a process of its own that speaks ADB on loopback; each of the owner's apps has a readable APK. The
offline audit reads the capture that a live one took of it. The reference adds to it 1.3 times what adb-shell alone,
including its import, needs to fetch as many bytes with its own ``shell()``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import large_phone
from benchmarks.measure import PRIVAUDIT, ROOT, Outcome, ProcessUsage, Row, compare, measure_in_turn, run
from benchmarks.results import publish
from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell.toybox import ProgramResult

ROUNDS = 5
ADB_SHELL_TIMES = 1.3
FETCH_SCRIPT = """
import sys
from pathlib import Path
from adb_shell.adb_device import AdbDeviceTcp
from adb_shell.auth.sign_pythonrsa import PythonRSASigner
host, port, size, key = sys.argv[1:]
signer = PythonRSASigner(Path(key + ".pub").read_text(), Path(key).read_text())
device = AdbDeviceTcp(host, int(port), default_transport_timeout_s=60)
device.connect(rsa_keys=[signer], auth_timeout_s=60)
assert len(device.shell("long " + size, decode=False)) == int(size)
device.close()
"""


def serve() -> None:
    """Be the phone: print the address, and run until standard input ends."""
    phone = large_phone.build_phone()
    line = b"0123456789abcdef" * 5 + b"\n"
    programs = {
        **build_programs(phone, now=large_phone.NOW),
        "long": lambda argv, _stdin: ProgramResult((line * (int(argv[1]) // len(line) + 1))[: int(argv[1])]),
    }
    files = large_phone.phone_files(phone)
    with AdbdServer(programs=programs, files=files, key_policy=KeyPolicy(required=False)) as adbd:
        print(adbd.address, flush=True)
        sys.stdin.read()


@contextmanager
def phone_process() -> Iterator[str]:
    """Run the phone in a process of its own; the context gives its address."""
    command = [sys.executable, "-m", "benchmarks.live", "--serve"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def audit(home: Path, *arguments: str) -> ProcessUsage:
    """Run our audit, with the keys in `home`."""
    env = {"HOME": str(home), "USERPROFILE": str(home)}
    return run((*PRIVAUDIT, "audit", *arguments), env=env).expect(EXIT_OK, EXIT_FINDINGS, EXIT_INCOMPLETE)


def measure() -> Outcome:
    """Measure and compare."""
    with tempfile.TemporaryDirectory() as folder, phone_process() as address:
        home = Path(folder)
        capture_file = home / "phone.zip"
        captured = subprocess.run(
            [*PRIVAUDIT, "capture", str(capture_file), "--transport", f"tcp:{address}"],
            cwd=ROOT,
            env={**os.environ, "HOME": str(home), "USERPROFILE": str(home)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert capture_file.exists(), captured.stderr
        with zipfile.ZipFile(capture_file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        key = next(path.with_suffix("") for path in home.rglob("*.pub"))
        fetch = (sys.executable, "-c", FETCH_SCRIPT, *address.rsplit(":", 1), str(size), str(key))
        seconds = measure_in_turn(
            {
                "live": lambda: audit(home, "--transport", f"tcp:{address}").cpu_s,
                "offline": lambda: audit(home, str(capture_file)).cpu_s,
                "adb-shell": lambda: run(fetch).expect(0).cpu_s,
            },
            ROUNDS,
        )
    row = Row(
        what=f"live audit, {size / 1e6:.1f} MB from the phone",
        ours=seconds["live"],
        unit="s",
        reference=seconds["offline"] + ADB_SHELL_TIMES * seconds["adb-shell"],
        reference_name=f"offline audit + {ADB_SHELL_TIMES} × adb-shell",
        budget=1.0,
    )
    note = (
        f"Floor: the offline audit, {seconds['offline']:.2f} s; a live one costs"
        f" {seconds['live'] - seconds['offline']:.2f} s more. adb-shell alone takes {seconds['adb-shell']:.2f} s for as"
        " many bytes."
    )
    return compare([row], note=note)


def main() -> int:
    """Measure, or be the phone."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().serve:
        serve()
        return 0
    return publish("live", measure)


if __name__ == "__main__":
    sys.exit(main())
