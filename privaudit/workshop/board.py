"""The board: a row a phone, what to do about the chosen one, and the keys. Results stay hidden until asked for."""

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
from privaudit.workshop import telling
from privaudit.workshop.controls import Hands
from privaudit.workshop.model import Row, Stage
from privaudit.workshop.session import Session

_TOLD: Final = 4
"""Sentences that stay to be read."""
_CHOSEN: Final = "»"
_COLOURS: Final = {
    Stage.BLOCKED: "yellow",
    Stage.CONSENT: "bold",
    Stage.CALLING: "bold",
    Stage.STICKER: "bold",
    Stage.FAILED: "yellow",
    Stage.LEFT: "dim",
}
"""Beside words that say the same."""
_WAITING_FOR_US: Final = (Stage.STICKER, Stage.CONSENT, Stage.FAILED, Stage.DONE, Stage.BLOCKED)


class Board(Hands):
    """Draws the session on a terminal.

    Args:
        session: what is shown.
        console: where.
        demo: whether it is a rehearsal.
    """

    def __init__(self, session: Session, console: Console, *, demo: bool) -> None:
        super().__init__(session)
        self._console = console
        self._demo = demo
        self._chosen: Row | None = None
        self._told: deque[str] = deque(maxlen=_TOLD)
        self._typed: str | None = None
        self.live = Live(console=console, screen=True, auto_refresh=False, transient=True)
        session.face = self

    # --- keys ---

    def pressed(self, text: str) -> None:
        """See `Face.pressed`."""
        if self._typed is not None:
            self._type(text)
        elif self.quitting:
            self._told.clear()
            self.answered_quit(text)
        elif text in {"up", "down", "\t"}:
            self._choose(text)
        else:
            self._told.clear()
            self._act(text)

    def _act(self, text: str) -> None:
        row = self._chosen
        if text == "?":
            self.say("workshop.keys")
        elif self.general(text) or text in {"enter", "escape", "backspace"}:
            return
        elif row is None:
            self.say("workshop.nobody")
        elif text == "f":
            self._typed = "" if row.confirmed else None
            if self._typed is None:
                self.say("workshop.not_now", code=telling.code(row, self.language))
        else:
            self.do(text, row)

    def _type(self, text: str) -> None:
        """A folder is typed, letter by letter."""
        typed = self._typed or ""
        if text == "enter" and self._chosen is not None and typed:
            self._typed = None
            self.session.full(self._chosen, Path(typed).expanduser())
        elif text in {"enter", "escape"}:
            self._typed = None
        elif text == "backspace":
            self._typed = typed[:-1]
        elif len(text) == 1 and text.isprintable():
            self._typed = typed + text

    def _choose(self, text: str) -> None:
        """Another row; what stood there of the last one is hidden."""
        rows = self.session.desk.rows
        self.shown = None
        if not rows:
            return
        at = rows.index(self._chosen) if self._chosen in rows else 0
        if text == "\t":
            order = [*rows[at + 1 :], *rows[: at + 1]]
            waiting = [row for stage in _WAITING_FOR_US for row in order if row.stage is stage and not row.confirmed]
            self._chosen = waiting[0] if waiting else self._chosen
        else:
            self._chosen = rows[max(0, min(len(rows) - 1, at + (1 if text == "down" else -1)))]

    # --- what is seen ---

    def tell(self, message: Message) -> None:
        """See `Face.tell`."""
        self._told.append(self.language.say(message))

    def changed(self, row: Row) -> None:
        """See `Face.changed`. A result that its owner is no longer asked about is hidden."""
        if self.shown is row and row.stage is not Stage.DONE:
            self.shown = None

    def refresh(self) -> None:
        """See `Face.refresh`."""
        rows = self.session.desk.rows
        if self._chosen not in rows or (self._chosen is not None and self._chosen.stage is Stage.LEFT):
            self._chosen = next((row for row in rows if row.stage is not Stage.LEFT), None)
            self.shown = None
        self.live.update(self.drawn(), refresh=True)

    def drawn(self) -> RenderableType:
        """The whole board."""
        parts: list[RenderableType] = []
        if self._demo:
            parts.append(Text(self.language.text("workshop.rehearsal"), style="bold"))
        trouble = self.session.trouble
        if trouble is not None:
            parts.append(Text(self.language.text("workshop.trouble", what=self.language.say(trouble.what))))
        parts.append(self._table())
        parts += [Padding(Text(line), (0, 2)) for line in self._below()]
        if self._typed is not None:
            parts.append(Text(self.language.text("workshop.ask_folder", typed=self._typed), style="bold"))
        parts += [Text(line, style="bold") for line in self._told]
        if not self._told:
            parts.append(Text(self.language.text("workshop.keys"), style="dim"))
        return Group(*parts)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=28)
        table.add_column(overflow="fold")
        for row in self.session.desk.rows:
            chosen = row is self._chosen
            table.add_row(
                Text(_CHOSEN if chosen else " "),
                Text(telling.code(row, self.language), style="bold"),
                Text(telling.name(row, self.language)),
                Text(telling.state(row, self.language)),
                style=("reverse " if chosen else "") + _COLOURS.get(row.stage, ""),
            )
        return table

    def _below(self) -> Iterator[str]:
        row = self._chosen
        if row is None:
            yield self.language.text("workshop.nobody")
            return
        yield ""
        yield from self.todo(row)
        yield from self.result(row)
        yield ""
