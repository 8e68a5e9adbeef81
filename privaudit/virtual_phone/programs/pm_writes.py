"""The parts of ``pm`` that change something, with their silences (``PackageManagerShellCommand``, Android 6 to 16).

``pm revoke`` ends well in many cases in which it does nothing. Each is here, on the Androids that have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.virtual_phone.dump_writers.android import FLAG_BITS, PROTECTION_LEVELS, RUNTIME_PERMISSION_OPS
from privaudit.virtual_phone.programs import restrictions
from privaudit.virtual_phone.programs.answers import (
    EXIT_SERVICE_FAILED,
    error_result,
    output_result,
    resolve_users,
    split_user_option,
)
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualGrant, VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import MutableDevice, with_grant, with_install

_FLAGS_SDK: Final = 33
_SILENT_DENIAL_SDK: Final = 35
"""The permission service of Android 15 logs what its forerunner threw."""
_RUNTIME_PERMISSIONS_SDK: Final = 23
_SETTABLE_FLAGS: Final = {
    "review-required": "REVIEW_REQUIRED",
    "revoked-compat": "REVOKED_COMPAT",
    "revoke-when-requested": "REVOKE_WHEN_REQUESTED",
    "user-fixed": "USER_FIXED",
    "user-set": "USER_SET",
}


def run_pm_write(device: MutableDevice, args: Sequence[str]) -> ProgramResult | None:
    """Answer ``pm words…`` where it changes something; ``None``: it does not.

    Raises:
        Refusal: of a wrong user.
    """
    programs: Mapping[str, Callable[[MutableDevice, str, Sequence[str]], ProgramResult]] = {
        "grant": _grant_or_revoke,
        "revoke": _grant_or_revoke,
        "uninstall": _uninstall,
        "install-existing": _install_existing,
    }
    if device.phone.sdk >= _FLAGS_SDK:
        programs = {**programs, "set-permission-flags": _change_flags, "clear-permission-flags": _change_flags}
    if not args or args[0] not in programs:
        return None
    return programs[args[0]](device, args[0], args[1:])


def _split_target_user(device: MutableDevice, command: str, args: Sequence[str]) -> tuple[int, list[str]]:
    """Without ``--user`` it is the owner, not whoever is at the phone."""
    named, rest = split_user_option(device.phone.layout, args, command)
    return resolve_users(device.phone, named or "0", command)[0], rest


def _grant_or_revoke(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - its silences
    user, rest = _split_target_user(device, command, args)
    if len(rest) < 2:  # noqa: PLR2004 - a package and a permission
        return error_result("Error: no permission specified\n" if rest else "Error: no package specified\n", 1)
    package, name = rest[:2]
    phone = device.phone
    if restrictions.is_blocked(phone):
        right = f"android.permission.{command.upper()}_RUNTIME_PERMISSIONS"
        return restrictions.denial_result(
            phone, command, f"{command}RuntimePermission: Neither user 2000 nor current process has {right}."
        )
    if name not in PROTECTION_LEVELS:
        return restrictions.denial_result(phone, command, f"Unknown permission: {name}", "IllegalArgumentException")
    app = phone.find_app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return output_result("")  # written to the log alone
    problem = _grant_error(app, phone, user, command, name)
    if problem is not None:
        return (
            output_result("")
            if phone.sdk >= _SILENT_DENIAL_SDK
            else restrictions.denial_result(phone, command, problem)
        )
    if app.target_sdk < _RUNTIME_PERMISSIONS_SDK:
        return output_result("")  # an app for Android 5 holds what it asks for
    before = next(grant for grant in phone.runtime_grants(app, user) if grant.name == name)
    after = replace(before, granted=command == "grant")
    device.update(lambda now: with_grant(now, package, user, after))
    return output_result("")


def _grant_error(app: VirtualApp, phone: VirtualPhone, user: int, command: str, name: str) -> str | None:
    if name not in app.requested_permissions:
        return f"Package {app.package} has not requested permission {name}"
    if name not in RUNTIME_PERMISSION_OPS:
        return f"Permission {name} requested by {app.package} is not a changeable permission type"
    held = next(
        (grant for grant in phone.runtime_grants(app, user) if grant.name == name),
        VirtualGrant(name=name, granted=False),
    )
    if held.flags & FLAG_BITS["SYSTEM_FIXED"]:
        return f"Non-System UID cannot {command} system fixed permission {name} for package {app.package}"
    if held.flags & FLAG_BITS["POLICY_FIXED"]:
        return f"Cannot {command} policy fixed permission {name} for package {app.package}"
    return None


def _change_flags(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    user, (package, name, *names) = _split_target_user(device, command, args)
    if restrictions.is_blocked(device.phone):
        right = "android.permission.GRANT_RUNTIME_PERMISSIONS"
        return restrictions.denial_result(
            device.phone, command, f"updatePermissionFlags: Neither user 2000 nor current process has {right}."
        )
    if wrong := [one for one in names if one not in _SETTABLE_FLAGS]:
        return error_result(f"Error: specified flag {wrong[0]} is not one of {sorted(_SETTABLE_FLAGS)}\n", 1)
    app = device.phone.find_app(package)
    held = [grant for grant in device.phone.runtime_grants(app, user) if grant.name == name] if app is not None else []
    bits = sum(FLAG_BITS[_SETTABLE_FLAGS[one]] for one in set(names))
    for grant in held:
        flags = grant.flags | bits if command.startswith("set") else grant.flags & ~bits
        after = replace(grant, flags=flags)
        device.update(lambda now, after=after: with_grant(now, package, user, after))  # type: ignore[misc]
    return output_result("")


def _uninstall(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    user, rest = _split_target_user(device, command, [word for word in args if word != "-k"])
    package = rest[0] if rest else ""
    app = device.phone.find_app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return output_result(f"Failure [not installed for {user}]\n", 1)
    if any(component.startswith(f"{package}/") for component in device.phone.device_admins.get(user, ())):
        return output_result("Failure [DELETE_FAILED_DEVICE_POLICY_MANAGER]\n", 1)

    def without(phone: VirtualPhone) -> VirtualPhone:
        gone = with_install(phone, package, user, lambda install: replace(install, installed=False))
        left = gone.find_app(package)
        if left is None or left.is_system or any(install.installed for install in left.installs.values()):
            return gone
        return replace(gone, apps=tuple(one for one in gone.apps if one.package != package))

    device.update(without)
    return output_result("Success\n")


def _install_existing(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    user, rest = _split_target_user(device, command, args)
    package = rest[0] if rest else ""
    app = device.phone.find_app(package)
    if app is None or user not in app.installs:
        return output_result(
            f"android.content.pm.PackageManager$NameNotFoundException: Package {package} doesn't exist\n",
            EXIT_SERVICE_FAILED,
        )
    device.update(lambda phone: with_install(phone, package, user, lambda one: replace(one, installed=True)))
    return output_result(f"Package {package} installed for user: {user}\n")
