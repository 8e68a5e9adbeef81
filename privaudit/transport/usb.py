"""The cable: which phones are attached, and the bytes to and from one of them.

Straight on libusb: adb-shell's own USB transport opens every phone to read its serial number, so that one that is
locked or lacks a permission hides all others, and it cannot be told what the comments below say.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

from adb_shell.constants import CLASS, PROTOCOL, SUBCLASS

from privaudit.errors import PhoneError
from privaudit.transport.named import Named
from privaudit.transport.wire import Wire

DRAIN_QUIET_S: Final = 0.1
"""A line that was silent for so long has nothing more to say."""
DRAIN_LIMIT_S: Final = 1.0
_ENDPOINT_IN: Final = 0x80


def libusb() -> Any:  # noqa: ANN401 - usb1 has no types
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
        raise PhoneError("libusb_missing") from error
    return usb1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached(Named):
    """One phone on a cable whose USB debugging is on."""

    device: Any
    setting: Any


def attached() -> tuple[Attached, ...]:
    """All phones on a cable.

    A fresh look each time: without udev (a container) libusb never hears of a phone that was plugged in again. What
    libusb needs for it is freed with the last phone that came out of it.

    Raises:
        PhoneError: ``libusb_missing``, ``no_usb``.
    """
    usb1 = libusb()
    phones: list[Attached] = []
    try:
        for device in usb1.USBContext().open().getDeviceIterator(skip_on_error=True):
            for setting in device.iterSettings():
                if (setting.getClass(), setting.getSubClass(), setting.getProtocol()) == (CLASS, SUBCLASS, PROTOCOL):
                    phones.append(_look_at(usb1, device, setting))
                    break
    except usb1.USBError as error:
        raise PhoneError("no_usb") from error
    return tuple(phones)


def _look_at(usb1: Any, device: Any, setting: Any) -> Attached:  # noqa: ANN401
    serial = obstacle = None
    name = f"USB {device.getVendorID():04x}:{device.getProductID():04x}"
    try:
        serial = device.getSerialNumber()
        name = device.getProduct() or name
    except usb1.USBError as error:
        obstacle = explain(error)
    return Attached(device=device, setting=setting, serial=serial, name=name, obstacle=obstacle)


def no_permission() -> PhoneError:
    """This system does not let us use a phone: what to do differs."""
    suffix = {"darwin": "_macos", "win32": "_windows"}.get(sys.platform, "")
    return PhoneError(f"no_permission{suffix}")


def explain(error: Exception) -> PhoneError:
    """What an error of libusb means. Busy, no permission and gone are three things with three remedies."""
    usb1 = libusb()
    if isinstance(error, usb1.USBErrorAccess):
        return no_permission()
    if isinstance(error, usb1.USBErrorBusy):
        return PhoneError("busy")
    if isinstance(error, usb1.USBErrorNotSupported):
        return PhoneError("windows_driver")
    return PhoneError("lost")


class UsbWire(Wire):
    """The cable to one phone."""

    def __init__(self, phone: Attached) -> None:
        super().__init__()
        self._usb1 = libusb()
        self._phone = phone
        self._handle: Any = None
        self._in = self._out = 0
        self._packet_size = 0

    def connect(self, transport_timeout_s: float) -> None:  # noqa: ARG002 - opening does not wait
        """Open the phone and take its ADB interface.

        Raises:
            PhoneError: ``no_permission``, ``busy``, ``windows_driver``, ``lost``.
        """
        setting = self._phone.setting
        for endpoint in setting.iterEndpoints():
            if endpoint.getAddress() & _ENDPOINT_IN:
                self._in = endpoint.getAddress()
            else:
                self._out, self._packet_size = endpoint.getAddress(), endpoint.getMaxPacketSize()
        try:
            self._handle = self._phone.device.open()
            number = setting.getNumber()
            if sys.platform == "linux":  # on macOS this fails, and nothing needs it
                with contextlib.suppress(self._usb1.USBErrorNotFound, self._usb1.USBErrorNotSupported):
                    if self._handle.kernelDriverActive(number):  # a modem driver takes any interface of its maker
                        self._handle.detachKernelDriver(number)
            self._handle.claimInterface(number)
        except self._usb1.USBError as error:
            raise explain(error) from error

    def close(self) -> None:
        """Give the phone back, after reading what it still says.

        adbd answers the end of a stream with one more packet. Left unread, the next program's first packet collides
        with it, and adbd drops off the bus for a second (8 of 19 connections; 0 of 22 when it was read).
        """
        handle, self._handle = self._handle, None
        if handle is None:
            return
        with contextlib.suppress(self._usb1.USBError):
            if self.failure is None:
                until = time.monotonic() + DRAIN_LIMIT_S
                while time.monotonic() < until:
                    handle.bulkRead(self._in, 1 << 16, timeout=int(DRAIN_QUIET_S * 1000))
        with contextlib.suppress(self._usb1.USBError):
            handle.releaseInterface(self._phone.setting.getNumber())
        with contextlib.suppress(self._usb1.USBError):
            handle.close()

    def _receive(self, size: int, timeout_s: float) -> bytes:
        try:
            return bytes(self._opened().bulkRead(self._in, size, timeout=_milliseconds(timeout_s)))
        except self._usb1.USBErrorTimeout as error:
            return bytes(error.received)  # may have come just before the time was over
        except self._usb1.USBError as error:
            raise explain(error) from error

    def _send(self, data: bytes, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        parts = memoryview(data)
        try:
            while parts:
                sent = self._opened().bulkWrite(self._out, parts, timeout=_milliseconds(until - time.monotonic()))
                parts = parts[sent:]
            if data and len(data) % self._packet_size == 0:
                # Without an empty packet adbd cannot see where this one ends, and waits (AOSP does it in usb_write).
                self._opened().bulkWrite(self._out, b"", timeout=_milliseconds(timeout_s))
        except self._usb1.USBErrorTimeout as error:
            raise PhoneError("silent", seconds=round(timeout_s)) from error
        except self._usb1.USBError as error:
            raise explain(error) from error

    def _opened(self) -> Any:  # noqa: ANN401
        if self._handle is None:
            raise PhoneError("lost")
        return self._handle


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # libusb takes 0 for "for ever"
