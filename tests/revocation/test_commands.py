"""Every change that can be made, word for word; and that nothing else can."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from privaudit import roms
from privaudit.capture.questions import PERMISSIONS
from privaudit.revocation import commands
from privaudit.roms import Intent

CONTACTS = "android.permission.READ_CONTACTS"
APP = "com.example.loan"
PAGE = Intent(action="android.settings.SETTINGS", component=None, package=None, extras=())


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (commands.revoke(APP, 0, CONTACTS), f"pm revoke --user 0 {APP} {CONTACTS}"),
        (commands.grant(APP, 999, CONTACTS), f"pm grant --user 999 {APP} {CONTACTS}"),
        (
            commands.flags(APP, 0, CONTACTS, ("USER_SET", "USER_FIXED"), on=True),
            f"pm set-permission-flags --user 0 {APP} {CONTACTS} user-set user-fixed",
        ),
        (
            commands.flags(APP, 0, CONTACTS, ("REVOKED_COMPAT",), on=False),
            f"pm clear-permission-flags --user 0 {APP} {CONTACTS} revoked-compat",
        ),
        (
            commands.app_op(APP, 0, "READ_SMS", "ignore", uid=True, sdk=30),
            f"cmd appops set --user 0 --uid {APP} READ_SMS ignore",
        ),
        (
            commands.app_op(APP, 0, "READ_SMS", "ignore", uid=False, sdk=23),
            f"appops set --user 0 {APP} READ_SMS ignore",
        ),
        (
            commands.role(APP, 0, "default_sms", held=False),
            f"cmd role remove-role-holder --user 0 android.app.role.SMS {APP}",
        ),
        (
            commands.listener(f"{APP}/.In$ner", APP, 10, on=False),
            f"cmd notification disallow_listener '{APP}/.In$ner' 10",
        ),
        (
            commands.accessibility(["com.a.b/.C", "com.d.e/x.F"], 0),
            "settings --user 0 put secure enabled_accessibility_services 'com.a.b/.C:com.d.e/x.F'",
        ),
        (commands.accessibility([], 0), "settings --user 0 put secure enabled_accessibility_services ''"),
        (commands.force_stop(APP, 0), f"am force-stop --user 0 {APP}"),
        (commands.uninstall(APP, 0), f"pm uninstall --user 0 {APP}"),
        (commands.install_existing(APP, 0), f"cmd package install-existing --user 0 {APP}"),
        (commands.show(PAGE, APP, 0), "am start -W --user 0 -a android.settings.SETTINGS"),
    ],
)
def test_every_command(made, text):
    assert made.text == text
    assert made.why


@pytest.mark.parametrize("rom", roms.names())
def test_every_intent_of_every_rom_makes_a_command_that_only_shows(rom):
    for page in roms.openable():
        for sdk in (23, 26, 28, 30, 31, 34, 36):
            for intent in roms.intents(rom, page, sdk):
                assert commands.show(intent, APP, 999).text.startswith("am start -W --user 999 -")


BAD_PACKAGES = ["", "a b", "com.x;reboot", "com.x\n", "-f", "$(x)", "com.x'", "com..x", "1a.b", "a" * 256, "com.x/.Y"]


@pytest.mark.parametrize("package", BAD_PACKAGES)
def test_no_other_text_than_a_package_name(package):
    for make in (
        lambda: commands.revoke(package, 0, CONTACTS),
        lambda: commands.grant(package, 0, CONTACTS),
        lambda: commands.flags(package, 0, CONTACTS, ("USER_SET",), on=True),
        lambda: commands.app_op(package, 0, "READ_SMS", "ignore", uid=True, sdk=34),
        lambda: commands.role(package, 0, "default_sms", held=False),
        lambda: commands.listener(f"{package}/.X", package, 0, on=False),
        lambda: commands.force_stop(package, 0),
        lambda: commands.uninstall(package, 0),
        lambda: commands.install_existing(package, 0),
        lambda: commands.show(roms.intents("aosp", "app_info", 34)[0], package, 0),
    ):
        with pytest.raises(ValueError, match=r"must not enter a command"):
            make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: commands.revoke(APP, -1, CONTACTS),
        lambda: commands.revoke(APP, 10**6, CONTACTS),
        lambda: commands.revoke(APP, 0, "android.permission.CAMERA"),
        lambda: commands.revoke(APP, 0, "READ_CONTACTS; reboot"),
        lambda: commands.flags(APP, 0, CONTACTS, ("SYSTEM_FIXED",), on=True),
        lambda: commands.flags(APP, 0, CONTACTS, (), on=True),
        lambda: commands.app_op(APP, 0, "CAMERA", "ignore", uid=True, sdk=34),
        lambda: commands.app_op(APP, 0, "READ_SMS", "ask", uid=True, sdk=34),
        lambda: commands.app_op(APP, 0, "READ_SMS", "ignore", uid=True, sdk=28),
        lambda: commands.role(APP, 0, "android.app.role.HOME", held=False),
        lambda: commands.listener("com.other/.X", APP, 0, on=False),
        lambda: commands.listener(f"{APP}/.X'; reboot '", APP, 0, on=False),
        lambda: commands.accessibility(["com.a.b/.C\ncom.x"], 0),
        lambda: commands.accessibility(["com.a.b/.C:com.x.y/.D"], 0),
        lambda: commands.accessibility(["com.a.b/.C"] * 65, 0),
        lambda: commands.show(Intent(action="a b", component=None, package=None, extras=()), APP, 0),
        lambda: commands.show(Intent(action=None, component="x", package=None, extras=()), APP, 0),
        lambda: commands.show(Intent(action="a.b", component=None, package="--es", extras=()), APP, 0),
        lambda: commands.show(Intent(action="a.b", component=None, package=None, extras=(("a", "x'y"),)), APP, 0),
    ],
)
def test_nothing_that_is_in_no_table(make):
    with pytest.raises(ValueError, match=r"must not|not to be set|no flag|not a list|not a component"):
        make()


def test_every_permission_that_may_be_closed_is_also_read():
    """Else it could not be read back."""
    assert set(PERMISSIONS) >= commands.PERMISSIONS


def test_the_source_holds_no_command_that_must_never_be_sent():
    tree = ast.parse(Path(commands.__file__).read_text(encoding="utf-8"))
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    said = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents
    }
    assert not [one for one in said if re.search(r"reset|trim|\bcontent\b|disable|remove-user|delete|-k\b", one)]
    assert [one for one in said if "clear" in one] == ["clear"]  # of a permission's flags
    # Each names its user: without one some mean the owner, others everybody.
    starts = [one for one in said if re.match(r"(?:pm|am|cmd|settings) ", one)]
    assert len(starts) > 8
    assert all("--user" in one or one in {"pm ", "cmd role ", "cmd notification ", "cmd appops"} for one in starts), (
        starts
    )
