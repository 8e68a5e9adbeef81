"""Case codes: short, easy to read aloud, drawn at random, so that none tells who came when."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final

LETTERS: Final = "ACDEFHJKMNPRTUWXY"
"""Without those that look or sound like a digit or another letter: B, G, I, L, O, Q, S, V, Z."""
DIGITS: Final = "23456789"


def draw(taken: Collection[str]) -> str:
    """A code that is not in `taken`: a letter and a digit, and longer ones when most of these are given out."""
    tails = [""]
    while True:
        free = [code for letter in LETTERS for digit in DIGITS for tail in tails if (code := letter + digit + tail)]
        free = [code for code in free if code not in taken]
        if len(free) > len(LETTERS):  # never so few that the next one can be guessed
            return secrets.choice(free)
        tails = [tail + letter for tail in tails for letter in LETTERS]
