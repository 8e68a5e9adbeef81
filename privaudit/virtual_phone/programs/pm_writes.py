"""The parts of ``pm`` that change something, with their silences (``PackageManagerShellCommand``, Android 6 to 16).

``pm revoke`` ends well in many cases in which it does nothing. Each is here, on the Androids that have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.virtual_phone.dump_writers.android import FLAG_BITS, PROTECTION, RUNTIME_OPS
from privaudit.virtual_phone.programs import restrictions
from privaudit.virtual_phone.programs.answers import FAILED, complained, said, take_user, user_number
from privaudit.virtual_phone.scenario.virtual import App, Grant, VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import Living, with_grant, with_install

_FLAGS_SDK: Final = 33
_SILENT_SDK: Final = 35
"""The permission service of Android 15 logs what its forerunner threw."""
_LEGACY_TARGET: Final = 23
_CHANGEABLE: Final = {
    "review-required": "REVIEW_REQUIRED",
    "revoked-compat": "REVOKED_COMPAT",
    "revoke-when-requested": "REVOKE_WHEN_REQUESTED",
    "user-fixed": "USER_FIXED",
    "user-set": "USER_SET",
}


def run(living: Living, words: Sequence[str]) -> ProgramResult | None:
    """Answer ``pm words…`` where it changes something; ``None``: it does not.

    Raises:
        Refusal: of a wrong user.
    """
    programs: Mapping[str, Callable[[Living, str, Sequence[str]], ProgramResult]] = {
        "grant": _grant_or_revoke,
        "revoke": _grant_or_revoke,
        "uninstall": _uninstall,
        "install-existing": _install_existing,
    }
    if living.phone.sdk >= _FLAGS_SDK:
        programs = {**programs, "set-permission-flags": _flags, "clear-permission-flags": _flags}
    if not words or words[0] not in programs:
        return None
    return programs[words[0]](living, words[0], words[1:])


def _target(living: Living, command: str, words: Sequence[str]) -> tuple[int, list[str]]:
    """Without ``--user`` it is the owner, not whoever is at the phone."""
    named, rest = take_user(living.phone.layout, words, command)
    return user_number(living.phone, named or "0", command)[0], rest


def _grant_or_revoke(living: Living, command: str, words: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - its silences
    user, rest = _target(living, command, words)
    if len(rest) < 2:  # noqa: PLR2004 - a package and a permission
        return complained("Error: no permission specified\n" if rest else "Error: no package specified\n", 1)
    package, name = rest[:2]
    phone = living.phone
    if restrictions.shut(phone):
        right = f"android.permission.{command.upper()}_RUNTIME_PERMISSIONS"
        return restrictions.refused(
            phone, command, f"{command}RuntimePermission: Neither user 2000 nor current process has {right}."
        )
    if name not in PROTECTION:
        return restrictions.refused(phone, command, f"Unknown permission: {name}", "IllegalArgumentException")
    app = phone.app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return said("")  # written to the log alone
    problem = _problem(app, phone, user, command, name)
    if problem is not None:
        return said("") if phone.sdk >= _SILENT_SDK else restrictions.refused(phone, command, problem)
    if app.target_sdk < _LEGACY_TARGET:
        return said("")  # an app for Android 5 holds what it asks for
    before = next(grant for grant in phone.grants(app, user) if grant.name == name)
    after = replace(before, granted=command == "grant")
    living.change(lambda now: with_grant(now, package, user, after))
    return said("")


def _problem(app: App, phone: VirtualPhone, user: int, command: str, name: str) -> str | None:
    if name not in app.requested:
        return f"Package {app.package} has not requested permission {name}"
    if name not in RUNTIME_OPS:
        return f"Permission {name} requested by {app.package} is not a changeable permission type"
    held = next((grant for grant in phone.grants(app, user) if grant.name == name), Grant(name=name, granted=False))
    if held.flags & FLAG_BITS["SYSTEM_FIXED"]:
        return f"Non-System UID cannot {command} system fixed permission {name} for package {app.package}"
    if held.flags & FLAG_BITS["POLICY_FIXED"]:
        return f"Cannot {command} policy fixed permission {name} for package {app.package}"
    return None


def _flags(living: Living, command: str, words: Sequence[str]) -> ProgramResult:
    user, (package, name, *names) = _target(living, command, words)
    if restrictions.shut(living.phone):
        right = "android.permission.GRANT_RUNTIME_PERMISSIONS"
        return restrictions.refused(
            living.phone, command, f"updatePermissionFlags: Neither user 2000 nor current process has {right}."
        )
    if wrong := [one for one in names if one not in _CHANGEABLE]:
        return complained(f"Error: specified flag {wrong[0]} is not one of {sorted(_CHANGEABLE)}\n", 1)
    app = living.phone.app(package)
    held = [grant for grant in living.phone.grants(app, user) if grant.name == name] if app is not None else []
    bits = sum(FLAG_BITS[_CHANGEABLE[one]] for one in set(names))
    for grant in held:
        flags = grant.flags | bits if command.startswith("set") else grant.flags & ~bits
        after = replace(grant, flags=flags)
        living.change(lambda now, after=after: with_grant(now, package, user, after))  # type: ignore[misc]
    return said("")


def _uninstall(living: Living, command: str, words: Sequence[str]) -> ProgramResult:
    user, rest = _target(living, command, [word for word in words if word != "-k"])
    package = rest[0] if rest else ""
    app = living.phone.app(package)
    if app is None or user not in app.installs or not app.installs[user].installed:
        return said(f"Failure [not installed for {user}]\n", 1)
    if any(component.startswith(f"{package}/") for component in living.phone.admins.get(user, ())):
        return said("Failure [DELETE_FAILED_DEVICE_POLICY_MANAGER]\n", 1)

    def without(phone: VirtualPhone) -> VirtualPhone:
        gone = with_install(phone, package, user, lambda install: replace(install, installed=False))
        left = gone.app(package)
        if left is None or left.system or any(install.installed for install in left.installs.values()):
            return gone
        return replace(gone, apps=tuple(one for one in gone.apps if one.package != package))

    living.change(without)
    return said("Success\n")


def _install_existing(living: Living, command: str, words: Sequence[str]) -> ProgramResult:
    user, rest = _target(living, command, words)
    package = rest[0] if rest else ""
    app = living.phone.app(package)
    if app is None or user not in app.installs:
        return said(
            f"android.content.pm.PackageManager$NameNotFoundException: Package {package} doesn't exist\n", FAILED
        )
    living.change(lambda phone: with_install(phone, package, user, lambda one: replace(one, installed=True)))
    return said(f"Package {package} installed for user: {user}\n")
