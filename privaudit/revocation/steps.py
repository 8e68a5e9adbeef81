"""Steps for the phone's owner, one action each, in the words of the phone's menus.

Revoking access, uninstalling, and switching USB debugging on and off. Paths and menu terms are in ``data/roms``; steps
along an unconfirmed path end with the advice to search Settings.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from privaudit import roms
from privaudit.android import CALL_LOG_GROUP_SDK, RUNTIME_PERMISSIONS_SDK
from privaudit.facts import permissions
from privaudit.findings import severity
from privaudit.i18n.sanitize import display_name
from privaudit.model import App, Finding, Message, MessageValue, Phone, Step, UserKind
from privaudit.revocation import settings_page

SAFETY_NOTES: Final = (
    Message(key="steps.safety"),
    Message(key="steps.notice"),
    Message(key="steps.evidence"),
    Message(key="steps.keep_app"),
    Message(key="steps.bank_apps"),
    Message(key="steps.no_recall"),
)
"""Shown above all steps."""
_DONT_ALLOW_SDK: Final = 31
"""From Android 12 the page says "Don't allow"; before, "Deny"."""
_HARMONYOS: Final = "harmonyos"
_OWNER_KINDS: Final = frozenset({"device_owner", "profile_owner"})
"""Apps that manage a phone or work profile are not removed: a lender's lock on an instalment purchase, an employer."""
_PHONE_GROUP: Final = "phone"
"""Permission group that contains the call log before Android 9."""
_ROLE_MESSAGE_KEYS: Final = {"default_sms": "steps.sms_app", "default_phone": "steps.phone_app"}
_SWITCH_MENU_TERMS: Final = {
    "accessibility": "accessibility",
    "notification_listener": "notification_access",
    "overlay": "overlay",
    "usage": "usage_access",
    "install_packages": "install_unknown_apps",
    "all_files": "all_files_access",
}
"""Kind of special access that has a switch → menu term to search for."""
REVOCATION_ORDER: Final = (*_ROLE_MESSAGE_KEYS, *_SWITCH_MENU_TERMS, "input_method", "permissions", "device_admin")
"""Order in which access is revoked: with a role or special access an app would get its permissions back."""


def attach_steps(finding: Finding, app: App, phone: Phone, user_kind: UserKind = UserKind.OTHER) -> Finding:
    """Return `finding` with the steps that fix it. `user_kind`: kind of the app's Android user."""
    steps: Iterable[Step] = ()  # a listed app has no steps of its own: its data access has
    if finding.rule in {"data_access", "suspect"} and _has_data_access(app, phone):
        steps = permission_steps(app, phone, user_kind)
    elif finding.rule == "special_access":
        steps = special_access_steps(finding.message.key.partition(".")[2], app, phone)
    return replace(finding, steps=tuple(steps))


