"""What can go wrong between a phone and this computer, each over the real protocol with the demo phone."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc

import pytest

from privaudit.capture import archive
from privaudit.errors import ConnectionLost, PhoneError
from privaudit.model import Command
from privaudit.transport import adb_auth, adb_device, adb_messages, shell_protocol, stream
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.wire import AdbCommand
from privaudit.virtual_phone.shell import ProgramResult
from tests.faults.conftest import says_no_less, sentences

HEAD = struct.Struct("<6I")
HELLO = 0
"""The number of the message by which a phone that asks for no key greets."""


def message(kind, arg0, arg1, data=b"", *, total=None, length=None, magic=None):
    number = int(kind)
    sums = sum(data) & 0xFFFFFFFF if total is None else total
    size = len(data) if length is None else length
    return HEAD.pack(number, arg0, arg1, size, sums, number ^ 0xFFFFFFFF if magic is None else magic) + data


def parsed(data):
    kind, arg0, arg1, _, _, _ = HEAD.unpack(data[: HEAD.size])
    return kind, arg0, arg1, data[HEAD.size :]


def after_hello(change):
    """A twist for every message but the greeting."""
    return lambda number, data: [data] if number == HELLO else change(number, data)


ALL = 64
"""Messages of a visit before each of which the cable is pulled."""


def pull_at(number, unsent):
    """Pulls the cable before a message; `unsent` is told of what kind it was."""

    def twist(at, data):
        if at < number:
            return [data]
        unsent.append(parsed(data)[0])
        raise ConnectionResetError("the cable was pulled")

    return twist


# --- the cable --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("story", ["android16", "android6"])
def test_a_cable_pulled_before_any_message_of_a_visit(checked, demo_phone, whole_of, story, part):
    """At each of them: what came is told and is the same, what did not come is told as not read."""
    whole, messages = whole_of(story)
    assert messages > 30
    # An old phone is asked of each app alone: of those messages, all alike, every fifth.
    every = [number for number in range(messages) if number < ALL or number % 5 == 0]
    for number in every[part::4]:
        unsent = []
        with demo_phone(story) as phone:
            phone.faults.transform_messages(pull_at(number, unsent))
            done = checked(phone)
        if done.report is None:
            assert "The connection to the phone ended" in sentences(done.err)[0], number
            continue
        assert says_no_less(whole, done.report), number
        # How a phone cuts its answers into messages differs from visit to visit: the last of them may be missed. And
        # that a stream has ended is news only where something else was to come.
        if unsent and AdbCommand.CLSE not in unsent[:1]:
            assert "before everything was read" in done.err, number


def test_a_cable_pulled_before_any_message_of_a_capture_leaves_a_sound_file_or_none(told, demo_phone, tmp_path):
    for number in range(0, 44, 3):
        file = tmp_path / f"{number}.zip"
        with demo_phone("android16") as phone:
            phone.faults.transform_messages(pull_at(number, []))
            done = told("capture", file, "--transport", f"tcp:{phone.address}", "--no-apks")
        assert done.code in {0, 4}
        if file.exists():
            assert archive.read(file).answers
            assert done.code == 0 or "--resume" in done.err
        else:
            assert sentences(done.err)
    assert all(one.suffix == ".zip" for one in tmp_path.iterdir() if one.is_file())


# --- daemons that talk nonsense ---------------------------------------------------------------------------------------


def _garbled_sum(_, data):
    kind, arg0, arg1, body = parsed(data)
    return [message(kind, arg0, arg1, body, total=sum(body) + 1)]


def _too_long(_, data):
    kind, arg0, arg1, body = parsed(data)
    return [message(kind, arg0, arg1, body, length=len(body) + 7)]


def _too_short(_, data):
    kind, arg0, arg1, body = parsed(data)
    return [message(kind, arg0, arg1, body, length=max(0, len(body) - 7))]


def _four_gigabytes(_, data):
    kind, arg0, arg1, body = parsed(data)
    return [message(kind, arg0, arg1, body, length=0xFFFFFFFF)]


def _no_magic(_, data):
    kind, arg0, arg1, body = parsed(data)
    return [message(kind, arg0, arg1, body, magic=kind)]


def _another_stream(_, data):
    kind, arg0, arg1, body = parsed(data)
    return [message(kind, arg0, arg1 + 40, body)]


def _answers_to_nothing(count):
    def twist(_, data):
        strays = (
            message(AdbCommand.WRTE, 70, 71, b"x" * 1000),
            message(AdbCommand.OKAY, 70, 71),
            message(AdbCommand.CLSE, 0, 71),
            message(AdbCommand.AUTH, 1, 0, bytes(20)),
        )
        return [*(strays[at % 4] for at in range(count)), data]

    return twist


def _flood(_, data):
    def pieces():
        while True:
            yield message(AdbCommand.WRTE, 70, 71, b"x" * 4096)

    return pieces()


def _nothing_at_all(*_):
    return []


NONSENSE = {
    "wrong checksums": (_garbled_sum, "could not understand the phone"),
    "longer than it says": (_too_short, "could not understand the phone"),
    "claims 4 GB": (_four_gigabytes, "could not understand the phone"),
    "wrong magic": (_no_magic, "could not understand the phone"),
    "wrong stream ids": (_another_stream, "stopped answering"),
    "many answers to nothing": (_answers_to_nothing(adb_messages.MAX_STRAY_PACKETS + 1), "could not understand the phone"),
    "answers to nothing for ever": (_flood, "could not understand the phone"),
    "never answers": (_nothing_at_all, "stopped answering"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_daemon_that_talks_nonsense_is_left_and_told(checked, demo_phone, monkeypatch, kind):
    twist, says = NONSENSE[kind]
    monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(after_hello(twist))
        done = checked(phone)
    assert done.code == 4
    assert done.report is None
    assert says in sentences(done.err)[0]


@pytest.mark.parametrize("kind", NONSENSE)
def test_one_that_begins_in_the_middle_keeps_what_came_before(checked, demo_phone, whole_of, monkeypatch, kind):
    """The details of suspects and all that comes later are missing, and the report says so."""
    monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
    whole, _ = whole_of("android16")
    with demo_phone("android16") as phone:
        # By what was asked, not by messages: a busy phone cuts the same answer into fewer of them.
        twisted = NONSENSE[kind][0]
        phone.faults.transform_messages(
            lambda number, data: twisted(number, data) if len(phone.commands) > 1 else [data]
        )
        done = checked(phone)
    assert done.report is not None
    assert says_no_less(whole, done.report)
    assert "before everything was read" in done.err


def test_a_message_that_is_shorter_than_it_says_waits_no_longer_than_for_any_other(checked, demo_phone, monkeypatch):
    monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(after_hello(_too_long))
        assert checked(phone).code == 4


@pytest.mark.parametrize("count", [1, 4, adb_messages.MAX_STRAY_PACKETS])
def test_a_few_answers_to_nothing_change_nothing(checked, demo_phone, whole_of, count):
    whole, _ = whole_of("android16")
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(after_hello(_answers_to_nothing(count)))
        done = checked(phone, "--no-apks")
    assert {one["question"]: one["state"] for one in done.report["coverage"]}["packages"] == "answered"
    assert done.report["complete"] == whole["complete"]
    assert says_no_less(whole, done.report)


@pytest.mark.parametrize("kind", ["claims 4 GB", "wrong magic", "answers to nothing for ever", "never answers"])
def test_nonsense_for_a_greeting(checked, demo_phone, monkeypatch, kind):
    monkeypatch.setattr(adb_device, "HANDSHAKE_TIMEOUT_S", 0.2)
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(NONSENSE[kind][0])
        done = checked(phone)
    assert done.code == 4
    assert done.report is None


@pytest.mark.parametrize("payload", [0, 1, 100, 4095])
def test_a_phone_that_takes_less_than_any_phone_does(checked, demo_phone, payload):
    """A command could not even be sent to it."""

    def twist(number, data):
        kind, arg0, _, body = parsed(data)
        return [message(kind, arg0, payload, body)] if number == HELLO else [data]

    with demo_phone("android16") as phone:
        phone.faults.transform_messages(twist)
        done = checked(phone)
    assert done.code == 4
    assert sentences(done.err)


# --- time and memory --------------------------------------------------------------------------------------------------


class Seconds:
    """A clock by which each byte that comes takes a second."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.reads = 0
        monkeypatch.setattr(stream.time, "monotonic", lambda: self.now)
        receive = stream.TcpStream._receive

        def slow(line, size, timeout_s):
            data = receive(line, 1, 5.0)
            self.reads += 1
            self.now += 1.0
            return data

        monkeypatch.setattr(stream.TcpStream, "_receive", slow)


