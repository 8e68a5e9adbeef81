"""Word expansion: parameters, substitutions, field splitting and patterns (POSIX shell, 2.6).

File names are never generated from patterns: an unquoted ``*`` stays as it is, as under ``set -f``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from privaudit.virtual_phone.shell.tree import CommandSubstitution, LiteralText, ParameterExpansion, Script, Word

_MAX_VALUE_CHARS: Final = 16 * 1024 * 1024
"""Longest value of one expansion."""


class LimitExceededError(Exception):
    """The script needs more steps, depth or memory than the phone allows."""


class ExpansionContext(Protocol):
    """The parameters and commands that words are expanded with."""

    positional_args: Sequence[str]

    def parameter(self, name: str) -> str | None:
        """Return the parameter `name`; ``None`` if unset."""
        ...

    def substitute(self, body: Script) -> str:
        """Run `body` and return its standard output without trailing newlines."""
        ...


@dataclass(frozen=True, slots=True)
class _CharClass:
    """``[…]`` in a pattern."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def __contains__(self, char: str) -> bool:
        return any(low <= char <= high for low, high in self.ranges) is not self.negated


_PatternToken: TypeAlias = str | _CharClass
"""One character, ``**`` for any string or ``??`` for any character: two characters, so that no literal equals them."""


def expand_fields(words: Sequence[Word], env: ExpansionContext) -> list[str]:
    """Expand `words` to arguments. Raises `LimitExceededError` if one is too long, like all functions here."""
    return [field for word in words for field in _expand_word(word, env)]


def expand_text(word: Word, env: ExpansionContext) -> str:
    """Expand `word` to one string without splitting: the value of an assignment, the subject of a ``case``."""
    return "".join(part.text if isinstance(part, LiteralText) else _expand_part(part, env) for part in word)


def expand_pattern(word: Word, env: ExpansionContext) -> tuple[_PatternToken, ...]:
    """Expand `word` to a pattern; quoted characters match literally."""
    chars: list[tuple[str, bool]] = []
    for part in word:
        value = part.text if isinstance(part, LiteralText) else _expand_part(part, env)
        chars += [(char, part.quoted) for char in value]
    tokens: list[_PatternToken] = []
    pos = 0
    while pos < len(chars):
        char, quoted = chars[pos]
        char_class = None if quoted or char != "[" else _parse_char_class(chars, pos + 1)
        if char_class:
            tokens.append(char_class[0])
            pos = char_class[1]
            continue
        tokens.append(char * 2 if char in "*?" and not quoted else char)
        pos += 1
    return tuple(tokens)


def matches_pattern(tokens: Sequence[_PatternToken], subject: str) -> bool:
    """Whether the pattern matches all of `subject`."""
    return bool(_matching_prefixes(tokens, subject) >> len(subject))


def _parse_char_class(chars: Sequence[tuple[str, bool]], start: int) -> tuple[_CharClass, int] | None:
    negated = start < len(chars) and chars[start] == ("!", False)
    first = start + negated
    end = next((i for i in range(first + 1, len(chars)) if chars[i] == ("]", False)), None)
    if end is None:
        return None
    ranges = []
    pos = first
    while pos < end:
        span = pos + 2 < end and chars[pos + 1] == ("-", False)
        ranges.append((chars[pos][0], chars[pos + 2 if span else pos][0]))
        pos += 3 if span else 1
    return _CharClass(tuple(ranges), negated), end + 1


def _matching_prefixes(tokens: Sequence[_PatternToken], subject: str) -> int:
    """Return the lengths of the prefixes of `subject` that match: bit N stands for N characters.

    Each token of the pattern advances all lengths at once. Without backtracking no pattern is slow.
    """
    all_lengths = (1 << len(subject) + 1) - 1
    ends = 1
    for item in tokens:
        if item == "**":
            ends = all_lengths & -(ends & -ends)
        elif item == "??":
            ends = ends << 1 & all_lengths
        else:
            matching = "".join("1" if char in item else "0" for char in reversed(subject))
            ends = (ends & int(matching or "0", 2)) << 1
        if not ends:
            break
    return ends


def _trim(value: str, op: str, tokens: Sequence[_PatternToken]) -> str:
    backwards = op[0] == "%"
    lengths = _matching_prefixes(tokens[::-1], value[::-1]) if backwards else _matching_prefixes(tokens, value)
    if not lengths:
        return value
    cut = (lengths if len(op) > 1 else lengths & -lengths).bit_length() - 1
    return value[: len(value) - cut] if backwards else value[cut:]


def _expand_part(part: ParameterExpansion | CommandSubstitution, env: ExpansionContext) -> str:
    value = env.substitute(part.body) if isinstance(part, CommandSubstitution) else _expand_parameter(part, env)
    if len(value) > _MAX_VALUE_CHARS:
        raise LimitExceededError
    return value


def _expand_parameter(part: ParameterExpansion, env: ExpansionContext) -> str:
    current = " ".join(env.positional_args) if part.name in {"@", "*"} else env.parameter(part.name)
    value = current or ""
    match part.op:
        case "length":
            return str(len(env.positional_args) if part.name in {"@", "*"} else len(value))
        case "#" | "##" | "%" | "%%":
            return _trim(value, part.op, expand_pattern(part.arg, env))
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
        self._open: list[str] | None = None
        blank = "".join(c for c in separators if c in " \t\n")
        other = "".join(c for c in separators if c not in " \t\n")
        spaces = f"[{blank}]" if blank else "(?!)"
        marks = f"{spaces}*[{re.escape(other)}]{spaces}*|" if other else ""
        self._split = re.compile(f"{marks}{spaces}+")
        self._marks = set(other)

    def add_literal(self, chars: str) -> None:
        """Add characters that are not split."""
        if self._open is None:
            self._open = []
        self._open.append(chars)

    def end_field(self) -> None:
        """Complete the open field."""
        if self._open is not None:
            self.completed.append("".join(self._open))
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


def _expand_word(word: Word, env: ExpansionContext) -> list[str]:
    separators = env.parameter("IFS")
    splitter = _FieldSplitter(" \t\n" if separators is None else separators)
    _expand_into(word, env, splitter)
    splitter.end_field()
    return splitter.completed


def _expand_into(word: Word, env: ExpansionContext, splitter: _FieldSplitter) -> None:
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
        elif (
            isinstance(part, ParameterExpansion)
            and part.op[-1:] in {"-", "+"}
            and _uses_argument(part, env.parameter(part.name))
        ):
            # Quoted text inside the braces is not split.
            _expand_into(part.arg, env, splitter)
        else:
            splitter.add_split(_expand_part(part, env))