NOTES: Final = frozenset(
    {
        "steps.search",
        "steps.lock_code",
        "steps.refuse_warning",
        "steps.refuse_phone",
        "steps.special_look",
        "steps.role_look",
        "steps.admin_later",
        "steps.admin_look",
        "steps.clone_keep",
        "steps.copy_in_list",
        "steps.uninstall_keeps",
        "steps.uninstall_owner",
        "steps.no_adb",
    }
)
"""Steps that tell the reader something and are no action: they have no number and no box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBlock:
    """The steps that close one kind of access of one app."""

    kind: str
    """One of `REVOCATION_ORDER`."""
    steps: tuple[Step, ...]


def number_steps(steps: Iterable[Step]) -> Iterator[tuple[int | None, Step]]:
    """Yield each step with its number, notes with ``None``; the advice to search Settings first."""
    number = 0
    for step in sorted(steps, key=lambda step: step.key != "steps.search"):  # saved reports have it at the end
        is_note = step.key in NOTES
        number += not is_note
        yield None if is_note else number, step


def _finding_kind(finding: Finding) -> str:
    kind = finding.message.key.partition(".")[2] if finding.rule == "special_access" else "permissions"
    return kind if kind in REVOCATION_ORDER else REVOCATION_ORDER[-1]


def step_blocks(findings: Iterable[Finding]) -> tuple[StepBlock, ...]:
    """Return the steps of `findings` about one app: roles first, then special access, then permissions."""
    blocks = [StepBlock(kind=_finding_kind(finding), steps=finding.steps) for finding in findings if finding.steps]
    return _without_repeats(sorted(blocks, key=lambda block: REVOCATION_ORDER.index(block.kind)))


def _without_repeats(blocks: Sequence[StepBlock]) -> tuple[StepBlock, ...]:
    """Leave out the advice to give a role to another app first where a block before does just that."""
    if not _ROLE_MESSAGE_KEYS.keys() & {block.kind for block in blocks}:
        return tuple(blocks)
    return tuple(
        replace(block, steps=tuple(step for step in block.steps if step.key != "steps.default_app_first"))
        for block in blocks
    )


def ordered_steps(findings: Iterable[Finding]) -> tuple[Step, ...]:
    """Return the steps of all `findings` about one app, in the order of `step_blocks`."""
    return tuple(step for block in step_blocks(findings) for step in block.steps)


def blocks_for_app(app: App, phone: Phone, user_kind: UserKind = UserKind.OTHER) -> tuple[StepBlock, ...]:
    """Return the steps that revoke all access of `app`, whether or not there is a finding about it."""
    kinds = app.special_access_kinds - {"device_admin"}  # part of uninstalling
    return blocks_for_kinds(kinds | {"permissions"}, app, phone, user_kind)


def blocks_for_kinds(
    kinds: Collection[str], app: App, phone: Phone, user_kind: UserKind = UserKind.OTHER
) -> tuple[StepBlock, ...]:
    """Return the steps that revoke these kinds of access. `kinds`: some of `REVOCATION_ORDER`."""
    blocks: list[StepBlock] = []
    for kind in REVOCATION_ORDER:
        if kind not in kinds:
            continue
        steps: Iterable[Step] = ()
        if kind != "permissions":
            steps = special_access_steps(kind, app, phone)
        elif _has_data_access(app, phone):
            steps = permission_steps(app, phone, user_kind)
        if steps := tuple(steps):
            blocks.append(StepBlock(kind=kind, steps=steps))
    return _without_repeats(blocks)


def _has_data_access(app: App, phone: Phone) -> bool:
    return bool(severity.readable_data(app) or permissions.reachable_by_group(app, phone.sdk))


def check_other_apps_step(phone: Phone) -> Step:
    """Return the last step of all: see which other apps may read contacts."""
    word, group = (settings_page.menu_term(phone, term) for term in ("permission_manager", "contacts"))
    return Message(key="steps.check_others", values={"word": word, "group": group})


def permission_steps(app: App, phone: Phone, user_kind: UserKind) -> Iterator[Step]:
    """Yield the steps that deny the permissions of `app`, one step for each permission group."""
    yield from settings_page.search_hint(phone, "permissions", "permission_manager")
    for role, key in _ROLE_MESSAGE_KEYS.items():
        if role in app.special_access_kinds:
            yield Message(key="steps.default_app_first", values={"what": Message(key=key)})
    yield from settings_page.taps_to_app_page(phone, "permissions", app, user_kind)
    groups = permissions.groups_to_revoke(app, phone.sdk)
    group_terms = tuple(settings_page.menu_term(phone, group) for group in groups)
    if _PHONE_GROUP in groups:
        yield _menu_step("steps.refuse_phone", phone, "phone")
    yield from (_deny_step(phone, group_term) for group_term in group_terms)
    if app.target_sdk is not None and app.target_sdk < RUNTIME_PERMISSIONS_SDK:
        yield Message(key="steps.refuse_warning")
    yield Message(key="steps.look", values={"app": display_name(app.label, app.package), "groups": group_terms})
    yield Message(key="steps.screenshot")
    if user_kind is UserKind.CLONE:
        page = settings_page.find_page(phone, "clones")
        word = settings_page.menu_term(phone, page.menu_keys[-1]) if page else Message(key="steps.clone_page")
        yield Message(key="steps.clone_keep", values={"word": word})


def special_access_steps(kind: str, app: App, phone: Phone) -> Iterator[Step]:
    """Yield the steps that turn off one special access; none for an access that must not be removed by hand."""
    app_values: dict[str, MessageValue] = {"app": display_name(app.label, app.package)}
    if kind in _ROLE_MESSAGE_KEYS:
        yield from _role_steps(kind, app_values, phone)
    elif kind in _SWITCH_MENU_TERMS:
        yield from _switch_steps(kind, app_values, app, phone)
    elif kind == "device_admin" and not _OWNER_KINDS & app.special_access_kinds:
        yield Message(key="steps.admin_later")
        yield from settings_page.search_hint(phone, kind, "device_admin_apps")
        yield from (tap for tap in settings_page.taps_to_page(phone, kind) if tap.key != "steps.tap_app")
        yield Message(key="steps.deactivate", values=app_values)
        yield Message(key="steps.admin_look", values=app_values)
    elif kind == "input_method":
        yield from settings_page.search_hint(phone, kind, "keyboard")
        yield from settings_page.taps_to_page(phone, kind)
        yield Message(key="steps.choose_keyboard", values=app_values)
        yield Message(key="steps.special_look", values=app_values)


def _role_steps(kind: str, app_values: Mapping[str, MessageValue], phone: Phone) -> Iterator[Step]:
    taps = tuple(settings_page.taps_to_page(phone, "default_apps"))
    if taps:
        yield from settings_page.search_hint(phone, "default_apps", kind)
    yield from taps
    # A role cannot be turned off, only given to another app.
    key = "steps.choose_other" if taps else "steps.choose_other_search"
    yield _menu_step(key, phone, kind)
    yield Message(key="steps.role_look", values=app_values)
    yield Message(key="steps.screenshot")


def _switch_steps(kind: str, app_values: Mapping[str, MessageValue], app: App, phone: Phone) -> Iterator[Step]:
    taps = tuple(settings_page.taps_to_page(phone, kind, display_name(app.label, app.package)))
    if taps:
        yield from settings_page.search_hint(phone, kind, _SWITCH_MENU_TERMS[kind])
        yield from taps
        if app.user != 0:
            yield Message(key="steps.copy_in_list", values={**app_values, "user": app.user})
        yield Message(key="steps.switch_off", values=app_values)
    else:
        word = settings_page.menu_term(phone, _SWITCH_MENU_TERMS[kind])
        yield Message(key="steps.switch_off_search", values={**app_values, "word": word})
    yield Message(key="steps.special_look", values=app_values)
    yield Message(key="steps.screenshot")


def _deny_step(phone: Phone, group: Message) -> Step:
    """Return the step that denies one permission group, in the words of the phone's Android version."""
    key, term = "steps.refuse", "deny"
    if phone.sdk is not None and phone.sdk < roms.load_rom(phone.rom.id)["choices"]["since"]:
        key, term = "steps.refuse_old", "deny_old"
    elif phone.sdk is not None and phone.sdk < _DONT_ALLOW_SDK:
        term = "deny_10"
    return Message(key=key, values={"group": group, "choice": settings_page.menu_term(phone, term)})


