"""Break text into lines of terminal columns, for scripts of every width: a Chinese character takes two columns."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

NO_BREAK_SPACE: Final = "\u00a0"
_FORBIDDEN_AT_LINE_START: Final = frozenset("，。；：！？、）》〉」』】〕］”’…·,.;:!?)]}%")
"""Punctuation that must not begin a line."""
_FORBIDDEN_AT_LINE_END: Final = frozenset("（《〈「『【〔［“‘([{")
"""Punctuation that must not end a line."""
_ASCII_BREAK_POINT: Final = re.compile(r"(?<= )(?=[^ ,.;:!?)\]}%])")
"""Where ASCII text may break: equivalent to `_can_break_between`, but many times faster."""
_FOLDER_END: Final = re.compile(r".*[/\\]", re.DOTALL)
"""A path up to its file name, or a URL up to its last segment."""
_WIDE_CHAR_COLUMNS: Final = 2
_CONTINUATION_INDENT: Final = "    "


def pad(text: str, columns: int) -> str:
    """Return `text` in exactly `columns` columns: filled with spaces, or cut with an ellipsis."""
    if cell_len(text) > columns:
        prefix, width = "", 0
        for char in text:
            width += cell_len(char)
            if width > columns - 1:
                break
            prefix += char
        text = prefix + "…"
    return text + " " * (columns - cell_len(text))


@lru_cache(maxsize=1024)
def wrap(text: str, columns: int) -> tuple[str, ...]:
    """Break `text` into lines: at spaces and between wide characters, but not before closing punctuation."""
    pieces = _split_at_breaks(text)
    lines = _fill_lines(pieces, columns)
    if any(cell_len(line) > columns for line in lines):
        lines = _fill_lines([part for piece in pieces for part in _split_long_line(piece, columns)], columns)
    return tuple(lines)


def _fill_lines(pieces: list[str], columns: int) -> list[str]:
    """Put as many pieces into a line as fit; a piece that is longer than a line gets its own line."""
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
    """Yield `text` after `prefix`, its further lines indented to the same column."""
    indent = cell_len(prefix)
    for index, line in enumerate(wrap(text, columns - indent)):
        yield ((prefix if index == 0 else " " * indent) + line).rstrip()


def title_indent(text: str, columns: int) -> Iterator[str]:
    """Yield `text` at the margin, its further lines indented, so that a long name does not look like two titles."""
    for index, line in enumerate(wrap(text, columns - len(_CONTINUATION_INDENT))):
        yield line if index == 0 else f"{_CONTINUATION_INDENT}{line}"


def _split_at_breaks(text: str) -> list[str]:
    """Split into unbreakable parts: a word with the space after it, or a wide character with its punctuation."""
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
    if char in {" ", NO_BREAK_SPACE} or char in _FORBIDDEN_AT_LINE_START or last in _FORBIDDEN_AT_LINE_END:
        return False
    if last.isdecimal() and cell_len(char) == _WIDE_CHAR_COLUMNS:
        return False  # "2025年" must not break between number and unit
    if last == NO_BREAK_SPACE:
        return False
    return last == " " or cell_len(char) == _WIDE_CHAR_COLUMNS or cell_len(last) == _WIDE_CHAR_COLUMNS


def _split_long_line(piece: str, columns: int) -> list[str]:
    """Split a word longer than a line after the last slash that fits, to keep file names whole, else anywhere."""
    if cell_len(piece.rstrip()) <= columns:
        return [piece]
    parts: list[str] = []
    part = ""
    for char in piece:
        while part and cell_len(part) + cell_len(char) > columns:
            folder = _FOLDER_END.match(part)
            end = folder.end() if folder else len(part)
            parts.append(part[:end])
            part = part[end:]
        part += char
    return [*parts, part]
