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
from privaudit.virtual_phone.programs.answers import (
    EXIT_SERVICE_FAILED,
    ProgramExit,
    error_result,
    output_result,
    resolve_users,
    split_user_option,
)
from privaudit.virtual_phone.scenario.virtual import Namespace, VirtualPhone
from privaudit.virtual_phone.shell import Program, ProgramResult
from privaudit.virtual_phone.state import MutableDevice

_ID_OUTPUT: Final = (
    "uid=2000(shell) gid=2000(shell) groups=2000(shell),1004(input),1007(log),1011(adb),1015(sdcard_rw),"
    "1028(sdcard_r),1078(ext_data_rw),1079(ext_obb_rw),3001(net_bt_admin),3002(net_bt),3003(inet),"
    "3006(net_bw_stats),3009(readproc),3011(uhid),3012(readtracefs) context=u:r:shell:s0\n"
)
_EXIT_NO_SERVICE: Final = 20
"""Exit status of ``cmd`` for a service that is not there."""
_NAMESPACES: Final[Mapping[str, Namespace]] = {"secure": "secure", "global": "global", "system": "system"}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def build_programs(phone: VirtualPhone | MutableDevice, *, now: datetime | None = None) -> Mapping[str, Program]:
    """Name → program, for `privaudit.virtual_phone.adbd.server.AdbdServer` and `privaudit.virtual_phone.shell.Shell`.

    Args:
        phone: what they tell about, and change; keep a `MutableDevice` one to look at what became of it.
        now: what the computer's clock is taken to show (aware), so that answers are the same each time; ``None``: the
            computer's clock itself, read anew at each call.
    """
    living = phone if isinstance(phone, MutableDevice) else MutableDevice(phone)
    answers = _PhonePrograms(living, now)
    only_since_7 = {"cmd": _as_program(answers.cmd)} if living.phone.layout.has_cmd else {}
    return {
        **only_since_7,
        "am": _as_program(answers.am),
        "appops": _as_program(answers.appops),
        "date": _as_program(answers.date),
        "dumpsys": _as_program(lambda words: dumpsys.run_dumpsys(living.phone, words, answers.device_time())),
        "getprop": _as_program(answers.getprop),
        "id": _as_program(lambda _: output_result(_ID_OUTPUT)),
        "pm": _as_program(answers.pm),
        "settings": _as_program(answers.settings),
    }


def build_files(phone: VirtualPhone) -> Mapping[str, bytes]:
    """Files of the phone by their absolute paths: build properties, every base APK, and a stand-in for its splits."""
    properties = "".join(f"{key}={value}\n" for key, value in phone.properties.items() if key.startswith("ro."))
    found = {"/system/build.prop": f"# privaudit demo phone\n{properties}".encode()}
    for app in phone.apps:
        for copy in (app, app.factory):
            if copy is not None:
                note = f"This is no APK: {copy.package} exists only on privaudit's demo phone.\n".encode()
                found |= dict.fromkeys(copy.apk_paths, note)
                found[copy.apk_path] = apks.load_apks().get(apks.apk_entry_name(copy), note)
    return found


def _as_program(answer: Callable[[Sequence[str]], ProgramResult]) -> Program:
    def run(argv: Sequence[str], _: bytes) -> ProgramResult:
        try:
            return answer(argv[1:])
        except ProgramExit as refusal:
            return refusal.result

    return run


