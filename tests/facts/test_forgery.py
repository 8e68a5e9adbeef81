"""An app that writes into its own fields hides nothing and accuses nobody: every field, every text, every release.

The fields are those of ``Settings.dumpPackageLPr`` (AOSP 6 to 16) that hold text from an app's manifest or from its
calls, and the attribution tags of ``AppOpsService.dump`` (Android 11 and later).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from privaudit import audit
from privaudit.knowledge import load_knowledge
from privaudit.model import AccessState, DataClass
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.scenario.virtual import VirtualOp, VirtualOpEvent
from privaudit.virtual_phone.shell import Shell
from tests.fixtures.captures import NOW, ShellTransport

ATTACKER, VICTIM = "com.example.sudaibao", "com.example.weather"
SDKS = (23, 26, 28, 29, 30, 31, 33, 34, 36)
P = "android.permission."


def phone_of(sdk):
    """A lender that reads contacts, SMS and call log, between apps that hold something and one that holds nothing."""
    story = load_scenario("borrower")
    apps = {app.package: app for app in story.apps}
    kept = [apps[name] for name in (ATTACKER, "com.example.kuaiyihua", "com.example.happyloan", "com.example.bank")]
    holder = next(app for app in story.apps if app.is_system and app.installs[0].grants)
    idle = next(app for app in story.apps if not app.is_system and not any(i.grants for i in app.installs.values()))
    victim = replace(
        idle,
        package=VICTIM,
        code_path=idle.code_path.replace(idle.package, VICTIM),
        install_permissions=(),
        requested_permissions=(),
        labels={},
    )
    chosen = [_without_newer_modes(app, sdk) for app in (*kept[:2], victim, *kept[2:], holder)]
    properties = {**story.properties, "ro.build.version.sdk": str(sdk)}
    return replace(story, sdk=sdk, properties=properties, apps=tuple(chosen), shared_users=())


def _without_newer_modes(app, sdk):
    """Android 10 brought the mode ``foreground``."""
    installs = {
        user: replace(
            install,
            uid_modes={
                op: "allow" if mode == "foreground" and sdk < 29 else mode for op, mode in install.uid_modes.items()
            },
        )
        for user, install in app.installs.items()
    }
    return replace(app, installs=installs)


def dump_of(phone):
    return Shell(build_programs(phone, now=NOW)).run_script("dumpsys package").out.decode()


def user_lines(block):
    return "\n".join(line for line in block.split("\n") if line.startswith("    User "))


def forged_texts(block, uid):
    """What a text may go on with after its first line break, by what it pretends to be."""
    users = user_lines(block)
    denied = "\n".join(
        f"{line}\n      runtime permissions:\n        {P}READ_CONTACTS: granted=false" for line in users.split("\n")
    )
    blocked = denied.replace("READ_CONTACTS: granted=false", "READ_CONTACTS: granted=true, flags=[ REVOKED_COMPAT]")
    factory_copy = (
        f"Hidden system packages:\n  Package [{ATTACKER}] (1):\n    pkg=Package{{1 {ATTACKER}}}\n"
        f"    dataDir=/data/user/0/{ATTACKER}\n    pkgFlags=[ SYSTEM ]"
    )
    path = "/data/app/~~x==/" + VICTIM
    known = f"    userId={uid}\n    pkg=Package{{1 {VICTIM}}}\n    codePath={path}\n"
    known_new = known.replace("userId", "appId")
    rest = f"    pkgFlags=[ HAS_CODE ]\n{users}"
    return {
        "its users": users,
        "its users, who deny": denied,
        "another app": f"{rest}\n  Package [{VICTIM}] (1):\n    pkg=Package{{1 {VICTIM}}}",
        "another app with its uid": f"{rest}\n  Package [{VICTIM}] (1):\n{known}    dataDir=/data/user/0/{VICTIM}",
        "another app, its app id": f"{rest}\n  Package [{VICTIM}] (1):\n{known_new}    dataDir=/data/user/0/{VICTIM}",
        "an app that is not there": f"{rest}\n  Package [com.not.there] (1):\n    pkg=Package{{1 com.not.there}}",
        "denied, and another app": f"{denied}\n  Package [{VICTIM}] (1):\n    pkg=Package{{1 {VICTIM}}}",
        "another app's header alone": f"  Package [{VICTIM}] (1):",
        "a lender's header": "  Package [com.example.happyloan] (1):\n    pkg=Package{1 com.example.happyloan}",
        "the factory copies": f"{rest}\n\nHidden system packages:\n  Package [{VICTIM}] (1):\n{known}",
        "denied, and a factory copy of its own": f"{denied}\n\n{factory_copy}",
        "blocked, and a factory copy of its own": f"{blocked}\n\n{factory_copy}",
        "an app of the image, and its factory copy": f"    pkgFlags=[ SYSTEM ]\n{denied}\n\n{factory_copy}",
        "a shared user": f"{rest}\n\nShared users:\n  SharedUser [x] (1):\n    userId={uid}\n    User 0: ",
        "the sections behind": f"{rest}\n\nPackage Changes:\n  Sequence number=1\n\nDexopt state:\n  [x]",
        "queries": f"{rest}\n\nQueries:\n  system apps queryable: false",
        "the packages again": f"{rest}\n\nPackages:\n  Package [{VICTIM}] (1):\n{known}",
        "a dashed line": f"{rest}\n{'-' * 79}\nDUMP OF SERVICE other:",
        "a denial": f"        {P}READ_CONTACTS: granted=false",
        "a denial at installation": f"    install permissions:\n      {P}READ_CONTACTS: granted=false",
        "flags that block, at installation": (
            f"    install permissions:\n      {P}READ_CONTACTS: granted=true, flags=[ REVOKED_COMPAT]"
        ),
        "flags that block": f"        {P}READ_CONTACTS: granted=true, flags=[ REVOKED_COMPAT|REVIEW_REQUIRED]",
        "a list that ends": "      gids=[1]\n      disabledComponents:",
        "a user without the app": users.replace("installed=true", "installed=false"),
        "a shared uid": "    sharedUser=SharedUserSetting{1 android.uid.shared/10001}",
        "no APK": "    pkg=null",
        "an old target": "    versionCode=1 minSdk=3 targetSdk=3",
        "a torn header": "  Package [com.x",
        "an empty line": "",
    }


FIELDS = {
    # name of the field → how the text comes into the block
    "versionName": lambda block, text: re.sub(r"(?m)^(    versionName=.*)$", lambda m: f"{m[1]}{text}", block, count=1),
    "uses-library": lambda block, text: re.sub(
        r"(?m)^(    supportsScreens=.*)$",
        lambda m: f"{m[1]}\n    usesOptionalLibraries:\n      x{text}\n      y", block, count=1,
    ),
    "static library": lambda block, text: re.sub(
        r"(?m)^(    dataDir=.*)$",
        lambda m: f"{m[1]}\n    usesStaticLibraries:\n      x{text} version:1", block, count=1,
    ),
    "declared permission": lambda block, text: re.sub(
        r"(?m)^(    (?:requested permissions:|install permissions:|User 0:))",
        lambda m: f"    declared permissions:\n      x{text}: prot=normal\n{m[1]}", block, count=1,
    ),
    "requested permission": lambda block, text: re.sub(
        r"(?m)^(    requested permissions:)$", lambda m: f"{m[1]}\n      x{text}", block, count=1
    ),
    "last requested permission": lambda block, text: re.sub(
        r"(?m)^(    requested permissions:\n(?:      .*\n)*      .*)$",
        lambda m: f"{m[1]}\n      x{text.rstrip()}", block, count=1,
    ),
    "permission of its own": lambda block, text: re.sub(
        r"(?m)^(      runtime permissions:)$", lambda m: f"{m[1]}\n        x{text}: granted=false", block, count=1
    ),
    "overlay path": lambda block, text: re.sub(
        r"(?m)^(    User 0: .*)$", lambda m: f"{m[1]}\n      overlay paths:\n        /x{text}", block, count=1
    ),
    "component": lambda block, text: f"{block}\n      disabledComponents:\n        x{text}",
}  # fmt: skip


def with_forged_block(output, forge):
    """Return the output of ``dumpsys package`` with the attacker's block changed."""
    begin = output.find(f"  Package [{ATTACKER}] (")
    if begin < 0:
        return output
    end = min(at for at in (output.find("\n  Package [", begin + 1), output.find("\n\n", begin), len(output)) if at > 0)
    return output[:begin] + forge(output[begin:end]) + output[end:]


