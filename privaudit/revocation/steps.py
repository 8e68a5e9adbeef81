"""What the owner taps, one action a step, in the words of this phone's menus.

Paths and words: ``privaudit/data/roms``. Unverified ones carry the way round: search Settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from privaudit import roms
from privaudit.android import RUNTIME_PERMISSIONS_SDK
from privaudit.facts import permission_table
from privaudit.findings import severity
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message, MessageValue, Phone, Step, UserKind
from privaudit.revocation import settings_page

_SPECIAL_ACCESS_KINDS: Final = frozenset(
    {
        "accessibility",
        "notification_listener",
        "default_sms",
        "default_phone",
        "overlay",
        "usage",
        "all_files",
        "install_packages",
    }
)
"""What its owner can turn off, or give to another app.

An administrator stays until the app goes; a phone or a work profile that somebody manages is left alone.
"""

SAFETY_NOTES: Final = tuple(
    Message(key=f"steps.{name}") for name in ("safety", "notice", "evidence", "keep_app", "bank_apps", "no_recall")
)
"""What stands above the steps, whatever they are."""

_DONT_ALLOW_SDK: Final = 31
"""From Android 12 the page says "Don't allow"; before, "Deny"."""
_OWNER_KINDS: Final = frozenset({"device_owner", "profile_owner"})
"""Who manages a phone or a work profile is left alone: a lock of a purchase by instalments, or an employer's."""
_PHONE_GROUP: Final = "phone"
"""Group that holds the call log before Android 9."""
_ROLE_MESSAGE_KEYS: Final = {"default_sms": "sms_app", "default_phone": "phone_app"}
_SWITCH_MENU_TERMS: Final = {
    # a right beside the permission list: the menu word to search for
    "accessibility": "accessibility",
    "notification_listener": "notification_access",
    "overlay": "overlay",
    "usage": "usage_access",
    "install_packages": "install_unknown_apps",
    "all_files": "all_files_access",
}
REVOCATION_ORDER: Final = (*_ROLE_MESSAGE_KEYS, *_SWITCH_MENU_TERMS, "input_method", "permissions", "device_admin")
"""In which order the doors of one app are closed: a role or a side door would give back what a permission takes."""


def attach_steps(finding: Finding, app: App, phone: Phone, user_kind: UserKind = UserKind.OTHER) -> Finding:
    """`finding` with the taps that close what it found. `user_kind`: what the app's Android user is for."""
    steps: Iterable[Step] = ()  # a listing is closed by closing what the app can read
    if finding.rule in {"data_access", "suspect"} and _has_data_access(app, phone):
        steps = permission_steps(app, phone, user_kind)
    elif finding.rule == "special_access":
        steps = special_access_steps(finding.message.key.partition(".")[2], app, phone)
    return replace(finding, steps=tuple(steps))


def ordered_steps(findings: Iterable[Finding]) -> tuple[Step, ...]:
    """The taps of all `findings` about one app: roles first, then special access, then permissions."""

    def place(finding: Finding) -> int:
        kind = finding.message.key.partition(".")[2] if finding.rule == "special_access" else "permissions"
        return REVOCATION_ORDER.index(kind) if kind in REVOCATION_ORDER else len(REVOCATION_ORDER)

    return tuple(step for finding in sorted(findings, key=place) for step in finding.steps)


def steps_for_app(app: App, phone: Phone, user_kind: UserKind = UserKind.OTHER) -> tuple[Step, ...]:
    """Everything that closes what `app` can read now, whether or not anything was found about it."""
    held = {access.kind for access in app.special_access} - {"device_admin"}  # that belongs to uninstalling
    return steps_for_kinds({*held, "permissions"}, app, phone, user_kind)


def steps_for_kinds(
    kinds: Collection[str], app: App, phone: Phone, user_kind: UserKind = UserKind.OTHER
) -> tuple[Step, ...]:
    """What closes the doors in `kinds` (those of `REVOCATION_ORDER`), in the right order."""
    made: list[Step] = []
    for one in (one for one in REVOCATION_ORDER if one in kinds):
        if one != "permissions":
            made += special_access_steps(one, app, phone)
        elif _has_data_access(app, phone):
            made += permission_steps(app, phone, user_kind)
    return tuple(made)


def _has_data_access(app: App, phone: Phone) -> bool:
    return bool(severity.readable_data(app) or permission_table.reachable_by_group(app, phone.sdk))


def check_other_apps_step(phone: Phone) -> Step:
    """After all apps: who else can read contacts?"""
    words: dict[str, MessageValue] = {
        "word": settings_page.menu_term(phone, "permission_manager"),
        "group": settings_page.menu_term(phone, "contacts"),
    }
    return Message(key="steps.check_others", values=words)


