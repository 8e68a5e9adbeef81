"""The workshop folder: what is written, what closing deletes, and what survives a kill or a full disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import date, timedelta

import pytest

from privaudit.documents.render import SHEET_END_MARKER, SHEET_START_MARKER
from privaudit.errors import SourceError, UsageError
from privaudit.model import DataClass
from privaudit.workshop.model import Retention
from privaudit.workshop.statistics import DeviceRecord
from privaudit.workshop.storage import WorkshopFolder, read_all_sessions, read_totals

TODAY = date(2026, 1, 10)
PAGE = f"<html>{SHEET_START_MARKER}<p>page</p>{SHEET_END_MARKER}</html>"


def open_folder(path, keep=Retention.HANDOUT, *, demo=False, on=TODAY, answers=()):
    """Open a folder on a day, with the answers to the questions that it asks: message key → yes or no."""
    answers = dict(answers)
    asked = []

    def confirm(key, **values):
        asked.append((key, values))
        return answers.pop(key)  # a second question is an error

    folder = WorkshopFolder(path, keep, demo=demo, today=lambda: on, confirm=confirm)
    assert not answers
    folder.asked = asked
    return folder


CLOSE_EARLIER = {"workshop.ask_close_earlier": True}
GO_ON = {"workshop.ask_close_earlier": False}


def record(token="t", **changed):  # noqa: S107 - no password
    defaults = {"rom": "hyperos", "lending": 2, "can_read": (DataClass.CONTACTS,), "listed": ("com.example.loan",)}
    return DeviceRecord(token=token, **{**defaults, "found": True, "complete": True, **changed})


def files(path):
    return {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}


def test_closing_leaves_only_counts(tmp_path):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(folder.make_token("a")), PAGE, None)
    folder.close(keep_pages=False)
    assert files(tmp_path / "ws") == {".lock", "totals.json"}
    (session,) = read_totals(tmp_path / "ws").sessions.values()
    assert session.counted.phones == 1
    text = (tmp_path / "ws" / "totals.json").read_text("utf-8")
    for secret in (folder.open_session.secret, folder.open_session.salt, folder.make_token("a"), "K7"):
        assert secret not in text


def test_closing_can_keep_pages(tmp_path):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), PAGE, None)
    folder.close(keep_pages=True)
    assert files(tmp_path / "ws") == {".lock", "totals.json", "pages/K7.html"}
    # A later day does not give the code of a page that still lies there to another phone.
    assert "K7" in open_folder(tmp_path / "ws")._used_codes


def test_workshop_without_phones_leaves_no_counts(tmp_path):
    open_folder(tmp_path / "ws").close(keep_pages=False)
    assert files(tmp_path / "ws") == {".lock"}


def test_token_of_a_phone_differs_between_sessions(tmp_path):
    first = open_folder(tmp_path / "ws")
    named = first.make_token("digest")
    first.close(keep_pages=False)
    assert open_folder(tmp_path / "ws").make_token("digest") != named


def test_sessions_of_two_days_add_up(tmp_path):
    for day in (10, 11):
        folder = open_folder(tmp_path / "ws", on=date(2026, 1, day))
        folder.save_device("K7", record(), None, None)
        folder.close(keep_pages=False)
    assert len(read_totals(tmp_path / "ws").sessions) == 2


def test_session_resumes_after_a_kill_on_the_same_day(tmp_path):
    before = open_folder(tmp_path / "ws")
    token = before.make_token("digest")
    before.save_device("K7", record(token), PAGE, None)
    before.count_failure("lost")
    (tmp_path / "ws" / "pages" / "A3.html.part").write_text("half")
    before._lock.close()  # as the system does it, and nothing else
    after = open_folder(tmp_path / "ws")
    assert after.resumed
    assert after.code_for_token(after.make_token("digest")) == "K7"
    assert after.open_session.failures == {"lost": 1}
    assert "K7" in after._used_codes
    assert not list((tmp_path / "ws").rglob("*.part"))


def test_session_of_another_day_is_closed_first(tmp_path):
    before = open_folder(tmp_path / "ws")
    before.save_device("K7", record(before.make_token("digest")), PAGE, None)
    before._lock.close()
    after = open_folder(tmp_path / "ws", on=date(2026, 1, 11), answers=CLOSE_EARLIER)
    assert not after.resumed
    assert files(tmp_path / "ws") == {".lock", ".open/day.json", "totals.json"}
    assert read_totals(tmp_path / "ws").sessions[before.open_session.session].counted.phones == 1
    assert after.open_session.secret != before.open_session.secret
    assert after.code_for_token(before.make_token("digest")) is None


@pytest.mark.parametrize("days", [1, -1, 2, 400, -400, 36_500])
def test_wrong_clock_deletes_nothing_without_a_yes(tmp_path, days):
    before = open_folder(tmp_path / "ws")
    token = before.make_token("digest")
    before.save_device("K7", record(token), PAGE, None)
    before._lock.close()
    left, on = files(tmp_path / "ws"), TODAY + timedelta(days=days)
    after = open_folder(tmp_path / "ws", on=on, answers=GO_ON)
    ((_, values),) = after.asked
    assert (values["opened"], values["today"], values["n"]) == ("2026-01-10", on.isoformat(), 1)
    assert (after.resumed, files(tmp_path / "ws"), after.code_for_token(after.make_token("digest"))) == (
        True,
        left,
        "K7",
    )
    after.save_device("A3", record("u"), PAGE, None)
    after._lock.close()
    again = open_folder(tmp_path / "ws")  # the clock is right again: nothing is asked
    assert (again.resumed, len(again.records), files(tmp_path / "ws") >= left) == (True, 2, True)


def test_without_an_answer_nothing_is_deleted(tmp_path):
    before = open_folder(tmp_path / "ws")
    before.save_device("K7", record(), PAGE, None)
    before._lock.close()
    left = files(tmp_path / "ws")

    def nobody(*_, **__):
        raise UsageError("errors.nobody_answers")

    with pytest.raises(UsageError, match="nobody_answers"):
        WorkshopFolder(tmp_path / "ws", Retention.HANDOUT, today=lambda: date(2026, 1, 11), confirm=nobody)
    assert files(tmp_path / "ws") == left
    assert open_folder(tmp_path / "ws").resumed  # the lock was released


@pytest.mark.parametrize("delete", [False, True])
def test_pages_of_a_counted_session_are_deleted_only_on_request(tmp_path, monkeypatch, delete):
    """Killed between counting and deleting: the pages may have been meant to stay."""
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), PAGE, None)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        folder.close(keep_pages=True)
    again = open_folder(tmp_path / "ws", on=date(2026, 1, 11), answers={"workshop.ask_delete_pages": delete})
    assert not again.resumed
    assert ("pages/K7.html" in files(tmp_path / "ws")) is not delete


FOREIGN_KINDS = {
    "link": lambda path, elsewhere: path.symlink_to(elsewhere),
    "broken link": lambda path, elsewhere: path.symlink_to(elsewhere / "absent"),
    "pipe": lambda path, _: os.mkfifo(path),
    "other kind": lambda path, _: path.mkdir() if path.suffix or path.name == ".lock" else path.write_text("x"),
}
SECOND_NAME = ["totals.json", "pages.html", ".open/day.json", ".open/K7.json", "pages/K7.html", "captures/K7.zip"]
OUR_NAMES = [".open", "pages", "captures", ".lock", "totals.json.part", "pages.html.part", *SECOND_NAME]


@pytest.fixture
def full_folder(tmp_path):
    """A workshop folder with a file at each of our names, left open."""
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), PAGE, None)
    (tmp_path / "ws" / "captures").mkdir(exist_ok=True)
    for name in {*OUR_NAMES, "captures/K7.zip"} - {".open", "pages", "captures"}:
        if not (tmp_path / "ws" / name).exists():
            (tmp_path / "ws" / name).write_text('{"demo": false, "sessions": {}}' if name == "totals.json" else "")
    return folder


@pytest.mark.unix
@pytest.mark.parametrize("kind", FOREIGN_KINDS)
@pytest.mark.parametrize("name", OUR_NAMES)
@pytest.mark.parametrize("closing", [False, True], ids=["at the start", "at the close"])
def test_link_at_a_name_of_ours_is_refused(full_folder, tmp_path, name, kind, closing):
    """What it points to would outlive the closing, with the secret in it."""
    path, elsewhere = tmp_path / "ws" / name, tmp_path / "elsewhere"
    path.rename(elsewhere)
    FOREIGN_KINDS[kind](path, elsewhere)
    if not closing:
        full_folder._lock.close()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SourceError, match="folder_link") as error:
        _ = full_folder.close(keep_pages=False) if closing else open_folder(tmp_path / "ws")
    assert error.value.values["path"] == str(path)
    assert sorted(tmp_path.rglob("*")) == before
    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    elsewhere.rename(path)
    if closing:
        full_folder.close(keep_pages=False)
        assert files(tmp_path / "ws") <= {".lock", "totals.json", "captures/K7.zip"}
    else:
        assert open_folder(tmp_path / "ws").resumed


@pytest.mark.unix
@pytest.mark.skipif(not hasattr(os, "link"), reason="hard links as POSIX makes them")
@pytest.mark.parametrize("name", SECOND_NAME)
def test_file_with_a_second_name_is_refused(full_folder, tmp_path, name):
    full_folder._lock.close()
    os.link(tmp_path / "ws" / name, tmp_path / "copy")
    with pytest.raises(SourceError, match="folder_link"):
        open_folder(tmp_path / "ws")
    (tmp_path / "copy").unlink()
    assert open_folder(tmp_path / "ws").resumed


def test_session_killed_while_closing_counts_once(tmp_path, monkeypatch):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), None, None)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        folder.close(keep_pages=False)
    again = open_folder(tmp_path / "ws")
    assert not again.resumed
    assert read_all_sessions([tmp_path / "ws"]).sessions[folder.open_session.session].counted.phones == 1
    assert len([one for one in read_all_sessions([tmp_path / "ws"]).sessions.values() if one.counted.phones]) == 1


def test_copied_folder_is_counted_once(tmp_path):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), None, None)
    folder.close(keep_pages=False)
    shutil.copytree(tmp_path / "ws", tmp_path / "copy")
    assert len(read_all_sessions([tmp_path / "ws", tmp_path / "copy"]).sessions) == 1


def test_open_session_is_counted(tmp_path):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), None, None)
    (session,) = read_all_sessions([tmp_path / "ws"]).sessions.values()
    assert session.counted.phones == 1


def test_second_program_in_one_folder_is_refused(tmp_path):
    first = open_folder(tmp_path / "ws")
    with pytest.raises(SourceError, match="folder_in_use"):
        open_folder(tmp_path / "ws")
    first.leave_open()
    open_folder(tmp_path / "ws").leave_open()


@pytest.mark.unix
def test_folder_with_foreign_files_is_not_touched(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    mode = tmp_path.stat().st_mode
    with pytest.raises(SourceError, match="folder_foreign"):
        open_folder(tmp_path)
    assert tmp_path.stat().st_mode == mode
    assert files(tmp_path) == {"letter.txt"}


def test_resumed_session_cannot_change_retention(tmp_path):
    open_folder(tmp_path / "ws").leave_open()
    with pytest.raises(UsageError, match="keep_changed"):
        open_folder(tmp_path / "ws", Retention.CAPTURE)


@pytest.mark.parametrize("closed", [False, True])
def test_rehearsals_and_real_workshops_do_not_mix(tmp_path, closed):
    folder = open_folder(tmp_path / "ws", demo=True)
    folder.save_device("K7", record(), None, None)
    if closed:
        folder.close(keep_pages=False)
    else:
        folder.leave_open()
    with pytest.raises(UsageError, match="rehearsal_mixed"):
        open_folder(tmp_path / "ws")
    real = open_folder(tmp_path / "real")
    real.save_device("K7", record(), None, None)
    with pytest.raises(UsageError, match="totals_mixed"):
        read_all_sessions([tmp_path / "ws", tmp_path / "real"])


@pytest.mark.parametrize("name", [".open/day.json", "totals.json", ".open/K7.json"])
def test_damaged_file_is_an_error(tmp_path, name):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), None, None)
    folder.leave_open()
    (tmp_path / "ws" / name).write_text("{")
    with pytest.raises(SourceError, match="folder_damaged"):
        open_folder(tmp_path / "ws")


@pytest.mark.parametrize("day", [10, 11], ids=["same day", "next day"])
@pytest.mark.parametrize(
    "content", [b"<p>page 0</p>", b"", b"\xff\xfe", f"{SHEET_END_MARKER}{SHEET_START_MARKER}".encode()]
)
def test_foreign_page_is_an_error_and_nothing_is_lost(tmp_path, content, day):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), PAGE, None)
    folder.leave_open()
    (tmp_path / "ws" / "pages" / "notes.html").write_bytes(content)
    before = files(tmp_path / "ws")
    with pytest.raises(SourceError, match="page_foreign") as error:
        open_folder(tmp_path / "ws", on=date(2026, 1, day))
    assert error.value.what.values == {"path": str(tmp_path / "ws" / "pages" / "notes.html")}
    assert files(tmp_path / "ws") == before
    assert (tmp_path / "ws" / "pages" / "notes.html").read_bytes() == content
    (tmp_path / "ws" / "pages" / "notes.html").unlink()
    assert open_folder(tmp_path / "ws", on=date(2026, 1, 10)).resumed  # the lock was released


def test_full_disk_finishes_no_phone_and_deletes_nothing(tmp_path, monkeypatch):
    from pathlib import Path

    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), PAGE, None)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SourceError, match="not_written"):
        folder.save_device("A3", record("u"), PAGE, None)
    assert "A3" not in folder.records
    folder.count_failure("not_written")  # is not worth stopping for
    with pytest.raises(SourceError, match="not_written"):
        folder.close(keep_pages=False)
    monkeypatch.undo()
    assert files(tmp_path / "ws") >= {".open/K7.json", ".open/day.json", "pages/K7.html"}
    assert not list((tmp_path / "ws").rglob("*.part"))
    folder.close(keep_pages=False)
    assert read_totals(tmp_path / "ws").sessions


def test_deleted_device_leaves_no_file(tmp_path):
    folder = open_folder(tmp_path / "ws")
    folder.save_device("K7", record(), PAGE, None)
    folder.delete_device("K7")
    assert files(tmp_path / "ws") == {".lock", ".open/day.json"}
    assert folder.current_counts().phones == 0


HOLD_LOCK_SCRIPT = """
import sys, time
from pathlib import Path
from privaudit.workshop.storage import WorkshopFolder
from privaudit.workshop.model import Retention
folder = WorkshopFolder(Path(sys.argv[1]), Retention.HANDOUT)
print("open", flush=True)
time.sleep(60)
"""


@pytest.mark.unix
def test_killed_program_releases_the_lock(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK_SCRIPT, str(tmp_path / "ws")], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(SourceError, match="folder_in_use"):
            WorkshopFolder(tmp_path / "ws", Retention.HANDOUT)
        other.send_signal(signal.SIGKILL)
        other.wait()
    WorkshopFolder(tmp_path / "ws", Retention.HANDOUT).leave_open()
