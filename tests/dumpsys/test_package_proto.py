"""``dumpsys package --proto``: bytes made by hand, zeros left out; cuts, damage, and what the virtual phone writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit import facts
from privaudit.audit import is_complete
from privaudit.capture import archive
from privaudit.capture.answers import classify_answer
from privaudit.capture.questions import PERMISSIONS
from privaudit.dumpsys.package_model import InstallState
from privaudit.dumpsys.package_proto import ProtoError, parse_package_proto
from privaudit.model import AccessState, AnswerState, DataClass
from privaudit.virtual_phone.dump_writers.package_proto import format_package_proto

P = "android.permission."
CONTACTS = f"{P}READ_CONTACTS".encode()

# Field numbers of package.proto, written out: tag = number << 3 | wire type (0 varint, 2 bytes).
USER_0 = bytes.fromhex("1001") + bytes.fromhex("3001")  # no id: user 0; install_type 1, is_launched 1
USER_10 = bytes.fromhex("080a")  # id 10, and no install_type: not installed
USER_999 = bytes.fromhex("08e707") + bytes.fromhex("1001") + bytes.fromhex("1801") + bytes.fromhex("3803")
"""id 999, installed, hidden, disabled by the user."""


def field(number, value):
    assert len(value) < 128
    return bytes([number << 3 | 2, len(value)]) + value


GRANTS_0 = field(2, CONTACTS) + field(2, b"android.permission.INTERNET")
GRANTS_10 = bytes.fromhex("080a")
ONE = (
    field(1, b"com.example.loan")
    + bytes.fromhex("10f54e")  # uid 10101
    + field(4, b"1.0\n  Package [com.victim] (1):\n")
    + field(9, USER_0)
    + field(9, USER_10)
    + field(9, USER_999)
    + field(12, GRANTS_0)
    + field(12, GRANTS_10)
    + field(12, bytes.fromhex("08e707"))
)
OTHER = field(1, b"com.example.b") + bytes.fromhex("10f64e") + field(9, USER_0) + field(12, b"")


def message(number, value):
    assert 128 <= len(value) < 16384 or len(value) < 128
    size = bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, len(value) >> 7])
    return bytes([number << 3 | 2]) + size + value


DUMP = field(1, field(1, b"com.android.vending")) + message(5, ONE) + message(5, OTHER) + field(6, field(2, b"x"))


def test_bytes_made_by_hand():
    dump = parse_package_proto(DUMP)
    assert any(package.granted for package in dump.values())
    assert dump.keys() == {"com.example.loan", "com.example.b"}
    loan, other = dump["com.example.loan"], dump["com.example.b"]
    assert (loan.app_id, other.app_id) == (10101, 10102)
    assert loan.users == {
        0: InstallState(installed=True, enabled=True, hidden=False, instant=False),
        10: InstallState(installed=False, enabled=True, hidden=False, instant=False),
        999: InstallState(installed=True, enabled=False, hidden=True, instant=False),
    }
    assert loan.granted == {0: {f"{P}READ_CONTACTS", f"{P}INTERNET"}, 10: frozenset(), 999: frozenset()}
    assert other.granted == {0: frozenset()}  # a message of length zero


def test_only_named_permissions_are_kept():
    dump = parse_package_proto(DUMP, frozenset({f"{P}READ_CONTACTS"}))
    assert dump["com.example.loan"].granted[0] == {f"{P}READ_CONTACTS"}


def test_unknown_fields_are_skipped():
    extra = bytes([15 << 3 | 1]) + b"12345678" + bytes([14 << 3 | 5]) + b"1234" + bytes([13 << 3]) + b"\xff\x01"
    extra += field(3, b"\xff\0")
    dump = parse_package_proto(message(5, extra + ONE + extra) + extra)
    assert dump["com.example.loan"] == parse_package_proto(DUMP)["com.example.loan"]


@pytest.mark.parametrize("cut", range(1, len(DUMP)))
def test_a_cut_is_an_error_or_leaves_out_whole_packages(cut):
    whole = parse_package_proto(DUMP)
    try:
        dump = parse_package_proto(DUMP[:cut])
    except ProtoError:
        return
    assert dump.items() <= whole.items()


@pytest.mark.parametrize(
    "data",
    [
        b"Packages:\n  Package [a.b] (1):\n",
        b"\x07",  # a wire type that does not exist
        b"\x00\x00",  # field 0
        b"\x2b" + b"\x2c",  # a group
        b"\x28" + b"\xff" * 11,  # a number without an end
        b"\x2a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",  # longer than all memory
        message(5, b"\x08\x01" + field(9, b"\x09")),
        message(5, b"\x60\x01"),  # a number where the permissions of a user belong
        message(5, field(1, "com.ä".encode())),
        message(5, OTHER) * 2,
    ],
)
def test_other_bytes_are_an_error(data):
    with pytest.raises(ProtoError):
        parse_package_proto(data)


@pytest.mark.parametrize(
    "more",
    [
        field(9, USER_0),
        field(9, bytes.fromhex("08001000")),
        field(12, b""),
        field(12, GRANTS_10),
        field(1, b"com.other"),
    ],
    ids=["a user", "a user in another state", "grants of user 0", "grants of user 10", "a name"],
)
def test_what_android_writes_once_is_an_error_the_second_time(more):
    """Two install states, or two lists of grants, of one user: nobody can say which one holds."""
    with pytest.raises(ProtoError, match="twice"):
        parse_package_proto(message(5, ONE + more))


@pytest.mark.parametrize("at", range(len(CONTACTS)))
def test_a_damaged_permission_name_is_an_error_and_no_denial(at):
    name = CONTACTS[:at] + b"~" + CONTACTS[at + 1 :]
    data = message(5, field(1, b"com.example.loan") + field(9, USER_0) + field(12, field(2, name)))
    with pytest.raises(ProtoError):
        parse_package_proto(data, frozenset(PERMISSIONS))


def test_what_the_virtual_phone_writes_is_what_it_holds(phone):
    dump = parse_package_proto(format_package_proto(phone))
    assert dump.keys() == {app.package for app in phone.apps}
    for app in phone.apps:
        parsed = dump[app.package]
        assert parsed.app_id == app.app_id
        for user in phone.user_ids:
            assert parsed.users[user].installed == app.installs[user].installed
            runtime = {grant.name: grant.granted for grant in phone.runtime_grants(app, user)}
            assert {name for name, granted in runtime.items() if granted} <= parsed.granted[user]
            assert not {name for name, granted in runtime.items() if not granted} & parsed.granted[user]


# --- in the facts ----------------------------------------------------------------------------------------------------


def _states(gathered):
    return {(app.package, app.user, data): app.access[data].state for app in gathered.apps for data in DataClass}


def _row(gathered, question):
    return next(row for row in gathered.coverage if row.question == question)


def _with_proto(capture, data, exit_code=0):
    return capture.with_answers([classify_answer("packages_proto", data, exit_code=exit_code)])


def test_grants_and_install_states_come_from_the_proto(live_capture, borrower):
    """A text that says "not granted" about every app but one does not matter, and is told of."""
    before, granted, after = live_capture.answer("packages").text.partition("granted=true")
    text = before + granted + after.replace("granted=true", "granted=false")
    changed = live_capture.with_answers([replace(live_capture.answer("packages"), text=text)])
    gathered = facts.gather_facts(changed)
    honest = _states(facts.gather_facts(live_capture))
    for key, state in _states(gathered).items():
        assert state in {honest[key], AccessState.UNKNOWN}, key
    # Its flags are not known, so neither is whether the grant is in force; nothing is denied.
    assert _states(gathered)["com.example.sudaibao", 0, DataClass.CONTACTS] is AccessState.UNKNOWN
    row = _row(gathered, "packages_proto")
    assert (row.state, row.detail.key, row.could_hide) == (AnswerState.ANSWERED, "coverage.differing", False)


@pytest.mark.parametrize(
    ("data", "exit_code", "state"),
    [
        (b"", 0, AnswerState.UNREADABLE),
        (b"Unknown argument: --proto; use -h for help\n", 0, AnswerState.NOT_SUPPORTED),
        (b"Can't find service: package\n", 0, AnswerState.NOT_SUPPORTED),
        (b"java.lang.SecurityException: no\n", 0, AnswerState.REFUSED),
        (DUMP, 0, AnswerState.UNREADABLE),  # of another phone: it lacks packages of the list
        (DUMP, 1, AnswerState.UNREADABLE),
        (DUMP + b"\n*** SERVICE 'package' DUMP TIMEOUT (60000ms) EXPIRED ***\n", 0, AnswerState.TIMED_OUT),
        (b"\x00" * 100, 0, AnswerState.UNREADABLE),
    ],
)
def test_a_proto_that_is_not_whole_decides_nothing(live_capture, text_capture, data, exit_code, state):
    gathered = facts.gather_facts(_with_proto(live_capture, data, exit_code))
    assert _row(gathered, "packages_proto").state is state
    assert _states(gathered) == _states(facts.gather_facts(text_capture))


def test_a_stream_that_ends_between_two_packages_is_not_whole(live_capture, borrower):
    first = format_package_proto(replace(borrower, apps=borrower.apps[:-1]))
    row = _row(facts.gather_facts(_with_proto(live_capture, first)), "packages_proto")
    assert (row.state, row.detail.key) == (AnswerState.UNREADABLE, "coverage.no_end")


def test_a_proto_without_any_permissions_says_nothing_of_grants(live_capture, text_capture, borrower, monkeypatch):
    from privaudit.virtual_phone.dump_writers import package_proto

    write = package_proto._package_fields
    without_permissions = lambda phone, app: {n: v for n, v in write(phone, app).items() if n != 12}  # noqa: E731
    monkeypatch.setattr(package_proto, "_package_fields", without_permissions)
    gathered = facts.gather_facts(_with_proto(live_capture, format_package_proto(borrower)))
    assert _row(gathered, "packages_proto").state is AnswerState.NOT_SUPPORTED
    assert _states(gathered) == _states(facts.gather_facts(text_capture))


def test_the_bytes_are_kept_in_a_capture(live_capture, tmp_path):
    file = tmp_path / "phone.zip"
    archive.write_archive(live_capture, file)
    kept = archive.read(file).answer("packages_proto")
    assert kept == live_capture.answer("packages_proto")
    assert parse_package_proto(kept.data, frozenset(PERMISSIONS))
    assert is_complete(facts.gather_facts(archive.read(file)))
