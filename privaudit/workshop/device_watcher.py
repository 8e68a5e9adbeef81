"""Phones come and go: what is plugged in now, by the same look that ``privaudit devices`` takes. Speaks to none."""

from __future__ import annotations

from functools import partial
from typing import Final, Protocol

from privaudit.errors import PhoneError
from privaudit.transport import adb_device, adb_server, diagnosis, usb
from privaudit.transport.adb_auth import AdbKey
from privaudit.transport.base import OnWaiting, Transport
from privaudit.workshop.model import AttachedDevice

POLL_INTERVAL_S: Final = 0.7
"""How often the cables are looked at: a plugged phone is on the board well within two seconds."""
_NON_BLOCKING_ERRORS: Final = frozenset({"waiting", "offline"})
"""The owner has not tapped yet, or the ADB server has only just seen it: no reason not to begin."""


class DeviceWatcher(Protocol):
    """Where phones come from."""

    key: AdbKey
    """The day's, by which phones know this computer; made in memory, written nowhere."""

    def scan(self) -> tuple[AttachedDevice, ...]:
        """What is plugged in now. Never speaks to a phone."""
        ...

    @property
    def error(self) -> PhoneError | None:
        """Why the cables cannot be looked at."""
        ...

    @property
    def is_finished(self) -> bool:
        """Whether no phone will come any more; of a rehearsal."""
        ...

    def allow_unplug(self, connection_id: str) -> None:
        """The phone at `connection_id` may be unplugged."""
        ...

    def close(self) -> None:
        """Nobody looks any more."""
        ...


class AdbDeviceWatcher:
    """Real phones."""

    def __init__(self, key: AdbKey) -> None:
        self.key = key
        self.error: PhoneError | None = None
        self.is_finished = False
        self._previous_devices: tuple[usb.UsbDevice, ...] = ()

    def scan(self) -> tuple[AttachedDevice, ...]:
        """See `DeviceWatcher.look`. A phone that was seen before is not opened again, for it may be in use."""
        try:
            survey = diagnosis.survey_devices(known_devices=self._previous_devices)
        except PhoneError as error:  # the ADB server has just ended, or begun
            self.error = error
            return ()
        self.error = survey.usb_error
        # One that could not be opened is tried again: a permission may have come.
        self._previous_devices = tuple(
            one.device for one in survey.devices if isinstance(one.device, usb.UsbDevice) and one.serial is not None
        )
        return tuple(map(self._attached_device, survey.devices))

    def _attached_device(self, status: diagnosis.DeviceStatus) -> AttachedDevice:
        found = status.device
        if isinstance(found, adb_server.ServerDevice):
            socket = found.usb_path or found.serial or "?"
            place = f"server {socket} {found.transport_id or ''}"
        else:
            socket, place = found.usb_path, f"usb {found.usb_path} {found.address}"
        blocked = status.obstacle is not None and status.obstacle.name not in _NON_BLOCKING_ERRORS
        return AttachedDevice(
            connection_id=place,
            usb_port=socket,
            serial=status.serial,
            model=status.name,
            vendor=status.brand,
            source_kind=status.transport_kind,
            obstacle=status.obstacle if blocked else None,
            connect=partial(self._connect, found),
        )

    def _connect(self, device: adb_server.ServerDevice | usb.UsbDevice, on_waiting: OnWaiting) -> Transport:
        if isinstance(device, adb_server.ServerDevice):
            return adb_server.connect_via_server(device=device, on_waiting=on_waiting)
        return adb_device.connect_usb(usb_path=device.usb_path, key=self.key, on_waiting=on_waiting)

    def allow_unplug(self, connection_id: str) -> None:
        """Somebody pulls the cable, or nobody does."""

    def close(self) -> None:
        """Let go of what libusb holds."""
        self._previous_devices = ()
