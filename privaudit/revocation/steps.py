"""What the owner taps, one action a step, in the words of this phone's menus.

Paths and words: ``privaudit/data/roms``. Unverified ones carry the way round: search Settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from privaudit import roms
from privaudit.facts import groups
from privaudit.findings import severity
from privaudit.i18n import name_of
from privaudit.model import App, Finding, Message, Phone, Step, UserKind, Value
from privaudit.revocation import settings_page

_SPECIAL: Final = frozenset(
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

ALWAYS: Final = tuple(
    Message(key=f"steps.{name}") for name in ("safety", "notice", "evidence", "keep_app", "bank_apps", "no_recall")
)
"""What stands above the steps, whatever they are."""

_DENY_SDK: Final = 31
"""From Android 12 the page says "Don't allow"; before, "Deny"."""
_LEGACY_SDK: Final = 23
_OWNERS: Final = frozenset({"device_owner", "profile_owner"})
"""Who manages a phone or a work profile is left alone: a lock of a purchase by instalments, or an employer's."""
_PHONE: Final = "phone"
"""Group that holds the call log before Android 9."""
_ROLES: Final = {"default_sms": "sms_app", "default_phone": "phone_app"}
_SWITCHES: Final = {
    # a right beside the permission list: the menu word to search for
    "accessibility": "accessibility",
    "notification_listener": "notification_access",
    "overlay": "overlay",
    "usage": "usage_access",
    "install_packages": "install_unknown_apps",
    "all_files": "all_files_access",
}
ORDER: Final = (*_ROLES, *_SWITCHES, "input_method", "permissions", "device_admin")
"""In which order the doors of one app are closed: a role or a side door would give back what a permission takes."""


def for_finding(finding: Finding, app: App, phone: Phone, kind: UserKind = UserKind.OTHER) -> Finding:
    """`finding` with the taps that close what it found. `kind`: what the app's Android user is for."""
    steps: Iterable[Step] = ()  # a listing is closed by closing what the app can read
    if finding.rule in {"data_access", "suspect"} and _is_open(app, phone):
        steps = permissions(app, phone, kind)
    elif finding.rule == "special_access":
        steps = special(finding.message.key.partition(".")[2], app, phone)
    return replace(finding, steps=tuple(steps))


def in_order(findings: Iterable[Finding]) -> tuple[Step, ...]:
    """The taps of all `findings` about one app: roles first, then special access, then permissions."""

    def place(finding: Finding) -> int:
        kind = finding.message.key.partition(".")[2] if finding.rule == "special_access" else "permissions"
        return ORDER.index(kind) if kind in ORDER else len(ORDER)

    return tuple(step for finding in sorted(findings, key=place) for step in finding.steps)


def for_app(app: App, phone: Phone, kind: UserKind = UserKind.OTHER) -> tuple[Step, ...]:
    """Everything that closes what `app` can read now, whether or not anything was found about it."""
    held = {access.kind for access in app.special_access} - {"device_admin"}  # that belongs to uninstalling
    return for_kinds({*held, "permissions"}, app, phone, kind)


def for_kinds(kinds: Collection[str], app: App, phone: Phone, kind: UserKind = UserKind.OTHER) -> tuple[Step, ...]:
    """What closes the doors in `kinds` (those of `ORDER`), in the right order."""
    made: list[Step] = []
    for one in (one for one in ORDER if one in kinds):
        if one != "permissions":
            made += special(one, app, phone)
        elif _is_open(app, phone):
            made += permissions(app, phone, kind)
    return tuple(made)


def _is_open(app: App, phone: Phone) -> bool:
    return bool(severity.reads(app) or groups.open_by_group(app, phone.sdk))


def last_of_all(phone: Phone) -> Step:
    """After all apps: who else can read contacts?"""
    words: dict[str, Value] = {
        "word": settings_page.word(phone, "permission_manager"),
        "group": settings_page.word(phone, "contacts"),
    }
    return Message(key="steps.check_others", values=words)


