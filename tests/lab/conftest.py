"""The laboratory, where it is built: AOSP's own adbd behind a loopback port."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.virtual_phone.conftest import need

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("PRIVAUDIT_LAB") or Path(tempfile.gettempdir()) / "privaudit-lab")
PATIENCE_S = 60
EMULATOR_PORTS = range(5555, 5586)  # an ADB server would find the phone there by itself


class Phone:
    """A phone that runs."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._process = process
        self._told: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._told.put(line.strip())
        self._told.put("end")

    def order(self, *words: object) -> None:
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def heard(self, word: str) -> str:
        """The next line that begins with `word`; those before it are passed over."""
        while True:
            line = self._told.get(timeout=PATIENCE_S)
            if line.split()[:1] == [word]:
                return line
            assert line != "end", f"never {word}"

    def all_heard(self) -> list[str]:
        """First words of what was told since the last look."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._told.get_nowait().split()[0])
        return found

    def kill(self) -> None:
        """Pull the cable."""
        self.order("kill")
        self.heard("down")


@contextlib.contextmanager
def run_phone(
    *, answer: str = "allow", programs: Path | None = None, put: Mapping[Path, str] | None = None
) -> Iterator[Phone]:
    with contextlib.ExitStack() as taken:
        while True:
            listener = taken.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            if port not in EMULATOR_PORTS:
                break
    command = [need("unshare"), "--mount", "--propagation", "private", sys.executable, HERE / "phone.py"]
    command += [FOLDER / "tcp", port, *(["--programs", programs] if programs else [])]
    for source, target in (put or {}).items():
        command += ["--put", f"{source}:{target}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*map(str, command)], **pipes) as process:
        phone = Phone(process, port)
        try:
            phone.heard("up")
            phone.order("answer", answer)
            yield phone
        finally:
            with contextlib.suppress(OSError):
                process.stdin.close()
            process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def lab() -> object:
    """Context manager: a phone of the laboratory (``make lab-tcp`` builds it; needs root)."""
    if not (FOLDER / "tcp" / ".built").exists():
        pytest.skip("the laboratory is not built here: make lab-tcp")
    if os.geteuid() != 0:
        pytest.skip("the laboratory needs root")
    return run_phone
