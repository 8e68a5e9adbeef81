"""Who is there and how far: rows that come, move on and leave. One thread only; everything else tells it.

One phone at a time is at the desk: it gets a code, its owner is asked, it alone shows "Allow USB debugging?", and the
code goes on it. So whoever sees the question knows which phone has which code, though three of one model hang on a hub.
Then it is read beside the others. Nothing is asked of a phone before its owner's consent is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from privaudit.errors import PhoneError, PrivauditError
from privaudit.model import Message, Verdict
from privaudit.workshop.model import (
    EXCLUSIVE_STAGES,
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
from privaudit.workshop.worker import DeviceWorker, utc_now

RECONNECT_GRACE_S: Final = 2.0
"""A phone may drop off the bus for a second, as when its owner chooses "File transfer"."""
_MAX_LEFT_ROWS: Final = 6
"""Phones that left and are still shown."""
REATTACHABLE_STAGES: Final = frozenset(
    {DeviceStage.BLOCKED, DeviceStage.QUEUED, DeviceStage.CONSENT, DeviceStage.AUTHORIZING}
)
"""Stages in which a phone that comes back at once is the same row: nothing hangs on it yet."""


class DeviceQueueBase:
    """The phones of a workshop, as they come and go. What their visits tell is the hearing's, what is done the desk's.

    Args:
        store: gives codes and counts failures.
        begin: makes a visit, which `start` begins.
        free: told the place of a phone that may be unplugged.
        changed: told each row whose stage changed, and a sentence where there is more to say.
        language: of an owner who chooses none.
        clock: seconds that pass.
    """

    def __init__(
        self,
        device_store: DeviceStore,
        *,
        create_worker: Callable[[AttachedDevice, datetime], DeviceWorker],
        allow_unplug: Callable[[str], None],
        on_row_change: Callable[[DeviceRow], None],
        default_language: str,
        clock: Callable[[], float],
    ) -> None:
        self._device_store = device_store
        self._create_worker = create_worker
        self._allow_unplug = allow_unplug
        self._on_row_change = on_row_change
        self._default_language = default_language
        self._clock = clock
        self.rows: list[DeviceRow] = []
        self._leaving: list[DeviceWorker] = []

    def connected_rows(self) -> tuple[DeviceRow, ...]:
        """Rows of phones that are plugged in."""
        return tuple(row for row in self.rows if row.stage is not DeviceStage.LEFT)

    def find_row(self, code: str) -> DeviceRow | None:
        """The row with this code; a plugged phone before one that left."""
        rows = [row for row in self.rows if row.code == code]
        return next((row for row in rows if row.stage is not DeviceStage.LEFT), rows[-1] if rows else None)

    # --- who is there ---

    def update_devices(self, devices: Sequence[AttachedDevice]) -> None:
        """What is plugged in now."""
        at = {phone.connection_id: phone for phone in devices}
        moment = self._clock()
        for row in self.connected_rows():
            if row.connection_id in at:
                row.missing_since = None
                self._update_obstacle(row, at.pop(row.connection_id))
        sockets = {phone.usb_port: phone for phone in at.values()}
        for row in self.connected_rows():
            if any(row.connection_id == phone.connection_id for phone in devices):
                continue
            other = sockets.get(row.device.usb_port)
            if other is not None and self._has_reconnected(row, other):
                del at[other.connection_id]
                continue
            row.missing_since = moment if row.missing_since is None else row.missing_since
            if other is not None or moment - row.missing_since >= RECONNECT_GRACE_S:
                self._mark_left(row)
        for phone in at.values():
            stage = DeviceStage.QUEUED if phone.obstacle is None else DeviceStage.BLOCKED
            row = DeviceRow(
                device=phone, stage=stage, queued_at=moment, language=self._default_language, error=phone.obstacle
            )
            self.rows.append(row)
            self._on_row_change(row)
        self._admit_next()

    def _update_obstacle(self, row: DeviceRow, device: AttachedDevice) -> None:
        """A phone that could not be reached may be reached now, and the other way round."""
        before, row.device = row.device.obstacle, device
        if row.stage is DeviceStage.BLOCKED and device.obstacle is None:
            row.error = None
            self._set_stage(row, DeviceStage.QUEUED)
        elif row.stage is DeviceStage.BLOCKED and before is not None and device.obstacle is not None:
            row.error = device.obstacle
            if before.args != device.obstacle.args:
                self._on_row_change(row)
        elif row.stage is DeviceStage.QUEUED and device.obstacle is not None:
            row.error = device.obstacle
            self._set_stage(row, DeviceStage.BLOCKED)

    def _has_reconnected(self, row: DeviceRow, device: AttachedDevice) -> bool:
        """Whether `device` is the one of `row`, which has only come back in another way of using the cable."""
        same = device.serial is not None and device.serial == row.device.serial
        off = isinstance(device.obstacle, PhoneError) and device.obstacle.name == "debugging_off"
        if same and off and row.stage is DeviceStage.DONE:
            row.device, row.missing_since = device, None
            self._disconnect(row)
            row.closing_checks = {**(row.closing_checks or {}), "usb": True}
            self._on_row_change(row)
            return True
        if not same or row.stage not in REATTACHABLE_STAGES:
            return False
        row.missing_since = None
        self._update_obstacle(row, device)
        if row.stage is DeviceStage.AUTHORIZING:
            self._disconnect(row)
            self._start_worker(row)
        return True

    def _mark_left(self, row: DeviceRow) -> None:
        self._disconnect(row)
        row.has_output = row.has_output or row.saved
        row.report = row.capture = row.current_step = None
        row.awaiting_confirmation = False
        self._set_stage(row, DeviceStage.LEFT)
        left = [one for one in self.rows if one.stage is DeviceStage.LEFT]
        for old in left[: max(0, len(left) - _MAX_LEFT_ROWS)]:
            self.rows.remove(old)

    def _disconnect(self, row: DeviceRow) -> None:
        if row.worker is not None:
            row.worker.stop()
            self._leaving = [visit for visit in self._leaving if visit.running] + [row.worker]
            row.worker = None

    def _admit_next(self) -> None:
        """Let the next one come to the desk."""
        if any(row.stage in EXCLUSIVE_STAGES for row in self.rows):
            return
        waiting = [row for row in self.rows if row.stage is DeviceStage.QUEUED and row.missing_since is None]
        if not waiting:
            return
        row = min(waiting, key=lambda one: one.queued_at)
        row.code = row.code or self._device_store.draw_code()
        if row.consented_at is None:
            self._set_stage(row, DeviceStage.CONSENT)
        else:
            self._start_worker(row)

    def _set_stage(self, row: DeviceRow, stage: DeviceStage) -> None:
        row.stage = stage
        self._on_row_change(row)

    def _start_worker(self, row: DeviceRow) -> None:
        assert row.consented_at is not None  # noqa: S101 - nothing is asked of a phone without it
        row.prompt_shown, row.seconds_left, row.error = False, None, None
        row.worker = self._create_worker(row.device, row.consented_at)
        self._set_stage(row, DeviceStage.AUTHORIZING)
        row.worker.start()

    def close(self) -> None:
        """Let go of every phone, and wait until nothing runs."""
        for row in self.rows:
            self._disconnect(row)
        for visit in self._leaving:  # also those that were let go of before: each sees it a moment later
            visit.join(5)


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


class DeviceQueue(DeviceQueueEvents):
    """The phones of a workshop, and what is done with them."""

    def handle_key(self, key: str, row: DeviceRow) -> Message | None:
        """Do what `key` says with `row`; why not, where it cannot be done."""
        actions: dict[str, Callable[[DeviceRow], Message | None]] = {
            "c": self._record_consent,
            "r": self._withdraw_consent,
            "x": self._postpone,
            "s": self._confirm_label,
            "n": self._deny,
            "a": self._retry,
            "v": self._request_confirmation,
            "y": self._confirm_owner,
            "o": self._check_debugging_off,
        }
        said = actions[key](row) if key in actions else Message(key="workshop.no_such_key", values={"key": key})
        self._admit_next()
        return said

    def _record_consent(self, row: DeviceRow) -> Message | None:
        if row.stage is not DeviceStage.CONSENT:
            return _not_now_message(row)
        row.consented_at = utc_now()
        self._start_worker(row)
        return None

    def _withdraw_consent(self, row: DeviceRow) -> Message | None:
        """Before, during and after: consent can be withdrawn, and then what was kept is deleted."""
        if row.stage in {DeviceStage.REFUSED, DeviceStage.LEFT}:
            return _not_now_message(row)
        self._disconnect(row)
        if row.stage is DeviceStage.DONE and row.code is not None:
            self._device_store.delete_device(row.code)
        row.consented_at = row.report = row.capture = row.current_step = row.error = row.token = None
        row.awaiting_confirmation = row.owner_confirmed = row.saved = row.has_output = False
        self._set_stage(row, DeviceStage.REFUSED)
        self._allow_unplug(row.connection_id)
        return None

    def _postpone(self, row: DeviceRow) -> Message | None:
        if row.stage not in EXCLUSIVE_STAGES:
            return _not_now_message(row)
        self._disconnect(row)
        row.queued_at = self._clock()
        self._set_stage(row, DeviceStage.QUEUED)
        return None

    def _confirm_label(self, row: DeviceRow) -> Message | None:
        if row.stage is not DeviceStage.LABELING or row.worker is None:
            return _not_now_message(row)
        self._set_stage(row, DeviceStage.READING)
        row.worker.start_reading()
        return None

    def _deny(self, row: DeviceRow) -> Message | None:
        if row.awaiting_confirmation:
            row.awaiting_confirmation = False
            return Message(key="workshop.not_confirmed", values={"code": row.code})
        if row.stage is DeviceStage.LABELING and row.is_returning:
            # It says of itself what another phone said: it is none that we know.
            row.token, row.is_returning, row.code = None, False, self._device_store.draw_code()
            self._on_row_change(row)
            return None
        return _not_now_message(row)

    def _retry(self, row: DeviceRow) -> Message | None:
        if row.stage is DeviceStage.FAILED and row.report is not None:
            self._save_outputs(row)
            return None
        if row.stage not in {DeviceStage.FAILED, DeviceStage.REFUSED, DeviceStage.DONE}:
            return _not_now_message(row)
        self._disconnect(row)
        row.report = row.capture = row.closing_checks = row.error = row.full_report_sha256 = None
        row.awaiting_confirmation = row.owner_confirmed = row.saved = False
        row.queued_at = self._clock()
        self._set_stage(row, DeviceStage.QUEUED)
        return None

    def _request_confirmation(self, row: DeviceRow) -> Message | None:
        if row.stage is not DeviceStage.DONE:
            return _not_now_message(row)
        row.awaiting_confirmation = not row.owner_confirmed
        self._on_row_change(row)
        return None

    def _confirm_owner(self, row: DeviceRow) -> Message | None:
        if not row.awaiting_confirmation:
            return _not_now_message(row)
        row.awaiting_confirmation, row.owner_confirmed = False, True
        self._on_row_change(row)
        self._allow_unplug(row.connection_id)
        return None

    def _check_debugging_off(self, row: DeviceRow) -> Message | None:
        if row.stage is not DeviceStage.DONE or row.worker is None:
            return _not_now_message(row)
        row.worker.check_debugging_off()
        return None

    def rewrite_outputs(self, row: DeviceRow) -> None:
        """Write what is kept of `row` anew: in another language, or with the hash of the full report."""
        if row.stage is DeviceStage.DONE:
            self._save_outputs(row)


def _not_now_message(row: DeviceRow) -> Message:
    return Message(key="workshop.not_now", values={"code": row.code or "?"})
