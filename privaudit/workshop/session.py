"""A workshop while it runs: phones come and go, visits tell, a person presses keys. One loop hears them all."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from privaudit.audit import Wishes
from privaudit.errors import PhoneError, PrivauditError
from privaudit.i18n import Language
from privaudit.i18n.catalog import available
from privaudit.knowledge import Knowledge
from privaudit.model import Message
from privaudit.workshop.desk import Desk
from privaudit.workshop.device_watcher import POLL_S, Arrivals
from privaudit.workshop.model import AT_ONCE, Event, Plugged, Row, Stage
from privaudit.workshop.outputs import Office
from privaudit.workshop.storage import Folder
from privaudit.workshop.worker import Means, Visit, brisk

TICK_S: Final = 0.25
"""How often the board moves though nothing happens."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or in plain mode a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nobody will press a key any more."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is plugged in."""

    phones: tuple[Plugged, ...]
    trouble: PhoneError | None


Happening: TypeAlias = Event | Key | Ended | Survey | None


class Face(Protocol):
    """Shows a session to a person, and turns keys into what is to be done."""

    def changed(self, row: Row) -> None:
        """A row moved on."""
        ...

    def tell(self, message: Message) -> None:
        """One sentence."""
        ...

    def pressed(self, text: str) -> None:
        """A key or a line."""
        ...

    def refresh(self) -> None:
        """Time has passed."""
        ...


class Session:
    """Runs until it is closed or left.

    Args:
        folder: where things are kept.
        arrivals: where phones come from.
        knowledge: the lists.
        wishes: what reports hold.
        language: the facilitator's.
        clock: seconds that pass.
    """

    def __init__(
        self,
        folder: Folder,
        arrivals: Arrivals,
        knowledge: Knowledge,
        wishes: Wishes,
        language: Language,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.arrivals = arrivals
        self.language = language
        self.office = Office(folder)
        self.happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.face: Face | None = None
        self.closed = False
        self.trouble: PhoneError | None = None
        self._means = Means(
            knowledge=knowledge,
            wishes=wishes,
            keep=folder.day.keep,
            salt=folder.day.salt,
            token=folder.token,
            slots=threading.BoundedSemaphore(AT_ONCE),
            tell=self.happenings.put,
            demo=folder.day.demo,
        )
        self.desk = Desk(
            folder,
            begin=lambda plugged, consented: Visit(plugged, consented, self._means),
            keep=self.office.keep,
            free=arrivals.finished,
            changed=self._changed,
            language=language.code,
            clock=clock,
        )
        self._stopping = threading.Event()
        self._told_over = False

    def _changed(self, row: Row) -> None:
        if self.face is not None:
            self.face.changed(row)

    def tell(self, key: str, /, **values: str | int) -> None:
        """One sentence to the facilitator."""
        if self.face is not None:
            self.face.tell(Message(key=key, values=values))

    # --- the loop ---

    def run(self) -> None:
        """Hear and act until `closed`, or until nobody presses keys any more."""
        with self._looking(), brisk():
            while not self.closed:
                try:
                    happening = self.happenings.get(timeout=TICK_S)
                except queue.Empty:
                    happening = None
                if isinstance(happening, Ended):
                    return
                self.hear(happening)

    def hear(self, happening: Happening) -> None:
        """Act on one thing that happened."""
        match happening:
            case Survey(phones, trouble):
                self.trouble = trouble
                self.desk.seen(phones)
                if self.arrivals.over and not self.desk.here() and not self._told_over:
                    self._told_over = True
                    self.tell("workshop.rehearsal_over")
            case Event():
                self.desk.heard(happening)
            case Key(text) if self.face is not None:
                self.face.pressed(text)
        if self.face is not None:
            self.face.refresh()

    @contextlib.contextmanager
    def _looking(self) -> Iterator[None]:
        looker = threading.Thread(target=self._look, name="workshop: cables", daemon=True)
        looker.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.desk.close()
            looker.join()
            self.arrivals.close()

    def _look(self) -> None:
        while not self._stopping.is_set():
            try:
                phones = self.arrivals.look()
            except PhoneError as error:
                self.happenings.put(Survey((), error))
            else:
                self.happenings.put(Survey(phones, self.arrivals.trouble))
            self._stopping.wait(POLL_S)

    # --- what a face asks for ---

    def act(self, key: str, row: Row) -> None:
        """Do what `key` says with `row`, and tell why where it cannot be done."""
        said = self.desk.act(key, row)
        if said is not None and self.face is not None:
            self.face.tell(said)

    def other_language(self, row: Row) -> None:
        """The owner's language: the next of those that privaudit speaks."""
        codes: Sequence[str] = available()
        row.language = codes[(codes.index(row.language) + 1) % len(codes)]
        self.desk.rewritten(row)
        self._changed(row)

    def full(self, row: Row, where: Path) -> None:
        """The full report onto the owner's own stick; only for a row whose owner has confirmed it."""
        if not row.confirmed or row.stage is not Stage.DONE:
            self.tell("workshop.not_now", code=row.code or "?")
            return
        try:
            path = self.office.full(row, where)
        except PrivauditError as error:
            self._explain(error)
            return
        self.desk.rewritten(row)
        self.tell("workshop.full_saved", code=row.code or "?", path=str(path))

    def print_job(self) -> Path | None:
        """All pages as one file."""
        try:
            path = self.office.print_job()
        except PrivauditError as error:
            self._explain(error)
            return None
        if path is None:
            self.tell("workshop.no_pages")
        else:
            self.tell("workshop.print_job", path=str(path))
        return path

    def close(self, *, keep_pages: bool) -> None:
        """End the workshop: count, destroy the secret, delete what is to be deleted."""
        try:
            self.folder.close(keep_pages=keep_pages)
        except PrivauditError as error:
            self._explain(error)
            self.tell("workshop.not_counted")
            return
        self.closed = True

    def _explain(self, error: PrivauditError) -> None:
        if self.face is not None:
            for part in ("what", "why", "next"):
                self.face.tell(getattr(error, part))
