"""The ledger: whole on the disk, private, sealed against edits, and sure of its phone."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privaudit import facts
from privaudit.errors import SourceError
from privaudit.revocation import ledger
from privaudit.revocation.change import Change, ChangeKind, Outcome, TargetState

CONTACTS = "android.permission.READ_CONTACTS"
SEALED = ledger.CaptureReference(file="before.zip", sha256="0" * 64)
PHONE = ledger.InstallFingerprint(salt="00" * 16, model="aa" * 8, apps=("bb" * 8,))


def change(**changed):
    given_ = {
        "package": "com.example.loan",
        "user": 0,
        "kind": ChangeKind.PERMISSION,
        "what": CONTACTS,
        "old_app": False,
    }
    before = TargetState(held=True, flags=("USER_SET",), uid_mode=None, mode="allow")
    return Change(**{**given_, "before": before, **changed})


def made(*changes):
    return ledger.create_ledger(changes or (change(),), PHONE, SEALED, demo=False)


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "a.ledger.json"
    ledger.write_ledger(made(), path)
    return path


def test_what_is_written_is_read(book):
    found = ledger.read_ledger(book)
    assert replace(found, seal=made().seal, made_at=made().made_at).phone == PHONE
    assert [entry.change for entry in found.entries] == [change()]
    assert found.entries[0].outcome is Outcome.PLANNED


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_it_is_private_and_leaves_nothing_beside(book):
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    ledger.write_ledger(ledger.read_ledger(book).with_entry(0, outcome=Outcome.DONE), book)
    assert list(book.parent.iterdir()) == [book]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("READ_CONTACTS", "READ_SMS"),
        lambda text: text.replace('"planned"', '"done"'),
        lambda text: text.replace('"held": true', '"held": false'),
        lambda text: text.replace("com.example.loan", "com.example.other"),
        lambda text: text.replace("{", '{ "note": "mine",', 1),
        lambda text: text.replace('"held"', '"note": 1, "held"', 1),
        lambda text: text + " ",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text[: len(text) // 2],
        lambda text: text[:0],
        lambda text: f"[{text}]",
        lambda text: f"{text}null",
    ],
)
def test_an_edit_by_hand_is_refused(book, edit):
    text = book.read_text(encoding="utf-8")
    book.write_bytes(edit(text).encode())
    assert book.read_bytes() != text.encode()
    with pytest.raises(SourceError, match=r"ledger_(changed|damaged)"):
        ledger.read_ledger(book)


@pytest.mark.parametrize(
    "forged",
    [
        change(what="android.permission.CAMERA"),
        change(what=f"{CONTACTS}; reboot"),
        change(package="com.x; reboot"),
        change(user=-1),
        change(user=10**9),
        change(kind=ChangeKind.ROLE, what="android.app.role.HOME"),
        change(kind=ChangeKind.LISTENER, what="com.other.app/.X"),
        change(kind=ChangeKind.ACCESSIBILITY, what="com.other.app/.X"),
        change(kind=ChangeKind.ACCESSIBILITY, what="x"),
        change(kind=ChangeKind.SPECIAL_OP, what="nothing"),
        change(before=TargetState(held=True, flags=(), uid_mode="evil; reboot")),
        change(kind=ChangeKind.SPECIAL_OP, what="overlay", before=TargetState(held=True, mode="x; reboot")),
    ],
)
def test_who_computes_the_seal_anew_still_gets_nothing_into_a_command(tmp_path, forged):
    """The seal is a plain hash. What a row may ask for is bounded by closed tables all the same."""
    path = tmp_path / "forged.json"
    ledger.write_ledger(made(forged), path)
    with pytest.raises(SourceError, match="ledger_damaged"):
        ledger.read_ledger(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_no_single_byte_can_be_changed(book, at, byte):
    raw = book.read_bytes()
    at %= len(raw)
    edited = raw[:at] + bytes([byte]) + raw[at + 1 :]
    book.write_bytes(edited)
    try:
        if edited == raw:
            ledger.read_ledger(book)
        else:
            with pytest.raises(SourceError):
                ledger.read_ledger(book)
    finally:
        book.write_bytes(raw)


def test_a_makers_own_mode_is_kept_and_never_set(tmp_path):
    """MIUI's ``ask`` could not be brought back by ``appops set``: the app-op is left alone then."""
    asks = change(before=TargetState(held=True, uid_mode="ask"))
    path = tmp_path / "a.json"
    ledger.write_ledger(made(asks), path)
    assert ledger.read_ledger(path).entries[0].change == asks
    sent = [*asks.revoke_commands(30, ()), *asks.restore_commands(TargetState(held=False), 30, ())]
    assert [command.text.split()[:2] for command in sent] == [["pm", "revoke"], ["pm", "grant"]]


def test_it_names_no_app_but_those_that_were_changed(bench, kit, tmp_path):
    one = bench(kit.armed(kit.told(34)))
    run = one.run(kit.loan)
    run.apply()
    text = run.ledger_path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert {entry["change"]["package"] for entry in document["entries"]} == {kit.loan}
    rest = [app.package for app in one.living.phone.apps if app.package not in {kit.loan, "android"}]
    assert not [name for name in rest if name in text]
    assert not [user.name for user in one.living.phone.users if user.name in text]


# --- whose ledger it is -----------------------------------------------------------------------------------------------


def later(phone, days, every):
    """`phone` on which each `every`-th app was installed on another day."""
    apps = []
    for number, app in enumerate(phone.apps):
        installs = {
            user: replace(one, first_installed=one.first_installed + timedelta(days=days if number % every == 0 else 0))
            for user, one in app.installs.items()
        }
        apps.append(replace(app, installs=installs))
    return replace(phone, apps=tuple(apps))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (lambda kit: kit.told(34), True),
        (lambda kit: kit.told(36), True),  # updated since
        (lambda kit: later(kit.told(34), 1, 5), True),  # some apps came anew
        (lambda kit: later(kit.told(34), 1, 1), False),  # the same model, another owner
        (lambda kit: kit.told(34, **{"ro.product.model": "Other"}), False),
    ],
)
def test_a_phone_is_known_again_and_told_from_another_of_its_model(bench, kit, other, same):
    known = ledger.compute_fingerprint(facts.gather_facts(bench(kit.told(34)).capture()))
    assert len(known.apps) > 20
    assert ledger.matches_fingerprint(known, facts.gather_facts(bench(other(kit)).capture())) is same


def test_a_phone_that_was_reset_is_another(bench, kit):
    phone = kit.told(34)
    known = ledger.compute_fingerprint(facts.gather_facts(bench(phone).capture()))
    reset = replace(phone, apps=tuple(app for app in phone.apps if app.is_system))
    assert not ledger.matches_fingerprint(known, facts.gather_facts(bench(reset).capture()))


def test_each_ledger_has_its_own_salt(bench, kit):
    """Two ledgers of one phone cannot be matched by their hashes."""
    gathered = facts.gather_facts(bench(kit.told(34)).capture())
    first, second = ledger.compute_fingerprint(gathered), ledger.compute_fingerprint(gathered)
    assert first.salt != second.salt
    assert not set(first.apps) & set(second.apps)
