"""Survey the phones connected to this computer, by cable and by ADB server, with what blocks each and what to do."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from privaudit.errors import PhoneError
from privaudit.model import Message
from privaudit.transport import adb_device, adb_server, usb, vendors
from privaudit.transport.base import AuthorizationWait, OnKeyCreated, Transport

_ERRORS_FIXED_BY_SERVER: Final = frozenset(
    {"windows_driver", "no_permission_macos", "no_permission_windows", "no_phone", "no_usb", "libusb_missing"}
)
_NO_RESPONSE_ERRORS: Final = frozenset({"offline", "silent", "waiting", "not_allowed", "not_allowed_unseen"})


DeviceStatus: TypeAlias = adb_server.ServerDevice | usb.UsbDevice
"""A phone, its state, and what prevents a connection."""


def survey_devices(
    *, known_devices: Iterable[usb.UsbDevice] = ()
) -> tuple[tuple[DeviceStatus, ...], PhoneError | None]:
    """List the phones of the ADB server and of the USB bus, each phone once. Sends nothing to a phone.

    Returns them, and why the bus could not be scanned if so.

    `known_devices`: phones of an earlier survey that are not opened again, see `privaudit.transport.usb.scan_usb`.
    """
    server_devices = adb_server.list_devices() if adb_server.is_running() else ()
    devices: list[DeviceStatus] = [
        replace(device, obstacle=adb_server.state_error(device.state), brand=vendors.detect_brand(device.name))
        for device in server_devices
    ]
    try:
        usb_devices = usb.scan_usb(known_devices=known_devices)
    except PhoneError as error:
        return tuple(devices), error
    paths = {device.usb_path for device in server_devices if device.usb_path}
    serials = {device.serial for device in server_devices if device.serial}
    devices += [one for one in usb_devices if one.usb_path not in paths and one.serial not in serials]
    return tuple(devices), None


def connect_if_authorized(device: DeviceStatus, on_key_created: OnKeyCreated | None = None) -> Transport:
    """Connect to a phone that already trusts this computer. Any other phone is left before it shows its owner a prompt.

    Raises PhoneError, ``unauthorised`` if the phone does not trust this computer.
    """
    if isinstance(device, adb_server.ServerDevice):
        return adb_server.connect_device(device)
    return adb_device.connect_usb(
        usb_path=device.usb_path, on_waiting=_raise_unauthorized, on_key_created=on_key_created
    )


def _raise_unauthorized(_: AuthorizationWait) -> None:
    raise PhoneError("errors.unauthorised")


def troubleshooting_steps(error: PhoneError, brand: str | None = None, country: str | None = None) -> Iterator[Message]:
    """Yield what to do beyond the text of `error` itself, for this brand of phone and for this computer.

    `country` decides which brands come first where the brand is not known.
    """
    maker, vendor = (
        value if isinstance(value := error.values.get(name), str) else None for name in ("maker", "vendor")
    )
    brand = brand or maker
    if error.name == "debugging_off":
        yield Message(key="diagnose.before", values={})
    if error.name in {"debugging_off", "no_phone"} or (error.name in _NO_RESPONSE_ERRORS and brand == "samsung"):
        yield from vendors.enable_debugging_steps(brand, country)
    if error.name == "debugging_off":  # the text of no_phone says this itself
        yield Message(key="diagnose.cable", values={})
    if error.name == "no_permission" and vendor:
        yield Message(key="diagnose.own_rule", values={"vendor": vendor})
    if error.name in _ERRORS_FIXED_BY_SERVER and shutil.which("adb") and not adb_server.is_running():
        yield Message(key="diagnose.start_server", values={})
