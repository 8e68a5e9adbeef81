"""``pm``, which is ``cmd package``: the parts of it that read (``PackageManagerShellCommand``; in Android 6 ``Pm``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.dump_writers.android import array_map_order
from privaudit.virtual_phone.programs.answers import (
    EXIT_SERVICE_FAILED,
    error_result,
    output_result,
    resolve_users,
    split_user_option,
)
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

_FIRST_DISABLED_STATE: Final = 2
"""First ``enabled=`` value that means disabled."""
_FILTER_OPTIONS: Final[dict[str, Callable[[VirtualApp, int], bool]]] = {
    "-s": lambda app, _: app.is_system,
    "-3": lambda app, _: not app.is_system,
    "-d": lambda app, user: app.installs[user].enabled >= _FIRST_DISABLED_STATE,
    "-e": lambda app, user: app.installs[user].enabled < _FIRST_DISABLED_STATE,
}
_COLUMN_OPTIONS: Final = {"-f": "path", "-i": "installer", "-U": "uid", "--show-versioncode": "version"}
_INCLUDE_UNINSTALLED_OPTION: Final = "-u"


def run_pm(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    """Answer ``pm words…``.

    Raises:
        Refusal: of a wrong user.
    """
    match args:
        case ["list", *rest]:
            return _run_list(phone, rest)
        case ["path", *rest]:
            return _run_path(phone, rest)
        case [command, *_]:
            return _usage_error(phone, f"Unknown command: {command}\n")
        case _:
            return output_result(
                "Package manager (package) commands:\n  help\n    Print this help text.\n", EXIT_SERVICE_FAILED
            )


def _usage_error(phone: VirtualPhone, text: str) -> ProgramResult:
    """A complaint: on standard output from within the system server, on standard error before."""
    return output_result(text, EXIT_SERVICE_FAILED) if phone.layout.has_cmd else error_result(text, 1)


def _run_list(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    match args:
        case ["packages", *rest]:
            return _run_list_packages(phone, rest)
        case ["users", *_]:
            return output_result(render.format_user_list(phone))
        case [kind, *_]:
            return _usage_error(phone, f"Error: unknown list type '{kind}'\n")
        case _:
            return _usage_error(phone, "Error: didn't specify type of data to list\n")


def _run_list_packages(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    """``pm list packages``."""
    layout = phone.layout
    named, rest = split_user_option(layout, args, "list")
    users = resolve_users(phone, named or ("all" if layout.lists_all_users else "0"), "list")
    shown = dict.fromkeys(_COLUMN_OPTIONS.values(), False)
    chosen: list[Callable[[VirtualApp, int], bool]] = []
    uninstalled = False
    pattern = ""
    for word in rest:
        if word.startswith("-") and word not in layout.list_options | {"-l"}:
            return _usage_error(phone, f"Error: Unknown option: {word}\n")
        if word in _COLUMN_OPTIONS:
            shown[_COLUMN_OPTIONS[word]] = True
        elif word in _FILTER_OPTIONS:
            chosen.append(_FILTER_OPTIONS[word])
        elif word == _INCLUDE_UNINSTALLED_OPTION:
            uninstalled = True
        elif not word.startswith("-"):
            pattern = word
    by_name = {app.package: app for app in phone.apps if pattern in app.package}
    listed = []
    for name in array_map_order(by_name):
        app = by_name[name]
        # -u brings back what came with the phone and was removed for the user; an app that was never there stays away.
        has = [
            user
            for user in users
            if user in app.installs and (app.installs[user].installed or _is_kept_system_app(app, uninstalled))
        ]
        if of := [user for user in has if all(choose(app, user) for choose in chosen)]:
            listed.append((app, of))
    return output_result(
        render.format_package_list(
            listed,
            path=shown["path"],
            version=shown["version"],
            installer=shown["installer"],
            uid=shown["uid"],
        )
    )


def _is_kept_system_app(app: VirtualApp, include_uninstalled: bool) -> bool:  # noqa: FBT001 - one option of pm
    return include_uninstalled and app.is_system


def _run_path(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    """``pm path``: one line per APK; nothing and status 1 where the user does not have it."""
    named, rest = split_user_option(phone.layout, args, "path")
    users = resolve_users(phone, named, "path")
    if not rest:
        return error_result("Error: no package specified\n", 1)
    app = phone.find_app(rest[0])
    if app is None or not any(user in app.installs and app.installs[user].installed for user in users):
        return ProgramResult(code=1)
    return output_result("".join(f"package:{path}\n" for path in app.apk_paths))
