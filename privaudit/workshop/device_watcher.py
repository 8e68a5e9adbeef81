"""Phones come and go: what is plugged in now, by the same look that ``privaudit devices`` takes. Speaks to none."""

from __future__ import annotations

from functools import partial
from typing import Final, Protocol

from privaudit.errors import PhoneError
from privaudit.transport import OnWaiting, Transport, adb_device, adb_server, bus, diagnosis
from privaudit.transport.adb_auth import Key
from privaudit.workshop.model import Plugged

POLL_S: Final = 0.7
"""How often the cables are looked at: a plugged phone is on the board well within two seconds."""
_NO_OBSTACLES: Final = frozenset({"waiting", "offline"})
"""The owner has not tapped yet, or the ADB server has only just seen it: no reason not to begin."""


class Arrivals(Protocol):
    """Where phones come from."""

    key: Key
    """The day's, by which phones know this computer; made in memory, written nowhere."""

    def look(self) -> tuple[Plugged, ...]:
        """What is plugged in now. Never speaks to a phone."""
        ...

    @property
    def trouble(self) -> PhoneError | None:
        """Why the cables cannot be looked at."""
        ...

    @property
    def over(self) -> bool:
        """Whether no phone will come any more; of a rehearsal."""
        ...

    def finished(self, place: str) -> None:
        """The phone at `place` may be unplugged."""
        ...

    def close(self) -> None:
        """Nobody looks any more."""
        ...


class Cables:
    """Real phones."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.trouble: PhoneError | None = None
        self.over = False
        self._before: tuple[bus.Attached, ...] = ()

    def look(self) -> tuple[Plugged, ...]:
        """See `Arrivals.look`. A phone that was seen before is not opened again, for it may be in use."""
        try:
            survey = diagnosis.look(before=self._before)
        except PhoneError as error:  # the ADB server has just ended, or begun
            self.trouble = error
            return ()
        self.trouble = survey.trouble
        # One that could not be opened is tried again: a permission may have come.
        self._before = tuple(
            one.found for one in survey.phones if isinstance(one.found, bus.Attached) and one.serial is not None
        )
        return tuple(map(self._plugged, survey.phones))

    def _plugged(self, seen: diagnosis.Seen) -> Plugged:
        found = seen.found
        if isinstance(found, adb_server.Listed):
            socket = found.place or found.serial or "?"
            place = f"server {socket} {found.number or ''}"
        else:
            socket, place = found.place, f"usb {found.place} {found.address}"
        blocked = seen.obstacle is not None and seen.obstacle.name not in _NO_OBSTACLES
        return Plugged(
            place=place,
            socket=socket,
            mark=seen.serial,
            name=seen.name,
            maker=seen.maker,
            way=seen.way,
            obstacle=seen.obstacle if blocked else None,
            connect=partial(self._connect, found),
        )

    def _connect(self, found: adb_server.Listed | bus.Attached, on_waiting: OnWaiting) -> Transport:
        if isinstance(found, adb_server.Listed):
            return adb_server.connect(only=found, on_waiting=on_waiting)
        return adb_device.over_usb(place=found.place, key=self.key, on_waiting=on_waiting)

    def finished(self, place: str) -> None:
        """Somebody pulls the cable, or nobody does."""

    def close(self) -> None:
        """Let go of what libusb holds."""
        self._before = ()
