"""Takes out of an answer what must never be kept, before anything else sees it.

Android users' names (people put their own there), and every property and setting that we would not ask for: a whole
``getprop`` or ``settings list`` that somebody saved by hand holds serial numbers and identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from privaudit.capture.answers import Answer
from privaudit.capture.questions import PROPERTIES, SETTINGS

REMOVED: Final = "[removed]"

_USER = re.compile(
    r"^(\s*UserInfo\{\d{1,5}:)(?:(?!^\s*UserInfo\{).)*?(:[0-9a-fA-F]{1,8}\}(?: running)?)\s*?$",
    re.MULTILINE | re.DOTALL | re.ASCII,
)
_USER_LINE = re.compile(
    rf"\s*UserInfo\{{\d{{1,5}}:{re.escape(REMOVED)}:[0-9a-fA-F]{{1,8}}\}}(?: running)?\s*|Users:\s*|\s*", re.ASCII
)
_PROPERTY = re.compile(r"^\[([^\]\n]+)\]: \[(?:(?!^\[).)*?\]$", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"(\w+)=")


def redact(answer: Answer) -> Answer:
    """`answer` without what must not be kept."""
    match answer.question:
        case "users":
            return replace(answer, text=_users(answer.text))
        case "properties":
            kept = [found[0] for found in _PROPERTY.finditer(answer.text) if found[1] in PROPERTIES]
            return replace(answer, text="".join(f"{line}\n" for line in kept))
        case "settings":
            return replace(answer, text="\n".join(_settings(answer.text)))
    return answer


def _users(text: str) -> str:
    # What is left of a name in a line that is cut, or that goes on below, goes too.
    without = _USER.sub(rf"\g<1>{REMOVED}\g<2>", text)
    return "\n".join(line if _USER_LINE.fullmatch(line) else REMOVED for line in without.split("\n"))


def _settings(text: str) -> Iterator[str]:
    keep = True
    for line in text.split("\n"):
        if match := _SETTING.match(line):
            keep = match[1] in SETTINGS
        # A line without a key belongs to the one above: the rest of its value, or what the phone said about it.
        if keep:
            yield line
