"""Reads the words of shell text: quoting, ``$`` and where a word ends."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from privaudit.virtual_phone.shell.tree import (
    CommandSubstitution,
    LiteralText,
    ParameterExpansion,
    Script,
    Word,
    WordPart,
)

_MAX_DEPTH: Final = 40
_OPERATOR: Final = re.compile(r":[-+]|##|%%|[-+#%]")
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PARAM: Final = re.compile(r"[A-Za-z_]\w*|[0-9?@*#$]", re.ASCII)
_BRACED_PARAM: Final = re.compile(r"[A-Za-z_]\w*|[0-9]+|[?@*#$]", re.ASCII)
_BLANKS_AND_COMMENT: Final = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
_RESERVED: Final = re.compile(r"(?:[a-z]+|[{}!])(?![^\s;&|<>()])")
_TOKEN: Final = re.compile(r"[;&|<>()]{1,2}|[^\s;&|<>()]+")
_SPECIAL_CHARS: Final = "'\"\\$`"
_WORD_END_CHARS: Final = " \t\n;&|<>()"


class ShellSyntaxError(Exception):
    """The text is not shell, or not the part of it that is known. Says so in mksh's words."""


class ShellLexer(ABC):
    """A place in `text`, and the words that stand from there on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._depth = 0

    @abstractmethod
    def _parse_script(self, *, empty: bool = True) -> Script:
        """Commands up to a closing word, ``)`` or ``;;``, which is not taken."""

    # --- tokens ---

    def _peek(self) -> str:
        return self._text[self._pos : self._pos + 1]

    def _skip_blanks(self) -> None:
        match = _BLANKS_AND_COMMENT.match(self._text, self._pos)
        self._pos = match.end() if match else self._pos

    def _skip_newlines(self) -> None:
        self._skip_blanks()
        while self._peek() == "\n":
            self._pos += 1
            self._skip_blanks()

    def _accept(self, operator: str) -> bool:
        """Step over `operator` if it stands here, alone: ``|`` is not half of ``||``."""
        self._skip_blanks()
        longer = {";": ";;", "|": "||"}.get(operator, "\0")
        if not self._text.startswith(operator, self._pos) or self._text.startswith(longer, self._pos):
            return False
        self._pos += len(operator)
        return True

    def _peek_word(self) -> str:
        """The bare word that stands here, not taken."""
        self._skip_blanks()
        match = _RESERVED.match(self._text, self._pos)
        return match[0] if match else ""

    def _expect_keyword(self, *words: str) -> str:
        self._skip_newlines()
        found = self._peek_word()
        if found not in words:
            self._raise_unexpected()
        self._pos += len(found)
        return found

    def _expect_name(self) -> str:
        self._skip_blanks()
        match = _NAME.match(self._text, self._pos)
        if match is None:
            self._raise_unexpected()
        self._pos = match.end()
        return match[0]

    def _raise_unexpected(self) -> NoReturn:
        match = _TOKEN.match(self._text, self._pos)
        token = match[0][:40] if match else "newline" if self._peek() == "\n" else "EOF"
        raise ShellSyntaxError(f"syntax error: unexpected '{token}'")

    @contextmanager
    def _nested(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ShellSyntaxError("syntax error: nested too deeply")
        yield
        self._depth -= 1

    # --- words ---

    def _parse_word(self) -> Word:
        """The word that stands here; empty where none does."""
        self._skip_blanks()
        return self._parse_adjacent_word()

    def _parse_adjacent_word(self) -> Word:
        return self._parse_word_parts(_WORD_END_CHARS, quoted=False)

    def _parse_word_parts(self, ends: str, *, quoted: bool) -> Word:
        """What stands before the next bare character of `ends`, which is not taken."""
        parts: list[WordPart] = []
        while (char := self._peek()) and char not in ends:
            self._pos += 1
            if char == "'" and not quoted:
                parts.append(LiteralText(self._read_until("'"), quoted=True))
            elif char == '"':
                # Quotes that hold nothing still make a word.
                parts += self._parse_word_parts('"', quoted=True) or (LiteralText("", quoted=True),)
                self._expect_closing('"')
            elif char == "\\":
                parts += self._parse_escape(quoted=quoted)
            elif char == "$":
                parts.append(self._parse_dollar(quoted=quoted))
            elif char == "`":
                parts.append(self._parse_backquotes(quoted=quoted))
            else:
                start = self._pos - 1
                while (char := self._peek()) and char not in ends and char not in _SPECIAL_CHARS:
                    self._pos += 1
                parts.append(LiteralText(self._text[start : self._pos], quoted))
        return tuple(parts)

    def _read_until(self, mark: str) -> str:
        start = self._pos
        self._pos = self._text.find(mark, start)
        if self._pos < 0:
            raise ShellSyntaxError("no closing quote")
        self._pos += 1
        return self._text[start : self._pos - 1]

    def _expect_closing(self, mark: str) -> None:
        if self._peek() != mark:
            raise ShellSyntaxError("no closing quote")
        self._pos += 1

    def _parse_escape(self, *, quoted: bool) -> list[WordPart]:
        char = self._peek()
        self._pos += len(char)
        if char == "\n":
            return []
        if not char or (quoted and char not in '$`"\\'):
            char = "\\" + char
        return [LiteralText(char, quoted=True)]

    def _parse_dollar(self, *, quoted: bool) -> WordPart:
        if self._text.startswith("((", self._pos):
            raise ShellSyntaxError("syntax error: no arithmetic on the demo phone")
        if self._peek() == "(":
            self._pos += 1
            with self._nested():
                body = self._parse_script()
            if self._peek() != ")":
                self._raise_unexpected()
            self._pos += 1
            return CommandSubstitution(body, quoted)
        if self._peek() == "{":
            self._pos += 1
            return self._parse_braced_parameter(quoted=quoted)
        match = _PARAM.match(self._text, self._pos)
        self._pos = match.end() if match else self._pos
        return ParameterExpansion(match[0], quoted) if match else LiteralText("$", quoted=True)

    def _parse_braced_parameter(self, *, quoted: bool) -> WordPart:
        length = re.compile(r"#(?=[A-Za-z_0-9@*])").match(self._text, self._pos)
        self._pos += length is not None
        name = _BRACED_PARAM.match(self._text, self._pos)
        if name is None:
            raise ShellSyntaxError("bad substitution")
        self._pos = name.end()
        operator = _OPERATOR.match(self._text, self._pos)
        op = "length" if length else operator[0] if operator else ""
        arg: Word = ()
        if operator and not length:
            self._pos = operator.end()
            with self._nested():
                arg = self._parse_word_parts("}", quoted=quoted and op[0] not in "#%")
        if self._peek() and self._peek() != "}":
            raise ShellSyntaxError("bad substitution")
        self._expect_closing("}")
        return ParameterExpansion(name[0], quoted, op, arg)

    def _parse_backquotes(self, *, quoted: bool) -> WordPart:
        start = self._pos
        match = re.compile(r"((?:[^`\\]|\\.)*)`", re.DOTALL).match(self._text, start)
        if match is None:
            raise ShellSyntaxError("no closing quote")
        self._pos = match.end()
        inner = type(self)(re.sub(r"\\([$`\\])", r"\1", match[1]))
        inner._depth = self._depth + 1  # noqa: SLF001 - the same class: nesting is bounded across both
        body = inner._parse_script()  # noqa: SLF001
        if inner._peek():  # noqa: SLF001
            inner._raise_unexpected()  # noqa: SLF001
        return CommandSubstitution(body, quoted)
