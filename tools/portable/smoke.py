"""Run every command of an installed privaudit as people do, in a folder with blanks and Chinese letters in its name.

    python smoke.py APKS_ZIP LAUNCHER…

``LAUNCHER…`` is what comes before the arguments: ``privaudit.cmd``, or ``python -m privaudit``. ``APKS_ZIP`` holds APK
files. Needs only the standard library, so that any Python runs it, on Linux and on Windows. Who starts it cuts the
network (``.ci/release`` and ``tools/windows/run.sh`` do). Ends with 1 at the first surprise.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

APP = "com.example.sudaibao"
LABEL = "速贷宝"
LOAN_APK = "com.example.sudaibao-10402.apk"
FINDINGS = 3
"""The exit code of a check that found something."""
PATIENCE_S = 600
ON_WINDOWS = sys.platform == "win32"


class SurpriseError(Exception):
    """Something was not as expected."""


def decode(text: bytes) -> str:
    """Return text that is UTF-8 or, on Chinese Windows, in code page 936."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("gbk")


def folder_with_hard_name() -> Path:
    """Create a folder whose path has blanks, Chinese letters and what ``cmd`` gives a meaning."""
    folder = Path(tempfile.mkdtemp()) / "手机 检查 (1) & co"
    folder.mkdir()
    return folder


