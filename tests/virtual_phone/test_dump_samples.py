"""Dumps of real devices, parsed, made into a virtual phone, written again and compared with the original.

Lines that matter are those that the reader keeps something of: section titles, block headers, ids, shared users, paths,
versions, times, installers, flags of the app, users, requested and held permissions; uids, packages, modes, ops and the
youngest event of each kind. They must be equal, verbatim and in the original's order, but for the identity hashes, new
at each boot, and for words whose order the reader has no use for (application flags, requested permissions).

Not printed by the demo, so not here: ``pm list permissions -g`` (Motorola) and ``dpm`` (Pixel).
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from privaudit.capture.answers import decode_output
from privaudit.dumpsys import appops, device, package_checks
from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import package_dump
from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.dump_writers.package_dump import PackageBlockWriter
from privaudit.virtual_phone.release import layout_of
from privaudit.virtual_phone.scenario.virtual import AndroidUser, VirtualPhone
from tests.fixtures.remodel import Remodel, app_ops, now_of
from tests.virtual_phone.conftest import need

LG, ROCKCHIP = "lg-m150-android6.0.1", "rockchip-rk322x-android7.1.2"
PIXEL, GRAPHENE, OEM = "pixel9a-android16-excerpt", "graphene-android13-excerpt", "cn-oem-android12-excerpt"
STUDIO, WEAR, SUNMI = "studio-android10-12-excerpt", "wear-api30-dumpsys-package-pkg", "sunmi-android11-appops-excerpt"

LINE_KINDS = {
    "titles": r"^(Packages|Hidden system packages|Shared users):$",
    "packages": r"^  Package \[",
    "shared users": r"^  SharedUser \[",
    "ids": r"^    (userId|appId)=",
    "of a shared user": r"^    sharedUser=",
    "names of their own": r"^    pkg=",
    "paths": r"^    codePath=",
    "versions": r"^    versionCode=",
    "version names": r"^    versionName=",
    "times": r"^    (firstInstallTime|lastUpdateTime)=",
    "installers": r"^    installerPackageName=",
    "flags": r"^    pkgFlags=",
    "users": r"^    User [0-9]+: ",
    "times of users": r"^      firstInstallTime=",
    "lists of permissions": r"^ +(requested|install|runtime) permissions:$",
    "requested": r"^      [A-Za-z][A-Za-z0-9_]*([.][A-Za-z0-9_]+)+(: restricted=true)?$",
    "held since installation": r"^      [^ ]+: granted=",
    "held at run time": r"^        [^ ]+: granted=",
}
"""What it is → an expression that ``grep -E`` and Python both know."""

# Figures by grep -cE over what stands from "Packages:" to the end of the shared users; none in a row that is not named.
FIGURES = {
    LG: {"packages": 254, "shared users": 17, "users": 271, "held since installation": 3192, "held at run time": 250,
         "versions": 254, "installers": 67, "of a shared user": 86, "times": 508},
    ROCKCHIP: {"packages": 84, "shared users": 9, "users": 93, "held since installation": 785, "held at run time": 80,
               "versions": 84, "installers": 1, "of a shared user": 35, "times": 168},
    f"{WEAR}/1": {"packages": 2, "users": 2, "requested": 8, "held since installation": 5, "held at run time": 2},
    f"{WEAR}/2": {"packages": 1, "users": 1, "requested": 10, "held since installation": 8, "held at run time": 0},
    OEM: {"packages": 1, "users": 2, "held since installation": 3, "held at run time": 4},
    GRAPHENE: {"packages": 1, "users": 2, "held since installation": 3, "held at run time": 3, "times of users": 2},
}  # fmt: skip
PACKAGE_DUMPS = {
    LG: (f"{LG}/dumpsys_package.txt", 23),
    ROCKCHIP: (f"{ROCKCHIP}/dumpsys_package.txt", 25),
    f"{WEAR}/1": (f"{WEAR}/adbDumpSysExample1.txt", 30),
    f"{WEAR}/2": (f"{WEAR}/adbDumpSysExample2.txt", 30),
    OEM: (f"{OEM}/dumpsys_package_block.txt", 31),
    GRAPHENE: (f"{GRAPHENE}/dumpsys_package_block.txt", 33),
}


@pytest.fixture
def text(samples):
    def read(name):
        reproduced, problem = decode_output((samples / name).read_bytes())
        assert problem is None
        return reproduced

    return read


def _blocks(text):
    """From the first block's title on to the end of the last block."""
    if "Packages:\n" not in text:
        return f"Packages:\n{text}"
    body = text[text.index("\nPackages:\n") + 1 :]
    end = re.search(r"^(?!Packages:|Hidden system|Shared users:|Queries:)\S", body, re.MULTILINE)
    body = body[: end.start()] if end else body
    return re.sub(r"^Queries:\n(?: .*\n|\n)*", "", body, flags=re.MULTILINE)


