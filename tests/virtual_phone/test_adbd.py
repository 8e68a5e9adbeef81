"""The ADB daemon against two independent clients, and against malformed messages."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from adb_shell.adb_device import AdbDeviceTcp
from adb_shell.auth.sign_pythonrsa import PythonRSASigner
from adb_shell.exceptions import TcpTimeoutException

from privaudit.virtual_phone.adbd.auth import KeyPolicy, parse_adb_public_key
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.adbd.wire import MAX_PAYLOAD_V1, VERSION_CHECKSUM, AdbCommand, AdbMessage, receive_message
from tests.fixtures.adb import Adb
from tests.virtual_phone.conftest import FILES, PROGRAMS, TIMEOUT_S

Connect = Callable[..., AdbDeviceTcp]
CNXN = AdbMessage(AdbCommand.CNXN, 0x01000001, 1 << 20, b"host::test\0")
NUMBERS = itertools.count(1000)
NO_KEYS = KeyPolicy(required=False)


# --- adb-shell ---


@pytest.mark.parametrize(
    "kind",
    [{}, {"max_payload": MAX_PAYLOAD_V1, "version": VERSION_CHECKSUM, "features": ()}, {"key_policy": NO_KEYS}],
    ids=["new", "old", "no-keys"],
)
def test_adb_shell(connect: Connect, kind: dict) -> None:
    with AdbdServer(programs=PROGRAMS, files=FILES, **kind) as phone:
        device = connect(phone)
        assert device.shell("say a 'b c' | cat; echo") == "say was here\n<a|b c>\n\n"
        assert device.shell("say a 2>/dev/null") == "<a>\n"
        assert device.exec_out("echo x; nosuch") == "x\n/system/bin/sh: nosuch: inaccessible or not found\n"
        assert device.shell("big x") == "x" * 3_000_000
        assert device.shell("stat -c '%s %F' /data/app/a/base.apk /data") == "1280000 regular file\n4096 directory\n"
        assert device.shell("ls /data/app/a; ls /nowhere") == "base.apk\nls: /nowhere: No such file or directory\n"
        assert phone.commands[1:4] == ["say a 2>/dev/null", "echo x; nosuch", "big x"]


def test_files_arrive_byte_for_byte(phone: AdbdServer, connect: Connect) -> None:
    device = connect(phone)
    for path, content in FILES.items():
        assert device.exec_out(f"cat {path}", decode=False) == content
    assert device.shell("echo still here") == "still here\n"


def test_android_6_terminal(connect: Connect) -> None:
    with AdbdServer(programs={}, crlf=True, features=(), max_payload=MAX_PAYLOAD_V1) as phone:
        assert connect(phone).shell("echo a; echo b", decode=False) == b"a\r\nb\r\n"


def test_closing_ends_a_connection_whose_client_is_idle(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: ``shutdown`` does not wake another thread's ``recv``."""
    phone = AdbdServer(programs={}, key_policy=NO_KEYS)
    try:
        assert connect(phone).shell("echo in") == "in\n"
        with monkeypatch.context() as patched:
            patched.setattr(socket.socket, "shutdown", lambda *_: None)
            closing = threading.Thread(target=phone.close, daemon=True)
            closing.start()
            closing.join(TIMEOUT_S)
            assert not closing.is_alive()
    finally:
        phone.close()


# --- authorisation ---


def test_allowed_once_prompts_again(connect: Connect, signer: PythonRSASigner) -> None:
    with AdbdServer(programs={}, key_policy=KeyPolicy(answer="allow")) as phone:
        connect(phone)
        phone.key_policy = KeyPolicy(answer="refuse")
        with pytest.raises(TcpTimeoutException):
            connect(phone, auth_timeout_s=0.3)


def test_always_allowed_key_connects_again(connect: Connect) -> None:
    with AdbdServer(programs={}, key_policy=KeyPolicy(answer="allow", always_allow=True)) as phone:
        connect(phone)
        phone.key_policy = KeyPolicy(answer="refuse")
        assert connect(phone).shell("echo in") == "in\n"


