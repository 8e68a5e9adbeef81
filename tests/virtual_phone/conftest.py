"""Keys, clients and stub programs for the tests of the virtual phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from adb_shell.adb_device import AdbDeviceTcp
from adb_shell.auth.keygen import keygen
from adb_shell.auth.sign_pythonrsa import PythonRSASigner

from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.shell import ProgramResult

TIMEOUT_S = 30.0


def need(program: str) -> str:
    """Return the path of an external program; skip the test without it, but fail in CI."""
    path = shutil.which(program)
    if path is None and os.environ.get("CI"):
        pytest.fail(f"{program} is missing, and this is CI")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def say(argv: Sequence[str], _stdin: bytes) -> ProgramResult:
    """Print its arguments to standard output and its name to standard error."""
    return ProgramResult(f"<{'|'.join(argv[1:])}>\n".encode(), f"{argv[0]} was here\n".encode(), 7)


def big(argv: Sequence[str], _stdin: bytes) -> ProgramResult:
    return ProgramResult(argv[1].encode() * 3_000_000)


PROGRAMS = {"say": say, "big": big}
FILES = {
    "/data/app/a/base.apk": bytes(range(256)) * 5000,
    "/data/app/b/base.apk": b"",
    "/system/hello.txt": b"hello\nworld\n",
}


@pytest.fixture
def phone() -> Iterator[AdbdServer]:
    with AdbdServer(programs=PROGRAMS, files=FILES, model="Test phone") as running:
        yield running


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> PythonRSASigner:
    path = tmp_path_factory.mktemp("keys") / "adbkey"
    keygen(str(path))
    return PythonRSASigner(Path(f"{path}.pub").read_text(encoding="utf-8"), path.read_text("utf-8"))


@pytest.fixture
def connect(signer: PythonRSASigner) -> Iterator[Callable[..., AdbDeviceTcp]]:
    opened = []

    def open_one(phone: AdbdServer, auth_timeout_s: float = TIMEOUT_S) -> AdbDeviceTcp:
        device = AdbDeviceTcp(phone.host, phone.port, default_transport_timeout_s=TIMEOUT_S)
        opened.append(device)
        device.connect(rsa_keys=[signer], auth_timeout_s=auth_timeout_s)
        return device

    yield open_one
    for device in opened:
        device.close()
