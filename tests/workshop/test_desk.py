"""One phone at a time gets its code; nothing is asked before consent; pages cannot be swapped; rows come and go."""

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
from tests.fixtures.workshop import plugged

ENGLISH = Translator("en")
FINGERPRINT = "AB:CD:EF"


def words(bench, row):
    return "\n".join([controls.device_state(row, ENGLISH), *controls.instructions(row, ENGLISH, Retention.HANDOUT)])


def to_sticker(bench, place, token):
    (row,) = [row for row in bench.desk.connected_rows() if row.connection_id == place]
    assert row.stage == "consent"
    bench.desk.handle_key("c", row)
    bench.desk.handle_event(AuthorizationRequested(place, AuthorizationWait(fingerprint=FINGERPRINT, seconds_left=60)))
    bench.desk.handle_event(Authorized(place, token))
    assert row.stage == "sticker"
    return row


def to_done(bench, place, token, made):
    row = to_sticker(bench, place, token)
    bench.desk.handle_key("s", row)
    bench.desk.handle_event(AuditFinished(place, made.report(), None))
    assert row.stage == "done"
    return row


def test_one_phone_at_a_time_gets_a_code(bench):
    phones = [plugged(f"usb 1-{port} 9") for port in (1, 2, 3)]
    bench.desk.update_devices(phones)
    assert [(row.code, row.stage) for row in bench.desk.rows] == [
        ("A1", "consent"),
        (None, "queued"),
        (None, "queued"),
    ]
    first = to_sticker(bench, "usb 1-1 9", "t1")
    assert [row.stage for row in bench.desk.rows[1:]] == ["queued", "queued"]  # the sticker is not on yet
    bench.desk.handle_key("s", first)
    assert [(row.code, row.stage) for row in bench.desk.rows] == [
        ("A1", "reading"),
        ("A2", "consent"),
        (None, "queued"),
    ]


def test_while_several_wait_for_a_code_the_board_says_what_that_risks(bench):
    bench.desk.update_devices([plugged("usb 1-1 9")])
    (row,) = bench.desk.rows
    assert "Unplug all but one" in "\n".join(
        controls.instructions(row, ENGLISH, Retention.HANDOUT, others_waiting=True)
    )
    assert "Unplug all but one" not in "\n".join(controls.instructions(row, ENGLISH, Retention.HANDOUT))


def test_nothing_is_asked_of_a_phone_before_consent(bench):
    bench.desk.update_devices([plugged()])
    (row,) = bench.desk.rows
    for key in "sxnavyo":
        bench.desk.handle_key(key, row)
        assert bench.visits == []
    bench.desk.handle_key("c", row)
    (visit,) = bench.visits
    assert visit.done == ["start"]
    assert visit.consented_at == row.consented_at


def test_what_is_agreed_to_is_told_in_the_owners_language(bench):
    bench.desk.update_devices([plugged()])
    (row,) = bench.desk.rows
    said = words(bench, row)
    for part in ("do not read: contacts", "Is it your own phone", "payment and bank apps", "You can stop at any time"):
        assert part in said
    row.language = "zh"
    assert "不读的：联系人" in words(bench, row)
    assert "c = the owner agrees" in words(bench, row)  # the facilitator's own
    for keep, part in ((Retention.NOTHING, "only a count"), (Retention.CAPTURE, "names every app on the phone")):
        row.language = "en"
        assert part in "\n".join(controls.instructions(row, ENGLISH, keep))


def test_refused_is_never_asked_and_can_go(bench):
    bench.desk.update_devices([plugged()])
    (row,) = bench.desk.rows
    bench.desk.handle_key("r", row)
    assert (row.stage, bench.visits, bench.freed) == ("refused", [], [row.connection_id])


def test_consent_withdrawn_deletes_what_was_kept(bench, made):
    bench.desk.update_devices([plugged()])
    row = to_done(bench, plugged().connection_id, "t", made)
    bench.desk.handle_key("r", row)
    assert bench.forgotten == [row.code]
    assert (row.stage, row.report, row.consented_at) == ("refused", None, None)


def test_the_first_word_of_help_comes_within_two_seconds_of_plugging(bench):
    # The cables are looked at every POLL_S; what the look shows is on the board at once, by the desk's own clock.
    assert 2 * POLL_INTERVAL_S < 2
    bench.now = 100.0
    bench.desk.update_devices([plugged()])
    assert bench.changes[0][0] == 100.0
    (row,) = bench.desk.rows
    assert "Unlock the phone" in words(bench, row)
    blocked = plugged("usb 1-2 4", obstacle=PhoneError("errors.no_permission", vendor="2717"))
    bench.desk.update_devices([plugged(), blocked])
    assert "51-android.rules" in words(bench, bench.desk.rows[1])
    by_server = plugged("server 1-3 8", source_kind="server")
    bench.desk.update_devices([plugged(), blocked, by_server])
    assert "Do not tap anything before its owner has agreed" in words(bench, bench.desk.rows[2])


