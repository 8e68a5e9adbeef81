"""ADB messages and streams (AOSP: packages/modules/adb/protocol.txt, adb.h, types.h), and faults of the link below."""

import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from privaudit.interruptible import wait_for_condition

VERSION_CHECKSUM: Final = 0x01000000
"""Below Android 9: every message carries the sum of its payload's bytes, which is checked."""
VERSION_SKIP_CHECKSUM: Final = 0x01000001
"""The sum is neither computed nor checked if both sides announce this version."""
MAX_PAYLOAD: Final = 1024 * 1024
MAX_PAYLOAD_V1: Final = 4096
"""Limit of Android 6 and older."""

_Receive: TypeAlias = Callable[[int], bytes]
"""Receives at least one byte and at most so many, such as ``socket.recv``; none if the other side closed."""
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
    """Received bytes are not an ADB message. Nothing after them can be trusted; the connection must end."""


@dataclass(frozen=True, slots=True)
class AdbMessage:
    """One message; the meaning of `arg0` and `arg1` depends on the command."""

    command: AdbCommand
    arg0: int
    """Version, type of authentication, or the sender's stream number (0: none)."""
    arg1: int
    """Largest payload, or the receiver's stream number."""
    data: bytes = b""

    def encode(self, *, checksum: bool) -> bytes:
        """Encode the message, with the sum of its payload if `checksum`."""
        total = sum(self.data) & _UINT32_MASK if checksum else 0
        header = _HEADER.pack(self.command, self.arg0, self.arg1, len(self.data), total, self.command ^ _UINT32_MASK)
        return header + self.data


def receive_message(receive: _Receive, *, max_payload: int, checksum: bool) -> AdbMessage | None:
    """Receive a message; ``None``: the other side closed before it began. Raises `AdbProtocolError` for a wrong one."""
    header = _receive_exactly(receive, _HEADER.size)
    if not header:
        return None
    command, arg0, arg1, length, total, magic = _HEADER.unpack(header)
    if command ^ magic != _UINT32_MASK or command not in AdbCommand.__members__.values():
        raise AdbProtocolError(f"not an ADB command: {command:#010x}")
    if length > max_payload:
        raise AdbProtocolError(f"payload of {length} bytes, at most {max_payload} agreed")
    data = _receive_exactly(receive, length)
    if length and not data:
        raise AdbProtocolError("cut short")
    if checksum and total != sum(data) & _UINT32_MASK:
        raise AdbProtocolError("wrong checksum")
    return AdbMessage(AdbCommand(command), arg0, arg1, data)


def _receive_exactly(receive: _Receive, count: int) -> bytes:
    """Receive `count` bytes; none if the other side closed before the first."""
    data = bytearray()
    while len(data) < count:
        chunk = receive(min(count - len(data), 1 << 18))
        if data and not chunk:
            raise AdbProtocolError("cut short")
        if not chunk:
            break
        data += chunk
    return bytes(data)


_MAX_INBOX_MESSAGES: Final = 8
"""Limit of unread messages; a client that obeys the protocol has one."""


class StreamClosedError(Exception):
    """The client or the phone has closed the stream."""


