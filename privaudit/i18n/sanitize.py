"""Make untrusted text harmless to display: text that a phone or an app printed, or a list of strangers holds.

Labels are written by the developers of the apps that privaudit warns about. Text is sanitised once, on its way into a
sentence or an output.
"""

import unicodedata
from typing import Final

MAX_LABEL_CHARS: Final = 120
"""Characters of untrusted text that fit into one sentence; the rest is cut with an ellipsis."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""ZWNJ and ZWJ, the format characters that are kept: they carry meaning in Hindi and Urdu, and in emoji."""
BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Fillers of Hangul and the empty Braille pattern, letters and signs by category, which display as blank: a name of
these alone would look like no name."""
_MAX_COMBINING_MARKS: Final = 3
"""Marks over or under one letter. Hindi needs three; more would be drawn over the neighbouring lines."""


def sanitize_text(text: str, max_chars: int = MAX_LABEL_CHARS) -> str:
    r"""Return `text` on one line, without control and direction characters, cut to `max_chars` characters.

    An escape sequence could repaint the terminal, U+202E could make ``exe.app`` read ``ppa.exe``, and a newline could
    forge a line of the report.
    """
    kept: list[str] = []
    marks = 0
    for char in text[: max_chars * 4]:
        category = unicodedata.category(char)
        if category == "Cs" or (category == "Cf" and char not in _JOINERS):
            continue
        marks = marks + 1 if category in {"Mn", "Me"} or char in _JOINERS else 0
        if category in {"Cc", "Zl", "Zp"} or char in BLANK_LETTERS:
            kept.append(" ")
        elif marks <= _MAX_COMBINING_MARKS:
            kept.append(char)
    sanitized = " ".join("".join(kept).split())
    return sanitized if len(sanitized) <= max_chars else sanitized[: max_chars - 1] + "…"


def display_name(label: str | None, package: str) -> str:
    """Return the label of an app, or its package name where the label was not read or displays as blank."""
    return label if label and sanitize_text(label).strip("".join(_JOINERS)) else package
