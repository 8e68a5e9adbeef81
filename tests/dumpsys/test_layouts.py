"""Every layout of Android 6 to 16 and of four makers: dumps are parsed back, damage is detected, work is linear.

Hypothesis draws the phones; ``privaudit.virtual_phone.dump_writers`` prints them, and ``tests/virtual_phone`` compares
those writers with real output (``test_dump_samples.py``).
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from privaudit import facts
from privaudit.audit import is_complete
from privaudit.capture.answers import decode_output
from privaudit.capture.questions import PERMISSIONS, SETTINGS
from privaudit.dumpsys import appops, device, package_checks, special_access
from privaudit.dumpsys.package_list import parse_package_list
from privaudit.model import AccessState, DataClass
from privaudit.virtual_phone import load_scenario
from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import package_dump
from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.programs.services import run_settings
from privaudit.virtual_phone.release import DEFAULT_OP_MODES, SUPPORTED_SDKS, Since, layout_of
from privaudit.virtual_phone.scenario.virtual import VirtualGrant, VirtualOp, VirtualOpEvent
from privaudit.virtual_phone.state import MutableDevice
from tests.fixtures.damage import DAMAGES
from tests.fixtures.phones import LAYOUTS, ZONE, layouts

CONTACTS = "android.permission.READ_CONTACTS"
NOW = datetime(2026, 1, 10, 15, 42, tzinfo=ZONE)
READ_AS = {
    "MIUIOP(10028)": "READ_SMS_REAL",
    "MIUIOP(10029)": "READ_CONTACTS_REAL",
    "MIUIOP(10031)": "READ_CALL_LOG_REAL",
}
PHASES = (Phase.explicit, Phase.generate)
"""Without shrinking: it takes minutes for a phone, and the failing phone is readable."""
in_every_layout = pytest.mark.parametrize(("sdk", "vendor"), LAYOUTS, ids=str)


def read_as_it_came(phone, text):
    """Decode `text` as the phone sends it: Android 6 sends CRLF."""
    raw = text.encode() if phone.sdk >= Since.SHELL_V2 else text.replace("\n", "\r\n").encode()
    decoded, problem = decode_output(raw)
    assert problem is None
    return decoded


def test_every_layout_is_covered():
    tried = {sdk for sdk, vendor in LAYOUTS if vendor == "aosp"}
    for sdk in set(SUPPORTED_SDKS) - tried:
        older = max(one for one in tried if one < sdk)
        same = replace(layout_of(older), sdk=sdk)
        # Android 7.1, 8.1 and 12L differ from the release before in a word of the user's line at most.
        assert replace(layout_of(sdk), user_line_keys=same.user_line_keys) == same


# --- packages --------------------------------------------------------------------------------------------------------


def _flags(layout, bits):
    return tuple(layout.flag_names_by_bit.get(1 << at, str(1 << at)) for at in range(32) if bits >> at & 1)


def _told(layout, grants):
    return {grant.name: (grant.granted, _flags(layout, grant.flags)) for grant in grants}


def _read(grants):
    return {name: (grant.granted, grant.flags) for name, grant in grants.items()}


def _check_block(phone, app, block, *, asked=None, requested=True):
    """Compare a block with its app. `asked`: the permissions in the dump; `requested`: whether it lists requests."""
    layout = phone.layout

    def wanted(told):
        return {name: one for name, one in told.items() if asked is None or name in asked}

    assert (block.app_id, block.shared_user, block.code_path) == (app.app_id, app.shared_user, app.code_path)
    assert (block.version_code, block.version_name, block.target_sdk) == (
        app.version_code,
        app.version_name,
        app.target_sdk,
    )
    assert (block.installer, block.flags) == (app.installer, frozenset(app.flags))
    assert block.last_updated == render.format_time(app.updated)
    asks = [name for name in app.requested_permissions if asked is None or name in asked]
    assert block.requested_permissions == (set(asks) if requested and app.requested_permissions else None)
    assert block.users.keys() == app.installs.keys()
    for user, state in block.users.items():
        install = app.installs[user]
        assert (state.installed, state.enabled) == (install.installed, install.enabled < 2)
        first = state.first_installed if layout.sdk >= Since.FIRST_INSTALL_PER_USER else block.first_installed
        assert first == render.format_time(
            app.installs[user if layout.sdk >= Since.FIRST_INSTALL_PER_USER else 0].first_installed
        )
        own = () if app.shared_user else install.grants
        assert _read(state.runtime_permissions) == wanted(_told(layout, own))
    if app.shared_user is None:
        everybody = [row for row in app.install_permissions if row.user is None]
        assert _read(block.install_permissions) == wanted(_told(layout, everybody))
        for user, rows in block.install_permissions_by_user.items():
            own = [row for row in app.install_permissions if row.user == user]
            assert _read(rows) == wanted(_told(layout, own))


def _check_shared(phone, dump, asked=None):
    for shared in phone.shared_users:
        block = dump.shared_users[shared.name]
        assert block.app_id == shared.app_id
        for user, grants in shared.grants.items():
            told = {name: one for name, one in _told(phone.layout, grants).items() if asked is None or name in asked}
            assert _read(block.users[user].runtime_permissions) == told


def _sound(dump):
    doubtful = dump.doubtful if hasattr(dump, "doubtful") else [uid for uid in dump.uids.values() if uid.is_doubtful]
    assert (len(doubtful), dump.unparsed_lines) == (0, 0)


@in_every_layout
def test_printed_package_dumps_are_parsed_back(sdk, vendor):
    @settings(max_examples=12, phases=PHASES)
    @given(layouts(sdk, vendor))
    def holds(phone):
        layout = phone.layout
        whole = package_checks.parse_and_check_dump(read_as_it_came(phone, package_dump.format_package_dump(phone)))
        _sound(whole)
        assert whole.reached_end
        assert whole.sdk == sdk
        assert whole.packages.keys() == {app.package for app in phone.apps}
        for app in phone.apps:
            _check_block(phone, app, whole.packages[app.package], requested=layout.requested_in_full_dump)
        copies = {app.package: app.factory for app in phone.apps if app.factory is not None}
        assert {name: block.version_code for name, block in whole.hidden.items()} == {
            name: copy.version_code for name, copy in copies.items()
        }
        _check_shared(phone, whole)

        named = package_checks.parse_and_check_dump(
            read_as_it_came(phone, package_dump.format_permission_dump(phone, PERMISSIONS))
        )
        _sound(named)
        for name, block in named.packages.items():
            _check_block(phone, phone.find_app(name), block, asked=PERMISSIONS)
        held = {
            app.package
            for app in phone.apps
            if app.shared_user is None
            for grant in (*app.install_permissions, *(g for i in app.installs.values() for g in i.grants))
            if grant.name in PERMISSIONS
        }
        assert held <= named.packages.keys()

        for app in phone.apps:
            own = package_checks.parse_and_check_dump(
                read_as_it_came(phone, package_dump.format_single_package_dump(phone, app.package)),
                requested_package=app.package,
            )
            _sound(own)
            assert own.packages.keys() == {app.package}
            _check_block(phone, app, own.packages[app.package])
            assert own.hidden.keys() == {app.package} & copies.keys()
            if app.shared_user:
                _check_shared(phone, own)

    holds()


@in_every_layout
def test_printed_package_lists_are_parsed_back(sdk, vendor):
    @settings(max_examples=6, phases=PHASES)
    @given(layouts(sdk, vendor))
    def holds(phone):
        has_uid = "-U" in phone.layout.list_options
        rows = [(app, (0,)) for app in phone.apps]
        text = render.format_package_list(rows, path=True, version=has_uid, installer=True, uid=has_uid)
        listed, unparsed = parse_package_list(read_as_it_came(phone, text))
        assert unparsed == 0
        assert {name: (one.apk_path, one.installer, one.app_id) for name, one in listed.items()} == {
            app.package: (app.apk_path, app.installer, app.app_id if has_uid else None) for app in phone.apps
        }
        assert device.parse_users(read_as_it_came(phone, render.format_user_list(phone)), sdk).keys() == set(
            phone.user_ids
        )

    holds()


# --- app-ops ---------------------------------------------------------------------------------------------------------


def _mode(layout, install, op):
    """Return the mode in the line of an op: that of the deciding op, where the release prints it."""
    switch = layout.switches.get(op.name) if layout.op_layout != "A" else None
    if switch is None:
        return op.mode
    deciding = {one.name: one.mode for one in install.ops}
    return deciding.get(switch, DEFAULT_OP_MODES.get(switch, "allow"))


def _age(event):
    return None if event is None else event.age


@in_every_layout
def test_printed_appops_are_parsed_back(sdk, vendor):
    @settings(max_examples=12, phases=PHASES)
    @given(layouts(sdk, vendor))
    def holds(phone):
        dump = appops.parse_appops(read_as_it_came(phone, render_appops.format_appops_dump(phone, NOW)))
        _sound(dump)
        expected = {}
        for app in phone.apps:
            for user, install in app.installs.items():
                if install.ops or install.uid_modes:
                    expected.setdefault(app.uid(user), []).append((app, install))
        # The system's own uids of other users go by words that are read over.
        seen = {uid: rows for uid, rows in expected.items() if uid < 100_000 or uid % 100_000 >= 10_000}
        assert dump.uids.keys() == seen.keys()
        for uid, rows in seen.items():
            modes = {}
            for app, install in rows:
                modes |= {READ_AS.get(op, op): mode for op, mode in install.uid_modes.items()}
                ops = dump.uids[uid].packages.get(app.package, {})
                assert ops.keys() == {READ_AS.get(op.name, op.name) for op in install.ops}
                for op in install.ops:
                    read = ops[READ_AS.get(op.name, op.name)]
                    assert read.mode == _mode(phone.layout, install, op)
                    for kind, rejected in ((read.last_access, False), (read.last_reject, True)):
                        ages = [event.age for event in op.events if event.rejected == rejected]
                        assert _age(kind) == min(ages, default=None)
            assert {op: mode for op, (mode, _) in dump.uids[uid].uid_modes.items()} == modes

    holds()


# --- rights beside the permissions -----------------------------------------------------------------------------------


@in_every_layout
def test_printed_special_access_is_parsed_back(capture_of, sdk, vendor):
    phone = replace(load_scenario("borrower"), sdk=sdk, vendor=vendor)
    texts = {"device_policy": render.format_device_policy(phone)}
    if phone.sdk >= Since.ROLES:
        texts["roles"] = render.format_role_dump(phone)
    for user in phone.user_ids:
        texts[f"settings.{user}"] = "".join(
            f"{key}={run_settings(MutableDevice(phone), ['--user', str(user), 'get', 'secure', key]).out.decode()}"
            for key in SETTINGS
        )
    rights = special_access.parse_special_access(
        capture_of({key: read_as_it_came(phone, text) for key, text in texts.items()})
    )
    assert sum(rights.unparsed_lines.values()) == 0
    held = {
        (package, user, one.access.kind) for (package, user), all_ in rights.by_package_and_user.items() for one in all_
    }
    assert held == {
        ("com.example.screenreader", 0, "accessibility"),
        ("com.example.watchlink", 0, "notification_listener"),
        ("com.example.gone", 0, "notification_listener"),
        ("com.example.keyboard", 0, "input_method"),
        ("com.example.keyboard", 999, "input_method"),
        ("com.android.messaging", 0, "default_sms"),
        ("com.android.dialer", 0, "default_phone"),
        ("com.example.findphone", 0, "device_admin"),
    }


# --- the whole way ---------------------------------------------------------------------------------------------------


def _states(gathered):
    return {(app.package, app.user, data): app.access[data].state for app in gathered.apps for data in DataClass}


@in_every_layout
def test_captured_phone_gives_its_facts(capture_of_phone, sdk, vendor):
    @settings(max_examples=3, phases=PHASES)
    @given(layouts(sdk, vendor))
    def holds(phone):
        gathered = facts.gather_facts(capture_of_phone(phone))
        installed = {
            (app.package, user): (app, install)
            for app in phone.apps
            for user, install in app.installs.items()
            if install.installed
        }
        assert (gathered.phone.sdk, gathered.phone.sdk_inferred) == (sdk, False)
        checked = {user.id for user in gathered.users if user.checked}
        # A user for whom nothing at all is installed has an empty list, which no phone has.
        assert checked == {user for _, user in installed}
        assert {(app.package, app.user) for app in gathered.apps} == installed.keys()
        for told in gathered.apps:
            app, _ = installed[told.package, told.user]
            held = {grant.name: grant for grant in phone.runtime_grants(app, told.user)}
            for permission in told.permissions:
                if permission.name in held:
                    assert permission.granted == held[permission.name].granted
                    assert permission.flags == _flags(phone.layout, held[permission.name].flags)

    holds()


# --- damage ----------------------------------------------------------------------------------------------------------


@cache
def _drawn(sdk, vendor):
    """Draw a phone of this layout with an app that can read and one that is blocked; the same in every run."""
    found = []

    @settings(max_examples=40, phases=PHASES, database=None)
    @given(layouts(sdk, vendor))
    def look(phone):
        found.append(phone)

    look()
    phone = max(found, key=lambda phone: len(package_dump.format_package_dump(phone)))
    reader, blocked = (_holding(phone, name, mode) for name, mode in (("reader", "allow"), ("blocked", "ignore")))
    return replace(phone, apps=(*phone.apps, reader, blocked))


def _holding(phone, name, mode):
    """Build an app with contacts granted for every user, and with this mode of the app-op."""
    grants = (VirtualGrant(name=CONTACTS, granted=True, flags=1),)
    ops = (VirtualOp(name="READ_CONTACTS", mode=mode, events=(VirtualOpEvent(age=timedelta(hours=3)),)),)
    app = phone.apps[0]
    return replace(
        app,
        package=f"com.example.{name}",
        app_id=10_200 + len(name),
        code_path=f"/data/app/{name}",
        flags=("HAS_CODE",),
        factory=None,
        requested_permissions=(CONTACTS,),
        installs={
            user: replace(install, installed=True, grants=grants, uid_modes={}, ops=ops)
            for user, install in app.installs.items()
        },
    )


@in_every_layout
def test_damage_is_noticed_or_changes_nothing(capture_of_phone, with_texts, sdk, vendor):
    phone = _drawn(sdk, vendor)
    live_capture = capture_of_phone(phone)
    whole = {
        "packages": package_dump.format_package_dump(phone),
        "appops": render_appops.format_appops_dump(phone, NOW),
    }

    @settings(max_examples=9, phases=PHASES)
    @given(st.sampled_from(["packages", "appops", "installed.0", "users"]), st.sampled_from(DAMAGES), st.data())
    def holds(key, damage, data):
        text = whole.get(key, live_capture.answer(key).text)
        damaged = damage(text, data.draw)
        raw = damaged if isinstance(damaged, bytes) else damaged.encode("utf-8", "surrogateescape")
        # As somebody saves it by hand: no exit code tells that it is whole.
        saved_capture = live_capture.with_answers([replace(live_capture.answer(key), exit_code=None)])
        before = _states(facts.gather_facts(with_texts(saved_capture, {key: text})))
        assert any(state.allows_reading for state in before.values())
        gathered = facts.gather_facts(with_texts(saved_capture, {key: raw}))
        if not any(row.could_hide for row in gathered.coverage):
            after = _states(gathered)
            assert {
                told for told, state in before.items() if state.allows_reading and not after[told].allows_reading
            } == set()
        if is_complete(gathered):
            assert _states(gathered) == before

    holds()


@in_every_layout
def test_truncated_dump_denies_nothing(capture_of_phone, with_texts, sdk, vendor):
    phone = _drawn(sdk, vendor)
    live_capture = capture_of_phone(phone)
    before = _states(facts.gather_facts(live_capture))
    text = package_dump.format_package_dump(phone)

    @settings(max_examples=8, phases=PHASES)
    @given(st.integers(0, len(text)))
    def holds(at):
        cut = live_capture.with_answers([replace(live_capture.answer("packages"), exit_code=None)])
        gathered = facts.gather_facts(with_texts(cut, {"packages": text[:at]}))
        after = _states(gathered)
        denied = {AccessState.NOT_ALLOWED, AccessState.NOT_REQUESTED, AccessState.BLOCKED}
        wrong = {told for told, state in before.items() if state.allows_reading and after[told] in denied}
        assert wrong == set()

    holds()


def _folded(width):
    return lambda text: "\n".join(
        line[at : at + width] for line in text.split("\n") for at in range(0, max(len(line), 1), width)
    )


def _begun_with(other):
    """Replace the indent of the permission line for contacts."""
    return lambda text: re.sub(rf"(?m)^ +(?={CONTACTS}: granted=true)", other, text)


COPIES = {
    "tabs for eight blanks": lambda text: re.sub(r"(?m)^ {8}", "\t", text),
    "tabs for all it can be": lambda text: re.sub(r"(?m)^(?: {8})+", lambda found: "\t" * (len(found[0]) // 8), text),
    "no blanks": _begun_with(""),
    "fewer blanks": _begun_with("     "),
    "no-break blanks": _begun_with("\u00a0" * 8),
    "a blank without width": _begun_with("\u200b        "),
    "quoted": _begun_with("> "),
    "cut at the =": lambda text: text.replace(f"{CONTACTS}: granted=true", f"{CONTACTS}: granted\n=true"),
    "cut in the word": lambda text: text.replace(f"{CONTACTS}: granted=true", f"{CONTACTS}: gran\nted=true"),
    "cut in the name": lambda text: text.replace(
        f"{CONTACTS}: granted=true", f"{CONTACTS[:-3]}\n{CONTACTS[-3:]}: granted=true"
    ),
    "two lines in one": lambda text: re.sub(rf"\n +(?={CONTACTS}: granted=true)", "", text),
    **{f"folded at {width}": _folded(width) for width in (40, 60, 80)},
}
"""What terminals, editors and session recorders do to a copied text."""


@in_every_layout
def test_reformatted_copy_denies_no_grant(capture_of_phone, with_texts, sdk, vendor):
    phone = _drawn(sdk, vendor)
    live_capture, text = capture_of_phone(phone), package_dump.format_package_dump(phone)
    saved_capture = live_capture.with_answers([replace(live_capture.answer("packages"), exit_code=None)])
    before = _states(facts.gather_facts(with_texts(saved_capture, {"packages": text})))
    for name, copy in COPIES.items():
        assert copy(text) != text
        gathered = facts.gather_facts(with_texts(saved_capture, {"packages": copy(text)}))
        after = _states(gathered)
        lost = {told for told, state in before.items() if state.allows_reading and not after[told].allows_reading}
        assert {after[told] for told in lost} <= {AccessState.UNKNOWN}, name
        assert not lost or not is_complete(gathered), name


# --- effort ----------------------------------------------------------------------------------------------------------


def _lines_run(work):
    """Count the lines of Python that `work` runs: unlike time, the count is reproducible."""
    count = 0

    def local(_frame, event, _arg):
        nonlocal count
        count += event == "line"
        return local

    sys.settrace(lambda _frame, _event, _arg: local)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


def _many(phone, times):
    """Return `phone` with each app repeated under other names and uids."""
    apps = tuple(
        replace(
            app, package=f"{app.package}.n{number}", app_id=app.app_id + 100 * number, shared_user=None, factory=None
        )
        for number in range(times)
        for app in phone.apps
        if app.shared_user is None
    )
    return replace(phone, apps=apps, shared_users=())


@in_every_layout
def test_parsing_takes_linear_time(sdk, vendor):
    phone = _drawn(sdk, vendor)
    texts = {
        package_checks.parse_and_check_dump: package_dump.format_package_dump,
        appops.parse_appops: lambda phone: render_appops.format_appops_dump(phone, NOW),
        parse_package_list: lambda phone: render.format_package_list(
            [(app, (0,)) for app in phone.apps], path=True, version=False, installer=True, uid=False
        ),
    }
    for parse, printed in texts.items():
        once, twice = printed(_many(phone, 8)), printed(_many(phone, 16))
        assert len(twice) < 2.2 * len(once)
        assert _lines_run(partial(parse, twice)) <= 2.2 * _lines_run(partial(parse, once))


@pytest.mark.parametrize("sdk", [23, 28, 29, 34])
def test_gathering_takes_linear_time(capture_of_phone, sdk):
    phone = _drawn(sdk, "aosp")
    once, twice = capture_of_phone(_many(phone, 6)), capture_of_phone(_many(phone, 12))
    assert _lines_run(lambda: facts.gather_facts(twice)) <= 2.2 * _lines_run(lambda: facts.gather_facts(once))