def test_while_the_phone_asks_the_fingerprint_of_the_day_is_told(bench):
    bench.desk.update_devices([plugged()])
    (row,) = bench.desk.rows
    bench.desk.handle_key("c", row)
    before = len(bench.changes)
    bench.desk.handle_event(
        AuthorizationRequested(row.connection_id, AuthorizationWait(fingerprint=FINGERPRINT, seconds_left=88))
    )
    assert len(bench.changes) == before + 1  # told at once, and not each second
    bench.desk.handle_event(
        AuthorizationRequested(row.connection_id, AuthorizationWait(fingerprint=FINGERPRINT, seconds_left=87))
    )
    assert len(bench.changes) == before + 1
    said = words(bench, row)
    assert FINGERPRINT in said
    assert "87 s left" in said


def test_results_stay_hidden_until_the_owner_confirms_phone_and_code(bench, made):
    bench.desk.update_devices([plugged()])
    row = to_done(bench, plugged().connection_id, "t", made)
    assert "lending" not in words(bench, row)
    assert list(controls.result_lines(row, ENGLISH, None)) == []
    bench.desk.handle_key("y", row)
    assert not row.owner_confirmed  # nobody was asked
    bench.desk.handle_key("v", row)
    assert row.code in words(bench, row)
    assert list(controls.result_lines(row, ENGLISH, None)) == []
    said = bench.desk.handle_key("n", row)
    assert not row.owner_confirmed
    assert "Compare the stickers" in ENGLISH.translate(said)
    bench.desk.handle_key("v", row)
    bench.desk.handle_key("y", row)
    assert any("no lending app" in line for line in controls.result_lines(row, ENGLISH, None))
    assert bench.freed == [row.connection_id]


def test_a_phone_that_did_not_ask_is_told_apart_by_unplugging_it(bench):
    bench.desk.update_devices([plugged()])
    (row,) = bench.desk.rows
    bench.desk.handle_key("c", row)
    bench.desk.handle_event(Authorized(row.connection_id, "t"))
    assert "did not ask" in words(bench, row)


def test_a_phone_is_known_again_within_the_day_and_keeps_its_code(bench, made):
    bench.desk.update_devices([plugged("usb 1-1 5")])
    first = to_done(bench, "usb 1-1 5", "t", made)
    bench.desk.update_devices([])
    bench.now += RECONNECT_GRACE_S
    bench.desk.update_devices([])
    assert first.stage == "left"
    bench.desk.update_devices([plugged("usb 1-4 6", serial="mark of usb 1-1 5")])
    row = to_sticker(bench, "usb 1-4 6", "t")
    assert (row.code, row.is_returning) == (first.code, True)
    assert bench.desk.rows == [row]  # one phone, one row
    assert "Its sticker says A1" in words(bench, row)
    bench.desk.handle_key("n", row)  # no such sticker: it is another phone that says the same of itself
    assert (row.code, row.token, row.is_returning) == ("A3", None, False)
    assert "not counted" in words(bench, row)


def test_a_phone_that_finished_before_a_kill_keeps_its_code(bench):
    bench.known["t"] = "K7"
    bench.desk.update_devices([plugged()])
    assert to_sticker(bench, plugged().connection_id, "t").code == "K7"


def test_two_phones_that_say_the_same_of_themselves_do_not_share_a_page(bench, made):
    bench.desk.update_devices([plugged("usb 1-1 5"), plugged("usb 1-2 6")])
    one = to_done(bench, "usb 1-1 5", "same", made)
    other = to_sticker(bench, "usb 1-2 6", "same")
    assert other.code != one.code
    assert other.token is None


def test_pulled_in_the_middle_says_so_and_is_repeated_under_its_code(bench, made):
    place = plugged().connection_id
    bench.desk.update_devices([plugged()])
    row = to_sticker(bench, place, "t")
    bench.desk.handle_key("s", row)
    bench.desk.handle_event(WorkerFailed(place, ConnectionLost("errors.cut_visit")))
    assert row.stage == "failed"
    assert bench.failures == ["cut_visit"]
    assert "plug the phone in again" in words(bench, row)
    bench.desk.handle_key("a", row)
    assert row.stage == "calling"
    assert (len(bench.visits), row.code) == (2, "A1")
    bench.desk.handle_event(Authorized(place, "t"))
    bench.desk.handle_key("s", row)
    bench.desk.handle_event(AuditFinished(place, made.report(), None))
    assert [code for code, _ in bench.kept] == ["A1"]


