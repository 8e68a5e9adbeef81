"""Parsers of what ``dumpsys``, ``pm`` and ``getprop`` print; here, how they go through long texts line by line."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CHUNK_CHARS: Final = 1 << 18


def iter_line_chunks(text: str, offset: int) -> Iterator[list[str]]:
    """Yield the lines from `offset` on in chunks: all at once they take twice the memory of the text."""
    while offset <= len(text):
        end = text.find("\n", offset + _CHUNK_CHARS)
        end = len(text) if end < 0 else end
        yield text[offset:end].split("\n")
        offset = end + 1


def iter_lines_with_offset(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line after the offset at which it begins."""
    offset = 0
    for line in text.split("\n"):
        yield offset, line
        offset += len(line) + 1


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause garbage collection while a long text is parsed: the results contain no reference cycles to collect.

    The collector would run anyway, the more often the more objects there are: ten times the text took twelve times the
    time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
