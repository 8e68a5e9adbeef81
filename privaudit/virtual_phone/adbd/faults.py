"""Faults on the wire from the virtual phone: slow links, a pulled cable, changed messages."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

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
        if self._bytes_per_s is None and not self._latency_s:
            return
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
