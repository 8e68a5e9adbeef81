"""Every key acts on the row for which it was pressed, and on no other: phones leave in the middle of an action."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from privaudit.i18n import Translator, catalog
from privaudit.model import Message
from privaudit.workshop.board import SETTLING_S, Board
from privaudit.workshop.model import AttachedDevice, DeviceRow, DeviceStage, Retention

CODES = ("E7", "M2", "K4")
DEVICE_KEYS = "crxsnavyo"


class Desk(SimpleNamespace):
    """A board over rows that a test moves by hand, with a clock of its own."""

    def __init__(self, spoken: str = "en") -> None:
        rows = [
            DeviceRow(
                device=AttachedDevice(
                    connection_id=code,
                    usb_port="1-1",
                    serial=None,
                    model=f"Phone {code}",
                    vendor=None,
                    source_kind="usb",
                    obstacle=None,
                    connect=lambda _: None,
                ),
                stage=DeviceStage.DONE,
                queued_at=0.0,
                language="en",
                code=code,
                owner_confirmed=True,
                has_output=True,
            )
            for code in CODES
        ]
        super().__init__(rows=rows, now=100.0, done=[], said=[])
        session = SimpleNamespace(
            language=Translator(spoken),
            device_queue=SimpleNamespace(rows=rows, connected_rows=lambda: rows),
            folder=SimpleNamespace(
                open_session=SimpleNamespace(keep=Retention.HANDOUT),
                page_paths=list,
                page_path=Path,
                keep=Retention.HANDOUT,
            ),
            watcher_error=None,
            show_text=lambda key, **values: self.said.append((key, values.get("code"))),
            export_full_report=lambda row, folder: self.done.append(("f", row.code, str(folder))),
            handle_device_key=lambda key, row: self.done.append((key, row.code)),
            switch_language=lambda row: self.done.append(("l", row.code)),
        )
        self.board = Board(session, Console(width=80), demo=False, clock=lambda: self.now)
        self.draw()

    def draw(self) -> str:
        self.board.refresh()
        console = Console(width=80)
        with console.capture() as text:
            console.print(self.board.render())
        return text.get()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.board.handle_input(key)
            self.draw()

    def leave(self, code: str) -> None:
        next(row for row in self.rows if row.code == code).stage = DeviceStage.LEFT
        self.draw()


@pytest.fixture
def desk():
    return Desk()


def test_a_folder_that_is_typed_while_its_phone_leaves_gets_nobodys_report(desk):
    desk.press("f", *"/media/e7")
    assert "Folder on the stick of E7’s owner" in desk.draw()
    desk.leave("E7")
    assert "E7 was unplugged" in desk.draw()
    # What is still typed of the path is neither a folder nor a key for another phone.
    desk.press(*"/stick cracker", "backspace", "up", "down")
    assert desk.done == []
    desk.press("enter")
    assert "E7 was unplugged" not in desk.draw()
    assert desk.done == []


@pytest.mark.parametrize("key", [*DEVICE_KEYS, "l", "f"])
def test_no_key_acts_on_a_row_to_which_the_mark_has_just_moved(desk, key):
    desk.leave("E7")
    desk.press(key)
    assert desk.done == []
    assert desk.said == [("workshop.moved", "M2")]
    desk.now += SETTLING_S
    desk.press(*({"r": "ry", "a": "ay"}.get(key, key)), *(["x", "enter"] if key == "f" else []))
    assert [(done[0], done[1]) for done in desk.done] == [(key, "M2")]


@pytest.mark.parametrize("key", ["S", "ｓ", "Ｓ"])
def test_capitals_and_full_width_letters_are_keys_too(desk, key):
    desk.press(key)
    assert desk.done == [("s", "E7")]


def test_the_question_whether_to_end_stays_until_it_is_answered(desk):
    asked = []
    desk.board.session.show_text = lambda key, **values: desk.board.show_message(Message(key=key, values=values))
    desk.board.session.close = lambda *, keep_pages: asked.append(keep_pages)
    desk.press("q")
    question = Translator("en").t("workshop.quit", n=0, path="–").split()[:8]
    for key in ("down", "\t", "v", "x"):
        desk.press(key)
        assert " ".join(question) in " ".join(desk.draw().split())
    for _ in range(9):
        desk.board.show_message(Message(key="workshop.nobody"))
    assert " ".join(question) in " ".join(desk.draw().split())
    desk.press("n")
    assert " ".join(question) not in " ".join(desk.draw().split())
    desk.press("q", "Y")
    assert asked == [False]


@pytest.mark.parametrize("code", catalog.languages())
def test_no_line_breaks_between_a_key_and_what_it_does_or_before_a_full_stop(code):
    desk = Desk(code)
    for stage in (DeviceStage.CONSENT, DeviceStage.DONE):
        desk.rows[0].stage, desk.rows[0].language = stage, code
        lines = [line.strip() for line in desk.draw().splitlines()]
        assert not [line for line in lines if line.endswith((" =", "= ")) or line[:1] in set("，。；：？！=")]


def test_a_mark_that_was_moved_by_hand_counts_at_once(desk):
    desk.press("down", "s")
    assert desk.done == [("s", "M2")]


@pytest.mark.parametrize("key", ["r", "a"])
@pytest.mark.parametrize(
    ("answer", "happens"), [("y", True), ("n", False), ("escape", False), ("r", False), ("a", False)]
)
def test_what_destroys_a_page_asks_and_names_the_code(desk, key, answer, happens):
    desk.press(key)
    assert "E7: " in desk.draw()
    assert desk.done == []
    desk.press(answer)
    assert desk.done == ([(key, "E7")] if happens else [])


@pytest.mark.parametrize("key", ["r", "a"])
def test_a_question_dies_with_its_row(desk, key):
    desk.press("down", "down", key)
    desk.leave("K4")
    desk.now += SETTLING_S
    desk.press("y", "y")
    assert desk.done == []
    desk.press("escape", "s")
    assert desk.done == [("s", "E7")]


def test_a_refusal_before_anything_was_read_needs_no_question(desk):
    desk.rows[0].stage, desk.rows[0].has_output = DeviceStage.CONSENT, False
    desk.press("r")
    assert desk.done == [("r", "E7")]


def test_a_row_that_another_phone_took_is_not_the_one_that_was_asked_about(desk):
    desk.press("f", *"/x")
    desk.rows.pop(0)  # its row is gone, not only marked as left
    desk.press("enter", "enter")
    assert desk.done == []


def test_the_folder_is_the_one_that_was_typed(desk, tmp_path):
    desk.press("down", "f", *str(tmp_path), "y", "backspace", "enter")
    assert desk.done == [("f", "M2", str(Path(tmp_path)))]


@pytest.mark.parametrize(("has_output", "says"), [(False, "plug it in again to go on"), (True, "finished")])
def test_an_unplugged_phone_says_how_to_go_on(desk, has_output, says):
    desk.rows[0].has_output = has_output
    desk.leave(desk.rows[0].code)
    assert says in " ".join(desk.draw().split())
