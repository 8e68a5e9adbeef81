"""The board: a line per phone, instructions for the selected one, and the keys. Results stay hidden until requested."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from privaudit.model import Message
from privaudit.workshop import controls
from privaudit.workshop.controls import KeyController
from privaudit.workshop.model import DeviceRow, DeviceStage
from privaudit.workshop.session import WorkshopSession

_MAX_MESSAGES: Final = 4
_SELECTION_MARK: Final = "»"
_STAGE_STYLES: Final = {
    DeviceStage.BLOCKED: "yellow",
    DeviceStage.CONSENT: "bold",
    DeviceStage.AUTHORIZING: "bold",
    DeviceStage.LABELING: "bold",
    DeviceStage.FAILED: "yellow",
    DeviceStage.LEFT: "dim",
}
"""In addition to words: nothing is said by style alone."""
_STAGES_NEEDING_ACTION: Final = (
    DeviceStage.LABELING,
    DeviceStage.CONSENT,
    DeviceStage.FAILED,
    DeviceStage.DONE,
    DeviceStage.BLOCKED,
)
"""Tab selects the next row in the first of these stages."""


class Board(KeyController):
    """Draws the session on a terminal. `demo`: it is a rehearsal."""

    def __init__(self, session: WorkshopSession, console: Console, *, demo: bool) -> None:
        super().__init__(session)
        self._demo = demo
        self._selected_row: DeviceRow | None = None
        self._messages: deque[str] = deque(maxlen=_MAX_MESSAGES)
        self._folder_input: str | None = None
        self.live = Live(console=console, screen=True, auto_refresh=False, transient=True)
        session.view = self

    def handle_input(self, text: str) -> None:
        """See `privaudit.workshop.session.WorkshopView.handle_input`."""
        if self._folder_input is not None:
            self._type_folder(text)
        elif self.quitting:
            self._messages.clear()
            self.handle_quit_answer(text)
        elif text in {"up", "down", "\t"}:
            self._select_row(text)
        else:
            self._messages.clear()
            self._handle_command(text)

    def _handle_command(self, text: str) -> None:
        row = self._selected_row
        if text == "?":
            self.session.show_text("workshop.keys")
        elif self.handle_global_key(text) or text in {"enter", "escape", "backspace"}:
            return
        elif row is None:
            self.session.show_text("workshop.nobody")
        elif text == "f":
            if row.owner_confirmed:
                self._folder_input = ""
            else:
                self.session.show_text("workshop.not_now", code=controls.case_code(row, self.language))
        else:
            self.handle_row_key(text, row)

    def _type_folder(self, text: str) -> None:
        """Handle a key while a folder for the full report is being typed."""
        typed = self._folder_input or ""
        if text == "enter" and self._selected_row is not None and typed:
            self._folder_input = None
            self.session.export_full_report(self._selected_row, Path(typed).expanduser())
        elif text in {"enter", "escape"}:
            self._folder_input = None
        elif text == "backspace":
            self._folder_input = typed[:-1]
        elif len(text) == 1 and text.isprintable():
            self._folder_input = typed + text

    def _select_row(self, text: str) -> None:
        rows = self.session.device_queue.rows
        self.shown_row = None
        if not rows:
            return
        index = rows.index(self._selected_row) if self._selected_row in rows else 0
        if text == "\t":
            rotated = [*rows[index + 1 :], *rows[: index + 1]]
            candidates = [row for row in rotated if row.stage in _STAGES_NEEDING_ACTION and not row.owner_confirmed]
            candidates.sort(key=lambda row: _STAGES_NEEDING_ACTION.index(row.stage))
            self._selected_row = next(iter(candidates), self._selected_row)
        else:
            self._selected_row = rows[max(0, min(len(rows) - 1, index + (1 if text == "down" else -1)))]

    def show_message(self, message: Message) -> None:
        """See `privaudit.workshop.session.WorkshopView.show_message`."""
        self._messages.append(self.language.translate(message))

    def update_row(self, row: DeviceRow) -> None:
        """Hide the result of a row that is no longer done."""
        if self.shown_row is row and row.stage is not DeviceStage.DONE:
            self.shown_row = None

    def refresh(self) -> None:
        """Draw the board; select another row if the selected phone was unplugged."""
        rows = self.session.device_queue.rows
        selected = self._selected_row
        if selected is None or selected not in rows or selected.stage is DeviceStage.LEFT:
            self._selected_row = next((row for row in rows if row.stage is not DeviceStage.LEFT), None)
            self.shown_row = None
        self.live.update(self.render(), refresh=True)

    def render(self) -> RenderableType:
        """Return the board as it is drawn now."""
        parts: list[RenderableType] = []
        if self._demo:
            parts.append(Text(self.language.t("workshop.rehearsal"), style="bold"))
        if (error := self.session.watcher_error) is not None:
            parts.append(Text(self.language.t("workshop.trouble", what=self.language.translate(error.what))))
        parts.append(self._device_table())
        parts += [Padding(Text(line), (0, 2)) for line in self._detail_lines()]
        if self._folder_input is not None:
            parts.append(Text(self.language.t("workshop.ask_folder", typed=self._folder_input), style="bold"))
        parts += [Text(line, style="bold") for line in self._messages]
        if not self._messages:
            parts.append(Text(self.language.t("workshop.keys"), style="dim"))
        return Group(*parts)

    def _device_table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=28)
        table.add_column(overflow="fold")
        for row in self.session.device_queue.rows:
            is_selected = row is self._selected_row
            table.add_row(
                Text(_SELECTION_MARK if is_selected else " "),
                Text(controls.case_code(row, self.language), style="bold"),
                Text(controls.device_name(row, self.language)),
                Text(controls.device_state(row, self.language)),
                style=("reverse " if is_selected else "") + _STAGE_STYLES.get(row.stage, ""),
            )
        return table

    def _detail_lines(self) -> Iterator[str]:
        row = self._selected_row
        if row is None:
            yield self.language.t("workshop.nobody")
            return
        yield ""
        yield from self.row_instructions(row)
        yield from self.visible_result(row)
        yield ""
