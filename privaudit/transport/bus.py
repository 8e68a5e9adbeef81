"""What is on the USB bus: phones that speak ADB, and phones that do not.

Straight on libusb: adb-shell's own USB transport opens every phone to read its serial number, so that one that is
locked or lacks a permission hides all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from adb_shell.constants import CLASS, PROTOCOL, SUBCLASS

from privaudit.errors import PhoneError
from privaudit.transport import usb, vendors
from privaudit.transport.device_selector import DeviceCandidate

ADB_INTERFACE: Final = (CLASS, SUBCLASS, PROTOCOL)
_FASTBOOT_INTERFACE: Final = (CLASS, SUBCLASS, 0x03)
"""The boot loader (AOSP ``fastboot/fastboot.cpp``, ``match_fastboot``)."""
_HDC_INTERFACE: Final = (0xFF, 0x50, 0x01)
"""HarmonyOS's own way to a computer (OpenHarmony ``developtools_hdc``); not seen on a real phone by us."""
_MTP_INTERFACE: Final = (0x06, 0x01, 0x01)
"""MTP or PTP: what a phone offers that is only to be charged, or to give its files; a camera too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbDevice(DeviceCandidate):
    """One phone on a cable."""

    libusb_device: Any
    adb_interface: Any
    """Its ADB interface; ``None``: it has none."""
    usb_path: str
    """Bus and ports: ``1-1.2``, as Linux names it and the ADB server too."""
    address: int
    """Another one each time that it is plugged in, as far as the system counts them."""
    brand: str | None
    """Whose menu words fit, see `privaudit.transport.vendors`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbScan:
    """What is on the cables."""

    adb_devices: tuple[UsbDevice, ...]
    """Those whose USB debugging is on."""
    unusable: tuple[UsbDevice, ...]
    """Those that cannot be asked anything; each has its obstacle."""


def scan_usb(*, only_path: str | None = None, known_devices: Iterable[UsbDevice] = ()) -> UsbScan:
    """All phones on a cable.

    A fresh look each time: without udev (a container) libusb never hears of a phone that was plugged in again. What
    libusb needs for it is freed with the last phone that came out of it.

    Args:
        only_path: the place to look at; the phones at others are not opened, not even for their names.
        known_devices: phones from an earlier look, which need not be opened again while they stay where they are.

    Raises:
        PhoneError: ``libusb_missing``, ``no_usb``.
    """
    usb1 = usb.load_libusb()
    phones: list[UsbDevice] = []
    mute: list[UsbDevice] = []
    before = {(one.usb_path, one.address): one for one in known_devices}
    try:
        for device in usb1.USBContext().open().getDeviceIterator(skip_on_error=True):
            at = _usb_path(device)
            if only_path not in {None, at}:
                continue
            if seen := before.get((at, device.getDeviceAddress())):
                (mute if seen.adb_interface is None else phones).append(seen)
                continue
            settings = {(one.getClass(), one.getSubClass(), one.getProtocol()): one for one in device.iterSettings()}
            if ADB_INTERFACE in settings:
                phones.append(_read_usb_device(usb1, device, settings[ADB_INTERFACE]))
            elif why := _unusable_reason(device.getVendorID(), settings.keys()):
                mute.append(_read_usb_device(usb1, device, None, why))
    except usb1.USBError as error:
        raise PhoneError("errors.no_usb") from error
    return UsbScan(adb_devices=tuple(phones), unusable=tuple(mute))


def _unusable_reason(vendor_id: int, interfaces: Any) -> str | None:  # noqa: ANN401 - a view of keys
    """Why a device without ADB cannot be asked; ``None``: it is no phone, as far as the bus tells."""
    if _HDC_INTERFACE in interfaces:
        return "other_system"
    if _FASTBOOT_INTERFACE in interfaces:
        return "in_recovery"
    known = vendors.USB_VENDORS.get(vendor_id)
    return "debugging_off" if known and (known.is_phone_only or _MTP_INTERFACE in interfaces) else None


def _read_usb_device(usb1: Any, device: Any, adb_interface: Any, reason: str | None = None) -> UsbDevice:  # noqa: ANN401
    serial = obstacle = None
    vendor = device.getVendorID()
    name = f"USB {vendor:04x}:{device.getProductID():04x}"
    maker = vendors.USB_VENDORS[vendor].brand if vendor in vendors.USB_VENDORS else None
    try:
        serial = device.getSerialNumber()
        name = device.getProduct() or name
        maker = maker or vendors.detect_brand(device.getManufacturer())
    except usb1.USBError as error:
        obstacle = usb.translate_usb_error(error, vendor)
    if reason is not None:
        obstacle = PhoneError(f"errors.{reason}", phones=(name,), maker=maker)
    return UsbDevice(
        serial=serial,
        name=name,
        obstacle=obstacle,
        libusb_device=device,
        adb_interface=adb_interface,
        usb_path=_usb_path(device),
        address=device.getDeviceAddress(),
        brand=maker,
    )


def _usb_path(device: Any) -> str:  # noqa: ANN401
    return f"{device.getBusNumber()}-{'.'.join(map(str, device.getPortNumberList()))}"


def no_device_error(unusable: tuple[UsbDevice, ...]) -> PhoneError:
    """What to say where no phone can be asked."""
    return (unusable[0].obstacle if unusable else None) or PhoneError("errors.no_phone")
