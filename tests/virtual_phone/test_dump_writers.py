"""Rendered text against the rules of Android's formats, and line by line against what real devices printed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from privaudit.capture.questions import PERMISSIONS
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import package_dump as render_package_dump
from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.dump_writers.package_dump import PackageBlockWriter
from privaudit.virtual_phone.release import FLAG_BITS, array_map_order, java_hash, layout_of
from privaudit.virtual_phone.scenario.schema import parse_age
from privaudit.virtual_phone.scenario.virtual import (
    AndroidUser,
    InstallPermission,
    VirtualApp,
    VirtualGrant,
    VirtualInstall,
    VirtualOp,
    VirtualOpEvent,
)

_P = "android.permission."
_SENSITIVE = ("USER_SENSITIVE_WHEN_GRANTED", "USER_SENSITIVE_WHEN_DENIED")
_EXEMPT = ("RESTRICTION_INSTALLER_EXEMPT", "RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT")
_GESTURES = "/product/overlay/NavigationBarModeGestural/NavigationBarModeGesturalOverlay.apk"
_BUTTONS = "/product/overlay/NavigationBarMode3Button/NavigationBarMode3ButtonOverlay.apk"

PERMISSION = re.compile(r"^\s*(\S+): granted=(true|false)(?:, flags=\[ ?([^\]]*)\])?(?:, userId=(\d+))?\s*$")
UID = re.compile(r"^  Uid (\d+|u\d+(?:a|s|i|ai)\d+):$")
PKG = re.compile(r"^    Package (\S+?)(?::| isPrivileged: ?)$")
UID_MODE = re.compile(r"^      ([A-Z][A-Z0-9_]*(?:\(\d+\))?): mode=(\w+)$")
OP = re.compile(
    r"^      ([A-Z][A-Z0-9_]*(?:\(\d+\))?) \((\w+|mode=\d+)(?: / switch ([A-Z0-9_]+)=(\w+|mode=\d+))?\):\s*$"
)
EVENT = re.compile(
    r"^\s+(Access|Reject): \[([a-z]+)-([a-z|]+)\] ?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \(([^)]*)\)"
    r"(?: duration=(\S+))?(?: proxy\[(.*)\])?$"
)
LISTED = re.compile(
    r"^package:(?:(?P<path>/\S+)=)?(?P<pkg>[A-Za-z0-9_.]+)(?: versionCode:(?P<vc>\d+))?(?: stopped=(?P<st>true|false))?"
    r"(?:  installer=(?P<inst>\S+))?(?: uid:(?P<uid>[\d,]+))?\s*$"
)
OTHER_UID_LINES = re.compile(
    r"    state=[a-z]+|    capability=\S+|    appWidgetVisible=false|    foregroundOps:|"
    r"      [A-Z_]+: (SILENT|WATCHER)|    hasForegroundWatchers=(true|false)|        \S+=\[|        \]|"
)


@pytest.fixture(scope="module")
def phone():
    return load_scenario("borrower")


@pytest.fixture(scope="module")
def now(phone):
    return datetime(2026, 1, 10, 15, 42, tzinfo=phone.time_zone)


def _flags(*names):
    return sum(FLAG_BITS[name] for name in names)


def _grant(name, *names, granted=True):
    return VirtualGrant(name=_P + name, granted=granted, flags=_flags(*names))


def _without_hashes(lines):
    """Identity hashes differ on every boot."""
    return [re.sub(r"(?<=[{(])[0-9a-f]{5,8}(?=[ )])", "#", line) for line in lines]


# --- real devices ----------------------------------------------------------------------------------------------------


def test_graphene_13_package_block(samples, phone):
    text = (samples / "graphene-android13-excerpt/dumpsys_package_block.txt").read_text("utf-8")
    notify = _grant("POST_NOTIFICATIONS", "SYSTEM_FIXED", "GRANTED_BY_DEFAULT", *_SENSITIVE)
    app = VirtualApp(
        package="com.android.documentsui",
        app_id=10030,
        code_path="/system/priv-app/DocumentsUI",
        abi=None,
        extract_native_libs=True,
        version_code=33,
        version_name="13",
        min_sdk=30,
        target_sdk=30,
        flags=("SYSTEM", "HAS_CODE", "ALLOW_CLEAR_USER_DATA", "ALLOW_BACKUP", "KILL_AFTER_RESTORE"),
        private_flags=("PRIVILEGED",),
        updated=datetime.fromisoformat("2009-01-01"),
        declared_permissions={
            "com.android.documentsui.DYNAMIC_RECEIVER_NOT_EXPORTED_PERMISSION": "signature, INSTALLED"
        },
        requested_permissions=(_P + "WAKE_LOCK",),
        install_permissions=tuple(
            InstallPermission(name=_P + name) for name in ("WAKE_LOCK", "FOREGROUND_SERVICE", "QUERY_ALL_PACKAGES")
        ),
        installs={
            0: VirtualInstall(
                user=0,
                ce_inode=1580,
                first_installed=datetime.fromisoformat("2009-01-01"),
                overlays=(_BUTTONS, "/data/resource-cache/com.android.systemui-neutral-LxaV.frro"),
                legacy_overlays=(_BUTTONS,),
                grants=(_grant("OTHER_SENSORS", *_SENSITIVE), notify),
            ),
            10: VirtualInstall(
                user=10, ce_inode=3262, first_installed=datetime.fromisoformat("1970-01-01T01:00:00"), grants=(notify,)
            ),
        },
    )
    users = tuple(AndroidUser(id=user, name="", flags=0) for user in (0, 10))
    block = PackageBlockWriter(replace(phone, sdk=33, users=users)).block("package", app)
    rendered = _without_hashes(block.splitlines())
    original = _without_hashes(text.splitlines())
    # One line cannot be equal: it holds the hash of the maker's certificate.
    differ = [pair for pair in zip(rendered, original, strict=True) if pair[0] != pair[1]]
    assert [line.split("=")[0].strip() for line, _ in differ] == ["signatures"]


def test_pixel_16_users_and_permissions(samples, phone):
    writer = PackageBlockWriter(replace(phone, sdk=36))
    lines = (samples / "pixel9a-android16-excerpt/dumpsys_package_block.txt").read_text("utf-8").splitlines()
    owner = VirtualInstall(
        user=0,
        ce_inode=3924,
        de_inode=1398,
        first_installed=datetime.fromisoformat("2025-06-25T15:00:31"),
        overlays=(_GESTURES, "/data/resource-cache/com.android.systemui-neutral-LHu4.frro"),
        legacy_overlays=(_GESTURES,),
        last_disabled_caller="com.android.vending",
        gids=(1005, 3002, 3003, 3001),
        grants=(
            _grant("READ_SMS", "GRANTED_BY_DEFAULT", *_SENSITIVE, *_EXEMPT),
            _grant("READ_CALL_LOG", "GRANTED_BY_DEFAULT", *_SENSITIVE, *_EXEMPT),
            _grant("ACCESS_FINE_LOCATION", "USER_SET", *_SENSITIVE, "524288", granted=False),
            _grant(
                "ACCESS_COARSE_LOCATION", "USER_SET", "REVOKED_COMPAT", "GRANTED_BY_DEFAULT", *_SENSITIVE, granted=False
            ),
            _grant("READ_CONTACTS", "GRANTED_BY_DEFAULT", *_SENSITIVE),
            _grant("CAMERA", *_SENSITIVE, granted=False),
        ),
        disabled_components=(
            (
                "com.google.android.apps.search.assistant.surfaces.voice.ui.interpreter.shortcut."
                "InterpreterAddShortcutActivity"
            ),
        ),
        enabled_components=(
            "com.google.android.apps.search.googleapp.saves.savefeature.sharereceiver.SavesShareReceiver",
        ),
    )
    private = VirtualInstall(
        user=10,
        installed=False,
        uninstall_reason=1,
        first_installed=datetime.fromisoformat("1969-12-31T18:00:00"),
        overlays=("/data/resource-cache/com.android.systemui-neutral-LHu4.frro",),
        gids=(1005, 3002, 3003, 3001),
        grants=(_grant("READ_SMS", "RESTRICTION_UPGRADE_EXEMPT", granted=False),),
    )
    app = VirtualApp(
        package="com.google.android.googlequicksearchbox",
        app_id=10190,
        code_path="/product/priv-app/Velvet",
        version_code=1,
        version_name="1",
        updated=datetime.fromisoformat("2025-06-25"),
    )
    rendered = [line for install in (owner, private) for line in writer.block("user_state", app, install).splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("    User 0:"))
    # The excerpt's permissions were copied by hand in another order.
    assert sorted(rendered) == sorted(lines[start:])

    install_permissions = (
        InstallPermission(name=_P + "REAL_GET_TASKS"),
        InstallPermission(name=_P + "WRITE_SMS"),
        InstallPermission(name=_P + "CHANGE_WIFI_STATE", flags=_flags("USER_SET")),
        InstallPermission(name=_P + "CHANGE_WIFI_STATE", user=10),
        InstallPermission(name=_P + "SCHEDULE_EXACT_ALARM", flags=_flags("USER_SET")),
        InstallPermission(name=_P + "SCHEDULE_EXACT_ALARM", user=10),
        InstallPermission(name=_P + "WAKE_LOCK"),
    )
    at = lines.index("    install permissions:")
    assert writer.block("install_permissions", install_permissions).splitlines() == lines[at:start]


def test_pixel_16_user_list(samples, phone):
    text = (samples / "pixel9a-android16-excerpt/pm_list_users.txt").read_text("utf-8")
    users = (
        AndroidUser(id=0, name="Owner", flags=0x4C13),
        AndroidUser(id=10, name="Private space", flags=0x1090, running=False),
    )
    assert render.format_user_list(replace(phone, users=users)).splitlines() == text.splitlines()


def test_sunmi_11_app_ops(samples):
    lines = (samples / "sunmi-android11-appops-excerpt/dumpsys_appops_excerpt.txt").read_text("utf-8").splitlines()
    now = datetime.fromisoformat("2021-01-11T17:06:32.765")

    def event(age, state="fg", *, rejected=False, duration=None):
        length = None if duration is None else parse_age(duration)
        return VirtualOpEvent(age=parse_age(age), state=state, rejected=rejected, duration=length)

    ops = (
        VirtualOp(name="CHANGE_WIFI_STATE", events=(event("1h5m30s805ms"),)),
        VirtualOp(name="COARSE_LOCATION"),
        VirtualOp(
            name="FINE_LOCATION",
            events=(
                event("2h4m19s930ms", "cch", rejected=True),
                event("5h52m44s873ms", rejected=True),
                event("1h5m27s679ms"),
            ),
        ),
        VirtualOp(
            name="MONITOR_LOCATION",
            events=(event("1h7m5s600ms", duration="1m37s966ms"), event("5h49m58s900ms", rejected=True)),
        ),
    )
    app = VirtualApp(
        package="com.sunmi.baseservice",
        app_id=10119,
        code_path="/system/app/BaseService",
        version_code=1,
        version_name="1",
        updated=datetime.fromisoformat("2020-01-01"),
    )
    install = VirtualInstall(
        user=0,
        first_installed=datetime.fromisoformat("2020-01-01"),
        process_state="bg",
        uid_modes={"LEGACY_STORAGE": "ignore"},
        ops=ops,
    )
    rendered = list(render_appops.AppOpsWriter(layout_of(30), now).uid_lines((0, 10119), [(app, install)]))
    start = lines.index("  Uid u0a119:")
    assert rendered == [line for line in lines[start:] if line]


def test_array_map_order():
    # As a real Android 14 lists them; a HashMap or the alphabet would not.
    names = [
        "POST_NOTIFICATIONS",
        "READ_MEDIA_VISUAL_USER_SELECTED",
        "INTERNET",
        "READ_EXTERNAL_STORAGE",
        "READ_MEDIA_IMAGES",
        "READ_MEDIA_AUDIO",
        "READ_MEDIA_VIDEO",
        "WRITE_EXTERNAL_STORAGE",
    ]
    full = [_P + name for name in names]
    assert array_map_order(sorted(full)) == full
    assert java_hash("polygenelubricants") == -(2**31)
    assert java_hash("速贷宝") == ((0x901F * 31 + 0x8D37) * 31 + 0x5B9D + 2**31) % 2**32 - 2**31


# --- the story, against the rules ------------------------------------------------------------------------------------


def test_app_op_lines_have_androids_formats(phone, now):
    lines = render_appops.format_appops_dump(phone, now).splitlines()
    assert lines[:2] == ["Current AppOps Service state:", "  Settings:"]
    start = next(number for number, line in enumerate(lines) if UID.match(line))
    rules = (UID, PKG, UID_MODE, OP, EVENT, OTHER_UID_LINES)
    assert [line for line in lines[start:] if not any(rule.fullmatch(line) for rule in rules)] == []
    assert "  Uid u999a121:" in lines
    assert "      READ_CONTACTS: mode=ignore" in lines


def test_event_times_are_the_clock_minus_the_age(phone, now):
    events = [
        found for line in render_appops.format_appops_dump(phone, now).splitlines() if (found := EVENT.match(line))
    ]
    assert len(events) > 50
    for event in events:
        when = datetime.strptime(event[4], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=phone.time_zone)
        assert event[5].startswith("-")
        assert now - parse_age(event[5][1:]) == when


def test_events_of_the_borrower_scenario(phone, now):
    text = render_appops.format_appops_dump(phone, now)
    assert "          Access: [top-s] 2026-01-08 21:13:47.696 (-1d18h28m12s304ms)\n" in text
    assert "          Reject: [top-s]2026-01-07 19:27:50.934 (-2d20h14m9s66ms)\n" in text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0"),
        (timedelta(microseconds=900), "0"),
        (timedelta(seconds=5), "+5s0ms"),
        (timedelta(days=1, milliseconds=7), "+1d0h0m0s7ms"),
        (-timedelta(minutes=2, seconds=3), "-2m3s0ms"),
    ],
)
def test_durations(length, text):
    assert render.format_duration(length) == text


@pytest.mark.parametrize(
    ("user", "app_id", "word"),
    [(0, 1000, "1000"), (0, 10119, "u0a119"), (999, 10120, "u999a120"), (999, 1000, "u999s1000")],
)
def test_uid_formats(user, app_id, word):
    assert render.format_uid(user, app_id) == word


def test_permission_dump_is_limited_to_its_names(phone):
    text = render_package_dump.format_permission_dump(phone, PERMISSIONS)
    states = [found for line in text.splitlines() if (found := PERMISSION.match(line))]
    assert {state[1] for state in states} <= set(PERMISSIONS)
    assert "Hidden system packages:" not in text
    assert "resourcePath=" not in text
    assert "Package [com.example.loancalculator]" not in text
    assert [line for line in text.splitlines() if re.match(r"\S", line)] == [
        "Permissions:",
        "AppOp Permissions:",
        "Packages:",
        "Shared users:",
    ]


def test_shared_uid_holds_runtime_permissions_of_its_packages(phone):
    text = render_package_dump.format_permission_dump(phone, PERMISSIONS)
    block = text.split("  Package [com.android.providers.userdictionary]")[1].split("  Package [")[0]
    assert "sharedUser=SharedUserSetting{" in block
    assert "    User 0: ceDataInode=" in block
    assert "runtime permissions:" not in block
    shared = text.split("  SharedUser [android.uid.shared]")[1]
    assert "    User 0: \n" in shared
    assert f"        {_P}READ_CALL_LOG: granted=true, flags=[ SYSTEM_FIXED|GRANTED_BY_DEFAULT|" in shared


def test_full_dump_omits_requested_permissions(phone):
    text = render_package_dump.format_package_dump(phone)
    assert "requested permissions:" not in text
    assert text.count("  Package [com.example.browser]") == 2
    assert text.index("Hidden system packages:") < text.rindex("  Package [com.example.browser]")


def test_single_package_dump_has_requested_permissions(phone):
    text = render_package_dump.format_single_package_dump(phone, "com.example.sudaibao")
    requested = text.split("    requested permissions:\n")[1].split("    install permissions:")[0]
    assert tuple(requested.split()) == phone.find_app("com.example.sudaibao").requested_permissions
    assert (
        render_package_dump.format_single_package_dump(phone, "com.example.nobody")
        == "Unable to find package: com.example.nobody\n"
    )


def test_grant_of_a_user_without_the_app(phone):
    text = render_package_dump.format_single_package_dump(phone, "com.example.chat")
    clone = text.split("    User 999: ")[1]
    assert clone.startswith("ceDataInode=0 installed=false ")
    assert f"        {_P}READ_CONTACTS: granted=true, " in clone


def test_package_list_lines(phone):
    apps = [(app, (0, 999)) for app in phone.apps]
    lines = render.format_package_list(apps, path=True, version=True, installer=True, uid=True).splitlines()
    found = {match["pkg"]: match for line in lines if (match := LISTED.match(line))}
    assert len(found) == len(phone.apps)
    sudaibao = phone.find_app("com.example.sudaibao")
    assert found["com.example.sudaibao"]["inst"] == "null"
    assert found["com.example.sudaibao"]["path"] == sudaibao.apk_path
    assert found["com.example.sudaibao"]["uid"] == f"{sudaibao.app_id},{99_900_000 + sudaibao.app_id}"


def test_role_dump_nesting(phone):
    one = render.format_role_dump(replace(phone, users=phone.users[:1]))
    assert one.startswith("ROLE STATE (dumpsys role):\n{\n  user_states={\n    user_id=0\n")
    several = render.format_role_dump(phone)
    assert several.startswith("ROLE STATE (dumpsys role):\n{\n  user_states=[\n    {\n      user_id=0\n")
    assert "          name=android.app.role.SMS\n" in several
    assert several.count("{") == several.count("}")
    two = render.format_role_dump(replace(phone, users=phone.users[:1], roles={0: {"r": ("a", "b")}}))
    assert (
        "    roles={\n      name=r\n      fallback_enabled=true\n      holders=[\n        a\n        b\n      ]\n"
        in two
    )


def test_identity_hashes_are_stable():
    assert re.fullmatch(r"[0-9a-f]{1,7}", render.fake_identity_hash("a"))
    assert render.fake_identity_hash("a") == render.fake_identity_hash("a") != render.fake_identity_hash("b")
