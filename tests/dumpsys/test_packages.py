"""``dumpsys package`` and ``pm list packages``: what Android prints, and what apps forge."""

from __future__ import annotations

import re

import pytest

from privaudit import facts
from privaudit.audit import is_complete
from privaudit.dumpsys import package_checks
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.model import AccessState, AnswerState, DataClass

P = "android.permission."
APP, VICTIM = "com.attacker.app", "com.victim.app"

# A block as Android 12 prints it, with a gap wherever an app's own text stands.
BLOCK = """\
  Package [{name}] (b501922):
    userId={uid}
    pkg=Package{{b0f3fb3 {name}}}
    codePath=/data/app/~~x==/{name}-y==
    resourcePath=/data/app/~~x==/{name}-y==
    primaryCpuAbi=null
    versionCode=33 minSdk=30 targetSdk=30
    minExtensionVersions=[]
    versionName={version}
    splits=[base]
    apkSigningVersion=3
    applicationInfo=PackageImpl{{b0f3fb3 {name}}}
    flags=[ HAS_CODE ]
    queriesPackages=[{queries}]
    dataDir=/data/user/0/{name}
    supportsScreens=[small]
    usesOptionalLibraries:
      {library}
    timeStamp=2024-01-01 00:00:00
    firstInstallTime=2024-01-01 00:00:00
    lastUpdateTime=2024-01-01 00:00:00
    signatures=PackageSignatures{{258d970 version:3, signatures:[87e68668], past signatures:[]}}
    installPermissionsFixed=true
    pkgFlags=[ HAS_CODE ]
    declared permissions:
      {declared}: prot=dangerous, INSTALLED
    requested permissions:
      {requested}
      android.permission.READ_CONTACTS
    install permissions:
      android.permission.INTERNET: granted=true
    User 0: ceDataInode=1580 installed=true hidden=false suspended=false stopped=false enabled=0 instant=false
      overlay paths:
        {overlay}
      gids=[3003]
      runtime permissions:
        {state}: granted=false
        android.permission.READ_CONTACTS: granted={contacts}, flags=[ USER_SET]
      disabledComponents:
        {component}
"""
TEXTS = {
    "version": "1.0", "queries": "", "library": "org.apache.http.legacy", "declared": "com.x.P", "requested": "com.x.P",
    "overlay": "/product/overlay/x.apk", "state": "com.x.P", "component": "com.x.Class",
}  # fmt: skip
SHARED = """
Shared users:
  SharedUser [android.uid.shared] (3d6a5a0):
    userId=10001
    Packages
      PackageSetting{1a2b com.android.shared/10001}
    User 0:\x20
      runtime permissions:
        android.permission.READ_CONTACTS: granted=true, flags=[ SYSTEM_FIXED]
"""
BEHIND = "\nPackage Changes:\n  Sequence number=1\n\nDexopt state:\n  [x]\n"


def block(name, uid, *, contacts="true", **texts):
    return BLOCK.format(name=name, uid=uid, contacts=contacts, **{**TEXTS, **texts})


def dump(attacker="", *, before="", after="", shared=SHARED):
    """Gather a phone with the attacker's block between two others, and a shared user."""
    first = before or block("com.example.first", 10050)
    last = after or block(VICTIM, 10051, contacts="false")
    return f"Packages:\n{first}{attacker}{last}{shared}{BEHIND}"


