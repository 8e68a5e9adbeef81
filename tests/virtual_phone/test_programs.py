"""The demo phone's programs: what they print, on which stream, with which exit status."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from privaudit.capture.scripts import first_round
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_files, build_programs
from privaudit.virtual_phone.shell import Shell

_NOW = datetime(2026, 1, 10, 7, 41, 57, tzinfo=UTC)


@pytest.fixture(scope="module")
def phone():
    return load_scenario("borrower")


@pytest.fixture(scope="module")
def run(phone):
    table = build_programs(phone, now=_NOW)

    def run(line):
        words = line.split()
        result = table[words[0]](words, b"")
        return result.out.decode(), result.err.decode(), result.code

    return run


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("date +%s", "1768030920\n"),
        ("date", "Sat Jan 10 15:42:00 CST 2026\n"),
        ("date -u +%F %T", "2026-01-10\n"),
        ("getprop ro.build.version.sdk", "34\n"),
        ("getprop ro.nothing", "\n"),
        ("getprop ro.nothing fallback", "fallback\n"),
        ("settings get secure accessibility_enabled", "1\n"),
        ("settings --user 999 get secure accessibility_enabled", "0\n"),
        ("settings get --user 999 global adb_enabled", "1\n"),
        ("settings --user 0 get secure nothing", "null\n"),
        ("am get-current-user", "0\n"),
        ("cmd role get-role-holders --user 0 android.app.role.SMS", "com.android.messaging\n"),
        ("cmd role get-role-holders android.app.role.ASSISTANT", "\n"),
        ("pm list packages -3 --user 999", "package:com.example.kuaiyihua\n"),
        ("pm list packages -d --user 0", "package:com.example.oldmarket\n"),
        ("pm list packages --user 0 headlines", ""),
        ("pm list packages -u --user 0 headlines", "package:com.example.headlines\n"),
        ("pm list packages -i --user 0 sudaibao", "package:com.example.sudaibao  installer=null\n"),
        ("pm list packages --user 77", ""),
        ("cmd appops get --user 999 com.example.kuaiyihua READ_CONTACTS", "Uid mode: READ_CONTACTS: ignore\n"),
        ("cmd appops get com.example.kuaiyihua READ_CONTACTS", "No operations.\nDefault mode: allow\n"),
        ("dumpsys package nobody.at.all", "Unable to find package: nobody.at.all\n"),
        ("dumpsys package check-permission android.permission.READ_SMS com.example.sudaibao", "0\n"),
        ("dumpsys package check-permission android.permission.READ_SMS com.example.anxin 0", "-1\n"),
        ("dumpsys appops --package nobody", "Unknown package: nobody\n"),
        ("dumpsys appops --nothing", "Unknown option: --nothing\n"),
    ],
)
def test_answers(run, line, out):
    line = line.replace("%F %T", "%F")
    assert run(line) == (out, "", 0)


@pytest.mark.parametrize(
    ("line", "out", "err", "code"),
    [
        ("pm list packages --nothing", "Error: Unknown option: --nothing\n", "", 255),
        ("pm list nothing", "Error: unknown list type 'nothing'\n", "", 255),
        ("pm nothing", "Unknown command: nothing\n", "", 255),
        ("pm path nobody.at.all", "", "", 1),
        ("dumpsys nothing", "", "Can't find service: nothing\n", 0),
        ("cmd nothing", "", "cmd: Can't find service: nothing\n", 20),
        ("cmd appops get nobody", "", "Error: No UID for nobody in user 0\n", 255),
        ("cmd appops get --user 999 com.example.bank", "", "Error: No UID for com.example.bank in user 999\n", 255),
        ("settings get private key", "", "Invalid namespace 'private'\n", 255),
    ],
)
def test_refusals(run, line, out, err, code):
    assert run(line) == (out, err, code)


@pytest.mark.parametrize("line", ["pm list packages --user x", "pm list packages --user", "appops get --user -1 a.b"])
def test_wrong_users_are_exceptions(run, line):
    out, err, code = run(line)
    assert (out, code) == ("", 255)
    assert "Exception occurred while executing '" in err


@pytest.mark.parametrize("name", sorted(build_programs(load_scenario("borrower"))))
@pytest.mark.parametrize("words", [[], ["-"], ["get"], ["list"], ["package", "permission"], ["-t"], ["\udcff"]])
def test_programs_never_raise(phone, name, words):
    assert 0 <= build_programs(phone)[name]([name, *words], b"").code <= 255


def test_cmd_and_direct_commands_agree(run):
    assert run("cmd package list packages -f --user 0") == run("pm list packages -f --user 0")
    assert run("cmd user list") == run("pm list users")
    assert "\n1: id=999, name=" in run("cmd user list -v")[0]
    assert ", type=profile.CLONE, flags=INITIALIZED|PROFILE" in run("cmd user list -v")[0]
    assert run("dumpsys -t 60 package") == run("dumpsys package")
    assert run("appops get com.example.anxin") == run("cmd appops get com.example.anxin")


def test_dumpsys_frames_each_service(run):
    text = run("dumpsys")[0]
    assert text.count("\nDUMP OF SERVICE ") == 4
    assert "was the duration of dumpsys role, ending at: 2026-01-10 15:42:00\n" in text


def test_clock_runs_by_default(phone):
    before = datetime.now(UTC).timestamp()
    shown = int(build_programs(phone)["date"](["date", "+%s"], b"").out)
    assert -1 <= shown - before - phone.clock_offset.total_seconds() <= 60


def test_files(phone):
    files = build_files(phone)
    assert b"ro.product.model=Demo Phone" in files["/system/build.prop"]
    app = phone.find_app("com.example.anxin")
    assert files[app.apk_path].startswith(b"PK")
    assert files[app.apk_paths[1]].startswith(b"This is no APK")
    assert "/product/app/Browser/Browser.apk" in files


def test_first_round_of_an_audit_is_answered(phone):
    marker = "@@0123456789abcdef"
    shell = Shell(build_programs(phone, now=_NOW), build_files(phone))
    result = shell.run_script(first_round(marker).text)
    text = result.out.decode(errors="replace")  # one answer is no text
    ends = [line.split()[2:] for line in text.splitlines() if line.startswith(f"{marker} end ")]
    assert {code for _, code in ends} == {"0"}
    assert [name for name, _ in ends][-3:] == ["installed.999", "third_party.999", "settings.999"]
    assert text.rstrip().endswith(f"{marker} done")
    assert "[ro.product.model]: [Demo Phone]" in text


# --- what older releases do not know ---------------------------------------------------------------------------------


def _run(sdk, line, *, vendor="aosp"):
    phone = replace(load_scenario("borrower"), sdk=sdk, vendor=vendor)
    words = line.split()
    table = build_programs(phone, now=_NOW)
    if words[0] not in table:
        return None
    result = table[words[0]](words, b"")
    return result.out.decode(), result.err.decode(), result.code


def test_android_6_has_no_cmd():
    assert _run(23, "cmd package list packages") is None
    assert _run(24, "cmd package list packages")[2] == 0
    assert _run(23, "appops get com.example.nobody")[1] == "Error: No UID for com.example.nobody in user 0\n"


@pytest.mark.parametrize(
    ("sdk", "option", "answer"),
    [
        (23, "-U", ("", "Error: Unknown option: -U\n", 1)),
        (25, "-U", ("Error: Unknown option: -U\n", "", 255)),
        (25, "--show-versioncode", ("Error: Unknown option: --show-versioncode\n", "", 255)),
        (27, "-a", ("Error: Unknown option: -a\n", "", 255)),
    ],
)
def test_older_releases_refuse_newer_list_options(sdk, option, answer):
    assert _run(sdk, f"pm list packages {option} --user 0") == answer
    assert _run(28, f"pm list packages {option} --user 0")[2] == 0


def test_older_releases_list_the_owners_apps_by_default():
    owner = _run(33, "pm list packages --user 0")
    assert _run(33, "pm list packages") == owner
    assert " uid:10121,99910121\n" in _run(34, "pm list packages -U")[0]


def test_dumpsys_timeout_since_android_8():
    assert _run(25, "dumpsys -t 60 package") == ("", "Can't find service: -t\n", 0)
    assert _run(26, "dumpsys -t 60 package") == _run(26, "dumpsys package")


def test_roles_since_android_10():
    assert _run(28, "dumpsys role") == ("", "Can't find service: role\n", 0)
    assert _run(28, "cmd role get-role-holders x") == ("", "cmd: Can't find service: role\n", 20)
    assert _run(29, "dumpsys role")[0].startswith("ROLE MANAGER STATE")
    assert _run(30, "cmd role get-role-holders x") == ("Unknown command: get-role-holders\n", "", 255)


@pytest.mark.parametrize(
    ("sdk", "error"),
    [
        (28, "Error: java.lang.SecurityException: Shell does not have permission to access user 999\n"),
        (29, "Security exception: Shell does not have permission to access user 999\n\n"),
        (34, "\nException occurred while executing 'list':\njava.lang.SecurityException: Shell does not have "),
    ],
)
def test_user_denied_to_the_shell(sdk, error):
    phone = load_scenario("borrower")
    users = tuple(replace(user, denied_to_shell=user.id == 999) for user in phone.users)
    table = build_programs(replace(phone, sdk=sdk, users=users), now=_NOW)
    listed = table["pm"](["pm", "list", "packages", "--user", "999"], b"")
    assert (listed.out, listed.code != 0) == (b"", True)
    assert listed.err.decode().startswith(error)
    read = table["settings"](["settings", "--user", "999", "get", "secure", "x"], b"")
    assert b"does not have permission to access user 999" in read.err
    assert table["pm"](["pm", "list", "packages", "--user", "0"], b"").code == 0


def test_appops_get_prints_uid_modes_since_android_10():
    line = "appops get --user 999 com.example.kuaiyihua READ_CONTACTS"
    assert _run(28, line) == ("No operations.\n", "", 0)
    assert _run(29, line) == ("Uid mode: READ_CONTACTS: ignore\n", "", 0)
