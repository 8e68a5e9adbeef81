"""How fast the line to the demo phone is. Loopback is faster than any cable, so that measuring needs a slower one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


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