# Lines that a text may forge. Each is tried at every gap.
_USER = "    User 0: ceDataInode=1 installed=true hidden=false enabled=0 instant=false"
_DENIED = f"      runtime permissions:\n        {P}READ_CONTACTS: granted=false"
_REST = f"    pkgFlags=[ HAS_CODE ]\n{_USER}\n{_DENIED}"
_OTHER = "    userId=10077\n    pkg=Package{1 com.z.z}\n    codePath=/x\n    versionCode=1 minSdk=1 targetSdk=1\n"
HIDING = {
    "a user of its own": f"{_USER}\n{_DENIED}",
    "a user who has it not": "    User 0: ceDataInode=1 installed=false hidden=false enabled=0 instant=false",
    "the rest, then another app": f"{_REST}\n  Package [com.z.z] (1):\n{_OTHER}    versionName=1",
    "the rest, then an app of the phone": f"{_REST}\n  Package [{VICTIM}] (1):\n{_OTHER}    versionName=1",
    "the rest, then its own hidden copy": f"{_REST}\nHidden system packages:\n  Package [{APP}] (1):\n    userId=10060",
    "the rest, then a shared user": f"{_REST}\nShared users:\n  SharedUser [x] (1):\n    userId=10060",
    "a section of ours": "Packages:",
    "the section behind": "Package Changes:",
    "the section between": "Queries:",
    "hidden packages": "Hidden system packages:",
    "shared users": "Shared users:",
    "a dashed line": "-" * 79,
    "a torn header": "  Package [com.z",
    "another user": "    User 10: ceDataInode=1 installed=true hidden=false enabled=0 instant=false",
    "a torn user": "    User ",
    "a second list": "    install permissions:\n      com.x: granted=true",
    "a line that ends the list": "      gids=[1]",
    "a second title": f"      runtime permissions:\n        {P}READ_SMS: granted=false",
    "a denial": f"        {P}READ_CONTACTS: granted=false",
    "an APK that is gone": "    pkg=null",
    "a store": "    installerPackageName=com.android.vending",
    "the system": "    pkgFlags=[ SYSTEM HAS_CODE ]",
    "an old SDK": "    versionCode=33 minSdk=3 targetSdk=99",
    "a shared uid": "    sharedUser=SharedUserSetting{1 android.uid.shared/10001}",
    "another uid": "    userId=10099",
    "another name": f"    compat name={VICTIM}",
}


@pytest.mark.parametrize("gap", TEXTS)
@pytest.mark.parametrize("attack", HIDING)
@pytest.mark.parametrize("last", [False, True], ids=["among others", "as the last block"])
def test_forged_lines_never_hide_a_grant(gap, attack, last, capture_of):
    hostile = block(APP, 10060, **{gap: f"x\n{HIDING[attack]}\n"})
    text = f"Packages:\n{block(VICTIM, 10051, contacts='false')}{hostile}{SHARED}{BEHIND}" if last else dump(hostile)
    gathered = _gathered(capture_of, text)
    app = next(app for app in gathered.apps if app.package == APP)
    victim = next(app for app in gathered.apps if app.package == VICTIM)
    assert app.access[DataClass.CONTACTS].state in {AccessState.CAN_READ, AccessState.UNKNOWN}
    # Nothing is said of the other app that is not so.
    assert victim.access[DataClass.CONTACTS].state in {AccessState.NOT_ALLOWED, AccessState.UNKNOWN}
    row = next(row for row in gathered.coverage if row.question == "packages")
    if app.access[DataClass.CONTACTS].state is AccessState.UNKNOWN:
        assert row.state is AnswerState.UNREADABLE
        assert row.could_hide
    else:
        told = app.installer, app.system, app.target_sdk, app.user
        assert told == (None, False, 30, 0)


def _gathered(capture_of, text, extra=(), *, only_printed=False):
    names = [APP, VICTIM, "com.example.first", "com.android.shared", *extra]
    names = [name for name in names if not only_printed or f"[{name}]" in text]
    listed = "".join(f"package:/data/app/~~x==/{name}-y==/base.apk={name}  installer=null\n" for name in names)
    return facts.gather_facts(
        capture_of({"packages": text, "installed.0": listed, "users": "Users:\n\tUserInfo{0:x:13} running\n"})
    )


