"""``am``, ``cmd`` and its services: ``appops``, ``settings``, ``user``, ``role`` and ``notification``."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from privaudit.virtual_phone import release
from privaudit.virtual_phone.dump_writers.appops import format_appops_get
from privaudit.virtual_phone.dump_writers.text import format_setting, format_user_list, format_user_types
from privaudit.virtual_phone.programs import results
from privaudit.virtual_phone.programs.pm import run_pm
from privaudit.virtual_phone.release import Since
from privaudit.virtual_phone.scenario.virtual import Namespace, VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import MutableDevice, with_grant, with_install, with_op_mode, with_setting

_EXIT_NO_SERVICE: Final = 20
"""Exit status of ``cmd`` for a service that does not exist."""
_NO_SERVICE_USAGE: Final = (
    "cmd: No service specified; use -l to list all running services. Use -w to start and wait for a service.\n"
)
_NAMESPACES: Final[Mapping[str, Namespace]] = {"secure": "secure", "global": "global", "system": "system"}
_OP_MODES: Final = frozenset({"allow", "ignore", "deny", "default", "foreground"})
_LISTENERS_SETTING: Final = "enabled_notification_listeners"
_GRANT_PROTECTED_ACTION_PREFIX: Final = "android.intent.action.MANAGE_"
"""PermissionController's pages require ``GRANT_RUNTIME_PERMISSIONS``, which some ROMs deny to the shell."""


