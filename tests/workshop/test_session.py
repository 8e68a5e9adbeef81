"""Demo phones over the real protocol: consent in the report, a key for the day, pulled cables, nothing left behind."""

from __future__ import annotations

import dataclasses
import gc
import re
import stat
import sys
import threading
from pathlib import Path

import pytest

from privaudit.capture import archive
from privaudit.capture.scripts import wireless_debugging_state
from privaudit.i18n.catalog import languages
from privaudit.transport import adb_auth as keys
from privaudit.virtual_phone import scenario_names
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.workshop.model import Retention
from privaudit.workshop.rehearsal import RehearsalWatcher
from privaudit.workshop.worker import consent_scope
from tests.fixtures.workshop import Table

TEN_S = 10.0


def test_from_plugging_to_the_page(table, monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nowhere")  # adb's own key is neither read nor made
    phone = table.phones.plug("usb 1-1 1")
    table.look()
    row = table.row()
    assert phone.commands == []
    table.session.handle_device_key("c", row)
    table.until(lambda: row.stage == "sticker")
    # It asked its owner; until the sticker is on only by what it is known again was asked.
    assert row.prompt_shown
    assert row.fingerprint == table.phones.key.fingerprint
    assert len(phone.commands) == 1
    assert "sha256sum" in phone.commands[0]
    assert table.folder.open_session.secret not in phone.commands[0]
    table.session.handle_device_key("s", row)
    table.until(lambda: row.stage == "done")
    assert row.report.consent.given_at == row.consented_at
    assert row.report.consent.scope == consent_scope(Retention.HANDOUT)
    assert row.report.demo
    page = table.folder.page_path(row.code).read_text(encoding="utf-8")
    assert row.code in page
    assert "demo phone: all apps and lists are invented" in page
    assert not (tmp_path / "nowhere").exists()


def test_files_are_of_the_facilitator_alone(table):
    table.phones.plug("usb 1-1 1")
    table.look()
    table.through(table.row())
    for path in [table.folder.path, *table.folder.path.rglob("*")]:
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_lies_in_the_folder_names_no_phone(table):
    table.phones.plug("usb 1-1 1", serial="SERIAL-99")
    table.look()
    row = table.row()
    table.through(row)
    text = "".join(path.read_text(encoding="utf-8") for path in table.folder.path.rglob("*") if path.is_file())
    assert "SERIAL-99" not in text
    assert "com.android.launcher" not in text  # an ordinary app
    assert "机主" not in text  # a person's name
    assert row.token in text  # until the close
    table.folder.close(keep_pages=True, release_lock=False)
    text = "".join(path.read_text(encoding="utf-8") for path in table.folder.path.rglob("*") if path.is_file())
    assert row.token not in text
    assert table.folder.open_session.secret not in text
    assert row.code not in (table.folder.path / "totals.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("keep", Retention)
def test_what_is_kept(tmp_path, day_key, keep):
    table = Table(tmp_path / "ws", day_key, keep)
    table.phones.plug("usb 1-1 1")
    table.look()
    row = table.row()
    table.through(row)
    kept = {path.relative_to(table.folder.path).as_posix() for path in table.folder.path.rglob("*") if path.is_file()}
    pages = {f"pages/{row.code}.html"} if keep is not Retention.NOTHING else set()
    captures = {f"captures/{row.code}.zip"} if keep is Retention.CAPTURE else set()
    assert kept == {".lock", ".open/day.json", f".open/{row.code}.json"} | pages | captures
    if captures:
        assert archive.read(table.folder.path / captures.pop()).demo
    assert row.report.consent.scope[-1] == "counts_without_names"
    table.close()


def test_pulled_in_the_middle_it_says_so_and_goes_on_when_it_is_back(table):
    phone = table.phones.plug("usb 1-1 1", serial="SAME")
    phone.faults.disconnect_after(20_000)
    table.look()
    row = table.row()
    table.through(row, "failed")
    assert row.error.name in {"cut_visit", "lost"}
    assert table.folder.records == {}
    table.phones.pull("usb 1-1 1")
    table.phones.plug("usb 1-1 2", serial="SAME")
    table.look()
    again = table.row()
    assert again.stage == "consent"  # it is asked anew
    table.through(again)
    assert again.code == row.code
    assert list(table.folder.records) == [row.code]
    assert table.folder.current_counts().phones == 1
    assert table.folder.open_session.failures == {row.error.name: 1}


def test_a_hub_that_loses_power(table):
    for port in range(3):
        phone = table.phones.plug(f"usb 1-{port} 1")
        if port:
            phone.faults.disconnect_after(15_000)
    table.look()
    rows = list(table.session.device_queue.connected_rows())
    table.through(rows[0])
    for row in rows[1:]:
        table.until(lambda row=row: row.stage == "consent")
        table.through(row, "failed")
    for port in range(3):
        table.phones.pull(f"usb 1-{port} 1")
    table.look()
    assert list(table.folder.records) == [rows[0].code]
    assert table.folder.page_path(rows[0].code).exists()


def test_a_phone_read_twice_counts_once(table):
    for visit in (1, 2):
        table.phones.plug(f"usb 1-1 {visit}", serial="SAME")
        table.look()
        row = table.row()
        table.through(row)
        table.phones.pull(f"usb 1-1 {visit}")
        table.look()
        table.session.device_queue._mark_left(row)
    assert len(table.folder.records) == 1
    assert table.folder.current_counts().phones == 1


def test_not_allowed_tells_what_to_do(table, monkeypatch):
    phone = table.phones.plug("usb 1-1 1", keys=KeyPolicy(answer="refuse"))
    table.look()
    row = table.row()
    table.session.handle_device_key("c", row)
    table.until(lambda: row.prompt_shown)
    assert row.seconds_left <= 20
    table.session.handle_device_key("r", row)  # its owner does not want to: nobody waits any longer
    assert row.stage == "refused"
    assert phone.commands == []
    table.session.device_queue.close()  # waits for its visit too, which sees a moment later that it was let go of
    assert not [one.name for one in threading.enumerate() if one.name.startswith("workshop")]


def test_eight_at_once(table):
    for port in range(8):
        table.phones.plug(f"usb 1-{port} 1", ["hyperos", "oneui", "coloros", "emui5"][port % 4])
    table.look()
    rows = list(table.session.device_queue.connected_rows())
    for row in rows:
        table.until(lambda row=row: row.stage == "consent")
        table.session.handle_device_key("c", row)
        table.until(lambda row=row: row.stage == "sticker")
        table.session.handle_device_key("s", row)
    table.until(lambda: all(row.stage == "done" for row in rows))
    assert len({row.code for row in rows}) == 8
    for row in rows:
        assert row.code in table.folder.page_path(row.code).read_text(encoding="utf-8")
        assert row.report.phone.rom.id in {"hyperos", "oneui", "coloros", "emui"}
    assert table.folder.current_counts().phones == 8


def test_a_workshop_only_reads(table):
    phone = table.phones.plug("usb 1-1 1")
    table.look()
    row = table.row()
    table.through(row)
    table.session.handle_device_key("o", row)
    table.until(lambda: row.closing_checks is not None)
    assert row.closing_checks == {"wireless": True, "usb": False}
    assert phone.commands[-1].startswith("settings get global adb_wifi_enabled")
    said = "\n".join(phone.commands)
    writes = r"pm (grant|revoke|uninstall|clear|disable)|appops set|settings put|cmd (role|notification)|am "
    assert not re.search(rf"(?m)^\s*({writes})", said)


def test_the_close_out_question_is_a_read():
    assert wireless_debugging_state().text == "settings get global adb_wifi_enabled </dev/null"


def test_the_key_for_the_day_lies_in_no_file(table, tmp_path):
    table.phones.plug("usb 1-1 1")
    table.look()
    table.through(table.row())
    private = table.phones.key.private_key.private_numbers()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes()
            assert format(private.d, "x").encode() not in path.read_bytes()
    assert keys.generate().fingerprint != table.phones.key.fingerprint


@pytest.mark.parametrize("count", [1, 5, 6, 20])
def test_one_phone_in_six_of_a_rehearsal_hangs_on_a_loose_cable(day_key, count):
    arrivals = RehearsalWatcher(count, day_key, arrival_interval_s=60)
    assert len({guest.scenario for guest in arrivals._schedule}) == min(count, len(scenario_names()))
    assert sum(guest.has_loose_cable for guest in arrivals._schedule) == count // 6
    arrivals.close()
    assert arrivals.is_finished


def test_a_few_phones_leave_no_thread_and_no_row(table):
    def after(number):
        place = f"usb 1-1 {number}"
        table.phones.plug(place, "emui5")
        table.look()
        row = table.row()
        table.through(row)
        table.phones.pull(place)
        table.look()
        table.session.device_queue._mark_left(row)
        visits = [one for one in threading.enumerate() if one.name.startswith("workshop")]
        for thread in visits:
            thread.join(TEN_S)
        gc.collect()
        return threading.active_count(), len(table.session.device_queue.rows)

    before = after(1)
    assert after(2)[0] == before[0]
    assert after(3)[0] == before[0]


def test_the_full_report_goes_only_to_the_owner_and_its_hash_onto_the_page(table, tmp_path):
    table.phones.plug("usb 1-1 1")
    table.look()
    row = table.row()
    table.through(row)
    stick = tmp_path / "stick"
    stick.mkdir()
    assert "SHA-256" not in table.folder.page_path(row.code).read_text(encoding="utf-8")
    table.session.export_full_report(row, stick)
    assert list(stick.iterdir()) == []  # its owner has not confirmed phone and code
    table.session.handle_device_key("v", row)
    table.session.handle_device_key("y", row)
    table.session.export_full_report(row, table.folder.path)
    assert not list(table.folder.path.glob("privaudit-*"))  # that is not the owner's
    table.session.export_full_report(row, stick)
    assert {path.name for path in stick.iterdir()} == {f"privaudit-{row.code}.json", f"privaudit-{row.code}.txt"}
    page = table.folder.page_path(row.code).read_text(encoding="utf-8")
    import hashlib

    assert hashlib.sha256((stick / f"privaudit-{row.code}.json").read_bytes()).hexdigest() in page
    assert [str(path) for path in tmp_path.rglob("privaudit-*")] == [str(path) for path in stick.iterdir()]


def test_another_language_writes_the_page_anew(table):
    table.phones.plug("usb 1-1 1")
    table.look()
    row = table.row()
    table.through(row)
    spoken = set()
    while row.language != "zh":
        table.session.switch_language(row)
        spoken.add(row.language)
    assert spoken == set(languages()) - {"en"}
    page = table.folder.page_path(row.code).read_text(encoding="utf-8")
    assert 'lang="zh-Hans"' in page
    assert "走之前" in page
    assert table.session.device_queue.outcomes == [(True, row.report.complete)]  # counted once


def test_all_pages_print_as_one_job(table):
    for port in range(2):
        table.phones.plug(f"usb 1-{port} 1")
    table.look()
    first, second = table.session.device_queue.connected_rows()
    table.through(first)
    table.until(lambda: second.stage == "consent")
    while second.language != "zh":
        table.session.switch_language(second)
    table.through(second)
    whole = table.session.export_print_job().read_text(encoding="utf-8")
    assert whole.count("<section") == whole.count("</section>") == 2
    assert whole.count("<html") == whole.count("</html>") == whole.count("<style>") == 1
    assert first.code in whole
    assert second.code in whole
    assert 'section lang="zh-Hans"' in whole


def test_a_visit_that_meets_a_mistake_of_ours_hurts_no_other(table, monkeypatch):
    from privaudit.workshop import worker

    def broken(*_, **__):
        raise ZeroDivisionError

    table.phones.plug("usb 1-1 1")
    table.look()
    row = table.row()
    monkeypatch.setattr(worker.audit, "collect", broken)
    table.through(row, "failed")
    assert row.error.name == "visit_bug"
    monkeypatch.undo()
    table.session.handle_device_key("a", row)
    table.through(row)
    assert dataclasses.is_dataclass(row.report)