def test_known_key_connects(connect: Connect, signer: PythonRSASigner) -> None:
    policy = KeyPolicy(answer="refuse", known_keys=(signer.GetPublicKey().encode(),))
    with AdbdServer(programs={}, key_policy=policy) as phone:
        assert connect(phone).shell("echo in") == "in\n"


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_refused_key_does_not_connect(connect: Connect, answer: str) -> None:
    with AdbdServer(programs={}, key_policy=KeyPolicy(answer=answer)) as phone, pytest.raises(TcpTimeoutException):
        connect(phone, auth_timeout_s=0.3)
    assert phone.commands == []


def test_late_answer_connects(connect: Connect) -> None:
    with AdbdServer(programs={}, key_policy=KeyPolicy(answer=0.4)) as phone:
        assert connect(phone).shell("echo late") == "late\n"


def test_no_stream_opens_before_authorisation() -> None:
    with AdbdServer(programs={}) as phone, socket.create_connection((phone.host, phone.port), TIMEOUT_S) as sock:
        sock.sendall(
            CNXN.encode(checksum=True) + AdbMessage(AdbCommand.OPEN, 1, 0, b"shell:echo in\0").encode(checksum=False)
        )
        assert ask(sock).command is AdbCommand.AUTH
        for guess in (b"", b"x" * 256, b"\0" * 300):
            sock.sendall(AdbMessage(AdbCommand.AUTH, 2, 0, guess).encode(checksum=False))
            assert ask(sock).command is AdbCommand.AUTH
    assert phone.commands == []


@pytest.mark.parametrize("text", [b"", b"\0", b"AAAA", b"!!!! me", b"QAAAA" * 200, b"A" * 700 + b" x"])
def test_malformed_public_keys(text: bytes) -> None:
    assert parse_adb_public_key(text) is None


# --- raw messages ---


def ask(sock: socket.socket) -> AdbMessage:
    message = receive_message(sock.recv, max_payload=1 << 20, checksum=False)
    assert message is not None
    return message


@pytest.fixture
def line() -> Iterator[tuple[AdbdServer, socket.socket]]:
    """A phone without authorisation, and a socket that has been greeted."""
    with (
        AdbdServer(programs=PROGRAMS, files=FILES, key_policy=NO_KEYS) as phone,
        socket.create_connection((phone.host, phone.port), TIMEOUT_S) as sock,
    ):
        sock.sendall(CNXN.encode(checksum=True))
        greeting = ask(sock)
        assert greeting.command is AdbCommand.CNXN
        assert greeting.data.startswith(b"device::ro.product.name=demo;")
        assert greeting.data.endswith(b";features=shell_v2,cmd")
        yield phone, sock


def exchange(sock: socket.socket, service: bytes, send: bytes = b"") -> bytes | None:
    """Open `service`, say `send`, and gather what comes until it ends; ``None``: refused."""
    remote = next(NUMBERS)

    def next_message() -> AdbMessage:
        # What still comes for an earlier stream is passed over, as clients must.
        return next(message for message in iter(lambda: ask(sock), None) if message.arg1 == remote)

    sock.sendall(AdbMessage(AdbCommand.OPEN, remote, 0, service + b"\0").encode(checksum=False))
    first = next_message()
    if first.command is AdbCommand.CLSE:
        return None
    if send:
        sock.sendall(AdbMessage(AdbCommand.WRTE, remote, first.arg0, send).encode(checksum=False))
    data = b""
    while (message := next_message()).command is not AdbCommand.CLSE:
        if message.command is AdbCommand.WRTE:
            data += message.data
            sock.sendall(AdbMessage(AdbCommand.OKAY, remote, first.arg0).encode(checksum=False))
    return data


