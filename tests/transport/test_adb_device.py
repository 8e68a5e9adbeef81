"""A connection over the network, end to end: the demo phone, and phones that misbehave."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections import Counter

import pytest
from adb_shell.adb_message import AdbMessage
from adb_shell.constants import AUTH, AUTH_RSAPUBLICKEY, AUTH_TOKEN, CLSE, CNXN, MAX_ADB_DATA, OKAY, OPEN, WRTE

from privaudit.errors import ConnectionLost, PhoneError, UsageError
from privaudit.model import Command
from privaudit.transport import adb_auth, adb_device, adb_server, connect
from privaudit.transport.base import IDLE_TIMEOUT_S, MAX_OUTPUT_BYTES, SCRIPT_TIMEOUT_S, Transport
from privaudit.transport.shell_protocol import LegacyShell, ShellV2, default_shell
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.adbd.wire import MAX_PAYLOAD_V1, VERSION_CHECKSUM
from privaudit.virtual_phone.shell.toybox import ProgramResult

NO_AUTH = KeyPolicy(required=False)
LINES = b"".join(b"line %d\n" % number for number in range(100_000))


def command(text):
    return Command(text=text, why="test")


def fail_if_prompted(_):
    raise AssertionError("nobody should be asked")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("android")
    adb_auth.load_or_create(where)
    return where


@pytest.fixture
def call(folder):
    """Connects, and hangs up at the end of the test."""
    with contextlib.ExitStack() as stack:

        def dial(phone, on_waiting=fail_if_prompted, auth_timeout_s=30.0):
            address = f"tcp:{phone.host}:{phone.port}"
            return stack.enter_context(
                connect(transport=address, on_waiting=on_waiting, auth_timeout_s=auth_timeout_s, key_folder=folder)
            )

        yield dial


def modern(**more):
    programs = {
        "both": lambda _a, _i: ProgramResult(b"out\n", b"err\n", 7),
        "crlf": lambda _a, _i: ProgramResult(b"a\r\nb\n"),
        "long": lambda _a, _i: ProgramResult(LINES),
        "same": lambda args, _i: ProgramResult(args[1].encode() * 50_000, b"", int(args[1])),
    }
    return AdbdServer(programs=programs, **{"key_policy": NO_AUTH} | more)


OLD = {"features": (), "max_payload": MAX_PAYLOAD_V1, "version": VERSION_CHECKSUM, "crlf": True}


def old(**more):
    return modern(**OLD, **more)


class TestAnswers:
    def test_run_separates_stdout_stderr_and_exit_code(self, call):
        with modern() as phone:
            reply = call(phone).run(command("both"))
        assert (reply.stdout, reply.stderr, reply.exit_code) == (b"out\n", b"err\n", 7)

    def test_bytes_are_unchanged(self, call):
        with modern() as phone:
            assert call(phone).run(command("crlf")).stdout == b"a\r\nb\n"

    def test_a_long_reply_is_complete(self, call):
        with modern() as phone:
            assert call(phone).run(command("long")).stdout == LINES

    def test_legacy_shell_converts_line_ends_and_has_an_exit_code(self, call):
        with old() as phone:
            transport = call(phone)
            assert transport.run(command("long")).stdout == LINES
            reply = transport.run(command("both"))
        assert reply.stdout.replace(b"err\n", b"") == b"out\n"
        assert reply.exit_code == 7

    def test_legacy_shell_has_the_exit_code_of_an_exit_command(self, call):
        with old() as phone:
            assert call(phone).run(command("exit 3 # really")).exit_code == 3

    def test_legacy_shell_without_marker_has_no_exit_code(self):
        shell = LegacyShell()
        shell.feed(b"half an ans\r\nwer")
        assert shell.reply().exit_code is None
        assert shell.reply().stdout == b"half an ans\nwer"

    def test_legacy_shell_without_a_terminal_keeps_line_ends(self):
        shell = LegacyShell()
        marker = shell.encode_service("x").partition(b"echo ")[2].partition(b":=")[0]
        shell.feed(b"a\r\nb" + marker + b":=0\n")
        assert shell.reply().stdout == b"a\r\nb"

    def test_shell_v2_accepts_packets_in_any_chunks(self):
        stream = b"\1\3\0\0\0out\2\3\0\0\0err\1\2\0\0\0\r\n\3\1\0\0\0\7"
        for size in range(1, len(stream)):
            shell = ShellV2()
            for at in range(0, len(stream), size):
                shell.feed(stream[at : at + size])
            reply = shell.reply()
            assert (reply.stdout, reply.stderr, reply.exit_code) == (b"out\r\n", b"err", 7)
            assert shell.output_bytes == len("outerr\r\n")

    def test_shell_v2_ignores_incomplete_packets(self):
        shell = ShellV2()
        shell.feed(b"\1\3\0\0\0out\1\5\0\0\0hal")
        assert shell.reply().stdout == b"out"
        assert shell.reply().exit_code is None

    def test_several_threads_can_run_commands(self, call):
        with modern() as phone:
            transport = call(phone)
            replies = {}
            threads = [
                threading.Thread(target=lambda n=n: replies.update({n: transport.run(command(f"same {n}"))}))
                for n in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for number, reply in replies.items():
            assert Counter(reply.stdout) == {ord(str(number)): 50_000}
            assert reply.exit_code == number
        assert len(replies) == 8


@pytest.mark.parametrize("kind", [modern, old])
class TestBytes:
    """What a binary command says arrives byte for byte, whatever the phone's terminal would do to it."""

    BYTES = bytes(range(256)) * 300 + b"\n\r\n\r\r\n"

    def test_binary_output_is_unchanged(self, call, kind):
        with AdbdServer(**_shape(kind), programs={"bytes": lambda _a, _i: ProgramResult(self.BYTES, b"", 3)}) as phone:
            reply = call(phone).run(Command(text="bytes", why="test", binary=True))
        assert reply.stdout == self.BYTES
        assert reply.exit_code == (3 if kind is modern else None)

    def test_binary_output_is_limited(self, call, kind):
        with kind() as phone:
            line = call(phone)
            with pytest.raises(ConnectionLost) as lost:
                line.run(Command(text="long", why="test", binary=True), limit=1000)
            assert lost.value.name == "too_much_output"
            assert LINES.startswith(lost.value.partial)
            assert line.run(Command(text="crlf", why="test", binary=True)).stdout == b"a\r\nb\n"


