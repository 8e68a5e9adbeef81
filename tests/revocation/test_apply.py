"""Applying and undoing changes over ADB: what each Android version and vendor allows, and interruptions anywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.revocation.change import ChangeKind, Outcome
from privaudit.virtual_phone.state import with_setting

MIUI = {"ro.miui.ui.version.name": "V140"}
COLOROS = {"ro.build.version.oplusrom": "V14.0.0"}
FLYME = {"ro.flyme.published": "true"}


def outcomes(book, kind=ChangeKind.PERMISSION):
    return {entry.outcome for entry in book.entries if entry.change.kind is kind}


def others(phone, *packages):
    return [app for app in phone.apps if app.package not in packages]


def ignoring_stopped(phone, *packages):
    """Return `phone` without the state that changes by itself: whether an app was stopped."""
    apps = []
    for app in phone.apps:
        installs = {user: replace(install, stopped=False) for user, install in app.installs.items()}
        apps.append(replace(app, installs=installs) if app.package in packages else app)
    return replace(phone, apps=tuple(apps))


# --- each Android ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", [30, 33, 34, 36])
def test_apply_revokes_for_each_user_and_undo_restores_exactly(connect_phone, phones, sdk):
    phone = connect_phone(phones.borrower(sdk))
    before = phone.device.phone
    run = phone.run(phones.loan_app, phones.cloned_app)
    book = run.apply()
    assert outcomes(book) == {Outcome.DONE}
    assert outcomes(book, ChangeKind.FORCE_STOP) == {Outcome.DONE}
    after = phone.device.phone
    assert others(after, phones.loan_app, phones.cloned_app) == others(before, phones.loan_app, phones.cloned_app)
    assert (after.roles, after.settings, after.device_admins) == (before.roles, before.settings, before.device_admins)
    assert {(entry.change.package, entry.change.user) for entry in book.entries} == {
        (phones.loan_app, 0),
        (phones.cloned_app, 0),
        (phones.cloned_app, 999),
    }
    # What was not of contacts, SMS or the call log stays as it was.
    camera = [grant for grant in after.find_app(phones.cloned_app).installs[0].grants if grant.name.endswith("CAMERA")]
    assert camera == [
        grant for grant in before.find_app(phones.cloned_app).installs[0].grants if grant.name.endswith("CAMERA")
    ]
    assert outcomes(phone.undo(run)) == {Outcome.UNDONE}
    assert ignoring_stopped(phone.device.phone, phones.loan_app, phones.cloned_app) == ignoring_stopped(
        before, phones.loan_app, phones.cloned_app
    )


@pytest.mark.parametrize(
    "sdk",
    [30, 34, 36],
)
def test_app_for_android_5_is_denied_by_app_ops(connect_phone, phones, sdk):
    phone = connect_phone(phones.with_app_fields(phones.borrower(sdk), phones.loan_app, target_sdk=22))
    before = phone.device.phone
    run = phone.run(phones.loan_app)
    book = run.apply()
    assert outcomes(book) == {Outcome.DONE}
    assert not any(line.startswith("pm revoke") for line in phone.writes())
    grants = phone.device.phone.find_app(phones.loan_app).installs[0].grants
    assert all(grant.granted for grant in grants if grant.name.endswith("READ_CONTACTS"))
    phone.undo(run)
    assert ignoring_stopped(phone.device.phone, phones.loan_app) == ignoring_stopped(before, phones.loan_app)


def test_pm_revoke_has_no_effect_on_an_app_for_android_5(connect_phone, phones):
    """The demo phone has the silence that makes reading back necessary."""
    phone = connect_phone(phones.with_app_fields(phones.borrower(34), phones.loan_app, target_sdk=22))
    before = phone.device.phone
    from privaudit.revocation import commands

    reply = phone.connection.run(commands.revoke_permission(phones.loan_app, 0, "android.permission.READ_CONTACTS"))
    assert (reply.stdout, reply.stderr, reply.exit_code) == (b"", b"", 0)
    assert phone.device.phone == before


@pytest.mark.parametrize(
    ("sdk", "flag", "outcome", "said"),
    [
        # Up to 14 Android says no, and the app-op closes it all the same.
        (33, "SYSTEM_FIXED", Outcome.DONE, "system fixed"),
        (34, "POLICY_FIXED", Outcome.DONE, "policy fixed"),
        # From 15 neither has an effect, and nobody says so.
        (36, "SYSTEM_FIXED", Outcome.NOT_CHANGED, None),
        (36, "POLICY_FIXED", Outcome.NOT_CHANGED, None),
    ],
)
def test_fixed_permission_outcomes(connect_phone, phones, sdk, flag, outcome, said):
    phone = connect_phone(phones.with_flag(phones.borrower(sdk), phones.loan_app, "READ_CONTACTS", flag))
    planned = phone.plan(phones.loan_app)
    book = phone.run(phones.loan_app).apply()
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
def test_vendor_restriction_is_predicted_and_refusal_reported(connect_phone, phones, properties, open_with, doubt, sdk):
    phone = connect_phone(phones.borrower(sdk, **properties))
    before = phone.device.phone
    for planned in phone.plan(phones.loan_app).planned_changes:
        if planned.change.kind is ChangeKind.PERMISSION:
            assert f"remedy.{doubt}" in {found.key for found in planned.caveats}
    run = phone.run(phones.loan_app)
    book = run.apply()
    assert outcomes(book) == {Outcome.REFUSED}
    (said,) = {entry.said for entry in book.entries if entry.change.kind is ChangeKind.PERMISSION}
    assert "SecurityException" in said
    assert ignoring_stopped(phone.device.phone, phones.loan_app) == ignoring_stopped(before, phones.loan_app)
    phone.undo(run)
    assert ignoring_stopped(phone.device.phone, phones.loan_app) == ignoring_stopped(before, phones.loan_app)
    other = connect_phone(phones.borrower(sdk, **{**properties, **open_with}))
    assert outcomes(other.run(phones.loan_app).apply()) == {Outcome.DONE}


def test_lifted_restriction_gives_no_caveat(connect_phone, phones):
    phone = connect_phone(phones.borrower(34, **MIUI, **{"persist.security.adbinput": "1"}))
    assert not any(planned.caveats for planned in phone.plan(phones.loan_app).planned_changes)


# --- rights beside the permission list -------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", [33, 36])
def test_roles_and_special_access_are_revoked_first_and_restored(connect_phone, phones, sdk):
    phone = connect_phone(phones.with_special_access(phones.borrower(sdk)))
    before = phone.device.phone
    run = phone.run(phones.loan_app)
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
    secure = phone.device.phone.settings[0]["secure"]
    # Services of other apps stay as they were.
    services = before.settings[0]["secure"]["enabled_accessibility_services"].split(":")
    assert secure["enabled_accessibility_services"].split(":") == [
        service for service in services if phones.loan_app not in service
    ]
    assert secure["enabled_notification_listeners"] == "com.example.watchlink/.L"
    assert phone.device.phone.roles[0]["android.app.role.SMS"] == ("com.android.messaging",)
    phone.undo(run)
    assert ignoring_stopped(phone.device.phone, phones.loan_app) == ignoring_stopped(before, phones.loan_app)


def test_unreadable_service_list_is_not_written(connect_phone, phones):
    from privaudit.virtual_phone.shell import ProgramResult

    phone = connect_phone(phones.with_special_access(phones.borrower(34)))
    run = phone.run(phones.loan_app)
    blind = connect_phone(
        phone.device.phone, settings=lambda _argv, _stdin: ProgramResult(err=b"Security exception: no\n", code=255)
    )
    run.transport = blind.connection
    book = run.apply()
    assert outcomes(book, ChangeKind.ACCESSIBILITY) == {Outcome.NOT_READ_BACK}
    assert not any("enabled_accessibility_services" in line and " put " in line for line in blind.writes())


SERVICES = "enabled_accessibility_services"
TALKBACK = "com.google.android.marvin.talkback/.TalkBackService"


def with_services(phone, value):
    phone = with_setting(phone, 0, "accessibility_enabled", "1")
    return with_setting(phone, 0, SERVICES, value)


def stored_services(phone):
    return phone.device.phone.settings[0]["secure"][SERVICES]


def service_writes(phone):
    return [line for line in phone.writes() if " put " in line]


@pytest.mark.parametrize(
    "value",
    [
        "{own}:com.evil.tool/com.evil.A\nB:{talkback}",
        "{own}:com.evil.tool/com.evil.A\n\n\nB:{talkback}",
        "{own}:com.evil.tool/com.evil.A\nfoo=bar:{talkback}",
        "{own}:com.evil.tool/com.evil.A\naccessibility_enabled=1:{talkback}",
        "{own}:com.evil.tool/com.evil.A\nenabled_notification_listeners={talkback}",
        "com.evil.tool/com.evil.A\nenabled_accessibility_services={own}:{talkback}",
        "{own}\n:{talkback}",
        "{own}\r:{talkback}",
        "{own}:com.evil.tool/com.evil.Ä:{talkback}",
        "{own}:com.evil.tool/com.evil.A B:{talkback}",
        "{own}:TalkBack:{talkback}",
        "{own}:com.evil.tool/:{talkback}",
        "{own}:" + "com.evil.tool/.A:" * 64 + "{talkback}",
    ],
)
def test_service_list_that_is_not_read_whole_is_not_rewritten(connect_phone, phones, value):
    """A class name may hold anything: what the parser loses of the list, writing it would switch off."""
    value = value.format(own=f"{phones.loan_app}/.Reader", talkback=TALKBACK)
    phone = connect_phone(with_services(phones.borrower(34), value))
    planned = phone.plan(phones.loan_app)
    assert not any(change.kind is ChangeKind.ACCESSIBILITY for change in planned.changes)
    assert any(note.key == "remedy.note_services" for note in planned.notes)
    phone.run(phones.loan_app).apply()
    assert stored_services(phone) == value
    assert service_writes(phone) == []


@pytest.mark.parametrize(
    "added",
    [f":{TALKBACK}", "\n", "\n\n", f"\n:{TALKBACK}", "\nfoo=bar", ":", " ", ":com.evil.tool/com.evil.A\nB", "\0"],
)
@pytest.mark.parametrize("undo", [False, True])
def test_service_list_that_changed_since_the_plan_is_not_rewritten(connect_phone, phones, added, undo):
    """Each of these is switched on after the list was read; the last line break gets lost in the shell's script."""
    phone = connect_phone(with_services(phones.borrower(34), f"com.other.app/.A:{phones.loan_app}/.Reader"))
    run = phone.run(phones.loan_app)
    if undo:
        run.apply()
        run = phone.resumed(phone.ledger_path, phone.capture(phones.loan_app))
    value, sent = stored_services(phone) + added, service_writes(phone)
    phone.device.update(lambda phone: with_setting(phone, 0, SERVICES, value))
    with pytest.raises(PhoneError, match="services_changed"):
        _ = phone.undo(run) if undo else run.apply()
    assert stored_services(phone) == value
    assert service_writes(phone) == sent
    if not undo:
        (entry,) = [entry for entry in run.ledger.entries if entry.change.kind is ChangeKind.ACCESSIBILITY]
        assert entry.outcome is Outcome.PLANNED  # the same command goes on from here


