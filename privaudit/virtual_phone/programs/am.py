"""``am``: shows pages, ends apps (``ActivityManagerShellCommand``)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.virtual_phone.programs.answers import complained, said, take_user, user_number
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import Living, with_install

_SINCE: Final[Mapping[str, int]] = {
    # action: first SDK whose Settings or PermissionController has it
    "android.intent.action.MANAGE_APP_PERMISSIONS": 23,
    "android.intent.action.MANAGE_PERMISSION_APPS": 23,
    "android.intent.action.MANAGE_PERMISSIONS": 23,
    "android.intent.action.REVIEW_PERMISSION_USAGE": 31,
    "android.settings.ACCESSIBILITY_SETTINGS": 23,
    "android.settings.ACTION_NOTIFICATION_LISTENER_SETTINGS": 23,
    "android.settings.APPLICATION_DETAILS_SETTINGS": 23,
    "android.settings.APPLICATION_DEVELOPMENT_SETTINGS": 23,
    "android.settings.INPUT_METHOD_SETTINGS": 23,
    "android.settings.MANAGE_APP_ALL_FILES_ACCESS_PERMISSION": 30,
    "android.settings.MANAGE_APP_OVERLAY_PERMISSION": 30,
    "android.settings.MANAGE_DEFAULT_APPS_SETTINGS": 24,
    "android.settings.MANAGE_UNKNOWN_APP_SOURCES": 26,
    "android.settings.SETTINGS": 23,
    "android.settings.USAGE_ACCESS_SETTINGS": 23,
    "android.settings.action.MANAGE_OVERLAY_PERMISSION": 23,
    "miui.intent.action.APP_PERM_EDITOR": 23,
}
_NEEDS_GRANT: Final = "android.intent.action.MANAGE_"
"""PermissionController's pages ask for ``GRANT_RUNTIME_PERMISSIONS``, which some ROMs take from the shell."""


def run(living: Living, words: Sequence[str], *, shut: bool) -> ProgramResult:
    """Answer ``am words…``. `shut`: the maker keeps the shell from changing permissions."""
    match words:
        case ["get-current-user", *_]:
            return said("0\n")
        case ["force-stop", *rest]:
            return _force_stop(living, rest)
        case ["start", *rest]:
            return _start(living, rest, shut=shut)
        case [command, *_]:
            return complained(f"Unknown command: {command}\n")
        case _:
            return complained("Activity manager (activity) commands:\n")


def _force_stop(living: Living, words: Sequence[str]) -> ProgramResult:
    """Silent, whatever becomes of it."""
    named, rest = take_user(living.phone.layout, words, "force-stop")
    for user in user_number(living.phone, named or "all", "force-stop"):
        for package in rest[:1]:
            living.change(
                lambda phone, user=user, package=package: with_install(  # type: ignore[misc]
                    phone, package, user, lambda install: replace(install, stopped=True)
                )
            )
    return said("")


def _start(living: Living, words: Sequence[str], *, shut: bool) -> ProgramResult:
    """Ends with 0, whatever becomes of it: only the text tells."""
    _, rest = take_user(living.phone.layout, words, "start")
    given = dict(itertools.pairwise(rest))
    action, component = given.get("-a"), given.get("-n")
    data = given.get("-d", "")
    act = f"act={action}" if action else f"cmp={component}"
    head = f"Starting: Intent {{ {act}{f' dat={data}' if data else ''} }}\n"
    if not _known(living.phone, action, component):
        what = f"Activity class {{{component}}} does not exist." if component else "unable to resolve Intent"
        return said(
            head + (f"Error type 3\nError: {what}\n" if component else f"Error: Activity not started, {what}\n")
        )
    if shut and action is not None and action.startswith(_NEEDS_GRANT):
        denial = (
            f"java.lang.SecurityException: Permission Denial: starting Intent {{ {act} }} from null (pid=1, uid=2000)"
        )
        return said(f"{head}{denial} requires android.permission.GRANT_RUNTIME_PERMISSIONS\n")
    living.shown.append(action or component or "")
    return said(
        f"{head}Status: ok\nLaunchState: COLD\nActivity: com.android.settings/.Page\nTotalTime: 210\nComplete\n"
    )


def _known(phone: VirtualPhone, action: str | None, component: str | None) -> bool:
    if component is not None:
        return component == "com.android.settings/.DeviceAdminSettings"
    if action is not None and action.startswith("miui."):
        return "ro.miui.ui.version.name" in phone.properties
    return phone.sdk >= _SINCE.get(action or "", 1000)