def _shape(kind):
    shape = {"key_policy": NO_AUTH}
    return shape if kind is modern else shape | OLD


class TestLimits:
    @pytest.mark.parametrize("make", [modern, old])
    def test_the_longest_command_arrives(self, call, make):
        with make() as phone:
            transport = call(phone)
            text = "echo ".ljust(transport.command_limit, "x")
            assert len(transport.run(command(text)).stdout) == transport.command_limit - len("echo ") + 1
            with pytest.raises(ValueError, match="command_limit"):
                transport.run(command(text + "x"))

    def test_command_limit_depends_on_the_phone(self, call):
        with modern() as phone, old() as older:
            assert 100_000 < call(phone).command_limit < 128 * 1024
            assert 4000 < call(older).command_limit < 4096

    @pytest.mark.parametrize("what", ["id", b"id", None])
    def test_run_rejects_anything_but_a_command(self, call, what):
        with modern() as phone:
            with pytest.raises(TypeError):
                call(phone).run(what)
            assert phone.commands == []

    def test_run_rejects_a_nul(self, call):
        with modern() as phone, pytest.raises(ValueError, match="NUL"):
            call(phone).run(command("echo \0 x"))

    @pytest.mark.parametrize("make", [modern, old])
    def test_too_much_output_is_cut_and_the_connection_still_works(self, call, make):
        with make() as phone:
            transport = call(phone)
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("long"), limit=1000)
            assert caught.value.name == "too_much_output"
            assert LINES.startswith(caught.value.partial[:1000])
            assert transport.run(command("both")).exit_code == 7

    def test_output_of_exactly_the_limit_is_accepted(self, call):
        with modern() as phone:
            assert call(phone).run(command("long"), limit=len(LINES)).stdout == LINES

    def test_an_endless_command_times_out_and_ends_the_connection(self, call):
        with modern() as phone:
            transport = call(phone)
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("echo one; sleep 600"), timeout_s=0.5)
            assert (caught.value.name, caught.value.partial) == ("too_slow", b"one\n")
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("both"))
            assert (caught.value.name, caught.value.partial) == ("too_slow", b"")
            assert len(phone.commands) == 1

    def test_a_silent_command_times_out(self, call, monkeypatch):
        monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.5)
        with modern() as phone, pytest.raises(ConnectionLost) as caught:
            call(phone).run(command("echo one; sleep 600"))
        assert (caught.value.name, caught.value.partial) == ("silent", b"one\n")