def permission_steps(app: App, phone: Phone, user_kind: UserKind) -> Iterator[Step]:
    """Closes the permissions of `app`, all of a group in one go."""
    name = display_name(app.label, app.package)
    held = {access.kind for access in app.special_access}
    for role, what in _ROLE_MESSAGE_KEYS.items():
        if role in held:
            yield Message(key="steps.default_app_first", values={"what": _step_message(f"steps.{what}")})
    yield from settings_page.taps_to_app_page(phone, "permissions", app, user_kind)
    closing = permission_table.groups_to_revoke(app, phone.sdk)
    words = tuple(settings_page.menu_term(phone, group) for group in closing)
    if _PHONE_GROUP in closing:
        yield Message(key="steps.refuse_phone", values={"word": settings_page.menu_term(phone, "phone")})
    for word in words:
        yield _deny_step(phone, word)
    if app.target_sdk is not None and app.target_sdk < RUNTIME_PERMISSIONS_SDK:
        yield _step_message("steps.refuse_warning")
    yield Message(key="steps.look", values={"app": name, "groups": words})
    yield _step_message("steps.screenshot")
    if user_kind is UserKind.CLONE:
        page = settings_page.find_page(phone, "clones")
        word = (
            settings_page.menu_term(phone, page.menu_keys[-1])
            if page is not None
            else _step_message("steps.clone_page")
        )
        yield Message(key="steps.clone_keep", values={"word": word})
    yield from settings_page.search_hint(phone, "permissions", "permission_manager")


def special_access_steps(kind: str, app: App, phone: Phone) -> Iterator[Step]:
    """Closes one right beside the permission list. Nothing for what must not be removed by hand."""
    named: dict[str, MessageValue] = {"app": display_name(app.label, app.package)}
    if kind in _ROLE_MESSAGE_KEYS:
        yield from _role_steps(kind, named, phone)
    elif kind in _SWITCH_MENU_TERMS:
        yield from _switch_steps(kind, named, app, phone)
    elif kind == "device_admin" and not _OWNER_KINDS.intersection(one.kind for one in app.special_access):
        yield _step_message("steps.admin_later")
        yield from (tap for tap in settings_page.taps_to_page(phone, kind) if tap.key != "steps.tap_app")
        yield Message(key="steps.deactivate", values=named)
        yield Message(key="steps.admin_look", values=named)
        yield from settings_page.search_hint(phone, kind, "device_admin_apps")
    elif kind == "input_method":
        yield from settings_page.taps_to_page(phone, kind)
        yield Message(key="steps.choose_keyboard", values=named)
        yield Message(key="steps.special_look", values=named)
        yield from settings_page.search_hint(phone, kind, "keyboard")


def _role_steps(kind: str, app_values: Mapping[str, MessageValue], phone: Phone) -> Iterator[Step]:
    taps = tuple(settings_page.taps_to_page(phone, "default_apps"))
    yield from taps
    # A role is not turned off: another app takes it.
    key = "steps.choose_other" if taps else "steps.choose_other_search"
    yield Message(key=key, values={"word": settings_page.menu_term(phone, kind)})
    yield Message(key="steps.role_look", values=app_values)
    yield _step_message("steps.screenshot")
    if taps:
        yield from settings_page.search_hint(phone, "default_apps", kind)


def _switch_steps(kind: str, app_values: Mapping[str, MessageValue], app: App, phone: Phone) -> Iterator[Step]:
    taps = tuple(settings_page.taps_to_page(phone, kind, display_name(app.label, app.package)))
    yield from taps
    if taps:
        if app.user != 0:
            yield Message(key="steps.copy_in_list", values={**app_values, "user": app.user})
        yield Message(key="steps.switch_off", values=app_values)
    else:
        yield Message(
            key="steps.switch_off_search",
            values={**app_values, "word": settings_page.menu_term(phone, _SWITCH_MENU_TERMS[kind])},
        )
    yield Message(key="steps.special_look", values=app_values)
    yield _step_message("steps.screenshot")
    if taps:
        yield from settings_page.search_hint(phone, kind, _SWITCH_MENU_TERMS[kind])


def _deny_step(phone: Phone, group: Message) -> Step:
    if phone.sdk is not None and phone.sdk < roms.load_rom(phone.rom.id)["choices"]["since"]:
        return Message(
            key="steps.refuse_old", values={"group": group, "choice": settings_page.menu_term(phone, "deny_old")}
        )
    deny = "deny_10" if phone.sdk is not None and phone.sdk < _DONT_ALLOW_SDK else "deny"
    return Message(key="steps.refuse", values={"group": group, "choice": settings_page.menu_term(phone, deny)})


def _step_message(name: str) -> Message:
    return Message(key=name)


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
