"""Phones to practise with: the demo's, of different makers, which come at random, answer their owner's taps and go.

Each is a real ADB daemon on loopback. One in six is pulled in the middle and comes back, as on a loose hub.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from privaudit import virtual_phone
from privaudit.errors import PhoneError
from privaudit.transport import adb_device, vendors
from privaudit.transport.adb_auth import AdbKey
from privaudit.transport.base import OnWaiting, Transport
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.faults import SimulatedLink
from privaudit.virtual_phone.adbd.server import AdbdServer
from privaudit.workshop.model import MAX_CONCURRENT_READS, AttachedDevice

ARRIVAL_INTERVAL_S: Final = 20.0
"""About how long from one phone to the next, where nobody says otherwise."""
_LOOSE_CABLE_ONE_IN: Final = 6
"""One in so many is pulled in the middle."""
_LOOSE_CABLE_INTERVALS: Final = 4.0
"""A loose cable is pulled for good after so many paces."""
_LINK_SPEED: Final = (20e6, 0.003)
"""Bytes a second and seconds of latency: a cable of today."""


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
    """Is pulled in the middle, once."""
    is_gone: bool = False


class RehearsalWatcher:
    """`DeviceWatcher` of `available_cores` demo phones.

    Args:
        count: how many come.
        key: the day's.
        pace_s: seconds from one to the next, about.
        dice: chance; of a fixed seed in tests.
        clock: seconds that pass.
    """

    def __init__(
        self,
        device_count: int,
        key: AdbKey,
        *,
        arrival_interval_s: float = ARRIVAL_INTERVAL_S,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.key = key
        self.error: PhoneError | None = None
        self._rng = rng or random.Random()  # noqa: S311 - nothing secret
        self._arrival_interval_s = arrival_interval_s
        self._clock = clock
        stories = virtual_phone.scenario_names()
        order = [stories[number % len(stories)] for number in range(device_count)]
        self._rng.shuffle(order)
        loose = self._rng.sample(range(device_count), device_count // _LOOSE_CABLE_ONE_IN)
        at = clock()
        self._schedule: list[_ScheduledPhone] = []
        for number, story in enumerate(order):
            self._schedule.append(_ScheduledPhone(story, number, at, has_loose_cable=number in loose))
            at += self._rng.expovariate(1 / arrival_interval_s)

    @property
    def is_finished(self) -> bool:
        """Whether every phone has come and gone."""
        return all(guest.is_gone for guest in self._schedule)

    def scan(self) -> tuple[AttachedDevice, ...]:
        """See `DeviceWatcher.look`; here the phones also come and go."""
        now = self._clock()
        for guest in self._schedule:
            if guest.daemon is not None and guest.unplug_at is not None and now >= guest.unplug_at:
                self._unplug(guest, now)
        free = MAX_CONCURRENT_READS - sum(guest.daemon is not None for guest in self._schedule)
        waiting = [one for one in self._schedule if not one.is_gone and one.daemon is None and now >= one.plug_at]
        for guest in waiting[: max(0, free)]:
            self._plug(guest, now)
        return tuple(self._attached_device(guest) for guest in self._schedule if guest.daemon is not None)

    def _plug(self, scheduled: _ScheduledPhone, now: float) -> None:
        told = virtual_phone.load_scenario(scheduled.scenario)
        # Each is a phone of its own, though its story is told more than once.
        told = replace(told, properties={**told.properties, "ro.serialno": f"REHEARSAL{scheduled.number:04}"})
        scheduled.name = " ".join(
            told.properties.get(f"ro.product.{name}", "") for name in ("manufacturer", "model")
        ).strip()
        taps_after = self._rng.uniform(0.1, 0.4) * min(self._arrival_interval_s, ARRIVAL_INTERVAL_S)
        phone = virtual_phone.start_adbd(told, key_policy=KeyPolicy(answer=taps_after))
        phone.link = SimulatedLink(*_LINK_SPEED)
        scheduled.daemon, scheduled.plug_count, scheduled.unplug_at = phone, scheduled.plug_count + 1, None
        if scheduled.has_loose_cable and scheduled.plug_count == 1:
            phone.faults.disconnect_after(self._rng.randrange(8_000, 40_000))
            scheduled.unplug_at = now + _LOOSE_CABLE_INTERVALS * self._arrival_interval_s

    def _unplug(self, scheduled: _ScheduledPhone, now: float) -> None:
        phone, scheduled.daemon, scheduled.unplug_at = scheduled.daemon, None, None
        if phone is not None:
            phone.close()
        if scheduled.has_loose_cable and scheduled.plug_count == 1:
            scheduled.plug_at = now + self._arrival_interval_s
        else:
            scheduled.is_gone = True

    def _attached_device(self, scheduled: _ScheduledPhone) -> AttachedDevice:
        assert scheduled.daemon is not None  # noqa: S101 - the caller looked
        return AttachedDevice(
            connection_id=f"demo {scheduled.number}.{scheduled.plug_count}",
            usb_port=f"demo {scheduled.number}",
            serial=f"REHEARSAL{scheduled.number:04}",
            model=scheduled.name,
            vendor=vendors.detect_brand(scheduled.name),
            source_kind="demo",
            obstacle=None,
            connect=partial(self._connect, scheduled.daemon),
        )

    def _connect(self, phone: AdbdServer, on_waiting: OnWaiting) -> Transport:
        return adb_device.connect_tcp(phone.host, phone.port, key=self.key, on_waiting=on_waiting)

    def allow_unplug(self, connection_id: str) -> None:
        """See `DeviceWatcher.finished`: its owner takes it away soon."""
        for guest in self._schedule:
            if guest.daemon is not None and connection_id == f"demo {guest.number}.{guest.plug_count}":
                guest.unplug_at = self._clock() + self._rng.uniform(0.2, 1.0) * self._arrival_interval_s

    def close(self) -> None:
        """Stop every phone."""
        for guest in self._schedule:
            phone, guest.daemon, guest.is_gone = guest.daemon, None, True
            if phone is not None:
                phone.close()