class TestSlowAndLarge:
    def test_a_dump_may_be_silent_for_a_minute(self, call, monkeypatch):
        assert IDLE_TIMEOUT_S > 60
        assert SCRIPT_TIMEOUT_S > IDLE_TIMEOUT_S
        monkeypatch.setattr(adb_device, "HANDSHAKE_TIMEOUT_S", 0.2)  # what is short elsewhere does not count here
        with modern() as phone:
            assert call(phone).run(command("echo one; sleep 0.7; echo two")).stdout == b"one\ntwo\n"

    @pytest.mark.parametrize("after", [0, 10, 500])
    def test_a_stalled_phone_times_out_with_partial_output(self, call, monkeypatch, after):
        monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
        awake = threading.Event()
        to_send = after

        def stall(_number, data):
            nonlocal to_send
            head, to_send = data[:to_send], max(0, to_send - len(data))
            yield head
            if head != data:
                awake.wait()
                yield data[len(head) :]

        with modern() as phone:
            transport = call(phone)
            phone.faults.transform_messages(stall)
            try:
                with pytest.raises(ConnectionLost) as caught:
                    transport.run(command("long"))
            finally:
                awake.set()
            assert caught.value.name == "silent"
            assert LINES.startswith(caught.value.partial)

    @pytest.mark.parametrize("after", [1, 23, 24, 30, 5000, 100_000])
    def test_a_cable_pulled_within_a_message_leaves_partial_output(self, call, after):
        with modern() as phone:
            transport = call(phone)
            phone.faults.disconnect_after(after)
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("long"))
            assert caught.value.name == "lost"
            assert LINES.startswith(caught.value.partial)
            assert len(caught.value.partial) <= after
            assert call(phone).run(command("both")).exit_code == 7  # plugged in again

    def test_100_megabytes_are_accepted(self, call):
        much = b"0123456789abcde\n" * (100 << 16)
        with AdbdServer(programs={"much": lambda _a, _i: ProgramResult(much)}, key_policy=NO_AUTH) as phone:
            assert len(much) < MAX_OUTPUT_BYTES
            assert call(phone).run(command("much")).stdout == much


class TestEnds:
    def test_a_disconnected_phone_leaves_partial_output(self, call):
        with modern() as phone:
            transport = call(phone)
            threading.Timer(0.5, phone.close).start()
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("echo one; sleep 600"))
            assert (caught.value.name, caught.value.partial) == ("lost", b"one\n")
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("both"))
            assert caught.value.name == "lost"

    def test_close_from_another_thread_ends_a_command(self, call):
        with modern() as phone:
            transport = call(phone)
            threading.Timer(0.3, transport.close).start()
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("echo one; sleep 600"))
        assert (caught.value.name, caught.value.partial) == ("lost", b"one\n")

    def test_a_closed_connection_raises_lost(self, call):
        with modern() as phone:
            transport = call(phone)
            transport.close()
            transport.close()
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("both"))
        assert caught.value.name == "lost"


