"""One stream of an ADB connection: its credit, its pending output and what the computer sent."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from privaudit.virtual_phone.adbd.wire import AdbCommand, AdbMessage, AdbProtocolError

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
