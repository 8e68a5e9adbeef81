"""USB cables: load libusb, scan the bus for phones, and exchange bytes with one.

Uses libusb directly: adb-shell's own USB transport cannot be configured to do what the comments below require.
"""

import contextlib
import ctypes
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from adb_shell.constants import CLASS, PROTOCOL, SUBCLASS

from privaudit.errors import PhoneError
from privaudit.model import PhoneState, SourceKind
from privaudit.transport.device_selector import DeviceCandidate
from privaudit.transport.stream import DeviceStream
from privaudit.transport.vendors import USB_VENDORS, detect_brand

ADB_INTERFACE: Final = (CLASS, SUBCLASS, PROTOCOL)
_FASTBOOT_INTERFACE: Final = (CLASS, SUBCLASS, 0x03)
"""The boot loader (AOSP ``fastboot/fastboot.cpp``, ``match_fastboot``)."""
_HDC_INTERFACE: Final = (0xFF, 0x50, 0x01)
"""HarmonyOS's own debugging bridge (OpenHarmony ``developtools_hdc``); we have not seen it on a real phone."""
_MTP_INTERFACE: Final = (0x06, 0x01, 0x01)
"""MTP or PTP: offered by a phone that charges or transfers files, and by cameras."""
DRAIN_IDLE_S: Final = 0.1
"""A connection that was silent for this long has nothing more to send."""
DRAIN_LIMIT_S: Final = 1.0
_ENDPOINT_IN: Final = 0x80
_PERMISSION_ERROR_KEYS: Final[Mapping[str, str]] = {
    "darwin": "errors.no_permission_macos",
    "win32": "errors.no_permission_windows",
}
"""By `sys.platform`; every other system has udev rules."""


def load_libusb() -> Any:  # noqa: ANN401 - usb1 has no types
    """Return the module ``usb1`` with libusb loaded: ours, else the system's. Raises PhoneError ``libusb_missing``."""
    try:
        import usb1

        with contextlib.suppress(ImportError, OSError):  # fall back to the system's libusb
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
    """Return the error for a phone that the system does not let us use; on Linux the udev rule names the vendor id."""
    key = _PERMISSION_ERROR_KEYS.get(sys.platform, "errors.no_permission")
    return PhoneError(key, vendor=None if vendor_id is None else f"{vendor_id:04x}")


