"""Other services that change something: app-ops, roles, notification listeners, secure settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from privaudit.virtual_phone.dump_writers.android import FLAG_BITS, OP_NUMBERS, RUNTIME_PERMISSION_OPS
from privaudit.virtual_phone.programs import restrictions
from privaudit.virtual_phone.programs.answers import error_result, output_result, resolve_users, split_user_option
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import MutableDevice, with_grant, with_op_mode, with_role_holders, with_setting

_OPS_FOLLOW_PERMISSIONS_SDK: Final = 35
"""First where app-ops of runtime permissions follow the permission alone, and setting one does nothing, silently."""
_UID_MODE_SDK: Final = 28
_LISTENERS_SDK: Final = 27
_OP_MODES: Final = frozenset({"allow", "ignore", "deny", "default", "foreground"})
_FALLBACK_ROLE_HOLDERS: Final = {
    "android.app.role.SMS": "com.android.messaging",
    "android.app.role.DIALER": "com.android.dialer",
}
"""Who gets a role back that its holder lost."""
_LISTENERS_SETTING: Final = "enabled_notification_listeners"


def set_app_op_mode(device: MutableDevice, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - its silences
    """``appops set [--user U] [--uid] PACKAGE OP MODE`` (``AppOpsService.Shell``)."""
    named, rest = split_user_option(device.phone.layout, args, "set")
    user = resolve_users(device.phone, named, "set")[0]
    phone, uid = device.phone, "--uid" in rest
    if uid and phone.sdk < _UID_MODE_SDK:
        return error_result("Error: Unsupported argument: --uid\n")
    match [word for word in rest if word != "--uid"]:
        case [package, op, mode] if op in OP_NUMBERS and mode in _OP_MODES:
            pass
        case [_, op, mode]:
            return error_result(
                f"Error: {f'Unknown operation string: {op}' if op not in OP_NUMBERS else f'Mode {mode}'}\n"
            )
        case _:
            return error_result("Error: Package name, operation or mode not specified\n")
    if restrictions.is_blocked(phone):
        return restrictions.denial_result(
            phone, "set", "uid 2000 does not have android.permission.MANAGE_APP_OPS_MODES."
        )
    app = phone.find_app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return error_result(f"Error: No UID for {package} in user {user}\n")
    if phone.sdk >= _OPS_FOLLOW_PERMISSIONS_SDK and op in RUNTIME_PERMISSION_OPS.values():
        return output_result("")
    device.update(lambda now: with_op_mode(now, package, user, op, mode, uid=uid))
    return output_result("")


def change_role_holder(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """``cmd role add-role-holder|remove-role-holder [--user U] ROLE PACKAGE`` (``RoleShellCommand``)."""
    command = args[0]
    named, rest = split_user_option(device.phone.layout, args[1:], command)
    user = resolve_users(device.phone, named, command)[0]
    role, package = (*rest, "", "")[:2]
    before = device.phone.roles.get(user, {}).get(role, ())
    app = device.phone.find_app(package)
    if command == "add-role-holder":
        if app is None:
            return error_result("Error: see logcat for details.\nFailed\n")
        after: tuple[str, ...] = (package,)
    else:
        after = tuple(holder for holder in before if holder != package)
        fallback = _FALLBACK_ROLE_HOLDERS.get(role, "")
        if not after and fallback != package and device.phone.find_app(fallback) is not None:
            after = (fallback,)
    device.update(lambda phone: with_role_holders(phone, user, role, after))
    # What the role gave goes with it.
    for grant in device.phone.runtime_grants(app, user) if app is not None and package not in after else ():
        if grant.flags & FLAG_BITS["GRANTED_BY_ROLE"]:
            lost = replace(grant, granted=False, flags=grant.flags & ~FLAG_BITS["GRANTED_BY_ROLE"])
            device.update(lambda phone, lost=lost: with_grant(phone, package, user, lost))  # type: ignore[misc]
    return output_result("")


def change_notification_listener(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """``cmd notification allow_listener|disallow_listener COMPONENT [USER]`` (``NotificationShellCmd``)."""
    if device.phone.sdk < _LISTENERS_SDK:
        return error_result(f"Unknown command: {args[0]}\n")
    command, component, *rest = args
    user = resolve_users(device.phone, rest[0] if rest else None, command)[0]
    value = device.phone.settings.get(user, {}).get("secure", {}).get(_LISTENERS_SETTING, "")
    before = [one for one in value.split(":") if one and one != component]
    after = [*before, component] if command == "allow_listener" else before
    device.update(lambda phone: with_setting(phone, user, _LISTENERS_SETTING, ":".join(after)))
    return output_result("")


def put_secure_setting(device: MutableDevice, user: int, key: str, value: str) -> ProgramResult:
    """``settings put secure KEY VALUE``."""
    if restrictions.is_blocked(device.phone):
        denial = "Permission denial: writing to settings requires:android.permission.WRITE_SECURE_SETTINGS"
        return restrictions.denial_result(device.phone, "put", denial)
    device.update(lambda phone: with_setting(phone, user, key, value))
    return output_result("")
