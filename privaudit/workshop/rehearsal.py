"""Rehearsals: virtual phones of different vendors that arrive at random, let their owners answer, and leave.

Each is a real ADB daemon on loopback. One in six is unplugged while it is read and comes back, as with a loose cable.
"""

import random
import time
from dataclasses import dataclass, replace
from typing import Final

from privaudit import virtual_phone
from privaudit.errors import PhoneError
from privaudit.transport import adb_device, vendors
from privaudit.transport.adb_auth import AdbKey
from privaudit.transport.base import OnWaiting, Transport
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.virtual_phone.adbd.wire import SimulatedLink
from privaudit.workshop.model import MAX_CONCURRENT_READS, AttachedDevice

ARRIVAL_INTERVAL_S: Final = 20.0
"""Average time from one phone to the next, unless the facilitator chooses another."""
_LOOSE_CABLE_ONE_IN: Final = 6
_LOOSE_CABLE_INTERVALS: Final = 4.0
"""A phone with a loose cable is unplugged after so many arrival intervals, if it has not been cut off before."""
_LOOSE_CABLE_BYTES: Final = (8_000, 40_000)
"""Range of bytes after which a loose cable cuts the connection."""
_ANSWER_INTERVALS: Final = (0.1, 0.4)
"""Range of the time until an owner taps "Allow", in arrival intervals."""
_LEAVE_INTERVALS: Final = (0.2, 1.0)
"""Range of the time until an owner unplugs a phone that is done, in arrival intervals."""
_LINK_SPEED: Final = (20e6, 0.003)
"""Bytes a second and seconds of latency of a common USB 2.0 cable."""


@dataclass(slots=True)
class _ScheduledPhone:
    scenario: str
    number: int
    plug_at: float
    name: str | None = None
    daemon: AdbdServer | None = None
    plug_count: int = 0
    unplug_at: float | None = None
    has_loose_cable: bool = False
    is_gone: bool = False

    @property
    def connection_id(self) -> str:
        return f"demo {self.number}.{self.plug_count}"

    @property
    def serial(self) -> str:
        """Serial number: each phone has its own, though several play the same scenario."""
        return f"REHEARSAL{self.number:04}"


class RehearsalWatcher:
    """`DeviceWatcher` of `device_count` virtual phones."""

    def __init__(self, device_count: int, key: AdbKey, *, arrival_interval_s: float) -> None:
        self.key = key
        self.error: PhoneError | None = None
        self._rng = random.Random()  # noqa: S311 - not used for secrets
        self._arrival_interval_s = arrival_interval_s
        self._schedule: list[_ScheduledPhone] = []
        names = virtual_phone.scenario_names()
        scenarios = [names[number % len(names)] for number in range(device_count)]
        self._rng.shuffle(scenarios)
        loose_cables = self._rng.sample(range(device_count), device_count // _LOOSE_CABLE_ONE_IN)
        plug_at = time.monotonic()
        for number, scenario in enumerate(scenarios):
            self._schedule.append(_ScheduledPhone(scenario, number, plug_at, has_loose_cable=number in loose_cables))
            plug_at += self._rng.expovariate(1 / self._arrival_interval_s)

    @property
    def is_finished(self) -> bool:
        """Whether every phone has come and gone."""
        return all(scheduled.is_gone for scheduled in self._schedule)

    def scan(self) -> tuple[AttachedDevice, ...]:
        """See `DeviceWatcher.scan`. Also plugs and unplugs the phones whose time has come."""
        now = time.monotonic()
        for scheduled in self._schedule:
            if scheduled.daemon is not None and scheduled.unplug_at is not None and now >= scheduled.unplug_at:
                self._unplug(scheduled, now)
        free_slots = MAX_CONCURRENT_READS - sum(scheduled.daemon is not None for scheduled in self._schedule)
        waiting = [scheduled for scheduled in self._schedule if not scheduled.is_gone and scheduled.daemon is None]
        for scheduled in [scheduled for scheduled in waiting if now >= scheduled.plug_at][: max(0, free_slots)]:
            self._plug(scheduled, now)
        running = ((scheduled, scheduled.daemon) for scheduled in self._schedule)
        return tuple(self._attached_device(scheduled, daemon) for scheduled, daemon in running if daemon is not None)

    def allow_unplug(self, connection_id: str) -> None:
        """See `DeviceWatcher.allow_unplug`. The owner unplugs the phone some time later."""
        for scheduled in self._schedule:
            if scheduled.daemon is not None and scheduled.connection_id == connection_id:
                delay_s = self._rng.uniform(*_LEAVE_INTERVALS) * self._arrival_interval_s
                scheduled.unplug_at = time.monotonic() + delay_s

    def close(self) -> None:
        """Stop every phone."""
        for scheduled in self._schedule:
            daemon, scheduled.daemon, scheduled.is_gone = scheduled.daemon, None, True
            if daemon is not None:
                daemon.close()

    def _plug(self, scheduled: _ScheduledPhone, now: float) -> None:
        phone = virtual_phone.load_scenario(scheduled.scenario)
        phone = replace(phone, properties={**phone.properties, "ro.serialno": scheduled.serial})
        manufacturer, model = (phone.properties.get(f"ro.product.{name}", "") for name in ("manufacturer", "model"))
        scheduled.name = f"{manufacturer} {model}".strip()
        answer_after_s = self._rng.uniform(*_ANSWER_INTERVALS) * min(self._arrival_interval_s, ARRIVAL_INTERVAL_S)
        daemon = virtual_phone.start_adbd(phone, key_policy=KeyPolicy(answer=answer_after_s))
        daemon.link = SimulatedLink(*_LINK_SPEED)
        scheduled.daemon, scheduled.plug_count, scheduled.unplug_at = daemon, scheduled.plug_count + 1, None
        if scheduled.has_loose_cable and scheduled.plug_count == 1:
            daemon.faults.disconnect_after(self._rng.randrange(*_LOOSE_CABLE_BYTES))
            scheduled.unplug_at = now + _LOOSE_CABLE_INTERVALS * self._arrival_interval_s

    def _unplug(self, scheduled: _ScheduledPhone, now: float) -> None:
        daemon, scheduled.daemon, scheduled.unplug_at = scheduled.daemon, None, None
        if daemon is not None:
            daemon.close()
        if scheduled.has_loose_cable and scheduled.plug_count == 1:
            scheduled.plug_at = now + self._arrival_interval_s
        else:
            scheduled.is_gone = True

    def _attached_device(self, scheduled: _ScheduledPhone, daemon: AdbdServer) -> AttachedDevice:
        def connect(on_waiting: OnWaiting) -> Transport:
            return adb_device.connect_tcp(daemon.host, daemon.port, key=self.key, on_waiting=on_waiting)

        return AttachedDevice(
            connection_id=scheduled.connection_id,
            usb_port=f"demo {scheduled.number}",
            serial=scheduled.serial,
            model=scheduled.name,
            vendor=vendors.detect_brand(scheduled.name),
            source_kind="demo",
            obstacle=None,
            connect=connect,
        )
