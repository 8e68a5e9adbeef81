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
from privaudit.audit import ReportOptions
from privaudit.capture import collector, scripts
from privaudit.capture.model import Capture
from privaudit.errors import ConnectionLost, PhoneError, PrivauditError
from privaudit.facts.cache import AppCache
from privaudit.knowledge import Knowledge
from privaudit.model import Consent
from privaudit.transport.base import AuthorizationWait, Transport
from privaudit.workshop.model import (
    AttachedDevice,
    AuditFinished,
    AuditProgress,
    AuthorizationRequested,
    Authorized,
    ClosingChecked,
    Retention,
    WorkerEvent,
    WorkerFailed,
)

_CLOSING_CHECK_TIMEOUT_S: Final = 20.0
_THREAD_SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread may run while others wait. Python's 5 ms would be added to most of the answers of eight phones."""
CONSENT_SCOPE: Final = ("apps_and_permissions", "records_of_use", "names_of_apps")
"""What is read. Beside it stand what is kept, and the counts."""


def consent_scope(retention: Retention) -> tuple[str, ...]:
    """What a participant consents to."""
    kept = {Retention.NOTHING: (), Retention.HANDOUT: ("handout",), Retention.CAPTURE: ("handout", "capture")}[
        retention
    ]
    return (*CONSENT_SCOPE, *kept, "counts_without_names")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What every visit of a workshop shares."""

    knowledge: Knowledge
    report_options: ReportOptions
    retention: Retention
    salt: str
    make_token: Callable[[str], str]
    read_slots: threading.Semaphore
    """As many phones are read at once."""
    on_event: Callable[[WorkerEvent], None]
    demo: bool


@contextlib.contextmanager
def short_switch_interval() -> Iterator[None]:
    """While phones are visited: a visit whose answer is there waits less for one that is thinking."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_THREAD_SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class DeviceWorker:
    """Asks one phone. Begins at `start`; ends by itself, or at `leave`.

    Args:
        plugged: the phone.
        consented: when its owner said yes.
        means: what all visits share.
    """

    def __init__(self, device: AttachedDevice, consented_at: datetime, context: WorkerContext) -> None:
        self._device = device
        self._consent = Consent(given_at=consented_at, scope=consent_scope(context.retention))
        self._context = context
        self._reading_allowed = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._threads = [
            threading.Thread(target=self._run_guarded, args=(self._audit_device,), name="workshop: visit", daemon=True)
        ]

    def start(self) -> None:
        """Connect: from here on the phone asks its owner."""
        self._threads[0].start()

    def start_reading(self) -> None:
        """Its code is on it: read."""
        self._reading_allowed.set()

    def check_debugging_off(self) -> None:
        """See what can be seen of the close-out list."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        again = threading.Thread(
            target=self._run_guarded, args=(self._run_closing_check,), name="workshop: look", daemon=True
        )
        self._threads.append(again)
        again.start()

    def stop(self) -> None:
        """Let go of the phone. May be called twice."""
        self._stopped.set()
        self._reading_allowed.set()
        with self._lock:
            connection, self._transport = self._transport, None
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

    def _emit(self, event: WorkerEvent) -> None:
        if not self._stopped.is_set():
            self._context.on_event(event)

    def _run_guarded(self, task: Callable[[], None]) -> None:
        try:
            task()
        except PrivauditError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - a phone that we cannot read must not stop the others
            self._fail(PhoneError("errors.visit_bug", kind=type(error).__name__))

    def _fail(self, error: PrivauditError) -> None:
        self._emit(WorkerFailed(self._device.connection_id, error))
        self.stop()

    def _audit_device(self) -> None:
        place, means = self._device.connection_id, self._context
        connection = self._device.connect(self._on_waiting)
        with self._lock:
            if not self._stopped.is_set():
                self._transport = connection
        if self._stopped.is_set():
            connection.close()
            return
        self._emit(Authorized(place, self._device_token(connection)))
        self._reading_allowed.wait()
        with means.read_slots:
            if self._stopped.is_set():
                return
            memory = AppCache()
            capture = self._collect_capture(connection, memory)
            report = audit.build_report(capture, means.knowledge, means.report_options, memory)
        report = replace(report, consent=self._consent)
        self._emit(AuditFinished(place, report, capture))

    def _on_waiting(self, waiting: AuthorizationWait) -> None:
        if self._stopped.is_set():
            raise PhoneError("errors.lost")  # nobody waits for this phone any more
        self._emit(AuthorizationRequested(self._device.connection_id, waiting))

    def _device_token(self, transport: Transport) -> str | None:
        means = self._context
        known = collector.read_fingerprint(transport, means.salt)
        if known is not None:
            return means.make_token(known.digest)
        # It tells nothing of itself: then its cable does, as far as its maker gave it a number of its own.
        return means.make_token(f"{means.salt} {self._device.serial}") if self._device.serial else None

    def _collect_capture(self, transport: Transport, cache: AppCache) -> Capture:
        means = self._context
        taken = audit.collect(transport, means.knowledge, demo=means.demo, progress=self._on_progress, cache=cache)
        if resume.was_interrupted(taken):
            raise ConnectionLost("errors.cut_visit")
        return taken

    def _on_progress(self, step: str) -> None:
        self._emit(AuditProgress(self._device.connection_id, step))

    def _run_closing_check(self) -> None:
        with self._lock:
            connection = self._transport
        if connection is None:
            raise PhoneError("errors.lost")
        try:
            said = connection.run(scripts.wireless_debugging_state(), timeout_s=_CLOSING_CHECK_TIMEOUT_S).stdout
        except ConnectionLost:
            # What switching USB debugging off looks like from here, and a pulled cable too: the bus tells which.
            self._emit(ClosingChecked(self._device.connection_id, {"wireless": None, "usb": None}))
            self.stop()
            return
        wireless = {b"1": False, b"0": True, b"null": True}.get(said.strip())
        self._emit(ClosingChecked(self._device.connection_id, {"wireless": wireless, "usb": False}))


def utc_now() -> datetime:
    """When something is agreed to."""
    return datetime.now(UTC).replace(microsecond=0)
