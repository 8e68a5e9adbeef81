"""What can go wrong on the way from the demo phone: a pulled cable, a phone that falls asleep, or talks nonsense."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias


class SimulatedLink:
    """One direction of a line with a bandwidth and a latency; by default neither is felt.

    Args:
        bytes_per_s: how much goes through; ``None``: as fast as this computer can.
        latency_s: how long each message is under way, whatever its size.
        clock: seconds that pass.
        sleep: waits so many of them.
    """

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
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = 0.0

    def now(self) -> float:
        """Seconds, for `pass_through`."""
        return self._clock()

    def wait_for_transfer(self, size: int, sent_at: float) -> None:
        """Wait as long as `size` bytes are under way, behind those that went before.

        They set out at `sent_at`: what this computer needs to make a message of them, a phone does on the way.
        """
        if self._bytes_per_s is None and not self._latency_s:
            return
        with self._lock:
            began = max(sent_at, self._free_at)
            self._free_at = began + (size / self._bytes_per_s if self._bytes_per_s else 0.0)
            arrives = self._free_at + self._latency_s
        wait = arrives - self._clock()
        if wait > 0:
            self._sleep(wait)


MessageTransform: TypeAlias = Callable[[int, bytes], Iterable[bytes]]
"""Says what goes out instead of a message, piece by piece: told the message's number and its bytes.

Raising `OSError` pulls the cable between two messages.
"""

_POLL_INTERVAL_S: Final = 0.05
"""How often a sleeping phone looks whether the computer is still there."""


class FaultInjector:
    """Armed while the phone runs; each happens once, to whichever message is on the way then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._disconnect_after: int | None = None
        self._stall_after: int | None = None
        self._awake = threading.Event()
        self._awake.set()
        self._transform: MessageTransform | None = None
        self._message_number = 0

    def disconnect_after(self, size: int) -> None:
        """Pull the cable once `size` more bytes have gone out, in the middle of a message if it must be."""
        with self._lock:
            self._disconnect_after = size

    def stall_after(self, size: int) -> None:
        """Say nothing more once `size` more bytes have gone out, until `wake`."""
        with self._lock:
            self._stall_after = size

    def transform_messages(self, transform: MessageTransform) -> None:
        """Let `transform` have its way with every message from now on; they are counted from 0."""
        with self._lock:
            self._transform, self._message_number = transform, 0

    def apply_transform(self, data: bytes) -> Iterable[bytes]:
        """What goes out instead of the message `data`."""
        with self._lock:
            twist, number = self._transform, self._message_number
            self._message_number += 1
        return (data,) if twist is None else twist(number, data)

    def resume(self) -> None:
        """Go on."""
        self._awake.set()

    def limit_send(self, size: int, closed: threading.Event) -> tuple[int, bool]:
        """How many of `size` bytes go out, and whether the cable is pulled then.

        Waits while the phone sleeps, or until the computer is `closed`.
        """
        with self._lock:
            if self._stall_after is not None:
                self._stall_after -= size
                if self._stall_after < 0:
                    self._stall_after = None
                    self._awake.clear()
            allowed, pulled = size, False
            if self._disconnect_after is not None:
                allowed = min(size, self._disconnect_after)
                self._disconnect_after -= allowed
                pulled = allowed < size
                if pulled:
                    self._disconnect_after = None
        while not self._awake.wait(_POLL_INTERVAL_S) and not closed.is_set():
            pass
        return allowed, pulled