class ChangedTransport(ShellTransport):
    """A phone of which one program prints something else."""

    def __init__(self, phone, name, change):
        super().__init__(phone)
        programs = dict(build_programs(phone, now=NOW))
        program = programs[name]

        def changed(argv, stdin):
            answer = program(argv, stdin)
            if "--proto" in argv or not {"package", "appops"} & set(argv):
                return answer
            return replace(answer, out=change(list(argv), answer.out.decode()).encode())

        self._shell = Shell({**programs, name: changed})


class ForgedTransport(ChangedTransport):
    """A phone whose dumps contain what an app has written."""

    def __init__(self, phone, change):
        super().__init__(phone, "dumpsys", change)


NO_ACCESS = {AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED}
KNOWLEDGE = load_knowledge(demo=True)
OPTIONS = audit.CollectionOptions(read_labels=False)


def judged(transport):
    """States of every app, whether the report is complete, and the history of each record."""
    capture, facts = audit.collect(transport, KNOWLEDGE, demo=True, options=OPTIONS)
    report = audit.build_report(capture, KNOWLEDGE, audit.ReportOptions(include_all_apps=True), facts)
    states = {(app.package, app.user, data): app.access[data].state for app in report.apps for data in DataClass}
    # The summary decides who is a suspect and asked about by name.
    summarised = {
        (app.package, app.user, data): app.access_states[data] for app in facts.summaries for data in DataClass
    }
    differing = {key for key, state in summarised.items() if state is not states[key]}
    assert {states[key] for key in differing} | {summarised[key] for key in differing} <= NO_ACCESS
    history = {(app.package, app.user, data): app.access[data].history for app in report.apps for data in DataClass}
    return states, report.complete, history


