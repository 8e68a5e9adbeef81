"""What keeps the shell of the demo phone from changing things, by its maker; and how each Android words a refusal."""

from __future__ import annotations

from typing import Final

from privaudit.virtual_phone.programs.answers import complained, thrown
from privaudit.virtual_phone.scenario.virtual import VirtualPhone
from privaudit.virtual_phone.shell import ProgramResult

_XIAOMI: Final = ("ro.miui.ui.version.name", "ro.mi.os.version.name")
_XIAOMI_OPEN: Final = "persist.security.adbinput"
_SWITCHED: Final = {
    # A ROM's property: the demo's own property for the switch that no real property tells of.
    "ro.build.version.oplusrom": "demo.permission_monitoring_disabled",
    "ro.flyme.published": "demo.payment_protection_off",
}
_WRAPPED_SDK: Final = 30
_PLAIN_SDK: Final = 28


def shut(phone: VirtualPhone) -> bool:
    """Whether the maker keeps the shell from changing permissions, app-ops and secure settings."""
    told = phone.properties
    if any(key in told for key in _XIAOMI):
        return told.get(_XIAOMI_OPEN) != "1"
    return any(rom in told and told.get(switch) != "1" for rom, switch in _SWITCHED.items())


def refused(phone: VirtualPhone, command: str, message: str, kind: str = "SecurityException") -> ProgramResult:
    """An exception that ended `command`, as this Android words it."""
    if phone.sdk >= _WRAPPED_SDK:
        return thrown(phone.layout, command, f"java.lang.{kind}: {message}")
    if phone.sdk >= _PLAIN_SDK:
        return complained(f"Security exception: {message}\n\njava.lang.{kind}: {message}\n")
    return complained(f"Operation not allowed: java.lang.{kind}: {message}\n", 1)
