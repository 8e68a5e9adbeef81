"""A running workshop: one loop handles device scans, worker events and keys; the view shows the result."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from privaudit.audit import ReportOptions
from privaudit.errors import PhoneError, PrivauditError
from privaudit.home import typed_path
from privaudit.i18n import Translator
from privaudit.i18n.catalog import languages
from privaudit.interruptible import join_thread
from privaudit.knowledge import Knowledge
from privaudit.model import Message
from privaudit.workshop import outputs
from privaudit.workshop.device_queue import DeviceQueue
from privaudit.workshop.device_watcher import POLL_INTERVAL_S, DeviceWatcher
from privaudit.workshop.model import MAX_CONCURRENT_READS, AttachedDevice, DeviceRow, DeviceStage, WorkerEvent
from privaudit.workshop.storage import WorkshopFolder
from privaudit.workshop.worker import DeviceWorker, WorkerContext, short_switch_interval

REFRESH_INTERVAL_S: Final = 0.25
"""How often the view is refreshed when no event arrives."""


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key, or in plain mode a line."""

    text: str


@dataclass(frozen=True, slots=True)
class InputEnded:
    """Standard input was closed."""


@dataclass(frozen=True, slots=True)
class DeviceScan:
    """Result of one scan for attached phones."""

    devices: tuple[AttachedDevice, ...]
    error: PhoneError | None


SessionEvent: TypeAlias = WorkerEvent | KeyPress | InputEnded | DeviceScan | None
"""``None``: no event arrived within `REFRESH_INTERVAL_S`."""


class WorkshopView(Protocol):
    """Shows a session to the facilitator and turns input into actions."""

    def update_row(self, row: DeviceRow) -> None:
        """Show a row that changed."""

    def show_message(self, message: Message) -> None:
        """Show one sentence to the facilitator."""

    def handle_input(self, text: str) -> None:
        """Act on a key or a line."""

    def refresh(self) -> None:
        """Update what changes with time."""


class WorkshopSession:
    """Runs until it is closed or the input ends. `language` is the facilitator's; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        folder: WorkshopFolder,
        device_watcher: DeviceWatcher,
        knowledge: Knowledge,
        report_options: ReportOptions,
        language: Translator,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.device_watcher = device_watcher
        self.language = language
        self.events: queue.SimpleQueue[SessionEvent] = queue.SimpleQueue()
        self.view: WorkshopView | None = None
        self.closed = False
        self.watcher_error: PhoneError | None = None
        worker_context = WorkerContext(
            knowledge=knowledge,
            report_options=report_options,
            open_session=folder.open_session,
            make_token=folder.make_token,
            read_slots=threading.BoundedSemaphore(MAX_CONCURRENT_READS),
            on_event=self.events.put,
        )
        self.device_queue = DeviceQueue(
            folder,
            create_worker=lambda device, consented_at: DeviceWorker(device, consented_at, worker_context),
            write_outputs=partial(outputs.write_outputs, folder),
            allow_unplug=device_watcher.allow_unplug,
            on_row_change=self._on_row_change,
            default_language=language.code,
            clock=clock,
        )
        self._stopping = threading.Event()
        self._end_announced = False

    def run(self) -> None:
        """Handle events until the session is closed or the input ends."""
        with self._watching_devices(), short_switch_interval():
            while not self.closed:
                try:
                    event = self.events.get(timeout=REFRESH_INTERVAL_S)
                except queue.Empty:
                    event = None
                if isinstance(event, InputEnded):
                    return
                self.handle_event(event)

    def handle_event(self, event: SessionEvent) -> None:
        """Handle one event and refresh the view."""
        match event:
            case DeviceScan(devices, error):
                self.watcher_error = error
                self.device_queue.update_devices(devices)
                rehearsal_is_over = self.device_watcher.is_finished and not self.device_queue.connected_rows()
                if rehearsal_is_over and not self._end_announced:
                    self._end_announced = True
                    self.show_text("workshop.rehearsal_over")
            case WorkerEvent():
                self.device_queue.handle_event(event)
            case KeyPress(text) if self.view is not None:
                self.view.handle_input(text)
        if self.view is not None:
            self.view.refresh()

    @contextlib.contextmanager
    def _watching_devices(self) -> Iterator[None]:
        thread = threading.Thread(target=self._poll_devices, name="workshop: device scan", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.device_queue.close()
            join_thread(thread)
            self.device_watcher.close()

    def _poll_devices(self) -> None:
        while not self._stopping.is_set():
            try:
                scan = DeviceScan(self.device_watcher.scan(), self.device_watcher.error)
            except PhoneError as error:
                scan = DeviceScan((), error)
            self.events.put(scan)
            self._stopping.wait(POLL_INTERVAL_S)

    def show_text(self, key: str, /, **values: str | int) -> None:
        """Show the sentence with `key` to the facilitator."""
        if self.view is not None:
            self.view.show_message(Message(key=key, values=values))

    def _show_error(self, error: PrivauditError) -> None:
        if self.view is not None:
            for message in (error.what, error.why, error.next):
                self.view.show_message(message)

    def _on_row_change(self, row: DeviceRow) -> None:
        if self.view is not None:
            self.view.update_row(row)

    def handle_device_key(self, key: str, row: DeviceRow) -> None:
        """Do what `key` means for `row`; show why if it cannot be done now."""
        message = self.device_queue.handle_key(key, row)
        if message is not None and self.view is not None:
            self.view.show_message(message)

    def switch_language(self, row: DeviceRow) -> None:
        """Switch the owner's language to the next one and write the page again."""
        codes = languages()
        row.language = codes[(codes.index(row.language) + 1) % len(codes)]
        self.device_queue.rewrite_outputs(row)
        self._on_row_change(row)

    def export_full_report(self, row: DeviceRow, target_folder: str) -> None:
        """Write the full report to the owner's own drive; only if the owner has confirmed phone and code."""
        if not row.owner_confirmed or row.stage is not DeviceStage.DONE:
            self.show_text("workshop.not_now", code=row.code or "?")
            return
        try:
            path = outputs.export_full_report(self.folder, row, typed_path(target_folder))
        except PrivauditError as error:
            self._show_error(error)
            return
        self.device_queue.rewrite_outputs(row)
        self.show_text("workshop.full_saved", code=row.code or "?", path=str(path))

    def export_print_job(self) -> Path | None:
        """Write all pages to one file; ``None``: there are none, or it could not be written."""
        try:
            path = outputs.export_print_job(self.folder)
        except PrivauditError as error:
            self._show_error(error)
            return None
        if path is None:
            self.show_text("workshop.no_pages")
        else:
            self.show_text("workshop.print_job", path=str(path))
        return path

    def close(self, *, keep_pages: bool) -> None:
        """End the workshop: write the counts, then destroy the secret and what is not to be kept."""
        try:
            self.folder.close(keep_pages=keep_pages)
        except PrivauditError as error:
            self._show_error(error)
            self.show_text("workshop.not_counted")
            return
        self.closed = True
