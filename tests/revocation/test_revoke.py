"""Closing over the wire: what each Android and each maker lets through, read back; taken back exactly; cut anywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.revocation.change import ChangeKind, Outcome

MIUI = {"ro.miui.ui.version.name": "V140"}
COLOROS = {"ro.build.version.oplusrom": "V14.0.0"}
FLYME = {"ro.flyme.published": "true"}


def outcomes(book, kind=ChangeKind.PERMISSION):
    return {entry.outcome for entry in book.entries if entry.change.kind is kind}


def others(phone, *packages):
    return [app for app in phone.apps if app.package not in packages]


def at_rest(phone, *packages):
    """`phone` without what comes and goes by itself: whether an app was stopped."""
    apps = []
    for app in phone.apps:
        installs = {user: replace(one, stopped=False) for user, one in app.installs.items()}
        apps.append(replace(app, installs=installs) if app.package in packages else app)
    return replace(phone, apps=tuple(apps))


# --- each Android ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", [30, 33, 34, 36])
def test_an_app_is_closed_for_each_user_no_other_is_touched_and_undo_restores_exactly(bench, kit, sdk):
    one = bench(kit.told(sdk))
    before = one.living.phone
    run = one.run(kit.loan, kit.cloned)
    book = run.apply()
    assert outcomes(book) == {Outcome.DONE}
    assert outcomes(book, ChangeKind.FORCE_STOP) == {Outcome.DONE}
    after = one.living.phone
    assert others(after, kit.loan, kit.cloned) == others(before, kit.loan, kit.cloned)
    assert (after.roles, after.settings, after.device_admins) == (before.roles, before.settings, before.device_admins)
    assert {(entry.change.package, entry.change.user) for entry in book.entries} == {
        (kit.loan, 0),
        (kit.cloned, 0),
        (kit.cloned, 999),
    }
    # What was not of contacts, SMS or the call log stays as it was.
    camera = [grant for grant in after.find_app(kit.cloned).installs[0].grants if grant.name.endswith("CAMERA")]
    assert camera == [
        grant for grant in before.find_app(kit.cloned).installs[0].grants if grant.name.endswith("CAMERA")
    ]
    assert outcomes(run.undo()) == {Outcome.UNDONE}
    assert at_rest(one.living.phone, kit.loan, kit.cloned) == at_rest(before, kit.loan, kit.cloned)


@pytest.mark.parametrize(
    "sdk",
    [30, 34, 36],
)
def test_an_app_for_android_5_is_blocked_where_revoking_does_nothing(bench, kit, sdk):
    one = bench(kit.changed(kit.told(sdk), kit.loan, target_sdk=22))
    before = one.living.phone
    run = one.run(kit.loan)
    book = run.apply()
    assert outcomes(book) == {Outcome.DONE}
    assert not any(line.startswith("pm revoke") for line in one.writes())
    grants = one.living.phone.find_app(kit.loan).installs[0].grants
    assert all(grant.granted for grant in grants if grant.name.endswith("READ_CONTACTS"))
    run.undo()
    assert at_rest(one.living.phone, kit.loan) == at_rest(before, kit.loan)


def test_revoke_alone_is_silent_for_such_an_app(bench, kit):
    """The demo phone has the silence that makes reading back necessary."""
    one = bench(kit.changed(kit.told(34), kit.loan, target_sdk=22))
    before = one.living.phone
    from privaudit.revocation import commands

    reply = one.connection.run(commands.revoke_permission(kit.loan, 0, "android.permission.READ_CONTACTS"))
    assert (reply.stdout, reply.stderr, reply.exit_code) == (b"", b"", 0)
    assert one.living.phone == before


@pytest.mark.parametrize(
    ("sdk", "flag", "outcome", "said"),
    [
        # Up to 14 Android says no, and the app-op closes it all the same.
        (33, "SYSTEM_FIXED", Outcome.DONE, "system fixed"),
        (34, "POLICY_FIXED", Outcome.DONE, "device policy"),
        # From 15 neither has an effect, and nobody says so.
        (36, "SYSTEM_FIXED", Outcome.NOT_CHANGED, None),
        (36, "POLICY_FIXED", Outcome.NOT_CHANGED, None),
    ],
)
def test_fixed_permissions(bench, kit, sdk, flag, outcome, said):
    one = bench(kit.with_flag(kit.told(sdk), kit.loan, "READ_CONTACTS", flag))
    planned = one.plan(kit.loan)
    book = one.run(kit.loan).apply()
    (entry,) = [entry for entry in book.entries if entry.change.what.endswith("READ_CONTACTS")]
    assert entry.outcome is outcome
    assert (said is None) == (entry.said is None)
    assert said is None or said in entry.said
    (doubts,) = [one_.caveats for one_ in planned.planned_changes if one_.change.what.endswith("READ_CONTACTS")]
    assert any(doubt.key.startswith("remedy.fixed_") for doubt in doubts)
    assert (sdk >= 35) == any(doubt.key == "remedy.op_ignored" for doubt in doubts)


# --- each maker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "open_with", "doubt"),
    [
        (MIUI, {"persist.security.adbinput": "1"}, "gate_may"),
        ({**MIUI, "persist.security.adbinput": "0"}, {"persist.security.adbinput": "1"}, "gate_shut"),
        ({**MIUI, "ro.mi.os.version.name": "OS2.0"}, {"persist.security.adbinput": "1"}, "gate_may"),
        (COLOROS, {"demo.permission_monitoring_disabled": "1"}, "gate_may"),
        (FLYME, {"demo.payment_protection_off": "1"}, "gate_may"),
    ],
    ids=["miui", "miui off", "hyperos", "coloros", "flyme"],
)
@pytest.mark.parametrize("sdk", [30, 36])
def test_a_makers_gate_is_foretold_and_its_refusal_reported(bench, kit, properties, open_with, doubt, sdk):
    one = bench(kit.told(sdk, **properties))
    before = one.living.phone
    for planned in one.plan(kit.loan).planned_changes:
        if planned.change.kind is ChangeKind.PERMISSION:
            assert f"remedy.{doubt}" in {found.key for found in planned.caveats}
    run = one.run(kit.loan)
    book = run.apply()
    assert outcomes(book) == {Outcome.REFUSED}
    (said,) = {entry.said for entry in book.entries if entry.change.kind is ChangeKind.PERMISSION}
    assert "SecurityException" in said
    assert at_rest(one.living.phone, kit.loan) == at_rest(before, kit.loan)
    run.undo()
    assert at_rest(one.living.phone, kit.loan) == at_rest(before, kit.loan)
    other = bench(kit.told(sdk, **{**properties, **open_with}))
    assert outcomes(other.run(kit.loan).apply()) == {Outcome.DONE}


def test_an_open_gate_casts_no_doubt(bench, kit):
    one = bench(kit.told(34, **MIUI, **{"persist.security.adbinput": "1"}))
    assert not any(planned.caveats for planned in one.plan(kit.loan).planned_changes)


# --- rights beside the permission list -------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", [33, 36])
def test_roles_and_special_access_go_first_and_come_back(bench, kit, sdk):
    one = bench(kit.armed(kit.told(sdk)))
    before = one.living.phone
    run = one.run(kit.loan)
    kinds = [entry.change.kind for entry in run.ledger.entries]
    assert kinds == sorted(kinds, key=list(ChangeKind).index)
    assert {
        ChangeKind.ROLE,
        ChangeKind.ACCESSIBILITY,
        ChangeKind.LISTENER,
        ChangeKind.SPECIAL_OP,
        ChangeKind.PERMISSION,
    } <= set(kinds)
    special = {entry.change.what for entry in run.ledger.entries if entry.change.kind is ChangeKind.SPECIAL_OP}
    assert special == {"overlay", "usage", "all_files"}
    book = run.apply()
    assert {entry.outcome for entry in book.entries} == {Outcome.DONE}
    secure = one.living.phone.settings[0]["secure"]
    # Services of other apps stay as they were.
    services = before.settings[0]["secure"]["enabled_accessibility_services"].split(":")
    assert secure["enabled_accessibility_services"].split(":") == [one_ for one_ in services if kit.loan not in one_]
    assert secure["enabled_notification_listeners"] == "com.example.watchlink/.L"
    assert one.living.phone.roles[0]["android.app.role.SMS"] == ("com.android.messaging",)
    run.undo()
    assert at_rest(one.living.phone, kit.loan) == at_rest(before, kit.loan)


def test_a_list_of_services_that_could_not_be_read_is_not_written(bench, kit):
    from privaudit.virtual_phone.shell import ProgramResult

    one = bench(kit.armed(kit.told(34)))
    run = one.run(kit.loan)
    blind = bench(
        one.living.phone, settings=lambda _argv, _stdin: ProgramResult(err=b"Security exception: no\n", code=255)
    )
    run.transport = blind.connection
    book = run.apply()
    assert outcomes(book, ChangeKind.ACCESSIBILITY) == {Outcome.NOT_READ_BACK}
    assert not any("enabled_accessibility_services" in line and " put " in line for line in blind.writes())


def test_an_administrator_is_left_to_a_person(bench, kit):
    phone = kit.told(34)
    one = bench(replace(phone, device_admins={0: (f"{kit.loan}/.Admin",)}))
    made = one.plan(kit.loan)
    assert any(step.key == "steps.deactivate" for by_hand in made.manual_steps for step in by_hand.steps)
    assert not any("device_admin" in change.what for change in made.changes)


def test_an_app_that_shares_its_uid_is_left_to_a_person(bench, kit):
    """Its permissions are those of other apps too, which nobody named."""
    phone = kit.told(34)
    shared = next(app for app in phone.apps if app.shared_user is not None)
    made = bench(phone).plan(shared.package)
    assert made.changes == ()
    assert any(note.key == "remedy.note_shared" for note in made.notes)


# --- uninstalling ----------------------------------------------------------------------------------------------------


def test_uninstalling_is_never_in_a_plan_unless_asked_for(bench, kit):
    one = bench(kit.told(34))
    assert not any(change.kind is ChangeKind.UNINSTALL for change in one.plan(kit.loan).changes)
    assert one.plan(kit.loan, uninstall=True).changes[-1].kind is ChangeKind.UNINSTALL


def test_uninstalled_and_told_that_it_stays(bench, kit):
    one = bench(kit.told(34))
    run = one.run(kit.loan, uninstall=True)
    book = run.apply()
    assert outcomes(book, ChangeKind.UNINSTALL) == {Outcome.DONE}
    assert one.living.phone.find_app(kit.loan) is None
    assert outcomes(run.undo(), ChangeKind.UNINSTALL) == {Outcome.NOT_RESTORED}


def test_an_administrator_refuses_to_go(bench, kit):
    one = bench(replace(kit.told(34), device_admins={0: (f"{kit.loan}/.Admin",)}))
    book = one.run(kit.loan, uninstall=True).apply()
    (entry,) = [entry for entry in book.entries if entry.change.kind is ChangeKind.UNINSTALL]
    assert entry.outcome is Outcome.REFUSED
    assert "DEVICE_POLICY_MANAGER" in entry.said


def test_what_came_with_the_phone_comes_back(bench, kit):
    one = bench(kit.told(34))
    before = one.living.phone
    run = one.run("com.example.keyboard", uninstall=True)
    assert outcomes(run.apply(), ChangeKind.UNINSTALL) == {Outcome.DONE}
    assert not one.living.phone.find_app("com.example.keyboard").installs[0].installed
    assert outcomes(run.undo(), ChangeKind.UNINSTALL) == {Outcome.UNDONE}
    assert at_rest(one.living.phone, "com.example.keyboard") == at_rest(before, "com.example.keyboard")


# --- cables and killed processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize("at", [1, 8, 12])
def test_a_pulled_cable_is_gone_on_from_and_undone(bench, kit, at, late):
    one = bench(kit.armed(kit.told(34)))
    before = one.living.phone
    cut = kit.cut(one.connection, at, late)
    run = one.run(kit.loan, transport=cut)
    with pytest.raises(ConnectionLost):
        run.apply()
    stopped = one.resumed(run.ledger_path, run.capture)
    assert sum(entry.outcome is Outcome.BEGUN for entry in stopped.ledger.entries) == 1
    assert {entry.outcome for entry in stopped.apply().entries} == {Outcome.DONE}
    assert one.plan(kit.loan).changes == ()  # nothing is left to close
    # Undo is cut as well, and gone on with.
    stopped.transport = kit.cut(one.connection, max(at // 2, 1), late)
    with pytest.raises(ConnectionLost):
        stopped.undo()
    again = one.resumed(run.ledger_path, run.capture)
    assert {entry.outcome for entry in again.undo().entries if entry.change.kind is not ChangeKind.FORCE_STOP} == {
        Outcome.UNDONE
    }
    assert at_rest(one.living.phone, kit.loan) == at_rest(before, kit.loan)


def test_undo_of_a_run_that_was_stopped_takes_back_what_was_begun(bench, kit):
    one = bench(kit.told(34))
    before = one.living.phone
    run = one.run(kit.loan, transport=kit.cut(one.connection, 4, late=True))
    with pytest.raises(ConnectionLost):
        run.apply()
    assert one.living.phone != before
    one.resumed(run.ledger_path, run.capture).undo()
    assert at_rest(one.living.phone, kit.loan) == at_rest(before, kit.loan)


def test_nothing_is_done_when_the_ledger_cannot_be_written(bench, kit, monkeypatch):
    from privaudit.errors import SourceError
    from privaudit.revocation import ledger

    one = bench(kit.told(34))
    run = one.run(kit.loan)
    before = one.living.phone
    monkeypatch.setattr(
        ledger,
        "write_ledger",
        lambda *_: (_ for _ in ()).throw(SourceError("errors.not_written", path="x", reason="full")),
    )
    with pytest.raises(SourceError):
        run.apply()
    assert one.living.phone == before
    assert one.writes() == []


# --- a plan without its ground ----------------------------------------------------------------------------------------


def test_an_app_whose_details_were_not_read_gives_no_plan(bench, kit):
    from privaudit import facts
    from privaudit.revocation import plan, state

    one = bench(kit.told(34))
    taken = one.capture()  # without the details of the app
    gathered = facts.gather_facts(taken)
    apps = [app for app in gathered.apps if app.package == kit.loan]
    with pytest.raises(PhoneError, match="app_unread"):
        plan.build_plan(state.read_state(taken, [kit.loan], own_dumps_only=True), apps, gathered.users, uninstall=False)
