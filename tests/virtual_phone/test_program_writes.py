"""Commands that write: what each release prints, and the cases in which it prints nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.release import FLAG_BITS
from privaudit.virtual_phone.state import MutableDevice, with_app

LOAN = "com.example.sudaibao"
CONTACTS = "android.permission.READ_CONTACTS"
REVOKE = f"pm revoke --user 0 {LOAN} {CONTACTS}"


BORROWER = load_scenario("borrower")


def device_of(sdk, **properties):
    return MutableDevice(replace(BORROWER, sdk=sdk, properties={**BORROWER.properties, **properties}))


def run(phone, line):
    words = line.split()
    result = build_programs(phone)[words[0]](words, b"")
    return result.out.decode(), result.err.decode(), result.code


def with_flag(phone, flag):
    app = phone.phone.find_app(LOAN)
    install = app.installs[0]
    grants = tuple(replace(grant, flags=grant.flags | FLAG_BITS[flag]) for grant in install.grants)
    phone.update(lambda now: with_app(now, replace(app, installs={**app.installs, 0: replace(install, grants=grants)})))
    return phone


@pytest.mark.parametrize("sdk", [23, 24, 26, 28, 29, 30, 33, 34, 36])
def test_revoke_prints_nothing_when_it_works(sdk):
    phone = device_of(sdk)
    assert run(phone, REVOKE) == ("", "", 0)
    (grant,) = [one for one in phone.phone.find_app(LOAN).installs[0].grants if one.name == CONTACTS]
    assert not grant.granted
    # App-ops follow from Android 10 on.
    assert ("READ_CONTACTS" in phone.phone.find_app(LOAN).installs[0].uid_modes) == (sdk >= 29)


@pytest.mark.parametrize(
    ("sdk", "start"),
    [
        (24, "Operation not allowed: java.lang.SecurityException: Non-System UID cannot revoke system fixed"),
        (28, "Security exception: Non-System UID cannot revoke system fixed permission"),
        (30, "\nException occurred while executing 'revoke':\njava.lang.SecurityException: Non-System UID"),
        (34, "\nException occurred while executing 'revoke':\njava.lang.SecurityException: Non-System UID"),
    ],
)
def test_denials_are_worded_by_release(sdk, start):
    phone = with_flag(device_of(sdk), "SYSTEM_FIXED")
    before = phone.phone
    out, err, code = run(phone, REVOKE)
    assert (out, err.startswith(start), code != 0) == ("", True, True), err
    assert phone.phone == before


@pytest.mark.parametrize(
    ("sdk", "line"),
    [
        (34, f"pm revoke --user 0 com.nobody {CONTACTS}"),
        (34, f"pm revoke --user 999 {LOAN} {CONTACTS}"),
        (36, f"pm revoke --user 0 {LOAN} android.permission.READ_CALL_LOG"),
        (36, f"cmd appops set --user 0 --uid {LOAN} READ_CONTACTS ignore"),
        (36, f"cmd appops set --user 0 {LOAN} READ_CONTACTS ignore"),
        (34, "am force-stop --user 0 com.nobody"),
    ],
)
def test_silent_commands_without_effect(sdk, line):
    phone = device_of(sdk)
    before = phone.phone
    assert run(phone, line) == ("", "", 0)
    assert phone.phone == before


@pytest.mark.parametrize(
    ("sdk", "line", "text"),
    [
        (34, f"pm revoke --user 0 {LOAN} android.permission.READ_CALL_LOG", "has not requested permission"),
        (34, f"pm revoke --user 0 {LOAN} android.permission.INTERNET", "not a changeable permission type"),
        (34, f"pm revoke --user 0 {LOAN} a.b.C", "Unknown permission: a.b.C"),
        (30, f"pm set-permission-flags --user 0 {LOAN} {CONTACTS} user-set", "Unknown command"),
        (34, f"pm set-permission-flags --user 0 {LOAN} {CONTACTS} mine", "specified flag mine is not one of"),
        (26, f"cmd appops set --user 0 --uid {LOAN} READ_SMS ignore", "--uid"),
        (34, f"cmd appops set --user 0 {LOAN} NOTHING ignore", "Unknown operation"),
        (26, f"cmd notification disallow_listener {LOAN}/.L 0", "Unknown command"),
        (34, f"pm uninstall --user 999 {LOAN}", "Failure [not installed for 999]"),
        (34, "pm reset-permissions", "Unknown command"),
        (34, f"cmd appops reset {LOAN}", "Unknown command"),
        (34, f"pm clear {LOAN}", "Unknown command"),
    ],
)
def test_refused_commands(sdk, line, text):
    phone = device_of(sdk)
    before = phone.phone
    out, err, code = run(phone, line)
    assert text in out + err
    assert code != 0
    assert phone.phone == before


def test_uid_mode_and_package_mode_are_both_printed():
    phone = device_of(34)
    run(phone, f"cmd appops set --user 0 --uid {LOAN} READ_SMS ignore")
    run(phone, f"cmd appops set --user 0 {LOAN} READ_SMS allow")
    assert run(phone, f"cmd appops get --user 0 {LOAN} READ_SMS")[0] == "Uid mode: READ_SMS: ignore\nREAD_SMS: allow\n"
