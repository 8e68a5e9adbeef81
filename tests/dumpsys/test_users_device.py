"""The phone itself, its clock, and its Android users."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from privaudit.dumpsys import device
from privaudit.model import UserKind

TAKEN = datetime(2026, 1, 10, 7, 42, tzinfo=UTC)

# --- users -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "user_type", "expected"),
    [
        ("\tUserInfo{0:[removed]:4c13} running", None, {0: UserKind.OWNER}),
        ("\tUserInfo{0:null:13}", "full.SYSTEM", {0: UserKind.OWNER}),
        ("\tUserInfo{10:a:b:c}:30} running", None, {10: UserKind.WORK_PROFILE}),
        ("\tUserInfo{10:x:1030}", None, {10: UserKind.WORK_PROFILE}),
        ("\tUserInfo{10:x:1010}", "profile.MANAGED", {10: UserKind.WORK_PROFILE}),
        ("\tUserInfo{10:x:1090}", "profile.PRIVATE", {10: UserKind.PRIVATE_SPACE}),
        ("\tUserInfo{10:x:1090}", None, {10: UserKind.OTHER}),  # the flag of every profile
        ("\tUserInfo{11:x:1010}", "profile.CLONE", {11: UserKind.CLONE}),
        ("\tUserInfo{11:x:1010}", "profile.OF_A_VENDOR", {11: UserKind.OTHER}),
        ("\tUserInfo{10:x:410}", "full.SECONDARY", {10: UserKind.OTHER}),
        ("\tUserInfo{998:x:4001010}", None, {998: UserKind.CLONE}),
        ("\tUserInfo{96:x:20001010}", None, {96: UserKind.CLONE}),
        ("\tUserInfo{151:x:1030}", "profile.MANAGED", {151: UserKind.SECURE_FOLDER}),
        ("\tUserInfo{999:x:1010}", None, {999: UserKind.CLONE}),
        ("\tUserInfo{900:x:30}", None, {900: UserKind.CLONE}),
        ("\tUserInfo{128:x:10}", None, {128: UserKind.CLONE}),
        ("\tUserInfo{95:x:10}", None, {95: UserKind.CLONE}),
        ("\tUserInfo{150:x:30}", None, {150: UserKind.SECURE_FOLDER}),
        ("Users:", None, {}),
        ("\tUserInfo{x:y:13}", None, {}),
        ("\tUserInfo{999999:y:13}", None, {}),
        ("\tUserInfo{10:y:13", None, {}),
    ],
)
def test_user_kind_from_type_number_and_flags(line, user_type, expected):
    number = next(iter(expected), 0)
    owner = "2 users:\n\n0: id=0, name=[removed], type=full.SYSTEM, flags=ADMIN\n"
    listed = f"{owner}1: id={number}, name=[removed], type={user_type}, flags=PROFILE (running)\n"
    assert device.parse_users(f"Users:\n{line}\n", listed if user_type else None) == expected
    dumped = f"Users:\n{line} serialNo=10\n    Type: android.os.usertype.{user_type}\n"
    assert device.parse_users(dumped if user_type else line) == expected


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


def test_many_empty_lines_are_read_once():
    """The time was the square of their number."""
    text = "Users:\n" + "\n" * 200_000 + "\tUserInfo{0:Owner:13} running\n"
    assert device.parse_users(text).keys() == {0}
