"""One phone, from the first question to its leaving, in a thread of its own. What it learns it tells the desk.

Only reads: what a workshop may ask is what an audit asks, by what a phone is known again, and the close-out list.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from privaudit import audit, resume
from privaudit.audit import Wishes
from privaudit.capture import Capture, identity, questions
from privaudit.errors import ConnectionLost, PhoneError, PrivauditError
from privaudit.facts.cache import Memory
from privaudit.knowledge import Knowledge
from privaudit.model import Consent
from privaudit.transport import Transport, WaitingForAllow
from privaudit.workshop.model import Asking, Broke, Event, Keep, LetIn, Looked, Part, Plugged, Read

_LOOK_TIMEOUT_S: Final = 20.0
_TURN_S: Final = 0.0005
"""How long a thread may run while others wait. Python's 5 ms would be added to most of the answers of eight phones."""
SCOPE: Final = ("apps_and_permissions", "records_of_use", "names_of_apps")
"""What is read. Beside it stand what is kept, and the counts."""


def scope(keep: Keep) -> tuple[str, ...]:
    """What a participant consents to."""
    kept = {Keep.NOTHING: (), Keep.HANDOUT: ("handout",), Keep.CAPTURE: ("handout", "capture")}[keep]
    return (*SCOPE, *kept, "counts_without_names")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every visit of a workshop shares."""

    knowledge: Knowledge
    wishes: Wishes
    keep: Keep
    salt: str
    token: Callable[[str], str]
    slots: threading.Semaphore
    """As many phones are read at once."""
    tell: Callable[[Event], None]
    demo: bool


@contextlib.contextmanager
def brisk() -> Iterator[None]:
    """While phones are visited: a visit whose answer is there waits less for one that is thinking."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Visit:
    """Asks one phone. Begins at `start`; ends by itself, or at `leave`.

    Args:
        plugged: the phone.
        consented: when its owner said yes.
        means: what all visits share.
    """

    def __init__(self, plugged: Plugged, consented: datetime, means: Means) -> None:
        self._plugged = plugged
        self._consent = Consent(given_at=consented, scope=scope(means.keep))
        self._means = means
        self._go = threading.Event()
        self._left = threading.Event()
        self._lock = threading.Lock()
        self._connection: Transport | None = None
        self._threads = [threading.Thread(target=self._guarded, args=(self._run,), name="workshop: visit", daemon=True)]

    def start(self) -> None:
        """Connect: from here on the phone asks its owner."""
        self._threads[0].start()

    def sticker_on(self) -> None:
        """Its code is on it: read."""
        self._go.set()

    def look(self) -> None:
        """See what can be seen of the close-out list."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        again = threading.Thread(target=self._guarded, args=(self._look,), name="workshop: look", daemon=True)
        self._threads.append(again)
        again.start()

    def leave(self) -> None:
        """Let go of the phone. May be called twice."""
        self._left.set()
        self._go.set()
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(PhoneError):
                connection.close()

    @property
    def running(self) -> bool:
        """Whether anything of it still runs."""
        return any(thread.is_alive() for thread in self._threads)

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until nothing of it runs."""
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout_s)

    # --- in its own thread ---

    def _tell(self, event: Event) -> None:
        if not self._left.is_set():
            self._means.tell(event)

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except PrivauditError as error:
            self._broke(error)
        except Exception as error:  # noqa: BLE001 - a phone that we cannot read must not stop the others
            self._broke(PhoneError("errors.visit_bug", kind=type(error).__name__))

    def _broke(self, error: PrivauditError) -> None:
        self._tell(Broke(self._plugged.place, error))
        self.leave()

    def _run(self) -> None:
        place, means = self._plugged.place, self._means
        connection = self._plugged.connect(self._waiting)
        with self._lock:
            if not self._left.is_set():
                self._connection = connection
        if self._left.is_set():
            connection.close()
            return
        self._tell(LetIn(place, self._known(connection)))
        self._go.wait()
        with means.slots:
            if self._left.is_set():
                return
            memory = Memory()
            capture = self._read(connection, memory)
            report = audit.judged(capture, means.knowledge, means.wishes, memory)
        report = replace(report, consent=self._consent)
        self._tell(Read(place, report, capture))

    def _waiting(self, now: WaitingForAllow) -> None:
        if self._left.is_set():
            raise PhoneError("errors.lost")  # nobody waits for this phone any more
        self._tell(Asking(self._plugged.place, now))

    def _known(self, connection: Transport) -> str | None:
        means = self._means
        known = identity.ask(connection, means.salt)
        if known is not None:
            return means.token(known.digest)
        # It tells nothing of itself: then its cable does, as far as its maker gave it a number of its own.
        return means.token(f"{means.salt} {self._plugged.mark}") if self._plugged.mark else None

    def _read(self, connection: Transport, memory: Memory) -> Capture:
        means = self._means
        taken = audit.live(connection, means.knowledge, demo=means.demo, progress=self._part, memory=memory)
        if resume.interrupted(taken):
            raise ConnectionLost("errors.cut_visit")
        return taken

    def _part(self, name: str) -> None:
        self._tell(Part(self._plugged.place, name))

    def _look(self) -> None:
        with self._lock:
            connection = self._connection
        if connection is None:
            raise PhoneError("errors.lost")
        try:
            said = connection.run(questions.leaving(), timeout_s=_LOOK_TIMEOUT_S).stdout
        except ConnectionLost:
            # What switching USB debugging off looks like from here, and a pulled cable too: the bus tells which.
            self._tell(Looked(self._plugged.place, {"wireless": None, "usb": None}))
            self.leave()
            return
        wireless = {b"1": False, b"0": True, b"null": True}.get(said.strip())
        self._tell(Looked(self._plugged.place, {"wireless": wireless, "usb": False}))


def now() -> datetime:
    """When something is agreed to."""
    return datetime.now(UTC).replace(microsecond=0)
