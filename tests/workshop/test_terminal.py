"""The program as its user meets it: a terminal with twenty phones that come and go, plain lines, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

ROWS, COLUMNS = 40, 110
PHONES = 20
PATIENCE_S = 120
"""Only so that a test that hangs ends; nothing is measured."""


class Terminal:
    """``privaudit`` in a terminal of its own; what stands on its screen, and keys for it."""

    def __init__(self, arguments, environment):
        import pexpect
        import pyte

        self._timeout, self._eof = pexpect.TIMEOUT, pexpect.EOF
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.screen)
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "privaudit", *arguments],
            env={**environment, "TERM": "xterm-256color"},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
        )
        self.child.delaybeforesend = None
        self.ended = False

    def pump(self, seconds=0.04):
        """Read for a while, and then to the end of what is being drawn: half a board says nothing."""
        until = time.monotonic() + seconds
        while (time.monotonic() < until or self.screen.cursor.y < ROWS - 1) and not self.ended:
            assert time.monotonic() < until + PATIENCE_S, self.text
            try:
                self._stream.feed(self.child.read_nonblocking(1 << 16, timeout=0.02))
            except self._timeout:
                continue
            except self._eof:
                self.ended = True

    def press(self, keys, *, seen=lambda _: True):
        """Press, and look away until the board has answered; it may have another answer than `seen`."""
        self.child.send(keys)
        self.pump()
        until = time.monotonic() + 2
        while not seen(self.text) and time.monotonic() < until and not self.ended:
            self.pump()

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def rows(self):
        """Chosen or not, code, state."""
        pattern = r"^([» ])  (\S{1,4}) +(\S.*?)  +(\S.*?)\s*$"
        return [(found[1] == "»", found[2], found[4]) for found in re.finditer(pattern, self.text, re.MULTILINE)]

    def chosen(self):
        return next(((code, state) for mark, code, state in self.rows() if mark), (None, ""))

    def wait_for(self, part, *, gone=False):
        until = time.monotonic() + PATIENCE_S
        while (part in self.text) is gone:
            assert time.monotonic() < until, self.text
            assert not self.ended, self.text
            self.pump()


@contextmanager
def terminal(environment, *arguments):
    made = Terminal(arguments, environment)
    try:
        yield made
    finally:
        made.child.close(force=True)


pytestmark = pytest.mark.unix

KEYS = {
    "ask its owner": "c",
    "sticker": "s",
    "stopped": "a",
    "done; the result is hidden": "v",
}
CONFIRM = re.compile(r"Does the sticker on the phone say (\w+)\?")


def test_board_with_twenty_phones(environment, tmp_path):
    folder = tmp_path / "ws"
    with terminal(environment, "workshop", str(folder), "--rehearse", str(PHONES), "--pace", "0.05") as board:
        board.wait_for("ask its owner")
        until = time.monotonic() + PATIENCE_S
        most, handed = 0, set()
        while "have come and gone" not in board.text:
            assert time.monotonic() < until, board.text
            board.press("\t")
            code, state = board.chosen()
            plugged = [row for row in board.rows() if not row[2].startswith("unplugged")]
            codes = [row[1] for row in plugged if row[1] != "–"]
            assert len(codes) == len(set(codes))
            # One at a time is dealt with at the desk.
            assert sum(row[2].startswith(("ask its owner", "sticker", "waits for “Allow”")) for row in plugged) <= 1
            assert sum(row[2].startswith("is being read") for row in plugged) <= 8
            most = max(most, len(plugged))
            # Whose result is not asked for, nobody in the room sees.
            assert "lending apps found" not in board.text or code in handed, board.text
            for beginning, keys in KEYS.items():
                if state.startswith(beginning):
                    board.press(keys, seen=CONFIRM.search if keys == "v" else lambda _: True)
            # As a person does it: read which code is asked for, and say yes to that one.
            if found := CONFIRM.search(board.text):
                handed.add(found[1])
                board.press("y", seen=lambda text: not CONFIRM.search(text))
        assert most > 1
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(list((folder / "pages").glob("*.html"))) == PHONES
        board.press("q")
        board.wait_for("y = close and delete")
        whole = (folder / "pages.html").read_text(encoding="utf-8")
        assert whole.count("<section") == PHONES
        board.press("y")
        until = time.monotonic() + PATIENCE_S
        while not board.ended and time.monotonic() < until:
            board.pump()
        board.child.wait()
        assert board.child.exitstatus == 3
    assert {path.name for path in folder.rglob("*")} == {".lock", "totals.json"}
    (session,) = json.loads((folder / "totals.json").read_text("utf-8"))["sessions"].values()
    assert session["counted"]["phones"] == PHONES  # those that were pulled and came back count once
    assert not (tmp_path / "home" / ".android").exists()


def test_board_in_chinese_exports_a_report_and_hides_the_result(environment, tmp_path):
    stick = tmp_path / "stick"
    stick.mkdir()
    arguments = ("workshop", str(tmp_path / "ws"), "--rehearse", "1", "--pace", "60", "--lang", "zh")
    with terminal(environment, *arguments) as board:
        board.wait_for("可以检查这部手机吗？")
        board.press("c")
        for _ in range(200):
            board.pump(0.1)
            if "就按 s" in board.text or "再按 s" in board.text:
                break
        board.press("s")
        board.wait_for("结果没显示")
        board.press("v")
        board.wait_for("本人说这是自己的手机")
        board.press("y")
        board.wait_for("演示手机" if "演示手机" in board.text else "单子：")
        board.press("f")
        board.press(f"{stick}x\x7f\r")
        board.wait_for("完整报告在")
        assert len(list(stick.iterdir())) == 2
        board.press("h")
        board.wait_for("单子：", gone=True)
        board.press("\x1b[A")
        board.press("?")
        board.wait_for("按键")
        board.child.kill(signal.SIGTERM)  # as a closed window does
        until = time.monotonic() + PATIENCE_S
        while not board.ended and time.monotonic() < until:
            board.pump()
        board.child.wait()
        assert board.child.exitstatus == 130
    assert list((tmp_path / "ws" / "pages").glob("*.html"))


# --- plain lines ------------------------------------------------------------------------------------------------------


class Lines:
    """``privaudit workshop --plain``: what it prints, and lines for it."""

    def __init__(self, folder, environment, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "privaudit", "workshop", str(folder), "--plain", *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.said = []
        self.patience = threading.Timer(PATIENCE_S, self.process.kill)
        self.patience.start()

    def write(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def until(self, pattern):
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError("".join(self.said))

    def read_one(self):
        code = self.until(r"^([A-Z]\d\w*)  .*: ask its owner")[1]
        self.write(f"c {code}")
        self.until(rf"^{code}  .*: sticker {code}")
        self.write(f"s {code.lower()}")
        self.until(rf"^{code}  .*: done")
        return code

    def end(self):
        self.said += self.process.stdout
        self.process.stdin.close()
        return self.process.wait(60), "".join(self.said)


@pytest.fixture
def lines(environment, tmp_path):
    made = []

    def start(*arguments, folder=tmp_path / "ws"):
        made.append(Lines(folder, environment, *arguments))
        return made[-1]

    yield start
    for one in made:
        one.patience.cancel()
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()


REHEARSAL = ("--rehearse", "1", "--pace", "2")


def test_plain_view_from_consent_to_close(lines, tmp_path):
    run = lines(*REHEARSAL)
    code = run.read_one()
    for line in (
        "",
        "?",
        "w",
        "v",
        "v Z9",
        f"f {code}",
        f"z {code}",
        f"x {code}",
        f"v {code}",
        f"y {code}",
        f"h {code}",
    ):
        run.write(line)
    run.write("q")
    run.until("y = close and delete")
    run.write("?")
    run.write("n")
    run.write("q")
    run.write("k")
    exit_code, said = run.end()
    assert exit_code == 3
    for part in (
        "Type a letter and a code",
        "Add the phone's code, for instance: v K7",
        "No phone has the code Z9",
        "Key z does nothing here",
        f"{code} cannot do that now.",
        f"Does the sticker on the phone say {code}?",
        "[demo phone: all apps and lists are invented; not a real result]",
        "The pages are still in",
        "none is shown",
    ):
        assert part in said, part
    assert "\x1b" not in said
    assert "5 lending apps found" not in said.partition("Does the sticker")[0]
    assert (tmp_path / "ws" / "pages" / f"{code}.html").exists()


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])  # names: Windows, which reads this, lacks the last
def test_finished_phone_stays_finished_after_a_signal(lines, tmp_path, how):
    run = lines(*REHEARSAL)
    code = run.read_one()
    run.process.send_signal(getattr(signal, how))
    exit_code, said = run.end()
    assert exit_code == (-9 if how == "SIGKILL" else 130)
    assert ("start again in" in said) == (how != "SIGKILL")
    assert not list((tmp_path / "ws").rglob("*.part"))
    again = lines(*REHEARSAL)
    assert again.until("1 phone is finished")
    # The rehearsal's only phone comes again, and is known: its page, its code, counted once.
    fresh = again.until(r"^([A-Z]\d\w*)  .*: ask its owner")[1]
    again.write(f"c {fresh}")
    again.until(rf"^{code}  .*: sticker {code}: put it on now \(already here today\)")
    again.write("q")
    again.write("y")
    again.end()
    (session,) = json.loads((tmp_path / "ws" / "totals.json").read_text("utf-8"))["sessions"].values()
    assert session["counted"]["phones"] == 1


def test_closed_stdin_leaves_the_session_open(lines, tmp_path):
    run = lines(*REHEARSAL)
    run.until("ask its owner")
    run.process.stdin.close()
    run.process.stdin = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    exit_code, said = run.end()
    assert exit_code == 130
    assert "Not closed" in said


def test_second_program_in_one_folder_gets_an_explanation(lines, run, tmp_path):
    first = lines(*REHEARSAL)
    first.until("ask its owner")
    second = run("workshop", tmp_path / "ws", *REHEARSAL, "--plain")
    assert second.code == 4
    assert "Only one program at a time" in second.err


def test_foreign_page_stops_the_start_with_exit_code_4(lines, run, tmp_path):
    first = lines(*REHEARSAL)
    first.until("ask its owner")
    first.process.send_signal(signal.SIGTERM)
    first.end()
    foreign = tmp_path / "ws" / "pages" / "page0.html"
    foreign.parent.mkdir()
    foreign.write_text("<p>page 0</p>", encoding="utf-8")
    second = run("workshop", tmp_path / "ws", *REHEARSAL, "--plain")
    assert second.code == 4
    assert str(foreign) in second.err
    assert "is not a page that privaudit wrote" in second.err
    assert "mistake in privaudit" not in second.err
    assert foreign.exists()


def test_session_without_phones_ends_with_exit_code_4(lines, environment):
    real = lines()  # real cables: none here, and the test's own address for an ADB server answers nothing
    real.until("Today's key exists only in memory. Its fingerprint: ([0-9A-F]{2}:){15}")
    real.write("q")
    real.write("y")
    exit_code, _ = real.end()
    assert exit_code == 4


# --- wrong usage, totals, kit -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["workshop", "ws", "--keep", "everything"],
        ["workshop", "ws", "--rehearse", "0"],
        ["workshop", "ws", "other"],
        ["workshop", "ws", "--json"],
        ["workshop", "ws", "-o", "x.json"],
        ["workshop", "ws", "--country", "Atlantis"],
        ["workshop", "kit"],
        ["workshop", "kit", "-o", "no/such/kit"],
        ["workshop", "kit", "-o", "kit", "--country", "Atlantis"],
        ["workshop"],
    ],
    ids=" ".join,
)
def test_wrong_usage(run, tmp_path, arguments):
    done = run(*arguments, cwd=tmp_path)
    assert done.code == 2
    assert done.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_totals_of_two_folders_in_all_formats(run, tmp_path):
    from datetime import date

    from privaudit.model import DataClass
    from privaudit.workshop.model import Retention
    from privaudit.workshop.statistics import DeviceRecord
    from privaudit.workshop.storage import WorkshopFolder

    for name in ("one", "two"):
        folder = WorkshopFolder(tmp_path / name, Retention.NOTHING, today=date.today)
        for number in range(8):
            lent = number < 5
            reads = (DataClass.CONTACTS,) if lent else ()
            listed = ("com.example.loan",) if lent else ()
            folder.save_device(
                f"A{number + 2}",
                DeviceRecord(
                    token=str(number),
                    rom="hyperos",
                    lending=number,
                    can_read=reads,
                    listed=listed,
                    found=lent,
                    complete=True,
                ),
                None,
                None,
            )
        folder.close(keep_pages=False)
    for suffix in ("json", "csv", "html"):
        run("workshop", tmp_path / "one", tmp_path / "two", "--totals", "-o", tmp_path / f"t.{suffix}")
    assert json.loads((tmp_path / "t.json").read_text("utf-8"))["tables"]["listed"]["rows"] == {"com.example.loan": 10}
    assert "com.example.loan,10,16" in (tmp_path / "t.csv").read_text(encoding="utf-8").replace(
        "com.example.loan,com", "com"
    )
    assert 'class="part" width="250"' in (tmp_path / "t.html").read_text(encoding="utf-8")  # 10 of 16
    done = run("workshop", tmp_path / "one", "--totals")
    assert done.code == 0
    assert "com.example.loan" not in done.out  # 5 of 8: three is the complement
    assert run("workshop", tmp_path / "one", "--totals", "--json").out.startswith("{")
    assert run("workshop", tmp_path / "home", "--totals").code == 4
    assert run("workshop", tmp_path / "one", "--totals", "-o", tmp_path / "t.pdf").code == 2


def test_kit_command_needs_no_phone(run, tmp_path):
    done = run("workshop", "kit", "-o", tmp_path / "kit", "--lang", "zh", "--country", "cn")
    assert done.code == 0
    assert (tmp_path / "kit" / "country.html").exists()
    assert str(tmp_path / "kit" / "kit.html") in done.err
