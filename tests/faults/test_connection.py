"""What can go wrong between a phone and this computer, each over the real protocol with the demo phone."""

from __future__ import annotations

import contextlib
import re
import struct
import tracemalloc

import pytest

from privaudit import audit, knowledge, resume
from privaudit.capture import archive, collector
from privaudit.dumpsys import package_list, package_proto
from privaudit.errors import ConnectionLost, PhoneError
from privaudit.facts import package_dumps
from privaudit.model import AnswerState, Command
from privaudit.transport import adb_auth, adb_device, adb_messages, shell_protocol, stream
from privaudit.virtual_phone import connect_phone, load_scenario
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.wire import AdbCommand
from privaudit.virtual_phone.shell import ProgramResult
from tests.faults.conftest import is_consistent_subset, sentences

HEAD = struct.Struct("<6I")
GREETING = 0
"""The number of the message by which a phone that asks for no key greets."""


def message(kind, arg0, arg1, data=b"", *, total=None, length=None, magic=None):
    number = int(kind)
    sums = sum(data) & 0xFFFFFFFF if total is None else total
    size = len(data) if length is None else length
    return HEAD.pack(number, arg0, arg1, size, sums, number ^ 0xFFFFFFFF if magic is None else magic) + data


def parsed(data):
    kind, arg0, arg1, _, _, _ = HEAD.unpack(data[: HEAD.size])
    return kind, arg0, arg1, data[HEAD.size :]


def after_greeting(change):
    """A twist for every message but the greeting."""
    return lambda number, data: [data] if number == GREETING else change(number, data)


ALL = 64
"""Messages of a visit before each of which the cable is pulled."""


def disconnect_at(number, unsent):
    """Pulls the cable before a message; `unsent` is told of what kind it was."""

    def transform(at, data):
        if at < number:
            return [data]
        unsent.append(parsed(data)[0])
        raise ConnectionResetError("the cable was pulled")

    return transform


# --- the cable --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("scenario", ["android16", "android6"])
def test_a_cable_pulled_before_any_message_of_an_audit(run_audit, demo_phone, complete_report_of, scenario, part):
    """At each of them: what came is told and is the same, what did not come is told as not read."""
    complete_report, messages = complete_report_of(scenario)
    assert messages > 30
    # An old phone is asked of each app alone: of those messages, all alike, every fifth.
    numbers = [number for number in range(messages) if number < ALL or number % 5 == 0]
    for number in numbers[part::4]:
        unsent = []
        with demo_phone(scenario) as phone:
            phone.faults.transform_messages(disconnect_at(number, unsent))
            result = run_audit(phone)
        if result.report is None:
            assert "The connection to the phone ended" in sentences(result.err)[0], number
            continue
        assert is_consistent_subset(complete_report, result.report), number
        # How a phone cuts its answers into messages differs from visit to visit: the last of them may be missed. And
        # that a stream has ended is news only where something else was to come.
        if unsent and AdbCommand.CLSE not in unsent[:1]:
            assert "before everything was read" in result.err, number


def test_a_cable_pulled_during_a_capture_leaves_a_valid_file_or_none(run_cli, demo_phone, tmp_path):
    for number in range(0, 44, 3):
        file = tmp_path / f"{number}.zip"
        with demo_phone("android16") as phone:
            phone.faults.transform_messages(disconnect_at(number, []))
            result = run_cli("capture", file, "--transport", f"tcp:{phone.address}", "--no-apks")
        assert result.code in {0, 4}
        if file.exists():
            assert archive.read(file).answers
            assert result.code == 0 or "--resume" in result.err
        else:
            assert sentences(result.err)
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
    def transform(_, data):
        strays = (
            message(AdbCommand.WRTE, 70, 71, b"x" * 1000),
            message(AdbCommand.OKAY, 70, 71),
            message(AdbCommand.CLSE, 0, 71),
            message(AdbCommand.AUTH, 1, 0, bytes(20)),
        )
        return [*(strays[at % 4] for at in range(count)), data]

    return transform


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
    "many answers to nothing": (
        _answers_to_nothing(adb_messages.MAX_STRAY_PACKETS + 1),
        "could not understand the phone",
    ),
    "answers to nothing for ever": (_flood, "could not understand the phone"),
    "never answers": (_nothing_at_all, "stopped answering"),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_an_invalid_daemon_is_reported(run_audit, demo_phone, monkeypatch, kind):
    transform, message_text = NONSENSE[kind]
    monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(after_greeting(transform))
        result = run_audit(phone)
    assert result.code == 4
    assert result.report is None
    assert message_text in sentences(result.err)[0]


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_daemon_that_becomes_invalid_leaves_a_partial_report(
    run_audit, demo_phone, complete_report_of, monkeypatch, kind
):
    """The details of suspects and all that comes later are missing, and the report says so."""
    monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
    complete_report, _ = complete_report_of("android16")
    with demo_phone("android16") as phone:
        # By what was asked, not by messages: a busy phone cuts the same answer into fewer of them.
        transform_reply = NONSENSE[kind][0]
        phone.faults.transform_messages(
            lambda number, data: transform_reply(number, data) if len(phone.commands) > 1 else [data]
        )
        result = run_audit(phone)
    assert result.report is not None
    assert is_consistent_subset(complete_report, result.report)
    assert "before everything was read" in result.err