def test_shell_protocol(line: tuple[AdbdServer, socket.socket]) -> None:
    _, sock = line

    def packet(number: int, data: bytes) -> bytes:
        return struct.pack("<BI", number, len(data)) + data

    output = packet(1, b"<x>\n") + packet(2, b"say was here\n") + packet(3, b"\7")
    for service in (b"shell,v2,raw:say x", b"shell,v2:say x", b"shell,v2,TERM=xterm-256color,raw:say x"):
        assert exchange(sock, service) == output
    terminal = packet(1, b"<x>\r\n") + packet(1, b"say was here\r\n") + packet(3, b"\7")
    assert exchange(sock, b"shell,v2,pty:say x") == terminal
    stdin = packet(5, b"80x24") + packet(0, b"one\n") + packet(0, b"two\n") + packet(4, b"")
    assert exchange(sock, b"shell,v2,raw:cat; echo $?", stdin) == packet(1, b"one\ntwo\n") + packet(1, b"0\n") + packet(
        3, b"\0"
    )
    assert exchange(sock, b"shell,v2,raw:", packet(0, b"exit 3") + packet(4, b"")) == packet(3, b"\3")
    assert b"no prompt" in (exchange(sock, b"shell,v2,TERM=xterm,pty:") or b"")


def test_six_concurrent_streams(line: tuple[AdbdServer, socket.socket]) -> None:
    # Not through adb-shell: it loses the CLSE of a stream where another thread is the one to read it.
    _, sock = line
    for number, letter in enumerate(b"abcdef", 1):
        service = b"exec:big %c; echo end\0" % letter
        sock.sendall(AdbMessage(AdbCommand.OPEN, number, 0, service).encode(checksum=False))
    answers = dict.fromkeys(range(1, 7), b"")
    closed_streams: set[int] = set()
    while len(closed_streams) < len(answers):
        message = ask(sock)
        if message.command is AdbCommand.WRTE:
            answers[message.arg1] += message.data
            sock.sendall(AdbMessage(AdbCommand.OKAY, message.arg1, message.arg0).encode(checksum=False))
        elif message.command is AdbCommand.CLSE:
            closed_streams.add(message.arg1)
    assert answers == {n: b"%c" % c * 3_000_000 + b"end\n" for n, c in enumerate(b"abcdef", 1)}


def test_one_unconfirmed_message_per_stream(line: tuple[AdbdServer, socket.socket]) -> None:
    _, sock = line
    sock.sendall(AdbMessage(AdbCommand.OPEN, 1, 0, b"exec:big x\0").encode(checksum=False))
    opened, first = ask(sock), ask(sock)
    assert (opened.command, first.command, len(first.data)) == (AdbCommand.OKAY, AdbCommand.WRTE, 1 << 20)
    # Another stream is answered meanwhile; the first waits for its OKAY.
    assert exchange(sock, b"exec:echo other") == b"other\n"
    sock.sendall(AdbMessage(AdbCommand.OKAY, 1, opened.arg0).encode(checksum=False))
    second = next(message for message in iter(lambda: ask(sock), None) if message.arg1 == 1)
    assert (second.command, len(second.data)) == (AdbCommand.WRTE, 1 << 20)


@pytest.mark.parametrize(
    "service", [b"reboot:", b"root:", b"tcp:80", b"shell", b"", b"\xff:", b"jdwp:1", b"framebuffer:"]
)
def test_refused_services(line: tuple[AdbdServer, socket.socket], service: bytes) -> None:
    phone, sock = line
    assert exchange(sock, service) is None
    assert exchange(sock, b"exec:echo on") == b"on\n"
    assert phone.commands == ["echo on"]


def test_unannounced_shell_v2_and_file_transfers_are_refused() -> None:
    with (
        AdbdServer(programs={}, key_policy=NO_KEYS, features=()) as phone,
        socket.create_connection((phone.host, phone.port), TIMEOUT_S) as sock,
    ):
        sock.sendall(CNXN.encode(checksum=True))
        ask(sock)
        assert exchange(sock, b"shell,v2,raw:echo x") is None
        assert exchange(sock, b"sync:") is None