def _relevant_lines(text):
    lines = []
    in_components = False
    for line in text.split("\n"):
        if re.match(r"^ +[A-Za-z ]+:( |$)|^    \S", line):
            in_components = not re.match(r"^ +(requested|install|runtime) permissions:$|^    User ", line)
        kind = next((kind for kind, rule in LINE_KINDS.items() if re.search(rule, line)), None)
        if kind is None or (kind == "requested" and in_components):
            continue
        without_hash = re.sub(r"(?<=[{(])[0-9a-f]{1,8}(?=[ )])", "#", line)
        lines.append((kind, " ".join(sorted(line.split())) if kind == "flags" else without_hash))
    return _sorted_runs(lines)


def _sorted_runs(lines):
    """Requested permissions in alphabetical order, each list for itself."""
    done, run = [], []
    for line in [*lines, (None, None)]:
        if line[0] == "requested":
            run.append(line)
        else:
            done += [*sorted(run), line]
            run = []
    return done[:-1]


def _remodel(printed, sdk, vendor="aosp"):
    dump = package_checks.parse_and_check_dump(printed)
    assert (dump.doubtful, dump.unparsed_lines) == (set(), 0)
    return Remodel(printed, dump, layout_of(sdk, vendor)).phone()


@pytest.mark.parametrize("name", PACKAGE_DUMPS)
def test_package_dumps_are_reproduced(text, name):
    file, sdk = PACKAGE_DUMPS[name]
    original = text(file)
    is_single = name.startswith(WEAR)
    phone = _remodel(original if is_single or "Packages:\n" in original else f"Packages:\n{original}", sdk)
    printed = (
        package_dump.format_single_package_dump(phone, phone.apps[0].package)
        if is_single
        else package_dump.format_package_dump(phone)
    )
    reproduced, expected = _relevant_lines(_blocks(printed)), _relevant_lines(_blocks(original))
    if name == f"{WEAR}/1":
        # Android sorts permissions by the hash of their names, and the author of this sample changed one of the names.
        reproduced, expected = sorted(reproduced), sorted(expected)
    assert reproduced == expected


@pytest.mark.unix
@pytest.mark.parametrize("name", FIGURES)
def test_line_counts_agree_with_grep(samples, text, name):
    need("awk")
    need("grep")
    file, sdk = PACKAGE_DUMPS[name]
    original = text(file)
    phone = _remodel(original if "Packages:\n" in original else f"Packages:\n{original}", sdk)
    is_single = name.startswith(WEAR)
    printed = _relevant_lines(
        _blocks(
            package_dump.format_single_package_dump(phone, phone.apps[0].package)
            if is_single
            else package_dump.format_package_dump(phone)
        )
    )
    # What stands between the titles of blocks, without the components of users, whose lines look like permissions.
    cut = r"awk '/^(Packages|Hidden system packages|Shared users):$/{s=1;next} /^[^ ]/{s=0} s'"
    blocks = cut if "Packages:" in original else "cat"
    for kind, figure in FIGURES[name].items():
        shell = f"tr -d '\\r' < {file} | {blocks} | grep -cE '{LINE_KINDS[kind]}' || true"
        if kind == "requested":
            keep = r"/^ *requested permissions:/{r=1;next} /^ *[a-z]+ permissions:/{r=0} r"
            shell = f"{cut} < {file} | awk '{keep}' | grep -cE '{LINE_KINDS[kind]}'"
        counted = subprocess.run(["sh", "-c", shell], cwd=samples, check=True, capture_output=True, text=True).stdout
        assert (kind, int(counted)) == (kind, figure)
        assert (kind, sum(one == kind for one, _ in printed)) == (kind, figure)


# --- excerpts: what is there must come out in the same order ----------------------------------------------------------


def _assert_reproduced_in_order(excerpt, printed):
    rest = iter(_relevant_lines(printed))
    missing = [line for line in _relevant_lines(excerpt) if line not in rest]
    assert missing == []


@pytest.mark.parametrize(
    ("file", "sdk", "lines"),
    [("android10_overlay_paths_at_user_indent.txt", 29, 9), ("android12_webview.txt", 31, 11)],
)
def test_android_studio_excerpts(text, file, sdk, lines):
    excerpt = re.sub(r"^(?=.)", "  ", text(f"{STUDIO}/{file}"), flags=re.MULTILINE)
    phone = _remodel(f"Packages:\n{excerpt}", sdk)
    assert len(_relevant_lines(excerpt)) == lines
    _assert_reproduced_in_order(excerpt, package_dump.format_package_dump(phone))


def test_overlay_path_indent_of_android_10(text):
    excerpt = re.sub(r"^(?=.)", "  ", text(f"{STUDIO}/android10_overlay_paths_at_user_indent.txt"), flags=re.MULTILINE)
    phone = _remodel(f"Packages:\n{excerpt}", 29)
    path = re.search(r"overlay paths:\n\s+(\S+)", excerpt)[1]
    install = replace(phone.apps[0].installs[0], overlays=(path,))
    block = PackageBlockWriter(phone).block("user_state", phone.apps[0], install)
    assert block == excerpt[excerpt.index("    User 0:") :].rstrip()


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
    install permissions:
