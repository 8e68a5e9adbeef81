"""``pm``, which is ``cmd package`` (``PackageManagerShellCommand``; ``Pm`` in Android 6), with its silent cases.

``pm revoke`` succeeds in many cases in which it does nothing. Each is here, on the Androids that have it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from privaudit.virtual_phone import release
from privaudit.virtual_phone.dump_writers.text import format_package_list, format_user_list
from privaudit.virtual_phone.programs import results
from privaudit.virtual_phone.release import Since
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualGrant, VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult
from privaudit.virtual_phone.state import MutableDevice, with_grant, with_install

_FIRST_DISABLED_STATE: Final = 2
"""First ``enabled=`` value that means disabled."""
_FILTER_OPTIONS: Final[dict[str, Callable[[VirtualApp, int], bool]]] = {
    "-s": lambda app, _: app.is_system,
    "-3": lambda app, _: not app.is_system,
    "-d": lambda app, user: app.installs[user].enabled >= _FIRST_DISABLED_STATE,
    "-e": lambda app, user: app.installs[user].enabled < _FIRST_DISABLED_STATE,
}
_COLUMN_OPTIONS: Final = {"-f": "path", "-i": "installer", "-U": "uid", "--show-versioncode": "version"}
_SETTABLE_FLAGS: Final = ("review-required", "revoked-compat", "revoke-when-requested", "user-fixed", "user-set")


def run_pm(device: MutableDevice, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - one per command
    """Run ``pm args…``."""
    writes: Mapping[str, Callable[[MutableDevice, str, Sequence[str]], ProgramResult]] = {
        "grant": _grant_or_revoke,
        "revoke": _grant_or_revoke,
        "uninstall": _uninstall,
        "install-existing": _install_existing,
    }
    phone = device.phone
    if phone.sdk >= Since.FLAG_COMMANDS:
        writes = {**writes, "set-permission-flags": _change_flags, "clear-permission-flags": _change_flags}
    match args:
        case [command, *rest] if command in writes:
            return writes[command](device, command, rest)
        case ["list", "packages", *rest]:
            return _list_packages(phone, rest)
        case ["list", "users", *_]:
            return results.output_result(format_user_list(phone))
        case ["list", kind, *_]:
            return _usage_error(phone, f"Error: unknown list type '{kind}'\n")
        case ["list"]:
            return _usage_error(phone, "Error: didn't specify type of data to list\n")
        case ["path", *rest]:
            return _list_paths(phone, rest)
        case [command, *_]:
            return _usage_error(phone, f"Unknown command: {command}\n")
        case _:
            text = "Package manager (package) commands:\n  help\n    Print this help text.\n"
            return results.output_result(text, results.EXIT_SERVICE_FAILED)


def _usage_error(phone: VirtualPhone, text: str) -> ProgramResult:
    """Print on standard output from within the system server, on standard error before Android 7."""
    if phone.sdk >= Since.CMD:
        return results.output_result(text, results.EXIT_SERVICE_FAILED)
    return results.error_result(text, 1)


def _list_packages(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    user_arg, rest = results.split_user_option(phone, args, "list")
    users = results.resolve_users(phone, user_arg or ("all" if phone.sdk >= Since.LISTS_ALL_USERS else "0"), "list")
    columns = dict.fromkeys(_COLUMN_OPTIONS.values(), False)
    filters: list[Callable[[VirtualApp, int], bool]] = []
    pattern = ""
    for word in rest:
        if word.startswith("-") and word not in {*phone.layout.list_options, "-l"}:
            return _usage_error(phone, f"Error: Unknown option: {word}\n")
        if word in _COLUMN_OPTIONS:
            columns[_COLUMN_OPTIONS[word]] = True
        elif word in _FILTER_OPTIONS:
            filters.append(_FILTER_OPTIONS[word])
        elif not word.startswith("-"):
            pattern = word
    by_name = {app.package: app for app in phone.apps if pattern in app.package}
    rows = []
    for app in map(by_name.__getitem__, release.array_map_order(by_name)):
        # -u also lists system apps that were removed for the user, but no app that was never installed for it.
        include_uninstalled = "-u" in rest and app.is_system
        known = [user for user in users if user in app.installs]
        kept = [user for user in known if app.installs[user].installed or include_uninstalled]
        if listed_for := [user for user in kept if all(matches(app, user) for matches in filters)]:
            rows.append((app, listed_for))
    return results.output_result(format_package_list(rows, **columns))


def _list_paths(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    """``pm path``: one line per APK; nothing and status 1 if the user does not have the app."""
    user_arg, rest = results.split_user_option(phone, args, "path")
    users = results.resolve_users(phone, user_arg, "path")
    if not rest:
        return results.error_result("Error: no package specified\n", 1)
    app = next(filter(None, (phone.find_installed_app(rest[0], user) for user in users)), None)
    if app is None:
        return ProgramResult(code=1)
    return results.output_result("".join(f"package:{path}\n" for path in app.apk_paths))


def _grant_or_revoke(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - each silent case
    user, rest = results.split_target_user(device.phone, args, command)
    if len(rest) < 2:  # noqa: PLR2004 - a package and a permission
        return results.error_result("Error: no permission specified\n" if rest else "Error: no package specified\n", 1)
    package, name = rest[:2]
    phone = device.phone
    if results.is_blocked(phone):
        right = f"android.permission.{command.upper()}_RUNTIME_PERMISSIONS"
        denial = f"{command}RuntimePermission: Neither user 2000 nor current process has {right}."
        return results.denial_result(phone, command, denial)
    if name not in release.PROTECTION_LEVELS:
        return results.denial_result(phone, command, f"Unknown permission: {name}", "IllegalArgumentException")
    app = phone.find_installed_app(package, user)
    if app is None:
        return results.output_result("")  # Android only logs it.
    problem = _grant_error(app, phone, user, command, name)
    if problem is not None and phone.sdk < Since.SILENT_DENIALS:
        return results.denial_result(phone, command, problem)
    if problem is not None or app.target_sdk < Since.RUNTIME_PERMISSIONS:
        return results.output_result("")  # An app for Android 5 holds every permission that it requests.
    before = next(grant for grant in phone.runtime_grants(app, user) if grant.name == name)
    after = replace(before, granted=command == "grant")
    device.update(lambda now: with_grant(now, package, user, after))
    return results.output_result("")


def _grant_error(app: VirtualApp, phone: VirtualPhone, user: int, command: str, name: str) -> str | None:
    if name not in app.requested_permissions:
        return f"Package {app.package} has not requested permission {name}"
    if name not in release.RUNTIME_PERMISSION_OPS:
        return f"Permission {name} requested by {app.package} is not a changeable permission type"
    flags = next((grant.flags for grant in phone.runtime_grants(app, user) if grant.name == name), 0)
    if flags & release.FLAG_BITS["SYSTEM_FIXED"]:
        return f"Non-System UID cannot {command} system fixed permission {name} for package {app.package}"
    if flags & release.FLAG_BITS["POLICY_FIXED"]:
        return f"Cannot {command} policy fixed permission {name} for package {app.package}"
    return None


def _change_flags(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    user, (package, name, *flag_names) = results.split_target_user(device.phone, args, command)
    if results.is_blocked(device.phone):
        right = "android.permission.GRANT_RUNTIME_PERMISSIONS"
        denial = f"updatePermissionFlags: Neither user 2000 nor current process has {right}."
        return results.denial_result(device.phone, command, denial)
    if unknown := [flag for flag in flag_names if flag not in _SETTABLE_FLAGS]:
        return results.error_result(f"Error: specified flag {unknown[0]} is not one of {sorted(_SETTABLE_FLAGS)}\n", 1)
    app = device.phone.find_app(package)
    grants: Sequence[VirtualGrant] = device.phone.runtime_grants(app, user) if app is not None else ()
    bits = sum(release.FLAG_BITS[flag.upper().replace("-", "_")] for flag in set(flag_names))
    for grant in grants:
        if grant.name == name:
            after = replace(grant, flags=grant.flags | bits if command.startswith("set") else grant.flags & ~bits)
            device.update(lambda now, after=after: with_grant(now, package, user, after))  # type: ignore[misc]
    return results.output_result("")


def _uninstall(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    user, rest = results.split_target_user(device.phone, [word for word in args if word != "-k"], command)
    package = rest[0] if rest else ""
    if device.phone.find_installed_app(package, user) is None:
        return results.output_result(f"Failure [not installed for {user}]\n", 1)
    if any(component.startswith(f"{package}/") for component in device.phone.device_admins.get(user, ())):
        return results.output_result("Failure [DELETE_FAILED_DEVICE_POLICY_MANAGER]\n", 1)

    def uninstalled(phone: VirtualPhone) -> VirtualPhone:
        phone = with_install(phone, package, user, lambda install: replace(install, installed=False))
        app = phone.find_app(package)
        if app is None or app.is_system or any(install.installed for install in app.installs.values()):
            return phone
        return replace(phone, apps=tuple(other for other in phone.apps if other.package != package))

    device.update(uninstalled)
    return results.output_result("Success\n")


def _install_existing(device: MutableDevice, command: str, args: Sequence[str]) -> ProgramResult:
    user, rest = results.split_target_user(device.phone, args, command)
    package = rest[0] if rest else ""
    app = device.phone.find_app(package)
    if app is None or user not in app.installs:
        exception = "android.content.pm.PackageManager$NameNotFoundException"
        return results.output_result(f"{exception}: Package {package} doesn't exist\n", results.EXIT_SERVICE_FAILED)
    device.update(lambda phone: with_install(phone, package, user, lambda install: replace(install, installed=True)))
    return results.output_result(f"Package {package} installed for user: {user}\n")
