"""Requests to the ADB server of this computer: four hexadecimal digits, then so many bytes; ``OKAY`` or ``FAIL`` back.

AOSP: packages/modules/adb/OVERVIEW.TXT, SERVICES.TXT; client/adb_client.cpp.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Final

from privaudit.errors import PhoneError
from privaudit.transport import QUIET_TIMEOUT_S
from privaudit.transport.stream import HELLO_TIMEOUT_S, TcpWire
from privaudit.transport.usb import no_permission

PORT: Final = 5037
_PIECE: Final = 1 << 18
_REFUSALS: Final = {
    # AOSP transport.cpp, acquire_one_transport; adb.cpp. What matches first, counts.
    "unauthorized": "waiting",
    "still authorizing": "offline",
    "still connecting": "offline",
    "offline": "offline",
    "insufficient permissions": "no_permission",
    "more than one": "serial_shared",
    "not found": "lost",
    "no device": "lost",
    "closed": "refused",
}


def address() -> tuple[str, int]:
    """Where the server listens: as adb, by ``ADB_SERVER_SOCKET``, ``ANDROID_ADB_SERVER_PORT``, or on port 5037.

    Raises:
        PhoneError: ``server_address``: not a port of this computer. A server elsewhere would hear of all that we read.
    """
    given = os.environ.get("ADB_SERVER_SOCKET") or f"tcp:{os.environ.get('ANDROID_ADB_SERVER_PORT') or PORT}"
    match = re.fullmatch(r"tcp:(?:(localhost|127\.0\.0\.1|\[::1\]):)?(\d{1,5})", given, re.ASCII)
    host = os.environ.get("ANDROID_ADB_SERVER_ADDRESS", "")
    if host not in {"", "localhost", "127.0.0.1", "::1"}:
        raise PhoneError("errors.server_address", given=host)
    if match is None or not 0 < int(match[2]) < 1 << 16:
        raise PhoneError("errors.server_address", given=given)
    return "::1" if match[1] == "[::1]" else "127.0.0.1", int(match[2])


@contextlib.contextmanager
def opened(line: TcpWire) -> Iterator[TcpWire]:
    """`line`, open to the server, and closed again.

    Raises:
        PhoneError: ``server_absent``.
    """
    try:
        line.connect(HELLO_TIMEOUT_S)
    except PhoneError as error:
        raise PhoneError("errors.server_absent", port=address()[1]) from error
    try:
        yield line
    finally:
        line.close()


def asked(request: str) -> bytes:
    """The text by which the server answers `request`."""
    with opened(TcpWire(*address())) as line, line.within(HELLO_TIMEOUT_S):
        ask(line, request.encode())
        return _text(line)


def ask(line: TcpWire, request: bytes) -> None:
    """Say `request` and hear ``OKAY``.

    Raises:
        PhoneError: what the server refuses, see `_REFUSALS`; ``server_said``, ``not_adb_server``; as `Wire`.
    """
    line.bulk_write(b"%04x" % len(request) + request, HELLO_TIMEOUT_S)
    answer = _exactly(line, 4)
    if answer == b"OKAY":
        return
    if answer != b"FAIL":
        raise PhoneError("errors.not_adb_server", port=address()[1])
    said = _text(line).decode("utf-8", "replace")
    name = next((name for part, name in _REFUSALS.items() if part in said), None)
    if name == "no_permission":
        raise no_permission()
    raise PhoneError(f"errors.{name or 'server_said'}", **({} if name else {"said": said}))


def _text(line: TcpWire) -> bytes:
    size = _exactly(line, 4)
    if not re.fullmatch(rb"[0-9a-fA-F]{4}", size):
        raise PhoneError("errors.not_adb_server", port=address()[1])
    return _exactly(line, int(size, 16))


def _exactly(line: TcpWire, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += line.bulk_read(size - len(data), QUIET_TIMEOUT_S)
    return bytes(data)


def pieces(line: TcpWire) -> Iterator[bytes]:
    """What comes until the server ends the line."""
    while True:
        try:
            data = line.bulk_read(_PIECE, QUIET_TIMEOUT_S)
        except PhoneError:
            if line.ended:
                return
            raise
        yield data
