"""Send commands to a phone and receive their output, without interpreting either."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from privaudit.errors import PhoneError, UsageError
from privaudit.transport.base import ADB_TCP_PORT, AUTH_TIMEOUT_S, OnKeyCreated, OnWaiting, Transport


def connect(
    *,
    transport: str = "auto",
    serial: str | None = None,
    on_waiting: OnWaiting,
    auth_timeout_s: float = AUTH_TIMEOUT_S,
    key_folder: Path | None = None,
    on_key_created: OnKeyCreated | None = None,
) -> Transport:
    """Connect to a phone. Raises UsageError for an unknown `transport`, else PhoneError: it says why and what to do.

    Args:
        transport: ``usb`` for the cable, ``server`` for this computer's ADB server, ``auto`` for the server if one
            runs and else the cable, ``tcp:HOST[:PORT]`` for the network.
        serial: which phone to use if several are attached: its serial number, or a suffix that matches only one.
        on_waiting: called while the phone waits for its owner's tap.
        auth_timeout_s: how long the owner has to tap.
        key_folder: the folder of the key that identifies this computer to the phone; ``None`` for adb's own.
        on_key_created: called with the path of that key if there was none: the new one stays on the disk.
    """
    from privaudit.transport import adb_device, adb_server  # adb-shell is slow to load

    options: Any = {"on_waiting": on_waiting, "auth_timeout_s": auth_timeout_s, "key_folder": key_folder}
    if transport.startswith("tcp:"):
        host, port = _parse_tcp_address(transport)
        return adb_device.connect_tcp(host, port, on_key_created=on_key_created, **options)
    connect_usb = partial(adb_device.connect_usb, serial=serial, on_key_created=on_key_created, **options)
    connect_via_server = partial(adb_server.connect_via_server, serial=serial, **options)  # uses the server's own key
    match transport:
        case "auto":
            return _connect_auto(connect_usb, connect_via_server)
        case "usb":
            return connect_usb()
        case "server":
            return connect_via_server()
    raise UsageError("errors.transport_unknown", given=transport)


def _connect_auto(connect_usb: Callable[[], Transport], connect_via_server: Callable[[], Transport]) -> Transport:
    """Connect through the ADB server if one runs and knows the phone, which then holds the cable; else by cable."""
    from privaudit.transport import adb_server  # adb-shell is slow to load

    server_error: PhoneError | None = None
    if adb_server.is_running():
        try:
            return connect_via_server()
        except PhoneError as error:
            if error.name not in {"no_phone", "serial_not_found", "server_absent"}:
                raise
            server_error = error
    try:
        return connect_usb()
    except PhoneError as error:
        if error.name == "busy" and adb_server.is_running():  # it was just started, or has just detected the phone
            return connect_via_server()
        if server_error is not None and error.name in {"no_phone", "no_usb", "libusb_missing"}:
            raise server_error from error
        raise


def _parse_tcp_address(transport: str) -> tuple[str, int]:
    match = re.fullmatch(r"tcp:(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:\[\]]+))(?::(\d{1,5}))?", transport, re.ASCII)
    port = int(match[3] or ADB_TCP_PORT) if match else 0
    if match is None or not 0 < port < 1 << 16:
        raise UsageError("errors.address_wrong", given=transport)
    return match[1] or match[2], port
