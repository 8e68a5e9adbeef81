"""The bytes under adb-shell: bounded reads and writes, and the network. `usb` adds the cable.

adb-shell 0.4.4 has transports of its own. Measured against AOSP's adbd 34 they wait for ever or burn the processor when
the phone goes away, lose the end of long writes and wait 40 ms for every answer; these do not.
"""

from __future__ import annotations

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
"""Longest wait for the network to connect, and for each answer of the phone until it asks its owner."""
POLL_SLICE_S: Final = 0.5
"""Longest single wait, so that Ctrl-C is heard and time is seen to run. libusb does not return for a signal."""


class DeviceStream(BaseTransport):  # type: ignore[misc]  # adb-shell has no types
    """One line to one phone. Once it has failed it stays failed.

    After a time-out in the middle of a packet nobody knows where the next packet begins, and adb-shell would take
    data for headers. So the first error closes the line for all threads, and is what every later call raises.
    """

    def __init__(self) -> None:
        self.fatal_error: PhoneError | None = None
        """Why this line is of no use any more."""
        self.on_idle: Callable[[], None] | None = None
        """Called after each `POLL_SLICE_S` without a byte."""
        self._deadline = threading.local()
        self._cancelled = False

    def cancel(self) -> None:
        """Let a thread that waits for the phone end within `POLL_SLICE_S`, so that the wire can be closed."""
        self._cancelled = True

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Let every read and write of this thread end within `seconds`, all together.

        adb-shell looks at its own total time only after a packet of the same stream came.
        """
        self._deadline.until, self._deadline.seconds = time.monotonic() + seconds, seconds
        try:
            yield
        finally:
            del self._deadline.until

    def bulk_read(self, numbytes: int, transport_timeout_s: float) -> bytes:
        """Up to `numbytes` bytes, at least one.

        Raises:
            PhoneError: ``lost``; ``silent`` after `transport_timeout_s`; ``too_slow`` after the time of `within`;
                ``garbled`` where a packet claims to be longer than ADB allows (AOSP ``adb.h``, ``MAX_PAYLOAD``).
        """
        with self._latch_errors():
            if numbytes > MAX_ADB_DATA:  # a length that the phone sent; adb-shell would take up to 4 GB
                raise PhoneError("errors.garbled")
            until = time.monotonic() + transport_timeout_s
            while not self._cancelled:
                data = self._receive(numbytes, min(POLL_SLICE_S, self._remaining_s(until, transport_timeout_s)))
                if data:
                    return data
                if self.on_idle is not None:
                    self.on_idle()
            raise PhoneError("errors.lost")

    def bulk_write(self, data: bytes, transport_timeout_s: float) -> int:
        """Send all of `data`: adb-shell does not look at what is returned, so a short write would shift the stream.

        Raises:
            PhoneError: as `bulk_read`.
        """
        with self._latch_errors():
            until = time.monotonic() + transport_timeout_s
            self._send(data, self._remaining_s(until, transport_timeout_s))
        return len(data)

    def _remaining_s(self, call_deadline: float, timeout_s: float) -> float:
        now = time.monotonic()
        deadline = getattr(self._deadline, "until", math.inf)
        if now >= deadline:
            raise PhoneError("errors.too_slow", seconds=round(self._deadline.seconds))
        if now >= call_deadline:
            raise PhoneError("errors.silent", seconds=round(timeout_s))
        return max(min(call_deadline, deadline) - now, 0.001)  # libusb takes 0 ms for "for ever"

    @contextlib.contextmanager
    def _latch_errors(self) -> Iterator[None]:
        if self.fatal_error is not None:
            raise PhoneError(self.fatal_error.key, **self.fatal_error.values)
        try:
            yield
        except PhoneError as error:
            self.fatal_error = error
            raise
        except BaseException:  # Ctrl-C in the middle of a packet: what was read of it is gone
            self.fatal_error = PhoneError("errors.lost")
            raise

    @abstractmethod
    def _receive(self, size: int, timeout_s: float) -> bytes:
        """What has come, or nothing when `timeout_s` is over. Raises `PhoneError` at the end of the line."""

    @abstractmethod
    def _send(self, data: bytes, timeout_s: float) -> None:
        """Send all of `data` within `timeout_s`, or raise `PhoneError`."""


class TcpStream(DeviceStream):
    """The network: an emulator, the demo phone, or a phone after ``adb tcpip``."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._host = host
        self._port = port
        self.reached_eof = False
        """Whether the other side has said all and closed the line."""
        self._socket: socket.socket | None = None

    def connect(self, transport_timeout_s: float) -> None:
        """Open the connection.

        Raises:
            PhoneError: ``no_answer``.
        """
        try:
            self._socket = socket.create_connection((self._host, self._port), timeout=transport_timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 47 ms for each command
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name with an empty or overlong part
            raise PhoneError("errors.no_answer", host=self._host, port=self._port) from error

    def close(self) -> None:
        """End the connection; a thread that waits for an answer is told so."""
        connection, self._socket = self._socket, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _receive(self, size: int, timeout_s: float) -> bytes:
        try:
            connection = self._require_socket(timeout_s)
            data = connection.recv(size)
        except TimeoutError:
            return b""
        except OSError as error:
            raise PhoneError("errors.lost") from error
        if not data:  # the end; adb-shell asks again at once, at full speed, until its time is over
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