ACCUSING = {
    "a block": f"{_REST}\n  Package [{VICTIM}] (1):\n{_OTHER}    versionName=1".replace("com.z.z", VICTIM),
    "an update": f"{_REST}\nHidden system packages:\n  Package [{VICTIM}] (1):\n{_OTHER}".replace("com.z.z", VICTIM),
    "a shared user": f"{_REST}\nShared users:\n  SharedUser [android.uid.shared] (1):\n    userId=10001\n    User 0: \n"
    f"      runtime permissions:\n        {P}READ_SMS: granted=true",
}


@pytest.mark.parametrize("gap", TEXTS)
@pytest.mark.parametrize("attack", ACCUSING)
def test_forged_blocks_never_accuse(gap, attack, capture_of):
    """The victim has no block of its own: the dump was filtered by permission names."""
    hostile = block(APP, 10060, **{gap: f"x\n{ACCUSING[attack]}\n"})
    text = f"Packages:\n{block('com.example.first', 10050)}{hostile}{SHARED}{BEHIND}"
    gathered = _gathered(capture_of, text)
    victim = next(app for app in gathered.apps if app.package == VICTIM)
    assert not any(access.state.allows_reading for access in victim.access.values())
    assert next(row for row in gathered.coverage if row.question == "packages").state is AnswerState.UNREADABLE


@pytest.mark.parametrize(
    ("line", "forged"),
    [
        (f"package:{VICTIM}\n", False),  # nothing to compare with
        (f"package:{VICTIM} uid:10077\n", False),
        (f"package:{VICTIM} uid:10051\n", True),  # no app can know the uid of another on this phone
        (f"package:/data/app/~~x==/{VICTIM}-y==/base.apk={VICTIM}\n", False),
        (f"package:/system/app/Victim/Victim.apk={VICTIM}\n", True),
        (f"package:/data/app/~~x==/{VICTIM}-y==2/base.apk={VICTIM}\n", True),
        ("", True),
    ],
)
def test_block_must_agree_with_the_package_list(line, forged):
    listed = parse_package_list(line)[0]
    text = f"Packages:\n{block(VICTIM, 10077)}{BEHIND}"
    checked = package_checks.parse_and_check_dump(text, {0: listed})
    assert (checked.find_block(VICTIM) is None) == forged


def test_own_dump_contains_one_package():
    text = f"Packages:\n{block(APP, 10060)}{block(VICTIM, 10051)}{BEHIND}"
    assert package_checks.parse_and_check_dump(text, requested_package=APP).doubtful == {APP, VICTIM}
    text = f"Packages:\n{block(APP, 10060)}{BEHIND}"
    assert not package_checks.parse_and_check_dump(text, requested_package=APP).doubtful


@pytest.mark.parametrize("gap", TEXTS)
@pytest.mark.parametrize("attack", HIDING)
def test_forged_own_dump_falls_back_to_the_full_dump(gap, attack, live_capture, phone_output, with_texts):
    name = "com.example.sudaibao"
    hostile = block(name, 10118, **{gap: f"x\n{HIDING[attack]}\n"})
    gathered = facts.gather_facts(with_texts(live_capture, {f"package.{name}": f"Packages:\n{hostile}{BEHIND}"}))
    app = next(app for app in gathered.apps if app.package == name)
    state = app.access[DataClass.CONTACTS].state
    # The permission is granted; whether its flags withhold it, only lines say in which the app can write.
    assert state is AccessState.CAN_READ or (state is AccessState.UNKNOWN and not is_complete(gathered))
    assert (app.installer, app.system) == (None, False)


def test_a_forged_own_dump_is_a_gap(live_capture, with_texts):
    name = "com.example.sudaibao"
    hostile = block(name, 10118, version=f"x\n{_USER}")
    gathered = facts.gather_facts(with_texts(live_capture, {f"package.{name}": f"Packages:\n{hostile}{BEHIND}"}))
    assert not is_complete(gathered)
    assert [row.detail.key for row in gathered.coverage if row.question == "package"] == ["coverage.doubtful"]


