"""``pm``, which is ``cmd package``: the parts of it that read (``PackageManagerShellCommand``; in Android 6 ``Pm``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.dump_writers.android import map_order
from privaudit.virtual_phone.programs.answers import FAILED, complained, said, take_user, user_number
from privaudit.virtual_phone.scenario.virtual import App, VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

_DISABLED: Final = 2
"""First ``enabled=`` value that means disabled."""
_FILTERS: Final[dict[str, Callable[[App, int], bool]]] = {
    "-s": lambda app, _: app.system,
    "-3": lambda app, _: not app.system,
    "-d": lambda app, user: app.installs[user].enabled >= _DISABLED,
    "-e": lambda app, user: app.installs[user].enabled < _DISABLED,
}
_SHOWN: Final = {"-f": "path", "-i": "installer", "-U": "uid", "--show-versioncode": "version"}
_UNINSTALLED: Final = "-u"


def run(phone: VirtualPhone, words: Sequence[str]) -> ProgramResult:
    """Answer ``pm words…``.

    Raises:
        Refusal: of a wrong user.
    """
    match words:
        case ["list", *rest]:
            return _list(phone, rest)
        case ["path", *rest]:
            return _path(phone, rest)
        case [command, *_]:
            return _wrong(phone, f"Unknown command: {command}\n")
        case _:
            return said("Package manager (package) commands:\n  help\n    Print this help text.\n", FAILED)


def _wrong(phone: VirtualPhone, text: str) -> ProgramResult:
    """A complaint: on standard output from within the system server, on standard error before."""
    return said(text, FAILED) if phone.layout.has_cmd else complained(text, 1)


def _list(phone: VirtualPhone, words: Sequence[str]) -> ProgramResult:
    match words:
        case ["packages", *rest]:
            return _list_packages(phone, rest)
        case ["users", *_]:
            return said(render.users(phone))
        case [kind, *_]:
            return _wrong(phone, f"Error: unknown list type '{kind}'\n")
        case _:
            return _wrong(phone, "Error: didn't specify type of data to list\n")


def _list_packages(phone: VirtualPhone, words: Sequence[str]) -> ProgramResult:
    """``pm list packages``."""
    layout = phone.layout
    named, rest = take_user(layout, words, "list")
    users = user_number(phone, named or ("all" if layout.lists_all_users else "0"), "list")
    shown = dict.fromkeys(_SHOWN.values(), False)
    chosen: list[Callable[[App, int], bool]] = []
    uninstalled = False
    pattern = ""
    for word in rest:
        if word.startswith("-") and word not in layout.list_options | {"-l"}:
            return _wrong(phone, f"Error: Unknown option: {word}\n")
        if word in _SHOWN:
            shown[_SHOWN[word]] = True
        elif word in _FILTERS:
            chosen.append(_FILTERS[word])
        elif word == _UNINSTALLED:
            uninstalled = True
        elif not word.startswith("-"):
            pattern = word
    by_name = {app.package: app for app in phone.apps if pattern in app.package}
    listed = []
    for name in map_order(by_name):
        app = by_name[name]
        # -u brings back what came with the phone and was removed for the user; an app that was never there stays away.
        has = [
            user for user in users if user in app.installs and (app.installs[user].installed or _kept(app, uninstalled))
        ]
        if of := [user for user in has if all(choose(app, user) for choose in chosen)]:
            listed.append((app, of))
    return said(
        render.packages(
            listed,
            path=shown["path"],
            version=shown["version"],
            installer=shown["installer"],
            uid=shown["uid"],
        )
    )


def _kept(app: App, uninstalled: bool) -> bool:  # noqa: FBT001 - one option of pm
    return uninstalled and app.system


def _path(phone: VirtualPhone, words: Sequence[str]) -> ProgramResult:
    """``pm path``: one line per APK; nothing and status 1 where the user does not have it."""
    named, rest = take_user(phone.layout, words, "path")
    users = user_number(phone, named, "path")
    if not rest:
        return complained("Error: no package specified\n", 1)
    app = phone.app(rest[0])
    if app is None or not any(user in app.installs and app.installs[user].installed for user in users):
        return ProgramResult(code=1)
    return said("".join(f"package:{path}\n" for path in app.apks))
