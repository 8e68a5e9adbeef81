"""``am``: shows settings pages and stops apps (``ActivityManagerShellCommand``)."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from privaudit.virtual_phone.programs import results
from privaudit.virtual_phone.release.android import SETTINGS_ACTIONS
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import MutableDevice, with_install

_GRANT_PROTECTED_ACTION_PREFIX: Final = "android.intent.action.MANAGE_"
"""PermissionController's pages require ``GRANT_RUNTIME_PERMISSIONS``, which some ROMs deny to the shell."""


def run_am(device: MutableDevice, args: Sequence[str]) -> ProgramResult:
    """Run ``am args…``."""
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
    return phone.sdk >= SETTINGS_ACTIONS.get(action or "", 1000)