def permissions(app: App, phone: Phone, kind: UserKind) -> Iterator[Step]:
    """Closes the permissions of `app`, all of a group in one go."""
    name = name_of(app.label, app.package)
    held = {access.kind for access in app.special_access}
    for role, what in _ROLES.items():
        if role in held:
            yield Message(key="steps.default_app_first", values={"what": _say(f"steps.{what}")})
    yield from settings_page.to_app(phone, "permissions", app, kind)
    closing = groups.to_close(app, phone.sdk)
    words = tuple(settings_page.word(phone, group) for group in closing)
    if _PHONE in closing:
        yield Message(key="steps.refuse_phone", values={"word": settings_page.word(phone, "phone")})
    for word in words:
        yield _refuse(phone, word)
    if app.target_sdk is not None and app.target_sdk < _LEGACY_SDK:
        yield _say("steps.refuse_warning")
    yield Message(key="steps.look", values={"app": name, "groups": words})
    yield _say("steps.screenshot")
    if kind is UserKind.CLONE:
        page = settings_page.page(phone, "clones")
        word = settings_page.word(phone, page.path[-1]) if page is not None else _say("steps.clone_page")
        yield Message(key="steps.clone_keep", values={"word": word})
    yield from settings_page.search(phone, "permissions", "permission_manager")


def special(kind: str, app: App, phone: Phone) -> Iterator[Step]:
    """Closes one right beside the permission list. Nothing for what must not be removed by hand."""
    named: dict[str, Value] = {"app": name_of(app.label, app.package)}
    if kind in _ROLES:
        yield from _role(kind, named, phone)
    elif kind in _SWITCHES:
        yield from _switch(kind, named, app, phone)
    elif kind == "device_admin" and not _OWNERS.intersection(one.kind for one in app.special_access):
        yield _say("steps.admin_later")
        yield from (tap for tap in settings_page.to_page(phone, kind) if tap.key != "steps.tap_app")
        yield Message(key="steps.deactivate", values=named)
        yield Message(key="steps.admin_look", values=named)
        yield from settings_page.search(phone, kind, "device_admin_apps")
    elif kind == "input_method":
        yield from settings_page.to_page(phone, kind)
        yield Message(key="steps.choose_keyboard", values=named)
        yield Message(key="steps.special_look", values=named)
        yield from settings_page.search(phone, kind, "keyboard")


def _role(kind: str, named: Mapping[str, Value], phone: Phone) -> Iterator[Step]:
    taps = tuple(settings_page.to_page(phone, "default_apps"))
    yield from taps
    # A role is not turned off: another app takes it.
    key = "steps.choose_other" if taps else "steps.choose_other_search"
    yield Message(key=key, values={"word": settings_page.word(phone, kind)})
    yield Message(key="steps.role_look", values=named)
    yield _say("steps.screenshot")
    if taps:
        yield from settings_page.search(phone, "default_apps", kind)


def _switch(kind: str, named: Mapping[str, Value], app: App, phone: Phone) -> Iterator[Step]:
    taps = tuple(settings_page.to_page(phone, kind, name_of(app.label, app.package)))
    yield from taps
    if taps:
        if app.user != 0:
            yield Message(key="steps.copy_in_list", values={**named, "user": app.user})
        yield Message(key="steps.switch_off", values=named)
    else:
        yield Message(
            key="steps.switch_off_search", values={**named, "word": settings_page.word(phone, _SWITCHES[kind])}
        )
    yield Message(key="steps.special_look", values=named)
    yield _say("steps.screenshot")
    if taps:
        yield from settings_page.search(phone, kind, _SWITCHES[kind])


def _refuse(phone: Phone, group: Message) -> Step:
    if phone.sdk is not None and phone.sdk < roms.load(phone.rom.id)["choices"]["since"]:
        return Message(key="steps.refuse_old", values={"group": group, "choice": settings_page.word(phone, "deny_old")})
    deny = "deny_10" if phone.sdk is not None and phone.sdk < _DENY_SDK else "deny"
    return Message(key="steps.refuse", values={"group": group, "choice": settings_page.word(phone, deny)})


def _say(name: str) -> Message:
    return Message(key=name)
