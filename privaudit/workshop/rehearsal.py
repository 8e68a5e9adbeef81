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
from privaudit.transport import OnWaiting, Transport, adb_device, vendors
from privaudit.transport.adb_auth import Key
from privaudit.virtual_phone.adbd.auth import KeyPolicy
from privaudit.virtual_phone.adbd.line import Line
from privaudit.virtual_phone.adbd.server import DemoPhone
from privaudit.workshop.model import AT_ONCE, Plugged

PACE_S: Final = 20.0
"""About how long from one phone to the next, where nobody says otherwise."""
_PULLED: Final = 6
"""One in so many is pulled in the middle."""
_PATIENCE: Final = 4.0
"""A loose cable is pulled for good after so many paces."""
_LINE: Final = (20e6, 0.003)
"""Bytes a second and seconds of latency: a cable of today."""


@dataclass(slots=True)
class _Guest:
    story: str
    number: int
    comes_at: float
    name: str | None = None
    phone: DemoPhone | None = None
    plugging: int = 0
    goes_at: float | None = None
    loose: bool = False
    """Is pulled in the middle, once."""
    gone: bool = False


class Rehearsal:
    """`Arrivals` of `count` demo phones.

    Args:
        count: how many come.
        key: the day's.
        pace_s: seconds from one to the next, about.
        dice: chance; of a fixed seed in tests.
        clock: seconds that pass.
    """

    def __init__(
        self,
        count: int,
        key: Key,
        *,
        pace_s: float = PACE_S,
        dice: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.key = key
        self.trouble: PhoneError | None = None
        self._dice = dice or random.Random()  # noqa: S311 - nothing secret
        self._pace_s = pace_s
        self._clock = clock
        stories = virtual_phone.stories()
        order = [stories[number % len(stories)] for number in range(count)]
        self._dice.shuffle(order)
        loose = self._dice.sample(range(count), count // _PULLED)
        at = clock()
        self._guests: list[_Guest] = []
        for number, story in enumerate(order):
            self._guests.append(_Guest(story, number, at, loose=number in loose))
            at += self._dice.expovariate(1 / pace_s)

    @property
    def over(self) -> bool:
        """Whether every phone has come and gone."""
        return all(guest.gone for guest in self._guests)

    def look(self) -> tuple[Plugged, ...]:
        """See `Arrivals.look`; here the phones also come and go."""
        now = self._clock()
        for guest in self._guests:
            if guest.phone is not None and guest.goes_at is not None and now >= guest.goes_at:
                self._unplug(guest, now)
        free = AT_ONCE - sum(guest.phone is not None for guest in self._guests)
        waiting = [one for one in self._guests if not one.gone and one.phone is None and now >= one.comes_at]
        for guest in waiting[: max(0, free)]:
            self._plug(guest, now)
        return tuple(self._plugged(guest) for guest in self._guests if guest.phone is not None)

    def _plug(self, guest: _Guest, now: float) -> None:
        told = virtual_phone.open_story(guest.story)
        # Each is a phone of its own, though its story is told more than once.
        told = replace(told, properties={**told.properties, "ro.serialno": f"REHEARSAL{guest.number:04}"})
        guest.name = " ".join(
            told.properties.get(f"ro.product.{name}", "") for name in ("manufacturer", "model")
        ).strip()
        taps_after = self._dice.uniform(0.1, 0.4) * min(self._pace_s, PACE_S)
        phone = virtual_phone.daemon(told, keys=KeyPolicy(answer=taps_after))
        phone.line = Line(*_LINE)
        guest.phone, guest.plugging, guest.goes_at = phone, guest.plugging + 1, None
        if guest.loose and guest.plugging == 1:
            phone.faults.pull_after(self._dice.randrange(8_000, 40_000))
            guest.goes_at = now + _PATIENCE * self._pace_s

    def _unplug(self, guest: _Guest, now: float) -> None:
        phone, guest.phone, guest.goes_at = guest.phone, None, None
        if phone is not None:
            phone.close()
        if guest.loose and guest.plugging == 1:
            guest.comes_at = now + self._pace_s
        else:
            guest.gone = True

    def _plugged(self, guest: _Guest) -> Plugged:
        assert guest.phone is not None  # noqa: S101 - the caller looked
        return Plugged(
            place=f"demo {guest.number}.{guest.plugging}",
            socket=f"demo {guest.number}",
            mark=f"REHEARSAL{guest.number:04}",
            name=guest.name,
            maker=vendors.of_name(guest.name),
            way="demo",
            obstacle=None,
            connect=partial(self._connect, guest.phone),
        )

    def _connect(self, phone: DemoPhone, on_waiting: OnWaiting) -> Transport:
        return adb_device.over_tcp(phone.host, phone.port, key=self.key, on_waiting=on_waiting)

    def finished(self, place: str) -> None:
        """See `Arrivals.finished`: its owner takes it away soon."""
        for guest in self._guests:
            if guest.phone is not None and place == f"demo {guest.number}.{guest.plugging}":
                guest.goes_at = self._clock() + self._dice.uniform(0.2, 1.0) * self._pace_s

    def close(self) -> None:
        """Stop every phone."""
        for guest in self._guests:
            phone, guest.phone, guest.gone = guest.phone, None, True
            if phone is not None:
                phone.close()