def test_late_okay_is_answered_like_adbd_does(line: tuple[AdbdServer, socket.socket]) -> None:
    _, sock = line
    sock.sendall(AdbMessage(AdbCommand.OKAY, 5, 77).encode(checksum=False))
    assert ask(sock) == AdbMessage(AdbCommand.CLSE, 77, 5)


def test_client_closes_a_stream(line: tuple[AdbdServer, socket.socket]) -> None:
    _, sock = line
    sock.sendall(AdbMessage(AdbCommand.OPEN, 9, 0, b"shell:sleep 500; echo late\0").encode(checksum=False))
    local = ask(sock).arg0
    sock.sendall(AdbMessage(AdbCommand.CLSE, 9, local).encode(checksum=False))
    assert ask(sock) == AdbMessage(AdbCommand.CLSE, local, 9)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: phone\r\n\r\n" * 4,
        os.urandom(4096),
        struct.pack("<6I", AdbCommand.WRTE, 1, 1, 0xFFFFFFFF, 0, AdbCommand.WRTE ^ 0xFFFFFFFF),
        struct.pack("<6I", AdbCommand.OPEN, 1, 0, (1 << 20) + 1, 0, AdbCommand.OPEN ^ 0xFFFFFFFF),
        struct.pack("<6I", AdbCommand.CNXN, 1, 1, 4, 1, AdbCommand.CNXN ^ 0xFFFFFFFF) + b"abcd",
        struct.pack("<6I", AdbCommand.CNXN, 0x01000000, 0, 0, 0, AdbCommand.CNXN ^ 0xFFFFFFFF),
        struct.pack("<6I", 0x534C5453, 0, 0, 0, 0, 0x534C5453 ^ 0xFFFFFFFF),
    ],
    ids=["http", "noise", "4-gib", "over-agreed", "checksum", "no-room", "stls"],
)
def test_malformed_messages_end_the_connection(line: tuple[AdbdServer, socket.socket], garbage: bytes) -> None:
    phone, _ = line
    with socket.create_connection((phone.host, phone.port), TIMEOUT_S) as sock:
        sock.sendall(garbage)
        # A reset, where the phone closed with our bytes unread.
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_unconfirmed_messages_end_the_connection(line: tuple[AdbdServer, socket.socket]) -> None:
    _, sock = line
    sock.sendall(AdbMessage(AdbCommand.OPEN, 9, 0, b"shell:sleep 500\0").encode(checksum=False))
    local = ask(sock).arg0
    with pytest.raises((AssertionError, OSError)):  # noqa: PT012 - either end of the race
        for _ in range(100):
            sock.sendall(AdbMessage(AdbCommand.WRTE, 9, local, b"x").encode(checksum=False))
        ask(sock)


def test_client_vanishes_at_any_byte(phone: AdbdServer) -> None:
    script = CNXN.encode(checksum=True) + AdbMessage(AdbCommand.OPEN, 1, 0, b"shell:big x\0").encode(checksum=False)
    for keys in (KeyPolicy(), NO_KEYS):
        phone.key_policy = keys
        for length in range(len(script) + 1):
            with socket.create_connection((phone.host, phone.port), TIMEOUT_S) as sock:
                sock.sendall(script[:length])
    phone.close()
    assert phone_threads() == []


def phone_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("demo phone")]


def test_close_leaves_no_thread_and_no_listener(connect: Connect, signer: PythonRSASigner) -> None:
    phone = AdbdServer(programs=PROGRAMS, key_policy=KeyPolicy(answer=600.0))
    with (
        socket.create_connection((phone.host, phone.port), TIMEOUT_S) as asked,
        socket.create_connection((phone.host, phone.port), TIMEOUT_S) as asleep,
    ):
        asked.sendall(CNXN.encode(checksum=True))
        ask(asked)
        asked.sendall(AdbMessage(AdbCommand.AUTH, 3, 0, signer.GetPublicKey().encode() + b"\0").encode(checksum=False))
        phone.key_policy = NO_KEYS
        asleep.sendall(CNXN.encode(checksum=True))
        ask(asleep)
        for service in (b"shell:sleep 500\0", b"shell:cat\0", b"shell:big x; big y\0", b"exec:cat\0"):
            asleep.sendall(AdbMessage(AdbCommand.OPEN, 1, 0, service).encode(checksum=False))
        phone.close()
        phone.close()
    assert phone_threads() == []
    with pytest.raises(OSError):
        socket.create_connection((phone.host, phone.port), 1).close()


