"""A saved text that web pages, editors, terminals or a cut altered is read as printed, or the report has a gap."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from privaudit import audit, facts
from privaudit.capture import read_source
from privaudit.knowledge import load_knowledge
from privaudit.model import AccessState, AnswerState, DataClass
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import Shell
from tests.fixtures.captures import NOW

STORY = load_scenario("borrower")
KNOWLEDGE = load_knowledge(demo=True)
NAMES = ("com.example.creditwing", "com.example.sudaibao", "com.example.bank", "com.example.screenreader")
NAMES += ("com.example.watchlink", "com.example.findphone", "com.example.keyboard")
NAMES += ("com.android.messaging", "com.android.dialer")
PHONE = replace(STORY, apps=tuple(app for app in STORY.apps if app.package in NAMES or app.shared_user is not None))
PACKAGES, APPOPS, ROLES = "dumpsys_package.txt", "dumpsys_appops.txt", "dumpsys_role.txt"
POLICY, SETTINGS, LIST = "dumpsys_device_policy.txt", "settings_secure.txt", "pm_list_packages.txt"
COMMANDS = {
    PACKAGES: "dumpsys package",
    APPOPS: "dumpsys appops",
    ROLES: "dumpsys role",
    POLICY: "dumpsys device_policy",
    "getprop.txt": "getprop",
    "pm_list_users.txt": "pm list users",
    "date.txt": "date +%s",
}
KEYS = ("accessibility_enabled", "default_input_method", "enabled_accessibility_services")
KEYS += ("enabled_notification_listeners", "sms_default_application")


def _files():
    shell = Shell(build_programs(PHONE, now=NOW))
    found = {name: shell.run_script(command).out.decode() for name, command in COMMANDS.items()}
    for user in PHONE.users:
        suffix = f".user{user.id}.txt" if user.id else ".txt"
        found[LIST.replace(".txt", suffix)] = shell.run_script(f"pm list packages -f -i --user {user.id}").out.decode()
        values = {key: shell.run_script(f"settings --user {user.id} get secure {key}").out.decode() for key in KEYS}
        lines = (f"{key}={value}" for key, value in values.items() if value.strip() != "null")
        found[SETTINGS.replace(".txt", suffix)] = "android_id=0123\n" + "".join(lines)
    return found


FILES = _files()
"""What a person saves by hand. The report on it is complete."""
READS = {AccessState.CAN_READ, AccessState.ONLY_WHILE_OPEN, AccessState.ASKS_EACH_TIME}


def judged(folder, **changes):
    for name, text in {**FILES, **changes}.items():
        (folder / name).write_bytes(text.encode())
    found = facts.summarise_phone(read_source(folder))
    report = audit.build_report(found.capture, KNOWLEDGE, audit.ReportOptions(include_all_apps=True), found)
    states = {(app.package, app.user, data): app.access[data].state for app in report.apps for data in DataClass}
    special = {(app.package, app.user, one.kind) for app in report.apps for one in app.special_access}
    return states, special, report.complete


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    found = judged(tmp_path_factory.mktemp("honest"))
    assert found[2]
    assert {kind for _, _, kind in found[1]} >= {
        "accessibility",
        "notification_listener",
        "device_admin",
        "default_sms",
    }
    assert AccessState.BLOCKED in found[0].values()
    assert READS & set(found[0].values())
    return found


def assert_nothing_is_hidden(honest, found):
    states, special, complete = found
    for key, state in honest[0].items():
        if state in READS:
            assert states.get(key) in READS or (states.get(key) is AccessState.UNKNOWN and not complete), key
        elif states.get(key) in READS:
            assert not complete, key
    assert special >= honest[1] or not complete, honest[1] - special


def on_lines_with(pattern, change):
    return lambda text: "\n".join(change(line) if re.search(pattern, line) else line for line in text.split("\n"))


RED = on_lines_with(
    "READ_|admin|holders|enabled_", lambda line: re.sub(r"(\w+)", "\x1b[01;31m\x1b[K\\1\x1b[m\x1b[K", line)
)
ALTERATIONS = {
    "colours of grep": RED,
    "numeric entities": lambda text: text.replace("_", "&#95;"),
    "tags for breaks": lambda text: text.replace("_", "_<wbr>"),
    "escaped": html.escape,
    "Markdown without underscores": lambda text: text.replace("_", ""),
    "Markdown with backslashes": lambda text: text.replace("_", "\\_"),
    "capitals": lambda text: re.sub(r"(?m)^(\s*)(\w)", lambda match: match[1] + match[2].upper(), text),
    "lower case": str.lower,
    "upper case": str.upper,
    "lower case in lines of ops": on_lines_with("READ_", str.lower),
    "a short form of permissions": lambda text: text.replace("android.permission.", ""),
    "zero width after dots": lambda text: text.replace(".", ".\u200b"),
    "blanks at line ends": lambda text: text.replace("\n", "  \n"),
    "an indent": lambda text: re.sub("(?m)^", "    ", text),
    "no indents": lambda text: re.sub("(?m)^ +", "", text),
    "a mark before lines": lambda text: re.sub("(?m)^", "| ", text),
    "numbers of lines": lambda text: "\n".join(f"{at:6}\t{line}" for at, line in enumerate(text.split("\n"), 1)),
    "quotes": lambda text: "\n".join(f'"{line}"' for line in text.split("\n")),
    "sorted": lambda text: "\n".join(sorted(text.split("\n"))),
    "without what is granted": lambda text: "\n".join(line for line in text.split("\n") if "granted=true" not in line),
    "cut": lambda text: text[: len(text) // 2],
    "cut at 48 columns": lambda text: "\n".join(line[:48] for line in text.split("\n")),
    "its end": lambda text: text[len(text) // 2 + 3 :],
}  # fmt: skip


@pytest.mark.parametrize("name", [PACKAGES, APPOPS, ROLES, POLICY, SETTINGS, LIST])
@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_an_altered_copy_hides_nothing(honest, tmp_path, name, alteration):
    assert_nothing_is_hidden(honest, judged(tmp_path, **{name: ALTERATIONS[alteration](FILES[name])}))


@pytest.mark.parametrize("end", ["\r", "\r\n", "\x85", "\u2028", "\n\r"])
def test_every_line_end_is_read(honest, tmp_path, end):
    assert judged(tmp_path, **{name: text.replace("\n", end) for name, text in FILES.items()}) == honest


@pytest.mark.parametrize("lost", ["    sharedUser=", "    appId="])
def test_a_lost_line_of_a_block_denies_nothing(honest, tmp_path, lost):
    text = "".join(line for line in FILES[PACKAGES].splitlines(keepends=True) if not line.startswith(lost))
    assert text != FILES[PACKAGES]
    assert_nothing_is_hidden(honest, judged(tmp_path, **{PACKAGES: text}))


def test_an_app_that_a_cut_list_lacks_is_in_the_report(honest, tmp_path):
    """Who passes on half of a list, and no list of third-party apps, must not lose the other half."""
    lines = FILES[LIST].splitlines(keepends=True)
    states, _, complete = judged(tmp_path, **{LIST: "".join(lines[: len(lines) // 2])})
    assert states.keys() == honest[0].keys()
    assert not complete


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (ROLES, "com.android.messaging", "com.other.phone"),
        (POLICY, "com.example.findphone", "com.other.phone"),
        (ROLES, "      user_id=999", "      user_id=0"),
    ],
)
def test_what_fits_no_app_of_the_phone_is_a_gap(tmp_path, name, before, after):
    assert before in FILES[name]
    assert not judged(tmp_path, **{name: FILES[name].replace(before, after)})[2]


def test_apps_may_have_permissions_and_ops_of_similar_names(honest, tmp_path):
    extra = "        com.vendor.permission.READ_CONTACTS: granted=true\n        READ.MMS: granted=true\n"
    text = FILES[PACKAGES].replace("      runtime permissions:\n", f"      runtime permissions:\n{extra}")
    ops = FILES[APPOPS].replace("      READ_CONTACTS (", "      READ_MMS (allow): \n      READ_CONTACTS (", 1)
    assert judged(tmp_path, **{PACKAGES: text, APPOPS: ops}) == honest


def test_ops_without_their_beginning_are_not_whole(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / APPOPS).write_text(FILES[APPOPS][FILES[APPOPS].index("  Uid u0a") :])
    rows = facts.gather_facts(read_source(tmp_path)).coverage
    assert next(row.state for row in rows if row.question == "appops") is AnswerState.UNREADABLE
