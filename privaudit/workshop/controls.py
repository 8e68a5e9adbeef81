"""What both faces share: what a key means. The board has a chosen row; plain lines name theirs by its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from privaudit.model import Message
from privaudit.workshop import telling
from privaudit.workshop.model import ASKED, Row, Stage
from privaudit.workshop.session import Session

_DESK_KEYS: Final = frozenset("crxsnavyo")


class Hands:
    """Turns keys into actions.

    Args:
        session: what is acted on.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.language = session.language
        self.shown: Row | None = None
        """Whose result is to be seen."""
        self.quitting = False

    def todo(self, row: Row) -> Iterator[str]:
        """What to do about `row` now."""
        others = any(other.stage is Stage.QUEUED and other.code is None for other in self.session.desk.rows)
        return telling.todo(row, self.language, self.session.folder.day.keep, crowd=others)

    def tell(self, message: Message) -> None:
        """See `privaudit.workshop.session.Face.tell`."""
        raise NotImplementedError

    def say(self, key: str, /, **values: str | int) -> None:
        """One sentence of the workshop's own."""
        self.tell(Message(key=key, values=values))

    def do(self, key: str, row: Row) -> None:
        """Do what `key` says with `row`."""
        if key == "h":
            self.shown = None
        elif key == "l":
            self.session.other_language(row)
        elif key in _DESK_KEYS:
            self.session.act(key, row)
            if key in {"v", "y"} and row.confirmed and row.stage is Stage.DONE:
                self.shown = row
            elif self.shown is row:
                self.shown = row if key == "o" else None
        else:
            self.say("workshop.no_such_key", key=key[:10])

    def general(self, key: str) -> bool:
        """Do what concerns no single row; whether that was it."""
        if key == "p":
            self.session.print_job()
        elif key == "q":
            self.quit()
        else:
            return False
        return True

    def quit(self) -> None:
        """Ask how to end."""
        path = self.session.print_job() if self.session.folder.pages() else None
        running = sum(row.stage in ASKED for row in self.session.desk.here())
        if running:
            self.say("workshop.quit_running", n=running)
        self.quitting = True
        n = len(self.session.folder.pages())
        self.say("workshop.quit", n=n, path=str(path or "–"))

    def answered_quit(self, key: str) -> None:
        """The answer to `quit`."""
        if key not in {"y", "k", "n"}:
            return
        self.quitting = False
        if key != "n":
            self.session.close(keep_pages=key == "k")

    def result(self, row: Row) -> Iterator[str]:
        """What its owner may see now."""
        if self.shown is row:
            yield from telling.shown(row, self.language, self._page(row))

    def _page(self, row: Row) -> Path | None:
        return self.session.office.page(row)