def _translate_error(error: Exception, opened_vendor_id: int | None = None) -> PhoneError:
    """Turn an error of libusb into ours: busy, no permission and disconnected have different remedies.

    `opened_vendor_id`: of the phone that was being opened. On Windows, libusb opens a phone with several functions (MTP
    and ADB) through those that have WinUSB, and finds none where ADB has no driver (libusb ``windows_winusb.c``,
    ``composite_open``).
    """
    usb1 = load_libusb()
    if isinstance(error, usb1.USBErrorAccess):
        return permission_error(opened_vendor_id)
    if isinstance(error, usb1.USBErrorBusy):
        return PhoneError("errors.busy")
    is_opening_on_windows = opened_vendor_id is not None and sys.platform == "win32"
    if isinstance(error, usb1.USBErrorNotSupported) or (
        is_opening_on_windows and isinstance(error, usb1.USBErrorNotFound)
    ):
        return PhoneError("errors.windows_driver")
    return PhoneError("errors.lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbDevice(DeviceCandidate):
    """A phone on a cable."""

    transport_kind: ClassVar[SourceKind] = "usb"
    libusb_device: Any
    adb_interface: Any
    """``None`` if it has no ADB interface; `obstacle` then says why."""
    usb_path: str
    """Bus and ports, ``1-1.2``: the notation of Linux and of the ADB server."""
    address: int
    """Changes each time the phone is plugged in, as far as the operating system counts that."""


def scan_usb(*, only_path: str | None = None, known_devices: Iterable[UsbDevice] = ()) -> tuple[UsbDevice, ...]:
    """List the phones on the USB bus: first those with USB debugging on.

    Opens a new libusb context for each scan: without udev (in a container) libusb does not notice that a phone was
    plugged in again. The context is freed with the last device that came out of it.

    `only_path`: the only `UsbDevice.usb_path` to look at; phones elsewhere are not opened, not even for their names.
    `known_devices`: phones of an earlier scan, which are not opened again while they stay where they are.
    Raises PhoneError ``libusb_missing`` or ``no_usb``.
    """
    usb1 = load_libusb()
    devices: list[UsbDevice] = []
    known = {(device.usb_path, device.address): device for device in known_devices}
    try:
        for device in usb1.USBContext().open().getDeviceIterator(skip_on_error=True):
            path = _usb_path(device)
            if only_path not in {None, path}:
                continue
            if same := known.get((path, device.getDeviceAddress())):
                devices.append(same)
                continue
            interfaces = {
                (setting.getClass(), setting.getSubClass(), setting.getProtocol()): setting
                for setting in device.iterSettings()
            }
            if ADB_INTERFACE in interfaces:
                devices.append(_read_usb_device(usb1, device, interfaces[ADB_INTERFACE]))
            elif key := _unusable_reason(device.getVendorID(), interfaces.keys()):
                devices.append(_read_usb_device(usb1, device, None, key))
    except usb1.USBError as error:
        raise PhoneError("errors.no_usb") from error
    return tuple(sorted(devices, key=lambda device: device.adb_interface is None))


def _unusable_reason(vendor_id: int, interfaces: Collection[tuple[int, int, int]]) -> str | None:
    """Return the error key for a phone without an ADB interface; ``None`` if the device does not look like a phone."""
    if _HDC_INTERFACE in interfaces:
        return "errors.other_system"
    if _FASTBOOT_INTERFACE in interfaces:
        return "errors.in_recovery"
    vendor = USB_VENDORS.get(vendor_id)
    return "errors.debugging_off" if vendor and (vendor.is_phone_only or _MTP_INTERFACE in interfaces) else None


def _read_usb_device(usb1: Any, device: Any, adb_interface: Any, error_key: str | None = None) -> UsbDevice:  # noqa: ANN401
    serial = obstacle = None
    vendor_id = device.getVendorID()
    name = f"USB {vendor_id:04x}:{device.getProductID():04x}"
    brand = USB_VENDORS[vendor_id].brand if vendor_id in USB_VENDORS else None
    try:
        serial = device.getSerialNumber()
        name = device.getProduct() or name
        brand = brand or detect_brand(device.getManufacturer())
    except usb1.USBError as error:
        obstacle = _translate_error(error, vendor_id)
    if error_key is not None:
        obstacle = PhoneError(error_key, phones=(name,), maker=brand)
    return UsbDevice(
        serial=serial,
        name=name,
        state=obstacle.state if obstacle else PhoneState.CONNECTING,
        brand=brand,
        obstacle=obstacle,
        libusb_device=device,
        adb_interface=adb_interface,
        usb_path=_usb_path(device),
        address=device.getDeviceAddress(),
    )


def _usb_path(device: Any) -> str:  # noqa: ANN401
    return f"{device.getBusNumber()}-{'.'.join(map(str, device.getPortNumberList()))}"


class UsbStream(DeviceStream):
    """The ADB interface of one phone on a cable."""

    def __init__(self, device: UsbDevice) -> None:
        super().__init__()
        self._usb1 = load_libusb()
        self._device = device
        self._handle: Any = None
        self._endpoint_in = self._endpoint_out = 0
        self._packet_size = 0

    def connect(self, transport_timeout_s: float) -> None:  # noqa: ARG002 - opening does not wait
        """Open the phone and claim its ADB interface. Raises PhoneError, see `_translate_error`."""
        setting = self._device.adb_interface
        for endpoint in setting.iterEndpoints():
            if endpoint.getAddress() & _ENDPOINT_IN:
                self._endpoint_in = endpoint.getAddress()
            else:
                self._endpoint_out, self._packet_size = endpoint.getAddress(), endpoint.getMaxPacketSize()
        try:
            self._handle = self._device.libusb_device.open()
            number = setting.getNumber()
            if sys.platform == "linux":  # fails on macOS, where it is not needed
                with contextlib.suppress(self._usb1.USBErrorNotFound, self._usb1.USBErrorNotSupported):
                    if self._handle.kernelDriverActive(number):  # modem drivers claim any interface of their vendor
                        self._handle.detachKernelDriver(number)
            self._handle.claimInterface(number)
        except self._usb1.USBError as error:
            raise _translate_error(error, self._device.libusb_device.getVendorID()) from error

    def close(self) -> None:
        """Release the phone, after reading what it still sends.

        adbd answers the end of a stream with one more packet. If it stays unread, the next program's first packet
        collides with it, and adbd drops off the bus for a second (8 of 19 connections; 0 of 22 when it was read).
        """
        handle, self._handle = self._handle, None
        if handle is None:
            return
        with contextlib.suppress(self._usb1.USBError):
            if self.fatal_error is None:
                deadline = time.monotonic() + DRAIN_LIMIT_S
                while time.monotonic() < deadline:
                    handle.bulkRead(self._endpoint_in, 1 << 16, timeout=int(DRAIN_IDLE_S * 1000))
        with contextlib.suppress(self._usb1.USBError):
            handle.releaseInterface(self._device.adb_interface.getNumber())
        with contextlib.suppress(self._usb1.USBError):
            handle.close()

    def _receive(self, size: int, timeout_s: float) -> bytes:
        try:
            return bytes(self._require_handle().bulkRead(self._endpoint_in, size, timeout=_to_milliseconds(timeout_s)))
        except self._usb1.USBErrorTimeout as error:
            return bytes(error.received)  # data may have arrived just before the time-out
        except self._usb1.USBError as error:
            raise _translate_error(error) from error

    def _send(self, data: bytes, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        remaining = memoryview(data)
        try:
            while remaining:
                sent = self._require_handle().bulkWrite(
                    self._endpoint_out, remaining, timeout=_to_milliseconds(deadline - time.monotonic())
                )
                remaining = remaining[sent:]
            if data and len(data) % self._packet_size == 0:
                # Without an empty packet adbd cannot tell where this transfer ends, and waits (AOSP ``usb_write``).
                self._require_handle().bulkWrite(self._endpoint_out, b"", timeout=_to_milliseconds(timeout_s))
        except self._usb1.USBErrorTimeout as error:
            raise PhoneError("errors.silent", seconds=round(timeout_s)) from error
        except self._usb1.USBError as error:
            raise _translate_error(error) from error

    def _require_handle(self) -> Any:  # noqa: ANN401
        if self._handle is None:
            raise PhoneError("errors.lost")
        return self._handle


def _to_milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # libusb takes 0 for "no time-out"
