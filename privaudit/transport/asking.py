"""The question "Allow USB debugging?" on the phone, told to the person at the computer while the time runs."""

from __future__ import annotations

import math
import time

from privaudit.errors import PhoneError
from privaudit.transport import OnWaiting, WaitingForAllow


class Question:
    """Tells the person that the question stands on the phone, now and each second.

    Args:
        fingerprint: of the key that the phone shows; ``None``: it cannot be known here.
        tell: told.
        timeout_s: how long the owner has.
    """

    def __init__(self, fingerprint: str | None, tell: OnWaiting, timeout_s: float) -> None:
        self.fingerprint = fingerprint
        self._tell = tell
        self._timeout_s = timeout_s
        self._until = math.nan
        self._told: int | None = None
        self.asked = False

    def __call__(self) -> None:
        """To be called before the wait and several times a second."""
        if not self.asked:
            self.asked, self._until = True, time.monotonic() + self._timeout_s
        left = max(0, math.ceil(self._until - time.monotonic()))
        if left != self._told:
            self._told = left
            self._tell(WaitingForAllow(fingerprint=self.fingerprint, seconds_left=left))

    @property
    def over(self) -> bool:
        """Whether the time is over; never before the question was asked."""
        return self.asked and time.monotonic() >= self._until

    @property
    def unanswered(self) -> PhoneError:
        """What to say when nobody has tapped."""
        if self.fingerprint is None:
            return PhoneError("errors.not_allowed_unseen")
        return PhoneError("errors.not_allowed", fingerprint=self.fingerprint)
