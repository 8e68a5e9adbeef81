"""Reads just as much of a phone as a change needs: the apps that were named, and what decides about them."""

from __future__ import annotations

from privaudit.capture.answers import Answer, missing
from privaudit.capture.take import ask_more
from privaudit.errors import PhoneError, UsageError
from privaudit.facts import device, packages
from privaudit.language import tame
from privaudit.model import AnswerState, Phone
from privaudit.transport import Transport


def phone_with(transport: Transport, package: str, user: int) -> Phone:
    """The phone's version and ROM, when `package` is there for `user`.

    Raises:
        UsageError: it is not.
        PhoneError: the list of the user's apps could not be read.
        ConnectionLost: the connection ended.
    """
    keys = ("properties", f"installed.{user}")
    answers = {answer.key: answer for answer in ask_more(transport, keys)}
    properties, installed = (answers.get(key) or missing(key) for key in keys)
    if installed.state is not AnswerState.ANSWERED:
        raise PhoneError("user_missing", user=user, said=_said(installed))
    if package not in packages.parse_list(installed.text)[0]:
        raise UsageError("app_missing", app=package)
    return device.phone(device.properties(properties.text), None)


def _said(answer: Answer) -> str:
    return tame(answer.text.strip()) or answer.state.value
