"""Special access: settings, roles and device admins."""

from __future__ import annotations

import pytest

from privaudit import facts
from privaudit.dumpsys import special_access


def held(capture_of, exit_code=0, **texts):
    texts = {key.replace("_0", ".0").replace("_999", ".999"): text for key, text in texts.items()}
    rights = special_access.parse_special_access(capture_of(texts, exit_code=exit_code))
    return {
        (package, user, one.access.kind, one.access.component)
        for (package, user), all_held in rights.by_package_and_user.items()
        for one in all_held
    }


ROLES_ONE = """ROLE MANAGER STATE (dumpsys role):
{
  user_states={
    user_id=0
    version=4
    roles=[
      {
        name=android.app.role.DIALER
        holders=com.a.dialer
      }
      {
        name=android.app.role.SMS
        fallback_enabled=true
        holders=[
          com.a.sms
          com.b.sms
        ]
      }
      {
        name=android.app.role.HOME
        holders=com.a.home
      }
      {
        name=android.app.role.BROWSER
      }
    ]
  }
}
"""
ROLES_TWO = """ROLE MANAGER STATE (dumpsys role):
{
  user_states=[
    {
      user_id=0
      roles={
        name=android.app.role.SMS
        holders=com.a.sms
      }
    }
    {
      user_id=999
      roles=[
        {
          name=android.app.role.SMS
          holders=com.c.sms
        }
      ]
    }
  ]
}
"""


def test_role_has_one_or_several_holders(capture_of):
    assert held(capture_of, roles=ROLES_ONE) == {
        ("com.a.dialer", 0, "default_phone", None),
        ("com.a.sms", 0, "default_sms", None),
        ("com.b.sms", 0, "default_sms", None),
    }


def test_roles_of_each_user(capture_of):
    assert held(capture_of, roles=ROLES_TWO) == {
        ("com.a.sms", 0, "default_sms", None),
        ("com.c.sms", 999, "default_sms", None),
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("enabled_accessibility_services=null", set()),
        ("enabled_accessibility_services=", set()),
        ("enabled_accessibility_services=a.b/.C", {("a.b", 0, "accessibility", "a.b/.C")}),
        ("enabled_accessibility_services=a.b/.C\naccessibility_enabled=1", {("a.b", 0, "accessibility", "a.b/.C")}),
        ("enabled_accessibility_services=a.b/.C\naccessibility_enabled=null", {("a.b", 0, "accessibility", "a.b/.C")}),
        ("enabled_accessibility_services=a.b/.C\naccessibility_enabled=0", set()),
        (
            "enabled_notification_listeners=a.b/a.b.C:c.d/.E:",
            {("a.b", 0, "notification_listener", "a.b/a.b.C"), ("c.d", 0, "notification_listener", "c.d/.E")},
        ),
        ("default_input_method=a.b/.Keys", {("a.b", 0, "input_method", "a.b/.Keys")}),
        ("sms_default_application=a.b", {("a.b", 0, "default_sms", None)}),
        ("dialer_default_application=a.b", {("a.b", 0, "default_phone", None)}),
        ("enabled_notification_listeners=not a package/.C:../x/.D", set()),
        ("bluetooth_address=a.b/.C", set()),
    ],
)
def test_settings(capture_of, settings, expected):
    assert held(capture_of, settings_0=settings) == expected


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (ROLES_TWO, {("com.a.sms", 0, "default_sms", None), ("com.c.sms", 999, "default_sms", None)}),
        ("Can't find service: role", {("com.old.sms", 0, "default_sms", None)}),
        ("", {("com.old.sms", 0, "default_sms", None)}),
    ],
)
def test_role_overrides_the_older_setting(capture_of, roles, expected):
    assert held(capture_of, roles=roles, settings_0="sms_default_application=com.old.sms") == expected