def test_service_list_that_the_script_of_the_plan_shortened_is_not_rewritten(connect_phone, phones):
    """A shell variable holds neither a NUL nor line breaks at the end: only the raw answer has them."""
    for value in (f"{phones.loan_app}/.Reader:com.evil.tool/.A\0B", f"com.evil.tool/.A:{phones.loan_app}/.Reader\n"):
        phone = connect_phone(with_services(phones.borrower(34), value))
        with pytest.raises(PhoneError, match="services_changed"):
            phone.run(phones.loan_app).apply()
        assert stored_services(phone) == value
        assert service_writes(phone) == []


def test_two_services_of_one_list_are_rewritten_one_after_the_other(connect_phone, phones):
    value = f"{phones.loan_app}/.A:com.other.app/.A:{phones.loan_app}/.B"
    phone = connect_phone(with_services(phones.borrower(34), value))
    run = phone.run(phones.loan_app)
    assert outcomes(run.apply(), ChangeKind.ACCESSIBILITY) == {Outcome.DONE}
    assert stored_services(phone) == "com.other.app/.A"
    assert outcomes(phone.undo(run), ChangeKind.ACCESSIBILITY) == {Outcome.UNDONE}
    assert set(stored_services(phone).split(":")) == set(value.split(":"))


def test_device_admin_gets_manual_steps(connect_phone, phones):
    phone = phones.borrower(34)
    phone = connect_phone(replace(phone, device_admins={0: (f"{phones.loan_app}/.Admin",)}))
    made = phone.plan(phones.loan_app)
    assert any(step.key == "steps.deactivate" for by_hand in made.manual_steps.values() for step in by_hand)
    assert not any("device_admin" in change.what for change in made.changes)


