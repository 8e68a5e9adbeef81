"""``privaudit devices``: what is connected, and what stands in the way, with the next step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from privaudit.capture import questions
from privaudit.capture.collector import sections
from privaudit.cli.console import Talk
from privaudit.dumpsys import device
from privaudit.errors import EXIT_OK, EXIT_UNREADABLE, PhoneError
from privaudit.i18n import Language, tame
from privaudit.model import Phone, PhoneState
from privaudit.transport import diagnosis, vendors
from privaudit.transport.device_selector import endings
from privaudit.transport.diagnosis import Seen, Survey

_ASK_TIMEOUT_S = 15.0
"""Longest wait for the model and the version; a list must not hang on one phone."""


def survey() -> tuple[Survey, tuple[Phone | None, ...]]:
    """What is to be seen, and of each phone that answers this computer, what it says of itself."""
    found = diagnosis.look()
    phones, said = [], []
    for one in found.phones:
        answered = None
        seen = one
        if one.obstacle is None:
            try:
                with diagnosis.knock(one) as connection:
                    marker = questions.new_marker()
                    (command,) = questions.later_rounds(marker, ["properties"], limit=connection.command_limit)
                    output = connection.run(command, timeout_s=_ASK_TIMEOUT_S).stdout
            except PhoneError as error:
                seen = diagnosis.having(one, error)
            else:
                text = "".join(answer.text for answer in sections(output, marker))
                answered = device.phone(device.properties(text), None)
                seen = diagnosis.answering(one, vendors.of_name(answered.manufacturer))
        phones.append(seen)
        said.append(answered)
    return Survey(phones=tuple(phones), trouble=found.trouble), tuple(said)


def show(talk: Talk, *, as_json: bool) -> int:
    """Print the list; gives the exit code: 0 where a phone can be checked."""
    found, said = survey()
    talk.out((document if as_json else text)(found, said, talk.language))
    return EXIT_OK if any(one.state is PhoneState.READY for one in found.phones) else EXIT_UNREADABLE


def text(found: Survey, said: tuple[Phone | None, ...], language: Language) -> str:
    """The list, in words."""
    return "".join(f"{line}\n" for line in _lines(found, said, language))


def _lines(found: Survey, said: tuple[Phone | None, ...], language: Language) -> Iterator[str]:
    ends = endings(found.phones)
    for number, (one, answered, end) in enumerate(zip(found.phones, said, ends, strict=True), 1):
        name = " ".join(_names(one, answered)) or language.text("diagnose.model_unknown")
        title = f"{number}. {name}" + (f" (…{tame(end)})" if end else "")
        if answered and answered.android:
            title += f", Android {tame(answered.android)}"
        yield f"{title}: {language.text(f'diagnose.{one.state}')}"
        yield f"   {language.text(f'diagnose.by_{one.way}')}"
        if one.obstacle is not None:
            yield from (f"   {line}" for line in told(one.obstacle, language, one.maker))
    if not found.phones:
        yield language.text("diagnose.none")
        yield from told(found.trouble or PhoneError("errors.no_phone"), language)
    able = [end for one, end in zip(found.phones, ends, strict=True) if one.state is PhoneState.READY]
    if able and len(found.phones) > 1:
        alike = None in ends or len(set(ends)) < len(ends)
        yield language.text("diagnose.several_alike") if alike else language.text("diagnose.several", end=str(able[0]))


def told(error: PhoneError, language: Language, maker: str | None = None) -> Iterator[str]:
    """What stands in the way, why, and what to do: the same words as when an audit fails."""
    for name in ("what", "why", "next"):
        yield language.text(f"cli.{name}") + language.say(getattr(error, name))
    for step in diagnosis.advice(error, maker):
        yield f"- {language.say(step)}"


def _names(one: Seen, answered: Phone | None) -> Iterator[str]:
    if answered and answered.model:
        if answered.manufacturer and answered.manufacturer.casefold() not in answered.model.casefold():
            yield tame(answered.manufacturer)
        yield tame(answered.model)
    elif one.name:
        yield tame(one.name)


def document(found: Survey, said: tuple[Phone | None, ...], language: Language) -> str:
    """The list as JSON. No serial number, only the end of it by which ``--serial`` finds the phone."""
    rows: list[dict[str, Any]] = []
    for one, answered, end in zip(found.phones, said, endings(found.phones), strict=True):
        rows.append(
            {
                "name": one.name,
                "manufacturer": answered.manufacturer if answered else None,
                "model": answered.model if answered else None,
                "android": answered.android if answered else None,
                "state": one.state,
                "way": one.way,
                "serial_end": end,
                "obstacle": one.obstacle.name if one.obstacle else None,
                "next": list(told(one.obstacle, language, one.maker)) if one.obstacle else [],
            }
        )
    trouble = None if found.phones else found.trouble or PhoneError("errors.no_phone")
    told_trouble = list(told(trouble, language)) if trouble else []
    whole = {"devices": rows, "obstacle": trouble.name if trouble else None, "next": told_trouble}
    from privaudit.report.json import visible

    return visible(json.dumps(whole, ensure_ascii=False, indent=2)) + "\n"