def run_cmd(device: MutableDevice, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - one per service
    """Run ``cmd SERVICE args…``."""
    match args:
        case ["package", *rest]:
            return run_pm(device, rest)
        case ["notification", ("allow_listener" | "disallow_listener"), _, *_]:
            return _change_notification_listener(device, args[1:])
        case ["appops", *rest]:
            return run_appops(device, rest)
        case ["settings", *rest]:
            return run_settings(device, rest)
        case ["user", "list", "-v", *_] if device.phone.sdk >= Since.USER_TYPES:
            return results.output_result(format_user_types(device.phone))
        case ["user", "list", *_]:
            return results.output_result(format_user_list(device.phone))
        case ["role", command, *rest] if device.phone.sdk >= Since.ROLES:
            return _run_role(device, command, rest)
        case ["user" | "role" as service, *_] if service == "user" or device.phone.sdk >= Since.ROLES:
            return results.error_result(f"cmd: the demo phone answers only part of {service}\n")
        case [service, *_]:
            return results.error_result(f"cmd: Can't find service: {service}\n", _EXIT_NO_SERVICE)
        case _:
            return results.error_result(_NO_SERVICE_USAGE, _EXIT_NO_SERVICE)


def run_appops(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """Run ``appops args…``, which is ``cmd appops args…``."""
    match args:
        case ["set", *rest]:
            return _set_app_op_mode(device, rest)
        case ["get", *rest]:
            user, rest = results.split_target_user(device.phone, rest, "get")
            if not rest:
                return results.error_result("Error: Package name or UID not specified\n")
            app = device.phone.find_installed_app(rest[0], user)
            if app is None:
                return results.error_result(f"Error: No UID for {rest[0]} in user {user}\n")
            op = rest[1] if len(rest) > 1 else None
            return results.output_result(format_appops_get(device.phone.layout, app, user, op))
        case [command, *_]:
            return results.output_result(f"Unknown command: {command}\n", results.EXIT_SERVICE_FAILED)
        case _:
            return results.output_result("AppOps service (appops) commands:\n", results.EXIT_SERVICE_FAILED)


def _set_app_op_mode(device: MutableDevice, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - each silent case
    """``appops set [--user U] [--uid] PACKAGE OP MODE`` (``AppOpsService.Shell``)."""
    user, rest = results.split_target_user(device.phone, args, "set")
    phone, uid = device.phone, "--uid" in rest
    if uid and phone.sdk < Since.SET_UID_MODE:
        return results.error_result("Error: Unsupported argument: --uid\n")
    match [word for word in rest if word != "--uid"]:
        case [package, op, mode] if op in release.OP_NUMBERS and mode in _OP_MODES:
            pass
        case [_, op, mode]:
            problem = f"Unknown operation string: {op}" if op not in release.OP_NUMBERS else f"Mode {mode}"
            return results.error_result(f"Error: {problem}\n")
        case _:
            return results.error_result("Error: Package name, operation or mode not specified\n")
    if results.is_blocked(phone):
        return results.denial_result(phone, "set", "uid 2000 does not have android.permission.MANAGE_APP_OPS_MODES.")
    if phone.find_installed_app(package, user) is None:
        return results.error_result(f"Error: No UID for {package} in user {user}\n")
    if phone.sdk >= Since.OPS_FOLLOW_PERMISSIONS and op in release.RUNTIME_PERMISSION_OPS.values():
        return results.output_result("")
    device.update(lambda now: with_op_mode(now, package, user, op, mode, uid=uid))
    return results.output_result("")


def run_settings(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """Run ``settings args…``, which is ``cmd settings args…``."""
    user, rest = results.split_target_user(device.phone, args, "settings")
    match rest:
        case ["get", namespace, key] if namespace in _NAMESPACES:
            return results.output_result(format_setting(device.phone, user, _NAMESPACES[namespace], key))
        case ["get", namespace, _]:
            return results.error_result(f"Invalid namespace '{namespace}'\n")
        case ["put", "secure", _, _] if results.is_blocked(device.phone):
            denial = "Permission denial: writing to settings requires:android.permission.WRITE_SECURE_SETTINGS"
            return results.denial_result(device.phone, "put", denial)
        case ["put", "secure", key, value]:
            device.update(lambda phone: with_setting(phone, user, key, value))
            return results.output_result("")
        case ["get", *_]:
            return results.error_result("Bad arguments\n")
        case _:
            return results.error_result("Invalid command: the demo phone answers only settings get and put secure\n")


def _run_role(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    """``cmd role COMMAND [--user U] ROLE [PACKAGE]`` (``RoleShellCommand``)."""
    readable = device.phone.sdk >= Since.GET_ROLE_HOLDERS
    if command not in {"add-role-holder", "remove-role-holder", *(["get-role-holders"] if readable else [])}:
        return results.output_result(f"Unknown command: {command}\n", results.EXIT_SERVICE_FAILED)
    user, rest = results.split_target_user(device.phone, args, command)
    role, package = (*rest, "", "")[:2]
    if command == "get-role-holders":
        return results.output_result(";".join(device.phone.roles.get(user, {}).get(role, ())) + "\n")
    app = device.phone.find_app(package)
    if command == "add-role-holder":
        if app is None:
            return results.error_result("Error: see logcat for details.\nFailed\n")
        holders: tuple[str, ...] = (package,)
    else:
        holders = tuple(name for name in device.phone.roles.get(user, {}).get(role, ()) if name != package)
        fallback = release.FALLBACK_ROLE_HOLDERS.get(role, "")
        if not holders and fallback != package and device.phone.find_app(fallback) is not None:
            holders = (fallback,)
    roles = {**device.phone.roles, user: {**device.phone.roles.get(user, {}), role: holders}}
    device.update(lambda phone: replace(phone, roles=roles))
    # An app that loses the role loses the permissions that came with it.
    for grant in device.phone.runtime_grants(app, user) if app is not None and package not in holders else ():
        if grant.flags & release.FLAG_BITS["GRANTED_BY_ROLE"]:
            lost = replace(grant, granted=False, flags=grant.flags & ~release.FLAG_BITS["GRANTED_BY_ROLE"])
            device.update(lambda phone, lost=lost: with_grant(phone, package, user, lost))  # type: ignore[misc]
    return results.output_result("")


def _change_notification_listener(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """``cmd notification allow_listener|disallow_listener COMPONENT [USER]`` (``NotificationShellCmd``)."""
    if device.phone.sdk < Since.LISTENER_COMMANDS:
        return results.error_result(f"Unknown command: {args[0]}\n")
    command, component, *rest = args
    user = results.resolve_users(device.phone, rest[0] if rest else None, command)[0]
    value = device.phone.settings.get(user, {}).get("secure", {}).get(_LISTENERS_SETTING, "")
    listeners = [name for name in value.split(":") if name and name != component]
    listeners += [component] if command == "allow_listener" else []
    device.update(lambda phone: with_setting(phone, user, _LISTENERS_SETTING, ":".join(listeners)))
    return results.output_result("")


def run_am(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """Run ``am args…``, which shows settings pages and stops apps (``ActivityManagerShellCommand``)."""
    match args:
        case ["get-current-user", *_]:
            return results.output_result("0\n")
        case ["force-stop", *rest]:
            return _force_stop(device, rest)
        case ["start", *rest]:
            return _start_activity(device, rest)
        case [command, *_]:
            return results.error_result(f"Unknown command: {command}\n")
        case _:
            return results.error_result("Activity manager (activity) commands:\n")


def _force_stop(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """``am force-stop``: prints nothing, whether or not the app exists."""
    user_arg, rest = results.split_user_option(device.phone, args, "force-stop")
    for user in results.resolve_users(device.phone, user_arg or "all", "force-stop"):
        for package in rest[:1]:
            stopped = partial(replace, stopped=True)
            device.update(partial(with_install, package=package, user=user, transform=stopped))
    return results.output_result("")


def _start_activity(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """``am start``: the exit status is always 0; only the text shows a failure."""
    _, rest = results.split_user_option(device.phone, args, "start")
    options = dict(itertools.pairwise(rest))
    action, component, data = options.get("-a"), options.get("-n"), options.get("-d", "")
    target = f"act={action}" if action else f"cmp={component}"
    head = f"Starting: Intent {{ {target}{f' dat={data}' if data else ''} }}\n"
    if not _can_resolve(device.phone, action, component):
        if component:
            return results.output_result(f"{head}Error type 3\nError: Activity class {{{component}}} does not exist.\n")
        return results.output_result(f"{head}Error: Activity not started, unable to resolve Intent\n")
    if results.is_blocked(device.phone) and action is not None and action.startswith(_GRANT_PROTECTED_ACTION_PREFIX):
        denial = f"Permission Denial: starting Intent {{ {target} }} from null (pid=1, uid=2000)"
        right = "android.permission.GRANT_RUNTIME_PERMISSIONS"
        return results.output_result(f"{head}java.lang.SecurityException: {denial} requires {right}\n")
    device.open_page(action or component or "")
    page = "Status: ok\nLaunchState: COLD\nActivity: com.android.settings/.Page\nTotalTime: 210\nComplete\n"
    return results.output_result(head + page)


def _can_resolve(phone: VirtualPhone, action: str | None, component: str | None) -> bool:
    if component is not None:
        return component == "com.android.settings/.DeviceAdminSettings"
    if action is not None and action.startswith("miui."):
        return "ro.miui.ui.version.name" in phone.properties
    return phone.sdk >= release.SETTINGS_ACTIONS.get(action or "", 1000)
