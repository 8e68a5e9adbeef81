"""The byte stream to a phone on a cable inside a browser: WebUSB. JavaScript's promises are waited for (JSPI).

The other end, ``browser/page/usb.js``, opens the phone and keeps USB's rules of packets.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable
from typing import Any, Final, Protocol, TypeVar

from pyodide.ffi import JsException, run_sync, to_js

from privaudit.errors import PhoneError
from privaudit.transport.stream import DeviceStream

DRAIN_IDLE_S: Final = 0.1
"""As in `privaudit.transport.usb`, and for the same reason."""
DRAIN_LIMIT_S: Final = 1.0
_DRAIN_BYTES: Final = 1 << 16
_OPENING_ERRORS: Final = {"SecurityError": "errors.browser_denied", "NetworkError": "errors.browser_busy"}
"""Name of a `DOMException` (Web IDL) → our error, where the phone is there and cannot be opened."""

T = TypeVar("T")


class UsbLine(Protocol):
    """The methods of ``UsbLine`` in ``usb.js``. Times are in milliseconds."""

    def open(self) -> Awaitable[None]:
        """Find the phone afresh, open it and claim its ADB interface."""

    def receive(self, size: int, timeout_ms: float) -> Awaitable[Any]:
        """Return a ``Uint8Array`` of at most `size` bytes; ``undefined`` after `timeout_ms`."""

    def send(self, data: Any, timeout_ms: float) -> Awaitable[bool]:  # noqa: ANN401 - a ``Uint8Array``
        """Send all of `data`; return false after `timeout_ms`."""

    def close(self) -> Awaitable[None]:
        """Release the interface and the phone."""


class WebUsbStream(DeviceStream):
    """The ADB interface of the phone that its owner chose in the browser's list."""

    def __init__(self, line: UsbLine) -> None:
        super().__init__()
        self._line = line
        self._is_open = False

    def connect(self, transport_timeout_s: float) -> None:  # noqa: ARG002 - opening does not wait
        """Open the phone. Raises PhoneError ``browser_denied``, ``browser_busy`` or ``lost``."""
        try:
            run_sync(self._line.open())
        except JsException as error:
            raise PhoneError(_OPENING_ERRORS.get(error.name, "errors.lost")) from error
        self._is_open = True

    def close(self) -> None:
        """Release the phone, after reading what it still sends: see `privaudit.transport.usb.UsbStream.close`."""
        was_open, self._is_open = self._is_open, False
        if not was_open:
            return
        with contextlib.suppress(JsException):
            deadline = time.monotonic() + DRAIN_LIMIT_S
            while self.fatal_error is None and time.monotonic() < deadline:
                if run_sync(self._line.receive(_DRAIN_BYTES, DRAIN_IDLE_S * 1000)) is None:
                    break
        with contextlib.suppress(JsException):
            run_sync(self._line.close())

    def _receive(self, size: int, timeout_s: float) -> bytes:
        data = self._wait_for(self._require_line().receive(size, timeout_s * 1000))
        return b"" if data is None else bytes(data.to_bytes())

    def _send(self, data: bytes, timeout_s: float) -> None:
        if not self._wait_for(self._require_line().send(to_js(data), timeout_s * 1000)):
            raise PhoneError("errors.silent", seconds=round(timeout_s))

    def _require_line(self) -> UsbLine:
        if not self._is_open:
            raise PhoneError("errors.lost")
        return self._line

    @staticmethod
    def _wait_for(promise: Awaitable[T]) -> T:
        try:
            result: T = run_sync(promise)
        except JsException as error:
            raise PhoneError("errors.lost") from error
        return result