def test_a_daemon_that_greets_one_byte_a_second(demo_phone, key_folder, monkeypatch):
    with demo_phone("android16") as phone:
        clock = Seconds(monkeypatch)
        with pytest.raises(PhoneError) as caught:
            adb_device.connect_tcp(
                phone.host, phone.port, on_waiting=lambda _: None, auth_timeout_s=60, key_folder=key_folder
            )
    assert caught.value.name == "too_slow"
    assert clock.reads <= 3 * adb_device.HANDSHAKE_TIMEOUT_S + 60


def test_a_daemon_that_answers_one_byte_a_second(demo_phone, key_folder, monkeypatch):
    with demo_phone("android16") as phone:
        line = adb_device.connect_tcp(phone.host, phone.port, on_waiting=lambda _: None, key_folder=key_folder)
        with line:
            clock = Seconds(monkeypatch)
            with pytest.raises(ConnectionLost) as caught:
                line.run(Command(text="dumpsys package", why="test"), timeout_s=200)
            assert caught.value.name == "too_slow"
            assert clock.reads <= 200
            with pytest.raises(ConnectionLost):  # and is not asked again
                line.run(Command(text="id", why="test"))


TEN_GIGABYTES = 10_000_000_000


@pytest.mark.parametrize("framed", [True, False], ids=["frames", "one frame of 4 GB"])
@pytest.mark.parametrize("waits", [True, False], ids=["in turn", "all at once"])
def test_a_daemon_that_sends_10_gb(demo_phone, key_folder, framed, waits):
    """Generated as it goes out. Both ends take a few megabytes of it."""
    sent = 0
    body = (b"\1" + (4096).to_bytes(4, "little") + bytes(4096)) * 250
    limit = 2_000_000

    def much(_, data):
        nonlocal sent
        kind, arg0, arg1, _ = parsed(data)
        if kind not in {AdbCommand.WRTE, AdbCommand.CLSE}:
            yield data
            return
        head = b"" if framed or sent else b"\1\xff\xff\xff\xff"
        for _ in range(1 if waits else TEN_GIGABYTES // len(body)):
            sent += len(body)
            yield message(AdbCommand.WRTE, arg0, arg1, head + (body))
            head = b""

    with (
        demo_phone("android16", big=_much) as phone,
        adb_device.connect_tcp(phone.host, phone.port, on_waiting=lambda _: None, key_folder=key_folder) as line,
    ):
        phone.faults.transform_messages(much)
        tracemalloc.start()
        try:
            with pytest.raises(ConnectionLost) as caught:
                line.run(Command(text="big", why="test"), limit=limit)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert caught.value.name == "too_much_output"
    assert len(caught.value.partial) <= limit + len(body)
    assert peak < 8 * limit + (32 << 20)
    assert sent < 64 << 20


def _much(*_):
    return ProgramResult(b"x" * (8 << 20))


@pytest.mark.parametrize(
    "frame",
    [
        b"\1\0\0\0\0",  # nothing, said again and again
        b"\1\1\0\0\0x",  # byte by byte
        b"\7\4\0\0\0what",  # of no kind
        b"\3\1\0\0\0\0",  # ends, and ends
    ],
)
def test_frames_that_hold_nothing_count_too(frame):
    """What a phone has no reason to send is bounded like what it says."""
    one = shell_protocol.ShellV2()
    pieces = 0

    def flood():
        nonlocal pieces
        while True:
            pieces += 1
            yield frame * 1000

    with pytest.raises(PhoneError) as caught:
        shell_protocol.read_reply(one, flood(), 100_000)
    assert caught.value.name == "too_much_output"
    assert pieces * len(frame) * 1000 <= 10 * 100_000


# --- who may ask ------------------------------------------------------------------------------------------------------


def guarded(demo_phone, **policy):
    @contextlib.contextmanager
    def phone():
        with demo_phone("android16") as found:
            server.key_policy = KeyPolicy(**policy)
            yield found

    return phone()


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_refused(checked, demo_phone, patient, answer):
    patient(0.5)
    with guarded(demo_phone, answer=answer) as phone:
        done = checked(phone)
        assert phone.commands == []
    assert done.code == 4
    assert "Allow" in done.err


def test_withdrawn_in_the_middle(checked, demo_phone, whole_of, patient):
    """The owner revokes it while the phone is asked: what came stays, and the next visit must be allowed anew."""
    patient(0.5)
    whole, _ = whole_of("android16")
    with guarded(demo_phone, always_allow=True) as phone:

        def revoke(_number, data):
            # By what was asked, not by messages: a busy phone cuts the same answer into fewer of them.
            if len(phone.commands) > 1 and phone.key_policy.answer != "ignore":
                phone.key_policy = KeyPolicy(answer="ignore")
                phone.forget()
            return [data]

        phone.faults.transform_messages(revoke)
        done = checked(phone)
        assert says_no_less(whole, done.report)
        assert "before everything was read" in done.err
        before = list(phone.commands)
        assert checked(phone).code == 4
        assert phone.commands == before


def test_a_key_that_changed_must_be_allowed_anew(checked, demo_phone, key_folder, patient):
    patient(0.5)
    first = adb_auth.load_or_create(key_folder)
    with guarded(demo_phone, always_allow=True) as phone:
        assert checked(phone, "--no-apks").report is not None
        phone.key_policy = KeyPolicy(answer="ignore")
        assert checked(phone, "--no-apks").report is not None  # remembered
        for file in key_folder.iterdir():
            file.unlink()
        done = checked(phone)
        assert done.code == 4
        assert adb_auth.load_or_create(key_folder).fingerprint in done.err
        assert first.fingerprint not in done.err
        phone.key_policy = KeyPolicy(answer="allow")
        assert checked(phone, "--no-apks").report is not None
