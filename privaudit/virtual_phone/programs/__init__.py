"""The programs and files of the virtual phone: what Android prints, on which stream, with which exit status."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Final

from privaudit.virtual_phone.dump_writers import package_dump, text
from privaudit.virtual_phone.dump_writers.appops import format_appops_dump
from privaudit.virtual_phone.dump_writers.package_proto import format_package_proto
from privaudit.virtual_phone.programs import services
from privaudit.virtual_phone.programs.pm import run_pm
from privaudit.virtual_phone.programs.results import ProgramExit, error_result, output_result
from privaudit.virtual_phone.release import Since
from privaudit.virtual_phone.scenario.virtual import VirtualApp, VirtualPhone
from privaudit.virtual_phone.shell import Program, ProgramResult
from privaudit.virtual_phone.state import MutableDevice

_ID_OUTPUT: Final = (
    "uid=2000(shell) gid=2000(shell) groups=2000(shell),1004(input),1007(log),1011(adb),1015(sdcard_rw),"
    "1028(sdcard_r),1078(ext_data_rw),1079(ext_obb_rw),3001(net_bt_admin),3002(net_bt),3003(inet),"
    "3006(net_bw_stats),3009(readproc),3011(uhid),3012(readtracefs) context=u:r:shell:s0\n"
)
_PACKAGE_SECTION_TITLES: Final = {
    **dict.fromkeys(("p", "packages"), ("Packages:", "Hidden system packages:")),
    **dict.fromkeys(("perm", "permissions"), ("Permissions:", "AppOp Permissions:")),
    **dict.fromkeys(("s", "shared-users"), ("Shared users:",)),
    **dict.fromkeys(("q", "queries"), ("Queries:",)),
    "version": ("Database versions:",),
}


def build_programs(phone: VirtualPhone | MutableDevice, *, now: datetime | None = None) -> Mapping[str, Program]:
    """Map names to programs that print and change `phone`; keep a `MutableDevice` to inspect its later state.

    `now` is a fixed time of the computer's clock (aware), for reproducible output; ``None``: the clock itself.
    """
    device = phone if isinstance(phone, MutableDevice) else MutableDevice(phone)

    def device_time() -> datetime:
        return device.phone.device_time(now or datetime.now(UTC))

    commands: dict[str, Callable[[Sequence[str]], ProgramResult]] = {
        "am": lambda args: services.run_am(device, args),
        "appops": lambda args: services.run_appops(device, args),
        "date": lambda args: _run_date(device_time(), args),
        "dumpsys": lambda args: run_dumpsys(device.phone, args, device_time()),
        "getprop": lambda args: _run_getprop(device.phone, args),
        "id": lambda _: output_result(_ID_OUTPUT),
        "pm": lambda args: run_pm(device, args),
        "settings": lambda args: services.run_settings(device, args),
    }
    if device.phone.sdk >= Since.CMD:
        commands["cmd"] = lambda args: services.run_cmd(device, args)
    return {name: _as_program(command) for name, command in commands.items()}


def build_files(phone: VirtualPhone) -> Mapping[str, bytes]:
    """Map absolute paths to contents: build properties, every base APK, and placeholders for the splits."""
    properties = "".join(f"{key}={value}\n" for key, value in phone.properties.items() if key.startswith("ro."))
    files = {"/system/build.prop": f"# privaudit demo phone\n{properties}".encode()}
    for app in phone.apps:
        for copy in (app, app.factory):
            if copy is not None:
                note = f"This is no APK: {copy.package} exists only on privaudit's demo phone.\n".encode()
                files |= dict.fromkeys(copy.apk_paths, note)
                files[copy.apk_path] = load_apks().get(apk_entry_name(copy), note)
    return files


@cache
def load_apks() -> Mapping[str, bytes]:
    """Return all APKs by their entry names; Android's own tools built them (``tools/build_demo_apks.py``)."""
    raw = (resources.files("privaudit.virtual_phone") / "apks.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


def apk_entry_name(app: VirtualApp) -> str:
    """Return the name of the app's base APK in ``apks.zip``. A factory copy has another version than its update."""
    return f"{app.package}-{app.version_code}.apk"


def _as_program(command: Callable[[Sequence[str]], ProgramResult]) -> Program:
    def run(argv: Sequence[str], _stdin: bytes) -> ProgramResult:
        try:
            return command(argv[1:])
        except ProgramExit as early:
            return early.result

    return run


def _run_getprop(phone: VirtualPhone, args: Sequence[str]) -> ProgramResult:
    if not args:
        return output_result(text.format_properties(phone))
    name, *default = args
    # The serial number is answered by name only, so that it stands in no full list.
    values = {"ro.serialno": f"DEMO{zlib.crc32(phone.name.encode()):08X}", **phone.properties}
    return output_result(values.get(name, default[0] if default else "") + "\n")


def _run_date(now: datetime, args: Sequence[str]) -> ProgramResult:
    if "-u" in args:
        now = now.astimezone(UTC)
    formats = [word for word in args if word != "-u"]
    if any(not word.startswith("+") for word in formats):
        return error_result("date: the demo phone's clock is not set\n", 1)
    return output_result(_format_date(now, formats[-1][1:] if formats else "%a %b %e %H:%M:%S %Z %Y") + "\n")


def _format_date(time: datetime, pattern: str) -> str:
    """Apply ``date``'s formats, in English as ``ctime`` is in every locale; an unknown one stays as it is."""
    day_name, month_name, *_ = time.ctime().split()
    values = {name: f"{time:%{name}}" for name in "dHMmSz"} | {
        "%": "%",
        "e": f"{time.day:2}",
        "F": f"{time:%Y-%m-%d}",
        "T": f"{time:%H:%M:%S}",
        "Y": str(time.year),
        "a": day_name,
        "b": month_name,
        "Z": time.tzname() or "",
        "N": f"{time.microsecond * 1000:09}",
        "s": str(int(time.timestamp())),
    }
    return re.sub(r"%(.)", lambda match: values.get(match[1], match[0]), pattern)


def run_dumpsys(phone: VirtualPhone, args: Sequence[str], now: datetime) -> ProgramResult:
    """Run ``dumpsys args…`` at `now` of the phone's clock."""
    services: Mapping[str, Callable[[Sequence[str]], str]] = {
        "appops": lambda words: _dump_appops(phone, words, now),
        "device_policy": lambda _: text.format_device_policy(phone),
        "package": lambda words: _dump_package(phone, words),
        **({"role": lambda _: text.format_role_dump(phone)} if phone.sdk >= Since.ROLES else {}),
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
        end = "--------- 0.010s was the duration of dumpsys {}, ending at: " + text.format_time(now)
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
    word, *rest = args
    if word != "--package" or not rest:
        return f"Unknown {'option' if word.startswith('-') else 'command'}: {word}\n"
    app = phone.find_app(rest[0])
    return f"Unknown package: {rest[0]}\n" if app is None else format_appops_dump(phone, now, app)


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
        case [word, *_] if word in _PACKAGE_SECTION_TITLES:
            return package_dump.format_package_dump(phone, _PACKAGE_SECTION_TITLES[word])
        case _:
            return package_dump.format_package_dump(phone)
