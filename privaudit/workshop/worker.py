"""Reads one phone in threads of its own and reports events to the session.

Only reads: a worker sends what an audit sends, what is needed to recognise a phone again, and the closing check.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from privaudit import audit, resume
from privaudit.audit import ReportOptions
from privaudit.capture import collector, scripts
from privaudit.errors import ConnectionLost, PhoneError, PrivauditError
from privaudit.interruptible import wait_for_event
from privaudit.knowledge import Knowledge
from privaudit.model import Consent
from privaudit.transport.base import AuthorizationWait, Transport
from privaudit.workshop import model
from privaudit.workshop.model import AttachedDevice, ClosingChecked, WorkerEvent, consent_scope
from privaudit.workshop.storage import OpenSession

_CLOSING_CHECK_TIMEOUT_S: Final = 20.0
_THREAD_SWITCH_INTERVAL_S: Final = 0.0005
"""How long a thread may run while others wait. Python's default of 5 ms would delay most answers of eight phones."""


@contextlib.contextmanager
def short_switch_interval() -> Iterator[None]:
    """Switch threads more often, so that a worker with an answer waits less for one that is computing."""
    previous = sys.getswitchinterval()
    sys.setswitchinterval(_THREAD_SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """What all workers of a session share."""

    knowledge: Knowledge
    report_options: ReportOptions
    open_session: OpenSession
    make_token: Callable[[str], str]
    """Turns a fingerprint into the phone's pseudonym within this session."""
    read_slots: threading.Semaphore
    """Limits how many phones are read at the same time."""
    on_event: Callable[[WorkerEvent], None]


class DeviceWorker:
    """Reads one phone, real or virtual, in the background. Ends by itself, or at `stop`."""

    def __init__(self, device: AttachedDevice, consented_at: datetime, context: WorkerContext) -> None:
        self._device = device
        self._consent = Consent(given_at=consented_at, scope=consent_scope(context.open_session.keep))
        self._context = context
        self._reading_allowed = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._threads: list[threading.Thread] = []

    @property
    def running(self) -> bool:
        """Whether a thread of the worker is alive."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Connect: from here on the phone shows "Allow USB debugging?"."""
        self._start_thread(self._audit_device, "workshop: audit")

    def start_reading(self) -> None:
        """Read the phone: the sticker with its code is on it."""
        self._reading_allowed.set()

    def check_debugging_off(self) -> None:
        """Check whether USB and wireless debugging are off; reported as `ClosingChecked`."""
        self._start_thread(self._run_closing_check, "workshop: closing check")

    def stop(self) -> None:
        """Disconnect. May be called twice."""
        self._stopped.set()
        self._reading_allowed.set()
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(PhoneError):
                transport.close()

    def join(self, timeout_s: float) -> None:
        """Wait until no thread of the worker is alive, at most `timeout_s` for each."""
        for thread in self._threads:
            thread.join(timeout_s)

    def _start_thread(self, task: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=self._run_guarded, args=(task,), name=name, daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def _emit(self, event: WorkerEvent) -> None:
        if not self._stopped.is_set():
            self._context.on_event(event)

    def _run_guarded(self, task: Callable[[], None]) -> None:
        try:
            task()
        except PrivauditError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - a bug that one phone triggers must not stop the others
            self._fail(PhoneError("errors.visit_bug", kind=type(error).__name__))

    def _fail(self, error: PrivauditError) -> None:
        self._emit(model.WorkerFailed(self._device.connection_id, error))
        self.stop()

    def _audit_device(self) -> None:
        context = self._context
        transport = self._device.connect(self._on_waiting)
        with self._lock:
            if not self._stopped.is_set():
                self._transport = transport
        if self._stopped.is_set():
            transport.close()
            return
        self._emit(model.Authorized(self._device.connection_id, self._device_token(transport)))
        wait_for_event(self._reading_allowed)
        with context.read_slots:
            if self._stopped.is_set():
                return
            capture, phone_facts = audit.collect(
                transport,
                context.knowledge,
                demo=context.open_session.demo,
                progress=lambda step: self._emit(model.AuditProgress(self._device.connection_id, step)),
            )
            if resume.was_interrupted(capture):
                raise ConnectionLost("errors.cut_visit")
            report = audit.build_report(capture, context.knowledge, context.report_options, phone_facts)
        self._emit(model.AuditFinished(self._device.connection_id, replace(report, consent=self._consent), capture))

    def _on_waiting(self, waiting: AuthorizationWait) -> None:
        if self._stopped.is_set():
            raise PhoneError("errors.lost")  # ends the wait for the authorization
        self._emit(model.AuthorizationRequested(self._device.connection_id, waiting))

    def _device_token(self, transport: Transport) -> str | None:
        """Return the phone's pseudonym; ``None``: it cannot be recognised again."""
        salt = self._context.open_session.salt
        fingerprint = collector.read_fingerprint(transport, salt)
        if fingerprint is not None:
            return self._context.make_token(fingerprint.digest)
        # The phone gives no identifier: fall back to its USB serial number, which some vendors leave out.
        return self._context.make_token(f"{salt} {self._device.serial}") if self._device.serial else None

    def _run_closing_check(self) -> None:
        with self._lock:
            transport = self._transport
        if transport is None:
            raise PhoneError("errors.lost")
        try:
            reply = transport.run(scripts.wireless_debugging_state(), timeout_s=_CLOSING_CHECK_TIMEOUT_S)
        except ConnectionLost:
            # Switching USB debugging off looks like a pulled cable here; the next scan of the bus shows which it was.
            self._emit(ClosingChecked(self._device.connection_id, {"wireless": None, "usb": None}))
            self.stop()
            return
        wireless_off = {b"1": False, b"0": True, b"null": True}.get(reply.stdout.strip())
        self._emit(ClosingChecked(self._device.connection_id, {"wireless": wireless_off, "usb": False}))
