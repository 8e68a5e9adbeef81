"""Output of real devices. Each expected figure has the shell command that computes it from the sample."""

from __future__ import annotations

import re
import subprocess

import pytest

from privaudit.audit import ReportOptions, build_report
from privaudit.capture import read_source
from privaudit.capture.answers import decode_output
from privaudit.dumpsys import appops, device, package_checks
from privaudit.facts import gather_facts
from privaudit.knowledge import load_knowledge
from privaudit.model import AccessState, AnswerState, DataClass, UserKind
from tests.virtual_phone.conftest import need

LG, ROCKCHIP = "lg-m150-android6.0.1", "rockchip-rk322x-android7.1.2"
PIXEL, GRAPHENE, OEM = "pixel9a-android16-excerpt", "graphene-android13-excerpt", "cn-oem-android12-excerpt"
STUDIO, WEAR, SUNMI = "studio-android10-12-excerpt", "wear-api30-dumpsys-package-pkg", "sunmi-android11-appops-excerpt"
P = "android.permission."


@pytest.fixture
def text(samples):
    def read(name):
        found, problem = decode_output((samples / name).read_bytes())
        assert problem is None
        return found

    return read


def _shell(samples, folder, script):
    need("awk")
    need("grep")
    output = subprocess.run(["sh", "-c", script], cwd=samples / folder, check=True, capture_output=True, text=True)
    return int(output.stdout)


# --- whole phones: grep and awk against the parser -------------------------------------------------------------------

# Lines from one title on to the next.
_PART = r"tr -d '\r' < dumpsys_package.txt | awk '/^Packages:$/{s=1} /^Hidden system packages:$/{s=2}"
_PART += r" /^Shared users:$/{s=3} /^Active install sessions:$/{s=0} s==%s' | "
# Runtime lines stand at indent 8, install lines at 6.
_RUNTIME = r"grep -cE '^        [^ ]+: granted=(true|false)' || true"
_INSTALL = r"grep -cE '^      [^ ]+: granted=(true|false)' || true"
_APPOPS = r"tr -d '\r' < dumpsys_appops.txt | "


def _blocks(name):
    return lambda dump: len(getattr(dump, name))


def _runtime(name):
    return lambda dump: sum(len(u.runtime_permissions) for b in getattr(dump, name).values() for u in b.users.values())


def _install(name):
    return lambda dump: sum(len(b.install_permissions) for b in getattr(dump, name).values())


def _contacts(dump):
    every = [*dump.packages.values(), *dump.shared_users.values(), *dump.hidden.values()]
    return sum(
        g.granted
        for b in every
        for u in b.users.values()
        for n, g in u.runtime_permissions.items()
        if n == P + "READ_CONTACTS"
    )


PACKAGE_FIGURES = [
    # what, command over the sample, LG, Rockchip, over the parser
    ("packages", _PART % 1 + "grep -c '^  Package \\['", 220, 84, _blocks("packages")),
    ("hidden copies", _PART % 2 + "grep -c '^  Package \\[' || true", 34, 0, _blocks("hidden")),
    ("shared users", _PART % 3 + "grep -c '^  SharedUser \\['", 17, 9, _blocks("shared_users")),
    ("runtime lines of packages", _PART % 1 + _RUNTIME, None, None, _runtime("packages")),
    ("runtime lines of hidden copies", _PART % 2 + _RUNTIME, None, None, _runtime("hidden")),
    ("runtime lines of shared users", _PART % 3 + _RUNTIME, None, None, _runtime("shared_users")),
    ("all runtime lines", "grep -cE '^        [^ ]+: granted=' dumpsys_package.txt", 250, 80, None),
    ("install lines of packages", _PART % 1 + _INSTALL, None, None, _install("packages")),
    ("install lines of hidden copies", _PART % 2 + _INSTALL, None, None, _install("hidden")),
    ("install lines of shared users", _PART % 3 + _INSTALL, None, None, _install("shared_users")),
    ("all install lines", "grep -cE '^      [^ ]+: granted=' dumpsys_package.txt", 3192, 785, None),
    ("of a shared uid", _PART % 1 + "grep -c '    sharedUser='", None, None,
     lambda dump: sum(block.shared_user is not None for block in dump.packages.values())),
    ("READ_CONTACTS granted", "grep -cE '^        android.permission.READ_CONTACTS: granted=true' dumpsys_package.txt",
     None, None, _contacts),
    ("SDK", "grep -m1 -oE 'sdkVersion=[0-9]+' dumpsys_package.txt | cut -d= -f2", 23, 25, lambda dump: dump.sdk),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "column"), [(LG, 2), (ROCKCHIP, 3)], ids=["lg", "rockchip"])