ADMINS_6 = """Current Device Policy Manager state:
  Enabled Device Admins (User 0):
    com.a.admin/.Receiver:
      uid=10123
      policies:
        force-lock
"""
ADMINS_11 = """Current Device Policy Manager state:
  Immutable state:
    mHasFeature=true
  Device Owner:\x20
    admin=ComponentInfo{com.o.owner/com.o.owner.Receiver}
    name=
    package=com.o.owner
    User ID: 0

  Enabled Device Admins (User 0, provisioningState: 0):
    com.a.admin/.Receiver:
      uid=10123
      testOnlyAdmin=false
      policies:
        wipe-data
    com.b.admin/com.b.admin.R:
      uid=10124
    \x20
    mPasswordOwner=-1

  Enabled Device Admins (User 10, provisioningState: 3):
    com.c.admin/.R:
      uid=1010125

  Constants:
    com.z.none/.R:
"""


def test_device_admins_of_android_6_and_11(capture_of):
    assert held(capture_of, device_policy=ADMINS_6) == {("com.a.admin", 0, "device_admin", "com.a.admin/.Receiver")}
    assert held(capture_of, device_policy=ADMINS_11) == {
        ("com.o.owner", 0, "device_owner", "com.o.owner/com.o.owner.Receiver"),
        ("com.a.admin", 0, "device_admin", "com.a.admin/.Receiver"),
        ("com.b.admin", 0, "device_admin", "com.b.admin/com.b.admin.R"),
        ("com.c.admin", 10, "device_admin", "com.c.admin/.R"),
    }
    rights = special_access.parse_special_access(capture_of({"device_policy": ADMINS_11}))
    assert not any(rights.unparsed_lines.values())
    assert all(
        ADMINS_11[one.location.offset :].lstrip().startswith(("com.", "admin="))
        for h in rights.by_package_and_user.values()
        for one in h
    )


MANAGED = """Current Device Policy Manager state:
  Profile Owner (User 10):\x20
    admin=ComponentInfo{com.w.work/com.w.work.Receiver}
    name=Work
  Enabled Device Admins (User 10, provisioningState: 3):
    com.w.work/.Receiver:
      uid=1010125
"""


def test_profile_owner_of_a_work_profile(capture_of):
    assert held(capture_of, device_policy=MANAGED) == {
        ("com.w.work", 10, "profile_owner", "com.w.work/com.w.work.Receiver"),
        ("com.w.work", 10, "device_admin", "com.w.work/.Receiver"),
    }


@pytest.mark.parametrize("line", ["      com.v.app", "  something else", "Exception: gone"])
def test_unparsed_role_lines_are_counted_and_could_hide(live_capture, with_texts, capture_of, line):
    text = ROLES_TWO.replace("      user_id=0\n", f"      user_id=0\n{line}\n")
    assert special_access.parse_special_access(capture_of({"roles": text})).unparsed_lines["roles"] == 1
    row = next(
        row for row in facts.gather_facts(with_texts(live_capture, {"roles": text})).coverage if row.question == "roles"
    )
    assert (row.unparsed_lines, row.could_hide) == (1, True)


# A component's class is its app's own text.
FORGED = [
    ("settings.0", "enabled_notification_listeners=a.b/.C\naccessibility_enabled=0\naccessibility_enabled=1"),
    (
        "settings.0",
        "enabled_accessibility_services=a.b/.C\nsms_default_application=com.v.app\nsms_default_application=null",
    ),
    ("settings.0", "enabled_notification_listeners=a.b/.C\n.D"),
    ("device_policy", ADMINS_6.replace("/.Receiver:", "/.R\n    com.v.app/.R:")),
    ("device_policy", ADMINS_6.replace("/.Receiver:", "/.R\nx:")),
]


@pytest.mark.parametrize(("key", "text"), FORGED)
def test_line_break_in_class_name_is_a_gap(live_capture, with_texts, capture_of, key, text):
    assert special_access.parse_special_access(capture_of({key: text})).unparsed_lines[key] > 0
    row = next(
        row
        for row in facts.gather_facts(with_texts(live_capture, {key: text})).coverage
        if row.question == key.partition(".")[0] and row.user in {None, 0}
    )
    assert row.could_hide


