"""The phone itself, its clock, and its Android users."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from privaudit.dumpsys import device
from privaudit.model import UserKind

TAKEN = datetime(2026, 1, 10, 7, 42, tzinfo=UTC)

# --- users -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sdk", "expected"),
    [
        ("\tUserInfo{0:[removed]:4c13} running", 34, {0: UserKind.OWNER}),
        ("\tUserInfo{0:null:13}", 23, {0: UserKind.OWNER}),
        ("\tUserInfo{10:a:b:c}:30} running", 30, {10: UserKind.WORK_PROFILE}),
        ("\tUserInfo{10:x:1030}", 34, {10: UserKind.WORK_PROFILE}),
        ("\tUserInfo{10:x:1090}", 36, {10: UserKind.PRIVATE_SPACE}),
        ("\tUserInfo{10:x:1090}", 34, {10: UserKind.OTHER}),
        ("\tUserInfo{10:x:10}", None, {10: UserKind.OTHER}),
        ("\tUserInfo{999:x:1010}", 30, {999: UserKind.CLONE}),
        ("\tUserInfo{900:x:30}", 31, {900: UserKind.CLONE}),
        ("\tUserInfo{128:x:10}", 28, {128: UserKind.CLONE}),
        ("\tUserInfo{95:x:10}", 33, {95: UserKind.CLONE}),
        ("\tUserInfo{150:x:30}", 33, {150: UserKind.SECURE_FOLDER}),
        ("Users:", 33, {}),
        ("\tUserInfo{x:y:13}", 33, {}),
        ("\tUserInfo{999999:y:13}", 33, {}),
        ("\tUserInfo{10:y:13", 33, {}),
    ],
)
def test_user_kind_from_number_and_flags(line, sdk, expected):
    assert device.parse_users(f"Users:\n{line}\n", sdk) == expected


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("Users:\n\tUserInfo{0:x:13} running\n\n", 0),
        ("Users:\n\tUserInfo{10:x\n", 1),
        ("what?\n", 1),
        ("Users:\n  UserInfo{0:x:13} serialNo=0\n    State: x\n", 0),
    ],
)
def test_unparsed_user_lines_are_counted(text, n):
    assert device.count_unparsed_user_lines(text) == n


# --- properties ------------------------------------------------------------------------------------------------------


def test_property_value_may_span_lines():
    text = "[a.b]: [one\ntwo]\n[c]: []\n[ro.build.version.sdk]: [34]\nnoise\n"
    assert device.parse_properties(text) == {"a.b": "one\ntwo", "ro.build.version.sdk": "34"}


@pytest.mark.parametrize(
    ("said", "inferred", "expected"),
    [
        ("34", None, (34, False)),
        ("34", 30, (34, False)),
        ("", 30, (30, True)),
        ("x", None, (None, False)),
        ("\u0663\u0664", 33, (33, True)),
        ("999", 33, (33, True)),
        ("9" * 5000, 33, (33, True)),
        ("-1", None, (None, False)),
    ],
)
def test_sdk_is_read_or_inferred(said, inferred, expected):
    phone = device.phone_from_properties({"ro.build.version.sdk": said, "ro.build.version.release": "9.1"}, inferred)
    assert (phone.sdk, phone.sdk_inferred) == expected
    assert phone.android == "9.1"


@pytest.mark.parametrize(
    ("found", "languages"),
    [
        ({}, ()),
        ({"ro.product.locale": "zh-CN"}, ("zh-CN",)),
        ({"ro.product.locale": "zh-CN", "persist.sys.locale": "en-GB, fil-PH"}, ("en-GB", "fil-PH")),
        ({"persist.sys.locale": "zh-Hans-CN"}, ("zh-Hans-CN",)),
        ({"persist.sys.locale": "../etc,x,de_DE"}, ()),
    ],
)
def test_owner_language_overrides_the_product_default(found, languages):
    assert device.phone_from_properties(found, None).languages == languages


# --- clock -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "date", "expected"),
    [
        ("Asia/Shanghai", "1768030923\n", ("Asia/Shanghai", 3, "2026-01-10T15:42:03+08:00")),
        (None, "1768030920", (None, 0, "2026-01-10T07:42:00+00:00")),
        ("Asia/Shanghai", "", ("Asia/Shanghai", None, None)),
        ("Mars/Phobos", "1768030920", (None, 0, "2026-01-10T07:42:00+00:00")),
        ("../../etc/passwd", "1768030920", (None, 0, "2026-01-10T07:42:00+00:00")),
        ("", "12", (None, None, None)),
        ("Asia/Kolkata", "date: not found", ("Asia/Kolkata", None, None)),
        ("Asia/Kolkata", "9" * 5000, ("Asia/Kolkata", None, None)),
        ("Asia/Kolkata", "999999999999", ("Asia/Kolkata", None, None)),
        ("Asia/Kolkata", "\u0661\u0667\u0666\u0668\u0660\u0663\u0660\u0669\u0662\u0660", ("Asia/Kolkata", None, None)),
    ],
)
def test_clock_offset_against_this_computer(zone, date, expected):
    found = {"persist.sys.timezone": zone} if zone is not None else {}
    clock, now = device.parse_phone_clock(found, date, TAKEN)
    assert (clock.zone, clock.offset_s, now.isoformat() if now else None) == expected
