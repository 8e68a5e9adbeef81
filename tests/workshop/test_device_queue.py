"""The device queue: one code at a time, nothing before consent, results hidden, rows that come and go."""

from __future__ import annotations

import re

import pytest

from privaudit.errors import ConnectionLost, PhoneError
from privaudit.i18n import Translator
from privaudit.transport.base import AuthorizationWait
from privaudit.workshop import controls, storage
from privaudit.workshop.device_queue import RECONNECT_GRACE_S
from privaudit.workshop.device_watcher import POLL_INTERVAL_S
from privaudit.workshop.model import (
    AuditFinished,
    AuthorizationRequested,
    Authorized,
    ClosingChecked,
    Retention,
    WorkerFailed,
)
from tests.fixtures.workshop import attached_device

ENGLISH = Translator("en")
FINGERPRINT = "AB:CD:EF"


def shown_text(harness, row):
    return "\n".join([controls.device_state(row, ENGLISH), *controls.instructions(row, ENGLISH, Retention.HANDOUT)])


def advance_to_labeling(harness, place, token):
    (row,) = [row for row in harness.queue.connected_rows() if row.connection_id == place]
    assert row.stage == "consent"
    harness.queue.handle_key("c", row)
    harness.queue.handle_event(
        AuthorizationRequested(place, AuthorizationWait(fingerprint=FINGERPRINT, seconds_left=60))
    )
    harness.queue.handle_event(Authorized(place, token))
    assert row.stage == "sticker"
    return row


def advance_to_done(harness, place, token, made):
    row = advance_to_labeling(harness, place, token)
    harness.queue.handle_key("s", row)
    harness.queue.handle_event(AuditFinished(place, made.report(), None))
    assert row.stage == "done"
    return row


def test_only_one_phone_at_a_time_gets_a_code(harness):
    phones = [attached_device(f"usb 1-{port} 9") for port in (1, 2, 3)]
    harness.queue.update_devices(phones)
    assert [(row.code, row.stage) for row in harness.queue.rows] == [
        ("A1", "consent"),
        (None, "queued"),
        (None, "queued"),
    ]
    first = advance_to_labeling(harness, "usb 1-1 9", "t1")
    assert [row.stage for row in harness.queue.rows[1:]] == ["queued", "queued"]  # the sticker is not on yet
    harness.queue.handle_key("s", first)
    assert [(row.code, row.stage) for row in harness.queue.rows] == [
        ("A1", "reading"),
        ("A2", "consent"),
        (None, "queued"),
    ]


def test_instructions_warn_while_several_phones_wait_for_a_code(harness):
    harness.queue.update_devices([attached_device("usb 1-1 9")])
    (row,) = harness.queue.rows
    assert "Unplug all but one" in "\n".join(
        controls.instructions(row, ENGLISH, Retention.HANDOUT, others_waiting=True)
    )
    assert "Unplug all but one" not in "\n".join(controls.instructions(row, ENGLISH, Retention.HANDOUT))


def test_nothing_is_sent_to_a_phone_before_consent(harness):
    harness.queue.update_devices([attached_device()])
    (row,) = harness.queue.rows
    for key in "sxnavyo":
        harness.queue.handle_key(key, row)
        assert harness.workers == []
    harness.queue.handle_key("c", row)
    (worker,) = harness.workers
    assert worker.calls == ["start"]
    assert worker.consented_at == row.consented_at


def test_consent_is_shown_in_the_owners_language(harness):
    harness.queue.update_devices([attached_device()])
    (row,) = harness.queue.rows
    text = shown_text(harness, row)
    for part in ("do not read: contacts", "Is it your own phone", "payment and bank apps", "You can stop at any time"):
        assert part in text
    row.language = "zh"
    assert "不读的：联系人" in shown_text(harness, row)
    assert "c = the owner agrees" in shown_text(harness, row)  # the facilitator's own
    for keep, part in ((Retention.NOTHING, "only a count"), (Retention.CAPTURE, "names every app on the phone")):
        row.language = "en"
        assert part in "\n".join(controls.instructions(row, ENGLISH, keep))


def test_refused_phone_is_never_connected_and_may_be_unplugged(harness):
    harness.queue.update_devices([attached_device()])
    (row,) = harness.queue.rows
    harness.queue.handle_key("r", row)
    assert (row.stage, harness.workers, harness.unplug_allowed) == ("refused", [], [row.connection_id])


def test_withdrawn_consent_deletes_outputs(harness, made):
    harness.queue.update_devices([attached_device()])
    row = advance_to_done(harness, attached_device().connection_id, "t", made)
    harness.queue.handle_key("r", row)
    assert harness.deleted_codes == [row.code]
    assert (row.stage, row.report, row.consented_at) == ("refused", None, None)


