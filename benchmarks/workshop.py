"""What a workshop costs: eight phones at once, a hundred one after another, and the time to the first instruction.

    .venv/bin/python -m benchmarks.workshop [--phones 100]

The phones run in a process of their own, as real ones would, behind connections of 5 MB/s and 20 ms; their answers are
computed beforehand. The reference for eight phones is the time of one. For a hundred, memory after the last is compared
with memory after the tenth, and there must be as many threads and open files as after the first. Instructions are
measured from plugging in a phone that has not authorised the computer, and from its owner's consent, against the two
seconds that a person waits.
"""

from __future__ import annotations

import argparse
import gc
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.measure import ROOT, Outcome, Row, compare
from benchmarks.results import publish
from privaudit import knowledge, virtual_phone
from privaudit.audit import ReportOptions
from privaudit.i18n import Translator
from privaudit.transport import adb_auth, adb_device
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.wire import SimulatedLink
from privaudit.virtual_phone.programs import build_programs
from privaudit.virtual_phone.shell import Program, ProgramResult
from privaudit.workshop import controls
from privaudit.workshop.device_queue import RECONNECT_GRACE_S
from privaudit.workshop.model import AttachedDevice, DeviceRow, DeviceStage, Retention
from privaudit.workshop.session import InputEnded, KeyPress, WorkshopSession
from privaudit.workshop.storage import WorkshopFolder
from privaudit.workshop.worker import short_switch_interval

BYTES_PER_S = 5e6
LATENCY_S = 0.02
AT_ONCE = 8
PHONES = 100
MAX_TIME_RATIO = 2.0
MAX_MEMORY_RATIO = 1.1
INSTRUCTION_S = 2.0
WARM_UP_PHONES = 10
"""Phones after which everything that is loaded once is loaded."""
SCENARIOS = ("borrower", "hyperos", "coloros", "oneui", "emui5", "android16", "android6")
"""The last one's ADB transfers 4 KB at a time, so it is the slowest to read: phones one after another leave it out."""


# --- Phones -----------------------------------------------------------------------------------------------------------


def cache_results(programs: Mapping[str, Program]) -> dict[str, Program]:
    """Return programs that compute each result once: the processor time of a phone is not ours."""
    cache: dict[tuple[str, ...], ProgramResult] = {}

    def cached(name: str, program: Program) -> Program:
        def run(argv: Sequence[str], stdin: bytes) -> ProgramResult:
            key = (name, *argv[1:])
            if name in {"date", "settings", "getprop"} or stdin:
                return program(argv, stdin)
            if key not in cache:
                cache[key] = program(argv, stdin)
            return cache[key]

        return run

    return {name: cached(name, program) for name, program in programs.items()}


def serve(scenario_names: Sequence[str], *, locked: bool) -> None:
    """Be the phones: print their ports, and run until standard input ends. Locked phones authorise nobody."""
    phones = []
    programs_by_scenario: dict[str, dict[str, Program]] = {}
    for number, name in enumerate(scenario_names):
        scenario = virtual_phone.load_scenario(name)
        scenario = replace(scenario, properties={**scenario.properties, "ro.serialno": f"BENCH{number:04}"})
        programs = build_programs(scenario)
        if name in programs_by_scenario:
            programs = {**programs_by_scenario[name], "getprop": programs["getprop"]}
        else:
            programs_by_scenario[name] = programs = cache_results(programs)
        policy = KeyPolicy(required=locked, answer="ignore")
        phone = virtual_phone.start_adbd(scenario, programs_by_name=programs, key_policy=policy)
        phone.link = SimulatedLink(BYTES_PER_S, LATENCY_S)
        phones.append(phone)
    print(*(phone.port for phone in phones), flush=True)
    sys.stdin.read()


@contextmanager
def phone_process(scenario_names: Sequence[str], *, locked: bool = False) -> Iterator[list[int]]:
    """Run phones in a process of their own; the context gives their ports."""
    options = ["--locked"] if locked else []
    command = [sys.executable, "-m", "benchmarks.workshop", *options, "--serve", *scenario_names]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as phones:
        assert phones.stdout is not None
        assert phones.stdin is not None
        yield [int(port) for port in phones.stdout.readline().split()]
        phones.stdin.close()


# --- A workshop without people ----------------------------------------------------------------------------------------


