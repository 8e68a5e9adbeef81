"""Load libusb, and turn its errors into ours."""

import contextlib
import ctypes
import sys
from collections.abc import Mapping
from typing import Any, Final

from privaudit.errors import PhoneError

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


def translate_open_error(error: Exception, vendor_id: int) -> PhoneError:
    """Turn an error of libusb while a phone is opened into ours.

    On Windows, libusb opens a phone with several functions (MTP and ADB) through those that have WinUSB, and finds
    none where ADB has no driver (libusb ``windows_winusb.c``, ``composite_open``).
    """
    if sys.platform == "win32" and isinstance(error, load_libusb().USBErrorNotFound):
        return PhoneError("errors.windows_driver")
    return translate_usb_error(error, vendor_id)


def translate_usb_error(error: Exception, vendor_id: int | None = None) -> PhoneError:
    """Turn an error of libusb into ours: busy, no permission and disconnected have different remedies."""
    usb1 = load_libusb()
    if isinstance(error, usb1.USBErrorAccess):
        return permission_error(vendor_id)
    if isinstance(error, usb1.USBErrorBusy):
        return PhoneError("errors.busy")
    if isinstance(error, usb1.USBErrorNotSupported):
        return PhoneError("errors.windows_driver")
    return PhoneError("errors.lost")