"""


def test_pixel_16_is_reproduced(text):
    """Its lines were copied by hand, in an order of their own."""
    original = _HEAD_16 + text(f"{PIXEL}/dumpsys_package_block.txt") + _SHARED_16
    original += text(f"{PIXEL}/dumpsys_package_shared_user_tail.txt")
    printed = _relevant_lines(_blocks(package_dump.format_package_dump(_remodel(original, 36))))
    expected = _relevant_lines(original)
    assert sorted(printed) == sorted(expected)
    counts = {kind: sum(one == kind for one, _ in expected) for kind in LINE_KINDS}
    # grep -cE '^      [^ ]+: granted=' and '^        [^ ]+: granted=' over the two excerpts: 7 + 4, and 7 + 3.
    assert (counts["held since installation"], counts["held at run time"], counts["users"]) == (11, 10, 3)


def test_pixel_16_section_titles(text):
    original = text(f"{PIXEL}/dumpsys_package_head.txt")
    titles = re.findall(r"^\S.*:$", original, re.MULTILINE)
    phone = VirtualPhone(
        name="again", sdk=36, properties={}, time_zone=UTC, users=(AndroidUser(id=0, name="", flags=0),), apps=()
    )
    printed = package_dump.format_package_dump(phone)
    assert re.findall(r"^\S.*:$", printed, re.MULTILINE)[: len(titles)] == titles
    sdk = r"^    sdkVersion=36 .*databaseVersion=3 $"
    assert len(re.findall(sdk, printed, re.MULTILINE)) == len(re.findall(sdk, original, re.MULTILINE)) == 2


def test_getprop_is_reproduced(text):
    original = text(f"{ROCKCHIP}/getprop.txt")
    phone = VirtualPhone(
        name="again", sdk=25, properties=device.parse_properties(original), time_zone=UTC, users=(), apps=()
    )
    lines = [line for line in original.splitlines() if line and not line.endswith(": []")]
    assert sorted(render.format_properties(phone).splitlines()) == sorted(lines)
    assert len(lines) > 200


# --- app-ops ---------------------------------------------------------------------------------------------------------

OP_LINE_KINDS = {
    "uids": r"^  Uid ",
    "packages": r"^    Package ",
    "ops": r"^      [A-Z_]+(: mode=| \()",
    "events": r"^          (Access|Reject): ",
}
OPS_FIGURES = {  # grep -cE over the sample
    LG: ("dumpsys_appops.txt", 23, {"uids": 107, "packages": 148, "ops": 670, "events": 0}),
    SUNMI: ("dumpsys_appops_excerpt.txt", 30, {"uids": 1, "packages": 1, "ops": 5, "events": 6}),
}
_OLDER = 1
"""Event of the Sunmi phone beside which a younger one of its op and kind stands: read past, so not printed again."""


@pytest.mark.unix
@pytest.mark.parametrize("folder", OPS_FIGURES)
def test_app_ops_are_reproduced(samples, text, folder):
    need("grep")
    file, sdk, figures = OPS_FIGURES[folder]
    original = text(f"{folder}/{file}")
    layout = layout_of(sdk)
    dump = appops.parse_appops(original)
    event = next((op.last_access for uid in dump.uids.values() for ops in uid.packages.values() for op in ops.values()
                  if op.last_access is not None and op.last_access.local_time is not None), None)  # fmt: skip
    now = now_of(original, event.offset) if event else None
    users = (AndroidUser(id=0, name="", flags=0),)
    apps = app_ops(original, dump, layout)
    phone = VirtualPhone(name="again", sdk=sdk, properties={}, time_zone=UTC, users=users, apps=apps)
    printed = render_appops.format_appops_dump(phone, now or datetime(2018, 3, 16, tzinfo=UTC)).splitlines()
    rules = list(OP_LINE_KINDS.values())
    expected = [line for line in original.splitlines() if any(re.search(rule, line) for rule in rules)]
    reproduced = [line for line in printed if any(re.search(rule, line) for rule in rules)]
    for kind, figure in figures.items():
        counted = subprocess.run(
            ["sh", "-c", f"tr -d '\\r' < {file} | grep -cE '{OP_LINE_KINDS[kind]}' || true"],
            cwd=samples / folder, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert (kind, int(counted)) == (kind, figure)
        assert (kind, sum(bool(re.search(OP_LINE_KINDS[kind], line)) for line in expected)) == (kind, figure)
    older = [line for line in expected if line not in reproduced]
    assert reproduced == [line for line in expected if line not in older]
    assert len(older) == (_OLDER if folder == SUNMI else 0)
    assert all(line.startswith("          Reject: ") for line in older)
