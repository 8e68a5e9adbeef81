"""What an app can read: one row for each rule of Android."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from privaudit import facts
from privaudit.dumpsys.appops import AppOpEvent
from privaudit.dumpsys.device import DumpClock
from privaudit.facts.permissions import (
    PERMISSION_INFO,
    SPECIAL_PERMISSIONS,
    PermissionGroup,
    evaluate_permission,
    group_of_permission,
)
from privaudit.model import AccessState, DataClass, EffectiveState, History, OtherDataClass, ReadBy

P = "android.permission."

# --- one permission --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "flags", "mode", "blank", "expected"),
    [
        (None, (), None, None, EffectiveState.UNKNOWN),
        (None, (), "ignore", None, EffectiveState.UNKNOWN),
        (False, (), None, None, EffectiveState.DENIED),
        (False, (), "allow", None, EffectiveState.DENIED),
        (True, (), None, None, EffectiveState.ALLOWED),
        (True, ("USER_SET",), "allow", None, EffectiveState.ALLOWED),
        (True, (), "default", None, EffectiveState.ALLOWED),
        (True, ("REVOKED_COMPAT",), None, None, EffectiveState.BLOCKED),  # 11 and later
        (True, ("REVOKE_ON_UPGRADE",), None, None, EffectiveState.BLOCKED),  # the same bit up to 10
        (True, ("REVIEW_REQUIRED",), "allow", None, EffectiveState.BLOCKED),
        (True, ("ONE_TIME",), None, None, EffectiveState.ALLOWED),
        (True, (), "ignore", None, EffectiveState.BLOCKED),
        (True, (), "deny", None, EffectiveState.BLOCKED),
        (True, (), "foreground", None, EffectiveState.FOREGROUND),
        (True, (), "ask", None, EffectiveState.ASK),
        (True, (), "allow", "ignore", EffectiveState.BLOCKED),  # MIUI gives blank data
        (True, (), "allow", "allow", EffectiveState.ALLOWED),
        (True, (), "7", None, EffectiveState.UNKNOWN),
    ],
)
def test_grant_flags_and_mode_decide_together(granted, flags, mode, blank, expected):
    trait = PERMISSION_INFO[f"{P}READ_CONTACTS"]
    assert evaluate_permission(trait, granted=granted, flags=flags, mode=mode, empty_data_mode=blank) is expected


@pytest.mark.parametrize(
    ("name", "flags", "target", "expected"),
    [
        # Hard restricted, and nobody exempted the app.
        ("READ_SMS", ("APPLY_RESTRICTION",), 30, EffectiveState.BLOCKED),
        ("READ_CALL_LOG", ("APPLY_RESTRICTION", "USER_SET"), 30, EffectiveState.BLOCKED),
        ("READ_SMS", ("APPLY_RESTRICTION", "RESTRICTION_INSTALLER_EXEMPT"), 30, EffectiveState.ALLOWED),
        ("READ_SMS", ("RESTRICTION_UPGRADE_EXEMPT",), 30, EffectiveState.ALLOWED),
        ("READ_SMS", (), 30, EffectiveState.ALLOWED),
        ("READ_CONTACTS", ("APPLY_RESTRICTION",), 30, EffectiveState.ALLOWED),  # not restricted at all
        # Only an app made for Android 5 or older waits for a review.
        ("READ_CONTACTS", ("REVIEW_REQUIRED",), 22, EffectiveState.BLOCKED),
        ("READ_CONTACTS", ("REVIEW_REQUIRED",), None, EffectiveState.BLOCKED),
        ("READ_CONTACTS", ("REVIEW_REQUIRED",), 23, EffectiveState.ALLOWED),
    ],
)
def test_restriction_and_review_flags(name, flags, target, expected):
    found = evaluate_permission(PERMISSION_INFO[f"{P}{name}"], granted=True, flags=flags, mode=None, target_sdk=target)
    assert found is expected


@pytest.mark.parametrize(
    ("granted", "mode", "expected"),
    [
        (False, "allow", EffectiveState.ALLOWED),
        (None, "allow", EffectiveState.ALLOWED),
        (False, "default", EffectiveState.DENIED),
        (True, "default", EffectiveState.ALLOWED),  # made for Android 5, or part of the system
        (True, None, EffectiveState.ALLOWED),
        (True, "ignore", EffectiveState.DENIED),
        (True, "deny", EffectiveState.DENIED),
        (None, None, EffectiveState.UNKNOWN),
    ],
)
def test_app_op_decides_alone_over_special_permissions(granted, mode, expected):
    trait = PERMISSION_INFO[f"{P}SYSTEM_ALERT_WINDOW"]
    assert evaluate_permission(trait, granted=granted, flags=(), mode=mode) is expected


# --- one app ---------------------------------------------------------------------------------------------------------


def appops_dump(ops, modes=()):
    """Return the dump of the app-ops of one app: lines of its ops, and modes of its uid."""
    uid = ["Current AppOps Service state:", "  Uid u0a1:", *(f"      {mode}" for mode in modes), "    Package a.b:"]
    return "\n".join([*uid, *ops, "", ""])


def phone(  # noqa: PLR0913 - each is one part of the phone
    capture_of,
    *,
    runtime=(),
    ops=(),
    modes=(),
    requested=(),
    sdk=30,
    installed="true",
    behind="\nPackage Changes:\n",
    rom="",
):
    """Gather the facts of a phone with one app: runtime permission lines, app-op lines, uid modes and requests."""
    lists = [("    requested permissions:", requested, "      "), ("      runtime permissions:", runtime, "        ")]
    told = ["\n".join([title, *(f"{indent}{P}{row}" for row in rows)]) if rows else "" for title, rows, indent in lists]
    head = f"Packages:\n  Package [a.b] (1):\n    userId=10001\n{told[0]}\n    User 0: installed={installed}\n"
    text = f"{head}{told[1]}{behind}"
    appops = appops_dump(ops, modes)
    properties = f"[ro.build.version.sdk]: [{sdk}]\n[persist.sys.timezone]: [Europe/Berlin]\n{rom}"
    return facts.gather_facts(capture_of({"packages": text, "appops": appops, "properties": properties}))


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
def test_permission_opens_its_data_class(capture_of, runtime, data, state, ways):
    access = only(phone(capture_of, runtime=[runtime])).access
    assert (access[data].state, access[data].ways) == (state, ways)
    assert not any(other.state.allows_reading for kind, other in access.items() if kind is not data)


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
        ((), ["      MIUIOP(10029) (ignore): "], AccessState.CAN_READ),  # no system but MIUI has this op
        ((), ["      READ_SMS (ignore): "], AccessState.CAN_READ),
    ],
)
def test_app_op_overrides_the_grant(capture_of, modes, ops, state):
    app = only(phone(capture_of, runtime=["READ_CONTACTS: granted=true"], modes=modes, ops=ops))
    assert app.access[DataClass.CONTACTS].state is state


@pytest.mark.parametrize("name", ["ro.miui.ui.version.name]: [V14", "ro.mi.os.version.name]: [OS2.0"])
def test_miuis_op_for_empty_data_blocks_on_miui(capture_of, name):
    ops, rom = ["      MIUIOP(10029) (ignore): "], f"[{name}]\n"
    app = only(phone(capture_of, runtime=["READ_CONTACTS: granted=true"], ops=ops, rom=rom))
    assert app.access[DataClass.CONTACTS].state is AccessState.BLOCKED


@pytest.mark.parametrize(("sdk", "state"), [(28, AccessState.BLOCKED), (29, AccessState.CAN_READ)])
def test_receive_sms_op_decides_over_mms_up_to_android_9(capture_of, sdk, state):
    app = only(phone(capture_of, sdk=sdk, runtime=["RECEIVE_MMS: granted=true"], modes=["RECEIVE_SMS: mode=ignore"]))
    assert app.access[DataClass.SMS].state is state


def test_printed_switch_op_decides(capture_of):
    ops = ["      RECEIVE_MMS (allow / switch RECEIVE_SMS=ignore): "]
    assert (
        only(phone(capture_of, runtime=["RECEIVE_MMS: granted=true"], ops=ops)).access[DataClass.SMS].state
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
def test_requested_state_decides_between_not_allowed_and_not_requested(capture_of, requested, runtime, state):
    assert only(phone(capture_of, requested=requested, runtime=runtime)).access[DataClass.CONTACTS].state is state


def test_app_not_installed_for_the_user_is_left_out(capture_of):
    assert phone(capture_of, runtime=["READ_CONTACTS: granted=true"], installed="false").apps == ()


def test_permission_missing_from_truncated_dump_is_unknown(capture_of):
    told = only(phone(capture_of, runtime=["READ_CONTACTS: granted=true"], behind="")).access
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
def test_missing_event_is_no_record_only_in_complete_appops(capture_of, ops, history, seconds):
    access = only(phone(capture_of, runtime=["READ_CONTACTS: granted=true"], ops=ops)).access[DataClass.CONTACTS]
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
def test_event_age_is_elapsed_time_across_a_clock_change(now, age, expected):
    moment = DumpClock(now=now, zone=now.tzinfo).event_time(AppOpEvent(age, None, 0))
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
def test_event_time_without_clock_is_the_printed_time(zone, local, expected):
    moment = DumpClock(now=None, zone=zone).event_time(AppOpEvent(timedelta(hours=1), local, 0))
    assert (moment.isoformat() if moment else None) == expected


def test_no_event_has_no_time():
    assert DumpClock(now=None, zone=None).event_time(None) is None


# --- who read, who was turned away, how far back ----------------------------------------------------------------------

EVENT = "          {}: [{}] 2026-01-09 08:42:00.000 ({})"


def tagged(*events):
    return ["      READ_CONTACTS (allow): ", "        null=[", *events, "        ]"]


@pytest.mark.parametrize(
    ("flags", "by"),
    [
        ("top-s", ReadBy.ITSELF),
        ("top-tpd", ReadBy.THROUGH_ANOTHER),
        ("bg-upd", ReadBy.THROUGH_ANOTHER),
        ("bg-tp", ReadBy.FOR_ANOTHER),
        ("fgsvc-up", ReadBy.FOR_ANOTHER),
        ("top-s|tpd", ReadBy.ITSELF),
        ("top-x", None),
    ],
)
def test_op_flags_tell_who_read_the_data(capture_of, flags, by):
    told = only(
        phone(capture_of, runtime=["READ_CONTACTS: granted=true"], ops=tagged(EVENT.format("Access", flags, "-1h")))
    )
    access = told.access[DataClass.CONTACTS]
    assert (access.history, access.last_read_by) == (History.RECORDED, by)


def test_latest_event_tells_who_read_the_data(capture_of):
    events = (EVENT.format("Access", "bg-s", "-9h"), EVENT.format("Access", "top-tpd", "-1h"))
    access = only(phone(capture_of, runtime=["READ_CONTACTS: granted=true"], ops=tagged(*events))).access[
        DataClass.CONTACTS
    ]
    assert (access.last_read_age_s, access.last_read_by) == (3600, ReadBy.THROUGH_ANOTHER)


def test_last_refusal_is_reported(capture_of):
    ops = tagged(EVENT.format("Access", "top-s", "-9h"), EVENT.format("Reject", "top-s", "-2h").replace("] 2", "]2"))
    access = only(phone(capture_of, runtime=["READ_CONTACTS: granted=false"], ops=ops)).access[DataClass.CONTACTS]
    assert (access.last_read_age_s, access.last_refused_age_s) == (9 * 3600, 2 * 3600)
    assert access.last_refused is not None


@pytest.mark.parametrize(
    ("first", "since"),
    [("2025-06-01 10:00:00", "2026-01-09T08:42:00"), ("2026-01-09 20:00:00", "2026-01-09T20:00:00")],
)
def test_history_since_is_the_oldest_event_or_the_installation(capture_of, first, since):
    text = (
        f"Packages:\n  Package [a.b] (1):\n    userId=10001\n    firstInstallTime={first}\n"
        f"    User 0: installed=true\n      runtime permissions:\n        {P}READ_CONTACTS: granted=true\n"
        "\nPackage Changes:\n"
    )
    appops = appops_dump(tagged(EVENT.format("Access", "top-s", "-1d")))
    told = only(facts.gather_facts(capture_of({"packages": text, "appops": appops}))).access[DataClass.SMS]
    assert told.history_since.isoformat() == since


# --- beside the three kinds of data -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runtime", "modes", "sdk", "data", "state"),
    [
        (["ACCESS_FINE_LOCATION: granted=true"], (), 28, OtherDataClass.LOCATION, AccessState.CAN_READ),
        (
            ["ACCESS_FINE_LOCATION: granted=true", "ACCESS_BACKGROUND_LOCATION: granted=false"],
            (),
            34,
            OtherDataClass.LOCATION,
            AccessState.ONLY_WHILE_OPEN,
        ),
        (
            ["ACCESS_FINE_LOCATION: granted=true"],
            ["FINE_LOCATION: mode=foreground"],
            30,
            OtherDataClass.LOCATION,
            AccessState.ONLY_WHILE_OPEN,
        ),
        (["READ_PHONE_STATE: granted=true"], (), 34, OtherDataClass.PHONE, AccessState.CAN_READ),
        (["READ_MEDIA_IMAGES: granted=true"], (), 34, OtherDataClass.MEDIA, AccessState.CAN_READ),
        (["CAMERA: granted=true"], (), 29, OtherDataClass.APP_LIST, AccessState.CAN_READ),  # needs no permission
        (["CAMERA: granted=true"], (), 34, OtherDataClass.APP_LIST, AccessState.NOT_ALLOWED),
        (["QUERY_ALL_PACKAGES: granted=true"], (), 34, OtherDataClass.APP_LIST, AccessState.CAN_READ),
    ],
)
def test_other_data_classes(capture_of, runtime, modes, sdk, data, state):
    assert only(phone(capture_of, runtime=runtime, modes=modes, sdk=sdk)).other_access[data].state is state


def test_external_storage_opens_nothing_for_apps_targeting_android_13(capture_of):
    text = (
        "Packages:\n  Package [a.b] (1):\n    appId=10001\n    versionCode=1 minSdk=23 targetSdk={}\n"
        f"    User 0: installed=true\n      runtime permissions:\n        {P}READ_EXTERNAL_STORAGE: granted=true\n"
        "\nPackage Changes:\n"
    )
    states = {}
    for target in (32, 33):
        capture = capture_of({"packages": text.format(target), "properties": "[ro.build.version.sdk]: [34]\n"})
        states[target] = only(facts.gather_facts(capture)).other_access[OtherDataClass.MEDIA].state
    assert states == {32: AccessState.CAN_READ, 33: AccessState.NOT_ALLOWED}


# --- routes beside the permissions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "op", "kind"),
    [
        ("SYSTEM_ALERT_WINDOW", "SYSTEM_ALERT_WINDOW", "overlay"),
        ("PACKAGE_USAGE_STATS", "GET_USAGE_STATS", "usage"),
        ("MANAGE_EXTERNAL_STORAGE", "MANAGE_EXTERNAL_STORAGE", "all_files"),
        ("REQUEST_INSTALL_PACKAGES", "REQUEST_INSTALL_PACKAGES", "install_packages"),
    ],
)
@pytest.mark.parametrize(
    ("granted", "mode", "holds"),
    [("false", "allow", True), ("false", None, False), ("true", None, True), ("true", "ignore", False)],
)
def test_special_access_decided_by_app_op(capture_of, name, op, kind, granted, mode, holds):
    ops = [f"      {op} ({mode}): "] if mode else []
    gathered = phone(capture_of, runtime=[f"{name}: granted={granted}"], ops=ops)
    app = only(gathered)
    assert [one.kind for one in app.special_access] == ([kind] if holds else [])
    assert bool(gathered.locations.get(("a.b", 0, kind))) is holds
    reached = {"usage": OtherDataClass.APP_LIST, "all_files": OtherDataClass.MEDIA}
    if holds and kind in reached:
        assert kind in app.other_access[reached[kind]].ways


@pytest.mark.parametrize(
    ("settings", "ways"),
    [
        ("sms_default_application=a.b", {DataClass.SMS: ("default_sms",)}),
        ("dialer_default_application=a.b", {DataClass.CALL_LOG: ("default_phone",)}),
        ("enabled_notification_listeners=a.b/.L", {DataClass.SMS: ("notification_listener",)}),
        ("enabled_accessibility_services=a.b/.S", dict.fromkeys(DataClass, ("accessibility",))),
        ("default_input_method=a.b/.K", {}),
    ],
)
def test_special_access_adds_a_route_beside_a_denied_permission(capture_of, settings, ways):
    text = "Packages:\n  Package [a.b] (1):\n    userId=10001\n    User 0: installed=true\n\nPackage Changes:\n"
    app = only(facts.gather_facts(capture_of({"packages": text, "settings.0": f"{settings}\n"})))
    assert {data: access.ways for data, access in app.access.items() if access.ways} == ways
    assert not any(access.state.allows_reading for access in app.access.values())


# --- groups -----------------------------------------------------------------------------------------------------------


def test_every_requested_permission_has_permission_info():
    assert set(SPECIAL_PERMISSIONS) < set(PERMISSION_INFO)
    assert PERMISSION_INFO[f"{P}ACCESS_FINE_LOCATION"].op == "FINE_LOCATION"


@pytest.mark.parametrize(
    ("name", "sdk", "group"),
    [
        ("READ_CALL_LOG", 27, PermissionGroup.PHONE),
        ("READ_CALL_LOG", 28, PermissionGroup.CALL_LOG),
        ("PROCESS_OUTGOING_CALLS", 26, PermissionGroup.PHONE),
        ("GET_ACCOUNTS", 34, PermissionGroup.CONTACTS),
        ("SEND_SMS", 23, PermissionGroup.SMS),
        ("CAMERA", 34, None),
    ],
)
def test_permission_groups_by_android_version(name, sdk, group):
    assert group_of_permission(f"{P}{name}", sdk) is group
