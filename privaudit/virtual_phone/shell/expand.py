"""What words become: parameters, substitutions, field splitting and patterns (POSIX shell, 2.6).

File names are never generated from patterns: a bare ``*`` stays as it is, as under ``set -f``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from privaudit.virtual_phone.shell.tree import Param, Script, Substitution, Text, Word

MAX_VALUE: Final = 16 * 1024 * 1024
"""Most characters that one word may come to."""


class TooMuchError(Exception):
    """The script wants more steps, depth or memory than the demo phone gives."""


class Environment(Protocol):
    """What words are expanded against."""

    args: Sequence[str]

    def value(self, name: str) -> str | None:
        """The parameter called `name`; ``None``: not set."""
        ...

    def substitute(self, body: Script) -> str:
        """What `body` writes to its standard output, without the newlines at its end."""
        ...


@dataclass(frozen=True, slots=True)
class _Set:
    """``[…]`` in a pattern."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def __contains__(self, char: str) -> bool:
        return any(low <= char <= high for low, high in self.ranges) is not self.negated


_Token: TypeAlias = str | _Set
"""One character, ``**`` for any run, ``??`` for any one: two characters, so that no literal looks like them."""


def fields(words: Sequence[Word], env: Environment) -> list[str]:
    """The arguments that `words` become.

    Raises:
        TooMuchError: they are too long.
    """
    return [field for word in words for field in _fields(word, env)]


def text(word: Word, env: Environment) -> str:
    """`word` as one string, never split: the right side of an assignment, the subject of a ``case``.

    Raises:
        TooMuchError: it is too long.
    """
    return "".join(part.text if isinstance(part, Text) else _value(part, env) for part in word)


def pattern(word: Word, env: Environment) -> tuple[_Token, ...]:
    """`word` as a pattern; what was quoted in it stands for itself."""
    chars: list[tuple[str, bool]] = []
    for part in word:
        shown = part.text if isinstance(part, Text) else _value(part, env)
        chars += [(char, part.quoted) for char in shown]
    tokens: list[_Token] = []
    pos = 0
    while pos < len(chars):
        char, quoted = chars[pos]
        found = None if quoted or char != "[" else _bracket(chars, pos + 1)
        if found:
            tokens.append(found[0])
            pos = found[1]
            continue
        tokens.append(char * 2 if char in "*?" and not quoted else char)
        pos += 1
    return tuple(tokens)


def matches(wanted: Sequence[_Token], subject: str) -> bool:
    """Whether the whole of `subject` fits."""
    return bool(_prefixes(wanted, subject) >> len(subject))


def _bracket(chars: Sequence[tuple[str, bool]], start: int) -> tuple[_Set, int] | None:
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
    return _Set(tuple(ranges), negated), end + 1


def _prefixes(wanted: Sequence[_Token], subject: str) -> int:
    """Lengths of the beginnings of `subject` that fit: bit N stands for N characters.

    No backtracking: every piece of the pattern moves all lengths at once, so that none is slow.
    """
    everywhere = (1 << len(subject) + 1) - 1
    ends = 1
    for piece in wanted:
        if piece == "**":
            ends = everywhere & -(ends & -ends)
        elif piece == "??":
            ends = ends << 1 & everywhere
        else:
            here = "".join("1" if char in piece else "0" for char in reversed(subject))
            ends = (ends & int(here or "0", 2)) << 1
        if not ends:
            break
    return ends


def _trimmed(value: str, op: str, wanted: Sequence[_Token]) -> str:
    backwards = op[0] == "%"
    lengths = _prefixes(wanted[::-1], value[::-1]) if backwards else _prefixes(wanted, value)
    if not lengths:
        return value
    cut = (lengths if len(op) > 1 else lengths & -lengths).bit_length() - 1
    return value[: len(value) - cut] if backwards else value[cut:]


def _value(part: Param | Substitution, env: Environment) -> str:
    value = env.substitute(part.body) if isinstance(part, Substitution) else _parameter(part, env)
    if len(value) > MAX_VALUE:
        raise TooMuchError
    return value


def _parameter(part: Param, env: Environment) -> str:
    known = " ".join(env.args) if part.name in {"@", "*"} else env.value(part.name)
    value = known or ""
    match part.op:
        case "length":
            return str(len(env.args) if part.name in {"@", "*"} else len(value))
        case "#" | "##" | "%" | "%%":
            return _trimmed(value, part.op, pattern(part.arg, env))
        case "":
            return value
        case _:
            return text(part.arg, env) if _wants_arg(part, known) else "" if "+" in part.op else value


def _wants_arg(part: Param, known: str | None) -> bool:
    """Whether ``${name-arg}``, ``${name:+arg}`` and the like come to their argument."""
    missing = not known if ":" in part.op else known is None
    return missing if "-" in part.op else not missing


class _Fields:
    """Fields being put together."""

    def __init__(self, separators: str) -> None:
        self.done: list[str] = []
        self._open: list[str] | None = None
        blank = "".join(c for c in separators if c in " \t\n")
        other = "".join(c for c in separators if c not in " \t\n")
        spaces = f"[{blank}]" if blank else "(?!)"
        marks = f"{spaces}*[{re.escape(other)}]{spaces}*|" if other else ""
        self._split = re.compile(f"{marks}{spaces}+")
        self._marks = set(other)

    def add(self, shown: str) -> None:
        """Characters that are not split."""
        if self._open is None:
            self._open = []
        self._open.append(shown)

    def end(self) -> None:
        """The open field is complete."""
        if self._open is not None:
            self.done.append("".join(self._open))
            self._open = None

    def add_split(self, shown: str) -> None:
        """What an unquoted expansion came to."""
        pos = 0
        for gap in self._split.finditer(shown):
            if gap.start() > pos:
                self.add(shown[pos : gap.start()])
            if self._marks.intersection(gap[0]) and self._open is None:
                self.add("")
            self.end()
            pos = gap.end()
        if pos < len(shown):
            self.add(shown[pos:])


def _fields(word: Word, env: Environment) -> list[str]:
    separators = env.value("IFS")
    found = _Fields(" \t\n" if separators is None else separators)
    _gather(word, env, found)
    found.end()
    return found.done


def _gather(word: Word, env: Environment, found: _Fields) -> None:
    for part in word:
        if isinstance(part, Text):
            found.add(part.text)
        elif isinstance(part, Param) and not part.op and part.name in ({"@"} if part.quoted else {"@", "*"}):
            for index, arg in enumerate(env.args):
                if index:
                    found.end()
                (found.add if part.quoted else found.add_split)(arg)
        elif part.quoted:
            found.add(_value(part, env))
        elif isinstance(part, Param) and part.op[-1:] in {"-", "+"} and _wants_arg(part, env.value(part.name)):
            # What was quoted inside the braces is not split.
            _gather(part.arg, env, found)
        else:
            found.add_split(_value(part, env))
