"""Through the ADB server: Debian's own before the demo phone, and made-up ones for what it cannot be made to say."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter

import pytest

from privaudit.capture import remote_file
from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command, PhoneState
from privaudit.transport import adb_auth, adb_device, adb_server, connect
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.adbd.wire import MAX_PAYLOAD_V1, VERSION_CHECKSUM
from privaudit.virtual_phone.shell.toybox import ProgramResult

NO_AUTH = KeyPolicy(required=False)
LINES = b"".join(b"line %d\n" % number for number in range(200_000))
APK = bytes(range(256)) * 100
PROGRAMS = {
    "both": lambda _a, _i: ProgramResult(b"out\n", b"err\n", 7),
    "long": lambda _a, _i: ProgramResult(LINES),
    "same": lambda args, _i: ProgramResult(args[1].encode() * 300_000, b"", int(args[1])),
    "bytes": lambda _a, _i: ProgramResult(b"\r\n\0\n\r\r\n", b"", 3),
}
OLD = {"features": (), "max_payload": MAX_PAYLOAD_V1, "version": VERSION_CHECKSUM, "crlf": True}


def command(text, **more):
    return Command(text=text, why="test", **more)


def fail_if_prompted(_):
    raise AssertionError("nobody should be asked")


@pytest.fixture
def phone():
    """Makes a demo phone."""
    with contextlib.ExitStack() as stack:

        def make(**more):
            files = {"/data/app/a/base.apk": APK}
            return stack.enter_context(AdbdServer(programs=PROGRAMS, files=files, **{"key_policy": NO_AUTH} | more))

        yield make


@pytest.fixture
def dial(adb, monkeypatch):
    """Lets Debian's server find a phone, and connects through it."""
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(adb.port))
    with contextlib.ExitStack() as stack:

        def connected(phone, on_waiting=fail_if_prompted, transport="server", serial=None, **more):
            adb("connect", phone.address)
            serial = phone.address if serial is None else serial or None  # False: none is named
            return stack.enter_context(connect(transport=transport, serial=serial, on_waiting=on_waiting, **more))

        yield connected


