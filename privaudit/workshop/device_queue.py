"""The queue of connected phones and their stages, what workers report about them, and what the facilitator does.

Not thread-safe: workers post events; only the session's thread changes rows.

One phone at a time is in one of `EXCLUSIVE_STAGES`: it gets a case code, its owner is asked for consent, it alone shows
"Allow USB debugging?", and the sticker with the code goes on it. So whoever sees that prompt knows which phone has the
code, even with three phones of one model on a hub. Then the phone is read in parallel with the others. Nothing is sent
to a phone before its owner's consent is recorded.

Longer than most modules because it is one state machine: a transition is only understood beside the others.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from privaudit.errors import PhoneError, PrivauditError
from privaudit.model import Message, Verdict
from privaudit.workshop import model
from privaudit.workshop.model import EXCLUSIVE_STAGES, AttachedDevice, DeviceRow, DeviceStage, WorkerEvent
from privaudit.workshop.storage import WorkshopFolder
from privaudit.workshop.worker import DeviceWorker

RECONNECT_GRACE_S: Final = 2.0
"""A phone may drop off the bus for a second, for instance when its owner chooses "File transfer"."""
REATTACHABLE_STAGES: Final = frozenset(
    {DeviceStage.BLOCKED, DeviceStage.QUEUED, DeviceStage.CONSENT, DeviceStage.AUTHORIZING}
)
"""Stages in which a phone that reconnects at once keeps its row: nothing has been read or written yet."""
_MAX_LEFT_ROWS: Final = 6
"""Rows of unplugged phones that are still shown."""
_WORKER_JOIN_TIMEOUT_S: Final = 5.0


class DeviceQueue:
    """The phones of a workshop.

    `create_worker` is called with the time of the owner's consent, `write_outputs` raises `PrivauditError` if it cannot
    write, `allow_unplug` gets a connection id, `on_row_change` each row that changed visibly. `clock` is monotonic, in
    seconds.
    """

    def __init__(
        self,
        folder: WorkshopFolder,
        *,
        create_worker: Callable[[AttachedDevice, datetime], DeviceWorker],
        write_outputs: Callable[[DeviceRow], None],
        allow_unplug: Callable[[str], None],
        on_row_change: Callable[[DeviceRow], None],
        default_language: str,
        clock: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._create_worker = create_worker
        self._write_outputs = write_outputs
        self._allow_unplug = allow_unplug
        self._on_row_change = on_row_change
        self._default_language = default_language
        self._clock = clock
        self.rows: list[DeviceRow] = []
        self.outcomes: list[tuple[bool, bool]] = []
        """For each finished phone: whether something was found, and whether the audit was complete."""
        self._stopped_workers: list[DeviceWorker] = []
        self._codes_by_token: dict[str, str] = {}

    def connected_rows(self) -> tuple[DeviceRow, ...]:
        """Return the rows of phones that are plugged in."""
        return tuple(row for row in self.rows if row.stage is not DeviceStage.LEFT)

    def find_row(self, code: str) -> DeviceRow | None:
        """Return the row with this case code, preferring a connected phone to one that was unplugged."""
        rows = [row for row in self.rows if row.code == code]
        return next((row for row in rows if row.stage is not DeviceStage.LEFT), rows[-1] if rows else None)

    def close(self) -> None:
        """Disconnect every phone and wait until its worker has ended."""
        for row in self.rows:
            self._disconnect(row)
        for worker in self._stopped_workers:  # also those stopped earlier: a worker notices a moment later
            worker.join(_WORKER_JOIN_TIMEOUT_S)

    def update_devices(self, devices: Sequence[AttachedDevice]) -> None:
        """Update the rows to the phones that are plugged in now."""
        now = self._clock()
        new_devices = {device.connection_id: device for device in devices}
        missing_rows = []
        for row in self.connected_rows():
            device = new_devices.pop(row.connection_id, None)
            if device is None:
                missing_rows.append(row)
            else:
                row.missing_since = None
                self._update_obstacle(row, device)
        new_by_port = {device.usb_port: device for device in new_devices.values()}
        for row in missing_rows:
            replacement = new_by_port.get(row.device.usb_port)
            if replacement is not None and self._has_reconnected(row, replacement):
                del new_devices[replacement.connection_id]
                continue
            row.missing_since = now if row.missing_since is None else row.missing_since
            if replacement is not None or now - row.missing_since >= RECONNECT_GRACE_S:
                self._mark_left(row)
        for device in new_devices.values():
            row = DeviceRow(
                device=device,
                stage=DeviceStage.QUEUED if device.obstacle is None else DeviceStage.BLOCKED,
                queued_at=now,
                language=self._default_language,
                error=device.obstacle,
            )
            self.rows.append(row)
            self._on_row_change(row)
        self._admit_next()

    def _update_obstacle(self, row: DeviceRow, device: AttachedDevice) -> None:
        """Block or unblock `row` when the phone becomes unreachable or reachable."""
        previous, row.device = row.device.obstacle, device
        if row.stage is DeviceStage.BLOCKED and device.obstacle is None:
            row.error = None
            self._set_stage(row, DeviceStage.QUEUED)
        elif row.stage is DeviceStage.BLOCKED and previous is not None and device.obstacle is not None:
            row.error = device.obstacle
            if previous.args != device.obstacle.args:
                self._on_row_change(row)
        elif row.stage is DeviceStage.QUEUED and device.obstacle is not None:
            row.error = device.obstacle
            self._set_stage(row, DeviceStage.BLOCKED)

    def _has_reconnected(self, row: DeviceRow, device: AttachedDevice) -> bool:
        """Whether `device` is the phone of `row` in another USB mode; if so, `row` is updated."""
        is_same_phone = device.serial is not None and device.serial == row.device.serial
        debugging_is_off = isinstance(device.obstacle, PhoneError) and device.obstacle.name == "debugging_off"
        if is_same_phone and debugging_is_off and row.stage is DeviceStage.DONE:
            row.device, row.missing_since = device, None
            self._disconnect(row)
            row.closing_checks = {**(row.closing_checks or {}), "usb": True}
            self._on_row_change(row)
            return True
        if not is_same_phone or row.stage not in REATTACHABLE_STAGES:
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
        left_rows = [other for other in self.rows if other.stage is DeviceStage.LEFT]
        for oldest in left_rows[:-_MAX_LEFT_ROWS]:
            self.rows.remove(oldest)

    def _disconnect(self, row: DeviceRow) -> None:
        if row.worker is not None:
            row.worker.stop()
            self._stopped_workers = [worker for worker in self._stopped_workers if worker.running] + [row.worker]
            row.worker = None

    def _admit_next(self) -> None:
        """Move the phone that has waited longest out of the queue, unless another is in an exclusive stage."""
        if any(row.stage in EXCLUSIVE_STAGES for row in self.rows):
            return
        waiting = [row for row in self.rows if row.stage is DeviceStage.QUEUED and row.missing_since is None]
        if not waiting:
            return
        row = min(waiting, key=lambda candidate: candidate.queued_at)
        row.code = row.code or self._folder.draw_code()
        if row.consented_at is None:
            self._set_stage(row, DeviceStage.CONSENT)
        else:
            self._start_worker(row)

    def _set_stage(self, row: DeviceRow, stage: DeviceStage) -> None:
        row.stage = stage
        self._on_row_change(row)

    def _start_worker(self, row: DeviceRow) -> None:
        assert row.consented_at is not None  # noqa: S101 - nothing is sent to a phone without consent
        row.prompt_shown, row.seconds_left, row.error = False, None, None
        row.worker = self._create_worker(row.device, row.consented_at)
        self._set_stage(row, DeviceStage.AUTHORIZING)
        row.worker.start()

    def handle_event(self, event: WorkerEvent) -> None:
        """Apply an event that a worker reported. Events of a phone that was unplugged or stopped are ignored."""
        row = next((row for row in self.connected_rows() if row.connection_id == event.connection_id), None)
        if row is None or row.worker is None:
            return
        match event:
            case model.AuthorizationRequested(_, waiting):
                is_first_request, row.prompt_shown = not row.prompt_shown, True
                row.fingerprint, row.seconds_left = waiting.fingerprint, waiting.seconds_left
                if is_first_request:
                    self._on_row_change(row)
            case model.Authorized(_, token):
                self._on_authorized(row, token)
            case model.AuditProgress(_, step):
                row.current_step = step
            case model.AuditFinished(_, report, capture):
                row.report, row.capture, row.current_step = report, capture, None
                self._save_outputs(row)
            case model.ClosingChecked(_, checks):
                row.closing_checks = {**(row.closing_checks or {}), **checks}
                self._on_row_change(row)
            case model.WorkerFailed(_, error) if row.stage is not DeviceStage.DONE:
                self._on_failure(row, error)
        self._admit_next()

    def _on_authorized(self, row: DeviceRow, token: str | None) -> None:
        if any(other.token == token for other in self.connected_rows() if other is not row and other.token is not None):
            token = None  # two phones with the same fingerprint cannot be distinguished by it
        row.token, row.error = token, None
        known_code = token and (self._codes_by_token.get(token) or self._folder.code_for_token(token))
        row.is_returning = known_code is not None
        row.code = known_code or row.code
        if token is not None and row.code is not None:
            self._codes_by_token[token] = row.code
            # The row that this phone had before it was unplugged: keep one row per phone.
            self.rows = [other for other in self.rows if other.stage is not DeviceStage.LEFT or other.code != row.code]
        self._set_stage(row, DeviceStage.LABELING)

    def _save_outputs(self, row: DeviceRow) -> None:
        """Write what is kept of `row`. Only then is the phone finished."""
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
        self._folder.count_failure(error.name)
        self._set_stage(row, DeviceStage.FAILED)

    def handle_key(self, key: str, row: DeviceRow) -> Message | None:
        """Do what `key` means for `row`. Returns a message if it cannot be done now."""
        stage, is_returning = row.stage, row.stage is DeviceStage.LABELING and row.is_returning
        actions: dict[str, tuple[bool, Callable[[DeviceRow], Message | None]]] = {
            # key: whether it can be done now, and what it does
            "c": (stage is DeviceStage.CONSENT, self._record_consent),
            "r": (stage not in {DeviceStage.REFUSED, DeviceStage.LEFT}, self._withdraw_consent),
            "x": (stage in EXCLUSIVE_STAGES, self._postpone),
            "s": (stage is DeviceStage.LABELING and row.worker is not None, self._confirm_label),
            "n": (row.awaiting_confirmation or is_returning, self._deny),
            "a": (stage in {DeviceStage.FAILED, DeviceStage.REFUSED, DeviceStage.DONE}, self._retry),
            "v": (stage is DeviceStage.DONE, self._request_confirmation),
            "y": (row.awaiting_confirmation, self._confirm_owner),
            "o": (stage is DeviceStage.DONE and row.worker is not None, self._check_debugging_off),
        }
        if key not in actions:
            return Message(key="workshop.no_such_key", values={"key": key})
        is_possible, action = actions[key]
        message = action(row) if is_possible else Message(key="workshop.not_now", values={"code": row.code or "?"})
        self._admit_next()
        return message

    def rewrite_outputs(self, row: DeviceRow) -> None:
        """Write what is kept of `row` again: in another language, or with the hash of the full report."""
        if row.stage is DeviceStage.DONE:
            self._save_outputs(row)

    def _record_consent(self, row: DeviceRow) -> None:
        row.consented_at = datetime.now(UTC).replace(microsecond=0)
        self._start_worker(row)

    def _withdraw_consent(self, row: DeviceRow) -> None:
        """Record a refusal before, during or after the audit, and delete what was kept."""
        self._disconnect(row)
        if row.stage is DeviceStage.DONE and row.code is not None:
            self._folder.delete_device(row.code)
        row.consented_at = row.report = row.capture = row.current_step = row.error = row.token = None
        row.awaiting_confirmation = row.owner_confirmed = row.saved = row.has_output = False
        self._set_stage(row, DeviceStage.REFUSED)
        self._allow_unplug(row.connection_id)

    def _postpone(self, row: DeviceRow) -> None:
        self._disconnect(row)
        row.queued_at = self._clock()
        self._set_stage(row, DeviceStage.QUEUED)

    def _confirm_label(self, row: DeviceRow) -> None:
        self._set_stage(row, DeviceStage.READING)
        if row.worker is not None:
            row.worker.start_reading()

    def _deny(self, row: DeviceRow) -> Message | None:
        """Record that phone and code do not belong together, or that a returning phone has no sticker."""
        if row.awaiting_confirmation:
            row.awaiting_confirmation = False
            return Message(key="workshop.not_confirmed", values={"code": row.code})
        # Another phone with the same fingerprint was here earlier: this one gets a code of its own.
        row.token, row.is_returning, row.code = None, False, self._folder.draw_code()
        self._on_row_change(row)
        return None

    def _retry(self, row: DeviceRow) -> None:
        if row.stage is DeviceStage.FAILED and row.report is not None:
            self._save_outputs(row)
            return
        row.report = row.capture = row.closing_checks = row.error = row.full_report_sha256 = None
        row.awaiting_confirmation = row.owner_confirmed = row.saved = False
        self._postpone(row)

    def _request_confirmation(self, row: DeviceRow) -> None:
        row.awaiting_confirmation = not row.owner_confirmed
        self._on_row_change(row)

    def _confirm_owner(self, row: DeviceRow) -> None:
        row.awaiting_confirmation, row.owner_confirmed = False, True
        self._on_row_change(row)
        self._allow_unplug(row.connection_id)

    def _check_debugging_off(self, row: DeviceRow) -> None:
        if row.worker is not None:
            row.worker.check_debugging_off()
