"""Remove personal data from an answer before anything else sees it. Each removal is marked ``[removed]``.

Removed are the names of Android users (people enter their own), and the value of every property and setting that is not
in the table of reads: a complete ``getprop`` or ``settings list`` contains the serial number, IMEI, phone number,
accounts, network names, the device's names and addresses, and identifiers. A device owner's organisation and messages
may name persons and numbers. The other answers are about apps and their package names; their formats have no place for
such data.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.capture.altered_names import fold_name
from privaudit.capture.answers import Answer
from privaudit.capture.questions import PROPERTIES, SETTINGS

REDACTED: Final = "[removed]"

_AFTER_USER: Final = r"(?: running| serialNo=\d{1,9}(?: (?:\w{1,40}=[\w-]{1,40}|<\w{1,20}>)){0,8})?"
"""What ``pm list users`` and ``dumpsys user`` print after a user: a number, ``isPrimary=true``, ``<partial>``…"""
_USER_ENTRY = re.compile(
    rf"^([ \t]*UserInfo\{{\d{{1,5}}:)(?:(?!^[ \t]*UserInfo\{{).)*?(:[0-9a-fA-F]{{1,8}}\}}{_AFTER_USER})[ \t\r]*$",
    re.MULTILINE | re.DOTALL | re.ASCII,
)
_REDACTED_USER_LINE = re.compile(
    rf"\s*UserInfo\{{\d{{1,5}}:{re.escape(REDACTED)}:[0-9a-fA-F]{{1,8}}\}}{_AFTER_USER}\s*"
    r"|\s*Type: android\.os\.usertype\.\w{1,20}\.\w{1,40}\s*|Users:\s*|\s*",
    re.ASCII,
)
_USER_TYPE_ENTRY = re.compile(
    r"^(\d{1,5}: id=\d{1,5}, name=).*"
    r"(, type=[\w.]{1,80}, flags=[A-Z0-9_|x]{0,400}(?: \([\w=-]{1,40}\)){0,12})[ \t\r]*$",
    re.MULTILINE | re.ASCII,
)
_REDACTED_TYPE_LINE = re.compile(
    rf"{_USER_TYPE_ENTRY.pattern.replace('.*', re.escape(REDACTED))}|\d+ users:\s*|\s*", re.ASCII
)
"""What ``cmd user list -v`` prints; the name of a user is read up to the last ``type=`` of its line."""
_INLINE_USER = re.compile(r"(UserInfo\{\d{1,5}:)[^\n]*(:[0-9a-fA-F]{1,8}\})", re.ASCII)
"""In answers that do not list users. Within one line, because the next lines may be about an app."""
_PROPERTY_ENTRY = re.compile(r"^\[([^\]\n]+)\]: \[(?:(?!^\[).)*?\]$", re.MULTILINE | re.DOTALL)
_SETTING_KEY = re.compile(r"(\w+)=")
_SETTING_LETTERS: Final = tuple(map(fold_name, SETTINGS))
_LONG_NUMBER = re.compile(r"\d{5,}")
_DEVICE_OWNER_TEXT = re.compile(
    r"^([ \t]*(?:m?[oO]rganizationName|m?[oO]rganizationId|m?[eE]nrollmentSpecificId|\w*[sS]upportMessage"
    r"|\w*[lL]ockScreenInfo|\w*SessionMessage))([=:]).*$",
    re.MULTILINE,
)
"""``ActiveAdmin.dump``, ``OwnerInfo.dump``: names and messages of a device owner."""


def redact(answer: Answer) -> Answer:
    """Return `answer` without personal data."""
    text = answer.text
    match answer.question:
        case "users":
            text = _redact_user_list(text, _USER_ENTRY, _REDACTED_USER_LINE)
        case "user_types":
            text = _redact_user_list(text, _USER_TYPE_ENTRY, _REDACTED_TYPE_LINE)
        case "properties":
            text = "".join(_redact_properties(text))
        case "settings":
            text = "\n".join(_redact_settings(text))
        case "device_policy":
            text = _DEVICE_OWNER_TEXT.sub(rf"\g<1>\g<2>{REDACTED}", text)
    if answer.question != "users" and "UserInfo{" in text:
        text = _INLINE_USER.sub(rf"\g<1>{REDACTED}\g<2>", text)
    return answer if text is answer.text else replace(answer, text=text)


def _redact_user_list(text: str, entry: re.Pattern[str], redacted_line: re.Pattern[str]) -> str:
    lines = entry.sub(rf"\g<1>{REDACTED}\g<2>", text).split("\n")
    # What is still unlike a redacted user may be a part of a name that was truncated or has a line feed.
    return "\n".join(line if redacted_line.fullmatch(line) else REDACTED for line in lines)


def _redact_properties(text: str) -> Iterator[str]:
    """Yield the lines of `text`, with a mark in place of each property that is not in the table of reads."""
    end = 0
    for match in _PROPERTY_ENTRY.finditer(text):
        if text[end : match.start()].strip():
            yield f"{REDACTED}\n"  # not a property: its content is unknown
        yield f"{match[0] if match[1] in PROPERTIES else REDACTED}\n"
        end = match.end()
    if text[end:].strip():
        yield f"{REDACTED}\n"


def _redact_settings(text: str) -> Iterator[str]:
    is_kept = True
    for line in text.split("\n"):
        if match := _SETTING_KEY.match(line):
            is_kept = match[1] in SETTINGS
            if not is_kept:
                # The key remains, to distinguish a setting from an error message.
                yield f"{_LONG_NUMBER.sub('', match[1])}={REDACTED}"
                continue
        # A line without a key continues the value above, or is an error message about it.
        if is_kept or not line:
            yield line
        elif any(letters in fold_name(line) for letters in _SETTING_LETTERS):
            yield REDACTED  # one of ours, altered by a copy: it must not vanish
