"""The ledger: written atomically and privately, sealed against edits, and bound to its phone."""

from __future__ import annotations

import json
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


def test_ledger_round_trip(book):
    found = ledger.read_ledger(book)
    assert replace(found, seal=made().seal, made_at=made().made_at).phone == PHONE
    assert [entry.change for entry in found.entries] == [change()]
    assert found.entries[0].outcome is Outcome.PLANNED


@pytest.mark.unix
def test_ledger_is_private_and_leaves_no_other_file(book):
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
def test_edited_ledger_is_refused(book, edit):
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
def test_forged_ledger_with_a_valid_seal_is_refused(tmp_path, forged):
    """The seal is a plain hash. What a row may ask for is bounded by closed tables all the same."""
    path = tmp_path / "forged.json"
    ledger.write_ledger(made(forged), path)
    with pytest.raises(SourceError, match="ledger_damaged"):
        ledger.read_ledger(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_any_changed_byte_is_detected(book, at, byte):
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


def test_vendor_mode_is_recorded_and_never_set(tmp_path):
    """MIUI's ``ask`` could not be brought back by ``appops set``: the app-op is left alone then."""
    asks = change(before=TargetState(held=True, uid_mode="ask"))
    path = tmp_path / "a.json"
    ledger.write_ledger(made(asks), path)
    assert ledger.read_ledger(path).entries[0].change == asks
    sent = [*asks.revoke_commands(30, ()), *asks.restore_commands(TargetState(held=False), 30, ())]
    assert [command.text.split()[:2] for command in sent] == [["pm", "revoke"], ["pm", "grant"]]


def test_ledger_names_only_changed_apps(connect_phone, phones, tmp_path):
    phone = connect_phone(phones.with_special_access(phones.borrower(34)))
    run = phone.run(phones.loan_app)
    run.apply()
    text = phone.ledger_path.read_text(encoding="utf-8")
    document = json.loads(text)
    assert {entry["change"]["package"] for entry in document["entries"]} == {phones.loan_app}
    rest = [app.package for app in phone.device.phone.apps if app.package not in {phones.loan_app, "android"}]
    assert not [name for name in rest if name in text]
    assert not [user.name for user in phone.device.phone.users if user.name in text]


# --- whose ledger it is -----------------------------------------------------------------------------------------------


def later(phone, days, every):
    """`phone` on which each `every`-th app was installed on another day."""
    apps = []
    for number, app in enumerate(phone.apps):
        installs = {
            user: replace(
                install, first_installed=install.first_installed + timedelta(days=days if number % every == 0 else 0)
            )
            for user, install in app.installs.items()
        }
        apps.append(replace(app, installs=installs))
    return replace(phone, apps=tuple(apps))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (lambda phones: phones.borrower(34), True),
        (lambda phones: phones.borrower(36), True),  # updated since
        (lambda phones: later(phones.borrower(34), 1, 5), True),  # some apps came anew
        (lambda phones: later(phones.borrower(34), 1, 1), False),  # the same model, another owner
        (lambda phones: phones.borrower(34, **{"ro.product.model": "Other"}), False),
    ],
)
def test_fingerprint_distinguishes_phones_of_one_model(connect_phone, phones, other, same):
    known = ledger.compute_fingerprint(facts.gather_facts(connect_phone(phones.borrower(34)).capture()))
    assert len(known.apps) > 20
    assert ledger.matches_fingerprint(known, facts.gather_facts(connect_phone(other(phones)).capture())) is same


def test_reset_phone_has_another_fingerprint(connect_phone, phones):
    phone = phones.borrower(34)
    known = ledger.compute_fingerprint(facts.gather_facts(connect_phone(phone).capture()))
    reset = replace(phone, apps=tuple(app for app in phone.apps if app.is_system))
    assert not ledger.matches_fingerprint(known, facts.gather_facts(connect_phone(reset).capture()))


def test_fingerprints_have_their_own_salt(connect_phone, phones):
    """Two ledgers of one phone cannot be matched by their hashes."""
    gathered = facts.gather_facts(connect_phone(phones.borrower(34)).capture())
    first, second = ledger.compute_fingerprint(gathered), ledger.compute_fingerprint(gathered)
    assert first.salt != second.salt
    assert not set(first.apps) & set(second.apps)
