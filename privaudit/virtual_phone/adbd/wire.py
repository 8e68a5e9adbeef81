"""ADB messages as they travel (AOSP: packages/modules/adb/protocol.txt, adb.h, types.h)."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

VERSION_CHECKSUM: Final = 0x01000000
"""Below Android 9: every message carries the sum of its payload's bytes, and it is checked."""
VERSION_SKIP_CHECKSUM: Final = 0x01000001
"""The sum is neither made nor checked, where both ends say this version."""
MAX_PAYLOAD: Final = 1024 * 1024
MAX_PAYLOAD_V1: Final = 4096
"""What Android 6 and older take."""

_UINT32_MASK: Final = 0xFFFFFFFF
_HEADER: Final = struct.Struct("<6I")


class AdbCommand(IntEnum):
    """The commands, each four letters read as a little-endian number."""

    AUTH = 0x48545541
    CLSE = 0x45534C43
    CNXN = 0x4E584E43
    OKAY = 0x59414B4F
    OPEN = 0x4E45504F
    WRTE = 0x45545257


class AdbProtocolError(Exception):
    """What came is no ADB message. Nothing that follows can be trusted; the connection must end."""


@dataclass(frozen=True, slots=True)
class AdbMessage:
    """One message."""

    command: AdbCommand
    arg0: int
    """By kind: version, type of authentication, or the sender's stream number (0: none)."""
    arg1: int
    """By kind: largest payload, or the receiver's stream number."""
    data: bytes = b""

    def encode(self, *, checksum: bool) -> bytes:
        """The bytes of it, with the sum of its payload where `checksum`."""
        total = sum(self.data) & _UINT32_MASK if checksum else 0
        header = _HEADER.pack(self.command, self.arg0, self.arg1, len(self.data), total, self.command ^ _UINT32_MASK)
        return header + self.data


def receive_message(sock: socket.socket, *, max_payload: int, checksum: bool) -> AdbMessage | None:
    """The next message; ``None`` where the other end closed before one began.

    Args:
        sock: where to read.
        max_payload: most bytes of payload; a longer one is not read.
        checksum: whether to check the sum of the payload.

    Raises:
        WireError: it is no message, is cut short, or is too long.
        OSError: the connection is lost.
    """
    header = _receive_exactly(sock, _HEADER.size)
    if not header:
        return None
    command, arg0, arg1, length, total, magic = _HEADER.unpack(header)
    if command ^ magic != _UINT32_MASK or command not in AdbCommand.__members__.values():
        raise AdbProtocolError(f"not an ADB command: {command:#010x}")
    if length > max_payload:
        raise AdbProtocolError(f"payload of {length} bytes, at most {max_payload} agreed")
    data = _receive_exactly(sock, length)
    if length and not data:
        raise AdbProtocolError("cut short")
    if checksum and total != sum(data) & _UINT32_MASK:
        raise AdbProtocolError("wrong checksum")
    return AdbMessage(AdbCommand(command), arg0, arg1, data)


def _receive_exactly(sock: socket.socket, count: int) -> bytes:
    """`count` bytes; none where the other end closed before the first."""
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(min(count - len(data), 1 << 18))
        if not piece:
            if data:
                raise AdbProtocolError("cut short")
            return b""
        data += piece
    return bytes(data)


_MAX_INBOX_MESSAGES: Final = 8
"""Most messages that may wait unread; a client that keeps the rules has one."""


class StreamClosedError(Exception):
    """The computer, or the phone, has ended the stream."""


class AdbStream:
    """A two-way stream. At most one WRTE is under way in each direction (protocol.txt).

    A service in its own thread writes, reads and finishes; the connection's reader tells what came.
    """

    def __init__(self, send: Callable[[AdbMessage], None], local: int, remote: int, max_payload: int) -> None:
        self._send = send
        self._local = local
        self._remote = remote
        self.max_payload = max_payload
        self._condition = threading.Condition()
        self._pending = bytearray()
        self._may_send = True
        self._inbox: deque[bytes] = deque()
        self._closed = False

    # --- the service's side ---

    def write(self, data: bytes) -> None:
        """Send `data`; waits while more than one message is pending.

        Raises:
            StreamClosedError: nobody listens any more.
        """
        with self._condition:
            self._pending += data
            self._send_pending()
            self._condition.wait_for(lambda: self._closed or len(self._pending) <= self.max_payload)
            if self._closed:
                raise StreamClosedError

    def read(self) -> bytes:
        """The next message's content; waits for it.

        Raises:
            StreamClosedError: nothing more will come.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._inbox)
            if not self._inbox:
                raise StreamClosedError
            data = self._inbox.popleft()
            if not self._closed:
                self._send(AdbMessage(AdbCommand.OKAY, self._local, self._remote))
            return data

    def sleep(self, seconds: float) -> None:
        """Wait so long.

        Raises:
            StreamClosedError: the stream ended meanwhile.
        """
        with self._condition:
            if self._condition.wait_for(lambda: self._closed, timeout=seconds):
                raise StreamClosedError

    def finish(self) -> None:
        """Send what is pending, then end the stream.

        Like ``adbd``, does not wait until the last message is confirmed.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._closed or not self._pending)
            if not self._closed:
                self._closed = True
                self._send(AdbMessage(AdbCommand.CLSE, self._local, self._remote))

    def _send_pending(self) -> None:
        if self._may_send and self._pending and not self._closed:
            data = bytes(self._pending[: self.max_payload])
            del self._pending[: self.max_payload]
            self._may_send = False
            self._send(AdbMessage(AdbCommand.WRTE, self._local, self._remote, data))

    # --- the connection's side ---

    def on_okay(self) -> None:
        """The computer has taken the last message."""
        with self._condition:
            self._may_send = True
            self._send_pending()
            self._condition.notify_all()

    def on_data(self, data: bytes) -> None:
        """The computer sent `data`.

        Raises:
            WireError: it does not wait for its turn.
        """
        with self._condition:
            if len(self._inbox) >= _MAX_INBOX_MESSAGES:
                raise AdbProtocolError("messages without waiting for OKAY")
            self._inbox.append(data)
            self._condition.notify_all()

    def on_close(self, *, answer: bool) -> None:
        """The computer ended the stream, or, where no `answer` is due, the connection is gone."""
        with self._condition:
            if self._closed:
                return
            self._closed = True
            self._pending.clear()
            self._condition.notify_all()
            if answer:
                self._send(AdbMessage(AdbCommand.CLSE, self._local, self._remote))
