"""The workshop as lines: for a screen reader, a log, or a terminal that cannot do more. Commands are lines too."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from privaudit.model import Message
from privaudit.workshop import telling
from privaudit.workshop.controls import Hands
from privaudit.workshop.model import Row, Stage
from privaudit.workshop.session import Ended, Key, Session


class Plain(Hands):
    """Prints what changes; each line says which phone it speaks of.

    Args:
        session: what is shown.
        out: takes one line.
    """

    def __init__(self, session: Session, out: Callable[[str], object]) -> None:
        super().__init__(session)
        self._out = out
        self._trouble: str | None = None
        session.face = self

    def tell(self, message: Message) -> None:
        """See `Face.tell`."""
        self._out(self.language.say(message))

    def changed(self, row: Row) -> None:
        """See `Face.changed`."""
        head = self._head(row)
        again = f" ({self.language.text('workshop.again')})" if row.again and row.stage is Stage.STICKER else ""
        self._out(f"{head}: {telling.state(row, self.language)}{again}")
        self._lines(self.todo(row))

    def _head(self, row: Row) -> str:
        return f"{telling.code(row, self.language)}  {telling.name(row, self.language)}"

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._out(f"  {line}")

    def refresh(self) -> None:
        """See `Face.refresh`. Seconds that run are no news for a log."""
        trouble = self.session.trouble
        if (trouble.name if trouble else None) != self._trouble:
            self._trouble = trouble.name if trouble else None
            if trouble is not None:
                self.say("workshop.trouble", what=self.language.say(trouble.what))

    def pressed(self, text: str) -> None:
        """A line: a letter, mostly a code, and of ``f`` a folder."""
        words = text.split(maxsplit=2)
        if not words:
            return
        key = words[0].casefold()
        if self.quitting:
            self.answered_quit(key)
        elif key == "?":
            self.say("workshop.keys_plain")
        elif key == "w":
            for row in self.session.desk.rows:
                self._out(f"{self._head(row)}: {telling.state(row, self.language)}")
        elif not self.general(key):
            self._with_code(key, words[1:])

    def _with_code(self, key: str, words: list[str]) -> None:
        if not words:
            self.say("workshop.needs_code", key=key[:10])
            return
        row = self.session.desk.find(words[0].upper())
        if row is None:
            self.say("workshop.no_such_code", code=words[0])
        elif key == "f":
            if len(words) > 1:
                self.session.full(row, Path(words[1].strip('"')))
            else:
                self.say("workshop.needs_code", key="f")
        else:
            self.do(key, row)
            self._lines(self.result(row))


def read(session: Session) -> threading.Thread:
    """Hand every line of standard input to `session`, from a thread that ends with the program."""

    def run() -> None:
        for line in sys.stdin:
            session.happenings.put(Key(line.rstrip("\n")))
        session.happenings.put(Ended())

    thread = threading.Thread(target=run, name="workshop: lines", daemon=True)
    thread.start()
    return thread
