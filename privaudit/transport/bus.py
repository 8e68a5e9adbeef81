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
from privaudit.transport.device_selector import Named

ADB: Final = (CLASS, SUBCLASS, PROTOCOL)
_FASTBOOT: Final = (CLASS, SUBCLASS, 0x03)
"""The boot loader (AOSP ``fastboot/fastboot.cpp``, ``match_fastboot``)."""
_HDC: Final = (0xFF, 0x50, 0x01)
"""HarmonyOS's own way to a computer (OpenHarmony ``developtools_hdc``); not seen on a real phone by us."""
_PICTURES: Final = (0x06, 0x01, 0x01)
"""MTP or PTP: what a phone offers that is only to be charged, or to give its files; a camera too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached(Named):
    """One phone on a cable."""

    device: Any
    setting: Any
    """Its ADB interface; ``None``: it has none."""
    place: str
    """Bus and ports: ``1-1.2``, as Linux names it and the ADB server too."""
    address: int
    """Another one each time that it is plugged in, as far as the system counts them."""
    maker: str | None
    """Whose menu words fit, see `privaudit.transport.vendors`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """What is on the cables."""

    phones: tuple[Attached, ...]
    """Those whose USB debugging is on."""
    mute: tuple[Attached, ...]
    """Those that cannot be asked anything; each has its obstacle."""


def look(*, only: str | None = None, known: Iterable[Attached] = ()) -> Bus:
    """All phones on a cable.

    A fresh look each time: without udev (a container) libusb never hears of a phone that was plugged in again. What
    libusb needs for it is freed with the last phone that came out of it.

    Args:
        only: the place to look at; the phones at others are not opened, not even for their names.
        known: phones from an earlier look, which need not be opened again while they stay where they are.

    Raises:
        PhoneError: ``libusb_missing``, ``no_usb``.
    """
    usb1 = usb.libusb()
    phones: list[Attached] = []
    mute: list[Attached] = []
    before = {(one.place, one.address): one for one in known}
    try:
        for device in usb1.USBContext().open().getDeviceIterator(skip_on_error=True):
            at = _place(device)
            if only not in {None, at}:
                continue
            if seen := before.get((at, device.getDeviceAddress())):
                (mute if seen.setting is None else phones).append(seen)
                continue
            settings = {(one.getClass(), one.getSubClass(), one.getProtocol()): one for one in device.iterSettings()}
            if ADB in settings:
                phones.append(_look_at(usb1, device, settings[ADB]))
            elif why := _why_mute(device.getVendorID(), settings.keys()):
                mute.append(_look_at(usb1, device, None, why))
    except usb1.USBError as error:
        raise PhoneError("errors.no_usb") from error
    return Bus(phones=tuple(phones), mute=tuple(mute))


def _why_mute(vendor: int, offers: Any) -> str | None:  # noqa: ANN401 - a view of keys
    """Why a device without ADB cannot be asked; ``None``: it is no phone, as far as the bus tells."""
    if _HDC in offers:
        return "other_system"
    if _FASTBOOT in offers:
        return "in_recovery"
    known = vendors.VENDORS.get(vendor)
    return "debugging_off" if known and (known.only_phones or _PICTURES in offers) else None


def _look_at(usb1: Any, device: Any, setting: Any, why: str | None = None) -> Attached:  # noqa: ANN401
    serial = obstacle = None
    vendor = device.getVendorID()
    name = f"USB {vendor:04x}:{device.getProductID():04x}"
    maker = vendors.VENDORS[vendor].maker if vendor in vendors.VENDORS else None
    try:
        serial = device.getSerialNumber()
        name = device.getProduct() or name
        maker = maker or vendors.of_name(device.getManufacturer())
    except usb1.USBError as error:
        obstacle = usb.explain(error, vendor)
    if why is not None:
        obstacle = PhoneError(f"errors.{why}", phones=(name,), maker=maker)
    return Attached(
        serial=serial,
        name=name,
        obstacle=obstacle,
        device=device,
        setting=setting,
        place=_place(device),
        address=device.getDeviceAddress(),
        maker=maker,
    )


def _place(device: Any) -> str:  # noqa: ANN401
    return f"{device.getBusNumber()}-{'.'.join(map(str, device.getPortNumberList()))}"


def why_none(mute: tuple[Attached, ...]) -> PhoneError:
    """What to say where no phone can be asked."""
    return (mute[0].obstacle if mute else None) or PhoneError("errors.no_phone")
