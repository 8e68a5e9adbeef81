"""``dumpsys``: services that tell their state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import package_dump as render_package_dump
from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.programs.answers import error_result, output_result
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
    """Answer ``dumpsys words…`` when the phone's clock shows `now`."""
    return _Dumpsys(phone, now).run(args)


class _Dumpsys:
    def __init__(self, phone: VirtualPhone, now: datetime) -> None:
        self.phone = phone
        self.now = now
        self.services: Mapping[str, Callable[[Sequence[str]], str]] = {
            "appops": self._appops,
            "device_policy": lambda _: render.format_device_policy(phone),
            "package": self._package,
        }
        if phone.layout.has_roles:
            self.services = {**self.services, "role": lambda _: render.format_role_dump(phone)}

    def run(self, args: Sequence[str]) -> ProgramResult:
        rest = list(args)
        while rest and rest[0].startswith("-"):
            match rest:
                case ["-t" | "-T" as option, *_] if not self.phone.layout.dumpsys_timeout:
                    return error_result(f"Can't find service: {option}\n", 0)  # takes it for the name of one
                case ["-t" | "-T", number, *more] if number.isascii() and number.isdecimal():
                    rest = more
                case ["-l", *_]:
                    return output_result(
                        "Currently running services:\n" + "".join(f"  {name}\n" for name in self.services)
                    )
                case _:
                    return error_result("usage: dumpsys\n         To dump all services.\n")
        if not rest:
            return output_result("".join(self._with_service_banner(name) for name in self.services))
        if rest[0] not in self.services:
            # dumpsys itself ends well: it has nothing to dump, and that is all.
            return error_result(f"Can't find service: {rest[0]}\n", 0)
        return output_result(self.services[rest[0]](rest[1:]))

    def _with_service_banner(self, name: str) -> str:
        """One service's dump among others, as in a bugreport."""
        end = f"--------- 0.010s was the duration of dumpsys {name}, ending at: {render.format_time(self.now)}"
        return f"{'-' * 79}\nDUMP OF SERVICE {name}:\n{self.services[name](())}{end}\n"

    def _appops(self, args: Sequence[str]) -> str:
        match args:
            case []:
                return render_appops.format_appops_dump(self.phone, self.now)
            case _ if not self.phone.layout.appops_options:
                return render_appops.format_appops_dump(self.phone, self.now)  # it looks at no words
            case ["--package", package, *_]:
                app = self.phone.find_app(package)
                if app is None:
                    return f"Unknown package: {package}\n"
                return render_appops.format_appops_dump(self.phone, self.now, app)
            case [word, *_]:
                return f"Unknown {'option' if word.startswith('-') else 'command'}: {word}\n"
        raise AssertionError("unreachable")

    def _package(self, args: Sequence[str]) -> str:
        rest = [word for word in args if not word.startswith("-")]
        match rest:
            case ["permission"]:
                return "Error: permission requires permission name\n"
            case ["permission", *names]:
                return render_package_dump.format_permission_dump(self.phone, frozenset(names))
            case ["check-permission", name, package, *user]:
                return self._check_permission(name, package, user[0] if user else "0")
            case [word, *_] if word == "android" or "." in word:
                return render_package_dump.format_single_package_dump(self.phone, word)
            case [word, *_] if word in _SECTION_TITLES:
                return render_package_dump.format_package_dump(self.phone, _SECTION_TITLES[word])
            case _:
                return render_package_dump.format_package_dump(self.phone)

    def _check_permission(self, name: str, package: str, user: str) -> str:
        if not (user.isascii() and user.isdecimal()):
            return f"Error: check-permission user argument is not a number: {user}\n"
        return "0\n" if render_package_dump.is_permission_granted(self.phone, name, package, int(user)) else "-1\n"
