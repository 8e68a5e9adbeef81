"""The cable: libusb, what its errors mean, and the bytes to and from one phone.

Straight on libusb: adb-shell's own USB transport cannot be told what the comments below say.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from adb_shell.constants import CLASS, PROTOCOL, SUBCLASS

from privaudit.errors import PhoneError
from privaudit.transport import vendors
from privaudit.transport.device_selector import DeviceCandidate
from privaudit.transport.stream import DeviceStream

DRAIN_IDLE_S: Final = 0.1
"""A line that was silent for so long has nothing more to say."""
DRAIN_LIMIT_S: Final = 1.0
_ENDPOINT_IN: Final = 0x80


def load_libusb() -> Any:  # noqa: ANN401 - usb1 has no types
    """The module ``usb1`` with a libusb loaded: the one that comes with privaudit, else the system's.

    Raises:
        PhoneError: ``libusb_missing``.
    """
    try:
        import usb1

        with contextlib.suppress(ImportError, OSError):  # then the system's
            import libusb_package

            path = libusb_package.get_library_path()
            if path is not None:
                loader = getattr(ctypes, "WinDLL", ctypes.CDLL)
                usb1.loadLibrary(loader(str(path), use_errno=True, use_last_error=True))
        usb1.loadLibrary()
    except (ImportError, OSError) as error:
        raise PhoneError("errors.libusb_missing") from error
    return usb1


def permission_error(vendor_id: int | None = None) -> PhoneError:
    """This system does not let us use a phone: what to do differs. On Linux the rule goes by the USB vendor number."""
    suffix = {"darwin": "_macos", "win32": "_windows"}.get(sys.platform, "")
    return PhoneError(f"errors.no_permission{suffix}", vendor=None if vendor_id is None else f"{vendor_id:04x}")


def translate_usb_error(error: Exception, vendor_id: int | None = None) -> PhoneError:
    """What an error of libusb means. Busy, no permission and gone are three things with three remedies."""
    usb1 = load_libusb()
    if isinstance(error, usb1.USBErrorAccess):
        return permission_error(vendor_id)
    if isinstance(error, usb1.USBErrorBusy):
        return PhoneError("errors.busy")
    if isinstance(error, usb1.USBErrorNotSupported):
        return PhoneError("errors.windows_driver")
    return PhoneError("errors.lost")


class UsbStream(DeviceStream):
    """The cable to one phone."""

    def __init__(self, device: UsbDevice) -> None:
        super().__init__()
        self._usb1 = load_libusb()
        self._device = device
        self._handle: Any = None
        self._endpoint_in = self._endpoint_out = 0
        self._packet_size = 0

    def connect(self, transport_timeout_s: float) -> None:  # noqa: ARG002 - opening does not wait
        """Open the phone and take its ADB interface.

        Raises:
            PhoneError: ``no_permission``, ``busy``, ``windows_driver``, ``lost``.
        """
        setting = self._device.adb_interface
        for endpoint in setting.iterEndpoints():
            if endpoint.getAddress() & _ENDPOINT_IN:
                self._endpoint_in = endpoint.getAddress()
            else:
                self._endpoint_out, self._packet_size = endpoint.getAddress(), endpoint.getMaxPacketSize()
        try:
            self._handle = self._device.libusb_device.open()
            number = setting.getNumber()
            if sys.platform == "linux":  # on macOS this fails, and nothing needs it
                with contextlib.suppress(self._usb1.USBErrorNotFound, self._usb1.USBErrorNotSupported):
                    if self._handle.kernelDriverActive(number):  # a modem driver takes any interface of its maker
                        self._handle.detachKernelDriver(number)
            self._handle.claimInterface(number)
        except self._usb1.USBError as error:
            raise translate_usb_error(error, self._device.libusb_device.getVendorID()) from error

    def close(self) -> None:
        """Give the phone back, after reading what it still says.

        adbd answers the end of a stream with one more packet. Left unread, the next program's first packet collides
        with it, and adbd drops off the bus for a second (8 of 19 connections; 0 of 22 when it was read).
        """
        handle, self._handle = self._handle, None
        if handle is None:
            return
        with contextlib.suppress(self._usb1.USBError):
            if self.fatal_error is None:
                until = time.monotonic() + DRAIN_LIMIT_S
                while time.monotonic() < until:
                    handle.bulkRead(self._endpoint_in, 1 << 16, timeout=int(DRAIN_IDLE_S * 1000))
        with contextlib.suppress(self._usb1.USBError):
            handle.releaseInterface(self._device.adb_interface.getNumber())
        with contextlib.suppress(self._usb1.USBError):
            handle.close()

    def _receive(self, size: int, timeout_s: float) -> bytes:
        try:
            return bytes(self._require_handle().bulkRead(self._endpoint_in, size, timeout=_to_milliseconds(timeout_s)))
        except self._usb1.USBErrorTimeout as error:
            return bytes(error.received)  # may have come just before the time was over
        except self._usb1.USBError as error:
            raise translate_usb_error(error) from error

    def _send(self, data: bytes, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        parts = memoryview(data)
        try:
            while parts:
                sent = self._require_handle().bulkWrite(
                    self._endpoint_out, parts, timeout=_to_milliseconds(until - time.monotonic())
                )
                parts = parts[sent:]
            if data and len(data) % self._packet_size == 0:
                # Without an empty packet adbd cannot see where this one ends, and waits (AOSP does it in usb_write).
                self._require_handle().bulkWrite(self._endpoint_out, b"", timeout=_to_milliseconds(timeout_s))
        except self._usb1.USBErrorTimeout as error:
            raise PhoneError("errors.silent", seconds=round(timeout_s)) from error
        except self._usb1.USBError as error:
            raise translate_usb_error(error) from error

    def _require_handle(self) -> Any:  # noqa: ANN401
        if self._handle is None:
            raise PhoneError("errors.lost")
        return self._handle


def _to_milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # libusb takes 0 for "for ever"


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
    usb1 = load_libusb()
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
        obstacle = translate_usb_error(error, vendor)
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
