"""What is connected to this computer, by both ways, what stands in the way, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from privaudit.errors import PhoneError
from privaudit.model import Message, PhoneState, SourceKind
from privaudit.transport import Transport, WaitingForAllow, adb_device, adb_server, bus, vendors
from privaudit.transport.device_selector import Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Named):
    """One phone, and how it is."""

    way: SourceKind
    """``usb`` or ``server``."""
    state: PhoneState
    maker: str | None
    """See `privaudit.transport.vendors`."""
    found: adb_server.Listed | bus.Attached
    """By which it is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All that is to be seen."""

    phones: tuple[Seen, ...]
    trouble: PhoneError | None
    """Why the bus could not be looked at."""


def look(*, before: Iterable[bus.Attached] = ()) -> Survey:
    """What the ADB server knows and what is on the cables, each phone once. Speaks to no phone.

    Args:
        before: phones of an earlier look that need not be opened again, see `privaudit.transport.bus.look`.
    """
    known = adb_server.listed() if adb_server.answers() else ()
    phones = [
        Seen(
            serial=one.serial,
            name=one.name,
            obstacle=adb_server.obstacle(one.state),
            way="server",
            state=one.state,
            maker=vendors.of_name(one.name),
            found=one,
        )
        for one in known
    ]
    try:
        there = bus.look(known=before)
    except PhoneError as error:
        return Survey(phones=tuple(phones), trouble=error)
    places = {one.place for one in known if one.place}
    serials = {one.serial for one in known if one.serial}
    phones += [
        Seen(
            serial=one.serial,
            name=one.name,
            obstacle=one.obstacle,
            way="usb",
            state=one.obstacle.state if one.obstacle else PhoneState.CONNECTING,
            maker=one.maker,
            found=one,
        )
        for one in (*there.phones, *there.mute)
        if one.place not in places and one.serial not in serials
    ]
    return Survey(phones=tuple(phones), trouble=None)


def knock(phone: Seen) -> Transport:
    """A connection to a phone that knows this computer. One that does not is not made to ask its owner.

    Raises:
        PhoneError: why not; ``unauthorised`` where it does not know this computer.
    """
    if isinstance(phone.found, adb_server.Listed):
        return adb_server.reach(phone.found)
    return adb_device.over_usb(place=phone.found.place, on_waiting=_leave)


def _leave(_: WaitingForAllow) -> None:
    raise PhoneError("errors.unauthorised")


def having(phone: Seen, error: PhoneError) -> Seen:
    """`phone` with what was found out about it when it was knocked at."""
    return replace(phone, state=error.state, obstacle=error)


_SERVER_HELPS: Final = frozenset(
    {"windows_driver", "no_permission_macos", "no_permission_windows", "no_phone", "no_usb", "libusb_missing"}
)
_ASKED_IN_VAIN: Final = frozenset({"offline", "silent", "waiting", "not_allowed", "not_allowed_unseen"})


def answering(phone: Seen, maker: str | None) -> Seen:
    """`phone`, which has answered."""
    return replace(phone, state=PhoneState.READY, maker=maker)


def advice(error: PhoneError, maker: str | None = None) -> Iterator[Message]:
    """What to do beyond the words of `error` itself: for this phone's maker, and for this computer.

    Args:
        error: what stands in the way.
        maker: whose phone it is, where that is known.
    """
    maker = maker or _text(error.values.get("maker"))
    vendor = _text(error.values.get("vendor"))
    if error.name == "debugging_off":
        yield _said("diagnose.before")
    if error.name in {"debugging_off", "no_phone"} or (error.name in _ASKED_IN_VAIN and maker == "samsung"):
        yield from vendors.switching_on(maker)
    if error.name == "debugging_off":  # what the words of no_phone say themselves
        yield _said("diagnose.cable")
    if error.name == "no_permission" and vendor:
        yield _said("diagnose.own_rule", vendor=vendor)
    if error.name in _SERVER_HELPS and shutil.which("adb") and not adb_server.answers():
        yield _said("diagnose.start_server")


def _said(key: str, **values: str) -> Message:
    return Message(key=key, values=values)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