# --- grants that were not read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        (f"        {P}READ_SMS: granted=true", 0),
        (f"\t{P}READ_SMS: granted=true", 1),
        (f"{P}READ_SMS: granted=false", 1),
        (f"        {P}READ_SMS: granted=true, flags=[ USER_SET", 1),
        (f"        {P}READ_SMS: granted=t", 1),
        (f"        {P}READ_S", 1),
        (f"        {P}READ_S\nMS: granted=true", 2),
        (f"  {P}READ_SMS: granted=true", 0),  # it still belongs to the list
    ],
)
def test_unread_grants_are_counted(line, lost):
    text = f"Packages:\n{block(APP, 10060)}{BEHIND}"
    contacts = f"        {P}READ_CONTACTS: granted=true, flags=[ USER_SET]\n"
    assert contacts in text
    assert package_checks.parse_and_check_dump(text).packages[APP].unread_lines == 0
    checked = package_checks.parse_and_check_dump(text.replace(contacts, f"{contacts}{line}\n"))
    assert checked.packages[APP].unread_lines == checked.unparsed_lines == lost


def test_grant_outside_a_permission_list_is_unread():
    text = f"Packages:\n{block(APP, 10060)}{BEHIND}"
    before = package_checks.parse_and_check_dump(f"{P}READ_SMS: granted=true\n{text}")
    assert (before.stray_lines, before.packages[APP].unread_lines) == (1, 0)  # it may be of any app
    behind = package_checks.parse_and_check_dump(f"{text}\t{P}READ_SMS: granted=true\n")
    assert (behind.stray_lines, behind.packages[APP].unread_lines) == (0, 1)


def test_own_dump_with_unread_grants_is_a_gap(text_capture, phone_output, with_texts):
    name = "com.example.sudaibao"
    own = re.sub(r"(?m)^ {8}", "\t", phone_output(f"dumpsys package {name}"))
    gathered = facts.gather_facts(with_texts(text_capture, {f"package.{name}": own}))
    (row,) = (row for row in gathered.coverage if row.question == "package")
    assert (row.state, row.detail.key, row.could_hide) == (AnswerState.UNREADABLE, "coverage.lost_grants", True)
    app = next(app for app in gathered.apps if app.package == name)
    granted = {permission.name: permission.granted for permission in app.permissions}
    assert granted[f"{P}READ_CONTACTS"]  # the long dump says so, but nothing checks its flags
    assert app.access[DataClass.CONTACTS].state is AccessState.UNKNOWN
    whole = re.sub(r"(?m)^ {8}", "\t", text_capture.answer("packages").text)
    gathered = facts.gather_facts(with_texts(text_capture, {f"package.{name}": own, "packages": whole}))
    app = next(app for app in gathered.apps if app.package == name)
    assert {one.state for one in app.access.values()} == {AccessState.UNKNOWN}
    assert not is_complete(gathered)


# --- what is legitimate ----------------------------------------------------------------------------------------------

LEGITIMATE = {
    "plain": block(APP, 10060),
    "a version of two lines": block(APP, 10060, version="1.0\nbuild 7"),
    "a version that looks like a path": block(APP, 10060, version="1.0\n      a\n        b"),
    "Chinese": block(APP, 10060, version="1.0 正式版"),
    "no version": block(APP, 10060, version="null"),
    "a separator of Unicode": block(APP, 10060, version="1.0\u2028\x85\x0b\x1c x"),
    "no data folder": block(APP, 10060).replace(f"dataDir=/data/user/0/{APP}", "dataDir=null"),
    "a static library": block("com.google.android.trichromelibrary_699813532", 10060, contacts="false"),
    "an APK on a card that is gone": block("com.gone.app", 10060, contacts="false").replace(
        "pkg=Package{b0f3fb3 com.gone.app}", "pkg=null"
    ),
    "an APEX": block("com.android.adbd", -1, contacts="false").replace(
        "codePath=/data/app/~~x==/com.android.adbd-y==", "codePath=/system/apex/com.android.adbd.apex"
    )
    + block("com.android.art", -1, contacts="false").replace(
        "codePath=/data/app/~~x==/com.android.art-y==", "codePath=/data/apex/active/com.android.art@1.apex"
    ),
    "hidden by a policy": block("com.hidden.app", 10060).replace("hidden=false", "hidden=true"),
    "an instant app": block("com.instant.app", 10060).replace("instant=false", "instant=true"),
    "not installed": block("com.absent.app", 10060).replace("installed=true", "installed=false"),
    "of a shared uid": block("com.android.shared", 10001, contacts="false").replace(
        "    pkg=", "    sharedUser=SharedUserSetting{1 android.uid.shared/10001}\n    pkg="
    ),
    "log lines of Samsung": f"2024-01-01 00:00:00 Installed com.x\n{block(APP, 10060)}",
}


