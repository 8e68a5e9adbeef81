"""``privaudit devices``: what is connected, and what stands in the way, with the next step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from privaudit.capture import scripts
from privaudit.capture.collector import split_answers
from privaudit.cli.console import CliConsole
from privaudit.dumpsys import device
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, PhoneError
from privaudit.i18n import Translator
from privaudit.i18n.sanitize import sanitize_text
from privaudit.model import Phone, PhoneState
from privaudit.transport import diagnosis, vendors
from privaudit.transport.device_selector import serial_suffixes
from privaudit.transport.diagnosis import ConnectionSurvey, DeviceStatus

_PROPERTIES_TIMEOUT_S = 15.0
"""Longest wait for the model and the version; a list must not hang on one phone."""


def scan_devices() -> tuple[ConnectionSurvey, tuple[Phone | None, ...]]:
    """What is to be seen, and of each phone that answers this computer, what it says of itself."""
    found = diagnosis.survey_devices()
    phones, said = [], []
    for one in found.devices:
        answered = None
        seen = one
        if one.obstacle is None:
            try:
                with diagnosis.connect_if_authorized(one) as connection:
                    marker = scripts.new_marker()
                    (command,) = scripts.follow_up_rounds(marker, ["properties"], max_bytes=connection.command_limit)
                    output = connection.run(command, timeout_s=_PROPERTIES_TIMEOUT_S).stdout
            except PhoneError as error:
                seen = diagnosis.with_error(one, error)
            else:
                text = "".join(answer.text for answer in split_answers(output, marker))
                answered = device.phone_from_properties(device.parse_properties(text), None)
                seen = diagnosis.with_answer(one, vendors.detect_brand(answered.manufacturer))
        phones.append(seen)
        said.append(answered)
    return ConnectionSurvey(devices=tuple(phones), usb_error=found.usb_error), tuple(said)


def print_devices(console: CliConsole, *, as_json: bool) -> int:
    """Print the list; gives the exit code: 0 where a phone can be checked."""
    found, said = scan_devices()
    console.write_stdout((devices_to_json if as_json else devices_to_text)(found, said, console.language))
    return EXIT_OK if any(one.state is PhoneState.READY for one in found.devices) else EXIT_UNREADABLE


def devices_to_text(survey: ConnectionSurvey, phones: tuple[Phone | None, ...], language: Translator) -> str:
    """The list, in words."""
    return "".join(f"{line}\n" for line in _format_device_lines(survey, phones, language))


def _format_device_lines(
    survey: ConnectionSurvey, phones: tuple[Phone | None, ...], language: Translator
) -> Iterator[str]:
    ends = serial_suffixes(survey.devices)
    for number, (one, answered, end) in enumerate(zip(survey.devices, phones, ends, strict=True), 1):
        name = " ".join(_display_names(one, answered)) or language.t("diagnose.model_unknown")
        title = f"{number}. {name}" + (f" (…{sanitize_text(end)})" if end else "")
        if answered and answered.android:
            title += f", Android {sanitize_text(answered.android)}"
        yield f"{title}: {language.t(f'diagnose.{one.state}')}"
        yield f"   {language.t(f'diagnose.by_{one.transport_kind}')}"
        if one.obstacle is not None:
            yield from (f"   {line}" for line in explain_error(one.obstacle, language, one.brand))
    if not survey.devices:
        yield language.t("diagnose.none")
        yield from explain_error(survey.usb_error or PhoneError("errors.no_phone"), language)
    able = [end for one, end in zip(survey.devices, ends, strict=True) if one.state is PhoneState.READY]
    if able and len(survey.devices) > 1:
        alike = None in ends or len(set(ends)) < len(ends)
        yield language.t("diagnose.several_alike") if alike else language.t("diagnose.several", end=str(able[0]))


def explain_error(error: PhoneError, language: Translator, brand: str | None = None) -> Iterator[str]:
    """What stands in the way, why, and what to do: the same words as when an audit fails."""
    for name in ("what", "why", "next"):
        yield language.t(f"cli.{name}") + language.translate(getattr(error, name))
    for step in diagnosis.troubleshooting_steps(error, brand):
        yield f"- {language.translate(step)}"


def _display_names(status: DeviceStatus, phone: Phone | None) -> Iterator[str]:
    if phone and phone.model:
        if phone.manufacturer and phone.manufacturer.casefold() not in phone.model.casefold():
            yield sanitize_text(phone.manufacturer)
        yield sanitize_text(phone.model)
    elif status.name:
        yield sanitize_text(status.name)


def devices_to_json(survey: ConnectionSurvey, phones: tuple[Phone | None, ...], language: Translator) -> str:
    """The list as JSON. No serial number, only the end of it by which ``--serial`` finds the phone."""
    rows: list[dict[str, Any]] = []
    for one, answered, end in zip(survey.devices, phones, serial_suffixes(survey.devices), strict=True):
        rows.append(
            {
                "name": one.name,
                "manufacturer": answered.manufacturer if answered else None,
                "model": answered.model if answered else None,
                "android": answered.android if answered else None,
                "state": one.state,
                "way": one.transport_kind,
                "serial_end": end,
                "obstacle": one.obstacle.name if one.obstacle else None,
                "next": list(explain_error(one.obstacle, language, one.brand)) if one.obstacle else [],
            }
        )
    trouble = None if survey.devices else survey.usb_error or PhoneError("errors.no_phone")
    told_trouble = list(explain_error(trouble, language)) if trouble else []
    whole = {"devices": rows, "obstacle": trouble.name if trouble else None, "next": told_trouble}
    from privaudit.report.json import escape_invisible

    return escape_invisible(json.dumps(whole, ensure_ascii=False, indent=2)) + "\n"
