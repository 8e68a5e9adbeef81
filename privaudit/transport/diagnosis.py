"""What is connected to this computer, by both ways, what stands in the way, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from privaudit.errors import PhoneError
from privaudit.model import Message, PhoneState, SourceKind
from privaudit.transport import AuthorizationWait, Transport, adb_device, adb_server, usb, vendors
from privaudit.transport.device_selector import DeviceCandidate


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus(DeviceCandidate):
    """One phone, and how it is."""

    transport_kind: SourceKind
    """``usb`` or ``server``."""
    state: PhoneState
    brand: str | None
    """See `privaudit.transport.vendors`."""
    device: adb_server.ServerDevice | usb.UsbDevice
    """By which it is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSurvey:
    """All that is to be seen."""

    devices: tuple[DeviceStatus, ...]
    usb_error: PhoneError | None
    """Why the bus could not be looked at."""


def survey_devices(*, known_devices: Iterable[usb.UsbDevice] = ()) -> ConnectionSurvey:
    """What the ADB server knows and what is on the cables, each phone once. Speaks to no phone.

    Args:
        known_devices: phones of an earlier look that need not be opened again, see `privaudit.transport.usb.look`.
    """
    known = adb_server.list_devices() if adb_server.is_running() else ()
    phones = [
        DeviceStatus(
            serial=one.serial,
            name=one.name,
            obstacle=adb_server.state_error(one.state),
            transport_kind="server",
            state=one.state,
            brand=vendors.detect_brand(one.name),
            device=one,
        )
        for one in known
    ]
    try:
        there = usb.scan_usb(known_devices=known_devices)
    except PhoneError as error:
        return ConnectionSurvey(devices=tuple(phones), usb_error=error)
    places = {one.usb_path for one in known if one.usb_path}
    serials = {one.serial for one in known if one.serial}
    phones += [
        DeviceStatus(
            serial=one.serial,
            name=one.name,
            obstacle=one.obstacle,
            transport_kind="usb",
            state=one.obstacle.state if one.obstacle else PhoneState.CONNECTING,
            brand=one.brand,
            device=one,
        )
        for one in (*there.adb_devices, *there.unusable)
        if one.usb_path not in places and one.serial not in serials
    ]
    return ConnectionSurvey(devices=tuple(phones), usb_error=None)


def connect_if_authorized(device: DeviceStatus) -> Transport:
    """A connection to a phone that knows this computer. One that does not is not made to ask its owner.

    Raises:
        PhoneError: why not; ``unauthorised`` where it does not know this computer.
    """
    if isinstance(device.device, adb_server.ServerDevice):
        return adb_server.connect_device(device.device)
    return adb_device.connect_usb(usb_path=device.device.usb_path, on_waiting=_raise_unauthorized)


def _raise_unauthorized(_: AuthorizationWait) -> None:
    raise PhoneError("errors.unauthorised")


def with_error(device: DeviceStatus, error: PhoneError) -> DeviceStatus:
    """`device` with what was found out about it when it was knocked at."""
    return replace(device, state=error.state, obstacle=error)


_ERRORS_FIXED_BY_SERVER: Final = frozenset(
    {"windows_driver", "no_permission_macos", "no_permission_windows", "no_phone", "no_usb", "libusb_missing"}
)
_NO_RESPONSE_ERRORS: Final = frozenset({"offline", "silent", "waiting", "not_allowed", "not_allowed_unseen"})


def with_answer(device: DeviceStatus, brand: str | None) -> DeviceStatus:
    """`device`, which has answered."""
    return replace(device, state=PhoneState.READY, brand=brand)


def troubleshooting_steps(error: PhoneError, brand: str | None = None) -> Iterator[Message]:
    """What to do beyond the words of `error` itself: for this phone's maker, and for this computer.

    Args:
        error: what stands in the way.
        brand: whose phone it is, where that is known.
    """
    brand = brand or _string_or_none(error.values.get("maker"))
    vendor = _string_or_none(error.values.get("vendor"))
    if error.name == "debugging_off":
        yield _diagnosis_message("diagnose.before")
    if error.name in {"debugging_off", "no_phone"} or (error.name in _NO_RESPONSE_ERRORS and brand == "samsung"):
        yield from vendors.enable_debugging_steps(brand)
    if error.name == "debugging_off":  # what the words of no_phone say themselves
        yield _diagnosis_message("diagnose.cable")
    if error.name == "no_permission" and vendor:
        yield _diagnosis_message("diagnose.own_rule", vendor=vendor)
    if error.name in _ERRORS_FIXED_BY_SERVER and shutil.which("adb") and not adb_server.is_running():
        yield _diagnosis_message("diagnose.start_server")


def _diagnosis_message(key: str, **values: str) -> Message:
    return Message(key=key, values=values)


def _string_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
