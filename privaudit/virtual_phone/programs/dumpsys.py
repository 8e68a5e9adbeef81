"""``dumpsys``: the state of the system services."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from privaudit.virtual_phone.dump_writers import package_dump
from privaudit.virtual_phone.dump_writers.appops import format_appops_dump
from privaudit.virtual_phone.dump_writers.package_proto import format_package_proto
from privaudit.virtual_phone.dump_writers.text import format_device_policy, format_role_dump, format_time
from privaudit.virtual_phone.programs.results import error_result, output_result
from privaudit.virtual_phone.release.layout import Since
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

_SECTION_TITLES: Final = {
    **dict.fromkeys(("p", "packages"), ("Packages:", "Hidden system packages:")),
    **dict.fromkeys(("perm", "permissions"), ("Permissions:", "AppOp Permissions:")),
    **dict.fromkeys(("s", "shared-users"), ("Shared users:",)),
    **dict.fromkeys(("q", "queries"), ("Queries:",)),
    "version": ("Database versions:",),
}


def run_dumpsys(phone: VirtualPhone, args: Sequence[str], now: datetime) -> ProgramResult:
    """Run ``dumpsys args…`` at `now` of the phone's clock."""
    services: Mapping[str, Callable[[Sequence[str]], str]] = {
        "appops": lambda words: _dump_appops(phone, words, now),
        "device_policy": lambda _: format_device_policy(phone),
        "package": lambda words: _dump_package(phone, words),
        **({"role": lambda _: format_role_dump(phone)} if phone.sdk >= Since.ROLES else {}),
    }
    rest = list(args)
    while rest and rest[0].startswith("-"):
        match rest:
            case ["-t" | "-T" as option, *_] if phone.sdk < Since.DUMPSYS_TIMEOUT:
                return error_result(f"Can't find service: {option}\n", 0)  # Read as the name of a service.
            case ["-t" | "-T", number, *more] if number.isascii() and number.isdecimal():
                rest = more
            case ["-l", *_]:
                return output_result("Currently running services:\n" + "".join(f"  {name}\n" for name in services))
            case _:
                return error_result("usage: dumpsys\n         To dump all services.\n")
    if not rest:
        # All services, each with a frame as in a bug report.
        end = "--------- 0.010s was the duration of dumpsys {}, ending at: " + format_time(now)
        start = f"{'-' * 79}\nDUMP OF SERVICE "
        dumps = (f"{start}{name}:\n{dump(())}{end.format(name)}\n" for name, dump in services.items())
        return output_result("".join(dumps))
    if rest[0] not in services:
        return error_result(f"Can't find service: {rest[0]}\n", 0)  # dumpsys itself succeeds.
    is_proto = rest[:2] == ["package", "--proto"] and phone.sdk >= Since.PROTO_GRANTS
    return ProgramResult(format_package_proto(phone)) if is_proto else output_result(services[rest[0]](rest[1:]))


def _dump_appops(phone: VirtualPhone, args: Sequence[str], now: datetime) -> str:
    if not args or phone.sdk < Since.APPOPS_OPTIONS:
        return format_appops_dump(phone, now)
    match args:
        case ["--package", package, *_]:
            app = phone.find_app(package)
            return f"Unknown package: {package}\n" if app is None else format_appops_dump(phone, now, app)
        case [word, *_]:
            return f"Unknown {'option' if word.startswith('-') else 'command'}: {word}\n"
    raise AssertionError("unreachable")


def _dump_package(phone: VirtualPhone, args: Sequence[str]) -> str:  # noqa: PLR0911 - one answer per form
    match [word for word in args if not word.startswith("-")]:
        case ["permission"]:
            return "Error: permission requires permission name\n"
        case ["permission", *names]:
            return package_dump.format_permission_dump(phone, frozenset(names))
        case ["check-permission", name, package, *rest]:
            user = rest[0] if rest else "0"
            if not (user.isascii() and user.isdecimal()):
                return f"Error: check-permission user argument is not a number: {user}\n"
            return "0\n" if package_dump.is_permission_granted(phone, name, package, int(user)) else "-1\n"
        case [word, *_] if word == "android" or "." in word:
            return package_dump.format_single_package_dump(phone, word)
        case [word, *_] if word in _SECTION_TITLES:
            return package_dump.format_package_dump(phone, _SECTION_TITLES[word])
        case _:
            return package_dump.format_package_dump(phone)
