"""What the workshop's modules share: words of consent, attached devices, worker events and rows of the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from privaudit.errors import PrivauditError
from privaudit.i18n import Translator
from privaudit.model import Report, SourceKind
from privaudit.transport.base import AuthorizationWait, OnWaiting, Transport

if TYPE_CHECKING:
    from privaudit.capture.model import Capture
    from privaudit.workshop.worker import DeviceWorker

MAX_CONCURRENT_READS: Final = 8


class Retention(StrEnum):
    """What is kept of a phone in addition to the counts. The values are those of ``--keep``."""

    NOTHING = "nothing"
    HANDOUT = "handout"
    CAPTURE = "capture"


_CONSENT_TO_KEEP: Final[Mapping[Retention, tuple[str, tuple[str, ...]]]] = {
    Retention.NOTHING: ("workshop.consent_nothing", ()),
    Retention.HANDOUT: ("workshop.consent_handout", ("handout",)),
    Retention.CAPTURE: ("workshop.consent_capture", ("handout", "capture")),
}
"""The sentence about what is kept, and how it is recorded in a report's consent."""


def consent_lines(retention: Retention, language: Translator) -> Iterator[str]:
    """Yield what a participant consents to, in their `language`: on the board, on paper, on the browser's page."""
    yield language.t("workshop.consent_title")
    yield language.t("workshop.consent_questions")
    yield language.t("workshop.consent_bank")
    yield language.t("workshop.consent_read")
    yield language.t("workshop.consent_not_read")
    yield language.t(_CONSENT_TO_KEEP[retention][0])
    yield language.t("workshop.consent_stop")
    yield language.t("workshop.consent_advice")


def consent_scope(retention: Retention) -> tuple[str, ...]:
    """Return what a participant consents to, for the report: what is read, what is kept, and the counts."""
    kept = _CONSENT_TO_KEEP[retention][1]
    return ("apps_and_permissions", "records_of_use", "names_of_apps", *kept, "counts_without_names")


class DeviceStage(StrEnum):
    """Stage of a phone in the queue. Only one phone at a time is in one of `EXCLUSIVE_STAGES`."""

    BLOCKED = "blocked"
    """The phone cannot be reached; `DeviceRow.error` says why."""
    QUEUED = "queued"
    """Waits until no other phone is in one of `EXCLUSIVE_STAGES`."""
    CONSENT = "consent"
    """Has a case code; its owner is asked for consent. Nothing has been sent to the phone."""
    AUTHORIZING = "calling"
    """Consent is recorded; the phone shows "Allow USB debugging?"."""
    LABELING = "sticker"
    """The phone has authorized this computer; the sticker with the code goes on it before it is read."""
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    """`DeviceRow.error` says why. Can be retried."""
    REFUSED = "refused"
    """The owner refused or withdrew consent."""
    LEFT = "left"
    """Unplugged."""


EXCLUSIVE_STAGES: Final = frozenset({DeviceStage.CONSENT, DeviceStage.AUTHORIZING, DeviceStage.LABELING})
ACTIVE_STAGES: Final = frozenset({DeviceStage.AUTHORIZING, DeviceStage.LABELING, DeviceStage.READING})
"""Stages in which a worker is running and has not finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedDevice:
    """A real or virtual phone that is plugged in. Describing it sends nothing to the phone."""

    connection_id: str
    """Identifies this plugging-in: the same phone has another id when it is plugged in again."""
    usb_port: str
    serial: str | None
    """USB serial number. In memory only, never shown or written."""
    model: str | None
    vendor: str | None
    source_kind: SourceKind
    obstacle: PrivauditError | None
    """Why the phone cannot be reached; ``None``: it can be opened."""
    connect: Callable[[OnWaiting], Transport] = field(compare=False)
    """Open the phone. The argument is called repeatedly while its owner has to allow USB debugging."""


@dataclass(frozen=True, slots=True)
class WorkerEvent:
    """Event that a worker reports about the phone with `connection_id`."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequested(WorkerEvent):
    """The phone shows "Allow USB debugging?". Reported again each second."""

    waiting: AuthorizationWait


@dataclass(frozen=True, slots=True)
class Authorized(WorkerEvent):
    """The phone accepts commands. Only its fingerprint has been read."""

    token: str | None
    """Pseudonym of the phone within this session; ``None``: the phone cannot be recognised again."""


@dataclass(frozen=True, slots=True)
class AuditProgress(WorkerEvent):
    """Part of the audit that is running now."""

    step: str


@dataclass(frozen=True, slots=True)
class AuditFinished(WorkerEvent):
    """The phone was read completely."""

    report: Report
    capture: Capture


@dataclass(frozen=True, slots=True)
class WorkerFailed(WorkerEvent):
    """The worker ended with an error."""

    error: PrivauditError


@dataclass(frozen=True, slots=True)
class ClosingChecked(WorkerEvent):
    """Result of the closing check: ``usb`` and ``wireless`` → whether that debugging is off; ``None``: not known."""

    checks: dict[str, bool | None]


@dataclass(slots=True, kw_only=True)
class DeviceRow:
    """One phone in the queue. Only `privaudit.workshop.device_queue.DeviceQueue` and the session change it."""

    device: AttachedDevice
    stage: DeviceStage
    queued_at: float
    """When the phone was plugged in or last went to the end of the queue, by the queue's clock."""
    language: str
    """Language of the owner: for consent, results and the page."""
    code: str | None = None
    consented_at: datetime | None = None
    prompt_shown: bool = False
    """Whether the phone showed "Allow USB debugging?": whoever saw it knows which phone has this code."""
    fingerprint: str | None = None
    """Fingerprint of this computer's key, as the phone shows it."""
    seconds_left: int | None = None
    """Until waiting for the authorization is given up."""
    current_step: str | None = None
    token: str | None = None
    is_returning: bool = False
    """Whether the phone was here earlier in this session; it keeps its code."""
    error: PrivauditError | None = None
    report: Report | None = None
    capture: Capture | None = None
    saved: bool = False
    full_report_sha256: str | None = None
    """Hash of the full report that was exported to the owner's own drive."""
    awaiting_confirmation: bool = False
    """Whether the owner is being asked to confirm that phone and code belong together."""
    owner_confirmed: bool = False
    closing_checks: dict[str, bool | None] | None = None
    """See `ClosingChecked.checks`."""
    worker: DeviceWorker | None = None
    missing_since: float | None = None
    """When the phone disappeared from the bus, by the queue's clock."""
    has_output: bool = False
    """Whether a page or a count of the phone exists. Remains true after it is unplugged."""

    @property
    def connection_id(self) -> str:
        """`AttachedDevice.connection_id` of the phone."""
        return self.device.connection_id
