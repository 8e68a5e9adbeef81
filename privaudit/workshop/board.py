"""The board: a line per phone, instructions for the selected one, and the keys. Results stay hidden until requested."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from privaudit.i18n.answers import fold_answer
from privaudit.model import Message
from privaudit.report import layout
from privaudit.workshop import controls
from privaudit.workshop.controls import KeyController
from privaudit.workshop.model import DeviceRow, DeviceStage
from privaudit.workshop.session import WorkshopSession

_MAX_MESSAGES: Final = 4
SETTLING_S: Final = 1.0
"""Seconds after the selection moved by itself during which no key acts on a row: it was meant for the row before."""
_YES_NO_PROMPTS: Final = {"r": "workshop.ask_withdraw", "a": "workshop.ask_again"}
"""Key that destroys what is there → the question before it, if there is something to lose."""
_SELECTION_MARK: Final = "»"
_STAGES_NEEDING_ACTION: Final = (
    DeviceStage.LABELING,
    DeviceStage.CONSENT,
    DeviceStage.FAILED,
    DeviceStage.DONE,
    DeviceStage.BLOCKED,
)
"""Tab selects the next row in the first of these stages."""


@dataclass(slots=True)
class _Prompt:
    """A question about one row. It is cancelled when that row leaves, and then takes keys until Enter or Escape."""

    key: str
    """The key that asked."""
    row: DeviceRow
    typed: str = ""
    cancelled: bool = False


class Board(KeyController):
    """Draws the session on a terminal. `demo`: it is a rehearsal; `clock` is monotonic, in seconds."""

    def __init__(
        self, session: WorkshopSession, console: Console, *, demo: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(session)
        self._demo = demo
        self._clock = clock
        self._selected_row: DeviceRow | None = None
        self._settled_at = clock()
        self._messages: deque[str] = deque(maxlen=_MAX_MESSAGES)
        self._prompt: _Prompt | None = None
        self._quit_question: tuple[str, ...] = ()
        self.live = Live(console=console, screen=True, auto_refresh=False, transient=True)
        session.view = self

    def handle_input(self, text: str) -> None:
        """See `privaudit.workshop.session.WorkshopView.handle_input`."""
        if self._prompt is not None:
            self._answer_prompt(self._prompt, text)
            return
        text = text if text == "\t" else fold_answer(text)
        if self.quitting:
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
        elif self.handle_global_key(text):
            if self.quitting:
                self._quit_question = tuple(self._messages)
                self._messages.clear()
        elif text in {"enter", "escape", "backspace"}:
            return
        elif row is None:
            self.session.show_text("workshop.nobody")
        elif self._clock() < self._settled_at:
            self.session.show_text("workshop.moved", code=controls.case_code(row, self.language))
        elif text == "f" and not row.owner_confirmed:
            self.session.show_text("workshop.not_now", code=controls.case_code(row, self.language))
        elif text == "f" or (text in _YES_NO_PROMPTS and (row.stage is DeviceStage.DONE or row.has_output)):
            self._prompt = _Prompt(text, row)
        else:
            self.handle_row_key(text, row)

    def _answer_prompt(self, prompt: _Prompt, text: str) -> None:
        """Handle a key while a question stands; what it decides is about the row that was asked about."""
        self._cancel_prompt_of_left_row()
        if text == "escape" or (prompt.cancelled and text == "enter"):
            self._prompt = None
        elif prompt.cancelled:
            return
        elif prompt.key in _YES_NO_PROMPTS:
            self._prompt = None
            if fold_answer(text) == "y":
                self.handle_row_key(prompt.key, prompt.row)
        elif text == "enter":
            self._prompt = None
            if prompt.typed:
                self.session.export_full_report(prompt.row, prompt.typed)
        elif text == "backspace":
            prompt.typed = prompt.typed[:-1]
        elif len(text) == 1 and text.isprintable():
            prompt.typed += text

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
        if selected is None or self._has_left(selected):
            self._selected_row = next((row for row in rows if row.stage is not DeviceStage.LEFT), None)
            self.shown_row = None
            if selected is not None:
                self._settled_at = self._clock() + SETTLING_S
        self._cancel_prompt_of_left_row()
        self.live.update(self.render(), refresh=True)

    def _cancel_prompt_of_left_row(self) -> None:
        if self._prompt is not None and self._has_left(self._prompt.row):
            self._prompt.cancelled = True

    def _has_left(self, row: DeviceRow) -> bool:
        return row.stage is DeviceStage.LEFT or row not in self.session.device_queue.rows

    def _prompt_text(self, prompt: _Prompt) -> str:
        code = controls.case_code(prompt.row, self.language)
        if prompt.cancelled:
            return self.language.t("workshop.prompt_cancelled", code=code)
        if prompt.key in _YES_NO_PROMPTS:
            return self.language.t(_YES_NO_PROMPTS[prompt.key], code=code)
        return self.language.t("workshop.ask_folder", code=code, typed=prompt.typed)

    def render(self) -> RenderableType:
        """Return the board as it is drawn now."""
        parts: list[RenderableType] = []
        if self._demo:
            parts.append(Text(self.language.t("workshop.rehearsal"), style="bold"))
        if (error := self.session.watcher_error) is not None:
            parts.append(Text(self.language.t("workshop.trouble", what=self.language.translate(error.what))))
        parts.append(self._device_table())
        parts += [self._wrap(line, "  ") for line in self._detail_lines()]
        if self._prompt is not None:
            parts.append(self._wrap(self._prompt_text(self._prompt), style="bold"))
        question = self._quit_question if self.quitting else ()  # until it is answered: a later key could be its yes
        messages = (*question, *self._messages)
        parts += [self._wrap(line, style="bold") for line in messages]
        if not messages:
            parts.append(self._wrap(self.language.t("workshop.keys"), style="dim"))
        return Group(*parts)

    def _wrap(self, text: str, indent: str = "", style: str = "") -> Text:
        """Break a sentence as reports do, and never between a key and what it does: “c = agreed”."""
        whole = text.replace(" = ", f"{layout.NO_BREAK_SPACE}={layout.NO_BREAK_SPACE}")
        lines = layout.hanging_indent(indent, whole, self.live.console.width - len(indent))
        return Text("\n".join(lines).replace(layout.NO_BREAK_SPACE, " "), style=style)

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
                style=("reverse " if is_selected else "") + controls.STAGE_DISPLAY[row.stage][1],
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
