"""The workshop as lines: for a screen reader, a log, or a terminal that cannot do more. Commands are lines too."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from privaudit.model import Message
from privaudit.workshop import controls
from privaudit.workshop.controls import KeyController
from privaudit.workshop.model import DeviceRow, DeviceStage
from privaudit.workshop.session import InputEnded, KeyPress, WorkshopSession


class PlainView(KeyController):
    """Prints what changes; each line says which phone it speaks of.

    Args:
        session: what is shown.
        out: takes one line.
    """

    def __init__(self, session: WorkshopSession, write_line: Callable[[str], object]) -> None:
        super().__init__(session)
        self._write_line = write_line
        self._last_error_name: str | None = None
        session.view = self

    def show_message(self, message: Message) -> None:
        """See `WorkshopView.tell`."""
        self._write_line(self.language.translate(message))

    def update_row(self, row: DeviceRow) -> None:
        """See `WorkshopView.changed`."""
        head = self._row_label(row)
        again = (
            f" ({self.language.t('workshop.again')})" if row.is_returning and row.stage is DeviceStage.LABELING else ""
        )
        self._write_line(f"{head}: {controls.device_state(row, self.language)}{again}")
        self._write_indented(self.instructions(row))

    def _row_label(self, row: DeviceRow) -> str:
        return f"{controls.case_code(row, self.language)}  {controls.device_name(row, self.language)}"

    def _write_indented(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._write_line(f"  {line}")

    def refresh(self) -> None:
        """See `WorkshopView.refresh`. Seconds that run are no news for a log."""
        trouble = self.session.watcher_error
        if (trouble.name if trouble else None) != self._last_error_name:
            self._last_error_name = trouble.name if trouble else None
            if trouble is not None:
                self.show_text("workshop.trouble", what=self.language.translate(trouble.what))

    def handle_input(self, text: str) -> None:
        """A line: a letter, mostly a code, and of ``f`` a folder."""
        words = text.split(maxsplit=2)
        if not words:
            return
        key = words[0].casefold()
        if self.quitting:
            self.handle_quit_answer(key)
        elif key == "?":
            self.show_text("workshop.keys_plain")
        elif key == "w":
            for row in self.session.device_queue.rows:
                self._write_line(f"{self._row_label(row)}: {controls.device_state(row, self.language)}")
        elif not self.handle_global_key(key):
            self._handle_row_command(key, words[1:])

    def _handle_row_command(self, key: str, words: list[str]) -> None:
        if not words:
            self.show_text("workshop.needs_code", key=key[:10])
            return
        row = self.session.device_queue.find_row(words[0].upper())
        if row is None:
            self.show_text("workshop.no_such_code", code=words[0])
        elif key == "f":
            if len(words) > 1:
                self.session.export_full_report(row, Path(words[1].strip('"')))
            else:
                self.show_text("workshop.needs_code", key="f")
        else:
            self.handle_row_key(key, row)
            self._write_indented(self.result_lines(row))


def start_stdin_reader(session: WorkshopSession) -> threading.Thread:
    """Hand every line of standard input to `session`, from a thread that ends with the program."""

    def run() -> None:
        for line in sys.stdin:
            session.events.put(KeyPress(line.rstrip("\n")))
        session.events.put(InputEnded())

    thread = threading.Thread(target=run, name="workshop: lines", daemon=True)
    thread.start()
    return thread
