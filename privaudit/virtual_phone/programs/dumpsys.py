"""``dumpsys``: services that tell their state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import package_dump as render_package_dump
from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.programs.answers import complained, said
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

_SECTIONS: Final = {
    **dict.fromkeys(("p", "packages"), ("Packages:", "Hidden system packages:")),
    **dict.fromkeys(("perm", "permissions"), ("Permissions:", "AppOp Permissions:")),
    **dict.fromkeys(("s", "shared-users"), ("Shared users:",)),
    **dict.fromkeys(("q", "queries"), ("Queries:",)),
    "version": ("Database versions:",),
}


def run(phone: VirtualPhone, words: Sequence[str], now: datetime) -> ProgramResult:
    """Answer ``dumpsys words…`` when the phone's clock shows `now`."""
    return _Dumpsys(phone, now).run(words)


class _Dumpsys:
    def __init__(self, phone: VirtualPhone, now: datetime) -> None:
        self.phone = phone
        self.now = now
        self.services: Mapping[str, Callable[[Sequence[str]], str]] = {
            "appops": self._appops,
            "device_policy": lambda _: render.device_policy(phone),
            "package": self._package,
        }
        if phone.layout.roles:
            self.services = {**self.services, "role": lambda _: render.roles(phone)}

    def run(self, words: Sequence[str]) -> ProgramResult:
        rest = list(words)
        while rest and rest[0].startswith("-"):
            match rest:
                case ["-t" | "-T" as option, *_] if not self.phone.layout.dumpsys_timeout:
                    return complained(f"Can't find service: {option}\n", 0)  # takes it for the name of one
                case ["-t" | "-T", number, *more] if number.isascii() and number.isdecimal():
                    rest = more
                case ["-l", *_]:
                    return said("Currently running services:\n" + "".join(f"  {name}\n" for name in self.services))
                case _:
                    return complained("usage: dumpsys\n         To dump all services.\n")
        if not rest:
            return said("".join(self._framed(name) for name in self.services))
        if rest[0] not in self.services:
            # dumpsys itself ends well: it has nothing to dump, and that is all.
            return complained(f"Can't find service: {rest[0]}\n", 0)
        return said(self.services[rest[0]](rest[1:]))

    def _framed(self, name: str) -> str:
        """One service's dump among others, as in a bugreport."""
        end = f"--------- 0.010s was the duration of dumpsys {name}, ending at: {render.moment(self.now)}"
        return f"{'-' * 79}\nDUMP OF SERVICE {name}:\n{self.services[name](())}{end}\n"

    def _appops(self, words: Sequence[str]) -> str:
        match words:
            case []:
                return render_appops.dump(self.phone, self.now)
            case _ if not self.phone.layout.appops_options:
                return render_appops.dump(self.phone, self.now)  # it looks at no words
            case ["--package", package, *_]:
                app = self.phone.app(package)
                if app is None:
                    return f"Unknown package: {package}\n"
                return render_appops.dump(self.phone, self.now, app)
            case [word, *_]:
                return f"Unknown {'option' if word.startswith('-') else 'command'}: {word}\n"
        raise AssertionError("unreachable")

    def _package(self, words: Sequence[str]) -> str:
        rest = [word for word in words if not word.startswith("-")]
        match rest:
            case ["permission"]:
                return "Error: permission requires permission name\n"
            case ["permission", *names]:
                return render_package_dump.permission(self.phone, frozenset(names))
            case ["check-permission", name, package, *user]:
                return self._check_permission(name, package, user[0] if user else "0")
            case [word, *_] if word == "android" or "." in word:
                return render_package_dump.one(self.phone, word)
            case [word, *_] if word in _SECTIONS:
                return render_package_dump.whole(self.phone, _SECTIONS[word])
            case _:
                return render_package_dump.whole(self.phone)

    def _check_permission(self, name: str, package: str, user: str) -> str:
        if not (user.isascii() and user.isdecimal()):
            return f"Error: check-permission user argument is not a number: {user}\n"
        return "0\n" if render_package_dump.granted(self.phone, name, package, int(user)) else "-1\n"