@pytest.mark.parametrize("what", LEGITIMATE)
def test_genuine_dump_is_not_forged(what, capture_of):
    gathered = _gathered(capture_of, dump(LEGITIMATE[what]), only_printed=True)
    row = next(row for row in gathered.coverage if row.question == "packages")
    assert (row.state, row.unparsed_lines) == (AnswerState.ANSWERED, 0)


@pytest.mark.parametrize("what", ["a static library", "an APEX", "an APK on a card that is gone"])
def test_unlisted_package_with_a_grant_is_forged(what, capture_of):
    text = LEGITIMATE[what].replace("READ_CONTACTS: granted=false", "READ_CONTACTS: granted=true")
    gathered = _gathered(capture_of, dump(text))
    assert next(row for row in gathered.coverage if row.question == "packages").detail.key == "coverage.doubtful"


def test_renamed_system_package_has_two_names():
    renamed = block("com.new.name", 10060).replace(
        "[com.new.name] (b501922):", "[com.new.name] (b501922):\n    compat name=com.old.name"
    )
    renamed = renamed.replace("Package{b0f3fb3 com.new", "Package{b0f3fb3 com.old").replace("0/com.new", "0/com.old")
    assert package_checks.parse_and_check_dump(dump(renamed)).doubtful == {"com.new.name", "com.old.name"}
    assert not package_checks.parse_and_check_dump(dump(renamed.replace("pkgFlags=[ ", "pkgFlags=[ SYSTEM "))).doubtful


# --- layouts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("granted=true", (True, ())),
        ("granted=false", (False, ())),
        ("granted=true, flags=[ USER_SET GRANTED_BY_DEFAULT ]", (True, ("USER_SET", "GRANTED_BY_DEFAULT"))),  # 6 to 9
        ("granted=false, flags=[ USER_SET|USER_FIXED]", (False, ("USER_SET", "USER_FIXED"))),  # 10 and later
        ("granted=true, flags=[ USER_SET|524288]", (True, ("USER_SET", "524288"))),
    ],
)
def test_permission_lines_of_all_releases(line, expected):
    text = dump(block(APP, 10060)).replace("granted=true, flags=[ USER_SET]", line)
    grants = package_checks.parse_and_check_dump(text).packages[APP].users[0].runtime_permissions
    grant = grants[f"{P}READ_CONTACTS"]
    assert (grant.granted, grant.flags) == expected
    assert text[grants.offsets[f"{P}READ_CONTACTS"] :].startswith(f"        {P}READ_CONTACTS")