@pytest.mark.parametrize("figure", PACKAGE_FIGURES, ids=lambda figure: figure[0])
def test_package_dump_figures_equal_grep(samples, text, folder, column, figure):
    _, command, *_ = figure
    counted = _shell(samples, folder, command)
    assert figure[column] in {None, counted}
    dump = package_checks.parse_and_check_dump(text(f"{folder}/dumpsys_package.txt"))
    if figure[4] is not None:
        assert figure[4](dump) == counted
    assert (dump.doubtful, dump.unparsed_lines, dump.stray_lines, dump.reached_end) == (set(), 0, 0, True)


def _ops(dump):
    return [op for uid in dump.uids.values() for ops in uid.packages.values() for op in ops.values()]


APPOPS_FIGURES = [
    ("uids", "grep -cE '^  Uid '", 107, lambda dump: len(dump.uids)),
    ("packages", "grep -cE '^    Package '", 148, lambda dump: sum(len(u.packages) for u in dump.uids.values())),
    ("ops", "awk '/^  Uid /{u=1} /^    Package /{u=2} u==2' | grep -cE '^      [A-Z_]+: mode='", 670,
     lambda dump: len(_ops(dump))),
    ("uid modes", "awk '/^  Uid /{u=1} /^    Package /{u=2} u==1' | grep -cE '^      [A-Z_]+: mode=' || true", None,
     lambda dump: sum(len(uid.uid_modes) for uid in dump.uids.values())),
    ("ignored", "awk '/^  Uid /{u=1} /^    Package /{u=2} u==2' | grep -cE '^      [A-Z_]+: mode=1'", None,
     lambda dump: sum(op.mode == "ignore" for op in _ops(dump))),
    ("contacts read", "grep -cE '^      READ_CONTACTS: .*[ ;]time='", None,
     lambda dump: sum("READ_CONTACTS" in o and o["READ_CONTACTS"].last_access is not None
                      for uid in dump.uids.values() for o in uid.packages.values())),
    ("refused", "grep -cE 'rejectTime='", None,
     lambda dump: sum(op.last_reject is not None for op in _ops(dump))),
]  # fmt: skip


@pytest.mark.parametrize("figure", APPOPS_FIGURES, ids=lambda figure: figure[0])
def test_appops_figures_equal_grep(samples, text, figure):
    _, command, expected, of_dump = figure
    counted = _shell(samples, LG, _APPOPS + command)
    dump = appops.parse_appops(text(f"{LG}/dumpsys_appops.txt"))
    assert expected in {None, counted}
    assert of_dump(dump) == counted
    assert ([uid for uid in dump.uids.values() if uid.is_doubtful], dump.unparsed_lines) == ([], 0)


# Who can read, by awk: a grant of the package itself, or of the shared uid that it names.
_WHO = r"""
tr -d '\r' < dumpsys_package.txt | awk '
/^[A-Z][A-Za-z ]*:$/ { section = $0; next }
section != "Packages:" && section != "Shared users:" { next }
/^  Package \[/ { name = $2; gsub(/[][]/, "", name); next }
/^  SharedUser \[/ { name = $2; gsub(/[][]/, "", name); next }
/^    sharedUser=/ { split($2, part, "/"); shared[name] = part[1]; next }
$1 ~ /^android\.permission\.(NAMES):$/ && $2 ~ /^granted=true/ { held[section, name] = 1 }
section == "Packages:" { seen[name] = 1 }
END { for (name in seen) if (held["Packages:", name] || held["Shared users:", shared[name]]) n++; print n + 0 }'
"""
READERS = [
    (DataClass.CONTACTS, "READ_CONTACTS"),
    (DataClass.SMS, "READ_SMS|RECEIVE_SMS|RECEIVE_MMS|RECEIVE_WAP_PUSH"),
    (DataClass.CALL_LOG, "READ_CALL_LOG"),
]