def test_instructions_appear_within_two_seconds_of_plugging_in(harness):
    # A scan takes place every POLL_INTERVAL_S, and its result is shown at once.
    assert 2 * POLL_INTERVAL_S < 2
    harness.now = 100.0
    harness.queue.update_devices([attached_device()])
    assert harness.changes[0][0] == 100.0
    (row,) = harness.queue.rows
    assert "Unlock the phone" in shown_text(harness, row)
    blocked = attached_device("usb 1-2 4", obstacle=PhoneError("errors.no_permission", vendor="2717"))
    harness.queue.update_devices([attached_device(), blocked])
    assert "51-android.rules" in shown_text(harness, harness.queue.rows[1])
    by_server = attached_device("server 1-3 8", source_kind="server")
    harness.queue.update_devices([attached_device(), blocked, by_server])
    assert "Do not tap anything before its owner has agreed" in shown_text(harness, harness.queue.rows[2])


def test_fingerprint_is_shown_while_the_phone_asks(harness):
    harness.queue.update_devices([attached_device()])
    (row,) = harness.queue.rows
    harness.queue.handle_key("c", row)
    before = len(harness.changes)
    harness.queue.handle_event(
        AuthorizationRequested(row.connection_id, AuthorizationWait(fingerprint=FINGERPRINT, seconds_left=88))
    )
    assert len(harness.changes) == before + 1  # told at once, and not each second
    harness.queue.handle_event(
        AuthorizationRequested(row.connection_id, AuthorizationWait(fingerprint=FINGERPRINT, seconds_left=87))
    )
    assert len(harness.changes) == before + 1
    text = shown_text(harness, row)
    assert FINGERPRINT in text
    assert "87 s left" in text


def test_result_is_hidden_until_the_owner_confirms_phone_and_code(harness, made):
    harness.queue.update_devices([attached_device()])
    row = advance_to_done(harness, attached_device().connection_id, "t", made)
    assert "lending" not in shown_text(harness, row)
    assert list(controls.result_lines(row, ENGLISH, None)) == []
    harness.queue.handle_key("y", row)
    assert not row.owner_confirmed  # nobody was asked
    harness.queue.handle_key("v", row)
    assert row.code in shown_text(harness, row)
    assert list(controls.result_lines(row, ENGLISH, None)) == []
    text = harness.queue.handle_key("n", row)
    assert not row.owner_confirmed
    assert "Compare the stickers" in ENGLISH.translate(text)
    harness.queue.handle_key("v", row)
    harness.queue.handle_key("y", row)
    assert any("no lending app" in line for line in controls.result_lines(row, ENGLISH, None))
    assert harness.unplug_allowed == [row.connection_id]


def test_phone_that_did_not_ask_is_identified_by_unplugging_it(harness):
    harness.queue.update_devices([attached_device()])
    (row,) = harness.queue.rows
    harness.queue.handle_key("c", row)
    harness.queue.handle_event(Authorized(row.connection_id, "t"))
    assert "did not ask" in shown_text(harness, row)


def test_returning_phone_keeps_its_code(harness, made):
    harness.queue.update_devices([attached_device("usb 1-1 5")])
    first = advance_to_done(harness, "usb 1-1 5", "t", made)
    harness.queue.update_devices([])
    harness.now += RECONNECT_GRACE_S
    harness.queue.update_devices([])
    assert first.stage == "left"
    harness.queue.update_devices([attached_device("usb 1-4 6", serial="serial of usb 1-1 5")])
    row = advance_to_labeling(harness, "usb 1-4 6", "t")
    assert (row.code, row.is_returning) == (first.code, True)
    assert harness.queue.rows == [row]  # one phone, one row
    assert "If its sticker says A1" in shown_text(harness, row)
    harness.queue.handle_key("n", row)  # no such sticker: it is another phone that says the same of itself
    assert (row.code, row.token, row.is_returning) == ("A3", None, False)
    assert "not counted" in shown_text(harness, row)


def test_phone_finished_before_a_kill_keeps_its_code(harness):
    harness.codes_by_token["t"] = "K7"
    harness.queue.update_devices([attached_device()])
    assert advance_to_labeling(harness, attached_device().connection_id, "t").code == "K7"


def test_phones_with_equal_fingerprints_do_not_share_a_page(harness, made):
    harness.queue.update_devices([attached_device("usb 1-1 5"), attached_device("usb 1-2 6")])
    one = advance_to_done(harness, "usb 1-1 5", "same", made)
    other = advance_to_labeling(harness, "usb 1-2 6", "same")
    assert other.code != one.code
    assert other.token is None


def test_interrupted_phone_is_retried_under_its_code(harness, made):
    place = attached_device().connection_id
    harness.queue.update_devices([attached_device()])
    row = advance_to_labeling(harness, place, "t")
    harness.queue.handle_key("s", row)
    harness.queue.handle_event(WorkerFailed(place, ConnectionLost("errors.cut_visit")))
    assert row.stage == "failed"
    assert harness.failures == ["cut_visit"]
    assert "plug the phone in again" in shown_text(harness, row)
    harness.queue.handle_key("a", row)
    assert row.stage == "calling"
    assert (len(harness.workers), row.code) == (2, "A1")
    harness.queue.handle_event(Authorized(place, "t"))
    harness.queue.handle_key("s", row)
    harness.queue.handle_event(AuditFinished(place, made.report(), None))
    assert [code for code, _ in harness.written] == ["A1"]


