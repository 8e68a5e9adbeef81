"""``cmd appops get``, one op at a time, and how it corrects the dump."""

from __future__ import annotations

from datetime import timedelta

import pytest

from privaudit.dumpsys.appops import AppOp, AppOpEvent, UidOps
from privaudit.dumpsys.appops_get import parse_appops_get, verify_uid_ops

KEY = "appops_get.0.a.b"
HOUR = timedelta(hours=1)


def parsed(*lines):
    return parse_appops_get("\n".join(["[READ_CONTACTS]", *lines, ""]), KEY).get("READ_CONTACTS")


@pytest.mark.parametrize(
    ("lines", "uid_mode", "mode", "access", "reject"),
    [
        (["No operations.", "Default mode: allow"], None, None, None, None),
        (["No operations."], None, None, None, None),
        (["Default mode: allow"], None, None, None, None),
        (["Uid mode: READ_CONTACTS: ignore"], "ignore", None, None, None),
        (["READ_CONTACTS: allow"], None, "allow", None, None),
        (["READ_CONTACTS: allow; time=+1h0m0s0ms ago"], None, "allow", HOUR, None),
        (["READ_CONTACTS: deny; rejectTime=+1h0m0s0ms ago"], None, "deny", None, HOUR),
        (["READ_CONTACTS: allow; time=+1h ago; rejectTime=+1h ago; duration=+12ms"], None, "allow", HOUR, HOUR),
        (["READ_CONTACTS: allow; time=+1h ago (running)"], None, "allow", HOUR, None),
        (["Uid mode: READ_CONTACTS: foreground", "READ_CONTACTS: allow"], "foreground", "allow", None, None),
        (["Uid mode: READ_CONTACTS: ask", "Default mode: allow"], "ask", None, None, None),
    ],
)
def test_replies(lines, uid_mode, mode, access, reject):
    state = parsed(*lines)
    assert (state.uid_mode[0] if state.uid_mode else None) == uid_mode
    assert (state.op.mode if state.op else None) == mode
    events = (state.op.last_access, state.op.last_reject) if state.op else (None, None)
    assert [event.age if event else None for event in events] == [access, reject]
    assert all(event.key == KEY for event in events if event)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["Error: No UID for a.b in user 0"],
        ["READ_CONTACTS: perhaps"],
        ["READ_SMS: allow"],
        ["READ_CONTACTS: allow", "READ_CONTACTS: ignore"],
        ["READ_CONTACTS: allow", "Uid mode: READ_CONTACTS: ignore"],
        ["READ_CONTACTS: allow; time=soon ago"],
        ["Uid mode: READ_CONTACTS: ignore", "x"],
        ["READ_CONTACTS: allow", "[READ_CONTACTS]", "READ_CONTACTS: allow"],
    ],
)
def test_a_reply_that_was_not_understood_says_nothing(lines):
    assert parsed(*lines) is None


def test_each_op_has_its_own_reply():
    text = "[READ_CONTACTS]\nUid mode: READ_CONTACTS: ignore\n[READ_SMS]\n[READ_CALL_LOG]\nNo operations.\n"
    assert parse_appops_get(text, KEY).keys() == {"READ_CONTACTS", "READ_CALL_LOG"}


def dumped(mode=None, *, uid_mode=None, read=None, doubtful=False):
    op = AppOp(mode or "allow", 7, None, AppOpEvent(read, "t", 9) if read else None) if mode or read else None
    return UidOps(
        uid_modes={"READ_CONTACTS": (uid_mode, 5)} if uid_mode else {},
        packages={"a.b": {"READ_CONTACTS": op} if op else {}},
        is_doubtful=doubtful,
    )


@pytest.mark.parametrize(
    ("dump", "lines", "differs"),
    [
        (dumped(), ["No operations.", "Default mode: allow"], False),
        (dumped("allow"), ["No operations."], False),
        (dumped("default"), ["READ_CONTACTS: allow"], False),
        (dumped("allow", read=HOUR), ["READ_CONTACTS: allow; time=+1h5s ago"], False),
        (dumped("ignore", uid_mode="allow"), ["Uid mode: READ_CONTACTS: allow", "READ_CONTACTS: ignore"], False),
        (dumped("ignore"), ["READ_CONTACTS: allow"], True),  # the tag says that it is blocked
        (dumped("allow"), ["READ_CONTACTS: ignore"], True),
        (dumped(), ["READ_CONTACTS: allow; time=+1h ago"], True),  # a record was carried away
        (dumped("allow", read=HOUR), ["No operations."], True),
        (dumped(doubtful=True), ["No operations."], True),
    ],
)
def test_where_the_dump_says_something_else_it_is_not_believed(dump, lines, differs):
    states = {"READ_CONTACTS": parsed(*lines)}
    verified, differed = verify_uid_ops(dump, "a.b", states)
    assert differed == differs
    assert verified.verified_ops == {"READ_CONTACTS"}
    assert verified.is_doubtful == differs
    if differs:
        state = states["READ_CONTACTS"]
        assert verified.packages["a.b"].get("READ_CONTACTS") == state.op
        assert verified.uid_modes.get("READ_CONTACTS") == state.uid_mode
    else:
        assert verified.packages == dump.packages
