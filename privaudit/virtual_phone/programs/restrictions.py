"""What keeps the shell of the demo phone from changing things, by its maker; and how each Android words a refusal."""

from __future__ import annotations

from typing import Final

from privaudit.virtual_phone.programs.answers import error_result, exception_result
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

_XIAOMI_ROM_PROPERTIES: Final = ("ro.miui.ui.version.name", "ro.mi.os.version.name")
_XIAOMI_SECURITY_SETTINGS: Final = "persist.security.adbinput"
_RESTRICTION_SWITCHES: Final = {
    # A ROM's property: the demo's own property for the switch that no real property tells of.
    "ro.build.version.oplusrom": "demo.permission_monitoring_disabled",
    "ro.flyme.published": "demo.payment_protection_off",
}
_EXECUTING_MESSAGE_SDK: Final = 30
_SECURITY_MESSAGE_SDK: Final = 28


def is_blocked(phone: VirtualPhone) -> bool:
    """Whether the maker keeps the shell from changing permissions, app-ops and secure settings."""
    told = phone.properties
    if any(key in told for key in _XIAOMI_ROM_PROPERTIES):
        return told.get(_XIAOMI_SECURITY_SETTINGS) != "1"
    return any(rom in told and told.get(switch) != "1" for rom, switch in _RESTRICTION_SWITCHES.items())


def denial_result(
    phone: VirtualPhone, command: str, message: str, exception: str = "SecurityException"
) -> ProgramResult:
    """An exception that ended `command`, as this Android words it."""
    if phone.sdk >= _EXECUTING_MESSAGE_SDK:
        return exception_result(phone.layout, command, f"java.lang.{exception}: {message}")
    if phone.sdk >= _SECURITY_MESSAGE_SDK:
        return error_result(f"Security exception: {message}\n\njava.lang.{exception}: {message}\n")
    return error_result(f"Operation not allowed: java.lang.{exception}: {message}\n", 1)
