"""A saved text that was cut, wrapped, stripped or taken at two times never turns "can read" into "cannot read"."""

from __future__ import annotations

import re

import pytest

from privaudit import facts
from privaudit.audit import is_complete
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.model import AccessState, AnswerState, DataClass

P = "android.permission."
LOAN, OTHER = "com.example.loan", "com.example.maps"
HEAD = "Database versions:\n  Internal:\n    sdkVersion=34 databaseVersion=3\n\nPackages:\n"
BEHIND = "\nQueries:\n  system apps queryable: false\n\nPackage Changes:\n  Sequence number=3\n\nDexopt state:\n  [x]\n"
USER = "ceDataInode=11 deDataInode=12 installed=true hidden=false suspended=false stopped=false enabled=0 instant=false"


def block(name, app_id, granted=(), *, user=USER, path="AAAA"):
    lines = "".join(
        f"        {P}{one}: granted=true, flags=[ USER_SET|USER_SENSITIVE_WHEN_GRANTED]\n" for one in granted
    )
    return f"""\
  Package [{name}] (1a2b3c):
    appId={app_id}
    pkg=Package{{5f {name}}}
    codePath=/data/app/~~{path}==/{name}-BBBB==
    versionCode=7 minSdk=24 targetSdk=34
    versionName=1.0
    dataDir=/data/user/0/{name}
    lastUpdateTime=2025-05-01 10:00:00
    installerPackageName=com.android.vending
    pkgFlags=[ HAS_CODE ALLOW_CLEAR_USER_DATA ]
    User 0: {user}
      installReason=4
      firstInstallTime=2025-05-01 10:00:00
      gids=[3003]
      runtime permissions:
{lines}"""


READS = ("READ_CONTACTS", "READ_SMS", "READ_CALL_LOG")
TEXT = f"{HEAD}{block(LOAN, 10101, READS)}{block(OTHER, 10102, READS[:1])}{BEHIND}"


def listed(*entries):
    return "".join(f"package:/data/app/~~{path}==/{name}-BBBB==/base.apk={name}\n" for name, path in entries)


def gathered(capture_of, text=TEXT, **answers):
    users = "Users:\n\tUserInfo{0:Owner:4c13} running\n"
    properties = "[ro.build.version.sdk]: [34]\n[ro.build.version.release]: [14]\n"
    return facts.gather_facts(capture_of({"packages": text, "users": users, "properties": properties, **answers}))


def states(found, package=LOAN):
    return {data: app.access[data].state for app in found.apps for data in DataClass if app.package == package}


def row(found, question="packages"):
    return next(row for row in found.coverage if row.question == question and row.user in {None, 0})


def test_a_whole_text_is_read_as_printed_from_text_alone(capture_of):
    found = gathered(capture_of)
    assert set(states(found).values()) == {AccessState.CAN_READ}
    assert states(found, OTHER)[DataClass.SMS] is AccessState.NOT_ALLOWED
    assert (row(found).state, row(found).detail.key, row(found).could_hide) == (
        AnswerState.ANSWERED, "coverage.text_alone", False,
    )  # fmt: skip


def test_stripped_line_ends_change_nothing(capture_of):
    shared = "Shared users:\n  SharedUser [a.b] (1):\n    appId=10001\n    User 0: \n      gids=[1]\n\n"
    text = TEXT.replace("\nPackage Changes:", f"\n{shared}Package Changes:")
    assert "User 0: \n" in text
    stripped = re.sub(r"(?m) +$", "", text)
    assert stripped != text
    before, after = gathered(capture_of, text), gathered(capture_of, stripped)
    assert [states(after, name) for name in (LOAN, OTHER)] == [states(before, name) for name in (LOAN, OTHER)]
    assert row(after).state is AnswerState.ANSWERED


@pytest.mark.parametrize("width", range(20, 100, 3))
def test_wrapped_lines_deny_nothing(capture_of, width):
    wrapped = "\n".join(line[at : at + width] for line in TEXT.split("\n") for at in range(0, max(len(line), 1), width))
    found = gathered(capture_of, wrapped)
    told = states(found)
    assert set(told.values()) <= {AccessState.CAN_READ, AccessState.UNKNOWN}
    assert all(state is AccessState.CAN_READ for state in told.values()) or not is_complete(found)