def _menu_step(key: str, phone: Phone, term: str) -> Step:
    return Message(key=key, values={"word": settings_page.menu_term(phone, term)})


def enable_usb_debugging_steps(phone: Phone) -> Iterator[Step]:
    """Yield the steps that switch USB debugging on. The caller shows the warning about bank apps above them."""
    if phone.rom.id == _HARMONYOS:
        yield Message(key="steps.no_adb")
    yield from settings_page.search_hint(phone, "usb_debugging", "usb_debugging")
    extras = _usb_debugging_extras(phone)
    for term in extras["off_first"]:
        yield from _switch_taps(phone, term, "steps.turn_off_if_on")
    *taps, last = settings_page.taps_to_page(phone, "build_number")
    yield from taps
    yield Message(key="steps.tap_seven", values=last.values)
    yield Message(key="steps.lock_code")
    *taps, last = settings_page.taps_to_page(phone, "usb_debugging")
    yield from taps
    yield Message(key="steps.turn_on", values=last.values)
    yield from (_menu_step("steps.turn_on", phone, term) for term in extras["also_on"])


def disable_usb_debugging_steps(phone: Phone) -> Iterator[Step]:
    """Yield the steps that switch USB debugging off and undo what switching it on changed."""
    *taps, last = settings_page.taps_to_page(phone, "usb_debugging")
    yield from taps
    extras = _usb_debugging_extras(phone)
    yield _menu_step("steps.tap", phone, "revoke_usb")
    for term in (*(restriction.menu_key for restriction in roms.list_restrictions(phone.rom.id)), *extras["also_on"]):
        yield _menu_step("steps.turn_off_if_on", phone, term)
    yield Message(key="steps.turn_off", values=last.values)
    yield _menu_step("steps.turn_off", phone, "developer_options")
    for term in extras["off_first"]:
        yield from _switch_taps(phone, term, "steps.turn_on_again")