class _PhonePrograms:
    """The programs that need the phone and its clock."""

    def __init__(self, device: MutableDevice, now: datetime | None) -> None:
        self.device = device
        self._now = now

    @property
    def phone(self) -> VirtualPhone:
        """As it is now."""
        return self.device.phone

    def device_time(self) -> datetime:
        return self.phone.device_time(self._now or datetime.now(UTC))

    def cmd(self, args: Sequence[str]) -> ProgramResult:  # noqa: PLR0911 - one a service
        match args:
            case ["package", *rest]:
                return self.pm(rest)
            case ["notification", ("allow_listener" | "disallow_listener") as verb, *rest] if rest:
                return writes.change_notification_listener(self.device, [verb, *rest])
            case ["appops", *rest]:
                return self.appops(rest)
            case ["settings", *rest]:
                return self.settings(rest)
            case ["user" | "role" as service, *rest] if service == "user" or self.phone.layout.has_roles:
                return self._user_or_role(service, rest)
            case []:
                return error_result(
                    "cmd: No service specified; use -l to list all running services. Use -w to start "
                    "and wait for a service.\n",
                    _EXIT_NO_SERVICE,
                )
            case [service, *_]:
                return error_result(f"cmd: Can't find service: {service}\n", _EXIT_NO_SERVICE)
        raise AssertionError("unreachable")

    def _user_or_role(self, service: str, args: Sequence[str]) -> ProgramResult:
        match (service, *args):
            case ("user", "list", *_):
                return output_result(render.format_user_list(self.phone))
            case ("role", "add-role-holder" | "remove-role-holder", *_):
                return writes.change_role_holder(self.device, args)
            case ("role", command, *_) if command != "get-role-holders" or not self.phone.layout.has_get_role_holders:
                return output_result(f"Unknown command: {command}\n", EXIT_SERVICE_FAILED)
            case ("role", "get-role-holders", *rest):
                named, roles = split_user_option(self.phone.layout, rest, "get-role-holders")
                user = resolve_users(self.phone, named, "get-role-holders")[0]
                return output_result(render.format_role_holders(self.phone, roles[0] if roles else "", user))
            case _:
                return error_result(f"cmd: the demo phone answers only part of {service}\n")

    def pm(self, args: Sequence[str]) -> ProgramResult:
        changed = pm_writes.run_pm_write(self.device, args)
        return pm.run_pm(self.phone, args) if changed is None else changed

    def am(self, args: Sequence[str]) -> ProgramResult:
        return am.run_am(self.device, args, is_blocked=restrictions.is_blocked(self.phone))

    def appops(self, args: Sequence[str]) -> ProgramResult:
        match args:
            case ["set", *rest]:
                return writes.set_app_op_mode(self.device, rest)
            case ["get", *rest]:
                named, rest = split_user_option(self.phone.layout, rest, "get")
                user = resolve_users(self.phone, named, "get")[0]
                if not rest:
                    return error_result("Error: Package name or UID not specified\n")
                app = self.phone.find_app(rest[0])
                if app is None or user not in app.installs or not app.installs[user].installed:
                    return error_result(f"Error: No UID for {rest[0]} in user {user}\n")
                return output_result(
                    render_appops.format_appops_get(self.phone.layout, app, user, rest[1] if len(rest) > 1 else None)
                )
            case [command, *_]:
                return output_result(f"Unknown command: {command}\n", EXIT_SERVICE_FAILED)
            case _:
                return output_result("AppOps service (appops) commands:\n", EXIT_SERVICE_FAILED)

    def settings(self, args: Sequence[str]) -> ProgramResult:
        named, rest = split_user_option(self.phone.layout, args, "settings")
        user = resolve_users(self.phone, named, "settings")[0]
        match rest:
            case ["get", namespace, key] if namespace in _NAMESPACES:
                return output_result(render.format_setting(self.phone, user, _NAMESPACES[namespace], key))
            case ["get", namespace, _]:
                return error_result(f"Invalid namespace '{namespace}'\n")
            case ["put", "secure", key, value]:
                return writes.put_secure_setting(self.device, user, key, value)
            case ["get", *_]:
                return error_result("Bad arguments\n")
            case _:
                return error_result("Invalid command: the demo phone answers only settings get and put secure\n")

    def getprop(self, args: Sequence[str]) -> ProgramResult:
        match args:
            case []:
                return output_result(render.format_properties(self.phone))
            case [name, *default]:
                # Of a name only: no phone tells its serial number in a whole list that is printed here.
                known = {"ro.serialno": f"DEMO{zlib.crc32(self.phone.name.encode()):08X}", **self.phone.properties}
                return output_result(known.get(name, default[0] if default else "") + "\n")
        raise AssertionError("unreachable")

    def date(self, args: Sequence[str]) -> ProgramResult:
        now = self.device_time()
        if "-u" in args:
            now = now.astimezone(UTC)
        wanted = [word for word in args if word != "-u"]
        if any(not word.startswith("+") for word in wanted):
            return error_result("date: the demo phone's clock is not set\n", 1)
        return output_result(_format_date(now, wanted[-1][1:] if wanted else "%a %b %e %H:%M:%S %Z %Y") + "\n")


def _format_date(time: datetime, pattern: str) -> str:
    """``date``'s formats, in English whatever the computer's language is; an unknown one stands as it is."""
    parts = {
        "%": "%",
        "a": _DAYS[time.weekday()],
        "b": _MONTHS[time.month - 1],
        "d": f"{time.day:02}",
        "e": f"{time.day:2}",
        "F": f"{time.year}-{time.month:02}-{time.day:02}",
        "H": f"{time.hour:02}",
        "M": f"{time.minute:02}",
        "m": f"{time.month:02}",
        "N": f"{time.microsecond * 1000:09}",
        "S": f"{time.second:02}",
        "s": str(int(time.timestamp())),
        "T": f"{time.hour:02}:{time.minute:02}:{time.second:02}",
        "Y": str(time.year),
        "Z": time.tzname() or "",
        "z": f"{time:%z}",
    }
    return re.sub(r"%(.)", lambda found: parts.get(found[1], found[0]), pattern)
