"""Long texts, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_PIECE: Final = 1 << 18


def pieces(text: str, offset: int) -> Iterator[list[str]]:
    """Lines from `offset` on, some at a time: all at once they take twice the memory of the text."""
    while offset <= len(text):
        end = text.find("\n", offset + _PIECE)
        end = len(text) if end < 0 else end
        yield text[offset:end].split("\n")
        offset = end + 1