def test_app_with_shared_uid_gets_no_changes(connect_phone, phones):
    """Its permissions are those of other apps too, which nobody named."""
    phone = phones.borrower(34)
    shared = next(app for app in phone.apps if app.shared_user is not None)
    made = connect_phone(phone).plan(shared.package)
    assert made.changes == ()
    assert any(note.key == "remedy.note_shared" for note in made.notes)


# --- uninstalling ----------------------------------------------------------------------------------------------------


def test_uninstalling_is_planned_only_on_request(connect_phone, phones):
    phone = connect_phone(phones.borrower(34))
    assert not any(change.kind is ChangeKind.UNINSTALL for change in phone.plan(phones.loan_app).changes)
    assert phone.plan(phones.loan_app, uninstall=True).changes[-1].kind is ChangeKind.UNINSTALL


def test_uninstalled_app_is_not_restored(connect_phone, phones):
    phone = connect_phone(phones.borrower(34))
    run = phone.run(phones.loan_app, uninstall=True)
    book = run.apply()
    assert outcomes(book, ChangeKind.UNINSTALL) == {Outcome.DONE}
    assert phone.device.phone.find_app(phones.loan_app) is None
    assert outcomes(phone.undo(run), ChangeKind.UNINSTALL) == {Outcome.NOT_RESTORED}