def _switch_taps(phone: Phone, page_name: str, key: str) -> Iterator[Step]:
    """Yield the taps to a switch of this ROM, and what to do there: message `key`. Older versions lack the page."""
    taps = tuple(settings_page.taps_to_page(phone, page_name))
    yield from taps[:-1]
    yield from (Message(key=key, values=last.values) for last in taps[-1:])


def closing_steps(phone: Phone) -> Iterator[Message]:
    """Yield what the owner does after a check, one action a line."""
    yield Message(key="workshop.unplug")
    for step in disable_usb_debugging_steps(phone):
        yield step
        if is_revoke_authorizations_step(step, phone):
            yield Message(key="workshop.wireless_off")
    yield Message(key="workshop.payment_works")


def is_revoke_authorizations_step(step: Message, phone: Phone) -> bool:
    """Whether `step` is the one that takes back every "Allow USB debugging"."""
    return step.values.get("word") == settings_page.menu_term(phone, "revoke_usb")


def any_app_steps(phone: Phone) -> Iterator[Step]:
    """Yield the steps that deny an app contacts, SMS and call log, for a phone that was not read."""
    yield from settings_page.taps_to_page(phone, "permissions", Message(key="steps.any_app"))
    is_split = phone.sdk is None or phone.sdk >= CALL_LOG_GROUP_SDK
    yield from (
        _deny_step(phone, settings_page.menu_term(phone, group))
        for group in ("contacts", "sms", "call_log" if is_split else "phone")
    )
    yield Message(key="steps.screenshot")


def uninstall_steps(app: App, phone: Phone) -> Iterator[Step]:
    """Yield the steps that uninstall `app`. A device administrator is deactivated first."""
    app_values: dict[str, MessageValue] = {"app": display_name(app.label, app.package)}
    if "device_owner" in app.special_access_kinds:
        yield Message(key="steps.uninstall_owner", values=app_values)
        return
    if "device_admin" in app.special_access_kinds:
        yield from special_access_steps("device_admin", app, phone)
    if app.system:
        yield Message(key="steps.uninstall_system", values=app_values)
    else:
        yield _menu_step("steps.uninstall_last", phone, "uninstall")
    yield Message(key="steps.uninstall_keeps")


def _usb_debugging_extras(phone: Phone) -> dict[str, tuple[str, ...]]:
    """Return the menu terms of switches that this ROM has in addition to USB debugging."""
    extras = roms.load_rom(phone.rom.id).get("usb", {})
    return {name: tuple(extras.get(name, ())) for name in ("off_first", "also_on")}
