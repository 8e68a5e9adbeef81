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
from privaudit.transport import IDLE_TIMEOUT_S
from privaudit.transport.stream import HANDSHAKE_TIMEOUT_S, TcpStream
from privaudit.transport.usb import permission_error

DEFAULT_SERVER_PORT: Final = 5037
_CHUNK_BYTES: Final = 1 << 18
_FAIL_REASONS: Final = {
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


def server_address() -> tuple[str, int]:
    """Where the server listens: as adb, by ``ADB_SERVER_SOCKET``, ``ANDROID_ADB_SERVER_PORT``, or on port 5037.

    Raises:
        PhoneError: ``server_address``: not a port of this computer. A server elsewhere would hear of all that we read.
    """
    given = (
        os.environ.get("ADB_SERVER_SOCKET") or f"tcp:{os.environ.get('ANDROID_ADB_SERVER_PORT') or DEFAULT_SERVER_PORT}"
    )
    match = re.fullmatch(r"tcp:(?:(localhost|127\.0\.0\.1|\[::1\]):)?(\d{1,5})", given, re.ASCII)
    host = os.environ.get("ANDROID_ADB_SERVER_ADDRESS", "")
    if host not in {"", "localhost", "127.0.0.1", "::1"}:
        raise PhoneError("errors.server_address", given=host)
    if match is None or not 0 < int(match[2]) < 1 << 16:
        raise PhoneError("errors.server_address", given=given)
    return "::1" if match[1] == "[::1]" else "127.0.0.1", int(match[2])


@contextlib.contextmanager
def open_server_stream(stream: TcpStream) -> Iterator[TcpStream]:
    """`stream`, open to the server, and closed again.

    Raises:
        PhoneError: ``server_absent``.
    """
    try:
        stream.connect(HANDSHAKE_TIMEOUT_S)
    except PhoneError as error:
        raise PhoneError("errors.server_absent", port=server_address()[1]) from error
    try:
        yield stream
    finally:
        stream.close()


def query(request: str) -> bytes:
    """The text by which the server answers `request`."""
    with open_server_stream(TcpStream(*server_address())) as line, line.deadline(HANDSHAKE_TIMEOUT_S):
        send_request(line, request.encode())
        return _read_protocol_string(line)


def send_request(stream: TcpStream, request: bytes) -> None:
    """Say `request` and hear ``OKAY``.

    Raises:
        PhoneError: what the server refuses, see `_FAIL_REASONS`; ``server_said``, ``not_adb_server``; as `DeviceStream`.
    """
    stream.bulk_write(b"%04x" % len(request) + request, HANDSHAKE_TIMEOUT_S)
    answer = _read_exactly(stream, 4)
    if answer == b"OKAY":
        return
    if answer != b"FAIL":
        raise PhoneError("errors.not_adb_server", port=server_address()[1])
    said = _read_protocol_string(stream).decode("utf-8", "replace")
    name = next((name for part, name in _FAIL_REASONS.items() if part in said), None)
    if name == "no_permission":
        raise permission_error()
    raise PhoneError(f"errors.{name or 'server_said'}", **({} if name else {"said": said}))


def _read_protocol_string(stream: TcpStream) -> bytes:
    size = _read_exactly(stream, 4)
    if not re.fullmatch(rb"[0-9a-fA-F]{4}", size):
        raise PhoneError("errors.not_adb_server", port=server_address()[1])
    return _read_exactly(stream, int(size, 16))


def _read_exactly(stream: TcpStream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += stream.bulk_read(size - len(data), IDLE_TIMEOUT_S)
    return bytes(data)


def read_chunks(stream: TcpStream) -> Iterator[bytes]:
    """What comes until the server ends the line."""
    while True:
        try:
            data = stream.bulk_read(_CHUNK_BYTES, IDLE_TIMEOUT_S)
        except PhoneError:
            if stream.reached_eof:
                return
            raise
        yield data
