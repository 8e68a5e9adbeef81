"""What the workshop speaks of: a plugged phone, its row on the board, what its visit tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from privaudit.errors import PrivauditError
from privaudit.model import Report, SourceKind
from privaudit.transport.base import AuthorizationWait, OnWaiting, Transport

if TYPE_CHECKING:
    from privaudit.capture.model import Capture
    from privaudit.workshop.worker import DeviceWorker

MAX_CONCURRENT_READS: Final = 8
"""Phones that are read at the same time."""


class Retention(StrEnum):
    """What stays of a visit, beside the counts."""

    NOTHING = "nothing"
    HANDOUT = "handout"
    CAPTURE = "capture"


class DeviceStage(StrEnum):
    """Where a phone is on its way. `EXCLUSIVE_STAGES` ones are dealt with one at a time."""

    BLOCKED = "blocked"
    """Something stands in the way; the row says what."""
    QUEUED = "queued"
    """Another phone is being given its code."""
    CONSENT = "consent"
    """Has a code; its owner is asked. The phone itself is not."""
    AUTHORIZING = "calling"
    """Consent is recorded; the phone asks "Allow USB debugging?"."""
    LABELING = "sticker"
    """Lets us in; the code goes on it before it is read."""
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    """Says why, and can be repeated."""
    REFUSED = "refused"
    """Nothing was asked."""
    LEFT = "left"
    """Unplugged."""


EXCLUSIVE_STAGES: Final = frozenset({DeviceStage.CONSENT, DeviceStage.AUTHORIZING, DeviceStage.LABELING})
ACTIVE_STAGES: Final = frozenset({DeviceStage.AUTHORIZING, DeviceStage.LABELING, DeviceStage.READING})
"""A visit runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedDevice:
    """One phone on a cable, or a virtual one. Nobody has spoken to it yet."""

    connection_id: str
    """This plugging: a phone that is plugged in again is at another place."""
    usb_port: str
    """Where the cable is."""
    serial: str | None
    """By what the bus tells it from others, its serial number. In memory only, never shown or written."""
    model: str | None
    """What it calls its model."""
    vendor: str | None
    source_kind: SourceKind
    obstacle: PrivauditError | None
    connect: Callable[[OnWaiting], Transport] = field(compare=False)
    """Opens it; told while its owner is asked."""


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """Something that a visit tells of the phone at `place`."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequested(WorkerEvent):
    """The phone asks its owner."""

    waiting: AuthorizationWait


@dataclass(frozen=True, slots=True)
class Authorized(WorkerEvent):
    """The phone answers. Nothing of it was read but by what it is known again."""

    token: str | None
    """The day's own name for it; ``None``: it cannot be known again."""


@dataclass(frozen=True, slots=True)
class AuditProgress(WorkerEvent):
    """What is being read."""

    step: str


@dataclass(frozen=True, slots=True)
class AuditFinished(WorkerEvent):
    """It was read to the end."""

    report: Report
    capture: Capture


@dataclass(frozen=True, slots=True)
class WorkerFailed(WorkerEvent):
    """It was not."""

    error: PrivauditError


@dataclass(frozen=True, slots=True)
class ClosingChecked(WorkerEvent):
    """What can be seen of the close-out list: name → whether it is as it should be; ``None``: not to be seen."""

    checks: dict[str, bool | None]


@dataclass(slots=True, kw_only=True)
class DeviceRow:
    """One phone on the board. Only the desk changes it."""

    device: AttachedDevice
    stage: DeviceStage
    queued_at: float
    """When it came, by the desk's clock."""
    language: str
    """Of its owner: consent, results and page are in it."""
    code: str | None = None
    consented_at: datetime | None = None
    prompt_shown: bool = False
    """Whether it showed the question: then whoever saw it knows which phone this is."""
    fingerprint: str | None = None
    seconds_left: int | None = None
    current_step: str | None = None
    token: str | None = None
    is_returning: bool = False
    """Known from earlier today: its code is the one that it had."""
    error: PrivauditError | None = None
    report: Report | None = None
    capture: Capture | None = None
    saved: bool = False
    full_report_sha256: str | None = None
    """Of the full report on the participant's own stick."""
    awaiting_confirmation: bool = False
    """Its owner is asked whether phone and code fit."""
    owner_confirmed: bool = False
    closing_checks: dict[str, bool | None] | None = None
    worker: DeviceWorker | None = None
    missing_since: float | None = None
    """Since when it is not to be seen."""
    has_output: bool = False
    """Whether a page or a count of it exists. Stays when it leaves."""

    @property
    def connection_id(self) -> str:
        """See `AttachedDevice.place`."""
        return self.device.connection_id


class DeviceStore(Protocol):
    """What the desk needs of a folder."""

    def draw_code(self) -> str:
        """A code that nobody had."""
        ...

    def code_for_token(self, token: str) -> str | None:
        """The code of a phone that finished earlier today."""
        ...

    def count_failure(self, step: str) -> None:
        """Count a step that went wrong."""
        ...

    def delete_device(self, code: str) -> None:
        """Delete what was kept of the phone with this code."""
        ...