class FakeWatcher:
    """A `DeviceWatcher` of phones at given ports."""

    error = None
    is_finished = False

    def __init__(self, session_key: adb_auth.AdbKey) -> None:
        self.key = session_key
        self.ports: dict[str, int] = {}
        """Connection id → port of each phone that is plugged in."""
        self.skipped_s = 0.0
        """Seconds by which the clock was advanced."""

    def clock(self) -> float:
        """The session's clock."""
        return time.monotonic() + self.skipped_s

    def scan(self) -> tuple[AttachedDevice, ...]:
        """Return the phones that are plugged in."""
        return tuple(
            AttachedDevice(
                connection_id=connection_id,
                usb_port=connection_id,
                serial=connection_id,
                model="Phone",
                vendor=None,
                source_kind="demo",
                obstacle=None,
                connect=partial(self._connect, port),
            )
            for connection_id, port in self.ports.items()
        )

    def _connect(self, port: int, on_waiting: object) -> adb_device.AdbConnection:
        return adb_device.connect_tcp("127.0.0.1", port, key=self.key, on_waiting=on_waiting)  # type: ignore[arg-type]

    def allow_unplug(self, connection_id: str) -> None:
        """Nothing to release."""

    def close(self) -> None:
        """Nothing to close."""


class Facilitator:
    """Gives consent and attaches labels at once. A `WorkshopView`."""

    def __init__(self, session: WorkshopSession, watcher: FakeWatcher) -> None:
        self.session = session
        self.watcher = watcher
        session.view = self

    def update_row(self, row: DeviceRow) -> None:
        """Nothing to draw."""

    def show_message(self, message: object) -> None:
        """Nothing to show."""

    def handle_input(self, text: str) -> None:
        """No keys are pressed."""

    def refresh(self) -> None:
        """Press the key that each phone waits for."""
        for row in self.session.device_queue.connected_rows():
            if row.stage is DeviceStage.CONSENT:
                self.session.handle_device_key("c", row)
            elif row.stage is DeviceStage.LABELING:
                self.session.handle_device_key("s", row)
            assert row.stage is not DeviceStage.FAILED, row.error

    def process(self, ports: Mapping[str, int]) -> float:
        """Plug phones in and unplug them when all are done; return the seconds until then."""
        device_queue = self.session.device_queue
        start = time.monotonic()
        self.watcher.ports = dict(ports)
        device_queue.update_devices(self.watcher.scan())
        self.refresh()
        while not all(row.stage is DeviceStage.DONE for row in device_queue.connected_rows()):
            try:
                self.session.handle_event(self.session.events.get(timeout=0.05))
            except queue.Empty:
                continue
        seconds = time.monotonic() - start
        assert len(device_queue.connected_rows()) == len(ports)
        self.watcher.ports = {}
        device_queue.update_devices(())
        self.watcher.skipped_s += RECONNECT_GRACE_S
        device_queue.update_devices(())
        assert not device_queue.connected_rows()
        for thread in threading.enumerate():
            if thread.name == "workshop: visit":
                thread.join()
        return seconds


@contextmanager
def workshop() -> Iterator[Facilitator]:
    """Open a workshop in a temporary folder."""
    with tempfile.TemporaryDirectory() as scratch, short_switch_interval():
        folder = WorkshopFolder(Path(scratch) / "workshop", Retention.HANDOUT, demo=True)
        watcher = FakeWatcher(adb_auth.generate())
        lists = knowledge.load_knowledge(demo=True)
        session = WorkshopSession(folder, watcher, lists, ReportOptions(), Translator("zh"), clock=watcher.clock)
        yield Facilitator(session, watcher)
        folder.close(keep_pages=False)


# --- Measuring --------------------------------------------------------------------------------------------------------


def measure_eight(scenario_name: str) -> Row:
    """Compare eight phones of one kind at once with one of them."""
    with phone_process([scenario_name] * (AT_ONCE + 2)) as ports, workshop() as facilitator:
        facilitator.process({"warm-up": ports[0]})
        one = min(facilitator.process({f"one {number}": ports[1]}) for number in range(3))
        eight = min(facilitator.process({f"{number} {port}": port for port in ports[2:]}) for number in range(2))
    return _time_row(f"eight at once ({scenario_name})", eight, one, "one")


def measure_mixed() -> Row:
    """Compare eight phones of different makers at once with the slowest of them."""
    with phone_process([*SCENARIOS, "hyperos"]) as ports, workshop() as facilitator:
        facilitator.process({"warm-up": ports[0]})
        slowest = max(facilitator.process({f"one {number}": port}) for number, port in enumerate(ports))
        eight = facilitator.process({f"all {port}": port for port in ports})
    return _time_row("eight of different makers at once", eight, slowest, "the slowest alone")


def _time_row(what: str, ours: float, reference: float, reference_name: str) -> Row:
    return Row(
        what=what, ours=ours, unit="s", reference=reference, reference_name=reference_name, budget=MAX_TIME_RATIO
    )