def test_uninstalling_a_device_admin_is_refused(connect_phone, phones):
    phone = connect_phone(replace(phones.borrower(34), device_admins={0: (f"{phones.loan_app}/.Admin",)}))
    book = phone.run(phones.loan_app, uninstall=True).apply()
    (entry,) = [entry for entry in book.entries if entry.change.kind is ChangeKind.UNINSTALL]
    assert entry.outcome is Outcome.REFUSED
    assert "DEVICE_POLICY_MANAGER" in entry.said


def test_preinstalled_app_is_restored(connect_phone, phones):
    phone = connect_phone(phones.borrower(34))
    before = phone.device.phone
    run = phone.run("com.example.keyboard", uninstall=True)
    assert outcomes(run.apply(), ChangeKind.UNINSTALL) == {Outcome.DONE}
    assert not phone.device.phone.find_app("com.example.keyboard").installs[0].installed
    assert outcomes(phone.undo(run), ChangeKind.UNINSTALL) == {Outcome.UNDONE}
    assert ignoring_stopped(phone.device.phone, "com.example.keyboard") == ignoring_stopped(
        before, "com.example.keyboard"
    )


# --- cables and killed processes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True], ids=["before it took effect", "after it took effect"])
@pytest.mark.parametrize("at", [1, 8, 12])
def test_interrupted_run_is_resumed_and_undone(connect_phone, phones, at, late):
    phone = connect_phone(phones.with_special_access(phones.borrower(34)))
    before = phone.device.phone
    cut = phones.interrupted(phone.connection, at, late)
    run = phone.run(phones.loan_app, transport=cut)
    with pytest.raises(ConnectionLost):
        run.apply()
    stopped = phone.resumed(phone.ledger_path, phone.capture(phones.loan_app))
    assert sum(entry.outcome is Outcome.BEGUN for entry in stopped.ledger.entries) == 1
    assert {entry.outcome for entry in stopped.apply().entries} == {Outcome.DONE}
    assert phone.plan(phones.loan_app).changes == ()  # nothing is left to close
    # Undo is cut as well, and gone on with.
    stopped.transport = phones.interrupted(phone.connection, max(at // 2, 1), late)
    with pytest.raises(ConnectionLost):
        phone.undo(stopped)
    again = phone.resumed(phone.ledger_path, phone.capture(phones.loan_app))
    assert {entry.outcome for entry in phone.undo(again).entries if entry.change.kind is not ChangeKind.FORCE_STOP} == {
        Outcome.UNDONE
    }
    assert ignoring_stopped(phone.device.phone, phones.loan_app) == ignoring_stopped(before, phones.loan_app)


def test_undo_restores_a_change_that_was_begun(connect_phone, phones):
    phone = connect_phone(phones.borrower(34))
    before = phone.device.phone
    run = phone.run(phones.loan_app, transport=phones.interrupted(phone.connection, 4, late=True))
    with pytest.raises(ConnectionLost):
        run.apply()
    assert phone.device.phone != before
    phone.undo(phone.resumed(phone.ledger_path, run.capture))
    assert ignoring_stopped(phone.device.phone, phones.loan_app) == ignoring_stopped(before, phones.loan_app)


def test_unwritable_ledger_prevents_changes(connect_phone, phones, monkeypatch):
    from privaudit.errors import SourceError
    from privaudit.revocation import ledger

    phone = connect_phone(phones.borrower(34))
    run = phone.run(phones.loan_app)
    before = phone.device.phone
    monkeypatch.setattr(
        ledger,
        "write_ledger",
        lambda *_: (_ for _ in ()).throw(SourceError("errors.not_written", path="x", reason="full")),
    )
    with pytest.raises(SourceError):
        run.apply()
    assert phone.device.phone == before
    assert phone.writes() == []


# --- a plan without its ground ----------------------------------------------------------------------------------------


def test_unread_app_gives_no_plan(connect_phone, phones):
    from privaudit import facts
    from privaudit.revocation import plan, state

    phone = connect_phone(phones.borrower(34))
    taken = phone.capture()  # without the details of the app
    gathered = facts.gather_facts(taken)
    apps = [app for app in gathered.apps if app.package == phones.loan_app]
    with pytest.raises(PhoneError, match="app_unread"):
        plan.build_plan(
            state.read_state(taken, [phones.loan_app], own_dumps_only=True), apps, gathered.users, uninstall=False
        )
