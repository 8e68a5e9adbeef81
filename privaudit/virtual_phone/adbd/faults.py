"""What can go wrong on the way from the demo phone: a pulled cable, a phone that falls asleep, or talks nonsense."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

Twist: TypeAlias = Callable[[int, bytes], Iterable[bytes]]
"""Says what goes out instead of a message, piece by piece: told the message's number and its bytes.

Raising `OSError` pulls the cable between two messages.
"""

_LOOK_S: Final = 0.05
"""How often a sleeping phone looks whether the computer is still there."""


class Faults:
    """Armed while the phone runs; each happens once, to whichever message is on the way then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pull_after: int | None = None
        self._sleep_after: int | None = None
        self._awake = threading.Event()
        self._awake.set()
        self._twist: Twist | None = None
        self._number = 0

    def pull_after(self, size: int) -> None:
        """Pull the cable once `size` more bytes have gone out, in the middle of a message if it must be."""
        with self._lock:
            self._pull_after = size

    def sleep_after(self, size: int) -> None:
        """Say nothing more once `size` more bytes have gone out, until `wake`."""
        with self._lock:
            self._sleep_after = size

    def twist(self, twist: Twist) -> None:
        """Let `twist` have its way with every message from now on; they are counted from 0."""
        with self._lock:
            self._twist, self._number = twist, 0

    def instead(self, data: bytes) -> Iterable[bytes]:
        """What goes out instead of the message `data`."""
        with self._lock:
            twist, number = self._twist, self._number
            self._number += 1
        return (data,) if twist is None else twist(number, data)

    def wake(self) -> None:
        """Go on."""
        self._awake.set()

    def allow(self, size: int, gone: threading.Event) -> tuple[int, bool]:
        """How many of `size` bytes go out, and whether the cable is pulled then.

        Waits while the phone sleeps, or until the computer is `gone`.
        """
        with self._lock:
            if self._sleep_after is not None:
                self._sleep_after -= size
                if self._sleep_after < 0:
                    self._sleep_after = None
                    self._awake.clear()
            allowed, pulled = size, False
            if self._pull_after is not None:
                allowed = min(size, self._pull_after)
                self._pull_after -= allowed
                pulled = allowed < size
                if pulled:
                    self._pull_after = None
        while not self._awake.wait(_LOOK_S) and not gone.is_set():
            pass
        return allowed, pulled