class TestAnswers:
    @pytest.mark.parametrize("way", ["server", "auto"])
    def test_run_separates_stdout_stderr_and_exit_code(self, dial, phone, way):
        line = dial(phone(), transport=way)
        assert line.kind == "server"
        reply = line.run(command("both"))
        assert (reply.stdout, reply.stderr, reply.exit_code) == (b"out\n", b"err\n", 7)
        assert line.run(command("bytes", binary=True)).stdout == b"\r\n\0\n\r\r\n"

    def test_legacy_shell_converts_line_ends_and_has_an_exit_code(self, dial, phone):
        line = dial(phone(**OLD))
        assert line.run(command("long")).stdout == LINES
        assert line.run(command("both")).exit_code == 7
        assert line.run(command("bytes", binary=True)).stdout == b"\r\n\0\n\r\r\n"

    @pytest.mark.parametrize("kind", [{}, OLD], ids=["new", "old"])
    def test_the_longest_command_arrives(self, dial, phone, kind):
        line = dial(phone(**kind))
        text = "echo ".ljust(line.command_limit, "x")
        assert len(line.run(command(text)).stdout) == line.command_limit - len("echo ") + 1
        with pytest.raises(ValueError, match="command_limit"):
            line.run(command(text + "x"))

    def test_several_threads_can_run_commands(self, dial, phone):
        line = dial(phone())
        replies = {}
        threads = [
            threading.Thread(target=lambda n=n: replies.update({n: line.run(command(f"same {n}"))})) for n in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [Counter(replies[n].stdout) for n in range(6)] == [{ord(str(n)): 300_000} for n in range(6)]
        assert [replies[n].exit_code for n in range(6)] == list(range(6))

    def test_a_slow_command_does_not_block_others(self, dial, phone):
        line = dial(phone())
        slow = threading.Thread(target=_try, args=(line, "sleep 60"))
        slow.start()
        assert line.run(command("both")).exit_code == 7
        line.close()
        slow.join()

    def test_ranges_of_files(self, dial, phone):
        line = dial(phone())
        file = remote_file.RemoteFile("/data/app/a/base.apk", len(APK))
        assert remote_file.fetch_file_sizes(line, [file.path]) == {file.path: file.size}
        places = [(10, 20), (len(APK) - 5, len(APK) + 99)]
        remote_file.fetch_blocks(line, [(file, file.missing_blocks(place)) for place in places])
        assert [file.bytes_at(*place) for place in places] == [APK[10:20], APK[-5:]]


def _try(line, text):
    with contextlib.suppress(ConnectionLost):
        line.run(command(text))


class TestEnds:
    def test_too_much_output_is_cut_and_the_connection_still_works(self, dial, phone):
        line = dial(phone())
        with pytest.raises(ConnectionLost) as caught:
            line.run(command("long"), limit=1000)
        assert caught.value.name == "too_much_output"
        assert LINES.startswith(caught.value.partial[:1000])
        assert line.run(command("both")).exit_code == 7

    def test_an_endless_command_times_out(self, dial, phone):
        line = dial(phone())
        with pytest.raises(ConnectionLost) as caught:
            line.run(command("echo one; sleep 600"), timeout_s=0.5)
        assert (caught.value.name, caught.value.partial) == ("too_slow", b"one\n")

    def test_a_silent_command_times_out(self, dial, phone, monkeypatch):
        line = dial(phone())
        monkeypatch.setattr(adb_server, "IDLE_TIMEOUT_S", 0.5)
        with pytest.raises(ConnectionLost) as caught:
            line.run(command("echo one; sleep 600"))
        assert (caught.value.name, caught.value.partial) == ("silent", b"one\n")

    @pytest.mark.parametrize("kind", [{}, OLD], ids=["new", "old"])
    @pytest.mark.parametrize("binary", [True, False])
    def test_a_disconnected_phone_leaves_partial_output(self, dial, phone, kind, binary):
        there = phone(**kind)
        line = dial(there)
        threading.Timer(0.5, there.close).start()
        with pytest.raises(ConnectionLost) as caught:
            line.run(command("echo one; sleep 600", binary=binary))
        assert caught.value.name in {"lost", "offline"}
        assert caught.value.partial == b"one\n"
        with pytest.raises(ConnectionLost):
            line.run(command("both"))

    def test_close_from_another_thread_ends_a_command(self, dial, phone):
        line = dial(phone())
        threading.Timer(0.3, line.close).start()
        with pytest.raises(ConnectionLost) as caught:
            line.run(command("echo one; sleep 600"))
        assert (caught.value.name, caught.value.partial) == ("lost", b"one\n")
        line.close()
        with pytest.raises(ConnectionLost):
            line.run(command("both"))


class TestAllow:
    def test_on_waiting_gets_the_servers_key_fingerprint(self, adb, dial, phone, tmp_path):
        waits = []
        there = phone(key_policy=KeyPolicy(answer=1.0))
        home = tmp_path / "keys"
        home.mkdir()
        (home / "adbkey").write_bytes((adb.home / ".android" / "adbkey").read_bytes())
        line = dial(there, waits.append, key_folder=home)
        assert line.run(command("both")).exit_code == 7
        assert {one.fingerprint for one in waits} == {adb_auth.find_existing(home).fingerprint}
        assert waits[0].seconds_left == 90

    def test_an_unknown_key_has_no_fingerprint(self, dial, phone, tmp_path):
        waits = []
        with pytest.raises(PhoneError) as caught:
            dial(phone(key_policy=KeyPolicy(answer="ignore")), waits.append, auth_timeout_s=0.2, key_folder=tmp_path)
        assert caught.value.name == "not_allowed_unseen"
        assert waits[0].fingerprint is None
        assert list(tmp_path.iterdir()) == []


class TestChoosing:
    def test_select_by_serial_suffix(self, adb, dial, phone):
        one, other = phone(), phone()
        adb("connect", one.address)
        assert dial(other, serial=other.address[-5:]).run(command("both")).exit_code == 7
        assert (one.commands, other.commands) == ([], ["both"])

    def test_select_the_only_phone(self, dial, phone):
        there = phone()
        assert dial(there, serial=False).run(command("both")).exit_code == 7

    def test_several_phones_need_a_serial(self, adb, dial, phone):
        one, other = phone(model="Redmi 9"), phone()
        adb("connect", one.address)
        with pytest.raises(PhoneError) as caught:
            dial(other, serial=False)
        assert caught.value.name == "several_phones"
        assert f"Redmi 9 (…{one.address[-4:]})" in caught.value.values["phones"]

    def test_an_unknown_serial_is_not_found(self, dial, phone):
        with pytest.raises(PhoneError) as caught:
            dial(phone(), serial="nosuch")
        assert caught.value.name == "serial_not_found"


# --- servers that are made up ----------------------------------------------------------------------------------------


class Fake:
    """An ADB server that answers requests as told; each as bytes, or a list of them that runs out but for the last."""

    def __init__(self, replies):
        self.replies = {"host:version": b"OKAY00040029", **replies}
        self.asked = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError, ValueError):
                while size := sock.recv(4, socket.MSG_WAITALL):
                    request = sock.recv(int(size, 16), socket.MSG_WAITALL).decode()
                    self.asked.append(request)
                    reply = self.replies.get(request, b"FAIL0007unknown")
                    if isinstance(reply, list):
                        reply = reply.pop(0) if len(reply) > 1 else reply[0]
                    sock.sendall(reply)
                    if not request.startswith("host:transport"):
                        break

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def okay(text):
    return b"OKAY%04x" % len(text.encode()) + text.encode()


