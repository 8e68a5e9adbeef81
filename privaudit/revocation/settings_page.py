"""Pages of the Settings app: the taps that lead to one in the words of the phone's menus, and opening one over ADB."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from privaudit import roms
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Message, MessageValue, Phone, Step, UserKind
from privaudit.revocation import commands
from privaudit.transport.base import Transport

APP_PLACEHOLDER: Final = "APP"
"""Stands for the app in a path."""
_OPEN_PAGE_TIMEOUT_S: Final = 20.0
"""For ``am start -W``, which waits until the page is drawn."""
_PROFILE_MESSAGE_KEYS: Final = {
    UserKind.WORK_PROFILE: "steps.copy_work",
    UserKind.PRIVATE_SPACE: "steps.copy_private_space",
    UserKind.SECURE_FOLDER: "steps.copy_secure_folder",
}
"""How to reach a copy of an app in a profile; of any other user: ``steps.clone``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPage:
    """Result of opening a page."""

    page: str | None
    """The requested page, or else ``app_info`` or ``settings``, whichever opened; ``None``: none did."""
    errors: tuple[str, ...]
    """Errors of the attempts that failed, sanitized."""


def open_page(transport: Transport, phone: Phone, page_name: str, package: str | None, user: int) -> OpenedPage:
    """Open the page `page_name`, of `package` if it is the page of an app, on the screen of `user`.

    Raises ConnectionLost.
    """
    # Imported here, because reports use this module, and must not load the modules that change a phone.
    from privaudit.revocation.apply import find_shell_error

    errors: list[str] = []
    for name in dict.fromkeys((page_name, "app_info", "settings")):  # every phone has the latter two
        for intent in roms.find_intents(phone.rom.id, name, phone.sdk):
            if package is None and intent.package_extra is not None:
                continue
            reply = transport.run(commands.start_activity(intent, package, user), timeout_s=_OPEN_PAGE_TIMEOUT_S)
            error = find_shell_error(reply)
            if error is None:
                return OpenedPage(page=name, errors=tuple(errors))
            errors.append(error)
    return OpenedPage(page=None, errors=tuple(errors))


def menu_term(phone: Phone, term: str) -> Message:
    """Return a menu term in the words of the phone's ROM."""
    return Message(key=f"menu.{phone.rom.id}.{term}")


def find_page(phone: Phone, page_name: str) -> roms.SettingsPage | None:
    """Return how to reach a page on this phone; ``None``: it is not described."""
    return roms.find_settings_page(phone.rom.id, page_name, phone.sdk)


def taps_to_page(phone: Phone, page_name: str, app_label: MessageValue = "") -> Iterator[Step]:
    """Yield the taps from the home screen to a page. `app_label`: the app that the path leads through, if any."""
    page = find_page(phone, page_name)
    for term in page.menu_keys if page is not None else ():
        if term != APP_PLACEHOLDER or app_label:
            yield _tap_step(phone, term, app_label)


def page_title(phone: Phone, page_name: str) -> MessageValue:
    """Return the menu entry that leads to a page, in the words of the phone; the page's own name if none is known."""
    page = find_page(phone, page_name)
    terms = [term for term in page.menu_keys if term != APP_PLACEHOLDER] if page is not None else [page_name]
    return menu_term(phone, terms[-1]) if terms[-1] in roms.load_rom(phone.rom.id)["words"]["en"] else page_name


def taps_to_app_page(phone: Phone, page_name: str, app: App, user_kind: UserKind) -> Iterator[Step]:
    """Yield the taps to a page of `app`. Settings lists apps of the main user only: a copy is reached by its icon."""
    page = find_page(phone, page_name)
    if page is None:
        return
    app_label = display_name(app.label, app.package)
    if app.user == 0:
        yield from taps_to_page(phone, page_name, app_label)
        return
    values: dict[str, MessageValue] = {"app": app_label, "user": app.user}
    yield Message(key=_PROFILE_MESSAGE_KEYS.get(user_kind, "steps.clone"), values=values)
    # The icon leads to the app's details page: only the part of the path after the app is left.
    menu_keys = page.menu_keys
    remaining = menu_keys[menu_keys.index(APP_PLACEHOLDER) + 1 :] if APP_PLACEHOLDER in menu_keys else ()
    for term in remaining or ("permissions",):
        yield _tap_step(phone, term, app_label)


def search_hint(phone: Phone, page_name: str, search_term: str) -> Iterator[Step]:
    """Yield the advice to search Settings for `search_term`, unless the path to the page is confirmed."""
    page = find_page(phone, page_name)
    if page is None or not page.is_confirmed:
        yield Message(key="steps.search", values={"word": menu_term(phone, search_term)})


def _tap_step(phone: Phone, term: str, app_label: MessageValue) -> Step:
    if term == APP_PLACEHOLDER:
        return Message(key="steps.tap_app", values={"app": app_label})
    return Message(key="steps.open" if term == "settings" else "steps.tap", values={"word": menu_term(phone, term)})
