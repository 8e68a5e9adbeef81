"""The way to a page, tap by tap, in the words of this phone's menus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit import roms
from privaudit.i18n import display_name
from privaudit.model import App, Message, MessageValue, Phone, Step, UserKind

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
