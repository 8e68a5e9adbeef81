"""What a workshop costs: eight phones at once against one, a hundred one after another, and the first word of help.

    .venv/bin/python benchmarks/workshop.py [--phones 100]

Prints figure, reference and ratio; ends with 1 where a ratio is over its budget. The phones run in a process of their
own, as real ones would, behind lines of 5 MB/s and 20 ms; what they answer is made beforehand. The reference for eight
is the time of one. For a hundred, memory after the last is compared with memory after the tenth, and threads and open
files must be as many as before the first. Words of help are measured from plugging in a phone that knows no key, and
from its owner's consent, against the two seconds that a person waits.
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

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from privaudit import knowledge, virtual_phone
from privaudit.audit import ReportOptions
from privaudit.i18n import Translator
from privaudit.transport import adb_auth, adb_device
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.faults import SimulatedLink
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
MOST_TIME = 2.0
MOST_MEMORY = 1.1
SECONDS_TO_HELP = 2.0
WARM = 10
"""Phones after which everything that is loaded once is loaded."""
STORIES = ("borrower", "hyperos", "coloros", "oneui", "emui5", "android16", "android6")
SLOW = "android6"
"""Its ADB takes 4 KB at a time: the slowest to read, whoever reads it."""


def remembered(table: Mapping[str, Program]) -> dict[str, Program]:
    """Programs that work out each answer once: a phone's own processor is none of ours."""
    known: dict[tuple[str, ...], ProgramResult] = {}

    def of(name: str, program: Program) -> Program:
        def run(argv: Sequence[str], stdin: bytes) -> ProgramResult:
            at = (name, *argv[1:])
            if name in {"date", "settings", "getprop"} or stdin:
                return program(argv, stdin)
            if at not in known:
                known[at] = program(argv, stdin)
            return known[at]

        return run

    return {name: of(name, program) for name, program in table.items()}


def serve(stories: Sequence[str], *, locked: bool) -> None:
    """Be phones, until the input ends. Locked ones let nobody in."""
    phones = []
    shared: dict[str, dict[str, Program]] = {}
    for number, story in enumerate(stories):
        told = virtual_phone.load_scenario(story)
        told = replace(told, properties={**told.properties, "ro.serialno": f"BENCH{number:04}"})
        table = build_programs(told)
        if story in shared:
            table = {**shared[story], "getprop": table["getprop"]}
        else:
            shared[story] = table = remembered(table)
        phone = virtual_phone.start_adbd(
            told, programs_by_name=table, key_policy=KeyPolicy(required=locked, answer="ignore")
        )
        phone.link = SimulatedLink(BYTES_PER_S, LATENCY_S)
        phones.append(phone)
    print(*(phone.port for phone in phones), flush=True)
    sys.stdin.read()


@contextmanager
def served(stories: Sequence[str], *, locked: bool = False) -> Iterator[list[int]]:
    """Ports of phones with these stories."""
    command = [sys.executable, __file__, *(["--locked"] if locked else []), "--serve", *stories]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as phones:
        assert phones.stdout is not None
        assert phones.stdin is not None
        yield [int(port) for port in phones.stdout.readline().split()]
        phones.stdin.close()


class Plugs:
    """`DeviceWatcher` of phones whose ports are known."""

    error = None
    is_finished = False

    def __init__(self, day_key: adb_auth.AdbKey) -> None:
        self.key = day_key
        self.here: dict[str, int] = {}
        self.skipped = 0.0
        """Seconds that nobody waited."""

    def clock(self) -> float:
        """The desk's clock."""
        return time.monotonic() + self.skipped

    def scan(self) -> tuple[AttachedDevice, ...]:
        """What is plugged in."""
        return tuple(
            AttachedDevice(
                connection_id=place,
                usb_port=place,
                serial=place,
                model="Phone",
                vendor=None,
                source_kind="demo",
                obstacle=None,
                connect=partial(self._connect, port),
            )
            for place, port in self.here.items()
        )

    def _connect(self, port: int, on_waiting: object) -> adb_device.AdbConnection:
        return adb_device.connect_tcp("127.0.0.1", port, key=self.key, on_waiting=on_waiting)  # type: ignore[arg-type]

    def allow_unplug(self, connection_id: str) -> None:
        """Pulled by hand."""

    def close(self) -> None:
        """Nothing is held."""


class Facilitator:
    """Agrees and puts stickers on at once. A `WorkshopView`."""

    def __init__(self, session: WorkshopSession, plugs: Plugs) -> None:
        self.session = session
        self.plugs = plugs
        session.view = self

    def update_row(self, row: DeviceRow) -> None:
        """Nothing to draw."""

    def show_message(self, message: object) -> None:
        """Nobody listens."""

    def handle_input(self, text: str) -> None:
        """Nobody presses."""

    def refresh(self) -> None:
        """Do what waits to be done."""
        for row in self.session.device_queue.connected_rows():
            if row.stage is DeviceStage.CONSENT:
                self.session.handle_device_key("c", row)
            elif row.stage is DeviceStage.LABELING:
                self.session.handle_device_key("s", row)
            assert row.stage is not DeviceStage.FAILED, row.error

    def through(self, ports: Mapping[str, int]) -> float:
        """Seconds from plugging these phones in to the last page."""
        began = time.monotonic()
        self.plugs.here = dict(ports)
        self.session.device_queue.update_devices(self.plugs.scan())
        self.refresh()
        while not all(row.stage is DeviceStage.DONE for row in self.session.device_queue.connected_rows()):
            try:
                self.session.handle_event(self.session.events.get(timeout=0.05))
            except queue.Empty:
                continue
        took = time.monotonic() - began
        rows = self.session.device_queue.connected_rows()
        assert len(rows) == len(ports)
        self.plugs.here = {}
        self.session.device_queue.update_devices(())
        self.plugs.skipped += RECONNECT_GRACE_S
        self.session.device_queue.update_devices(())
        assert not self.session.device_queue.connected_rows()
        for thread in threading.enumerate():
            if thread.name == "workshop: visit":
                thread.join()
        return took