@pytest.mark.parametrize(("data", "names"), READERS)
@pytest.mark.parametrize("folder", [LG, ROCKCHIP])
def test_who_can_read_by_grant_or_shared_uid(samples, folder, data, names):
    counted = _shell(samples, folder, _WHO.replace("NAMES", names))
    apps = gather_facts(read_source(samples / folder)).apps
    granted = {AccessState.CAN_READ, AccessState.BLOCKED}  # an app-op may close what the grant opened
    assert sum(app.access[data].state in granted for app in apps) == counted
    assert counted > 0


@pytest.mark.parametrize(
    ("folder", "apps", "sdk", "inferred"), [(LG, 220, 23, True), (ROCKCHIP, 84, 25, False)], ids=["lg", "rockchip"]
)
def test_folder_of_samples_gives_a_report(samples, folder, apps, sdk, inferred):
    report = build_report(read_source(samples / folder), load_knowledge(), ReportOptions())
    assert report.counts.apps_seen == apps
    assert (report.phone.sdk, report.phone.sdk_inferred) == (sdk, inferred)
    assert not report.complete
    by_state = {row.question: row.state for row in report.coverage}
    assert by_state["packages"] is AnswerState.ANSWERED
    assert by_state["users"] is AnswerState.NOT_ASKED
    assert by_state["roles"] is AnswerState.NOT_SUPPORTED


def test_sdk_counts_where_the_release_is_wrong(samples):
    phone = gather_facts(read_source(samples / ROCKCHIP)).phone
    assert (phone.android, phone.sdk, phone.manufacturer) == ("9.1", 25, "rockchip")


# --- excerpts --------------------------------------------------------------------------------------------------------


def _block(dump):
    (block,) = dump.packages.values()
    return block


def _indented(text):
    return re.sub(r"^", "  ", text, flags=re.MULTILINE).rstrip(" ")


def test_grant_to_a_user_without_the_app_gives_no_access(text):
    dump = package_checks.parse_and_check_dump(f"Packages:\n{text(f'{OEM}/dumpsys_package_block.txt')}")
    owner, clone = _block(dump).users[0], _block(dump).users[900]
    assert (owner.installed, clone.installed) == (True, False)
    assert clone.runtime_permissions[f"{P}ACCESS_FINE_LOCATION"].granted
    assert owner.runtime_permissions[f"{P}READ_EXTERNAL_STORAGE"].flags == (
        "GRANTED_BY_DEFAULT", "REVOKE_WHEN_REQUESTED", "RESTRICTION_SYSTEM_EXEMPT", "RESTRICTION_UPGRADE_EXEMPT",
    )  # fmt: skip
    assert (dump.doubtful, dump.unparsed_lines, dump.stray_lines) == (set(), 0, 0)


def test_install_times_are_per_user_from_android_13(text):
    dump = package_checks.parse_and_check_dump(text(f"{GRAPHENE}/dumpsys_package_block.txt"))
    block = _block(dump)
    assert {number: user.first_installed for number, user in block.users.items()} == {
        0: "2009-01-01 00:00:00",
        10: "1970-01-01 01:00:00",
    }
    assert (dump.sdk, block.target_sdk, block.version_name, block.app_id) == (33, 30, "13", 10030)
    assert (len(block.users[0].runtime_permissions), len(block.users[10].runtime_permissions)) == (2, 1)
    assert (dump.doubtful, dump.unparsed_lines, dump.stray_lines) == (set(), 0, 0)


_HEAD_16 = """Packages:
  Package [com.google.android.googlequicksearchbox] (2fe5aa5):
    appId=10143
    pkg=Package{9 com.google.android.googlequicksearchbox}
    codePath=/data/app/x
    versionCode=1 minSdk=1 targetSdk=36
    versionName=1
    dataDir=/data/user/0/com.google.android.googlequicksearchbox
    lastUpdateTime=2025-06-25 15:00:31
"""
_SHARED_16 = """
Shared users:
  SharedUser [android.uid.system] (3d6a5a0):
    appId=1000
    Packages
      PackageSetting{1a2b android/1000}
    install permissions:
"""