@pytest.mark.parametrize("number", range(len(block(LOAN, 10101, READS).split("\n")) - 1))
@pytest.mark.parametrize("damage", ["", "> ", "\u00a0", "\u200b", "\t", "-"])
def test_one_damaged_line_denies_nothing_and_loses_no_other_app(capture_of, number, damage):
    lines = block(LOAN, 10101, READS).split("\n")
    lines[number] = damage + lines[number].lstrip()
    text = (
        f"{HEAD}{block('com.example.first', 10100, READS)}"
        + "\n".join(lines)
        + f"{block(OTHER, 10102, READS[:1])}{BEHIND}"
    )
    found = gathered(capture_of, text)
    told = states(found)
    assert AccessState.NOT_ALLOWED not in told.values() or "granted=" not in lines[number]
    assert set(told.values()) <= {AccessState.CAN_READ, AccessState.UNKNOWN}
    if set(told.values()) != {AccessState.CAN_READ}:
        assert not is_complete(found)
    assert states(found, OTHER)[DataClass.CONTACTS] is AccessState.CAN_READ


def test_a_lost_line_counts_for_its_app_alone(capture_of):
    text = TEXT.replace(f"        {P}READ_SMS: granted=true", f"{P}READ_SMS: granted=true", 1)
    found = gathered(capture_of, text)
    assert states(found)[DataClass.CONTACTS] is AccessState.CAN_READ
    assert states(found)[DataClass.SMS] is AccessState.UNKNOWN
    assert states(found, OTHER)[DataClass.SMS] is AccessState.NOT_ALLOWED
    assert (row(found).detail.key, is_complete(found)) == ("coverage.lost_grants", False)


@pytest.mark.parametrize("with_list", [False, True])
def test_a_hidden_app_is_reported_and_said_to_be_hidden(capture_of, with_list):
    hidden = USER.replace("hidden=false", "hidden=true")
    text = f"{HEAD}{block(LOAN, 10101, READS, user=hidden)}{block(OTHER, 10102)}{BEHIND}"
    answers = {"installed.0": listed((OTHER, "AAAA"))} if with_list else {}
    found = gathered(capture_of, text, **answers)
    app = next(app for app in found.apps if app.package == LOAN)
    assert app.access[DataClass.CONTACTS].state is AccessState.CAN_READ
    assert app.enabled is False


@pytest.mark.parametrize("flags", ["HAS_CODE", "SYSTEM HAS_CODE"])
def test_the_list_of_third_party_apps_counts_more_than_flags_in_a_block(capture_of, flags):
    """An app can write into its block, and apps of the system image are looked at less closely."""
    text = TEXT.replace("pkgFlags=[ HAS_CODE", f"pkgFlags=[ {flags}")
    found = gathered(capture_of, text, **{"third_party.0": f"package:{LOAN}\n"})
    is_system = {app.package: app.system for app in found.apps}
    assert is_system == {LOAN: False, OTHER: "SYSTEM" in flags}


def test_an_update_between_two_commands_puts_only_that_app_in_doubt(capture_of):
    found = gathered(capture_of, **{"installed.0": listed((LOAN, "AAAA"), (OTHER, "CCCC"))})
    assert set(states(found).values()) == {AccessState.CAN_READ}
    assert set(states(found, OTHER).values()) == {AccessState.UNKNOWN}
    assert (row(found).detail.key, is_complete(found)) == ("coverage.outdated", False)


def test_an_app_installed_between_two_commands_loses_no_other(capture_of):
    found = gathered(capture_of, **{"installed.0": listed((LOAN, "AAAA"))})
    assert set(states(found).values()) == {AccessState.CAN_READ}
    assert not is_complete(found)


def test_more_apps_than_a_phone_can_have_are_a_gap(capture_of, monkeypatch):
    """What no phone has ends, with what was read and a gap that says why."""
    for module in ("privaudit.facts", "privaudit.facts.package_dumps", "privaudit.dumpsys.package_list"):
        monkeypatch.setattr(f"{module}.MAX_PACKAGES", 20)
    monkeypatch.setattr("privaudit.dumpsys.package_parser.MAX_PACKAGES", 20)
    names = [f"com.example.a{number}" for number in range(40)]
    text = HEAD + "".join(block(name, 10100 + number, READS) for number, name in enumerate(names)) + BEHIND
    parse_package_list.cache_clear()
    found = gathered(capture_of, text, **{"installed.0": listed(*((name, "AAAA") for name in names))})
    assert len(found.apps) == 20
    assert row(found).detail.key == row(found, "installed").detail.key == "coverage.too_many"
    assert not is_complete(found)
