"""Recognise names of Android's that a copy of the text has altered: as markup, in colour, or with other capitals."""

import html
import re
from functools import lru_cache
from typing import Final

_MARKUP: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|<[^<>]*>")
"""Colours of a terminal (``grep --color``), and tags."""
_OTHER_THAN_LETTERS: Final = re.compile(r"[^a-z]")


@lru_cache(maxsize=8192)
def fold_name(text: str) -> str:
    r"""Return the letters of `text` in lower case, without markup: what is left of a name that a copy has altered.

    Web pages write ``_`` as ``&#95;``, Markdown drops it or puts ``\`` before it, and editors capitalise words.
    """
    return _OTHER_THAN_LETTERS.sub("", _MARKUP.sub("", html.unescape(text)).casefold())
