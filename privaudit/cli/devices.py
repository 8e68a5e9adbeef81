"""``privaudit devices``: the connected phones, what prevents checking each of them, and the next step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import typer

from privaudit.cli import options
from privaudit.cli.console import CliConsole, explain_error, open_console
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, PhoneError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Phone, PhoneState

if TYPE_CHECKING:
    from privaudit.transport.base import OnKeyCreated
    from privaudit.transport.diagnosis import DeviceStatus

_PROPERTIES_TIMEOUT_S: Final = 15.0
"""Longest wait for the model and the Android version: one phone must not block the list."""

_STATE_KEYS: Final[Mapping[str, str]] = {
    "ready": "diagnose.ready",
    "waiting": "diagnose.waiting",
    "unauthorised": "diagnose.unauthorised",
    "no_permission": "diagnose.no_permission",
    "busy": "diagnose.busy",
    "connecting": "diagnose.connecting",
    "offline": "diagnose.offline",
    "no_driver": "diagnose.no_driver",
    "debugging_off": "diagnose.debugging_off",
    "recovery": "diagnose.recovery",
    "other_system": "diagnose.other_system",
    "absent": "diagnose.absent",
}
"""By `PhoneState`."""
_TRANSPORT_KEYS: Final[Mapping[str, str]] = {"usb": "diagnose.by_usb", "server": "diagnose.by_server"}
"""By `DeviceStatus.transport_kind`."""


def devices(
    *, as_json: options.JsonOption = False, lang: options.LanguageOption = None, plain: options.PlainOption = False
) -> None:
    """List the phones that are connected."""
    with open_console(lang, plain=plain) as console:
        console.print_message("cli.looking")
        raise typer.Exit(print_devices(console, as_json=as_json))


@dataclass(frozen=True, slots=True)
class ConnectedDevice:
    """One connected phone."""

    status: DeviceStatus
    phone: Phone | None
    """Its model and Android version, where it answers this computer."""
    serial_suffix: str | None
    """The end of its serial number, as long as it takes to tell it from the others. ``--serial`` accepts it."""


def print_devices(console: CliConsole, *, as_json: bool) -> int:
    """Find the phones on USB and at the ADB server, read the properties of each that trusts this computer, print them.

    Return the exit code: ``EXIT_OK`` where a phone can be checked.
    """
    from privaudit.transport import diagnosis
    from privaudit.transport.device_selector import serial_suffixes

    found, usb_error = diagnosis.survey_devices()
    connected = [
        ConnectedDevice(*_read_phone(status, console.print_key_created), suffix)
        for status, suffix in zip(found, serial_suffixes(found), strict=True)
    ]
    error = None if connected else usb_error or PhoneError("errors.no_phone")
    if as_json:
        console.write_json(devices_to_json(connected, error, console.language))
    else:
        console.write_lines(format_devices(connected, error, console.language))
    is_ready = any(device.status.state is PhoneState.READY for device in connected)
    return EXIT_OK if is_ready else EXIT_UNREADABLE


def _read_phone(status: DeviceStatus, on_key_created: OnKeyCreated) -> tuple[DeviceStatus, Phone | None]:
    """Read the properties of one phone; return its status after that."""
    from privaudit.capture import scripts
    from privaudit.capture.collector import split_answers
    from privaudit.dumpsys import device
    from privaudit.transport import diagnosis, vendors

    if status.obstacle is not None:
        return status, None
    try:
        with diagnosis.connect_if_authorized(status, on_key_created) as connection:
            marker = scripts.new_marker()
            (command,) = scripts.follow_up_rounds(marker, ["properties"], max_bytes=connection.command_limit)
            output = connection.run(command, timeout_s=_PROPERTIES_TIMEOUT_S).stdout
    except PhoneError as error:
        return replace(status, state=error.state, obstacle=error), None
    text = "".join(answer.text for answer in split_answers(output, marker))
    phone = device.phone_from_properties(device.parse_properties(text), None)
    return replace(status, state=PhoneState.READY, brand=vendors.detect_brand(phone.manufacturer)), phone


def format_devices(
    connected: Sequence[ConnectedDevice], error: PhoneError | None, language: Translator
) -> Iterator[str]:
    """Return the list in sentences."""
    for number, device in enumerate(connected, 1):
        status = device.status
        title = f"{number}. {_device_name(device) or language.t('diagnose.model_unknown')}"
        if device.serial_suffix:
            title += f" (…{sanitize_text(device.serial_suffix)})"
        if device.phone and device.phone.android:
            title += f", Android {sanitize_text(device.phone.android)}"
        yield f"{title}: {language.t(_STATE_KEYS[status.state])}"
        yield f"   {language.t(_TRANSPORT_KEYS[status.transport_kind])}"
        if status.obstacle is not None:
            yield from (f"   {line}" for line in explain_error(status.obstacle, language, status.brand))
    if error is not None:
        yield language.t("diagnose.none")
        yield from explain_error(error, language)
    ready = [device.serial_suffix for device in connected if device.status.state is PhoneState.READY]
    if ready and len(connected) > 1:
        suffixes = [device.serial_suffix for device in connected]
        if None in suffixes or len(set(suffixes)) < len(suffixes):
            yield language.t("diagnose.several_alike")
        else:
            yield language.t("diagnose.several", end=str(ready[0]))


def _device_name(device: ConnectedDevice) -> str:
    """Return the maker and the model, the maker only where the model does not hold it; empty where neither is known."""
    phone = device.phone
    if phone is None or not phone.model:
        return sanitize_text(device.status.name) if device.status.name else ""
    if phone.manufacturer and phone.manufacturer.casefold() not in phone.model.casefold():
        return f"{sanitize_text(phone.manufacturer)} {sanitize_text(phone.model)}"
    return sanitize_text(phone.model)


def devices_to_json(connected: Sequence[ConnectedDevice], error: PhoneError | None, language: Translator) -> str:
    """Return the list as JSON. Of a serial number it holds only the end that ``--serial`` accepts."""
    from privaudit.report.json import escape_invisible

    document = {
        "devices": [_device_to_json(device, language) for device in connected],
        "obstacle": error.name if error else None,
        "next": list(explain_error(error, language)) if error else [],
    }
    return escape_invisible(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _device_to_json(device: ConnectedDevice, language: Translator) -> dict[str, Any]:
    status, phone = device.status, device.phone
    return {
        "name": status.name,
        "manufacturer": phone.manufacturer if phone else None,
        "model": phone.model if phone else None,
        "android": phone.android if phone else None,
        "state": status.state,
        "way": status.transport_kind,
        "serial_end": device.serial_suffix,
        "obstacle": status.obstacle.name if status.obstacle else None,
        "next": list(explain_error(status.obstacle, language, status.brand)) if status.obstacle else [],
    }
