"""The workshop as plain lines, for screen readers, logs and simple terminals. Commands are lines too."""

import sys
import threading
from collections.abc import Callable, Iterable

from privaudit.i18n.answers import fold_answer
from privaudit.model import Message
from privaudit.workshop import controls
from privaudit.workshop.controls import KeyController
from privaudit.workshop.model import DeviceRow, DeviceStage
from privaudit.workshop.session import InputEnded, KeyPress, WorkshopSession


class PlainView(KeyController):
    """Prints what changes; each line names the phone."""

    def __init__(self, session: WorkshopSession, write_line: Callable[[str], object]) -> None:
        super().__init__(session)
        self._write_line = write_line
        self._last_error_name: str | None = None
        session.view = self

    def show_message(self, message: Message) -> None:
        """See `privaudit.workshop.session.WorkshopView.show_message`."""
        self._write_line(self.language.translate(message))

    def update_row(self, row: DeviceRow) -> None:
        """Print the state of a row that changed, and what to do about it."""
        line = self._state_line(row)
        if row.is_returning and row.stage is DeviceStage.LABELING:
            line += f" ({self.language.t('workshop.again')})"
        self._write_line(line)
        self._write_indented(self.row_instructions(row))

    def _state_line(self, row: DeviceRow) -> str:
        code, name = controls.case_code(row, self.language), controls.device_name(row, self.language)
        return f"{code}  {name}: {controls.device_state(row, self.language)}"

    def _write_indented(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._write_line(f"  {line}")

    def refresh(self) -> None:
        """Print the error of the last scan once. A countdown is not printed: it would fill a log."""
        error = self.session.watcher_error
        if error is not None and error.name != self._last_error_name:
            self.session.show_text("workshop.trouble", what=self.language.translate(error.what))
        self._last_error_name = error.name if error is not None else None

    def handle_input(self, text: str) -> None:
        """Act on a line: a letter, usually a code, and for ``f`` a folder."""
        words = text.split(maxsplit=2)
        if not words:
            return
        key = fold_answer(words[0])
        if self.quitting:
            self.handle_quit_answer(key)
        elif key == "?":
            self.session.show_text("workshop.keys_plain")
        elif key == "w":
            for row in self.session.device_queue.rows:
                self._write_line(self._state_line(row))
        elif not self.handle_global_key(key):
            self._handle_row_command(key, words[1:])

    def _handle_row_command(self, key: str, words: list[str]) -> None:
        if not words:
            self.session.show_text("workshop.needs_code", key=key[: controls.MAX_ECHOED_CHARS])
            return
        row = self.session.device_queue.find_row(fold_answer(words[0]).upper())
        if row is None:
            self.session.show_text("workshop.no_such_code", code=words[0])
        elif key == "f":
            if len(words) > 1:
                self.session.export_full_report(row, words[1])
            else:
                self.session.show_text("workshop.needs_code", key="f")
        else:
            self.handle_row_key(key, row)
            self._write_indented(self.visible_result(row))


def start_stdin_reader(session: WorkshopSession) -> threading.Thread:
    """Start a daemon thread that posts every line of standard input to `session`."""

    def post_lines() -> None:
        for line in sys.stdin:
            session.events.put(KeyPress(line.rstrip("\n")))
        session.events.put(InputEnded())

    thread = threading.Thread(target=post_lines, name="workshop: stdin", daemon=True)
    thread.start()
    return thread
