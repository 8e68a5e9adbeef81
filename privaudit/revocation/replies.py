"""What a phone says to a command that failed. Many end well all the same, so the text is read.

Sources: ``ShellCommand.exec``, ``ActivityManagerShellCommand``, ``PackageManagerShellCommand``.
"""

from __future__ import annotations

import re
from typing import Final

from privaudit.i18n import sanitize_text
from privaudit.model import Reply

MAX_ERROR_CHARS: Final = 300
"""Characters of what a phone says against a command. Its makers are long-winded, and the reason stands last."""

_ERROR_LINE = re.compile(
    r"^(?!Starting: Intent|\s+at )[^\n]*(?:\bError\b|Exception\b|\bFailure\b|[Pp]ermission [Dd]enial|Unknown command"
    r"|unable to resolve|does not exist)[^\n]*",
    re.MULTILINE,
)
"""A package may bear such a word in its name: the line that repeats an intent is passed over."""


def find_shell_error(reply: Reply) -> str | None:
    """What the phone said against a command, in one tame line; ``None`` where it said nothing of the kind.

    The last such line: it is the exception itself, below the line that announces it.
    """
    said = (reply.stdout + b"\n" + reply.stderr).decode("utf-8", "replace").replace("\r", "")
    if found := _ERROR_LINE.findall(said):
        return sanitize_text(found[-1], MAX_ERROR_CHARS)
    return (
        sanitize_text(said, MAX_ERROR_CHARS) or f"exit code {reply.exit_code}"
        if reply.exit_code not in {0, None}
        else None
    )