def test_full_disk_loses_no_report(harness, made):
    place = attached_device().connection_id
    harness.queue.update_devices([attached_device()])
    row = advance_to_labeling(harness, place, "t")
    harness.disk_full = True
    harness.queue.handle_key("s", row)
    harness.queue.handle_event(AuditFinished(place, made.report(), None))
    assert row.stage == "failed"
    assert "no room is left on the disk" in shown_text(harness, row)
    harness.queue.handle_key("a", row)
    assert row.stage == "failed"
    harness.disk_full = False
    harness.queue.handle_key("a", row)
    assert (row.stage, len(harness.workers)) == ("done", 1)  # the phone was not asked again


def test_phone_that_reconnects_at_once_keeps_its_row(harness):
    harness.queue.update_devices([attached_device("usb 1-1 5")])
    (row,) = harness.queue.rows
    harness.queue.update_devices([])
    harness.now += RECONNECT_GRACE_S / 2
    harness.queue.update_devices(
        [attached_device("usb 1-1 6", serial="serial of usb 1-1 5")]
    )  # it came back as a new device
    assert harness.queue.rows == [row]
    assert (row.stage, row.connection_id) == ("consent", "usb 1-1 6")


def test_another_phone_on_the_same_port_gets_a_new_row(harness, made):
    harness.queue.update_devices([attached_device("usb 1-1 5")])
    row = advance_to_done(harness, "usb 1-1 5", "t", made)
    harness.queue.update_devices([attached_device("usb 1-1 6", serial="serial of another")])
    assert row.stage == "left"
    assert harness.queue.rows[1].stage == "consent"
    assert harness.queue.rows[1].code != row.code


def test_unplugged_phone_leaves_nothing_in_memory(harness, made):
    for number in range(30):
        place = f"usb 1-1 {number}"
        harness.queue.update_devices([attached_device(place)])
        row = advance_to_done(harness, place, f"t{number}", made)
        harness.queue.update_devices([])
        harness.now += RECONNECT_GRACE_S
        harness.queue.update_devices([])
        assert (row.stage, row.report, row.worker, row.has_output) == ("left", None, None, True)
    assert len(harness.queue.rows) < 10
    assert all("stop" in worker.calls for worker in harness.workers)


def test_postponed_phone_goes_to_the_end_of_the_queue(harness):
    harness.queue.update_devices([attached_device("usb 1-1 5"), attached_device("usb 1-2 6")])
    first, second = harness.queue.rows
    harness.now = 1.0
    harness.queue.handle_key("x", first)
    assert (first.stage, second.stage) == ("queued", "consent")
    harness.queue.handle_key("r", second)
    assert (first.stage, first.code) == ("consent", "A1")


def test_event_of_an_unplugged_phone_is_ignored(harness):
    harness.queue.update_devices([attached_device()])
    (row,) = harness.queue.rows
    harness.queue.handle_key("c", row)
    harness.queue.update_devices([])
    harness.now += RECONNECT_GRACE_S
    harness.queue.update_devices([])
    harness.queue.handle_event(Authorized(row.connection_id, "t"))
    assert row.stage == "left"


def test_closing_check_shows_known_and_unknown_states(harness, made):
    harness.queue.update_devices([attached_device("usb 1-1 5")])
    row = advance_to_done(harness, "usb 1-1 5", "t", made)
    harness.queue.handle_key("o", row)
    assert row.worker.calls[-1] == "check_debugging_off"
    harness.queue.handle_event(ClosingChecked(row.connection_id, {"wireless": False, "usb": False}))
    text = shown_text(harness, row)
    assert "Wireless debugging is still on" in text
    assert "USB debugging is still on" in text
    assert "Auto Blocker or payment apps" in text
    off = PhoneError("errors.debugging_off", phones=("Model",), maker=None)
    harness.queue.update_devices([attached_device("usb 1-1 6", serial="serial of usb 1-1 5", obstacle=off)])
    assert "USB debugging is off." in shown_text(harness, row)
    assert row.stage == "done"  # no new row that tells its owner to switch it on


@pytest.mark.parametrize("given", [0, 40, 130, 136, 900])
def test_case_codes_are_short_readable_and_unique(given):
    taken = set()
    for _ in range(given):
        taken.add(storage.draw_case_code(taken))
    assert len(taken) == given
    for code in taken:
        assert re.fullmatch(r"[ACDEFHJKMNPRTUWXY][2-9][ACDEFHJKMNPRTUWXY]{0,2}", code)
        assert not set(code) & set("01ILOQSZBG")


def test_case_codes_reveal_no_order():
    assert len({storage.draw_case_code(()) for _ in range(60)}) > 20