def fail(text):
    return b"FAIL%04x" % len(text.encode()) + text.encode()


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """Makes a server and gives what connecting through it ends in."""
    made = []
    monkeypatch.setattr(adb_server, "POLL_INTERVAL_S", 0.01)
    monkeypatch.setattr(adb_server, "HANDSHAKE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(adb_server, "HANDSHAKE_TIMEOUT_S", 0.2)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    def make(replies):
        made.append(Fake(replies if isinstance(replies, dict) else {"host:devices-l": replies}))
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(made[-1].port))
        return made[-1]

    yield make
    for one in made:
        one.close()


def ends(transport="server", serial=None):
    with pytest.raises(PhoneError) as caught:
        connect(transport=transport, serial=serial, on_waiting=lambda _: None, auth_timeout_s=0.05)
    return caught.value


LINE = "R58M12345678           {} usb:1-1.2 product:a12 model:SM_A125F device:a12 transport_id:7\n"


class TestStates:
    @pytest.mark.parametrize(
        ("said", "name", "state"),
        [
            ("offline", "offline", PhoneState.OFFLINE),
            ("authorizing", "offline", PhoneState.OFFLINE),
            ("connecting", "offline", PhoneState.OFFLINE),
            ("recovery", "in_recovery", PhoneState.RECOVERY),
            ("sideload", "in_recovery", PhoneState.RECOVERY),
            ("unauthorized", "not_allowed_unseen", PhoneState.UNAUTHORISED),
            ("no permissions", "no_permission", PhoneState.NO_PERMISSION),
            (
                "no permissions (missing udev rules? user is in the plugdev group); see [http://developer.android.com]",
                "no_permission",
                PhoneState.NO_PERMISSION,
            ),
        ],
    )
    def test_each_device_state_has_its_own_error(self, fake, monkeypatch, said, name, state):
        monkeypatch.setattr("sys.platform", "linux")
        fake(okay(LINE.format(said)))
        error = ends()
        assert (error.name, error.state) == (name, state)

    def test_connect_waits_for_a_phone_that_was_just_plugged_in(self, fake):
        states = [okay(LINE.format(said)) for said in ("offline", "authorizing", "device")]
        there = fake({"host:devices-l": states, "host-transport-id:7:features": okay("shell_v2,cmd")})
        connect(transport="server", on_waiting=fail_if_prompted)
        assert there.asked.count("host:devices-l") == 3

    def test_a_phone_without_a_readable_serial(self, fake):
        fake(okay("????????????           no permissions usb:1-1 transport_id:1\n"))
        found = adb_server.list_devices()
        assert [(one.serial, one.usb_path, one.state) for one in found] == [(None, "1-1", PhoneState.NO_PERMISSION)]
        assert ends(serial="1234").name.startswith("no_permission")

    def test_an_old_server_names_phones_by_serial(self, fake):
        line = "R58M12345678           device usb:1-1 product:a12 model:SM_A125F device:a12\n"
        there = fake(
            {
                "host:devices-l": okay(line),
                "host-serial:R58M12345678:features": okay("cmd,shell_v2"),
                "host:transport:R58M12345678": b"OKAY",
                "shell,v2,raw:id": b"OKAY\1\2\0\0\0ok\3\1\0\0\0\5",
            }
        )
        with connect(transport="server", on_waiting=fail_if_prompted) as line:
            reply = line.run(command("id"))
        assert (reply.stdout, reply.exit_code) == (b"ok", 5)
        assert there.asked[-2:] == ["host:transport:R58M12345678", "shell,v2,raw:id"]

    @pytest.mark.parametrize(
        ("said", "name"),
        [
            ("closed", "refused"),
            ("device 'x' not found", "lost"),
            ("no device with transport id '7'", "lost"),
            ("device offline", "offline"),
            ("device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set", "waiting"),
            ("something new", "server_said"),
        ],
    )
    def test_fail_replies_are_translated(self, fake, said, name):
        fake(
            {
                "host:devices-l": okay(LINE.format("device")),
                "host-transport-id:7:features": okay("shell_v2"),
                "host:transport-id:7": b"OKAY",
                "shell,v2,raw:id": fail(said),
            }
        )
        with connect(transport="server", on_waiting=fail_if_prompted) as line, pytest.raises(ConnectionLost) as caught:
            line.run(command("id"))
        assert caught.value.name == name


