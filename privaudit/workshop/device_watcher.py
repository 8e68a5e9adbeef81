"""Finds the phones that are plugged in, in the same way as ``privaudit devices``. Sends nothing to a phone."""

from functools import partial
from typing import Final, Protocol

from privaudit.errors import PhoneError
from privaudit.transport import adb_device, adb_server, diagnosis, usb
from privaudit.transport.adb_auth import AdbKey
from privaudit.transport.base import OnWaiting, Transport
from privaudit.workshop.model import AttachedDevice

POLL_INTERVAL_S: Final = 0.7
"""Pause between scans: a phone that is plugged in appears on the board well within two seconds."""
_NON_BLOCKING_ERRORS: Final = frozenset({"waiting", "offline"})
"""The owner has not tapped "Allow" yet, or the ADB server has only just detected the phone: it can be opened."""


class DeviceWatcher(Protocol):
    """Source of attached phones: real ones, or those of a rehearsal."""

    key: AdbKey
    """The session's key, by which phones recognise this computer. In memory only, written to no file."""
    error: PhoneError | None
    """Why the last scan could not look at the USB bus."""

    def scan(self) -> tuple[AttachedDevice, ...]:
        """Return the phones that are plugged in now. Sends nothing to them."""

    @property
    def is_finished(self) -> bool:
        """Whether every phone of a rehearsal has come and gone."""

    def allow_unplug(self, connection_id: str) -> None:
        """Mark the phone with `connection_id` as one that may be unplugged."""

    def close(self) -> None:
        """Release everything that scanning opened."""


class AdbDeviceWatcher:
    """`DeviceWatcher` of real phones, on USB or through an ADB server."""

    def __init__(self, key: AdbKey) -> None:
        self.key = key
        self.error: PhoneError | None = None
        self.is_finished = False
        self._previous_devices: tuple[usb.UsbDevice, ...] = ()

    def scan(self) -> tuple[AttachedDevice, ...]:
        """See `DeviceWatcher.scan`. A phone of an earlier scan is not opened again: it may be in use."""
        try:
            devices, usb_error = diagnosis.survey_devices(known_devices=self._previous_devices)
        except PhoneError as error:  # the ADB server has just started or ended
            self.error = error
            return ()
        self.error = usb_error
        # A phone without a serial number could not be opened. It is tried again: permission may have been granted.
        self._previous_devices = tuple(
            device for device in devices if isinstance(device, usb.UsbDevice) and device.serial is not None
        )
        return tuple(map(self._attached_device, devices))

    def _attached_device(self, device: diagnosis.DeviceStatus) -> AttachedDevice:
        if isinstance(device, adb_server.ServerDevice):
            usb_port = device.usb_path or device.serial or "?"
            connection_id = f"server {usb_port} {device.transport_id or ''}"
        else:
            usb_port, connection_id = device.usb_path, f"usb {device.usb_path} {device.address}"
        is_blocked = device.obstacle is not None and device.obstacle.name not in _NON_BLOCKING_ERRORS
        return AttachedDevice(
            connection_id=connection_id,
            usb_port=usb_port,
            serial=device.serial,
            model=device.name,
            vendor=device.brand,
            source_kind=device.transport_kind,
            obstacle=device.obstacle if is_blocked else None,
            connect=partial(self._connect, device),
        )

    def _connect(self, device: diagnosis.DeviceStatus, on_waiting: OnWaiting) -> Transport:
        if isinstance(device, adb_server.ServerDevice):
            return adb_server.connect_via_server(device=device, on_waiting=on_waiting)
        return adb_device.connect_usb(usb_path=device.usb_path, key=self.key, on_waiting=on_waiting)

    def allow_unplug(self, connection_id: str) -> None:
        """Do nothing: a person unplugs the phone."""

    def close(self) -> None:
        """Release the devices that libusb holds."""
        self._previous_devices = ()
