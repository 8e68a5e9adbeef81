"""What the workshop speaks of: a plugged phone, its row on the board, what its visit tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from privaudit.errors import PrivauditError
from privaudit.model import Report, SourceKind
from privaudit.transport import OnWaiting, Transport, WaitingForAllow

if TYPE_CHECKING:
    from privaudit.capture import Capture
    from privaudit.workshop.worker import Visit

AT_ONCE: Final = 8
"""Phones that are read at the same time."""


class Keep(StrEnum):
    """What stays of a visit, beside the counts."""

    NOTHING = "nothing"
    HANDOUT = "handout"
    CAPTURE = "capture"


class Stage(StrEnum):
    """Where a phone is on its way. `AT_DESK` ones are dealt with one at a time."""

    BLOCKED = "blocked"
    """Something stands in the way; the row says what."""
    QUEUED = "queued"
    """Another phone is being given its code."""
    CONSENT = "consent"
    """Has a code; its owner is asked. The phone itself is not."""
    CALLING = "calling"
    """Consent is recorded; the phone asks "Allow USB debugging?"."""
    STICKER = "sticker"
    """Lets us in; the code goes on it before it is read."""
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    """Says why, and can be repeated."""
    REFUSED = "refused"
    """Nothing was asked."""
    LEFT = "left"
    """Unplugged."""


AT_DESK: Final = frozenset({Stage.CONSENT, Stage.CALLING, Stage.STICKER})
ASKED: Final = frozenset({Stage.CALLING, Stage.STICKER, Stage.READING})
"""A visit runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugged:
    """One phone on a cable, or a virtual one. Nobody has spoken to it yet."""

    place: str
    """This plugging: a phone that is plugged in again is at another place."""
    socket: str
    """Where the cable is."""
    mark: str | None
    """By what the bus tells it from others, its serial number. In memory only, never shown or written."""
    name: str | None
    """What it calls its model."""
    maker: str | None
    way: SourceKind
    obstacle: PrivauditError | None
    connect: Callable[[OnWaiting], Transport] = field(compare=False)
    """Opens it; told while its owner is asked."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a visit tells of the phone at `place`."""

    place: str


@dataclass(frozen=True, slots=True)
class Asking(Event):
    """The phone asks its owner."""

    now: WaitingForAllow


@dataclass(frozen=True, slots=True)
class LetIn(Event):
    """The phone answers. Nothing of it was read but by what it is known again."""

    token: str | None
    """The day's own name for it; ``None``: it cannot be known again."""


@dataclass(frozen=True, slots=True)
class Part(Event):
    """What is being read."""

    name: str


@dataclass(frozen=True, slots=True)
class Read(Event):
    """It was read to the end."""

    report: Report
    capture: Capture


@dataclass(frozen=True, slots=True)
class Broke(Event):
    """It was not."""

    error: PrivauditError


@dataclass(frozen=True, slots=True)
class Looked(Event):
    """What can be seen of the close-out list: name → whether it is as it should be; ``None``: not to be seen."""

    seen: dict[str, bool | None]


@dataclass(slots=True, kw_only=True)
class Row:
    """One phone on the board. Only the desk changes it."""

    plugged: Plugged
    stage: Stage
    since: float
    """When it came, by the desk's clock."""
    language: str
    """Of its owner: consent, results and page are in it."""
    code: str | None = None
    consented: datetime | None = None
    asked: bool = False
    """Whether it showed the question: then whoever saw it knows which phone this is."""
    fingerprint: str | None = None
    seconds: int | None = None
    part: str | None = None
    token: str | None = None
    again: bool = False
    """Known from earlier today: its code is the one that it had."""
    error: PrivauditError | None = None
    report: Report | None = None
    capture: Capture | None = None
    saved: bool = False
    full_sha256: str | None = None
    """Of the full report on the participant's own stick."""
    confirming: bool = False
    """Its owner is asked whether phone and code fit."""
    confirmed: bool = False
    closing: dict[str, bool | None] | None = None
    visit: Visit | None = None
    gone_at: float | None = None
    """Since when it is not to be seen."""
    finished: bool = False
    """Whether a page or a count of it exists. Stays when it leaves."""

    @property
    def place(self) -> str:
        """See `Plugged.place`."""
        return self.plugged.place


class Store(Protocol):
    """What the desk needs of a folder."""

    def draw(self) -> str:
        """A code that nobody had."""
        ...

    def code_of(self, token: str) -> str | None:
        """The code of a phone that finished earlier today."""
        ...

    def failed(self, step: str) -> None:
        """Count a step that went wrong."""
        ...

    def forget(self, code: str) -> None:
        """Delete what was kept of the phone with this code."""
        ...
