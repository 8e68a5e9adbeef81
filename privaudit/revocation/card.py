"""What a phone's maker adds to the steps: USB debugging on and off, and uninstalling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from privaudit import roms
from privaudit.i18n import display_name
from privaudit.model import App, Message, Phone, Step
from privaudit.revocation import settings_page
from privaudit.revocation.steps import special_access_steps

_HARMONYOS: Final = "harmonyos"


def enable_usb_debugging_steps(phone: Phone) -> Iterator[Step]:
    """How USB debugging is switched on. Above it belongs what is said of bank apps."""
    if phone.rom.id == _HARMONYOS:
        yield Message(key="steps.no_adb")
    usb = _usb_debugging_extras(phone)
    yield from (
        Message(key="steps.turn_off", values={"word": settings_page.menu_term(phone, name)})
        for name in usb["off_first"]
    )
    *taps, last = settings_page.taps_to_page(phone, "build_number")
    yield from taps
    yield Message(key="steps.tap_seven", values=last.values)
    *taps, last = settings_page.taps_to_page(phone, "usb_debugging")
    yield from taps
    yield Message(key="steps.turn_on", values=last.values)
    yield from (
        Message(key="steps.turn_on", values={"word": settings_page.menu_term(phone, name)}) for name in usb["also_on"]
    )
    yield from settings_page.search_hint(phone, "usb_debugging", "usb_debugging")


def disable_usb_debugging_steps(phone: Phone) -> Iterator[Step]:
    """What comes last of all, always: nothing of the check stays on."""
    *taps, last = settings_page.taps_to_page(phone, "usb_debugging")
    yield from taps
    usb = _usb_debugging_extras(phone)
    yield Message(key="steps.tap", values={"word": settings_page.menu_term(phone, "revoke_usb")})
    for name in (*(gate.menu_key for gate in roms.list_restrictions(phone.rom.id)), *usb["also_on"]):
        yield Message(key="steps.turn_off_if_on", values={"word": settings_page.menu_term(phone, name)})
    yield Message(key="steps.turn_off", values=last.values)
    yield Message(key="steps.turn_off", values={"word": settings_page.menu_term(phone, "developer_options")})
    yield from (
        Message(key="steps.turn_on", values={"word": settings_page.menu_term(phone, name)}) for name in usb["off_first"]
    )


def uninstall_steps(app: App, phone: Phone) -> Iterator[Step]:
    """How `app` is removed, when everything else is done. A device administrator is deactivated first."""
    named = {"app": display_name(app.label, app.package)}
    held = {access.kind for access in app.special_access}
    if "device_owner" in held:
        yield Message(key="steps.uninstall_owner", values={**named})
        return
    if "device_admin" in held:
        yield from special_access_steps("device_admin", app, phone)
    if app.system:
        yield Message(key="steps.uninstall_system", values={**named})
    else:
        yield Message(key="steps.uninstall_last", values={"word": settings_page.menu_term(phone, "uninstall")})
    yield Message(key="steps.uninstall_keeps")


def _usb_debugging_extras(phone: Phone) -> dict[str, tuple[str, ...]]:
    said = roms.load_rom(phone.rom.id).get("usb", {})
    return {name: tuple(said.get(name, ())) for name in ("off_first", "also_on")}
