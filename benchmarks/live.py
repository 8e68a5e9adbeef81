"""What a live audit costs beside the offline audit of what it took: beside adb-shell moving the same bytes.

    .venv/bin/python benchmarks/live.py

The large phone is a process of its own that speaks ADB on loopback. The offline audit reads the capture that a live
one took of it. The reference adds to that what adb-shell alone, its own import included, needs to fetch as many bytes
by its own ``shell()``, times 1.3. Each of the owner's apps has an APK that can be read, as on a phone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import large_phone
from measure import PRIVAUDIT, Ran, Row, ended, in_turn, run, tell

from privaudit.errors import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_OK
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell.toybox import ProgramResult

ROUNDS = 5
ADB_SHELL_TIMES = 1.3
FETCH = """
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
    """The phone's process: prints its address, runs until its input ends."""
    phone = large_phone.phone()
    line = b"0123456789abcdef" * 5 + b"\n"
    table = {
        **build_programs(phone, now=large_phone.NOW),
        "long": lambda argv, _stdin: ProgramResult((line * (int(argv[1]) // len(line) + 1))[: int(argv[1])]),
    }
    with AdbdServer(programs=table, files=large_phone.files_of(phone), key_policy=KeyPolicy(required=False)) as running:
        print(running.address, flush=True)
        sys.stdin.read()


def audit(home: Path, *arguments: str) -> Ran:
    """Our audit, with the keys of `home`."""
    env = {"HOME": str(home), "USERPROFILE": str(home)}
    return ended(run((*PRIVAUDIT, "audit", *arguments), env=env), EXIT_OK, EXIT_FINDINGS, EXIT_INCOMPLETE)


def measured(home: Path, address: str) -> tuple[dict[str, float], int]:
    """Processor seconds of each, and the bytes that came from the phone."""
    saved = home / "phone.zip"
    env = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}
    done = subprocess.run(
        [*PRIVAUDIT, "capture", str(saved), "--transport", f"tcp:{address}"],
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert saved.exists(), done.stderr
    with zipfile.ZipFile(saved) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    key = next(path for path in home.rglob("*") if path.is_file() and path.with_name(f"{path.name}.pub").exists())
    host, port = address.rsplit(":", 1)
    fetch = (sys.executable, "-c", FETCH, host, port, str(size), str(key))
    took = in_turn(
        {
            "live": lambda: audit(home, "--transport", f"tcp:{address}").cpu_s,
            "offline": lambda: audit(home, str(saved)).cpu_s,
            "adb-shell": lambda: ended(run(fetch), 0).cpu_s,
        },
        ROUNDS,
    )
    return took, size


def main() -> int:
    """Measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().serve:
        serve()
        return 0
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as phone,
    ):
        assert phone.stdin is not None
        assert phone.stdout is not None
        try:
            took, size = measured(Path(name), phone.stdout.readline().strip())
        finally:
            phone.stdin.close()
    row = Row(
        what=f"live audit, {size / 1e6:.1f} MB from the phone",
        ours=took["live"],
        unit="s",
        reference=took["offline"] + ADB_SHELL_TIMES * took["adb-shell"],
        beside=f"offline audit + {ADB_SHELL_TIMES} × adb-shell",
        budget=1.0,
    )
    return tell(
        [row],
        floor=f"the offline audit, {took['offline']:.2f} s: what is live costs {took['live'] - took['offline']:.2f} s"
        f" more; adb-shell alone takes {took['adb-shell']:.2f} s for the same bytes.",
    )


if __name__ == "__main__":
    sys.exit(main())