def test_line_for_one_user_overrides_the_line_for_all(text):
    body = text(f"{PIXEL}/dumpsys_package_block.txt") + _SHARED_16
    dump = package_checks.parse_and_check_dump(_HEAD_16 + body + text(f"{PIXEL}/dumpsys_package_shared_user_tail.txt"))
    block = _block(dump)
    assert set(block.install_permissions_by_user[10]) == {f"{P}CHANGE_WIFI_STATE", f"{P}SCHEDULE_EXACT_ALARM"}
    assert block.install_permissions_by_user[10][f"{P}CHANGE_WIFI_STATE"].flags == ()
    assert block.install_permissions[f"{P}CHANGE_WIFI_STATE"].flags == ("USER_SET",)
    assert "524288" in block.users[0].runtime_permissions[f"{P}ACCESS_FINE_LOCATION"].flags
    assert (block.users[0].installed, block.users[10].installed) == (True, False)
    assert (block.installer, dump.sdk) == ("com.android.vending", 34)
    shared = dump.shared_users["android.uid.system"]
    assert shared.install_permissions_by_user[10][f"{P}BACKGROUND_CAMERA"].flags == ("GRANTED_BY_ROLE",)
    assert shared.users[0].runtime_permissions[f"{P}READ_SMS"].granted
    assert (dump.doubtful, dump.unparsed_lines, dump.stray_lines) == (set(), 0, 0)


def test_private_space_is_recognised_by_its_type(text):
    users = text(f"{PIXEL}/pm_list_users.txt")
    types = "1: id=10, name=x, type=profile.PRIVATE, flags=INITIALIZED|PROFILE\n"
    assert device.parse_users(users, types) == {0: UserKind.OWNER, 10: UserKind.PRIVATE_SPACE}
    assert device.parse_users(users)[10] is UserKind.OTHER


def test_overlay_paths_at_the_users_indent_do_not_end_the_user(text):
    excerpt = _indented(text(f"{STUDIO}/android10_overlay_paths_at_user_indent.txt"))
    granted = "      runtime permissions:\n        android.permission.READ_CONTACTS: granted=true, flags=[ USER_SET ]\n"
    dump = package_checks.parse_and_check_dump(f"Packages:\n{excerpt.rstrip()}\n{granted}")
    assert _block(dump).users[0].runtime_permissions[f"{P}READ_CONTACTS"].granted
    assert (dump.doubtful, dump.unparsed_lines, dump.stray_lines) == (set(), 0, 0)


def test_an_excerpt_without_indent_or_title(text):
    dump = package_checks.parse_and_check_dump(_indented(text(f"{STUDIO}/android12_webview.txt")))
    assert _block(dump).version_name == "91.0.4472.114"
    assert _block(dump).install_permissions[f"{P}INTERNET"].granted
    assert not dump.doubtful


@pytest.mark.parametrize(("number", "hidden"), [(1, 1), (2, 0)])
def test_own_dump_separates_the_hidden_factory_copy(text, number, hidden):
    printed = text(f"{WEAR}/adbDumpSysExample{number}.txt")
    name = f"com.tekartik.package{number}"
    dump = package_checks.parse_and_check_dump(printed, requested_package=name)
    block = dump.packages[name]
    assert (dump.doubtful, dump.unparsed_lines, dump.stray_lines, dump.reached_end, len(dump.hidden)) == (
        set(),
        0,
        0,
        True,
        hidden,
    )
    assert block.requested_permissions is not None
    runtime = printed.partition("runtime permissions:\n")[2].partition("\n\n")[0]
    assert len(block.users[0].runtime_permissions) == sum(": granted=" in line for line in runtime.split("\n"))
    if hidden:
        assert (block.version_code, dump.hidden[name].version_code) == (20, 15)
        assert f"{P}ACCESS_NETWORK_STATE" in block.requested_permissions
        assert f"{P}ACCESS_NETWORK_STATE" not in dump.hidden[name].requested_permissions


def test_layout_d_of_app_ops(text):
    dump = appops.parse_appops(text(f"{SUNMI}/dumpsys_appops_excerpt.txt"))
    uid = dump.uids[10119]
    ops = uid.packages["com.sunmi.baseservice"]
    assert {name: mode for name, (mode, _) in uid.uid_modes.items()} == {"LEGACY_STORAGE": "ignore"}
    assert (ops["COARSE_LOCATION"].last_access, ops["COARSE_LOCATION"].last_reject) == (None, None)
    assert ops["FINE_LOCATION"].switch_op == "COARSE_LOCATION"
    assert ops["FINE_LOCATION"].last_access.local_time == "2021-01-11 16:01:05.086"
    assert ops["FINE_LOCATION"].last_reject.local_time == "2021-01-11 15:02:12.835"  # the younger of two
    assert ([uid for uid in dump.uids.values() if uid.is_doubtful], dump.unparsed_lines) == ([], 0)