def test_a_full_disk_loses_nothing(bench, made):
    place = plugged().connection_id
    bench.desk.update_devices([plugged()])
    row = to_sticker(bench, place, "t")
    bench.disk_full = True
    bench.desk.handle_key("s", row)
    bench.desk.handle_event(AuditFinished(place, made.report(), None))
    assert row.stage == "failed"
    assert "No space left" in words(bench, row)
    bench.desk.handle_key("a", row)
    assert row.stage == "failed"
    bench.disk_full = False
    bench.desk.handle_key("a", row)
    assert (row.stage, len(bench.visits)) == ("done", 1)  # the phone was not asked again


def test_a_phone_off_the_bus_for_a_moment_is_the_same_row(bench):
    bench.desk.update_devices([plugged("usb 1-1 5")])
    (row,) = bench.desk.rows
    bench.desk.update_devices([])
    bench.now += RECONNECT_GRACE_S / 2
    bench.desk.update_devices([plugged("usb 1-1 6", serial="mark of usb 1-1 5")])  # it came back as a new device
    assert bench.desk.rows == [row]
    assert (row.stage, row.connection_id) == ("consent", "usb 1-1 6")


def test_another_phone_on_the_same_plug_is_another_row_at_once(bench, made):
    bench.desk.update_devices([plugged("usb 1-1 5")])
    row = to_done(bench, "usb 1-1 5", "t", made)
    bench.desk.update_devices([plugged("usb 1-1 6", serial="mark of another")])
    assert row.stage == "left"
    assert bench.desk.rows[1].stage == "consent"
    assert bench.desk.rows[1].code != row.code


def test_of_a_phone_that_left_nothing_stays_in_memory(bench, made):
    for number in range(30):
        place = f"usb 1-1 {number}"
        bench.desk.update_devices([plugged(place)])
        row = to_done(bench, place, f"t{number}", made)
        bench.desk.update_devices([])
        bench.now += RECONNECT_GRACE_S
        bench.desk.update_devices([])
        assert (row.stage, row.report, row.worker, row.has_output) == ("left", None, None, True)
    assert len(bench.desk.rows) < 10
    assert all("stop" in visit.done for visit in bench.visits)


def test_who_is_not_ready_goes_to_the_back(bench):
    bench.desk.update_devices([plugged("usb 1-1 5"), plugged("usb 1-2 6")])
    first, second = bench.desk.rows
    bench.now = 1.0
    bench.desk.handle_key("x", first)
    assert (first.stage, second.stage) == ("queued", "consent")
    bench.desk.handle_key("r", second)
    assert (first.stage, first.code) == ("consent", "A1")


def test_what_a_phone_says_that_left_is_too_late(bench):
    bench.desk.update_devices([plugged()])
    (row,) = bench.desk.rows
    bench.desk.handle_key("c", row)
    bench.desk.update_devices([])
    bench.now += RECONNECT_GRACE_S
    bench.desk.update_devices([])
    bench.desk.handle_event(Authorized(row.connection_id, "t"))
    assert row.stage == "left"


def test_the_close_out_check_tells_what_it_sees_and_what_it_cannot(bench, made):
    bench.desk.update_devices([plugged("usb 1-1 5")])
    row = to_done(bench, "usb 1-1 5", "t", made)
    bench.desk.handle_key("o", row)
    assert row.worker.done[-1] == "check_debugging_off"
    bench.desk.handle_event(ClosingChecked(row.connection_id, {"wireless": False, "usb": False}))
    said = words(bench, row)
    assert "Wireless debugging is still on" in said
    assert "USB debugging is still on" in said
    assert "Auto Blocker or payment apps" in said
    off = PhoneError("errors.debugging_off", phones=("Model",), maker=None)
    bench.desk.update_devices([plugged("usb 1-1 6", serial="mark of usb 1-1 5", obstacle=off)])
    assert "USB debugging is off." in words(bench, row)
    assert row.stage == "done"  # no new row that tells its owner to switch it on


@pytest.mark.parametrize("given", [0, 40, 130, 136, 900])
def test_codes_are_short_readable_and_never_given_twice(given):
    taken = set()
    for _ in range(given):
        taken.add(storage.draw_case_code(taken))
    assert len(taken) == given
    for code in taken:
        assert re.fullmatch(r"[ACDEFHJKMNPRTUWXY][2-9][ACDEFHJKMNPRTUWXY]{0,2}", code)
        assert not set(code) & set("01ILOQSZBG")


def test_codes_tell_no_order():
    assert len({storage.draw_case_code(()) for _ in range(60)}) > 20