def test_stale_components_of_removed_apps_are_left_out(live_capture, with_texts):
    text = live_capture.answer("settings.0").text.replace(
        "enabled_notification_listeners=", "enabled_notification_listeners=com.gone.app/.L:"
    )
    gathered = facts.gather_facts(with_texts(live_capture, {"settings.0": text}))
    assert "com.gone.app" in text
    assert not any(app.package == "com.gone.app" for app in gathered.apps)
    assert any(one.kind == "notification_listener" for app in gathered.apps for one in app.special_access)


@pytest.mark.parametrize("title", ["ROLE MANAGER STATE (dumpsys role):", "ROLE STATE (dumpsys role):"])
def test_the_title_of_each_android_is_understood(capture_of, title):
    found = special_access.parse_special_access(
        capture_of({"roles": ROLES_TWO.replace(ROLES_TWO.split("\n", maxsplit=1)[0], title)})
    )
    assert found.unparsed_lines.get("roles", 0) == 0
    assert ("com.a.sms", 0) in found.by_package_and_user


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("        name=android.app.role.SMS", "        Name=android.app.role.SMS"),
        ("        name=android.app.role.SMS\n", ""),
        ("        name=android.app.role.SMS", "        name=android.app.ro"),
        ("        name=android.app.role.SMS", "        name=android.app.role.Sms"),
        ("          com.a.sms", "          com.\u200ba.sms"),
        ("        holders=com.a.dialer", "        Holders=com.a.dialer"),
        ("    user_id=0", "    USER_ID=0"),
        ("        holders=[", "        holders="),
        ("      {\n        name=android.app.role.SMS", "        name=android.app.role.SMS"),
    ],
)
def test_a_damaged_line_of_roles_is_counted_and_moves_no_role(capture_of, before, after):
    assert before in ROLES_ONE
    text = ROLES_ONE.replace(before, after)
    assert special_access.parse_special_access(capture_of({"roles": text})).unparsed_lines["roles"] > 0
    assert held(capture_of, roles=text) <= held(capture_of, roles=ROLES_ONE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    com.a.admin/.Receiver:\n", ""),
        ("    com.a.admin/.Receiver:", "  com.a.admin/.Receiver:"),
        ("    com.a.admin/.Receiver:", "    com.\u200ba.admin/.Receiver:"),
        ("  Enabled Device Admins (User 0, ", "Enabled Device Admins (User 0, "),
        ("  Enabled Device Admins (User 10, ", "&nbsp; Enabled&nbsp;Device Admins (User 10, "),
        ("  Enabled Device Admins (User 0, provisioningState: 0):\n", ""),
    ],
)
def test_a_damaged_line_about_administrators_is_counted(capture_of, before, after):
    assert before in ADMINS_11
    text = ADMINS_11.replace(before, after)
    assert special_access.parse_special_access(capture_of({"device_policy": text})).unparsed_lines["device_policy"] > 0


@pytest.mark.parametrize(
    "text",
    [
        "secure:enabled_accessibility_services=a.b/.C\n",
        "  enabled_accessibility_services=a.b/.C\n",
        "android_id=1\n  enabled_accessibility_services=a.b/.C\n",
        "android_id=1\nenabled_accessibility_services: a.b/.C\n",
        "enabled&#95;accessibility&#95;services=a.b/.C\n",
        "enabledaccessibilityservices=a.b/.C\n",
        "ENABLED_ACCESSIBILITY_SERVICES=a.b/.C\n",
        "ibility_services=a.b/.C\n",
        "enabled_accessibility_services=a.b/.C:com.exam\n",
        "enabled_accessibility_services=a.b/.C:com.\u200bd/.E\n",
    ],
)
def test_a_damaged_setting_of_a_saved_text_is_counted(capture_of, text):
    rights = special_access.parse_special_access(capture_of({"settings.0": text}))
    assert rights.unparsed_lines["settings.0"] > 0


def test_other_settings_are_understood(capture_of):
    text = "".join(f"{key}=1\n" for key in ("accessibility_shortcut_enabled", "enabled_input_methods", "old_name"))
    assert not special_access.parse_special_access(capture_of({"settings.0": text})).unparsed_lines["settings.0"]
