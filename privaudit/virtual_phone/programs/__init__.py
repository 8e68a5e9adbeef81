"""The programs of the demo phone: what Android prints, on its streams, with its exit statuses."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from privaudit.virtual_phone import apks
from privaudit.virtual_phone.dump_writers import appops as render_appops
from privaudit.virtual_phone.dump_writers import text as render
from privaudit.virtual_phone.programs import am, dumpsys, pm, pm_writes, restrictions, writes
from privaudit.virtual_phone.programs.answers import FAILED, Refusal, complained, said, take_user, user_number
from privaudit.virtual_phone.scenario.virtual import Namespace, VirtualPhone
from privaudit.virtual_phone.shell import Program, ProgramResult
from privaudit.virtual_phone.state import Living

_ID: Final = (
    "uid=2000(shell) gid=2000(shell) groups=2000(shell),1004(input),1007(log),1011(adb),1015(sdcard_rw),"
    "1028(sdcard_r),1078(ext_data_rw),1079(ext_obb_rw),3001(net_bt_admin),3002(net_bt),3003(inet),"
    "3006(net_bw_stats),3009(readproc),3011(uhid),3012(readtracefs) context=u:r:shell:s0\n"
)
_NO_SERVICE: Final = 20
"""Exit status of ``cmd`` for a service that is not there."""
_NAMESPACES: Final[Mapping[str, Namespace]] = {"secure": "secure", "global": "global", "system": "system"}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def programs(phone: VirtualPhone | Living, *, now: datetime | None = None) -> Mapping[str, Program]:
    """Name → program, for `privaudit.virtual_phone.adbd.server.DemoPhone` and `privaudit.virtual_phone.shell.Shell`.

    Args:
        phone: what they tell about, and change; keep a `Living` one to look at what became of it.
        now: what the computer's clock is taken to show (aware), so that answers are the same each time; ``None``: the
            computer's clock itself, read anew at each call.
    """
    living = phone if isinstance(phone, Living) else Living(phone)
    answers = _Answers(living, now)
    only_since_7 = {"cmd": _program(answers.cmd)} if living.phone.layout.has_cmd else {}
    return {
        **only_since_7,
        "am": _program(answers.am),
        "appops": _program(answers.appops),
        "date": _program(answers.date),
        "dumpsys": _program(lambda words: dumpsys.run(living.phone, words, answers.clock())),
        "getprop": _program(answers.getprop),
        "id": _program(lambda _: said(_ID)),
        "pm": _program(answers.pm),
        "settings": _program(answers.settings),
    }


def files(phone: VirtualPhone) -> Mapping[str, bytes]:
    """Files of the phone by their absolute paths: build properties, every base APK, and a stand-in for its splits."""
    properties = "".join(f"{key}={value}\n" for key, value in phone.properties.items() if key.startswith("ro."))
    found = {"/system/build.prop": f"# privaudit demo phone\n{properties}".encode()}
    for app in phone.apps:
        for copy in (app, app.factory):
            if copy is not None:
                note = f"This is no APK: {copy.package} exists only on privaudit's demo phone.\n".encode()
                found |= dict.fromkeys(copy.apks, note)
                found[copy.apk] = apks.bundle().get(apks.name(copy), note)
    return found


def _program(answer: Callable[[Sequence[str]], ProgramResult]) -> Program:
    def run(argv: Sequence[str], _: bytes) -> ProgramResult:
        try:
            return answer(argv[1:])
        except Refusal as refusal:
            return refusal.result

    return run


class _Answers:
    """The programs that need the phone and its clock."""

    def __init__(self, living: Living, now: datetime | None) -> None:
        self.living = living
        self._now = now

    @property
    def phone(self) -> VirtualPhone:
        """As it is now."""
        return self.living.phone

    def clock(self) -> datetime:
        return self.phone.clock(self._now or datetime.now(UTC))

    def cmd(self, words: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - one a service
        match words:
            case ["package", *rest]:
                return self.pm(rest)
            case ["notification", ("allow_listener" | "disallow_listener") as verb, *rest] if rest:
                return writes.set_listener(self.living, [verb, *rest])
            case ["appops", *rest]:
                return self.appops(rest)
            case ["settings", *rest]:
                return self.settings(rest)
            case ["user" | "role" as service, *rest] if service == "user" or self.phone.layout.roles:
                return self._small_service(service, rest)
            case []:
                return complained(
                    "cmd: No service specified; use -l to list all running services. Use -w to start "
                    "and wait for a service.\n",
                    _NO_SERVICE,
                )
            case [service, *_]:
                return complained(f"cmd: Can't find service: {service}\n", _NO_SERVICE)
        raise AssertionError("unreachable")

    def _small_service(self, service: str, words: Sequence[str]) -> ProgramResult:
        match (service, *words):
            case ("user", "list", *_):
                return said(render.users(self.phone))
            case ("role", "add-role-holder" | "remove-role-holder", *_):
                return writes.set_role(self.living, words)
            case ("role", command, *_) if command != "get-role-holders" or not self.phone.layout.role_holders:
                return said(f"Unknown command: {command}\n", FAILED)
            case ("role", "get-role-holders", *rest):
                named, roles = take_user(self.phone.layout, rest, "get-role-holders")
                user = user_number(self.phone, named, "get-role-holders")[0]
                return said(render.role_holders(self.phone, roles[0] if roles else "", user))
            case _:
                return complained(f"cmd: the demo phone answers only part of {service}\n")

    def pm(self, words: Sequence[str]) -> ProgramResult:
        changed = pm_writes.run(self.living, words)
        return pm.run(self.phone, words) if changed is None else changed

    def am(self, words: Sequence[str]) -> ProgramResult:
        return am.run(self.living, words, shut=restrictions.shut(self.phone))

    def appops(self, words: Sequence[str]) -> ProgramResult:
        match words:
            case ["set", *rest]:
                return writes.set_mode(self.living, rest)
            case ["get", *rest]:
                named, rest = take_user(self.phone.layout, rest, "get")
                user = user_number(self.phone, named, "get")[0]
                if not rest:
                    return complained("Error: Package name or UID not specified\n")
                app = self.phone.app(rest[0])
                if app is None or user not in app.installs or not app.installs[user].installed:
                    return complained(f"Error: No UID for {rest[0]} in user {user}\n")
                return said(render_appops.get(self.phone.layout, app, user, rest[1] if len(rest) > 1 else None))
            case [command, *_]:
                return said(f"Unknown command: {command}\n", FAILED)
            case _:
                return said("AppOps service (appops) commands:\n", FAILED)

    def settings(self, words: Sequence[str]) -> ProgramResult:
        named, rest = take_user(self.phone.layout, words, "settings")
        user = user_number(self.phone, named, "settings")[0]
        match rest:
            case ["get", namespace, key] if namespace in _NAMESPACES:
                return said(render.setting(self.phone, user, _NAMESPACES[namespace], key))
            case ["get", namespace, _]:
                return complained(f"Invalid namespace '{namespace}'\n")
            case ["put", "secure", key, value]:
                return writes.put_setting(self.living, user, key, value)
            case ["get", *_]:
                return complained("Bad arguments\n")
            case _:
                return complained("Invalid command: the demo phone answers only settings get and put secure\n")

    def getprop(self, words: Sequence[str]) -> ProgramResult:
        match words:
            case []:
                return said(render.properties(self.phone))
            case [name, *default]:
                # Of a name only: no phone tells its serial number in a whole list that is printed here.
                known = {"ro.serialno": f"DEMO{zlib.crc32(self.phone.name.encode()):08X}", **self.phone.properties}
                return said(known.get(name, default[0] if default else "") + "\n")
        raise AssertionError("unreachable")

    def date(self, words: Sequence[str]) -> ProgramResult:
        now = self.clock()
        if "-u" in words:
            now = now.astimezone(UTC)
        wanted = [word for word in words if word != "-u"]
        if any(not word.startswith("+") for word in wanted):
            return complained("date: the demo phone's clock is not set\n", 1)
        return said(_dated(now, wanted[-1][1:] if wanted else "%a %b %e %H:%M:%S %Z %Y") + "\n")


def _dated(when: datetime, pattern: str) -> str:
    """``date``'s formats, in English whatever the computer's language is; an unknown one stands as it is."""
    parts = {
        "%": "%",
        "a": _DAYS[when.weekday()],
        "b": _MONTHS[when.month - 1],
        "d": f"{when.day:02}",
        "e": f"{when.day:2}",
        "F": f"{when.year}-{when.month:02}-{when.day:02}",
        "H": f"{when.hour:02}",
        "M": f"{when.minute:02}",
        "m": f"{when.month:02}",
        "N": f"{when.microsecond * 1000:09}",
        "S": f"{when.second:02}",
        "s": str(int(when.timestamp())),
        "T": f"{when.hour:02}:{when.minute:02}:{when.second:02}",
        "Y": str(when.year),
        "Z": when.tzname() or "",
        "z": f"{when:%z}",
    }
    return re.sub(r"%(.)", lambda found: parts.get(found[1], found[0]), pattern)
