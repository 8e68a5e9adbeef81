"""What the owner taps, one action a step, in the words of this phone's menus.

Paths: AOSP's and Google's pages, in ``privaudit/roms``. Unverified ones carry the way round: search Settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from privaudit import roms
from privaudit.findings import groups, severity
from privaudit.language import Sentence, name_of
from privaudit.model import App, Finding, Message, Phone, Step, Value

WORDS: Final[Mapping[str, Sentence]] = {
    # Above every list of steps, always.
    "safety": (
        "Is somebody threatening or following you? Call the police first. Is it too much to bear? First find someone"
        " to be with you."
    ),
    "notice": "They may notice that the permission is closed, and call more. First think of who will help you.",
    "evidence": (
        "First take screenshots, then close: collectors' messages, call log, contract, payments, permission pages."
    ),
    "keep_app": "Do not uninstall yet. To demand deletion you often need to log in.",
    "no_recall": (
        "Closing a permission counts from now on. What was sent away already cannot be called back."
        " Its deletion must be demanded on its own, in writing."
    ),
    "bank_apps": "While USB debugging is on, open no bank, payment or loan app.",
    # The taps.
    "open": "Open “{word}”.",
    "tap": "Tap “{word}”.",
    "tap_app": "Tap “{app}”.",
    "refuse": "Tap “{group}”, choose “{choice}”.",
    "refuse_old": "At “{group}”, tap {choice}.",
    "refuse_warning": "If the phone warns that the app was made for an older Android, close it all the same.",
    "screenshot": "Take a screenshot.",
    "clone": "This is another copy of “{app}” (user {user}). Hold the icon of this copy, tap “App info”.",
    "default_app_first": "First make another app the {what}; else the phone gives the right back.",
    "sms_app": "default SMS app",
    "phone_app": "default phone app",
    "turn_off_special": "Search Settings for “{what}”, tap “{app}”, turn it off.",
    "choose_other": "Search Settings for “{what}” and choose another app.",
    "accessibility": "Accessibility",
    "notification_listener": "Notification access",
    "overlay": "Display over other apps",
    "usage": "Usage access",
    "all_files": "All files access",
    "install_packages": "Install unknown apps",
    "default_sms": "Default SMS app",
    "default_phone": "Default phone app",
    "search": "Do the menus look different? Search Settings for “{word}”.",
    "check_others": "Last: search Settings for “{word}”, tap “{group}”, and see who else is allowed.",
}

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
_CHOICE_SDK: Final = 29
"""From Android 10 the permission page offers choices; before, a switch."""
_LEGACY_SDK: Final = 23


def for_finding(finding: Finding, app: App, phone: Phone) -> Finding:
    """`finding` with the taps that close what it found."""
    if finding.rule in {"data_access", "suspect"}:
        steps = tuple(_close(app, phone)) if _is_open(app, phone) else ()
    elif finding.rule == "special_access" and (kind := finding.message.key.partition(".")[2]) in _SPECIAL:
        # A role is not turned off: another app takes it.
        key = "steps.choose_other" if kind.startswith("default_") else "steps.turn_off_special"
        values: dict[str, Value] = {"what": _say(kind), "app": name_of(app.label, app.package)}
        steps = (Message(key=key, values=values), _say("screenshot"))
    else:
        steps = ()  # a listing is closed by closing what the app can read
    return replace(finding, steps=steps)


def _is_open(app: App, phone: Phone) -> bool:
    return bool(severity.reads(app) or groups.open_by_group(app, phone.sdk))


def last_of_all(phone: Phone) -> Step:
    """After all apps: who else can read contacts?"""
    words = {"word": _word(phone, "permission_manager"), "group": _word(phone, "contacts")}
    return Message(key="steps.check_others", values=words)


def _close(app: App, phone: Phone) -> Iterator[Step]:
    name = name_of(app.label, app.package)
    held = {access.kind for access in app.special_access}
    for kind, what in (("default_sms", "sms_app"), ("default_phone", "phone_app")):
        if kind in held:
            yield Message(key="steps.default_app_first", values={"what": _say(what)})
    path = _path(phone)
    words: list[str] = path["path"]
    if app.user != 0:
        # Settings lists the owner's apps: a copy is reached by its own icon.
        yield Message(key="steps.clone", values={"app": name, "user": app.user})
        words = words[words.index("APP") + 1 :]
    for word in words:
        if word == "APP":
            yield Message(key="steps.tap_app", values={"app": name})
        else:
            key = "steps.open" if word == "settings" else "steps.tap"
            yield Message(key=key, values={"word": _word(phone, word)})
    for group in groups.to_close(app, phone.sdk):
        if phone.sdk is not None and phone.sdk < _CHOICE_SDK:
            values = {"group": _word(phone, group), "choice": _word(phone, "deny_old")}
            yield Message(key="steps.refuse_old", values=values)
        else:
            deny = "deny_10" if phone.sdk is not None and phone.sdk < _DENY_SDK else "deny"
            yield Message(key="steps.refuse", values={"group": _word(phone, group), "choice": _word(phone, deny)})
    if app.target_sdk is not None and app.target_sdk < _LEGACY_SDK:
        yield Message(key="steps.refuse_warning")
    yield Message(key="steps.screenshot")
    if not path["checked"] or phone.rom.id != roms.STOCK or phone.sdk is None:
        yield Message(key="steps.search", values={"word": _word(phone, "permission_manager")})


def _path(phone: Phone) -> Mapping[str, Any]:
    paths = roms.load(phone.rom.id)["app_permissions"]
    sdk = phone.sdk or paths[-1]["sdk"][0]
    found: Mapping[str, Any] = next((p for p in paths if p["sdk"][0] <= sdk <= p["sdk"][1]), paths[-1])
    return found


def _word(phone: Phone, word: str) -> Message:
    return Message(key=f"menu.{phone.rom.id}.{word}")


def _say(name: str) -> Message:
    return Message(key=f"steps.{name}")