def measure_many(count: int) -> list[Row]:
    """Compare memory, threads and open files after many phones with those after a few."""
    scenario_names = [SCENARIOS[number % (len(SCENARIOS) - 1)] for number in range(count)]
    with phone_process(scenario_names) as ports, workshop() as facilitator:
        first = warm = (0.0, 0, 0)
        for number, port in enumerate(ports, 1):
            facilitator.process({f"{number}": port})
            if number == 1:
                first = _resources()
            if number == WARM_UP_PHONES:
                warm = _resources()
        last = _resources()
        assert len(facilitator.session.device_queue.rows) < WARM_UP_PHONES
    return [
        Row(
            what=f"memory after {count} phones",
            ours=last[0],
            unit="MB",
            reference=warm[0],
            reference_name=f"after {WARM_UP_PHONES}",
            budget=MAX_MEMORY_RATIO,
        ),
        Row(
            what=f"threads after {count} phones",
            ours=last[1],
            unit="",
            reference=first[1],
            reference_name="after the first",
            budget=1.0,
        ),
        Row(
            what=f"open files after {count} phones",
            ours=last[2],
            unit="",
            reference=first[2],
            reference_name="after the first",
            budget=1.0,
        ),
    ]


def _resources() -> tuple[float, int, int]:
    """Return the resident megabytes, threads and open files of this process (Linux)."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    descriptors = os.listdir("/proc/self/fd")  # noqa: PTH208 - descriptors, not files
    return resident_kb / 1000, threading.active_count(), len(descriptors)


class InstructionTimer(Facilitator):
    """Notes when the board first instructs what to do, and presses nothing on its own."""

    def __init__(self, session: WorkshopSession, watcher: FakeWatcher) -> None:
        super().__init__(session, watcher)
        self.instructions: queue.SimpleQueue[tuple[float, DeviceStage]] = queue.SimpleQueue()

    def update_row(self, row: DeviceRow) -> None:
        """Note the time and the stage of a phone that has instructions."""
        if next(controls.instructions(row, self.session.language, Retention.HANDOUT), None):
            stage = DeviceStage.AUTHORIZING if row.prompt_shown else row.stage
            self.instructions.put((time.monotonic(), stage))

    def refresh(self) -> None:
        """Press nothing."""

    def handle_input(self, text: str) -> None:
        """Pass a key on to the only phone."""
        self.session.handle_device_key(text, self.session.device_queue.connected_rows()[0])

    def wait_for(self, expected: DeviceStage) -> float:
        """Return when the board first showed instructions for a phone at this stage."""
        while True:
            at, stage = self.instructions.get(timeout=60)
            if stage is expected:
                return at


def measure_instructions() -> list[Row]:
    """Measure the longest wait for instructions on a phone that authorises nobody."""
    waits: dict[str, list[float]] = {"plugging in": [], "consent": []}
    with phone_process(["hyperos"], locked=True) as ports, workshop() as facilitator:
        session, watcher = facilitator.session, facilitator.watcher
        timer = InstructionTimer(session, watcher)
        loop = threading.Thread(target=session.run)
        loop.start()
        for number in range(5):
            time.sleep(0.23 * number)  # at varying moments between two scans
            start = time.monotonic()
            watcher.ports = {f"{number}": ports[0]}
            waits["plugging in"].append(timer.wait_for(DeviceStage.CONSENT) - start)
            start = time.monotonic()
            session.events.put(KeyPress("c"))
            waits["consent"].append(timer.wait_for(DeviceStage.AUTHORIZING) - start)
            watcher.ports = {}
            while session.device_queue.connected_rows():
                watcher.skipped_s += RECONNECT_GRACE_S
                time.sleep(0.1)
        session.events.put(InputEnded())
        loop.join()
    return [
        Row(
            what=f"first instruction after {event}",
            ours=max(seconds),
            unit="s",
            reference=INSTRUCTION_S,
            reference_name="budget",
            budget=1.0,
        )
        for event, seconds in waits.items()
    ]


def measure(phones: int) -> Outcome:
    """Measure and compare."""
    rows = [
        measure_eight("hyperos"),
        measure_eight("borrower"),
        measure_mixed(),
        *measure_many(phones),
        *measure_instructions(),
    ]
    note = "Phones are simulated behind connections of 5 MB/s and 20 ms; all of them need the same processor."
    return compare(rows, note=note)


def main() -> int:
    """Measure, or be the phones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--locked", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--phones", type=int, default=PHONES, help="with another number, only prints the result")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, locked=arguments.locked)
        return 0
    return publish("workshop", lambda: measure(arguments.phones), is_complete=arguments.phones == PHONES)


if __name__ == "__main__":
    sys.exit(main())