@contextmanager
def workshop() -> Iterator[Facilitator]:
    """A workshop in a folder that goes again."""
    with tempfile.TemporaryDirectory() as folder, short_switch_interval():
        kept = WorkshopFolder(Path(folder) / "workshop", Retention.HANDOUT, demo=True)
        plugs = Plugs(adb_auth.generate())
        lists = knowledge.load_knowledge(demo=True)
        yield Facilitator(
            WorkshopSession(kept, plugs, lists, ReportOptions(), Translator("zh"), clock=plugs.clock), plugs
        )
        kept.close(keep_pages=False)


def eight(story: str) -> tuple[str, float, float, float]:
    """Eight phones at once against one."""
    with served([story] * (AT_ONCE + 2)) as ports, workshop() as table:
        table.through({"warm": ports[0]})
        one = min(table.through({f"one {turn}": ports[1]}) for turn in range(3))
        many = min(table.through({f"{turn} {port}": port for port in ports[2:]}) for turn in range(2))
    return f"eight at once ({story}), s", many, one, MOST_TIME


def mixed() -> tuple[str, float, float, float]:
    """Eight phones of different makers against the slowest of them."""
    stories = [*STORIES, "hyperos"]
    with served(stories) as ports, workshop() as table:
        table.through({"warm": ports[0]})
        one = max(table.through({f"one {number}": port}) for number, port in enumerate(ports))
        many = table.through({f"all {port}": port for port in ports})
    return "eight makers at once, against the slowest, s", many, one, MOST_TIME


def resident() -> float:
    """Megabytes that this process holds (Linux)."""
    gc.collect()
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise OSError("no VmRSS")


def open_files() -> int:
    """File descriptors of this process (Linux)."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - descriptors, not files


def hundred(count: int) -> list[tuple[str, float, float, float]]:
    """Many phones, one after another."""
    stories = [STORIES[number % (len(STORIES) - 1)] for number in range(count)]
    with served(stories) as ports, workshop() as table:
        before = warm = (0.0, 0, 0)
        for number, port in enumerate(ports):
            table.through({f"{number}": port})
            if number == 0:
                before = (resident(), threading.active_count(), open_files())
            if number == WARM - 1:
                warm = (resident(), threading.active_count(), open_files())
        after = (resident(), threading.active_count(), open_files())
        assert len(table.session.device_queue.rows) < WARM
    return [
        (f"MB after {count} phones, against after {WARM}", after[0], warm[0], MOST_MEMORY),
        (f"threads after {count}, against after the first", after[1], before[1], 1.0),
        (f"open files after {count}, against after the first", after[2], before[2], 1.0),
    ]


class Watcher(Facilitator):
    """Reads what the board says, and when."""

    def __init__(self, session: WorkshopSession, plugs: Plugs) -> None:
        super().__init__(session, plugs)
        self.said: queue.SimpleQueue[tuple[float, DeviceStage]] = queue.SimpleQueue()

    def update_row(self, row: DeviceRow) -> None:
        """Words on the board: when, and how far the phone is."""
        if next(controls.instructions(row, self.session.language, Retention.HANDOUT), None):
            self.said.put((time.monotonic(), DeviceStage.AUTHORIZING if row.prompt_shown else row.stage))

    def refresh(self) -> None:
        """Somebody else presses."""

    def handle_input(self, text: str) -> None:
        """Consent."""
        self.session.handle_device_key(text, self.session.device_queue.connected_rows()[0])

    def waits(self, stage: DeviceStage) -> float:
        """When the board first spoke of a phone that is so far."""
        while True:
            at, reached = self.said.get(timeout=60)
            if reached is stage:
                return at


def helped() -> list[tuple[str, float, float, float]]:
    """The first words for a phone that lets nobody in."""
    waits: dict[str, list[float]] = {"plugging in": [], "consent": []}
    with served(["hyperos"], locked=True) as ports, workshop() as table:
        watcher = Watcher(table.session, table.plugs)
        loop = threading.Thread(target=table.session.run)
        loop.start()
        for turn in range(5):
            time.sleep(0.23 * turn)  # at another moment between two looks
            began = time.monotonic()
            table.plugs.here = {f"{turn}": ports[0]}
            waits["plugging in"].append(watcher.waits(DeviceStage.CONSENT) - began)
            began = time.monotonic()
            table.session.events.put(KeyPress("c"))
            waits["consent"].append(watcher.waits(DeviceStage.AUTHORIZING) - began)
            table.plugs.here = {}
            while table.session.device_queue.connected_rows():
                table.plugs.skipped += RECONNECT_GRACE_S
                time.sleep(0.1)
        table.session.events.put(InputEnded())
        loop.join()
    return [(f"first words after {name}, s", max(times), SECONDS_TO_HELP, 1.0) for name, times in waits.items()]


def main() -> int:
    """Measure and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--locked", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--phones", type=int, default=100)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, locked=arguments.locked)
        return 0
    over = 0
    print(f"{'':52} {'figure':>10} {'reference':>10} {'ratio':>6}  budget")
    rows = [eight("hyperos"), eight("borrower"), mixed(), *hundred(arguments.phones), *helped()]
    for label, figure, reference, budget in rows:
        ratio = figure / reference
        over += ratio > budget
        print(
            f"{label:52} {figure:10,.2f} {reference:10,.2f} {ratio:6.3f}  {budget}{'  OVER' if ratio > budget else ''}"
        )
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
