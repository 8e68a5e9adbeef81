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
from privaudit.revocation.replies import find_shell_error
from privaudit.transport import Transport

APP_INFO_PAGE: Final = "app_info"
"""The details page of an app: there on every phone."""
_OPEN_PAGE_TIMEOUT_S: Final = 20.0
"""For ``am start -W``, which waits until the page is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    """What came to the screen."""

    page: str | None
    """The page wanted, `APP_INFO_PAGE`, or ``settings`` where nothing nearer would open; ``None``: nothing."""
    errors: tuple[str, ...]
    """What the phone said to each try that failed, tamed."""


def open_page(transport: Transport, phone: Phone, page_name: str, package: str, user: int) -> OpenedPage:
    """Bring `page_name` of `package` to the screen of `user`.

    Raises:
        ConnectionLost: the connection ended.
    """
    refusals: list[str] = []
    for name, intent in _candidate_intents(phone, page_name):
        reply = transport.run(commands.start_activity(intent, package, user), timeout_s=_OPEN_PAGE_TIMEOUT_S)
        problem = find_shell_error(reply)
        if problem is None:
            return OpenedPage(page=name, errors=tuple(refusals))
        refusals.append(problem)
    return OpenedPage(page=None, errors=tuple(refusals))


def _candidate_intents(phone: Phone, page_name: str) -> Iterator[tuple[str, roms.SettingsIntent]]:
    for name in dict.fromkeys((page_name, APP_INFO_PAGE, "settings")):
        for intent in roms.find_intents(phone.rom.id, name, phone.sdk):
            yield name, intent
