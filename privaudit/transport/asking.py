"""The question "Allow USB debugging?" on the phone, told to the person at the computer while the time runs."""

from __future__ import annotations

import math
import time

from privaudit.errors import PhoneError
from privaudit.transport import AuthorizationWait, OnWaiting


class AuthorizationPrompt:
    """Tells the person that the question stands on the phone, now and each second.

    Args:
        fingerprint: of the key that the phone shows; ``None``: it cannot be known here.
        tell: told.
        timeout_s: how long the owner has.
    """

    def __init__(self, fingerprint: str | None, on_waiting: OnWaiting, timeout_s: float) -> None:
        self.fingerprint = fingerprint
        self._on_waiting = on_waiting
        self._timeout_s = timeout_s
        self._deadline = math.nan
        self._last_reported_s: int | None = None
        self.is_shown = False

    def __call__(self) -> None:
        """To be called before the wait and several times a second."""
        if not self.is_shown:
            self.is_shown, self._deadline = True, time.monotonic() + self._timeout_s
        left = max(0, math.ceil(self._deadline - time.monotonic()))
        if left != self._last_reported_s:
            self._last_reported_s = left
            self._on_waiting(AuthorizationWait(fingerprint=self.fingerprint, seconds_left=left))

    @property
    def expired(self) -> bool:
        """Whether the time is over; never before the question was asked."""
        return self.is_shown and time.monotonic() >= self._deadline

    @property
    def timeout_error(self) -> PhoneError:
        """What to say when nobody has tapped."""
        if self.fingerprint is None:
            return PhoneError("errors.not_allowed_unseen")
        return PhoneError("errors.not_allowed", fingerprint=self.fingerprint)
