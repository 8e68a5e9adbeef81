"""Shows a settings page on the phone: tries what the ROM has, then Android's own, then the app's details page.

``am start`` ends well also where it failed, so its text is read (AOSP: ``ActivityManagerShellCommand``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit import roms
from privaudit.model import Phone
from privaudit.revocation import commands
from privaudit.revocation.replies import refusal
from privaudit.transport import Transport

APP_INFO: Final = "app_info"
"""The details page of an app: there on every phone."""
_PATIENCE_S: Final = 20.0
"""For ``am start -W``, which waits until the page is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What came to the screen."""

    page: str | None
    """The page wanted, `APP_INFO`, or ``settings`` where nothing nearer would open; ``None``: nothing."""
    refusals: tuple[str, ...]
    """What the phone said to each try that failed, tamed."""


def show(transport: Transport, phone: Phone, page: str, package: str, user: int) -> Shown:
    """Bring `page` of `package` to the screen of `user`.

    Raises:
        ConnectionLost: the connection ended.
    """
    refusals: list[str] = []
    for name, intent in _candidates(phone, page):
        reply = transport.run(commands.show(intent, package, user), timeout_s=_PATIENCE_S)
        problem = refusal(reply)
        if problem is None:
            return Shown(page=name, refusals=tuple(refusals))
        refusals.append(problem)
    return Shown(page=None, refusals=tuple(refusals))


def _candidates(phone: Phone, page: str) -> Iterator[tuple[str, roms.Intent]]:
    for name in dict.fromkeys((page, APP_INFO, "settings")):
        for intent in roms.intents(phone.rom.id, name, phone.sdk):
            yield name, intent
