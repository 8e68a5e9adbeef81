"""The way to a page, tap by tap, in the words of this phone's menus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit import roms
from privaudit.i18n import name_of
from privaudit.model import App, Message, Phone, Step, UserKind, Value

APP: Final = "APP"
"""In a path: the app itself."""
_COPY: Final = {
    UserKind.WORK_PROFILE: "steps.copy_work",
    UserKind.PRIVATE_SPACE: "steps.copy_private_space",
    UserKind.SECURE_FOLDER: "steps.copy_secure_folder",
}


def word(phone: Phone, name: str) -> Message:
    """A menu word of this phone's ROM."""
    return Message(key=f"menu.{phone.rom.id}.{name}")


def page(phone: Phone, name: str) -> roms.Page | None:
    """How to reach the page `name` on this phone; ``None`` where nobody described it."""
    return roms.page(phone.rom.id, name, phone.sdk)


def to_page(phone: Phone, name: str, app: str = "") -> Iterator[Step]:
    """Taps from the home screen to the page `name`; `app`: what the app is called through which the path goes."""
    found = page(phone, name)
    for one in found.path if found is not None else ():
        yield _tap(phone, one, app)


def to_app(phone: Phone, name: str, app: App, kind: UserKind) -> Iterator[Step]:
    """Taps to the page `name` of `app`. Settings lists the owner's apps: a copy is reached by its own icon."""
    found = page(phone, name)
    if found is None:
        return
    called = name_of(app.label, app.package)
    if app.user == 0:
        yield from to_page(phone, name, called)
        return
    values: dict[str, Value] = {"app": called, "user": app.user}
    yield Message(key=_COPY.get(kind, "steps.clone"), values=values)
    # Its own page begins where the list of apps ends: what stands before the app in the path falls away.
    rest = found.path[found.path.index(APP) + 1 :] if APP in found.path else ()
    for one in rest or ("permissions",):
        yield _tap(phone, one, called)


def search(phone: Phone, name: str, said: str) -> Iterator[Step]:
    """The way round, where the path to the page `name` is not checked: search Settings for the word `said`."""
    found = page(phone, name)
    if found is None or not found.checked:
        yield Message(key="steps.search", values={"word": word(phone, said)})


def _tap(phone: Phone, one: str, app: str) -> Step:
    if one == APP:
        return Message(key="steps.tap_app", values={"app": app})
    return Message(key="steps.open" if one == "settings" else "steps.tap", values={"word": word(phone, one)})
