"""Lines of text in columns, for scripts of every width. A Chinese character takes two columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

_FORBIDDEN_AT_LINE_START: Final = frozenset("，。；：！？、）》〉」』】”’…·,.;:!?)]}%")
"""Punctuation that may not begin a line."""
_FORBIDDEN_AT_LINE_END: Final = frozenset("（《〈「『【“‘([{")
"""Punctuation that may not end a line."""
_ASCII_BREAK_POINT: Final = re.compile(r"(?<= )(?=[^ ,.;:!?)\]}%])")
"""Where a text without wide characters may break: what `_can_break_between` says of it, many times as quick."""
_FOLDER_END: Final = re.compile(r".*[/\\]", re.DOTALL)
"""A path up to the name of its file, or an address up to its last part."""
_WIDE_CHAR_COLUMNS: Final = 2
_CONTINUATION_INDENT: Final = "    "


def pad(text: str, columns: int) -> str:
    """`text` in exactly `columns` columns: filled with blanks, or cut with an ellipsis."""
    if cell_len(text) > columns:
        kept, used = "", 0
        for char in text:
            used += cell_len(char)
            if used > columns - 1:
                break
            kept += char
        text = kept + "…"
    return text + " " * (columns - cell_len(text))


def wrap(text: str, columns: int) -> list[str]:
    """Break `text` into lines: at blanks, and between wide characters, but not before closing punctuation."""
    pieces = _split_at_breaks(text)
    lines = _filled(pieces, columns)
    if any(cell_len(line) > columns for line in lines):
        return _filled([part for piece in pieces for part in _split_long_line(piece, columns)], columns)
    return lines


def _filled(pieces: list[str], columns: int) -> list[str]:
    """Lines of as many pieces as fit; a piece that is longer than a line has one of its own."""
    lines: list[str] = []
    line = ""
    for piece in pieces:
        if cell_len(line) + cell_len(piece.rstrip()) <= columns or not line:
            line += piece
            continue
        lines.append(line.rstrip())
        line = piece.lstrip()
    return [*lines, line.rstrip()]


def hanging_indent(prefix: str, text: str, columns: int) -> Iterator[str]:
    """`text` behind `prefix`, and below where it begins."""
    indent = cell_len(prefix)
    for place, line in enumerate(wrap(text, columns - indent)):
        yield ((prefix if place == 0 else " " * indent) + line).rstrip()


def title_indent(text: str, columns: int) -> Iterator[str]:
    """`text` from the margin on; what goes on below stands further in, so that no name makes a line of its own."""
    for place, line in enumerate(wrap(text, columns - len(_CONTINUATION_INDENT))):
        yield line if place == 0 else f"{_CONTINUATION_INDENT}{line}"


def _split_at_breaks(text: str) -> list[str]:
    """Parts that stay together: a word with the blank after it, or one wide character with its punctuation."""
    if text.isascii():
        return _ASCII_BREAK_POINT.split(text)
    pieces: list[str] = []
    for char in text:
        if pieces and not _can_break_between(pieces[-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _can_break_between(previous: str, char: str) -> bool:
    last = previous[-1]
    if char == " " or char in _FORBIDDEN_AT_LINE_START or last in _FORBIDDEN_AT_LINE_END:
        return False
    if last.isdecimal() and cell_len(char) == _WIDE_CHAR_COLUMNS:
        return False  # 2025年1月 stays whole at its end
    return last == " " or cell_len(char) == _WIDE_CHAR_COLUMNS or cell_len(last) == _WIDE_CHAR_COLUMNS


def _split_long_line(piece: str, columns: int) -> list[str]:
    """A word longer than a line is cut behind its last slash that fits, so that names stay whole, else anywhere."""
    if cell_len(piece.rstrip()) <= columns:
        return [piece]
    parts: list[str] = []
    part = ""
    for char in piece:
        if cell_len(part) + cell_len(char) > columns:
            folders = _FOLDER_END.match(part)
            end = folders.end() if folders else len(part)
            parts.append(part[:end])
            part = part[end:]
        part += char
    return [*parts, part]
