"""Which phone is meant: people say the end of its serial number, or nothing where there is only one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from privaudit.errors import PhoneError

_SERIAL_SUFFIX_CHARS: Final = 4
"""Characters of a serial number that are shown, more only where two phones end alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCandidate:
    """A phone that was seen, before anybody has spoken to it."""

    serial: str | None
    """``None``: it cannot be read. Never shown whole, never kept."""
    name: str | None
    """What it calls its model."""
    obstacle: PhoneError | None = None
    """Why it cannot be opened, as far as that can be seen."""


DeviceT = TypeVar("DeviceT", bound=DeviceCandidate)


def serial_suffixes(devices: Sequence[DeviceCandidate]) -> tuple[str | None, ...]:
    """By which end of its serial number a person tells each phone from the others."""
    serials = [phone.serial for phone in devices]
    shown = _SERIAL_SUFFIX_CHARS
    while shown < max((len(serial) for serial in serials if serial), default=0):
        ends = [serial[-shown:] for serial in set(serials) if serial]
        if len(set(ends)) == len(ends):
            break
        shown += 1
    return tuple(serial[-shown:] if serial else None for serial in serials)


def display_titles(devices: Sequence[DeviceCandidate]) -> tuple[str, ...]:
    """How phones are shown: the model and, in brackets, the end of the serial number."""
    return tuple(
        f"{phone.name or 'Android'} (…{end})" if end else phone.name or "Android"
        for phone, end in zip(devices, serial_suffixes(devices), strict=True)
    )


def match_serial(devices: Iterable[DeviceT], serial: str) -> tuple[DeviceT, ...]:
    """Phones whose serial number is `serial`; where there is none, those whose number ends in it."""
    known = [phone for phone in devices if phone.serial]
    exact = tuple(phone for phone in known if phone.serial == serial)
    return exact or tuple(phone for phone in known if str(phone.serial).endswith(serial))


def select_device(devices: Sequence[DeviceT], serial: str | None) -> DeviceT:
    """The phone that is meant: the only one, or the one whose serial number is `serial` or alone ends in it.

    Raises:
        PhoneError: ``no_phone``, ``several_phones``, ``serial_not_found``; why a phone cannot be opened, where it may
            be the one.
    """
    if not devices:
        raise PhoneError("errors.no_phone")
    meant = tuple(devices) if serial is None else match_serial(devices, serial)
    if len(meant) > 1:
        raise PhoneError("errors.several_phones", phones=display_titles(meant))
    if meant:
        return meant[0]
    for phone in devices:
        if phone.obstacle is not None:
            raise phone.obstacle
    raise PhoneError("errors.serial_not_found", phones=display_titles(devices))