class TestAllow:
    def test_on_waiting_is_called_before_authorization(self, call, folder):
        waits = []
        with modern(key_policy=KeyPolicy(answer="allow")) as phone:
            assert call(phone, waits.append).run(command("both")).exit_code == 7
        assert waits[0].seconds_left == 30
        assert {waiting.fingerprint for waiting in waits} == {adb_auth.load_or_create(folder).fingerprint}

    def test_on_waiting_is_called_each_second(self, call):
        waits = []
        with modern(key_policy=KeyPolicy(answer=1.6)) as phone:
            call(phone, waits.append)
        left = [waiting.seconds_left for waiting in waits]
        assert left[:2] == [30, 29]
        assert left == sorted(set(left), reverse=True)

    @pytest.mark.parametrize("answer", ["refuse", "ignore"])
    def test_authorization_times_out(self, call, folder, answer):
        waits = []
        with modern(key_policy=KeyPolicy(answer=answer)) as phone, pytest.raises(PhoneError) as caught:
            call(phone, waits.append, 1.0)
        assert caught.value.name == "not_allowed"
        assert caught.value.values == {"fingerprint": adb_auth.load_or_create(folder).fingerprint}
        assert waits[0].seconds_left == 1

    def test_an_always_allowed_key_needs_no_prompt(self, call):
        with modern(key_policy=KeyPolicy(answer="allow", always_allow=True)) as phone:
            call(phone, lambda _: None)
            assert call(phone).run(command("both")).exit_code == 7

    def test_a_known_key_needs_no_prompt(self, call, folder):
        with modern(
            key_policy=KeyPolicy(answer="ignore", known_keys=(adb_auth.load_or_create(folder).GetPublicKey(),))
        ) as phone:
            assert call(phone).run(command("both")).exit_code == 7

    def test_on_waiting_can_cancel(self, call):
        with modern(key_policy=KeyPolicy(answer="ignore")) as phone, pytest.raises(KeyboardInterrupt):
            call(phone, _give_up)

    def test_no_thread_remains(self, call):
        before = threading.active_count()
        with modern(key_policy=KeyPolicy(answer="ignore")) as phone, pytest.raises(PhoneError):
            call(phone, lambda _: None, 0.2)
        assert threading.active_count() == before


def _give_up(_):
    raise KeyboardInterrupt


# --- phones that misbehave ---


class Peer:
    """Accepts one connection and does `script` with it."""

    def __init__(self, script):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._script = script
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        with self._listener, self._listener.accept()[0] as sock, contextlib.suppress(OSError):
            self._script(sock)
            self._done.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def send(sock, *message):
    message = AdbMessage(*message)
    sock.sendall(message.pack() + message.data)


def receive_exactly(sock, size):
    data = b""
    while len(data) < size and (part := sock.recv(size - len(data))):  # MSG_WAITALL does not wait for all under Wine
        data += part
    return data


def receive(sock):
    head = receive_exactly(sock, 24)
    return head[:4], receive_exactly(sock, int.from_bytes(head[12:16], "little")), head


def greet(sock, banner=b"device::features=shell_v2,cmd\0", payload=MAX_ADB_DATA):
    receive(sock)
    send(sock, CNXN, 0x01000000, payload, banner)


def after_greeting(*answers):
    def script(sock):
        greet(sock)
        receive(sock)
        for answer in answers:
            send(sock, *answer)

    return script


def refused(call, script):
    with Peer(script) as peer, pytest.raises(PhoneError) as caught:
        call(peer)
    return caught.value.name


