"""Word expansion: parameters, substitutions, field splitting and patterns (POSIX shell, 2.6).

File names are never generated from patterns: an unquoted ``*`` stays as it is, as under ``set -f``.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final, Protocol

from privaudit.virtual_phone.shell.parser import CommandSubstitution, LiteralText, ParameterExpansion, Script, Word

_MAX_VALUE_CHARS: Final = 16 * 1024 * 1024
_ANY_STRING: Final = ".*"


class LimitExceededError(Exception):
    """The script needs more steps, depth or memory than the phone allows."""


class _Context(Protocol):
    """What words are expanded with: `ShellInterpreter`."""

    positional_args: Sequence[str]

    def parameter(self, name: str) -> str | None: ...

    def substitute(self, body: Script) -> str: ...


def expand_fields(words: Sequence[Word], env: _Context) -> list[str]:
    """Expand `words` to arguments. Raises `LimitExceededError` if one is too long, like all functions here."""
    separators = env.parameter("IFS")
    splitter = _FieldSplitter(" \t\n" if separators is None else separators)
    for word in words:
        _expand_into(word, env, splitter)
        splitter.end_field()
    return splitter.completed


def expand_text(word: Word, env: _Context) -> str:
    """Expand `word` to one string without splitting: the value of an assignment, the subject of a ``case``."""
    return "".join(part.text if isinstance(part, LiteralText) else _expand_part(part, env) for part in word)


def _expand_pattern(word: Word, env: _Context) -> tuple[str, ...]:
    """Expand `word` to a pattern: a regular expression for each character, `_ANY_STRING` for an unquoted ``*``."""
    chars: list[tuple[str, bool]] = []
    for part in word:
        value = part.text if isinstance(part, LiteralText) else _expand_part(part, env)
        chars += [(char, part.quoted) for char in value]
    tokens: list[str] = []
    pos = 0
    while pos < len(chars):
        char, quoted = chars[pos]
        special = {"*": _ANY_STRING, "?": "."}.get(char) if not quoted else None
        token, pos = (special or re.escape(char), pos + 1) if quoted or char != "[" else _parse_char_class(chars, pos)
        tokens.append(token)
    return tuple(tokens)


def matches_pattern(word: Word, subject: str, env: _Context) -> bool:
    """Whether the pattern `word` matches all of `subject`."""
    return re.fullmatch(_join_pattern(_expand_pattern(word, env)), subject, re.DOTALL) is not None


def _parse_char_class(chars: Sequence[tuple[str, bool]], start: int) -> tuple[str, int]:
    """Return the regular expression of the ``[…]`` at `start`, and the position after it."""
    negated = chars[start + 1 : start + 2] == [("!", False)]
    first = start + 1 + negated
    end = next((i for i in range(first + 1, len(chars)) if chars[i] == ("]", False)), None)
    if end is None:
        return re.escape("["), start + 1
    ranges = ""
    pos = first
    while pos < end:
        low, is_range = chars[pos][0], pos + 2 < end and chars[pos + 1] == ("-", False)
        high = chars[pos + 2][0] if is_range else low
        ranges += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
        pos += 3 if is_range else 1
    if not ranges:
        return "." if negated else "(?!)", end + 1
    return f"[{'^' * negated}{ranges}]", end + 1


def _join_pattern(tokens: Sequence[str], *, longest: bool = True) -> str:
    """Join a pattern to a regular expression whose match is the longest or the shortest.

    Every ``*`` but the last takes as little as possible and is never tried again, so that no pattern is slow.
    """
    head, *parts = ["".join(group) for is_star, group in groupby(["", *tokens, ""], _ANY_STRING.__eq__) if not is_star]
    if not parts:
        return head
    *middle, last = parts
    return head + "".join(f"(?>.*?{part})" for part in middle) + (".*" if longest else ".*?") + last


def _trim(value: str, op: str, tokens: Sequence[str]) -> str:
    backwards = op[0] == "%"
    regex = _join_pattern(tokens[::-1] if backwards else tokens, longest=len(op) > 1)
    match = re.match(regex, value[::-1] if backwards else value, re.DOTALL)
    cut = match.end() if match else 0
    return value[: len(value) - cut] if backwards else value[cut:]


def _expand_part(part: ParameterExpansion | CommandSubstitution, env: _Context) -> str:
    value = env.substitute(part.body) if isinstance(part, CommandSubstitution) else _expand_parameter(part, env)
    if len(value) > _MAX_VALUE_CHARS:
        raise LimitExceededError
    return value


def _expand_parameter(part: ParameterExpansion, env: _Context) -> str:
    current = " ".join(env.positional_args) if part.name in {"@", "*"} else env.parameter(part.name)
    value = current or ""
    match part.op:
        case "length":
            return str(len(env.positional_args) if part.name in {"@", "*"} else len(value))
        case "#" | "##" | "%" | "%%":
            return _trim(value, part.op, _expand_pattern(part.arg, env))
        case "":
            return value
        case _:
            return expand_text(part.arg, env) if _uses_argument(part, current) else "" if "+" in part.op else value


def _uses_argument(part: ParameterExpansion, current: str | None) -> bool:
    """Whether ``${name-arg}``, ``${name:+arg}`` and the like expand to their argument."""
    missing = not current if ":" in part.op else current is None
    return missing if "-" in part.op else not missing


class _FieldSplitter:
    """Builds fields out of literal and split text."""

    def __init__(self, separators: str) -> None:
        self.completed: list[str] = []
        self._open: str | None = None
        blank = "".join(c for c in separators if c in " \t\n")
        other = "".join(c for c in separators if c not in " \t\n")
        spaces = f"[{blank}]" if blank else "(?!)"
        marks = f"{spaces}*[{re.escape(other)}]{spaces}*|" if other else ""
        self._split = re.compile(f"{marks}{spaces}+")
        self._marks = set(other)

    def add_literal(self, chars: str) -> None:
        """Add characters that are not split."""
        self._open = (self._open or "") + chars

    def end_field(self) -> None:
        """Complete the open field."""
        if self._open is not None:
            self.completed.append(self._open)
            self._open = None

    def add_split(self, chars: str) -> None:
        """Add the value of an unquoted expansion."""
        pos = 0
        for gap in self._split.finditer(chars):
            if gap.start() > pos:
                self.add_literal(chars[pos : gap.start()])
            if self._marks.intersection(gap[0]) and self._open is None:
                self.add_literal("")
            self.end_field()
            pos = gap.end()
        if pos < len(chars):
            self.add_literal(chars[pos:])


def _expand_into(word: Word, env: _Context, splitter: _FieldSplitter) -> None:
    for part in word:
        if isinstance(part, LiteralText):
            splitter.add_literal(part.text)
        elif isinstance(part, ParameterExpansion) and not part.op and part.name in ("@" if part.quoted else "@*"):
            for index, arg in enumerate(env.positional_args):
                if index:
                    splitter.end_field()
                (splitter.add_literal if part.quoted else splitter.add_split)(arg)
        elif part.quoted:
            splitter.add_literal(_expand_part(part, env))
        elif isinstance(part, CommandSubstitution) or part.op[-1:] not in {"-", "+"}:
            splitter.add_split(_expand_part(part, env))
        elif _uses_argument(part, env.parameter(part.name)):
            _expand_into(part.arg, env, splitter)  # Quoted text inside the braces is not split.
        else:
            splitter.add_split(_expand_part(part, env))