@pytest.mark.parametrize(
    ("user_line", "key", "sdk"),
    [
        ("User 0:  installed=true hidden=false stopped=false notLaunched=false enabled=0", "userId", 23),
        ("User 0: ceDataInode=1 installed=true hidden=false stopped=false enabled=0", "userId", 24),
        ("User 0: ceDataInode=1 installed=true suspended=false enabled=0 virtual=false", "userId", 29),
        ("User 0: ceDataInode=1 installed=true suspended=false distractionFlags=0 virtual=false", "userId", 30),
        (
            "User 0: ceDataInode=1 installed=true distractionFlags=0\n      firstInstallTime=2024-01-01 00:00:00",
            "userId",
            33,
        ),
        ("User 0: ceDataInode=1 installed=true distractionFlags=0", "appId", 34),
        ("User 0: ceDataInode=1 installed=true pccCeDataInode=1 appLockEnabled=false", "appId", 34),
    ],
)
def test_sdk_is_inferred_from_the_layout(user_line, key, sdk):
    text = f"Packages:\n  Package [a.b] (1):\n    {key}=10001\n    {user_line}\n"
    dumped = package_checks.parse_and_check_dump(text)
    assert dumped.sdk == sdk
    assert dumped.packages["a.b"].app_id == 10001
    assert dumped.packages["a.b"].users[0].installed


@pytest.mark.parametrize("enabled", range(5))
def test_a_package_is_disabled_in_three_ways(enabled):
    text = f"Packages:\n  Package [a.b] (1):\n    User 0: installed=true enabled={enabled}\n"
    assert package_checks.parse_and_check_dump(text).packages["a.b"].users[0].enabled == (enabled < 2)


def test_line_for_one_user_overrides_the_line_for_all(capture_of):
    line = f"      {P}READ_CONTACTS: granted="
    lines = f"    install permissions:\n{line}true\n{line}false, userId=10\n"
    users = "    User 0: installed=true\n    User 10: installed=true\n"
    text = f"Packages:\n  Package [a.b] (1):\n    userId=10001\n{lines}{users}{BEHIND}"
    told = {
        app.user: app.access[DataClass.CONTACTS].state
        for app in facts.gather_facts(capture_of({"packages": text})).apps
    }
    assert told == {0: AccessState.CAN_READ, 10: AccessState.NOT_ALLOWED}


@pytest.mark.parametrize(
    ("behind", "ends"),
    [("", False), ("\nQueries:\n", False), ("\nRenamed packages:\n", False), ("\nShared users:\n", False),
     ("\nShared users:\n\nPackage Changes:\n", True), ("\nActive install sessions:\n", True)],
)  # fmt: skip
def test_reached_end_only_after_the_last_block(behind, ends):
    assert package_checks.parse_and_check_dump(f"Packages:\n{block(APP, 10060)}{behind}").reached_end == ends


# --- pm list packages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("package:a.b", ("a.b", None, None, False, None)),
        ("package:android", ("android", None, None, False, None)),
        ("package:a.b  installer=com.android.vending", ("a.b", None, "com.android.vending", True, None)),
        ("package:a.b  installer=null", ("a.b", None, None, True, None)),
        (
            "package:/data/app/~~bt-w==/a.b-c==/base.apk=a.b",
            ("a.b", "/data/app/~~bt-w==/a.b-c==/base.apk", None, False, None),
        ),
        ("package:a.b versionCode:34  installer=x.y uid:10123,1010123", ("a.b", None, "x.y", True, 10123)),
        ("package:a.b stopped=true  installer=x.y uid:1010123", ("a.b", None, "x.y", True, 10123)),
        ("package:a.b  installer=x\u202ey", ("a.b", None, None, True, None)),
    ],
)
def test_list_lines_of_all_releases(line, expected):
    listed, unparsed = parse_package_list(f"WARNING: linker: x\n{line}\r\n".replace("\r\n", "\n"))
    (one,) = listed.values()
    assert (one.package, one.apk_path, one.installer, one.has_installer_field, one.app_id) == expected
    assert unparsed == 0


@pytest.mark.parametrize("line", ["Error: x", "package:", "package:1a.b", "package:a b", "package:/data/x.apk=", "a.b"])
def test_lines_of_other_forms_are_counted(line):
    assert parse_package_list(f"{line}\n") == ({}, 1)
