"""Takes out of an answer what must never be kept, before anything else sees it. Each removal is marked ``[removed]``.

Android users' names (people put their own there), and the value of every property and setting that we would not ask
for: a whole ``getprop`` or ``settings list`` holds the serial number, IMEI, phone number, accounts, network names, the
names and addresses of the device, and identifiers. Organisations and messages that a device owner shows may name
persons and numbers. What else is kept tells of apps by their package names, and holds none of these by its format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.capture.answers import Answer
from privaudit.capture.questions import PROPERTIES, SETTINGS

REDACTED: Final = "[removed]"

_AFTER_USER: Final = r"(?: running| serialNo=\d{1,9}(?: (?:\w{1,40}=[\w-]{1,40}|<\w{1,20}>)){0,8})?"
"""What ``pm list users`` prints behind a user, and ``dumpsys user``: the number in a row, whether it is the first …"""
_USER_ENTRY = re.compile(
    rf"^([ \t]*UserInfo\{{\d{{1,5}}:)(?:(?!^[ \t]*UserInfo\{{).)*?(:[0-9a-fA-F]{{1,8}}\}}{_AFTER_USER})[ \t\r]*$",
    re.MULTILINE | re.DOTALL | re.ASCII,
)
_REDACTED_USER_LINE = re.compile(
    rf"\s*UserInfo\{{\d{{1,5}}:{re.escape(REDACTED)}:[0-9a-fA-F]{{1,8}}\}}{_AFTER_USER}\s*|Users:\s*|\s*", re.ASCII
)
_INLINE_USER = re.compile(r"(UserInfo\{\d{1,5}:)[^\n]*(:[0-9a-fA-F]{1,8}\})", re.ASCII)
"""In an answer that does not list users. Within its line: what stands below may tell of an app, and stays."""
_PROPERTY_ENTRY = re.compile(r"^\[([^\]\n]+)\]: \[(?:(?!^\[).)*?\]$", re.MULTILINE | re.DOTALL)
_SETTING_KEY = re.compile(r"(\w+)=")
_LONG_NUMBER = re.compile(r"\d{5,}")
_DEVICE_OWNER_TEXT = re.compile(
    r"^([ \t]*(?:m?[oO]rganizationName|m?[oO]rganizationId|m?[eE]nrollmentSpecificId|\w*[sS]upportMessage"
    r"|\w*[lL]ockScreenInfo|\w*SessionMessage))([=:]).*$",
    re.MULTILINE,
)
"""``ActiveAdmin.dump``, ``OwnerInfo.dump``: what a device owner is called and shows."""


def redact(answer: Answer) -> Answer:
    """`answer` without what must not be kept."""
    text = answer.text
    match answer.question:
        case "users":
            text = _redact_users(text)
        case "properties":
            text = "".join(_redact_properties(text))
        case "settings":
            text = "\n".join(_redact_settings(text))
        case "device_policy":
            text = _DEVICE_OWNER_TEXT.sub(rf"\g<1>\g<2>{REDACTED}", text)
    if answer.question != "users" and "UserInfo{" in text:
        text = _INLINE_USER.sub(rf"\g<1>{REDACTED}\g<2>", text)
    return answer if text is answer.text else replace(answer, text=text)


def _redact_users(text: str) -> str:
    # What is left of a name in a line that is cut, or that goes on below, goes too.
    without = _USER_ENTRY.sub(rf"\g<1>{REDACTED}\g<2>", text)
    return "\n".join(line if _REDACTED_USER_LINE.fullmatch(line) else REDACTED for line in without.split("\n"))


def _redact_properties(text: str) -> Iterator[str]:
    """Lines of `text`, each with its line feed; of those that we would not ask for only the marks."""
    at = 0
    for found in _PROPERTY_ENTRY.finditer(text):
        if text[at : found.start()].strip():
            yield f"{REDACTED}\n"  # no property: nobody knows what it is
        yield f"{found[0] if found[1] in PROPERTIES else REDACTED}\n"
        at = found.end()
    if text[at:].strip():
        yield f"{REDACTED}\n"


def _redact_settings(text: str) -> Iterator[str]:
    keep = True
    for line in text.split("\n"):
        if match := _SETTING_KEY.match(line):
            keep = match[1] in SETTINGS
            if not keep:
                # The key stays, so that a setting is still told from what a phone says of one.
                yield f"{_LONG_NUMBER.sub('', match[1])}={REDACTED}"
                continue
        # A line without a key belongs to the one above: the rest of its value, or what the phone said about it.
        if keep or not line:
            yield line
