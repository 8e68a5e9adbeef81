"""What an app can really read: the rules of Android, one row each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from privaudit import facts
from privaudit.facts.access import Clock, effective
from privaudit.facts.appops_uids import Event
from privaudit.model import AccessState, DataClass, Effective, History

P = "android.permission."

# --- one permission --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "flags", "mode", "blank", "expected"),
    [
        (None, (), None, None, Effective.UNKNOWN),
        (None, (), "ignore", None, Effective.UNKNOWN),
        (False, (), None, None, Effective.DENIED),
        (False, (), "allow", None, Effective.DENIED),
        (True, (), None, None, Effective.ALLOWED),
        (True, ("USER_SET",), "allow", None, Effective.ALLOWED),
        (True, (), "default", None, Effective.ALLOWED),
        (True, ("REVOKED_COMPAT",), None, None, Effective.BLOCKED),  # 11 and later
        (True, ("REVOKE_ON_UPGRADE",), None, None, Effective.BLOCKED),  # the same bit up to 10
        (True, ("REVIEW_REQUIRED",), "allow", None, Effective.BLOCKED),
        (True, ("ONE_TIME",), None, None, Effective.ALLOWED),
        (True, (), "ignore", None, Effective.BLOCKED),
        (True, (), "deny", None, Effective.BLOCKED),
        (True, (), "foreground", None, Effective.FOREGROUND),
        (True, (), "ask", None, Effective.ASK),
        (True, (), "allow", "ignore", Effective.BLOCKED),  # MIUI gives blank data
        (True, (), "allow", "allow", Effective.ALLOWED),
        (True, (), "7", None, Effective.UNKNOWN),
    ],
)
def test_grant_flags_and_mode_together(granted, flags, mode, blank, expected):
    assert effective(granted=granted, flags=flags, mode=mode, blank=blank) is expected


# --- one app ---------------------------------------------------------------------------------------------------------


def phone(made, *, runtime=(), ops=(), modes=(), requested=(), sdk=30, installed="true", behind="\nPackage Changes:\n"):
    """An app on a phone: its runtime lines, its app-op lines, its uid modes and what it requests."""
    lists = [("    requested permissions:", requested, "      "), ("      runtime permissions:", runtime, "        ")]
    told = ["\n".join([title, *(f"{indent}{P}{row}" for row in rows)]) if rows else "" for title, rows, indent in lists]
    head = f"Packages:\n  Package [a.b] (1):\n    userId=10001\n{told[0]}\n    User 0: installed={installed}\n"
    text = f"{head}{told[1]}{behind}"
    appops = "\n".join(["  Uid u0a1:", *(f"      {mode}" for mode in modes), "    Package a.b:", *ops, "", ""])
    properties = f"[ro.build.version.sdk]: [{sdk}]\n[persist.sys.timezone]: [Europe/Berlin]\n"
    return facts.gather(made({"packages": text, "appops": appops, "properties": properties}))


def only(gathered):
    (app,) = gathered.apps
    return app


@pytest.mark.parametrize(
    ("runtime", "data", "state", "ways"),
    [
        ("READ_CONTACTS: granted=true", DataClass.CONTACTS, AccessState.CAN_READ, ("permission",)),
        ("READ_CONTACTS: granted=false", DataClass.CONTACTS, AccessState.NOT_ALLOWED, ()),
        ("WRITE_CONTACTS: granted=true", DataClass.CONTACTS, AccessState.NOT_ALLOWED, ()),
        ("READ_SMS: granted=true", DataClass.SMS, AccessState.CAN_READ, ("permission",)),
        ("RECEIVE_SMS: granted=true", DataClass.SMS, AccessState.CAN_READ, ("incoming",)),
        ("RECEIVE_MMS: granted=true", DataClass.SMS, AccessState.CAN_READ, ("incoming",)),
        ("RECEIVE_WAP_PUSH: granted=true", DataClass.SMS, AccessState.CAN_READ, ("incoming",)),
        ("SEND_SMS: granted=true", DataClass.SMS, AccessState.NOT_ALLOWED, ()),
        ("READ_CALL_LOG: granted=true", DataClass.CALL_LOG, AccessState.CAN_READ, ("permission",)),
    ],
)
def test_which_permission_opens_which_data(made, runtime, data, state, ways):
    access = only(phone(made, runtime=[runtime])).access
    assert (access[data].state, access[data].ways) == (state, ways)
    assert not any(other.state.reads for kind, other in access.items() if kind is not data)


@pytest.mark.parametrize(
    ("modes", "ops", "state"),
    [
        ((), (), AccessState.CAN_READ),
        (["READ_CONTACTS: mode=ignore"], (), AccessState.BLOCKED),
        ((), ["      READ_CONTACTS (ignore): "], AccessState.BLOCKED),
        # The uid's mode decides alone.
        (["READ_CONTACTS: mode=allow"], ["      READ_CONTACTS (ignore): "], AccessState.CAN_READ),
        (["READ_CONTACTS: mode=ignore"], ["      READ_CONTACTS (allow): "], AccessState.BLOCKED),
        (["READ_CONTACTS: mode=foreground"], (), AccessState.ONLY_WHILE_OPEN),
        ((), ["      READ_CONTACTS (ask): "], AccessState.ASKS_EACH_TIME),
        ((), ["      MIUIOP(10029) (ignore): "], AccessState.BLOCKED),
        ((), ["      READ_SMS (ignore): "], AccessState.CAN_READ),
    ],
)
def test_the_app_op_decides_over_the_grant(made, modes, ops, state):
    app = only(phone(made, runtime=["READ_CONTACTS: granted=true"], modes=modes, ops=ops))
    assert app.access[DataClass.CONTACTS].state is state


@pytest.mark.parametrize(("sdk", "state"), [(28, AccessState.BLOCKED), (29, AccessState.CAN_READ)])
def test_up_to_9_the_switch_of_mms_is_sms(made, sdk, state):
    app = only(phone(made, sdk=sdk, runtime=["RECEIVE_MMS: granted=true"], modes=["RECEIVE_SMS: mode=ignore"]))
    assert app.access[DataClass.SMS].state is state


def test_a_printed_switch_decides(made):
    ops = ["      RECEIVE_MMS (allow / switch RECEIVE_SMS=ignore): "]
    assert (
        only(phone(made, runtime=["RECEIVE_MMS: granted=true"], ops=ops)).access[DataClass.SMS].state
        is AccessState.BLOCKED
    )


@pytest.mark.parametrize(
    ("requested", "runtime", "state"),
    [
        (["READ_CONTACTS"], (), AccessState.NOT_ALLOWED),
        (["CAMERA"], (), AccessState.NOT_REQUESTED),
        ((), (), AccessState.NOT_ALLOWED),  # the dump does not say what is requested
        (["CAMERA"], ["READ_CONTACTS: granted=true"], AccessState.CAN_READ),
        (["READ_CONTACTS: restricted=true"], (), AccessState.NOT_ALLOWED),
    ],
)
def test_requested_or_not(made, requested, runtime, state):
    assert only(phone(made, requested=requested, runtime=runtime)).access[DataClass.CONTACTS].state is state


def test_an_app_that_is_not_installed_for_the_user_is_no_app_of_his(made):
    assert phone(made, runtime=["READ_CONTACTS: granted=true"], installed="false").apps == ()


def test_what_may_be_cut_is_unknown(made):
    told = only(phone(made, runtime=["READ_CONTACTS: granted=true"], behind="")).access
    assert told[DataClass.CONTACTS].state is AccessState.CAN_READ
    assert told[DataClass.SMS].state is AccessState.UNKNOWN


# --- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ops", "history", "seconds"),
    [
        ((), History.NO_RECORD, None),
        (["      READ_CONTACTS (allow): "], History.NO_RECORD, None),
        (["      READ_CONTACTS: mode=0; time=+1h0m0s0ms ago"], History.RECORDED, 3600),
        (["      READ_CONTACTS: mode=0; rejectTime=+1h0m0s0ms ago"], History.NO_RECORD, None),
    ],
)
def test_no_record_is_not_never(made, ops, history, seconds):
    access = only(phone(made, runtime=["READ_CONTACTS: granted=true"], ops=ops)).access[DataClass.CONTACTS]
    assert (access.history, access.last_read_age_s) == (history, seconds)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "age", "expected"),
    [
        # Clocks went back on 2025-10-26 at 03:00, forward on 2026-03-29 at 02:00.
        (datetime(2025, 10, 26, 12, tzinfo=BERLIN), timedelta(hours=24), "2025-10-25T13:00:00+02:00"),
        (datetime(2026, 3, 29, 12, tzinfo=BERLIN), timedelta(hours=24), "2026-03-28T11:00:00+01:00"),
        (datetime(2026, 1, 10, 12, tzinfo=BERLIN), timedelta(days=200), "2025-06-24T13:00:00+02:00"),
        (datetime(2026, 1, 10, 12, tzinfo=UTC), timedelta(hours=1, milliseconds=400), "2026-01-10T10:59:59+00:00"),
        (datetime(2026, 1, 10, 12, tzinfo=UTC), timedelta(days=999999999), None),
    ],
)
def test_an_age_is_real_time_over_a_change_of_clocks(now, age, expected):
    moment = Clock(now=now, zone=now.tzinfo).moment(Event(age, None, 0))
    assert (moment.isoformat() if moment else None) == expected


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        (BERLIN, "2025-07-01 10:00:00.123", "2025-07-01T10:00:00+02:00"),
        (None, "2025-07-01 10:00:00.123", "2025-07-01T10:00:00"),
        (BERLIN, "2025-99-01 10:00:00.123", None),
        (BERLIN, None, None),
    ],
)
def test_without_the_phones_time_what_was_printed_stands(zone, local, expected):
    moment = Clock(now=None, zone=zone).moment(Event(timedelta(hours=1), local, 0))
    assert (moment.isoformat() if moment else None) == expected


def test_no_event_has_no_moment():
    assert Clock(now=None, zone=None).moment(None) is None
