"""Lines of text in columns, for scripts of every width. A Chinese character takes two columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

_NOT_FIRST: Final = frozenset("，。；：！？、）》〉」』】”’…·,.;:!?)]}%")
"""Punctuation that may not begin a line."""
_NOT_LAST: Final = frozenset("（《〈「『【“‘([{")
"""Punctuation that may not end a line."""
_ASCII_BREAK: Final = re.compile(r"(?<= )(?=[^ ,.;:!?)\]}%])")
"""Where a text without wide characters may break: what `_breaks_between` says of it, many times as quick."""
_FOLDER_END: Final = re.compile(r".*[/\\]", re.DOTALL)
"""A path up to the name of its file, or an address up to its last part."""
_WIDE: Final = 2
_FURTHER_IN: Final = "    "


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
    pieces = _pieces(text)
    lines = _filled(pieces, columns)
    if any(cell_len(line) > columns for line in lines):
        return _filled([part for piece in pieces for part in _cut(piece, columns)], columns)
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


def hanging(head: str, text: str, columns: int) -> Iterator[str]:
    """`text` behind `head`, and below where it begins."""
    indent = cell_len(head)
    for place, line in enumerate(wrap(text, columns - indent)):
        yield ((head if place == 0 else " " * indent) + line).rstrip()


def titled(text: str, columns: int) -> Iterator[str]:
    """`text` from the margin on; what goes on below stands further in, so that no name makes a line of its own."""
    for place, line in enumerate(wrap(text, columns - len(_FURTHER_IN))):
        yield line if place == 0 else f"{_FURTHER_IN}{line}"


def _pieces(text: str) -> list[str]:
    """Parts that stay together: a word with the blank after it, or one wide character with its punctuation."""
    if text.isascii():
        return _ASCII_BREAK.split(text)
    pieces: list[str] = []
    for char in text:
        if pieces and not _breaks_between(pieces[-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _breaks_between(before: str, char: str) -> bool:
    last = before[-1]
    if char == " " or char in _NOT_FIRST or last in _NOT_LAST:
        return False
    if last.isdecimal() and cell_len(char) == _WIDE:
        return False  # 2025年1月 stays whole at its end
    return last == " " or cell_len(char) == _WIDE or cell_len(last) == _WIDE


def _cut(piece: str, columns: int) -> list[str]:
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