class TestStrangers:
    def test_wireless_debugging_needs_pairing(self, call):
        assert refused(call, lambda sock: sock.sendall(b"STLS" + bytes(16) + b"\xac\xab\xb3\xac")) == "needs_pairing"

    def test_another_service_is_not_adb(self, call):
        assert refused(call, lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) == "not_adb"

    def test_a_closed_port_connection_is_lost(self, call):
        assert refused(call, lambda sock: sock.shutdown(socket.SHUT_RDWR)) == "lost"

    def test_a_silent_peer_times_out(self, call, monkeypatch):
        monkeypatch.setattr(adb_device, "HANDSHAKE_TIMEOUT_S", 0.3)
        assert refused(call, lambda _: None) == "silent"

    def test_a_disconnection_during_the_prompt_is_lost(self, call):
        def script(sock):
            receive(sock)
            send(sock, AUTH, AUTH_TOKEN, 0, bytes(20))
            receive(sock)
            send(sock, AUTH, AUTH_TOKEN, 0, bytes(20))
            receive(sock)
            sock.shutdown(socket.SHUT_RDWR)

        with Peer(script) as peer, pytest.raises(PhoneError) as caught:
            call(peer, lambda _: None)
        assert caught.value.name == "lost"

    def test_the_public_key_is_sent_with_a_nul(self, call, folder):
        sent = []

        def script(sock):
            receive(sock)
            for _ in range(2):
                send(sock, AUTH, AUTH_TOKEN, 0, bytes(20))
                sent.append(receive(sock))
            send(sock, CNXN, 0x01000000, 4096, b"device::\0")

        with Peer(script) as peer:
            call(peer, lambda _: None)
        _, public, head = sent[1]
        assert head[4] == AUTH_RSAPUBLICKEY
        assert public == adb_auth.load_or_create(folder).GetPublicKey() + b"\0"

    def test_a_closed_port_gives_no_answer(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(PhoneError) as caught:
            adb_device.connect_tcp("127.0.0.1", port, on_waiting=fail_if_prompted, key_folder=folder)
        assert caught.value.name == "no_answer"
        assert caught.value.values == {"host": "127.0.0.1", "port": port}

    @pytest.mark.parametrize("host", ["phone.invalid", "a" * 64, "a..b"])
    def test_an_unknown_host_gives_no_answer(self, folder, monkeypatch, host):
        def unknown(address, timeout):
            address[0].encode("idna")
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "create_connection", unknown)
        with pytest.raises(PhoneError) as caught:
            adb_device.connect_tcp(host, 5555, on_waiting=fail_if_prompted, key_folder=folder)
        assert caught.value.name == "no_answer"

    @pytest.mark.parametrize(
        ("script", "name"),
        [
            (after_greeting((CLSE, 0, 1)), "refused"),
            (after_greeting((OKAY, 9, 1), (WRTE, 9, 1, b"\1\3\0\0\0one\1"), (CLSE, 9, 1)), None),
            (lambda sock: (after_greeting((OKAY, 9, 1))(sock), sock.sendall(b"garbage" * 4)), "garbled"),
            (lambda sock: (after_greeting((OKAY, 9, 1))(sock), sock.shutdown(socket.SHUT_RDWR)), "lost"),
            (lambda sock: (after_greeting((OKAY, 9, 1))(sock), sock.sendall(_huge())), "garbled"),
        ],
        ids=["no shell", "no exit code", "nonsense", "hangs up", "claims 4 GB"],
    )
    def test_invalid_service_replies(self, call, script, name):
        with Peer(script) as peer:
            transport = call(peer)
            if name is None:
                reply = transport.run(command("x"))
                assert (reply.stdout, reply.exit_code) == (b"one", None)
                return
            with pytest.raises(ConnectionLost) as caught:
                transport.run(command("x"))
        assert caught.value.name == name

    def test_a_long_command_reaches_a_slow_phone_completely(self, call):
        heard = []

        def script(sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            greet(sock)
            heard.append(receive(sock))
            send(sock, OKAY, 9, 1)
            send(sock, CLSE, 9, 1)

        with Peer(script) as peer:
            transport = call(peer)
            text = "x" * transport.command_limit
            assert transport.run(command(text)).exit_code is None
        kind, payload, _ = heard[0]
        assert kind == OPEN
        assert payload == b"shell,v2,raw:" + text.encode() + b"\0"

    @pytest.mark.parametrize(
        ("banner", "v2"),
        [
            (b"device::features=shell_v2,cmd\0", True),
            (b"device::ro.product.name=x;ro.product.model=features=shell_v2;\0", False),
            (b"device::ro.product.name=x;features=cmd,shell_v2", True),
            (b"device::ro.product.name=x;ro.product.device=y;", False),
            (b"", False),
        ],
    )
    def test_the_banner_selects_the_shell_protocol(self, call, banner, v2):
        with Peer(lambda sock: greet(sock, banner)) as peer:
            assert (default_shell(call(peer)._session.features) is ShellV2) is v2


def _huge():
    head = bytearray(AdbMessage(WRTE, 9, 1, b"").pack())
    head[12:16] = b"\xff\xff\xff\xff"
    return bytes(head) + bytes(1000)


class TestWire:
    def test_tcp_nodelay_is_set(self, call):
        with modern() as phone:
            assert call(phone)._stream._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_the_computer_announces_that_it_needs_no_checksums(self, call):
        heard = []

        def script(sock):
            heard.append(receive(sock)[2])
            send(sock, CNXN, 0x01000001, MAX_ADB_DATA, b"device::\0")

        with Peer(script) as peer:
            call(peer)
        assert heard[0][4:8] == (0x01000001).to_bytes(4, "little")

    @pytest.mark.parametrize(("total", "name"), [(0, None), (b"ab", None), (1, "garbled")])
    def test_an_existing_checksum_is_verified(self, call, total, name):
        total = sum(total) if isinstance(total, bytes) else total

        def script(sock):
            greet(sock, b"device::\0")
            receive(sock)
            send(sock, OKAY, 9, 1)
            head = bytearray(AdbMessage(WRTE, 9, 1, b"ab").pack())
            head[16:20] = total.to_bytes(4, "little")
            sock.sendall(bytes(head) + b"ab")
            send(sock, CLSE, 9, 1)

        with Peer(script) as peer:
            line = call(peer)
            if name is None:
                assert line.run(command("x")).stdout == b"ab"
            else:
                with pytest.raises(ConnectionLost) as caught:
                    line.run(command("x"))
                assert caught.value.name == name


class TestWhere:
    @pytest.mark.parametrize(
        ("given", "host", "port"),
        [
            ("tcp:192.168.1.7", "192.168.1.7", 5555),
            ("tcp:phone.local:4444", "phone.local", 4444),
            ("tcp:[fe80::1%eth0]:4444", "fe80::1%eth0", 4444),
            ("tcp:[::1]", "::1", 5555),
        ],
    )
    def test_connect_parses_addresses(self, monkeypatch, given, host, port):
        called = []
        monkeypatch.setattr(adb_device, "connect_tcp", lambda *where, **_: called.append(where))
        connect(transport=given, on_waiting=fail_if_prompted)
        assert called == [(host, port)]

    @pytest.mark.parametrize("given", ["tcp:", "tcp::5555", "tcp:h:0", "tcp:h:65536", "tcp:h:x", "tcp:::1", "tcp:a b"])
    def test_connect_rejects_invalid_addresses(self, given):
        with pytest.raises(UsageError) as caught:
            connect(transport=given, on_waiting=fail_if_prompted)
        assert (caught.value.name, caught.value.values) == ("address_wrong", {"given": given})

    @pytest.mark.parametrize(
        ("given", "name"),
        [("192.168.1.7:5555", "transport_unknown"), ("", "transport_unknown")],
    )
    def test_connect_rejects_unknown_transports(self, given, name):
        with pytest.raises(UsageError) as caught:
            connect(transport=given, on_waiting=fail_if_prompted)
        assert caught.value.name == name

    @pytest.mark.parametrize("given", ["auto", "usb"])
    def test_auto_uses_the_cable_without_a_server(self, monkeypatch, given):
        called = []
        monkeypatch.setattr(adb_server, "is_running", lambda: False)
        monkeypatch.setattr(adb_device, "connect_usb", lambda **how: called.append(how["serial"]))
        connect(transport=given, serial="1234", on_waiting=fail_if_prompted)
        assert called == ["1234"]

    def test_it_is_a_transport(self, call):
        with modern() as phone:
            transport: Transport = call(phone)
            assert transport.kind == "tcp"

    def test_importing_the_package_loads_no_heavy_modules(self):
        code = (
            "import sys, privaudit.transport as t\n"
            "print([m for m in ('adb_shell', 'usb1', 'cryptography') if m in sys.modules])\n"
            "import privaudit.transport.adb_device\n"
            "print([m for m in ('usb1', 'adb_shell.transport.usb_transport') if m in sys.modules])"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
        assert said.split("\n") == ["[]", "[]", ""]
