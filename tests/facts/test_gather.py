"""From a capture to facts: they equal the scenario, and damage never becomes "not granted"."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit import facts
from privaudit.audit import ReportOptions, build_report, is_complete
from privaudit.capture.answers import classify_answer, missing_answer
from privaudit.capture.questions import PERMISSIONS
from privaudit.facts.permissions import PERMISSION_INFO, SPECIAL_PERMISSIONS
from privaudit.knowledge import load_knowledge
from privaudit.model import AccessState, AnswerState, DataClass, History, RequestedState
from privaudit.virtual_phone.release import flag_names_for_sdk
from tests.fixtures.damage import DAMAGES

P = "android.permission."
DOOR = {
    DataClass.CONTACTS: [f"{P}READ_CONTACTS"],
    DataClass.SMS: [f"{P}{name}" for name in ("READ_SMS", "RECEIVE_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH")],
    DataClass.CALL_LOG: [f"{P}READ_CALL_LOG"],
}


def states(gathered):
    return {(app.package, app.user, data): app.access[data].state for app in gathered.apps for data in DataClass}


def row(gathered, question, user=None):
    return next(row for row in gathered.coverage if (row.question, row.user) == (question, user))


# --- the story's truth -----------------------------------------------------------------------------------------------


def _truth(phone, app, user):
    """Return the runtime permissions of `app` that a capture covers: name → (granted, flag names)."""
    found = {}
    for grant in phone.runtime_grants(app, user):
        names = [
            flag_names_for_sdk(phone.sdk).get(1 << bit, str(1 << bit)) for bit in range(32) if grant.flags >> bit & 1
        ]
        found[grant.name] = grant.granted, tuple(names)
    return {name: told for name, told in found.items() if name in PERMISSIONS}


def _reads(phone, app, user, data):
    """Return whether the scenario lets `app` read: granted, not withheld by a flag, not ignored by an app-op."""
    install = app.installs[user]
    package_modes = {op.name: op.mode for op in install.ops}
    for name in DOOR[data]:
        granted, flags = _truth(phone, app, user).get(name, (False, ()))
        op = name.removeprefix(P)
        mode = install.uid_modes.get(op, package_modes.get(op, "allow"))
        if granted and not {"REVOKED_COMPAT", "REVIEW_REQUIRED"} & set(flags) and mode in {"allow", "default"}:
            return True
    return False


@pytest.mark.parametrize("way", ["live_capture", "saved_capture"])
def test_gathered_facts_equal_the_scenario(way, request, borrower):
    gathered = facts.gather_facts(request.getfixturevalue(way))
    apps = {(app.package, app.user): app for app in gathered.apps}
    installed = {
        (app.package, user): (app, install)
        for app in borrower.apps
        for user, install in app.installs.items()
        if install.installed
    }
    assert apps.keys() == installed.keys()
    assert not [row for row in gathered.coverage if row.could_hide]
    for (package, user), (app, install) in installed.items():
        told = apps[package, user]
        in_dump = told.version_name is not None
        if way == "saved_capture" or in_dump:
            assert (told.version_name, told.version_code) == (app.version_name, app.version_code)
            assert (told.target_sdk, told.enabled) == (app.target_sdk, install.enabled < 2)
            assert told.first_installed is None or told.first_installed.replace(tzinfo=None) == install.first_installed
        else:
            assert not _truth(borrower, app, user)  # the filtered dump leaves out who has none of the named
        assert (told.installer, told.system) == (app.installer, app.is_system)
        permissions = {one.name: one for one in told.permissions}
        for name, (granted, flags) in _truth(borrower, app, user).items():
            if name not in permissions:
                assert not granted  # nothing to tell: a shared uid's, for a package that did not ask
                continue
            assert (permissions[name].granted, permissions[name].flags) == (granted, flags), (package, user, name)
        for name, permission in permissions.items():
            if name not in _truth(borrower, app, user):
                assert not permission.granted or name in app.requested_permissions or app.shared_user is not None
            if way == "live_capture" and name in app.requested_permissions:
                assert permission.requested is RequestedState.YES
        for data in DataClass:
            assert told.access[data].state.allows_reading == _reads(borrower, app, user, data), (package, user, data)


def test_last_read_is_the_latest_event_of_the_scenario(live_capture, borrower):
    apps = {(app.package, app.user): app for app in facts.gather_facts(live_capture).apps}
    now = borrower.device_time(live_capture.taken_at)
    recorded = 0
    for app in borrower.apps:
        for user, install in app.installs.items():
            for op in install.ops:
                name = f"{P}{op.name}"
                ages = [event.age for event in op.events if not event.rejected]
                if not install.installed or not ages or name not in DOOR[DataClass.CONTACTS]:
                    continue
                access = apps[app.package, user].access[DataClass.CONTACTS]
                assert access.history is History.RECORDED
                assert abs(access.last_read - (now - min(ages))) < timedelta(seconds=2)
                assert access.last_read.utcoffset() == now.utcoffset()
                assert access.last_read_age_s == round(min(ages).total_seconds())
                recorded += 1
    assert recorded >= 8


def test_genuine_phone_is_complete_and_not_forged(phone, capture_of_phone):
    gathered = facts.gather_facts(capture_of_phone(phone))
    closed = {user.id for user in phone.users if user.denied_to_shell}
    odd = [row for row in gathered.coverage if row.detail is not None]
    assert {(row.question, row.user) for row in odd} == {
        (question, user) for user in closed for question in ("installed", "third_party", "settings")
    }
    assert {row.state for row in odd} <= {AnswerState.REFUSED}
    assert is_complete(gathered) == (not closed)


def test_every_location_points_to_the_line_of_its_fact(saved_capture, live_capture):
    for capture in (saved_capture, live_capture):
        places = facts.gather_facts(capture).locations
        for (package, _, fact), found in places.items():
            for place in found:
                text = capture.answer(place.answer_key).text
                line = text[place.offset :].partition("\n")[0]
                assert place.offset == 0 or text[place.offset - 1] == "\n"
                if fact == "package":
                    assert package in line
                elif fact.startswith(P):
                    assert f" {fact}: granted=" in line
                elif fact.startswith("op:"):
                    assert fact.removeprefix("op:") in line or re.search("Access:|Reject:", line)
                elif fact in SPECIAL_PERMISSIONS.values():
                    (name,) = (name for name, kind in SPECIAL_PERMISSIONS.items() if kind == fact)
                    assert PERMISSION_INFO[name].op in line or name in line
                else:
                    assert package in line
        assert sum(fact.startswith(P) for _, _, fact in places) > 100


# --- what is not there -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [AnswerState.REFUSED, AnswerState.TIMED_OUT, AnswerState.NOT_ASKED])
@pytest.mark.parametrize("key", ["properties", "users", "packages", "appops", "roles", "device_policy", "settings.0"])
def test_missing_essential_answer_could_hide_and_denies_nothing(live_capture, key, state):
    before = states(facts.gather_facts(live_capture))
    gathered = facts.gather_facts(live_capture.with_answers([missing_answer(key, state)]))
    name, _, user = key.partition(".")
    assert row(gathered, name, int(user) if user else None).could_hide
    assert not is_complete(gathered)
    for told, state_after in states(gathered).items():
        if before[told].allows_reading:
            assert state_after.allows_reading or state_after is AccessState.UNKNOWN


def test_access_is_unknown_without_package_dump(text_capture):
    gathered = facts.gather_facts(text_capture.with_answers([missing_answer("packages")]))
    assert set(states(gathered).values()) == {AccessState.UNKNOWN}


@pytest.mark.parametrize("user", [0, 999])
def test_user_with_refused_list_is_not_checked(text_capture, user):
    said = b"Error: java.lang.SecurityException: Shell does not have permission to access user 999"
    gathered = facts.gather_facts(
        text_capture.with_answers([classify_answer(f"installed.{user}", said, exit_code=255)])
    )
    unchecked = [one for one in gathered.users if not one.checked]
    assert [(one.id, one.why_not) for one in unchecked] == [(user, AnswerState.REFUSED)]
    assert not is_complete(gathered)
    # The dump of permissions tells of some of its apps all the same: each as it is where the list was given.
    seen = {app.package: app for app in gathered.apps if app.user == user}
    whole = {app.package: app for app in facts.gather_facts(text_capture).apps if app.user == user}
    assert seen
    assert seen.keys() < whole.keys()
    for package, app in seen.items():
        assert {data: one.state for data, one in app.access.items()} == {
            data: one.state for data, one in whole[package].access.items()
        }


def test_empty_package_list_is_unreadable(live_capture, with_texts):
    gathered = facts.gather_facts(with_texts(live_capture, {"installed.0": "WARNING: linker: libc\n"}))
    assert row(gathered, "installed", 0).state is AnswerState.UNREADABLE
    assert gathered.users[0].why_not is AnswerState.UNREADABLE


def test_short_package_list_contradicts_the_third_party_list(live_capture, with_texts):
    lines = live_capture.answer("installed.0").text.splitlines(keepends=True)
    own = live_capture.answer("third_party.0").text.split()[0].removeprefix("package:")
    short = "".join(line for line in lines if not line.split()[0].endswith(f"={own}"))
    gathered = facts.gather_facts(with_texts(live_capture, {"installed.0": short}))
    assert row(gathered, "installed", 0).could_hide


def test_user_only_in_package_dump_is_a_gap(live_capture, with_texts):
    only_owner = "Users:\n\tUserInfo{0:Owner:c13} running\n"
    gathered = facts.gather_facts(with_texts(live_capture, {"users": only_owner}))
    assert row(gathered, "users").detail.values == {"users": "999"}
    assert [user.id for user in gathered.users] == [0, 999]
    assert not is_complete(gathered)


def test_dump_of_one_package_leaves_others_unknown(saved_capture, phone_output, with_texts):
    one = phone_output("dumpsys package com.example.bank")
    gathered = facts.gather_facts(with_texts(saved_capture, {"packages": one}))
    told = states(gathered)
    assert told["com.example.bank", 0, DataClass.CONTACTS] is AccessState.NOT_ALLOWED
    assert told["com.example.sudaibao", 0, DataClass.CONTACTS] is AccessState.UNKNOWN


def test_filtered_dump_saved_by_hand_is_incomplete(saved_capture, live_capture, with_texts):
    gathered = facts.gather_facts(with_texts(saved_capture, {"packages": live_capture.answer("packages").text}))
    assert row(gathered, "packages").detail.key == "coverage.no_end"
    assert not is_complete(gathered)


@pytest.mark.parametrize("cut", [200, 1400, 2600, 3600])
def test_truncated_own_dump_denies_nothing(live_capture, text_capture, phone_output, cut):
    text = phone_output("dumpsys package com.example.sudaibao").encode()
    key = "package.com.example.sudaibao"
    whole = facts.gather_facts(live_capture.with_answers([classify_answer(key, text, exit_code=0)]))
    before = facts.gather_facts(live_capture)
    torn = facts.gather_facts(
        live_capture.with_answers([classify_answer(key, text[:cut], exit_code=None, complete=False)])
    )
    assert states(torn).keys() == states(before).keys()
    for one, state in states(torn).items():
        assert state is states(before)[one] or (one[0] == "com.example.sudaibao" and state is AccessState.UNKNOWN)
    assert {key: state.allows_reading for key, state in states(whole).items()} == {
        k: s.allows_reading for k, s in states(before).items()
    }
    # Without the answer that cannot be forged, an app whose own dump is not whole has nothing that it lacks.
    unproved = facts.gather_facts(
        text_capture.with_answers([classify_answer(key, text[:cut], exit_code=None, complete=False)])
    )
    for one, state in states(unproved).items():
        could_be_more = one[0] == "com.example.sudaibao" and state is AccessState.UNKNOWN
        assert state is states(before)[one] or could_be_more
    alone = facts.gather_facts(
        text_capture.with_answers(
            [missing_answer("packages"), classify_answer(key, text[:cut], exit_code=None, complete=False)]
        )
    )
    assert AccessState.NOT_ALLOWED not in states(alone).values()


def test_truncated_appops_prove_no_missing_record(live_capture):
    text = live_capture.answer("appops").text.encode()
    torn = facts.gather_facts(
        live_capture.with_answers([classify_answer("appops", text[: len(text) // 2], exit_code=None, complete=False)])
    )
    histories = {app.access[data].history for app in torn.apps for data in DataClass}
    assert histories == {History.RECORDED, History.UNKNOWN}


def test_package_of_shared_uid_uses_grants_of_the_others(saved_capture):
    apps = {(app.package, app.user): app for app in facts.gather_facts(saved_capture).apps}
    assert apps["com.android.providers.telephony", 0].access[DataClass.SMS].state.allows_reading


def test_missing_shared_user_section_denies_nothing(saved_capture, with_texts):
    text = saved_capture.answer("packages").text
    head, title, rest = text.partition("\nShared users:\n")
    behind = rest[rest.index("\nPackage Changes:") :]
    gathered = facts.gather_facts(with_texts(saved_capture, {"packages": head + behind}))
    assert title
    assert row(gathered, "packages").could_hide
    told = states(gathered)["com.android.providers.telephony", 0, DataClass.SMS]
    assert told is AccessState.UNKNOWN


@pytest.mark.parametrize("service", ["role", "device_policy"])
def test_missing_service_is_not_supported(live_capture, with_texts, service):
    key = {"role": "roles"}.get(service, service)
    gathered = facts.gather_facts(with_texts(live_capture, {key: f"Can't find service: {service}\n"}))
    assert row(gathered, key).state is AnswerState.NOT_SUPPORTED
    assert row(gathered, key).could_hide


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("roles", "something else\n"),
        ("device_policy", "something else\n"),
        ("settings.0", "/system/bin/sh: settings: not found\n" * 6),
        ("settings.0", "enabled_accessibility_services=\n"),
        ("users", "Users:\n"),
        ("properties", "[ro.build.version.sdk]: []\n"),
        ("packages", "something else\n"),
        ("appops", "something else\n"),
    ],
)
def test_text_that_is_not_the_dump_is_unreadable(live_capture, with_texts, key, text):
    gathered = facts.gather_facts(with_texts(live_capture, {key: text}))
    name, _, user = key.partition(".")
    found = row(gathered, name, int(user) if user else None)
    assert found.state is AnswerState.UNREADABLE
    assert found.could_hide


# --- damage ----------------------------------------------------------------------------------------------------------

DAMAGED = ["packages", "appops", "installed.0", "installed.999", "users", "properties", "settings.0", "roles"]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
@pytest.mark.parametrize("key", DAMAGED)
def test_damage_is_noticed_or_changes_nothing(small_saved_capture, with_texts, key, damage):
    undamaged = facts.gather_facts(small_saved_capture)
    before = states(undamaged)
    assert is_complete(undamaged)
    text = small_saved_capture.answer(key).text
    assert any(state.allows_reading for state in before.values())
    assert AccessState.BLOCKED in before.values()

    @settings(max_examples=24)
    @given(st.data())
    def holds(data):
        damaged = damage(text, data.draw)
        raw = damaged if isinstance(damaged, bytes) else damaged.encode("utf-8", "surrogateescape")
        gathered = facts.gather_facts(with_texts(small_saved_capture, {key: raw}))
        after = states(gathered)
        if is_complete(gathered):
            assert after == before
        if not any(row.could_hide for row in gathered.coverage):
            wrong = {
                told: state for told, state in after.items() if before[told].allows_reading and not state.allows_reading
            }
            assert wrong == {}

    holds()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
@pytest.mark.parametrize("key", ["packages", "appops", "device_policy"])
def test_damage_to_a_live_answer_never_raises(capture_of_phone, small_phone, with_texts, key, damage):
    live_capture = capture_of_phone(small_phone)
    text = live_capture.answer(key).text

    @settings(max_examples=20)
    @given(st.data())
    def holds(data):
        damaged = damage(text, data.draw)
        raw = damaged if isinstance(damaged, bytes) else damaged.encode("utf-8", "surrogateescape")
        facts.gather_facts(with_texts(live_capture, {key: raw}))

    holds()


@given(st.dictionaries(st.sampled_from([*DAMAGED, "clock", "device_policy", "package.com.x"]), st.binary(max_size=200)))
def test_gather_facts_never_raises_on_arbitrary_bytes(capture_of, texts):
    gathered = facts.gather_facts(capture_of(texts))
    assert not is_complete(gathered)


@pytest.mark.parametrize("digits", ["9" * 5000, "\u0663" * 5, "-1", "1e9", "0x10"])
@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("packages", "versionCode=10402"),
        ("packages", "appId=10118"),
        ("packages", "User 999"),
        ("packages", "sdkVersion=34"),
        ("appops", "Uid u0a118"),
        ("appops", "(-1d18h"),
        ("installed.0", "uid:10118"),
        ("users", "{999:"),
        ("properties", "sdk]: [34"),
        ("roles", "user_id=0"),
    ],
)
def test_gather_facts_never_raises_on_hostile_numbers(saved_capture, with_texts, key, pattern, digits):
    text = saved_capture.answer(key).text
    number = "".join(char for char in pattern if char.isdecimal()) or "0"
    hostile = text.replace(pattern, pattern.replace(number, digits, 1))
    facts.gather_facts(with_texts(saved_capture, {key: hostile}))


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_last_read_without_clock_is_local_time_in_the_phones_zone(live_capture):
    access = {
        (app.package, app.user): app.access[DataClass.CONTACTS]
        for app in facts.gather_facts(live_capture.with_answers([missing_answer("clock")])).apps
    }
    with_clock = {
        (app.package, app.user): app.access[DataClass.CONTACTS] for app in facts.gather_facts(live_capture).apps
    }
    for key, told in access.items():
        assert told.last_read_age_s == with_clock[key].last_read_age_s
        if told.last_read is not None:
            assert str(told.last_read.tzinfo) == "Asia/Shanghai"
            assert abs(told.last_read - with_clock[key].last_read) < timedelta(seconds=2)


# --- reports ---------------------------------------------------------------------------------------------------------


def test_report_of_damaged_capture_is_incomplete(saved_capture, with_texts):
    text = saved_capture.answer("packages").text
    whole = build_report(saved_capture, load_knowledge(demo=True), ReportOptions())
    cut = build_report(
        with_texts(saved_capture, {"packages": text[: len(text) // 2]}), load_knowledge(demo=True), ReportOptions()
    )
    assert (whole.complete, cut.complete) == (True, False)


# --- effort ----------------------------------------------------------------------------------------------------------


def _calls(work):
    count = 0

    def count_one(_frame, event, _arg):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(count_one)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def _copies(text, times):
    """Return the text with each example app repeated under other names and uids."""
    return "\n".join(
        text.replace("com.example.", f"com.copy{number}.").replace("appId=10", f"appId={20 + number}")
        for number in range(times)
    )


@pytest.mark.parametrize("key", ["packages", "appops"])
def test_parsing_takes_linear_time(saved_capture, key):
    from privaudit.dumpsys import appops, package_checks

    parse = {"packages": package_checks.parse_and_check_dump, "appops": appops.parse_appops}[key]
    text = saved_capture.answer(key).text
    blocks = text[text.index("\nPackages:\n") + 1 :] if key == "packages" else text
    many = _copies(blocks, 10)
    assert _calls(lambda: parse(many)) < 13 * _calls(lambda: parse(blocks))


def test_gathering_takes_linear_time(saved_capture, with_texts):
    """App-ops, lists and blocks are looked up and not searched if the phone gives uids."""
    small_phone = with_texts(saved_capture, {"appops": saved_capture.answer("appops").text})
    lines = saved_capture.answer("installed.0").text
    many = replace(small_phone)
    for number in range(9):
        more = lines.replace("com.example.", f"com.copy{number}.").replace("uid:1", f"uid:{number + 2}")
        many = with_texts(many, {"installed.0": many.answer("installed.0").text + more})
    assert _calls(lambda: facts.gather_facts(many)) < 13 * _calls(lambda: facts.gather_facts(small_phone))
