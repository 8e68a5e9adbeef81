"""The exact text of every command that changes something, and that no other can be built."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from privaudit import roms
from privaudit.capture.questions import PERMISSIONS
from privaudit.revocation import commands
from privaudit.roms import SettingsIntent

CONTACTS = "android.permission.READ_CONTACTS"
APP = "com.example.loan"
PAGE = SettingsIntent(action="android.settings.SETTINGS", component=None, package_extra=None, extras=())


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (commands.revoke_permission(APP, 0, CONTACTS), f"pm revoke --user 0 {APP} {CONTACTS}"),
        (commands.grant_permission(APP, 999, CONTACTS), f"pm grant --user 999 {APP} {CONTACTS}"),
        (
            commands.set_permission_flags(APP, 0, CONTACTS, ("USER_SET", "USER_FIXED"), enabled=True),
            f"pm set-permission-flags --user 0 {APP} {CONTACTS} user-set user-fixed",
        ),
        (
            commands.set_permission_flags(APP, 0, CONTACTS, ("REVOKED_COMPAT",), enabled=False),
            f"pm clear-permission-flags --user 0 {APP} {CONTACTS} revoked-compat",
        ),
        (
            commands.set_app_op(APP, 0, "READ_SMS", "ignore", for_uid=True, sdk=30),
            f"cmd appops set --user 0 --uid {APP} READ_SMS ignore",
        ),
        (
            commands.set_app_op(APP, 0, "READ_SMS", "ignore", for_uid=False, sdk=23),
            f"appops set --user 0 {APP} READ_SMS ignore",
        ),
        (
            commands.set_role_holder(APP, 0, "default_sms", held=False),
            f"cmd role remove-role-holder --user 0 android.app.role.SMS {APP}",
        ),
        (
            commands.set_notification_listener(f"{APP}/.In$ner", APP, 10, enabled=False),
            f"cmd notification disallow_listener '{APP}/.In$ner' 10",
        ),
        (
            commands.set_accessibility_services(["com.a.b/.C", "com.d.e/x.F"], 0),
            "settings --user 0 put secure enabled_accessibility_services 'com.a.b/.C:com.d.e/x.F'",
        ),
        (commands.get_accessibility_services(10), "settings --user 10 get secure enabled_accessibility_services"),
        (commands.set_accessibility_services([], 0), "settings --user 0 put secure enabled_accessibility_services ''"),
        (commands.force_stop(APP, 0), f"am force-stop --user 0 {APP}"),
        (commands.uninstall(APP, 0), f"pm uninstall --user 0 {APP}"),
        (commands.install_existing(APP, 0), f"cmd package install-existing --user 0 {APP}"),
        (commands.start_activity(PAGE, APP, 0), "am start -W --user 0 -a android.settings.SETTINGS"),
    ],
)
def test_command_text(made, text):
    assert made.text == text
    assert made.why


@pytest.mark.parametrize("rom", roms.list_rom_ids())
def test_every_intent_builds_a_command_that_only_opens_a_page(rom):
    for page in roms.list_openable_pages():
        for sdk in (23, 26, 28, 30, 31, 34, 36):
            for intent in roms.find_intents(rom, page, sdk):
                assert commands.start_activity(intent, APP, 999).text.startswith("am start -W --user 999 -")


BAD_PACKAGES = ["", "a b", "com.x;reboot", "com.x\n", "-f", "$(x)", "com.x'", "com..x", "1a.b", "a" * 256, "com.x/.Y"]


@pytest.mark.parametrize("package", BAD_PACKAGES)
def test_commands_reject_invalid_package_names(package):
    for make in (
        lambda: commands.revoke_permission(package, 0, CONTACTS),
        lambda: commands.grant_permission(package, 0, CONTACTS),
        lambda: commands.set_permission_flags(package, 0, CONTACTS, ("USER_SET",), enabled=True),
        lambda: commands.set_app_op(package, 0, "READ_SMS", "ignore", for_uid=True, sdk=34),
        lambda: commands.set_role_holder(package, 0, "default_sms", held=False),
        lambda: commands.set_notification_listener(f"{package}/.X", package, 0, enabled=False),
        lambda: commands.force_stop(package, 0),
        lambda: commands.uninstall(package, 0),
        lambda: commands.install_existing(package, 0),
        lambda: commands.start_activity(roms.find_intents("aosp", "app_info", 34)[0], package, 0),
    ):
        with pytest.raises(ValueError, match=r"must not enter a command"):
            make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: commands.revoke_permission(APP, -1, CONTACTS),
        lambda: commands.revoke_permission(APP, 10**6, CONTACTS),
        lambda: commands.revoke_permission(APP, 0, "android.permission.CAMERA"),
        lambda: commands.revoke_permission(APP, 0, "READ_CONTACTS; reboot"),
        lambda: commands.set_permission_flags(APP, 0, CONTACTS, ("SYSTEM_FIXED",), enabled=True),
        lambda: commands.set_permission_flags(APP, 0, CONTACTS, (), enabled=True),
        lambda: commands.set_app_op(APP, 0, "CAMERA", "ignore", for_uid=True, sdk=34),
        lambda: commands.set_app_op(APP, 0, "READ_SMS", "ask", for_uid=True, sdk=34),
        lambda: commands.set_app_op(APP, 0, "READ_SMS", "ignore", for_uid=True, sdk=28),
        lambda: commands.set_role_holder(APP, 0, "android.app.role.HOME", held=False),
        lambda: commands.set_notification_listener("com.other/.X", APP, 0, enabled=False),
        lambda: commands.set_notification_listener(f"{APP}/.X'; reboot '", APP, 0, enabled=False),
        lambda: commands.set_accessibility_services(["com.a.b/.C\ncom.x"], 0),
        lambda: commands.set_accessibility_services(["com.a.b/.C:com.x.y/.D"], 0),
        lambda: commands.set_accessibility_services(["com.a.b/.C"] * 65, 0),
        lambda: commands.start_activity(
            SettingsIntent(action="a b", component=None, package_extra=None, extras=()), APP, 0
        ),
        lambda: commands.start_activity(
            SettingsIntent(action=None, component="x", package_extra=None, extras=()), APP, 0
        ),
        lambda: commands.start_activity(
            SettingsIntent(action="a.b", component=None, package_extra="--es", extras=()), APP, 0
        ),
        lambda: commands.start_activity(
            SettingsIntent(action="a.b", component=None, package_extra=None, extras=(("a", "x'y"),)), APP, 0
        ),
    ],
)
def test_commands_reject_values_outside_the_tables(make):
    with pytest.raises(ValueError, match=r"must not|not to be set|no flag|not a list|not a component"):
        make()


def test_every_revocable_permission_is_also_read():
    """Else it could not be read back."""
    assert set(PERMISSIONS) >= commands.PERMISSIONS


def test_source_contains_no_forbidden_command():
    tree = ast.parse(Path(commands.__file__).read_text(encoding="utf-8"))
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    literals = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents
    }
    assert not [text for text in literals if re.search(r"reset|trim|\bcontent\b|disable|remove-user|delete|-k\b", text)]
    assert [text for text in literals if "clear" in text] == ["clear"]  # of a permission's flags
    # Each names its user: without one, some commands affect the main user and others all users.
    templates = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in templates for part in node.values}
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in parts | documents]
    texts = [ast.unparse(node).removeprefix("f")[1:-1] for node in (*templates, *whole)]
    starts = [text for text in texts if re.match(r"(?:pm|am|cmd|settings) ", text)]
    assert len(starts) > 8
    user_elsewhere = ("cmd role ", "cmd notification ", "cmd appops")
    assert all(
        "--user" in text or "{_app_words(package, user" in text
        for text in starts
        if not text.startswith(user_elsewhere)
    ), starts
    assert 'f"--user {_checked_user(user)} {_checked_package(package)}"' in inspect.getsource(commands._app_words)
