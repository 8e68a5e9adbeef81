"""Case codes: short, easy to read aloud, drawn at random, so that none tells who came when."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final

CODE_LETTERS: Final = "ACDEFHJKMNPRTUWXY"
"""Without those that look or sound like a digit or another letter: B, G, I, L, O, Q, S, V, Z."""
CODE_DIGITS: Final = "23456789"


def draw_case_code(used_codes: Collection[str]) -> str:
    """A code that is not in `used_codes`: a letter and a digit, and longer ones when most of these are given out."""
    tails = [""]
    while True:
        free = [
            code
            for letter in CODE_LETTERS
            for digit in CODE_DIGITS
            for tail in tails
            if (code := letter + digit + tail)
        ]
        free = [code for code in free if code not in used_codes]
        if len(free) > len(CODE_LETTERS):  # never so few that the next one can be guessed
            return secrets.choice(free)
        tails = [tail + letter for tail in tails for letter in CODE_LETTERS]