def assert_nothing_is_hidden(honest, forged, what):
    states, complete, _ = forged
    for key, state in honest[0].items():
        # Whether an app asked for what it does not hold may be unknown.
        if states.get(key) is not state and not {states.get(key), state} <= NO_ACCESS:
            assert states.get(key) is AccessState.UNKNOWN, (what, key, states.get(key), state)
            assert not complete, (what, key)
    new = {key: state for key, state in states.items() if key not in honest[0] and state.allows_reading}
    assert not new, (what, new)


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("field", FIELDS)
def test_no_text_in_a_package_block_hides_or_moves_a_grant(sdk, field):
    phone = phone_of(sdk)
    # From Android 12 on the dump of an app that holds nothing at installation has no list of that: one may be forged.
    apps = tuple(replace(app, install_permissions=()) if app.package == ATTACKER else app for app in phone.apps)
    phone = replace(phone, apps=apps)
    honest = judged(ShellTransport(phone))
    assert honest[1]
    assert honest[0][ATTACKER, 0, DataClass.CONTACTS] is AccessState.CAN_READ
    uid = phone.find_app(VICTIM).app_id
    block = re.search(rf"  Package \[{ATTACKER}\].*?(?=\n  Package \[|\n\n)", dump_of(phone), re.DOTALL)[0]
    for name, text in forged_texts(block, uid).items():
        forge = lambda old, text=text: FIELDS[field](old, f"\n{text}\n")  # noqa: E731
        transport = ForgedTransport(
            phone, lambda argv, out, forge=forge: with_forged_block(out, forge) if "package" in argv else out
        )
        assert_nothing_is_hidden(honest, judged(transport), f"{field}: {name}")


TAGS = [
    " Access:\n      X (a):\n        a",
    " Access:\n    Package b:\n      X (a):\n        a",
    " Access:\n      READ_CONTACTS (ignore):\n        a",
    " Access:\n      READ_CONTACTS (ask):\n        a",
    " Access:\n      MIUIOP(10029) (ignore):\n        a",
    "==[\n        ]\n      MIUIOP(10029) (1):\n        a",
    "==[\n        ]\n      READ_CONTACTS (1):\n        a",
    "\n      READ_CONTACTS (ignore):\n        a",
    "\n  Uid u0a9:\n    Package b:\n      X (a):\n        a",
    "\n\nx\n",
    "]\n      READ_CONTACTS (ignore): \n        a",
]
LONG_TAG = (
    "x=[\n          Access: [fg-s] 2020-01-01 00:00:00.000 (-1800d0h0m0s0ms)\n        ]\n"
    "      READ_CONTACTS (ignore): \n        y"
)
"""Android 11 accepts tags of any length, later ones of 50 characters."""


@pytest.mark.parametrize("sdk", [30, 31, 34, 36])
@pytest.mark.parametrize("vendor", ["aosp", "miui"])
@pytest.mark.parametrize("op", ["VIBRATE", "COARSE_LOCATION", "READ_CONTACTS"])
def test_no_attribution_tag_blocks_or_hides_a_record(sdk, vendor, op):
    phone = replace(phone_of(sdk), vendor=vendor)
    honest = judged(ShellTransport(phone))
    for tag in [*TAGS, *([LONG_TAG] if sdk == 30 else [])]:
        assert len(tag) <= 50 or sdk == 30
        forged = judged(ShellTransport(_with_tag(phone, op, tag)))
        assert_nothing_is_hidden(honest, forged, repr(tag))
        record = forged[2][ATTACKER, 0, DataClass.CONTACTS]
        assert record is honest[2][ATTACKER, 0, DataClass.CONTACTS] or not forged[1]


