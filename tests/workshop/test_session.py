"""Sessions with virtual phones over ADB: consent, keys, interrupted reads, outputs, and that nothing is left behind."""

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
from privaudit.workshop.model import Retention, consent_scope
from privaudit.workshop.rehearsal import RehearsalWatcher
from tests.fixtures.workshop import WorkshopHarness

JOIN_TIMEOUT_S = 10.0


def test_phone_is_read_and_its_page_written(workshop, monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nowhere")  # adb's own key is neither read nor made
    phone = workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    row = workshop.next_row()
    assert phone.commands == []
    workshop.session.handle_device_key("c", row)
    workshop.run_until(lambda: row.stage == "sticker")
    # It asked its owner; until the sticker is on only by what it is known again was asked.
    assert row.prompt_shown
    assert row.fingerprint == workshop.watcher.key.fingerprint
    assert len(phone.commands) == 1
    assert "sha256sum" in phone.commands[0]
    assert workshop.folder.open_session.secret not in phone.commands[0]
    workshop.session.handle_device_key("s", row)
    workshop.run_until(lambda: row.stage == "done")
    assert row.report.consent.given_at == row.consented_at
    assert row.report.consent.scope == consent_scope(Retention.HANDOUT)
    assert row.report.demo
    page = workshop.folder.page_path(row.code).read_text(encoding="utf-8")
    assert row.code in page
    assert "demo phone: all apps and lists are invented" in page
    assert not (tmp_path / "nowhere").exists()


def test_files_are_private(workshop):
    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    workshop.finish(workshop.next_row())
    for path in [workshop.folder.path, *workshop.folder.path.rglob("*")]:
        if sys.platform != "win32":
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_folder_does_not_identify_phones(workshop):
    workshop.watcher.plug("usb 1-1 1", serial="SERIAL-99")
    workshop.scan()
    row = workshop.next_row()
    workshop.finish(row)
    text = "".join(path.read_text(encoding="utf-8") for path in workshop.folder.path.rglob("*") if path.is_file())
    assert "SERIAL-99" not in text
    assert "com.android.launcher" not in text  # an ordinary app
    assert "机主" not in text  # a person's name
    assert row.token in text  # until the close
    workshop.folder.close(keep_pages=True, release_lock=False)
    text = "".join(path.read_text(encoding="utf-8") for path in workshop.folder.path.rglob("*") if path.is_file())
    assert row.token not in text
    assert workshop.folder.open_session.secret not in text
    assert row.code not in (workshop.folder.path / "totals.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("keep", Retention)
def test_retention_decides_which_files_are_kept(tmp_path, session_key, keep):
    workshop = WorkshopHarness(tmp_path / "ws", session_key, keep)
    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    row = workshop.next_row()
    workshop.finish(row)
    kept = {
        path.relative_to(workshop.folder.path).as_posix() for path in workshop.folder.path.rglob("*") if path.is_file()
    }
    pages = {f"pages/{row.code}.html"} if keep is not Retention.NOTHING else set()
    captures = {f"captures/{row.code}.zip"} if keep is Retention.CAPTURE else set()
    assert kept == {".lock", ".open/day.json", f".open/{row.code}.json"} | pages | captures
    if captures:
        assert archive.read(workshop.folder.path / captures.pop()).demo
    assert row.report.consent.scope[-1] == "counts_without_names"
    workshop.close()


def test_interrupted_read_is_retried_after_reconnecting(workshop):
    phone = workshop.watcher.plug("usb 1-1 1", serial="SAME")
    phone.faults.disconnect_after(20_000)
    workshop.scan()
    row = workshop.next_row()
    workshop.finish(row, "failed")
    assert row.error.name in {"cut_visit", "lost"}
    assert workshop.folder.records == {}
    workshop.watcher.unplug("usb 1-1 1")
    workshop.watcher.plug("usb 1-1 2", serial="SAME")
    workshop.scan()
    again = workshop.next_row()
    assert again.stage == "consent"  # it is asked anew
    workshop.finish(again)
    assert again.code == row.code
    assert list(workshop.folder.records) == [row.code]
    assert workshop.folder.current_counts().phones == 1
    assert workshop.folder.open_session.failures == {row.error.name: 1}


def test_hub_that_loses_power_keeps_finished_phones(workshop):
    for port in range(3):
        phone = workshop.watcher.plug(f"usb 1-{port} 1")
        if port:
            phone.faults.disconnect_after(15_000)
    workshop.scan()
    rows = list(workshop.session.device_queue.connected_rows())
    workshop.finish(rows[0])
    for row in rows[1:]:
        workshop.run_until(lambda row=row: row.stage == "consent")
        workshop.finish(row, "failed")
    for port in range(3):
        workshop.watcher.unplug(f"usb 1-{port} 1")
    workshop.scan()
    assert list(workshop.folder.records) == [rows[0].code]
    assert workshop.folder.page_path(rows[0].code).exists()


def test_phone_read_twice_counts_once(workshop):
    for visit in (1, 2):
        workshop.watcher.plug(f"usb 1-1 {visit}", serial="SAME")
        workshop.scan()
        row = workshop.next_row()
        workshop.finish(row)
        workshop.watcher.unplug(f"usb 1-1 {visit}")
        workshop.scan()
        workshop.session.device_queue._mark_left(row)
    assert len(workshop.folder.records) == 1
    assert workshop.folder.current_counts().phones == 1


def test_refusing_ends_the_wait_for_authorization(workshop, monkeypatch):
    phone = workshop.watcher.plug("usb 1-1 1", key_policy=KeyPolicy(answer="refuse"))
    workshop.scan()
    row = workshop.next_row()
    workshop.session.handle_device_key("c", row)
    workshop.run_until(lambda: row.prompt_shown)
    assert row.seconds_left <= 20
    workshop.session.handle_device_key("r", row)  # its owner does not want to: nobody waits any longer
    assert row.stage == "refused"
    assert phone.commands == []
    workshop.session.device_queue.close()  # waits for its visit too, which sees a moment later that it was let go of
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("workshop")]


def test_eight_phones_are_read_at_once(workshop):
    for port in range(8):
        workshop.watcher.plug(f"usb 1-{port} 1", ["hyperos", "oneui", "coloros", "emui5"][port % 4])
    workshop.scan()
    rows = list(workshop.session.device_queue.connected_rows())
    for row in rows:
        workshop.run_until(lambda row=row: row.stage == "consent")
        workshop.session.handle_device_key("c", row)
        workshop.run_until(lambda row=row: row.stage == "sticker")
        workshop.session.handle_device_key("s", row)
    workshop.run_until(lambda: all(row.stage == "done" for row in rows))
    assert len({row.code for row in rows}) == 8
    for row in rows:
        assert row.code in workshop.folder.page_path(row.code).read_text(encoding="utf-8")
        assert row.report.phone.rom.id in {"hyperos", "oneui", "coloros", "emui"}
    assert workshop.folder.current_counts().phones == 8


def test_workshop_sends_only_reading_commands(workshop):
    phone = workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    row = workshop.next_row()
    workshop.finish(row)
    workshop.session.handle_device_key("o", row)
    workshop.run_until(lambda: row.closing_checks is not None)
    assert row.closing_checks == {"wireless": True, "usb": False}
    assert phone.commands[-1].startswith("settings get global adb_wifi_enabled")
    said = "\n".join(phone.commands)
    writes = r"pm (grant|revoke|uninstall|clear|disable)|appops set|settings put|cmd (role|notification)|am "
    assert not re.search(rf"(?m)^\s*({writes})", said)


def test_closing_check_only_reads():
    assert wireless_debugging_state().text == "settings get global adb_wifi_enabled </dev/null"


def test_session_key_is_written_to_no_file(workshop, tmp_path):
    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    workshop.finish(workshop.next_row())
    private = workshop.watcher.key.private_exponent
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes()
            assert format(private, "x").encode() not in path.read_bytes()
    assert keys.generate().fingerprint != workshop.watcher.key.fingerprint


@pytest.mark.parametrize("count", [1, 5, 6, 20])
def test_one_rehearsal_phone_in_six_has_a_loose_cable(session_key, count):
    watcher = RehearsalWatcher(count, session_key, arrival_interval_s=60)
    assert len({scheduled.scenario for scheduled in watcher._schedule}) == min(count, len(scenario_names()))
    assert sum(scheduled.has_loose_cable for scheduled in watcher._schedule) == count // 6
    watcher.close()
    assert watcher.is_finished


def test_finished_phones_leave_no_thread_and_no_row(workshop):
    def after(number):
        place = f"usb 1-1 {number}"
        workshop.watcher.plug(place, "emui5")
        workshop.scan()
        row = workshop.next_row()
        workshop.finish(row)
        workshop.watcher.unplug(place)
        workshop.scan()
        workshop.session.device_queue._mark_left(row)
        threads = [thread for thread in threading.enumerate() if thread.name.startswith("workshop")]
        for thread in threads:
            thread.join(JOIN_TIMEOUT_S)
        gc.collect()
        return threading.active_count(), len(workshop.session.device_queue.rows)

    before = after(1)
    assert after(2)[0] == before[0]
    assert after(3)[0] == before[0]


def test_full_report_goes_only_to_the_owner_and_its_hash_to_the_page(workshop, tmp_path):
    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    row = workshop.next_row()
    workshop.finish(row)
    stick = tmp_path / "stick"
    stick.mkdir()
    assert "SHA-256" not in workshop.folder.page_path(row.code).read_text(encoding="utf-8")
    workshop.session.export_full_report(row, str(stick))
    assert list(stick.iterdir()) == []  # its owner has not confirmed phone and code
    workshop.session.handle_device_key("v", row)
    workshop.session.handle_device_key("y", row)
    workshop.session.export_full_report(row, str(workshop.folder.path))
    assert not list(workshop.folder.path.glob("privaudit-*"))  # that is not the owner's
    workshop.session.export_full_report(row, str(stick))
    assert {path.name for path in stick.iterdir()} == {f"privaudit-{row.code}.json", f"privaudit-{row.code}.txt"}
    page = workshop.folder.page_path(row.code).read_text(encoding="utf-8")
    import hashlib

    assert hashlib.sha256((stick / f"privaudit-{row.code}.json").read_bytes()).hexdigest() in page
    assert [str(path) for path in tmp_path.rglob("privaudit-*")] == [str(path) for path in stick.iterdir()]


def test_switching_the_language_rewrites_the_page(workshop):
    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    row = workshop.next_row()
    workshop.finish(row)
    spoken = set()
    while row.language != "zh":
        workshop.session.switch_language(row)
        spoken.add(row.language)
    assert spoken == set(languages()) - {"en"}
    page = workshop.folder.page_path(row.code).read_text(encoding="utf-8")
    assert 'lang="zh-Hans"' in page
    assert "走之前" in page
    assert workshop.session.device_queue.outcomes == [(True, row.report.complete)]  # counted once


def test_print_job_contains_all_pages(workshop):
    for port in range(2):
        workshop.watcher.plug(f"usb 1-{port} 1")
    workshop.scan()
    first, second = workshop.session.device_queue.connected_rows()
    workshop.finish(first)
    workshop.run_until(lambda: second.stage == "consent")
    while second.language != "zh":
        workshop.session.switch_language(second)
    workshop.finish(second)
    whole = workshop.session.export_print_job().read_text(encoding="utf-8")
    assert whole.count("<section") == whole.count("</section>") == 2
    assert whole.count("<html") == whole.count("</html>") == whole.count("<style>") == 1
    assert first.code in whole
    assert second.code in whole
    assert 'section lang="zh-Hans"' in whole


def test_foreign_page_during_a_session_is_named_and_left_alone(workshop):
    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    workshop.finish(workshop.next_row())
    foreign = workshop.folder.path / "pages" / "notes.html"
    foreign.write_text("<p>page 0</p>", encoding="utf-8")
    assert workshop.session.export_print_job() is None
    assert {message.key for message in workshop.messages} >= {"errors.page_foreign.what", "errors.page_foreign.next"}
    assert foreign.exists()
    foreign.unlink()
    assert workshop.session.export_print_job() is not None


def test_bug_in_one_worker_does_not_stop_the_session(workshop, monkeypatch):
    from privaudit.workshop import worker

    def broken(*_, **__):
        raise ZeroDivisionError

    workshop.watcher.plug("usb 1-1 1")
    workshop.scan()
    row = workshop.next_row()
    monkeypatch.setattr(worker.audit, "collect", broken)
    workshop.finish(row, "failed")
    assert row.error.name == "visit_bug"
    monkeypatch.undo()
    workshop.session.handle_device_key("a", row)
    workshop.finish(row)
    assert dataclasses.is_dataclass(row.report)
