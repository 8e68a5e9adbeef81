"""Long texts, line by line."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CHUNK_CHARS: Final = 1 << 18


def iter_line_chunks(text: str, offset: int) -> Iterator[list[str]]:
    """Lines from `offset` on, some at a time: all at once they take twice the memory of the text."""
    while offset <= len(text):
        end = text.find("\n", offset + _CHUNK_CHARS)
        end = len(text) if end < 0 else end
        yield text[offset:end].split("\n")
        offset = end + 1


@contextmanager
def gc_paused() -> Iterator[None]:
    """While a long text is read: nothing that is made of it refers back to itself, so there is nothing to collect.

    Python would look all the same, the more often the more there is: ten times the text took twelve times the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