@pytest.mark.parametrize("sdk", [30, 31, 36])
@pytest.mark.parametrize(
    "reply", ["", "Security exception: no\n", "\u6ca1\u6709\u64cd\u4f5c\u3002\n", "usage: appops\n"]
)
def test_no_attribution_tag_hides_where_the_phone_does_not_answer_about_single_ops(sdk, reply):
    phone = phone_of(sdk)
    for tag in TAGS:
        changed = _with_tag(phone, "COARSE_LOCATION", tag)
        honest, forged = (
            judged(ChangedTransport(one, "cmd", lambda argv, out: reply if "appops" in argv else out))
            for one in (phone, changed)
        )
        assert_nothing_is_hidden(honest, forged, repr(tag))
        record = forged[2][ATTACKER, 0, DataClass.CONTACTS]
        assert record is honest[2][ATTACKER, 0, DataClass.CONTACTS] or not forged[1]


@pytest.mark.parametrize("sdk", [28, 30, 34])
def test_a_forged_hidden_app_is_in_no_report(sdk):
    """The list leaves hidden apps out, so only its own dump shows that there is none."""
    phone, phantom = phone_of(sdk), "com.example.not.there"
    users = user_lines(dump_of(phone)[dump_of(phone).index(f"Package [{ATTACKER}]") :].partition("\n  Package [")[0])
    held = f"\n      runtime permissions:\n        {P}READ_CONTACTS: granted=true"
    users = re.sub(r"(?m)$", held, users.replace("hidden=false", "hidden=true"))
    block = (
        f"\n  Package [{phantom}] (1):\n    pkg=Package{{1 {phantom}}}\n    codePath=/data/app/x\n"
        f"    versionCode=1 targetSdk=3\n    dataDir=/data/user/0/{phantom}\n{users}"
    )

    def change(argv, out):
        return with_forged_block(out, lambda old: FIELDS["component"](old, block)) if "package" in argv else out

    states, complete, _ = judged(ForgedTransport(phone, change))
    assert phantom not in {package for package, _, _ in states}
    assert not complete


def _with_tag(phone, op, tag):
    event = VirtualOpEvent(age=timedelta(hours=3), state="fg", tag=tag)
    apps = []
    for app in phone.apps:
        if app.package == ATTACKER:
            install = app.installs[0]
            known = next((one for one in install.ops if one.name == op), VirtualOp(name=op))
            ops = (*(one for one in install.ops if one.name != op), replace(known, events=(event, *known.events)))
            app = replace(app, installs={**app.installs, 0: replace(install, ops=ops)})  # noqa: PLW2901
        apps.append(app)
    return replace(phone, apps=tuple(apps))


UNREADABLE_OWN_DUMPS = {
    "a NUL": lambda out: out.replace("    requested permissions:\n", "    requested permissions:\n      x\0y\n"),
    "refused": lambda _: "Security exception: Permission Denial: can't dump\n",
    "empty": lambda _: "",
    "of nobody": lambda _: f"Unable to find package: {ATTACKER}\n",
    "cut before its permissions": lambda out: out[: out.index("      runtime permissions:")],
    "cut before its users": lambda out: out[: out.index("    User 0:")],
    "endless": lambda out: out + "x" * 3_000_000,
}


@pytest.mark.parametrize("sdk", SDKS)
@pytest.mark.parametrize("what", UNREADABLE_OWN_DUMPS)
def test_an_own_dump_that_says_nothing_is_a_gap(sdk, what):
    phone = phone_of(sdk)
    honest = judged(ShellTransport(phone))

    def change(argv, out):
        return UNREADABLE_OWN_DUMPS[what](out) if argv[-1] == ATTACKER and "package" in argv else out

    forged = judged(ForgedTransport(phone, change))
    assert_nothing_is_hidden(honest, forged, what)
    if what != "endless":
        assert not forged[1]


@pytest.mark.parametrize("sdk", SDKS)
def test_all_at_once_still_ends_in_a_finding_or_a_gap(sdk):
    """A lender that carries its grants to another app, makes its own dump unreadable and its records look absent."""
    phone = _with_tag(phone_of(sdk), "COARSE_LOCATION", TAGS[1]) if sdk >= 30 else phone_of(sdk)
    honest = judged(ShellTransport(phone_of(sdk)))
    block = re.search(rf"  Package \[{ATTACKER}\].*?(?=\n  Package \[|\n\n)", dump_of(phone), re.DOTALL)[0]
    text = forged_texts(block, phone.find_app(VICTIM).app_id)["another app"]

    def change(argv, out):
        if "package" not in argv:
            return out
        out = with_forged_block(out, lambda old: FIELDS["uses-library"](old, f"\n{text}\n"))
        return UNREADABLE_OWN_DUMPS["a NUL"](out) if argv[-1] == ATTACKER else out

    assert_nothing_is_hidden(honest, judged(ForgedTransport(phone, change)), sdk)