class AdbStream:
    """A two-way stream with at most one unconfirmed WRTE in each direction (protocol.txt).

    A service in its own thread writes, reads and finishes; the connection's thread delivers what it received.
    A service's methods raise `StreamClosedError` once the client has closed the stream.
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

    def write(self, data: bytes) -> None:
        """Send `data`; waits while more than one message is pending."""
        with self._condition:
            self._pending += data
            self._send_pending()
            wait_for_condition(self._condition, lambda: self._closed or len(self._pending) <= self.max_payload)
            if self._closed:
                raise StreamClosedError

    def read(self) -> bytes:
        """Wait for the next message and return its content."""
        with self._condition:
            wait_for_condition(self._condition, lambda: self._closed or self._inbox)
            if not self._inbox:
                raise StreamClosedError
            data = self._inbox.popleft()
            if not self._closed:
                self._send(AdbMessage(AdbCommand.OKAY, self._local, self._remote))
            return data

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        with self._condition:
            if self._condition.wait_for(lambda: self._closed, timeout=seconds):
                raise StreamClosedError

    def finish(self) -> None:
        """Send what is pending, then close the stream. Like ``adbd``, do not wait for the last confirmation."""
        with self._condition:
            wait_for_condition(self._condition, lambda: self._closed or not self._pending)
            if not self._closed:
                self._closed = True
                self._send(AdbMessage(AdbCommand.CLSE, self._local, self._remote))

    def _send_pending(self) -> None:
        if self._may_send and self._pending and not self._closed:
            data = bytes(self._pending[: self.max_payload])
            del self._pending[: self.max_payload]
            self._may_send = False
            self._send(AdbMessage(AdbCommand.WRTE, self._local, self._remote, data))

    def on_okay(self) -> None:
        """The client has confirmed the last message."""
        with self._condition:
            self._may_send = True
            self._send_pending()
            self._condition.notify_all()

    def on_data(self, data: bytes) -> None:
        """The client sent `data`. Raises `AdbProtocolError` if it did not wait for confirmations."""
        with self._condition:
            if len(self._inbox) >= _MAX_INBOX_MESSAGES:
                raise AdbProtocolError("messages without waiting for OKAY")
            self._inbox.append(data)
            self._condition.notify_all()

    def on_close(self, *, answer: bool) -> None:
        """The client closed the stream; or, without `answer`, the connection is lost."""
        with self._condition:
            if self._closed:
                return
            self._closed = True
            self._pending.clear()
            self._condition.notify_all()
            if answer:
                self._send(AdbMessage(AdbCommand.CLSE, self._local, self._remote))


MessageTransform: TypeAlias = Callable[[int, bytes], Iterable[bytes]]
"""Receives a message's number and bytes; returns the pieces to send instead. It may wait; `OSError` pulls the cable."""


class SimulatedLink:
    """One direction of a link: bandwidth (``None``: unlimited) and latency; tests replace `clock` and `sleep`."""

    def __init__(
        self,
        bytes_per_s: float | None = None,
        latency_s: float = 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._bytes_per_s = bytes_per_s
        self._latency_s = latency_s
        self.now = clock
        """Returns the time for `wait_for_transfer`."""
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait_for_transfer(self, size: int, sent_at: float) -> None:
        """Wait as long as `size` bytes need after the earlier ones.

        They count from `sent_at`: the time in which this computer builds a message, a phone sends already.
        """
        with self._lock:
            began = max(sent_at, self._free_at)
            self._free_at = began + (size / self._bytes_per_s if self._bytes_per_s else 0.0)
            arrives = self._free_at + self._latency_s
        wait = arrives - self.now()
        if wait > 0:
            self._sleep(wait)


class FaultInjector:
    """Faults to arm while the phone runs. A disconnection happens once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._remaining: int | None = None
        self._transform: MessageTransform = lambda _number, data: (data,)
        self._message_number = 0

    def disconnect_after(self, size: int) -> None:
        """Pull the cable after `size` more bytes, even in the middle of a message."""
        with self._lock:
            self._remaining = size

    def transform_messages(self, transform: MessageTransform) -> None:
        """Apply `transform` to every message from now on, numbered from 0."""
        with self._lock:
            self._transform, self._message_number = transform, 0

    def apply_transform(self, data: bytes) -> Iterable[bytes]:
        """Return the pieces to send instead of the message `data`."""
        with self._lock:
            transform, number = self._transform, self._message_number
            self._message_number += 1
        return transform(number, data)

    def limit_send(self, size: int) -> int:
        """Return how many of `size` bytes to send. If fewer, the cable is pulled then."""
        with self._lock:
            if self._remaining is None:
                return size
            allowed = min(size, self._remaining)
            self._remaining = self._remaining - size if allowed == size else None
            return allowed
