"""AOSP's own adbd over loopback: who may connect, what comes back, and how it ends."""

from __future__ import annotations

import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from privaudit.capture import collector, remote_file
from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command
from privaudit.transport import adb_auth, connect

APK = random.Random(6).randbytes(3_000_001)  # noqa: S311 - repeatable, not secret


def command(text, **more):
    return Command(text=text, why="test", **more)


@pytest.fixture
def dial(tmp_path):
    """Connects to a phone with a key that it does not know."""

    def dial(phone, waits=lambda _: None, auth_timeout_s=60.0):
        return connect(
            transport=f"tcp:{phone.address}",
            on_waiting=waits,
            auth_timeout_s=auth_timeout_s,
            key_folder=tmp_path / "keys",
        )

    return dial


class TestAllow:
    def test_allowed(self, lab, dial, tmp_path):
        waits = []
        with lab() as phone:
            with dial(phone, waits.append) as line:
                assert line.run(command("echo in")).stdout == b"in\n"
            phone.heard("asked")
        assert waits[0].fingerprint == adb_auth.find_existing(tmp_path / "keys").fingerprint

    def test_allowed_after_a_while(self, lab, dial):
        waits = []
        with lab() as phone:
            phone.order("answer", "allow", 1.5)
            dial(phone, waits.append).close()
        left = [waiting.seconds_left for waiting in waits]
        assert left[:2] == [60, 59]

    @pytest.mark.parametrize("answer", ["cancel", "ignore"])
    def test_refused_and_ignored_look_the_same(self, lab, dial, answer):
        with lab(answer=answer) as phone:
            with pytest.raises(PhoneError) as caught:
                dial(phone, auth_timeout_s=1.0)
            phone.heard("asked")
        assert caught.value.name == "not_allowed"

    def test_an_always_allowed_key_is_remembered(self, lab, dial):
        with lab(answer="always") as phone:
            dial(phone).close()
            phone.heard("allowed")
            waits = []
            dial(phone, waits.append).close()
        assert waits == []

    def test_a_key_allowed_once_is_prompted_again(self, lab, dial):
        with lab() as phone:
            for _ in range(2):
                dial(phone).close()
                phone.heard("asked")


class TestAnswers:
    def test_output_errors_and_exit_code(self, lab, dial):
        with lab() as phone, dial(phone) as line:
            reply = line.run(command("echo out; echo err >&2; exit 7"))
        assert (reply.stdout, reply.stderr, reply.exit_code) == (b"out\n", b"err\n", 7)

    @pytest.mark.parametrize("size", [510, 511, 512, 513, 1024, 2048, 4096, 100_000])
    def test_commands_of_any_length(self, lab, dial, size):
        with lab() as phone, dial(phone) as line:
            assert line.run(command("echo ".ljust(size, "x"))).stdout == b"x" * (size - 5) + b"\n"

    def test_six_threads_at_once(self, lab, dial):
        with lab() as phone, dial(phone) as line, ThreadPoolExecutor(6) as pool:
            script = "i=0; while [ $i -lt 2000 ]; do echo {0}{0}{0}{0}; i=$((i+1)); done; exit {0}"
            replies = list(pool.map(lambda n: line.run(command(script.format(n))), range(6)))
        assert [reply.stdout for reply in replies] == [f"{n}{n}{n}{n}\n".encode() * 2000 for n in range(6)]
        assert [reply.exit_code for reply in replies] == list(range(6))

    def test_fifty_megabytes(self, lab, dial):
        with lab() as phone, dial(phone) as line:
            reply = line.run(command("dd if=/dev/zero bs=1048576 count=50 2>/dev/null", binary=True))
        assert reply.stdout == bytes(50 << 20)
        assert reply.exit_code == 0

    def test_ranges_of_files(self, lab, dial, tmp_path):
        (tmp_path / "a.apk").write_bytes(APK)
        places = [(0, 1), (4095, 4097), (1_000_000, 1_300_000), (len(APK) - 22, len(APK) + 9)]
        with lab(put={tmp_path / "a.apk": "/data/app/a.apk"}) as phone, dial(phone) as line:
            file = remote_file.RemoteFile("/data/app/a.apk", len(APK))
            assert remote_file.fetch_file_sizes(line, [file.path]) == {file.path: file.size}
            remote_file.fetch_blocks(line, [(file, file.missing_blocks(place)) for place in places])
            assert [file.bytes_at(*place) for place in places] == [APK[a:b] for a, b in places]
            assert remote_file.fetch_file_hashes(line, ["/data/app/a.apk"]) == {
                "/data/app/a.apk": hashlib.sha256(APK).hexdigest()
            }

    def test_a_phone_is_recognised_by_its_fingerprint(self, lab, dial, tmp_path):
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, says in (("getprop", "R58M12345678"), ("settings", "0123456789abcdef")):
            (programs / name).write_text(f"#!/bin/sh\necho {says}\n")
            (programs / name).chmod(0o755)
        with lab(programs=programs) as phone, dial(phone) as line:
            known = collector.read_fingerprint(line)
            assert collector.is_same_device(line, known)
        with lab() as other, dial(other) as line:
            assert not collector.is_same_device(line, known)


class TestEnds:
    def test_the_cable_is_pulled(self, lab, dial):
        with lab() as phone, dial(phone) as line:
            threading.Timer(0.5, phone.kill).start()
            with pytest.raises(ConnectionLost) as caught:
                line.run(command("echo one; sleep 600"))
            assert (caught.value.name, caught.value.partial) == ("lost", b"one\n")
            with pytest.raises(ConnectionLost):
                line.run(command("echo two"))

    def test_too_much_output_and_then_the_next_command(self, lab, dial):
        with lab() as phone, dial(phone) as line:
            with pytest.raises(ConnectionLost) as caught:
                line.run(command("cat /dev/zero"), limit=1 << 20)
            assert caught.value.name == "too_much_output"
            assert line.run(command("echo two")).stdout == b"two\n"

    def test_consecutive_connections(self, lab, dial):
        with lab(answer="always") as phone:
            for number in range(20):
                with dial(phone) as line:
                    assert line.run(command(f"echo {number}")).stdout == b"%d\n" % number


class TestBehindTheServer:
    @pytest.fixture
    def through(self, adb, monkeypatch):
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(adb.port))

        def through(phone, waits=lambda _: None):
            adb("connect", phone.address)
            return connect(transport="server", serial=phone.address, on_waiting=waits, auth_timeout_s=60)

        return through

    def test_the_servers_prompt_is_reported(self, lab, through):
        waits = []
        with lab() as phone:
            phone.order("answer", "allow", 1.0)
            with through(phone, waits.append) as line:
                reply = line.run(command("echo out; echo err >&2; exit 7"))
        assert (reply.stdout, reply.stderr, reply.exit_code) == (b"out\n", b"err\n", 7)
        assert waits

    def test_the_cable_is_pulled(self, lab, through):
        with lab() as phone, through(phone) as line:
            threading.Timer(0.5, phone.kill).start()
            with pytest.raises(ConnectionLost) as caught:
                line.run(command("echo one; sleep 600"))
            assert caught.value.partial == b"one\n"
            assert caught.value.name in {"lost", "offline"}
