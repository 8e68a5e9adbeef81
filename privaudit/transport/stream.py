"""The byte stream below adb-shell, with time-outs on reads and writes, and its TCP variant. `usb` has the USB variant.

adb-shell 0.4.4 has transports of its own. Measured against AOSP's adbd 34, they wait for ever or use a whole processor
core after the phone disconnects, lose the end of long writes and wait 40 ms for every answer; these do not.
"""

import contextlib
import math
import socket
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Final

from adb_shell.constants import MAX_ADB_DATA
from adb_shell.transport.base_transport import BaseTransport

from privaudit.errors import PhoneError

HANDSHAKE_TIMEOUT_S: Final = 5.0
"""Longest wait for the TCP connection, and for each message of the phone until it shows its owner the prompt."""
POLL_SLICE_S: Final = 0.5
"""Longest single wait, so that Ctrl-C and `DeviceStream.on_idle` work. libusb does not return for a signal."""


class DeviceStream(BaseTransport):  # type: ignore[misc]  # adb-shell has no types
    """A byte stream to one phone. Once it has failed it stays failed.

    After a time-out in the middle of a packet the start of the next packet is unknown, and adb-shell would read data as
    headers. So the first error ends the stream for all threads, and every later call raises it again.
    """

    def __init__(self) -> None:
        self.fatal_error: PhoneError | None = None
        """Why this stream has failed."""
        self.on_idle: Callable[[], None] | None = None
        """Called after each `POLL_SLICE_S` without data."""
        self._deadline = threading.local()
        self._cancelled = False

    def cancel(self) -> None:
        """End the wait of another thread within `POLL_SLICE_S`, so that the stream can be closed."""
        self._cancelled = True

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Limit the total time of this thread's reads and writes in the ``with`` block.

        adb-shell checks its own total time only after a packet of the same stream has arrived.
        """
        self._deadline.until, self._deadline.seconds = time.monotonic() + seconds, seconds
        try:
            yield
        finally:
            del self._deadline.until

    def bulk_read(self, numbytes: int, transport_timeout_s: float) -> bytes:
        """Read at least one byte and at most `numbytes`.

        Raises PhoneError ``lost``; ``silent`` after `transport_timeout_s`; ``too_slow`` after the time of `deadline`;
        ``garbled`` if a packet claims to be longer than ADB allows (AOSP ``adb.h``, ``MAX_PAYLOAD``).
        """
        with self._latch_errors():
            if numbytes > MAX_ADB_DATA:  # a length that the phone sent; adb-shell would accept up to 4 GB
                raise PhoneError("errors.garbled")
            call_deadline = time.monotonic() + transport_timeout_s
            while not self._cancelled:
                timeout_s = min(POLL_SLICE_S, self._remaining_s(call_deadline, transport_timeout_s))
                data = self._receive(numbytes, timeout_s)
                if data:
                    return data
                if self.on_idle is not None:
                    self.on_idle()
            raise PhoneError("errors.lost")

    def bulk_write(self, data: bytes, transport_timeout_s: float) -> int:
        """Send all of `data`: adb-shell ignores the returned length, so that a short write would corrupt the stream."""
        with self._latch_errors():
            call_deadline = time.monotonic() + transport_timeout_s
            self._send(data, self._remaining_s(call_deadline, transport_timeout_s))
        return len(data)

    def _remaining_s(self, call_deadline: float, timeout_s: float) -> float:
        now = time.monotonic()
        deadline = getattr(self._deadline, "until", math.inf)
        if now >= deadline:
            raise PhoneError("errors.too_slow", seconds=round(self._deadline.seconds))
        if now >= call_deadline:
            raise PhoneError("errors.silent", seconds=round(timeout_s))
        return max(min(call_deadline, deadline) - now, 0.001)  # libusb takes 0 ms for "no time-out"

    @contextlib.contextmanager
    def _latch_errors(self) -> Iterator[None]:
        if self.fatal_error is not None:
            raise PhoneError(self.fatal_error.key, **self.fatal_error.values)
        try:
            yield
        except PhoneError as error:
            self.fatal_error = error
            raise
        except BaseException:  # Ctrl-C in the middle of a packet: its first bytes are lost
            self.fatal_error = PhoneError("errors.lost")
            raise

    @abstractmethod
    def _receive(self, size: int, timeout_s: float) -> bytes:
        """Return received bytes, or ``b""`` after `timeout_s`. Raises `PhoneError` at the end of the stream."""

    @abstractmethod
    def _send(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data` within `timeout_s`, or raise `PhoneError`."""


class TcpStream(DeviceStream):
    """A TCP connection: an emulator, the virtual phone, a phone after ``adb tcpip``, or the ADB server."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._host = host
        self._port = port
        self.reached_eof = False
        """Whether the other side has closed the connection."""
        self._socket: socket.socket | None = None

    def connect(self, transport_timeout_s: float) -> None:
        """Open the connection. Raises PhoneError ``no_answer``."""
        try:
            self._socket = socket.create_connection((self._host, self._port), timeout=transport_timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 47 ms for each command
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name with an empty or overlong part
            raise PhoneError("errors.no_answer", host=self._host, port=self._port) from error

    def close(self) -> None:
        """Close the connection; a thread that waits for data gets an error."""
        connection, self._socket = self._socket, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _receive(self, size: int, timeout_s: float) -> bytes:
        try:
            data = self._require_socket(timeout_s).recv(size)
        except TimeoutError:
            return b""
        except OSError as error:
            raise PhoneError("errors.lost") from error
        if not data:  # end of the stream; adb-shell would read again in a busy loop until its time-out
            self.reached_eof = True
            raise PhoneError("errors.lost")
        return data

    def _send(self, data: bytes, timeout_s: float) -> None:
        try:
            self._require_socket(timeout_s).sendall(data)
        except TimeoutError as error:
            raise PhoneError("errors.silent", seconds=round(timeout_s)) from error
        except OSError as error:
            raise PhoneError("errors.lost") from error

    def _require_socket(self, timeout_s: float) -> socket.socket:
        if self._socket is None:
            raise PhoneError("errors.lost")
        self._socket.settimeout(timeout_s)
        return self._socket
