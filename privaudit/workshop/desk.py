"""What a facilitator may do with each phone, and when. Nothing is asked of a phone before consent is recorded."""

from __future__ import annotations

from collections.abc import Callable

from privaudit.model import Message
from privaudit.workshop.hearing import DeviceQueueEvents
from privaudit.workshop.model import EXCLUSIVE_STAGES, DeviceRow, DeviceStage
from privaudit.workshop.worker import utc_now


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
