"""Join `PageSession` to the JavaScript of its worker. Only Pyodide can import it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pyodide.ffi import JsException, run_sync, to_js

from privaudit.browser.session import PageSession
from privaudit.transport import adb_device
from privaudit.transport.adb_auth import AdbKey
from privaudit.transport.base import AuthorizationWait, Transport
from privaudit.transport.webusb import UsbLine, WebUsbStream


class WorkerHost:
    """A `PageHost`. `tell` shows, `usb` is the cable, `keep` writes the ledger; all are functions of ``worker.js``."""

    def __init__(self, tell: Callable[[str, str], None], usb: UsbLine, keep: Callable[[Any], Awaitable[bool]]) -> None:
        self.tell = tell
        self._usb = usb
        self._keep = keep

    def connect(self, key: AdbKey, on_waiting: Callable[[AuthorizationWait], None], timeout_s: float) -> Transport:
        """Connect over the cable."""
        return adb_device.connect_cable(lambda: WebUsbStream(self._usb), lambda: key, on_waiting, timeout_s)

    def keep_ledger(self, content: bytes) -> bool:
        """Wait until the page has written the ledger."""
        try:
            return bool(run_sync(self._keep(to_js(content))))
        except JsException:
            return False


def open_session(
    tell: Callable[[str, str], None], usb: UsbLine, keep: Callable[[Any], Awaitable[bool]]
) -> Callable[..., tuple[str, bytes | None]]:
    """Begin a visit; return the function that carries out its requests, whose data is a ``Uint8Array``."""
    session = PageSession(WorkerHost(tell, usb, keep))

    def handle_request(name: str, arguments: str, data: Any = None) -> tuple[str, bytes | None]:  # noqa: ANN401
        return session.handle_request(name, arguments, None if data is None else data.to_bytes())

    return handle_request