class TestStrangers:
    def test_no_server_is_absent(self, monkeypatch):
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
        assert not adb_server.is_running()
        error = ends()
        assert (error.name, error.values) == ("server_absent", {"port": 1})

    @pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"OKAYzzzz", b"FAIL-001x", b"OK"])
    def test_another_service_is_not_an_adb_server(self, fake, said):
        fake({"host:version": said, "host:devices-l": said})
        assert not adb_server.is_running()
        assert ends().name in {"not_adb_server", "lost"}

    def test_a_silent_server_times_out_soon(self, fake):
        fake({"host:version": b"", "host:devices-l": b"OKAY0100short"})
        assert not adb_server.is_running()
        assert ends().name in {"lost", "silent", "too_slow"}

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("ADB_SERVER_SOCKET", "tcp:localhost:6000", ("127.0.0.1", 6000)),
            ("ADB_SERVER_SOCKET", "tcp:6000", ("127.0.0.1", 6000)),
            ("ADB_SERVER_SOCKET", "tcp:[::1]:6000", ("::1", 6000)),
            ("ANDROID_ADB_SERVER_PORT", "6001", ("127.0.0.1", 6001)),
            ("ANDROID_ADB_SERVER_PORT", "", ("127.0.0.1", 5037)),
            ("ANDROID_ADB_SERVER_ADDRESS", "127.0.0.1", ("127.0.0.1", 5037)),
        ],
    )
    def test_server_address_reads_the_environment(self, monkeypatch, name, value, expected):
        monkeypatch.delenv("ANDROID_ADB_SERVER_PORT", raising=False)
        monkeypatch.setenv(name, value)
        assert adb_server.server_address() == expected

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ADB_SERVER_SOCKET", "tcp:192.168.1.7:5037"),
            ("ADB_SERVER_SOCKET", "localfilesystem:/tmp/adb"),
            ("ANDROID_ADB_SERVER_PORT", "0"),
            ("ANDROID_ADB_SERVER_PORT", "70000"),
            ("ANDROID_ADB_SERVER_PORT", "x"),
            ("ANDROID_ADB_SERVER_ADDRESS", "192.168.1.7"),
        ],
    )
    def test_a_server_on_another_computer_is_never_used(self, monkeypatch, name, value):
        monkeypatch.setenv(name, value)
        monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: pytest.fail("asked"))
        assert ends().name == "server_address"
        monkeypatch.setattr(adb_device, "connect_usb", lambda **_: "cable")
        assert connect(transport="auto", on_waiting=fail_if_prompted) == "cable"


class TestByItself:
    """``auto``: the server where it knows the phone, else the cable."""

    @pytest.fixture
    def cable(self, monkeypatch):
        """What comes of the cable, one after another."""
        outcomes = []

        def over_usb(**_):
            outcome = outcomes.pop(0)
            if isinstance(outcome, str):
                raise PhoneError(f"errors.{outcome}")
            return outcome

        monkeypatch.setattr(adb_device, "connect_usb", over_usb)
        return outcomes

    def test_auto_uses_the_cable_if_the_server_has_no_phone(self, fake, cable):
        fake(b"OKAY0000")
        cable.append(("cable",))
        assert connect(transport="auto", on_waiting=fail_if_prompted) == ("cable",)

    @pytest.mark.parametrize("name", ["no_phone", "no_usb", "libusb_missing"])
    def test_auto_reports_the_servers_error_if_usb_finds_no_phone(self, fake, cable, name):
        fake(okay(LINE.format("device")))
        cable.append(name)
        assert ends("auto", serial="nosuch").name == "serial_not_found"

    def test_auto_reports_the_cables_error(self, fake, cable):
        fake(b"OKAY0000")
        cable.append("no_permission")
        assert ends("auto").name == "no_permission"

    def test_auto_retries_the_server_if_the_cable_is_busy(self, fake, cable):
        fake(
            {
                "host:devices-l": [b"OKAY0000", okay(LINE.format("device"))],
                "host-transport-id:7:features": okay("shell_v2"),
            }
        )
        cable.append("busy")
        assert connect(transport="auto", on_waiting=fail_if_prompted).kind == "server"

    def test_auto_reports_busy_without_a_server(self, monkeypatch, cable):
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
        cable.append("busy")
        assert ends("auto").name == "busy"

    @pytest.mark.usefixtures("cable")
    def test_auto_does_not_bypass_the_server(self, fake):
        fake(okay(LINE.format("unauthorized")))
        assert ends("auto").name == "not_allowed_unseen"

    def test_no_server_is_started_or_stopped(self, adb, dial, phone, fake):
        dial(phone(), transport="auto").close()
        there = fake(okay(LINE.format("offline")))
        ends("auto")
        assert not [asked for asked in there.asked if "kill" in asked or "connect" in asked]
        assert adb.answers()
