"""All commands that change a phone or open a settings page. No other module builds such a command (tested).

Each command names one package, one Android user and one value from a closed table; every word is validated before it
enters the command. No command resets or clears anything, or affects more than one app.

Sources: ``PackageManagerShellCommand``, ``AppOpsService.Shell``, ``RoleShellCommand``, ``NotificationShellCmd``,
``ActivityManagerShellCommand`` (AOSP 6 to 16).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from privaudit.android import PERMISSION_PREFIX
from privaudit.capture.questions import is_package_name
from privaudit.model import Command
from privaudit.roms import SettingsIntent

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("READ_CONTACTS", "WRITE_CONTACTS", "GET_ACCOUNTS"),
    "sms": ("READ_SMS", "RECEIVE_SMS", "SEND_SMS", "RECEIVE_MMS", "RECEIVE_WAP_PUSH"),
    "call_log": ("READ_CALL_LOG", "WRITE_CALL_LOG", "PROCESS_OUTGOING_CALLS"),
    "phone": ("READ_PHONE_STATE", "READ_PHONE_NUMBERS", "CALL_PHONE", "ANSWER_PHONE_CALLS"),
}
"""Permission groups that may be revoked, always completely: a granted member gets the others back without a prompt."""
PERMISSIONS: Final = frozenset(f"{PERMISSION_PREFIX}{name}" for group in GROUPS.values() for name in group)
SPECIAL_OPS: Final[Mapping[str, str]] = {
    "overlay": "SYSTEM_ALERT_WINDOW",
    "usage": "GET_USAGE_STATS",
    "install_packages": "REQUEST_INSTALL_PACKAGES",
    "all_files": "MANAGE_EXTERNAL_STORAGE",
}
"""Kinds of special access that an app-op decides."""
_SETTABLE_OPS: Final = frozenset(name for group in (*GROUPS.values(), SPECIAL_OPS.values()) for name in group)
"""The app-op of a permission in `PERMISSIONS` has the same name."""
ROLES: Final[Mapping[str, str]] = {"default_sms": "android.app.role.SMS", "default_phone": "android.app.role.DIALER"}
FLAGS: Final[Mapping[str, str]] = {
    "USER_SET": "user-set",
    "USER_FIXED": "user-fixed",
    "REVOKED_COMPAT": "revoked-compat",
}
"""Permission flags that the shell may change: the name in dumps → the name for ``pm``."""
MODES: Final = frozenset({"allow", "ignore", "deny", "default", "foreground"})

FLAGS_SDK: Final = 33
"""First SDK with ``pm set-permission-flags``."""
CMD_SDK: Final = 24
"""First SDK with ``cmd``."""
UID_MODE_SDK: Final = 29
"""First SDK on which the mode of a uid can be set and overrides that of the package."""
LISTENERS_SDK: Final = 27
"""First SDK with ``cmd notification disallow_listener``."""

_COMPONENT_PATTERN = re.compile(r"(?P<package>[\w.]{1,255})/(?P<class>[A-Za-z_.][\w.$]{0,255})\Z", re.ASCII)
_INTENT_WORD_PATTERN = re.compile(r"[A-Za-z][\w.]{0,199}\Z", re.ASCII)
_MAX_COMPONENTS: Final = 64
_SERVICES_SETTING: Final = "enabled_accessibility_services"
_USER_ID_LIMIT: Final = 21474
"""``UserHandle``: uids have 31 bits, and each user has 100000 of them."""


def is_component(text: str, package: str | None = None) -> bool:
    """Whether `text` is a component that may enter a command, and belongs to `package` unless that is ``None``."""
    match = _COMPONENT_PATTERN.match(text)
    return match is not None and is_package_name(match["package"]) and package in {None, match["package"]}


def revoke_permission(package: str, user: int, permission: str) -> Command:
    """Revoke a runtime permission."""
    return Command(text=f"pm revoke {_app_words(package, user, permission)}", why="revoke a permission")


def grant_permission(package: str, user: int, permission: str) -> Command:
    """Grant a runtime permission again. Used only by ``privaudit undo``."""
    return Command(text=f"pm grant {_app_words(package, user, permission)}", why="undo: give a permission back")


def set_permission_flags(package: str, user: int, permission: str, names: Iterable[str], *, enabled: bool) -> Command:
    """Set or clear permission flags. `names`: keys of `FLAGS`."""
    words = " ".join(_look_up(FLAGS, name) for name in names)
    if not words:
        raise ValueError("no flag")
    verb = "set" if enabled else "clear"
    text = f"pm {verb}-permission-flags {_app_words(package, user, permission)} {words}"
    return Command(text=text, why=f"{verb} flags of a permission")


def set_app_op(package: str, user: int, op: str, mode: str, *, for_uid: bool, sdk: int) -> Command:
    """Set the mode of one app-op, of the package or of its uid."""
    if op not in _SETTABLE_OPS or mode not in MODES or (for_uid and sdk < UID_MODE_SDK):
        raise ValueError(f"not to be set: {op!r} {mode!r}")
    program = "cmd appops" if sdk >= CMD_SDK else "appops"
    uid_option = "--uid " if for_uid else ""
    text = f"{program} set --user {_checked_user(user)} {uid_option}{_checked_package(package)} {op} {mode}"
    return Command(text=text, why="set the mode of an app-op")


def set_role_holder(package: str, user: int, kind: str, *, held: bool) -> Command:
    """Add or remove `package` as the holder of a role. When removed, Android gives the role to its default app."""
    verb = "add" if held else "remove"
    words = f"--user {_checked_user(user)} {_look_up(ROLES, kind)} {_checked_package(package)}"
    return Command(text=f"cmd role {verb}-role-holder {words}", why=f"{verb} a role holder")


def set_notification_listener(component: str, package: str, user: int, *, enabled: bool) -> Command:
    """Allow or disallow one notification listener of `package`."""
    verb = "allow" if enabled else "disallow"
    text = f"cmd notification {verb}_listener {_checked_component(component, package)} {_checked_user(user)}"
    return Command(text=text, why=f"{verb} a notification listener")


def parse_accessibility_services(value: str) -> tuple[str, ...] | None:
    """Return the components in a list of accessibility services; ``None``: it holds something else, or is too long.

    The list can only be written as a whole: whatever is not read from it is switched off by writing it.
    """
    names = () if value == "null" else tuple(filter(None, value.split(":")))
    return names if len(names) < _MAX_COMPONENTS and all(map(is_component, names)) else None


def get_accessibility_services(user: int) -> Command:
    """Read the list of enabled accessibility services, and nothing else: the output is the value and a line feed."""
    text = f"settings --user {_checked_user(user)} get secure {_SERVICES_SETTING}"
    return Command(text=text, why="compare the list of accessibility services before it is written")


def set_accessibility_services(components: Iterable[str], user: int) -> Command:
    """Replace the list of enabled accessibility services. The caller passes those of other apps unchanged."""
    names = tuple(components)
    if len(names) > _MAX_COMPONENTS or not all(map(is_component, names)):
        raise ValueError("not a list of components")
    value = ":".join(names)
    text = f"settings --user {_checked_user(user)} put secure {_SERVICES_SETTING} '{value}'"
    return Command(text=text, why="take one accessibility service off the list, or put it back")


def force_stop(package: str, user: int) -> Command:
    """End the app. It runs again when its owner opens it."""
    return Command(text=f"am force-stop {_app_words(package, user)}", why="end the app")


def uninstall(package: str, user: int) -> Command:
    """Uninstall the app for one user, with its data."""
    return Command(text=f"pm uninstall {_app_words(package, user)}", why="uninstall")


def install_existing(package: str, user: int) -> Command:
    """Restore a preinstalled app that was uninstalled for one user. Its data is not restored."""
    return Command(text=f"cmd package install-existing {_app_words(package, user)}", why="undo: bring back")


def start_activity(intent: SettingsIntent, package: str | None, user: int) -> Command:
    """Open a settings page on the phone's screen. Changes no setting."""
    words = ["am start -W --user", _checked_user(user)]
    if intent.component is not None:
        words += ["-n", _checked_component(intent.component)]
    elif intent.action is not None:
        words += ["-a", _checked_intent_word(intent.action)]
    if intent.package_extra == "data":
        words += ["-d", f"package:{_checked_package(package)}"]
    elif intent.package_extra is not None:
        words += ["--es", _checked_intent_word(intent.package_extra), _checked_package(package)]
    for name, value in intent.extras:
        checked_value = f"'{value}'" if re.fullmatch(r"[\w.-]+", value, re.ASCII) else _reject(value)
        words += ["--es", _checked_intent_word(name), checked_value]
    return Command(text=" ".join(words), why="show a page")


def _checked_package(name: str | None) -> str:
    return name if name is not None and is_package_name(name) else _reject(str(name))


def _checked_user(number: int) -> str:
    return str(number) if 0 <= number < _USER_ID_LIMIT else _reject(number)


def _app_words(package: str, user: int, permission: str | None = None) -> str:
    """Return the words that name one app of one user, and one of its permissions."""
    words = f"--user {_checked_user(user)} {_checked_package(package)}"
    if permission is None:
        return words
    return f"{words} {permission}" if permission in PERMISSIONS else _reject(permission)


def _checked_component(name: str, package: str | None = None) -> str:
    return f"'{name}'" if is_component(name, package) else _reject(name)


def _checked_intent_word(word: str) -> str:
    return word if _INTENT_WORD_PATTERN.match(word) else _reject(word)


def _look_up(table: Mapping[str, str], name: str) -> str:
    return table.get(name) or _reject(name)


def _reject(value: object) -> str:
    raise ValueError(f"must not enter a command: {value!r}")