def test_a_truncated_message_times_out_like_any_other(run_audit, demo_phone, monkeypatch):
    monkeypatch.setattr(adb_device, "IDLE_TIMEOUT_S", 0.3)
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(after_greeting(_too_long))
        assert run_audit(phone).code == 4


# Two messages of a stream that we closed may come late, each behind as many strays.
@pytest.mark.parametrize("count", [1, 4, adb_messages.MAX_STRAY_PACKETS // 3 - 1])
def test_a_few_stray_packets_are_ignored(run_audit, demo_phone, complete_report_of, count):
    complete_report, _ = complete_report_of("android16")
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(after_greeting(_answers_to_nothing(count)))
        result = run_audit(phone, "--no-apks")
    assert {one["question"]: one["state"] for one in result.report["coverage"]}["packages"] == "answered"
    assert result.report["complete"] == complete_report["complete"]
    assert is_consistent_subset(complete_report, result.report)


@pytest.mark.parametrize("kind", ["claims 4 GB", "wrong magic", "answers to nothing for ever", "never answers"])
def test_an_invalid_greeting(run_audit, demo_phone, monkeypatch, kind):
    monkeypatch.setattr(adb_device, "HANDSHAKE_TIMEOUT_S", 0.2)
    with demo_phone("android16") as phone:
        phone.faults.transform_messages(NONSENSE[kind][0])
        result = run_audit(phone)
    assert result.code == 4
    assert result.report is None


@pytest.mark.parametrize("payload", [0, 1, 100, 4095])
def test_a_phone_with_too_small_a_payload(run_audit, demo_phone, payload):
    """A command could not even be sent to it."""

    def transform(number, data):
        kind, arg0, _, body = parsed(data)
        return [message(kind, arg0, payload, body)] if number == GREETING else [data]

    with demo_phone("android16") as phone:
        phone.faults.transform_messages(transform)
        result = run_audit(phone)
    assert result.code == 4
    assert sentences(result.err)


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

    def transform_reply(_, data):
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
        demo_phone("android16", big=_large_output) as phone,
        adb_device.connect_tcp(phone.host, phone.port, on_waiting=lambda _: None, key_folder=key_folder) as line,
    ):
        phone.faults.transform_messages(transform_reply)
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


def _large_output(*_):
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
def test_empty_frames_count_towards_the_limit(frame):
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
        with demo_phone("android16") as server:
            server.key_policy = KeyPolicy(**policy)
            yield server

    return phone()


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_authorization_refused(run_audit, demo_phone, set_auth_timeout, answer):
    set_auth_timeout(0.5)
    with guarded(demo_phone, answer=answer) as phone:
        result = run_audit(phone)
        assert phone.commands == []
    assert result.code == 4
    assert "Allow" in result.err


def test_authorization_revoked_during_an_audit(run_audit, demo_phone, complete_report_of, set_auth_timeout):
    """The owner revokes it while the phone is asked: what came stays, and the next visit must be allowed anew."""
    set_auth_timeout(0.5)
    complete_report, _ = complete_report_of("android16")
    with guarded(demo_phone, always_allow=True) as phone:

        def revoke(_number, data):
            # By what was asked, not by messages: a busy phone cuts the same answer into fewer of them.
            if len(phone.commands) > 1 and phone.key_policy.answer != "ignore":
                phone.key_policy = KeyPolicy(answer="ignore")
                phone.revoke_authorizations()
            return [data]

        phone.faults.transform_messages(revoke)
        result = run_audit(phone)
        assert is_consistent_subset(complete_report, result.report)
        assert "before everything was read" in result.err
        before = list(phone.commands)
        assert run_audit(phone).code == 4
        assert phone.commands == before


def test_a_new_key_needs_authorization(run_audit, demo_phone, key_folder, set_auth_timeout):
    set_auth_timeout(0.5)
    first = adb_auth.load_or_create(key_folder)
    with guarded(demo_phone, always_allow=True) as phone:
        assert run_audit(phone, "--no-apks").report is not None
        phone.key_policy = KeyPolicy(answer="ignore")
        assert run_audit(phone, "--no-apks").report is not None  # remembered
        for file in key_folder.iterdir():
            file.unlink()
        result = run_audit(phone)
        assert result.code == 4
        assert adb_auth.load_or_create(key_folder).fingerprint in result.err
        assert first.fingerprint not in result.err
        phone.key_policy = KeyPolicy(answer="allow")
        assert run_audit(phone, "--no-apks").report is not None


def test_an_answer_without_end_costs_no_other_answer(monkeypatch):
    """What no phone has ends with what was read, and a gap that says why: live, over the loopback."""
    monkeypatch.setattr(collector, "MAX_ANSWER_BYTES", 40_000)
    monkeypatch.setattr(collector, "MAX_SCRIPT_BYTES", 80_000)
    phone = load_scenario("borrower")
    with connect_phone(phone) as line:
        capture, phone_facts = audit.collect(
            line, knowledge.load_knowledge(demo=True), demo=True, options=audit.CollectionOptions(read_labels=False)
        )
    rows = {(row.question, row.user): row for row in phone_facts.coverage}
    assert len(capture.answers["packages"].text) <= 40_000
    assert (rows["packages", None].state, rows["packages", None].detail.key) == (
        AnswerState.UNREADABLE, "coverage.too_long",
    )  # fmt: skip
    assert rows["installed", 0].state is rows["settings", 0].state is rows["roles", None].state is AnswerState.ANSWERED
    assert {one.package for one in phone_facts.summaries if one.user == 0} == {
        app.package for app in phone.apps if app.installs[0].installed
    }
    assert not audit.is_complete(phone_facts)
    assert not resume.was_interrupted(capture)


def test_a_phone_that_sends_too_much_again_and_again_was_not_unplugged(monkeypatch):
    monkeypatch.setattr(collector, "_MAX_SCRIPTS_CUT", 1)
    monkeypatch.setattr(collector, "MAX_SCRIPT_BYTES", 40_000)
    with connect_phone(load_scenario("borrower")) as line:
        keys = [f"package.{app.package}" for app in load_scenario("borrower").apps]
        answers = {one.key: one for one in collector.collect_answers(line, keys)}
    assert set(answers) == set(keys)
    unread = [one for one in answers.values() if one.state is not AnswerState.ANSWERED]
    assert {one.detail.key for one in unread} == {"coverage.too_long"}
    assert 0 < len(unread) < len(keys)


@pytest.fixture
def few_packages(monkeypatch):
    """Lower the number of apps that are read; what was parsed with another limit is forgotten, before and after."""
    caches = (package_list.parse_package_list, package_proto.parse_package_proto, package_dumps._parse_full_dump)
    for cache in caches:
        cache.cache_clear()
    for name in ("facts", "facts.package_dumps", *(f"dumpsys.package_{part}" for part in ("list", "parser", "proto"))):
        monkeypatch.setattr(f"privaudit.{name}.MAX_PACKAGES", 30)
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("few_packages")
def test_a_phone_with_more_apps_than_any_has_is_read_in_part(monkeypatch):
    monkeypatch.setattr(audit, "_MAX_DETAILS", 5)
    with connect_phone(load_scenario("borrower")) as line:
        capture, phone_facts = audit.collect(
            line, knowledge.load_knowledge(demo=True), demo=True, options=audit.CollectionOptions(read_labels=False)
        )
    rows = {(row.question, row.user): row for row in phone_facts.coverage}
    assert rows["installed", 0].detail.key == "coverage.too_many"
    asked = [key for key, one in capture.answers.items() if key.startswith("package.") and one.text]
    assert 0 < len(asked) <= 5
    assert 0 < len({one.package for one in phone_facts.summaries}) <= 60
    assert not audit.is_complete(phone_facts)


class FloodingTransport:
    """A phone that sends more than is read in each answer, or outside of every answer."""

    kind, command_limit = "demo", 1 << 16

    def __init__(self, answer):
        self.answer, self.commands = answer, 0

    def run(self, command, *, limit, **_):
        self.commands += 1
        marker = re.search(r"^m=(\S+)$", command.text, re.MULTILINE)[1]
        raise ConnectionLost("errors.too_much_output", (self.answer.format(m=marker) + "x" * limit).encode()[:limit])


@pytest.mark.parametrize("answer", ["", "{m} begin installed.0\n", "{m} begin clock\n1\n{m} end clock 0\n"])
def test_a_phone_that_floods_every_script_is_left_alone(monkeypatch, answer):
    monkeypatch.setattr(collector, "MAX_ANSWER_BYTES", 1000)
    monkeypatch.setattr(collector, "MAX_SCRIPT_BYTES", 2000)
    phone = FloodingTransport(answer)
    if answer:
        assert len(collector.collect_first_round(phone).answers) == 1
    else:
        with pytest.raises(ConnectionLost):
            collector.collect_first_round(phone)
    assert phone.commands <= 6
    keys = [f"package.a.b{number}" for number in range(100)]
    assert list(collector.collect_answers(phone, keys)) == []
    assert phone.commands <= 12
