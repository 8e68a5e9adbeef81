"""What the visits tell, and what becomes of it: a phone lets us in, is read, is kept and counted, or breaks off.

A phone is finished when what is to be kept of it is written, and not before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from privaudit.errors import PrivauditError
from privaudit.model import Verdict
from privaudit.workshop.device_queue import DeviceQueueBase
from privaudit.workshop.model import (
    AttachedDevice,
    AuditFinished,
    AuditProgress,
    AuthorizationRequested,
    Authorized,
    ClosingChecked,
    DeviceRow,
    DeviceStage,
    DeviceStore,
    WorkerEvent,
    WorkerFailed,
)
from privaudit.workshop.worker import DeviceWorker


class DeviceQueueEvents(DeviceQueueBase):
    """A hall in which visits are heard.

    Args:
        store: see `DeviceQueueBase`.
        begin: see `DeviceQueueBase`.
        keep: writes what is to be kept of a row; raises `PrivauditError` where it cannot.
        free: see `DeviceQueueBase`.
        changed: see `DeviceQueueBase`.
        language: see `DeviceQueueBase`.
        clock: see `DeviceQueueBase`.
    """

    def __init__(
        self,
        device_store: DeviceStore,
        *,
        create_worker: Callable[[AttachedDevice, datetime], DeviceWorker],
        write_outputs: Callable[[DeviceRow], None],
        allow_unplug: Callable[[str], None],
        on_row_change: Callable[[DeviceRow], None],
        default_language: str,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(
            device_store,
            create_worker=create_worker,
            allow_unplug=allow_unplug,
            on_row_change=on_row_change,
            default_language=default_language,
            clock=clock,
        )
        self._write_outputs = write_outputs
        self._codes_by_token: dict[str, str] = {}
        self.outcomes: list[tuple[bool, bool]] = []
        """Of each finished phone: found, complete."""

    def handle_event(self, event: WorkerEvent) -> None:
        """Something that a visit tells. What comes from a phone that left is too late."""
        row = next(
            (
                row
                for row in self.connected_rows()
                if row.connection_id == event.connection_id and row.worker is not None
            ),
            None,
        )
        if row is None:
            return
        match event:
            case AuthorizationRequested(_, asks):
                first, row.prompt_shown = not row.prompt_shown, True
                row.fingerprint, row.seconds_left = asks.fingerprint, asks.seconds_left
                if first:
                    self._on_row_change(row)
            case Authorized(_, token):
                self._on_authorized(row, token)
            case AuditProgress(_, name):
                row.current_step = name
            case AuditFinished(_, report, capture):
                row.report, row.capture, row.current_step = report, capture, None
                self._save_outputs(row)
            case ClosingChecked(_, seen):
                row.closing_checks = {**(row.closing_checks or {}), **seen}
                self._on_row_change(row)
            case WorkerFailed(_, error) if row.stage is not DeviceStage.DONE:
                self._on_failure(row, error)
        self._admit_next()

    def _on_authorized(self, row: DeviceRow, token: str | None) -> None:
        if any(other.token == token for other in self.connected_rows() if other is not row and other.token is not None):
            token = None  # two phones that say the same of themselves cannot be told apart by it
        row.token, row.error = token, None
        before = None if token is None else self._codes_by_token.get(token) or self._device_store.code_for_token(token)
        row.is_returning = before is not None
        row.code = before or row.code
        if token is not None and row.code is not None:
            self._codes_by_token[token] = row.code
            # What it was before it came back is the same phone: one row a phone.
            self.rows = [one for one in self.rows if one.stage is not DeviceStage.LEFT or one.code != row.code]
        self._set_stage(row, DeviceStage.LABELING)

    def _save_outputs(self, row: DeviceRow) -> None:
        """Write what is kept. Only then is the phone finished."""
        try:
            self._write_outputs(row)
        except PrivauditError as error:
            self._on_failure(row, error)
            return
        if not row.saved and row.report is not None:
            self.outcomes.append((row.report.verdict is Verdict.FOUND, row.report.complete))
        row.saved, row.capture, row.error = True, None, None
        self._set_stage(row, DeviceStage.DONE)

    def _on_failure(self, row: DeviceRow, error: PrivauditError) -> None:
        row.error, row.current_step = error, None
        if row.report is None:
            self._disconnect(row)
        self._device_store.count_failure(error.name)
        self._set_stage(row, DeviceStage.FAILED)
