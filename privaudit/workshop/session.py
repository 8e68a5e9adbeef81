"""A workshop while it runs: phones come and go, visits tell, a person presses keys. One loop hears them all."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from privaudit.audit import ReportOptions
from privaudit.errors import PhoneError, PrivauditError
from privaudit.i18n import Translator
from privaudit.i18n.catalog import languages
from privaudit.knowledge import Knowledge
from privaudit.model import Message
from privaudit.workshop.device_queue import DeviceQueue
from privaudit.workshop.device_watcher import POLL_INTERVAL_S, DeviceWatcher
from privaudit.workshop.model import MAX_CONCURRENT_READS, AttachedDevice, DeviceRow, DeviceStage, WorkerEvent
from privaudit.workshop.outputs import OutputWriter
from privaudit.workshop.storage import WorkshopFolder
from privaudit.workshop.worker import DeviceWorker, WorkerContext, short_switch_interval

REFRESH_INTERVAL_S: Final = 0.25
"""How often the board moves though nothing happens."""


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key, or in plain mode a line."""

    text: str


@dataclass(frozen=True, slots=True)
class InputEnded:
    """Nobody will press a key any more."""


@dataclass(frozen=True, slots=True)
class DeviceScan:
    """What is plugged in."""

    devices: tuple[AttachedDevice, ...]
    error: PhoneError | None


SessionEvent: TypeAlias = WorkerEvent | KeyPress | InputEnded | DeviceScan | None


class WorkshopView(Protocol):
    """Shows a session to a person, and turns keys into what is to be done."""

    def update_row(self, row: DeviceRow) -> None:
        """A row moved on."""
        ...

    def show_message(self, message: Message) -> None:
        """One sentence."""
        ...

    def handle_input(self, text: str) -> None:
        """A key or a line."""
        ...

    def refresh(self) -> None:
        """Time has passed."""
        ...


class WorkshopSession:
    """Runs until it is closed or left.

    Args:
        folder: where things are kept.
        arrivals: where phones come from.
        knowledge: the lists.
        wishes: what reports hold.
        language: the facilitator's.
        clock: seconds that pass.
    """

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
        self.outputs = OutputWriter(folder)
        self.events: queue.SimpleQueue[SessionEvent] = queue.SimpleQueue()
        self.view: WorkshopView | None = None
        self.closed = False
        self.watcher_error: PhoneError | None = None
        self._worker_context = WorkerContext(
            knowledge=knowledge,
            report_options=report_options,
            retention=folder.open_session.keep,
            salt=folder.open_session.salt,
            make_token=folder.make_token,
            read_slots=threading.BoundedSemaphore(MAX_CONCURRENT_READS),
            on_event=self.events.put,
            demo=folder.open_session.demo,
        )
        self.device_queue = DeviceQueue(
            folder,
            create_worker=lambda plugged, consented: DeviceWorker(plugged, consented, self._worker_context),
            write_outputs=self.outputs.write_outputs,
            allow_unplug=device_watcher.allow_unplug,
            on_row_change=self._on_row_change,
            default_language=language.code,
            clock=clock,
        )
        self._stopping = threading.Event()
        self._end_announced = False

    def _on_row_change(self, row: DeviceRow) -> None:
        if self.view is not None:
            self.view.update_row(row)

    def show_text(self, key: str, /, **values: str | int) -> None:
        """One sentence to the facilitator."""
        if self.view is not None:
            self.view.show_message(Message(key=key, values=values))

    # --- the loop ---

    def run(self) -> None:
        """Hear and act until `closed`, or until nobody presses keys any more."""
        with self._watching_devices(), short_switch_interval():
            while not self.closed:
                try:
                    happening = self.events.get(timeout=REFRESH_INTERVAL_S)
                except queue.Empty:
                    happening = None
                if isinstance(happening, InputEnded):
                    return
                self.handle_event(happening)

    def handle_event(self, event: SessionEvent) -> None:
        """Act on one thing that happened."""
        match event:
            case DeviceScan(phones, trouble):
                self.watcher_error = trouble
                self.device_queue.update_devices(phones)
                if (
                    self.device_watcher.is_finished
                    and not self.device_queue.connected_rows()
                    and not self._end_announced
                ):
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
        looker = threading.Thread(target=self._poll_devices, name="workshop: cables", daemon=True)
        looker.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.device_queue.close()
            looker.join()
            self.device_watcher.close()

    def _poll_devices(self) -> None:
        while not self._stopping.is_set():
            try:
                phones = self.device_watcher.scan()
            except PhoneError as error:
                self.events.put(DeviceScan((), error))
            else:
                self.events.put(DeviceScan(phones, self.device_watcher.error))
            self._stopping.wait(POLL_INTERVAL_S)

    # --- what a face asks for ---

    def handle_device_key(self, key: str, row: DeviceRow) -> None:
        """Do what `key` says with `row`, and tell why where it cannot be done."""
        said = self.device_queue.handle_key(key, row)
        if said is not None and self.view is not None:
            self.view.show_message(said)

    def switch_language(self, row: DeviceRow) -> None:
        """The owner's language: the next of those that privaudit speaks."""
        codes: Sequence[str] = languages()
        row.language = codes[(codes.index(row.language) + 1) % len(codes)]
        self.device_queue.rewrite_outputs(row)
        self._on_row_change(row)

    def export_full_report(self, row: DeviceRow, target_folder: Path) -> None:
        """The full report onto the owner's own stick; only for a row whose owner has confirmed it."""
        if not row.owner_confirmed or row.stage is not DeviceStage.DONE:
            self.show_text("workshop.not_now", code=row.code or "?")
            return
        try:
            path = self.outputs.export_full_report(row, target_folder)
        except PrivauditError as error:
            self._show_error(error)
            return
        self.device_queue.rewrite_outputs(row)
        self.show_text("workshop.full_saved", code=row.code or "?", path=str(path))

    def export_print_job(self) -> Path | None:
        """All pages as one file."""
        try:
            path = self.outputs.export_print_job()
        except PrivauditError as error:
            self._show_error(error)
            return None
        if path is None:
            self.show_text("workshop.no_pages")
        else:
            self.show_text("workshop.print_job", path=str(path))
        return path

    def close(self, *, keep_pages: bool) -> None:
        """End the workshop: count, destroy the secret, delete what is to be deleted."""
        try:
            self.folder.close(keep_pages=keep_pages)
        except PrivauditError as error:
            self._show_error(error)
            self.show_text("workshop.not_counted")
            return
        self.closed = True

    def _show_error(self, error: PrivauditError) -> None:
        if self.view is not None:
            for part in ("what", "why", "next"):
                self.view.show_message(getattr(error, part))
