"""Takes out of an answer what must never be kept, before anything else sees it. Each removal is marked."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from privaudit.capture.answers import Answer

REMOVED: Final = "[removed]"

_USER_NAME = re.compile(r"(UserInfo\{\d+:).*(:[0-9a-fA-F]+\})")


def redact(answer: Answer) -> Answer:
    """`answer` without the names of Android users (people put their own names there)."""
    if answer.question != "users":
        return answer
    return replace(answer, text=_USER_NAME.sub(rf"\g<1>{REMOVED}\g<2>", answer.text))
