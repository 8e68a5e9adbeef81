"""Other services that change something: app-ops, roles, notification listeners, secure settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from privaudit.virtual_phone.dump_writers.android import FLAG_BITS, OPS, RUNTIME_OPS
from privaudit.virtual_phone.programs import restrictions
from privaudit.virtual_phone.programs.answers import complained, said, take_user, user_number
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import Living, with_grant, with_mode, with_role, with_setting

_MAPPED_SDK: Final = 35
"""First where app-ops of runtime permissions follow the permission alone, and setting one does nothing, silently."""
_UID_SDK: Final = 28
_LISTENERS_SDK: Final = 27
_MODES: Final = frozenset({"allow", "ignore", "deny", "default", "foreground"})
_FALLBACK: Final = {"android.app.role.SMS": "com.android.messaging", "android.app.role.DIALER": "com.android.dialer"}
"""Who gets a role back that its holder lost."""
_LISTENERS: Final = "enabled_notification_listeners"


def set_mode(living: Living, words: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - its silences
    """``appops set [--user U] [--uid] PACKAGE OP MODE`` (``AppOpsService.Shell``)."""
    named, rest = take_user(living.phone.layout, words, "set")
    user = user_number(living.phone, named, "set")[0]
    phone, uid = living.phone, "--uid" in rest
    if uid and phone.sdk < _UID_SDK:
        return complained("Error: Unsupported argument: --uid\n")
    match [word for word in rest if word != "--uid"]:
        case [package, op, mode] if op in OPS and mode in _MODES:
            pass
        case [_, op, mode]:
            return complained(f"Error: {f'Unknown operation string: {op}' if op not in OPS else f'Mode {mode}'}\n")
        case _:
            return complained("Error: Package name, operation or mode not specified\n")
    if restrictions.shut(phone):
        return restrictions.refused(phone, "set", "uid 2000 does not have android.permission.MANAGE_APP_OPS_MODES.")
    app = phone.app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return complained(f"Error: No UID for {package} in user {user}\n")
    if phone.sdk >= _MAPPED_SDK and op in RUNTIME_OPS.values():
        return said("")
    living.change(lambda now: with_mode(now, package, user, op, mode, uid=uid))
    return said("")


def set_role(living: Living, words: Sequence[str]) -> ProgramResult:
    """``cmd role add-role-holder|remove-role-holder [--user U] ROLE PACKAGE`` (``RoleShellCommand``)."""
    command = words[0]
    named, rest = take_user(living.phone.layout, words[1:], command)
    user = user_number(living.phone, named, command)[0]
    role, package = (*rest, "", "")[:2]
    before = living.phone.roles.get(user, {}).get(role, ())
    app = living.phone.app(package)
    if command == "add-role-holder":
        if app is None:
            return complained("Error: see logcat for details.\nFailed\n")
        after: tuple[str, ...] = (package,)
    else:
        after = tuple(holder for holder in before if holder != package)
        fallback = _FALLBACK.get(role, "")
        if not after and fallback != package and living.phone.app(fallback) is not None:
            after = (fallback,)
    living.change(lambda phone: with_role(phone, user, role, after))
    # What the role gave goes with it.
    for grant in living.phone.grants(app, user) if app is not None and package not in after else ():
        if grant.flags & FLAG_BITS["GRANTED_BY_ROLE"]:
            lost = replace(grant, granted=False, flags=grant.flags & ~FLAG_BITS["GRANTED_BY_ROLE"])
            living.change(lambda phone, lost=lost: with_grant(phone, package, user, lost))  # type: ignore[misc]
    return said("")


def set_listener(living: Living, words: Sequence[str]) -> ProgramResult:
    """``cmd notification allow_listener|disallow_listener COMPONENT [USER]`` (``NotificationShellCmd``)."""
    if living.phone.sdk < _LISTENERS_SDK:
        return complained(f"Unknown command: {words[0]}\n")
    command, component, *rest = words
    user = user_number(living.phone, rest[0] if rest else None, command)[0]
    value = living.phone.settings.get(user, {}).get("secure", {}).get(_LISTENERS, "")
    before = [one for one in value.split(":") if one and one != component]
    after = [*before, component] if command == "allow_listener" else before
    living.change(lambda phone: with_setting(phone, user, _LISTENERS, ":".join(after)))
    return said("")


def put_setting(living: Living, user: int, key: str, value: str) -> ProgramResult:
    """``settings put secure KEY VALUE``."""
    if restrictions.shut(living.phone):
        denial = "Permission denial: writing to settings requires:android.permission.WRITE_SECURE_SETTINGS"
        return restrictions.refused(living.phone, "put", denial)
    living.change(lambda phone: with_setting(phone, user, key, value))
    return said("")
