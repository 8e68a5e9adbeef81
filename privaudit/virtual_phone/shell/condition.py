"""What ``[ … ]`` and ``test`` decide, as mksh has it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from privaudit.virtual_phone.adbd.sync import FileTree

_INTEGER: Final = re.compile(r"\s*([-+]?[0-9]{1,30})\s*")
_INTEGER_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
}


class TestSyntaxError(Exception):
    """The words make no test."""


def evaluate_test(words: Sequence[str], files: FileTree) -> bool:  # noqa: PLR0911 - one answer per form
    """Whether the test that `words` make holds.

    Raises:
        BadTestError: they make none.
    """
    match words:
        case []:
            return False
        case [word]:
            return word != ""
        case ["!", *rest] if len(words) != 3 or words[1] not in {*_INTEGER_COMPARISONS, "=", "==", "!="}:  # noqa: PLR2004
            return not evaluate_test(rest, files)
        case [op, word] if op in {"-n", "-z", "-e", "-f", "-d"}:
            return {
                "-n": word != "",
                "-z": word == "",
                "-e": files.exists(word),
                "-f": files.read(word) is not None,
                "-d": files.is_folder(word),
            }[op]
        case [left, "=" | "==", right]:
            return left == right
        case [left, "!=", right]:
            return left != right
        case [left, op, right] if op in _INTEGER_COMPARISONS:
            return _INTEGER_COMPARISONS[op](parse_integer(left), parse_integer(right))
        case _:
            return _evaluate_connective(words, files)


def _evaluate_connective(words: Sequence[str], files: FileTree) -> bool:
    for op, join in (("-o", any), ("-a", all)):
        if op in words[1:-1]:
            at = words.index(op, 1)
            return join(evaluate_test(side, files) for side in (words[:at], words[at + 1 :]))
    if words[-1] in _INTEGER_COMPARISONS:
        raise TestSyntaxError(f"{words[-1]}: missing second argument")
    raise TestSyntaxError(f"{words[1]}: unexpected operator/operand")


def parse_integer(word: str) -> int:
    """A number as mksh takes it: nothing, or the name of an unset variable, is 0.

    Raises:
        BadTestError: it is none.
    """
    if not word.strip() or word.isidentifier():
        return 0
    match = _INTEGER.fullmatch(word)
    if match is None:
        raise TestSyntaxError(f"{word}: bad number")
    return int(match[1])