def test_port_is_not_an_emulator_port(phone: AdbdServer) -> None:
    assert phone.host == "127.0.0.1"
    assert phone.port not in range(5555, 5586)
    assert phone.address == f"127.0.0.1:{phone.port}"
    with pytest.raises(OSError):
        AdbdServer(programs={}, port=phone.port)


# --- Google's adb ---


def test_adb_client(adb: Adb, phone: AdbdServer, tmp_path: Path) -> None:
    adb("connect", phone.address)
    at = ("-s", phone.address)
    assert adb(*at, "wait-for-device").returncode == 0
    assert b"model:Test_phone" in adb("devices", "-l").stdout
    ran = adb(*at, "shell", "say 'a b'; exit 5")
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"<a b>\n", b"say was here\n", 5)
    assert adb(*at, "shell", "cat | wc -c", stdin=b"x" * 200_000).stdout.strip() == b"200000"
    assert adb(*at, "exec-out", "big y").stdout == b"y" * 3_000_000
    assert adb(*at, "shell", "big z").stdout == b"z" * 3_000_000
    assert adb(*at, "exec-out", "cat /data/app/a/base.apk").stdout == FILES["/data/app/a/base.apk"]
    assert adb(*at, "pull", "/data/app", str(tmp_path)).returncode == 1
    assert adb(*at, "push", __file__, "/sdcard/").returncode == 1
    assert adb(*at, "shell", "echo on").stdout == b"on\n"


def test_six_concurrent_adb_clients(adb: Adb, phone: AdbdServer) -> None:
    adb("connect", phone.address)
    adb("-s", phone.address, "wait-for-device")
    with ThreadPoolExecutor(6) as pool:
        ran = list(pool.map(lambda x: adb("-s", phone.address, "shell", f"big {x}; echo end; exit 9"), "abcdef"))
    assert [(r.stdout, r.returncode) for r in ran] == [(x * 3_000_000 + b"end\n", 9) for x in map(str.encode, "abcdef")]


def test_adb_client_and_android_6(adb: Adb) -> None:
    old = {"max_payload": MAX_PAYLOAD_V1, "version": VERSION_CHECKSUM, "features": (), "crlf": True}
    with AdbdServer(programs=PROGRAMS, **old) as phone:
        adb("connect", phone.address)
        adb("-s", phone.address, "wait-for-device")
        ran = adb("-s", phone.address, "shell", "say a; exit 5")
        assert (ran.stdout, ran.returncode) == (b"<a>\r\nsay was here\r\n", 0)
        assert len(adb("-s", phone.address, "exec-out", "big z").stdout) == 3_000_000


def test_adb_client_is_always_allowed(adb: Adb) -> None:
    with AdbdServer(programs={}, key_policy=KeyPolicy(always_allow=True)) as phone:
        adb("connect", phone.address)
        adb("-s", phone.address, "wait-for-device")
        adb("disconnect", phone.address)
        phone.key_policy = KeyPolicy(answer="refuse")
        assert b"connected to" in adb("connect", phone.address).stdout
        assert adb("-s", phone.address, "shell", "echo in").stdout == b"in\n"


def test_adb_client_is_refused(adb: Adb) -> None:
    with AdbdServer(programs={}, key_policy=KeyPolicy(answer="ignore")) as phone:
        adb("connect", phone.address)
        assert b"unauthorized" in adb("devices").stdout
        assert adb("-s", phone.address, "shell", "echo in").returncode == 1
        assert phone.commands == []


def test_close_ends_without_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    closing = AdbdServer(programs={}, key_policy=NO_KEYS)
    monkeypatch.setattr(socket, "create_connection", unreachable)
    thread = threading.Thread(target=closing.close, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
