"""The way to a page, tap by tap, in the words of this phone's menus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit import roms
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Message, MessageValue, Phone, Step, UserKind
from privaudit.revocation import commands
from privaudit.revocation.apply import find_shell_error
from privaudit.transport.base import Transport

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


APP_PLACEHOLDER: Final = "APP"
"""In a path: the app itself."""
_PROFILE_MESSAGE_KEYS: Final = {
    UserKind.WORK_PROFILE: "steps.copy_work",
    UserKind.PRIVATE_SPACE: "steps.copy_private_space",
    UserKind.SECURE_FOLDER: "steps.copy_secure_folder",
}


def menu_term(phone: Phone, term: str) -> Message:
    """A menu word of this phone's ROM."""
    return Message(key=f"menu.{phone.rom.id}.{term}")


def find_page(phone: Phone, page_name: str) -> roms.SettingsPage | None:
    """How to reach the page `page_name` on this phone; ``None`` where nobody described it."""
    return roms.find_settings_page(phone.rom.id, page_name, phone.sdk)


def taps_to_page(phone: Phone, page_name: str, app_label: str = "") -> Iterator[Step]:
    """Taps from the home screen to the page `page_name`; `app_label`: what the app is called through which the path goes."""
    found = find_page(phone, page_name)
    for one in found.menu_keys if found is not None else ():
        yield _tap_step(phone, one, app_label)


def taps_to_app_page(phone: Phone, page_name: str, app: App, user_kind: UserKind) -> Iterator[Step]:
    """Taps to the page `page_name` of `app`. Settings lists the owner's apps: a copy is reached by its own icon."""
    found = find_page(phone, page_name)
    if found is None:
        return
    called = display_name(app.label, app.package)
    if app.user == 0:
        yield from taps_to_page(phone, page_name, called)
        return
    values: dict[str, MessageValue] = {"app": called, "user": app.user}
    yield Message(key=_PROFILE_MESSAGE_KEYS.get(user_kind, "steps.clone"), values=values)
    # Its own page begins where the list of apps ends: what stands before the app in the path falls away.
    rest = found.menu_keys[found.menu_keys.index(APP_PLACEHOLDER) + 1 :] if APP_PLACEHOLDER in found.menu_keys else ()
    for one in rest or ("permissions",):
        yield _tap_step(phone, one, called)


def search_hint(phone: Phone, page_name: str, search_term: str) -> Iterator[Step]:
    """The way round, where the path to the page `page_name` is not checked: search Settings for the word `search_term`."""
    found = find_page(phone, page_name)
    if found is None or not found.is_confirmed:
        yield Message(key="steps.search", values={"word": menu_term(phone, search_term)})


def _tap_step(phone: Phone, term: str, app_label: str) -> Step:
    if term == APP_PLACEHOLDER:
        return Message(key="steps.tap_app", values={"app": app_label})
    return Message(key="steps.open" if term == "settings" else "steps.tap", values={"word": menu_term(phone, term)})
