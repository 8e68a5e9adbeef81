"""What people answer at a prompt, made comparable, whatever their language and keyboard."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from privaudit.i18n import catalog

if TYPE_CHECKING:
    from privaudit.i18n import Translator

_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
"""The full-width forms of ASCII, which Chinese keyboards can type, and the ideographic space."""


def fold_answer(text: str) -> str:
    """Return `text` stripped, in lower case and with ASCII in place of its full-width forms."""
    return unicodedata.normalize("NFC", text.translate(_FULL_WIDTH)).strip().casefold()


def is_yes(answer: str, language: Translator) -> bool:
    """Return whether `answer` is a yes in `language` or another language of ours.

    A helper and the owner of the phone do not always read the same language. A full stop or an exclamation mark after
    the word is ignored.
    """
    word = fold_answer(answer).rstrip(".!。।")
    codes = (language.code, *catalog.languages())
    return any(word in str(catalog.sentence("cli.yes_words", code)).split() for code in codes)