class Runner:
    """Starts one installed privaudit in one folder."""

    def __init__(self, launcher: Sequence[str], folder: Path) -> None:
        self.launcher = launcher
        self.folder = folder
        home = folder / "home"
        home.mkdir()
        # Port 1: the ADB server that runs here is not ours to ask.
        self.environment = {
            **os.environ,
            "HOME": str(home),
            "USERPROFILE": str(home),
            "ANDROID_ADB_SERVER_PORT": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, *arguments: object, code: int | tuple[int, ...] = 0, says: str = "") -> str:
        """Run a command to its end and return what it printed. Raises `SurpriseError` for another exit code or text."""
        began = time.monotonic()
        done = subprocess.run(
            [*self.launcher, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )
        said, told = decode(done.stdout), decode(done.stderr)
        line = " ".join(map(str, arguments))
        expected = code if isinstance(code, tuple) else (code,)
        if done.returncode not in expected or says not in said or "Traceback" in told:
            raise SurpriseError(
                f"{line}\nended with {done.returncode}, not {expected}, or without {says!r}:\n{said}\n{told}"
            )
        print(f"smoke: {line}: {done.returncode} in {time.monotonic() - began:.1f} s", flush=True)
        return said

    @contextmanager
    def start(self, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command that runs until it is ended."""
        with subprocess.Popen(
            [*self.launcher, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=not ON_WINDOWS,  # a process group of its own, as in a terminal
        ) as process:
            timer = threading.Timer(PATIENCE_S, process.kill)
            timer.start()
            try:
                yield process
            finally:
                timer.cancel()
                with suppress(OSError):
                    process.stdin.close()
                process.kill()


def read_until(process: subprocess.Popen[bytes], pattern: str) -> re.Match[str]:
    """Read the lines that a process prints, to the first one that matches."""
    seen = []
    for line in process.stdout:
        seen.append(decode(line))
        if found := re.search(pattern, seen[-1]):
            return found
    raise SurpriseError(f"never {pattern}:\n{''.join(seen)}")


def press_ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """Do what Ctrl-C in the terminal of a process does."""
    if not ON_WINDOWS:
        os.killpg(process.pid, signal.SIGINT)
        return
    with suppress(KeyboardInterrupt):  # whoever shares the console hears it, so this process too
        ctypes.windll.kernel32.GenerateConsoleCtrlEvent(signal.CTRL_C_EVENT, 0)
        time.sleep(2)


def check_phone(privaudit: Runner) -> None:
    """Run what needs a phone, on the demo's, which listens on this computer alone."""
    with privaudit.start("demo", "--serve", "--lang", "en") as phone:
        way = ("--transport", read_until(phone, r"tcp:127\.0\.0\.1:\d+")[0], "--lang", "en", "--plain")
        privaudit.run("audit", *way, "-o", "before.json", "-o", "before.html", code=FINDINGS, says=LABEL)
        privaudit.run("capture", "check.zip", *way)
        privaudit.run("open", "permissions", APP, *way)
        privaudit.run("apk", "--installed", APP, *way, code=FINDINGS)
        privaudit.run("revoke", APP, *way, says=APP)
        privaudit.run("revoke", APP, "--apply", "--yes", "--ledger", "ledger.json", *way)
        privaudit.run("audit", *way, "-o", "after.json", code=FINDINGS)
        privaudit.run("diff", "before.json", "after.json", "--lang", "en", says=LABEL)
        privaudit.run("undo", "ledger.json", "--apply", "--yes", *way)


def check_files(privaudit: Runner) -> None:
    """Run what reads files."""
    privaudit.run("audit", "check.zip", "-o", "again.html", "-o", "again.csv", code=FINDINGS)
    with zipfile.ZipFile(privaudit.folder / "check.zip") as capture:
        capture.extractall(privaudit.folder / "an unpacked check")
    privaudit.run("audit", "an unpacked check", code=FINDINGS)
    privaudit.run("steps", "--from", "check.zip")
    privaudit.run("evidence", "check.zip", "-o", "证据 evidence")
    privaudit.run(
        "letter", "before.json", "--app", APP, "--kind", "deletion", "--country", "CN", "--yes", "-o", "信.html"
    )
    privaudit.run("rights", "CN", "-o", "rights.html")
    privaudit.run("signatures", "check")
    privaudit.run("rules", "list")
    privaudit.run("schema", says='"$schema"')
    privaudit.run("apk", "贷款 loan.apk", code=FINDINGS)
    privaudit.run("apk", "apks", "-o", "apks.jsonl", code=(0, FINDINGS))


def check_workshop(privaudit: Runner) -> None:
    """Rehearse a workshop with one virtual phone, from its owner's consent to the close."""
    with privaudit.start("workshop", "a workshop", "--rehearse", "1", "--pace", "2", "--plain", "--lang", "en") as day:

        def write(line: str) -> None:
            day.stdin.write(f"{line}\n".encode())
            day.stdin.flush()

        code = read_until(day, r"^([A-Z]\d\w*)  .*: ask its owner")[1]
        write(f"c {code}")
        read_until(day, rf"^{code}  .*: sticker {code}")
        write(f"s {code}")
        read_until(day, rf"^{code}  .*: done")
        write("q")
        write("y")
        ended = day.wait(PATIENCE_S)
    if ended != FINDINGS:
        raise SurpriseError(f"workshop: {ended}")
    privaudit.run("workshop", "a workshop", "--totals", "--lang", "en")


def check_interruption(privaudit: Runner) -> None:
    """Press Ctrl-C while the demo's phone is served."""
    with privaudit.start("demo", "--serve", "--lang", "en") as phone:
        read_until(phone, "Ctrl-C")
        press_ctrl_c(phone)
        phone.stdin.close()  # `cmd` asks whether to end the batch job
        said = decode(phone.stdout.read())  # to the end: nothing that it started is left
        ended = phone.wait(PATIENCE_S)
    # A starter in the shell is ended by the signal itself.
    if ended not in {0, -signal.SIGINT} or "Traceback" in said:
        raise SurpriseError(f"Ctrl-C: {ended}\n{said}")
    print(f"smoke: Ctrl-C: {ended}", flush=True)


def main() -> None:
    """Run every command."""
    apks, *launcher = sys.argv[1:]
    folder = folder_with_hard_name()
    with zipfile.ZipFile(apks) as archive:
        (folder / "贷款 loan.apk").write_bytes(archive.read(LOAN_APK))
        (folder / "apks").mkdir()
        for name in archive.namelist()[::20]:
            (folder / "apks" / name).write_bytes(archive.read(name))
    if ON_WINDOWS:
        ctypes.windll.kernel32.AllocConsole()  # where there is none, nobody can press Ctrl-C
    privaudit = Runner(launcher, folder)
    began = time.monotonic()
    try:
        privaudit.run("--version", says="privaudit ")
        privaudit.run("--help")
        privaudit.run("demo", "--lang", "zh", "-o", "报告.html", "-o", "report.json", code=FINDINGS, says=LABEL)
        privaudit.run("devices", "--lang", "en", code=(0, 4))
        check_phone(privaudit)
        check_files(privaudit)
        check_workshop(privaudit)
        check_interruption(privaudit)
    except SurpriseError as surprise:
        sys.exit(f"smoke: {surprise}")
    print(f"smoke: every command runs, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
