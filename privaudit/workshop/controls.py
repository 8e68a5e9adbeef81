"""What both faces share: what a key means. The board has a chosen row; plain lines name theirs by its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from privaudit.model import Message
from privaudit.workshop import telling
from privaudit.workshop.model import ACTIVE_STAGES, DeviceRow, DeviceStage
from privaudit.workshop.session import WorkshopSession

_DEVICE_KEYS: Final = frozenset("crxsnavyo")


class KeyController:
    """Turns keys into actions.

    Args:
        session: what is acted on.
    """

    def __init__(self, session: WorkshopSession) -> None:
        self.session = session
        self.language = session.language
        self.shown_row: DeviceRow | None = None
        """Whose result is to be seen."""
        self.quitting = False

    def instructions(self, row: DeviceRow) -> Iterator[str]:
        """What to do about `row` now."""
        others = any(
            other.stage is DeviceStage.QUEUED and other.code is None for other in self.session.device_queue.rows
        )
        return telling.instructions(row, self.language, self.session.folder.open_session.keep, others_waiting=others)

    def show_message(self, message: Message) -> None:
        """See `privaudit.workshop.session.WorkshopView.tell`."""
        raise NotImplementedError

    def show_text(self, key: str, /, **values: str | int) -> None:
        """One sentence of the workshop's own."""
        self.show_message(Message(key=key, values=values))

    def handle_row_key(self, key: str, row: DeviceRow) -> None:
        """Do what `key` says with `row`."""
        if key == "h":
            self.shown_row = None
        elif key == "l":
            self.session.switch_language(row)
        elif key in _DEVICE_KEYS:
            self.session.handle_device_key(key, row)
            if key in {"v", "y"} and row.owner_confirmed and row.stage is DeviceStage.DONE:
                self.shown_row = row
            elif self.shown_row is row:
                self.shown_row = row if key == "o" else None
        else:
            self.show_text("workshop.no_such_key", key=key[:10])

    def handle_global_key(self, key: str) -> bool:
        """Do what concerns no single row; whether that was it."""
        if key == "p":
            self.session.export_print_job()
        elif key == "q":
            self.ask_how_to_quit()
        else:
            return False
        return True

    def ask_how_to_quit(self) -> None:
        """Ask how to end."""
        path = self.session.export_print_job() if self.session.folder.page_paths() else None
        running = sum(row.stage in ACTIVE_STAGES for row in self.session.device_queue.connected_rows())
        if running:
            self.show_text("workshop.quit_running", n=running)
        self.quitting = True
        n = len(self.session.folder.page_paths())
        self.show_text("workshop.quit", n=n, path=str(path or "–"))

    def handle_quit_answer(self, key: str) -> None:
        """The answer to `quit`."""
        if key not in {"y", "k", "n"}:
            return
        self.quitting = False
        if key != "n":
            self.session.close(keep_pages=key == "k")

    def result_lines(self, row: DeviceRow) -> Iterator[str]:
        """What its owner may see now."""
        if self.shown_row is row:
            yield from telling.result_lines(row, self.language, self._page_path(row))

    def _page_path(self, row: DeviceRow) -> Path | None:
        return self.session.outputs.page_path(row)
