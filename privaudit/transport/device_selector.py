"""Select the phone that a person means by a serial number, a suffix of one, or nothing if there is only one phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from privaudit.errors import PhoneError
from privaudit.model import PhoneState

_SERIAL_SUFFIX_CHARS: Final = 4
"""Characters of a serial number that are shown; more only if two phones have the same suffix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCandidate:
    """A phone that was detected, before a connection to it."""

    serial: str | None
    """``None`` if it cannot be read. Never shown in full, never stored."""
    name: str | None
    state: PhoneState
    brand: str | None = None
    """See `privaudit.transport.vendors`."""
    obstacle: PhoneError | None = None
    """Why it cannot be opened, as far as that is visible without opening it."""


DeviceT = TypeVar("DeviceT", bound=DeviceCandidate)


def serial_suffixes(devices: Sequence[DeviceCandidate]) -> tuple[str | None, ...]:
    """Return for each phone the suffix of its serial number that distinguishes it from the others."""
    serials = [device.serial for device in devices]
    length = _SERIAL_SUFFIX_CHARS
    while length < max((len(serial) for serial in serials if serial), default=0):
        suffixes = [serial[-length:] for serial in set(serials) if serial]
        if len(set(suffixes)) == len(suffixes):
            break
        length += 1
    return tuple(serial[-length:] if serial else None for serial in serials)


def display_titles(devices: Sequence[DeviceCandidate]) -> tuple[str, ...]:
    """Return the names under which phones are shown: the model and, in parentheses, the serial number's suffix."""
    return tuple(
        f"{device.name or 'Android'} (…{suffix})" if suffix else device.name or "Android"
        for device, suffix in zip(devices, serial_suffixes(devices), strict=True)
    )


def select_device(devices: Sequence[DeviceT], serial: str | None) -> DeviceT:
    """Return the only phone, or the only one whose serial number is `serial` or ends in it.

    Raises PhoneError ``no_phone``, ``several_phones``, ``serial_not_found``; or the obstacle of a phone with an
    unreadable serial number, which may be the one.
    """
    if not devices:
        raise PhoneError("errors.no_phone")
    with_serial = [device for device in devices if device.serial]
    matches: Sequence[DeviceT] = devices
    if serial is not None:
        matches = [device for device in with_serial if device.serial == serial]
        matches = matches or [device for device in with_serial if str(device.serial).endswith(serial)]
    if len(matches) > 1:
        raise PhoneError("errors.several_phones", phones=display_titles(matches))
    if matches:
        return matches[0]
    for device in devices:
        if device.obstacle is not None:
            raise device.obstacle
    raise PhoneError("errors.serial_not_found", phones=display_titles(devices))
