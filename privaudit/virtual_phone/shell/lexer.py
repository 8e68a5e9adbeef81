"""Reads the words of shell text: quoting, ``$`` and where a word ends."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from privaudit.virtual_phone.shell.tree import Param, Part, Script, Substitution, Text, Word

_MAX_DEPTH: Final = 40
_OPERATOR: Final = re.compile(r":[-+]|##|%%|[-+#%]")
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PARAM: Final = re.compile(r"[A-Za-z_]\w*|[0-9?@*#$]", re.ASCII)
_BRACED: Final = re.compile(r"[A-Za-z_]\w*|[0-9]+|[?@*#$]", re.ASCII)
_BLANK: Final = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
_RESERVED: Final = re.compile(r"(?:[a-z]+|[{}!])(?![^\s;&|<>()])")
_TOKEN: Final = re.compile(r"[;&|<>()]{1,2}|[^\s;&|<>()]+")
_SPECIAL: Final = "'\"\\$`"
_WORD_ENDS: Final = " \t\n;&|<>()"


class ShellSyntaxError(Exception):
    """The text is not shell, or not the part of it that is known. Says so in mksh's words."""


class Lexer(ABC):
    """A place in `text`, and the words that stand from there on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pos = 0
        self._depth = 0

    @abstractmethod
    def _script(self, *, empty: bool = True) -> Script:
        """Commands up to a closing word, ``)`` or ``;;``, which is not taken."""

    # --- tokens ---

    def _peek(self) -> str:
        return self._text[self._pos : self._pos + 1]

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._pos)
        self._pos = match.end() if match else self._pos

    def _newlines(self) -> None:
        self._blank()
        while self._peek() == "\n":
            self._pos += 1
            self._blank()

    def _take(self, operator: str) -> bool:
        """Step over `operator` if it stands here, alone: ``|`` is not half of ``||``."""
        self._blank()
        longer = {";": ";;", "|": "||"}.get(operator, "\0")
        if not self._text.startswith(operator, self._pos) or self._text.startswith(longer, self._pos):
            return False
        self._pos += len(operator)
        return True

    def _reserved(self) -> str:
        """The bare word that stands here, not taken."""
        self._blank()
        match = _RESERVED.match(self._text, self._pos)
        return match[0] if match else ""

    def _keyword(self, *words: str) -> str:
        self._newlines()
        found = self._reserved()
        if found not in words:
            self._unexpected()
        self._pos += len(found)
        return found

    def _name(self) -> str:
        self._blank()
        match = _NAME.match(self._text, self._pos)
        if match is None:
            self._unexpected()
        self._pos = match.end()
        return match[0]

    def _unexpected(self) -> NoReturn:
        match = _TOKEN.match(self._text, self._pos)
        token = match[0][:40] if match else "newline" if self._peek() == "\n" else "EOF"
        raise ShellSyntaxError(f"syntax error: unexpected '{token}'")

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ShellSyntaxError("syntax error: nested too deeply")
        yield
        self._depth -= 1

    # --- words ---

    def _word(self) -> Word:
        """The word that stands here; empty where none does."""
        self._blank()
        return self._word_here()

    def _word_here(self) -> Word:
        return self._parts(_WORD_ENDS, quoted=False)

    def _parts(self, ends: str, *, quoted: bool) -> Word:
        """What stands before the next bare character of `ends`, which is not taken."""
        parts: list[Part] = []
        while (char := self._peek()) and char not in ends:
            self._pos += 1
            if char == "'" and not quoted:
                parts.append(Text(self._until("'"), quoted=True))
            elif char == '"':
                # Quotes that hold nothing still make a word.
                parts += self._parts('"', quoted=True) or (Text("", quoted=True),)
                self._closing('"')
            elif char == "\\":
                parts += self._escaped(quoted=quoted)
            elif char == "$":
                parts.append(self._dollar(quoted=quoted))
            elif char == "`":
                parts.append(self._backquoted(quoted=quoted))
            else:
                start = self._pos - 1
                while (char := self._peek()) and char not in ends and char not in _SPECIAL:
                    self._pos += 1
                parts.append(Text(self._text[start : self._pos], quoted))
        return tuple(parts)

    def _until(self, mark: str) -> str:
        start = self._pos
        self._pos = self._text.find(mark, start)
        if self._pos < 0:
            raise ShellSyntaxError("no closing quote")
        self._pos += 1
        return self._text[start : self._pos - 1]

    def _closing(self, mark: str) -> None:
        if self._peek() != mark:
            raise ShellSyntaxError("no closing quote")
        self._pos += 1

    def _escaped(self, *, quoted: bool) -> list[Part]:
        char = self._peek()
        self._pos += len(char)
        if char == "\n":
            return []
        if not char or (quoted and char not in '$`"\\'):
            char = "\\" + char
        return [Text(char, quoted=True)]

    def _dollar(self, *, quoted: bool) -> Part:
        if self._text.startswith("((", self._pos):
            raise ShellSyntaxError("syntax error: no arithmetic on the demo phone")
        if self._peek() == "(":
            self._pos += 1
            with self._deeper():
                body = self._script()
            if self._peek() != ")":
                self._unexpected()
            self._pos += 1
            return Substitution(body, quoted)
        if self._peek() == "{":
            self._pos += 1
            return self._braced(quoted=quoted)
        match = _PARAM.match(self._text, self._pos)
        self._pos = match.end() if match else self._pos
        return Param(match[0], quoted) if match else Text("$", quoted=True)

    def _braced(self, *, quoted: bool) -> Part:
        length = re.compile(r"#(?=[A-Za-z_0-9@*])").match(self._text, self._pos)
        self._pos += length is not None
        name = _BRACED.match(self._text, self._pos)
        if name is None:
            raise ShellSyntaxError("bad substitution")
        self._pos = name.end()
        operator = _OPERATOR.match(self._text, self._pos)
        op = "length" if length else operator[0] if operator else ""
        arg: Word = ()
        if operator and not length:
            self._pos = operator.end()
            with self._deeper():
                arg = self._parts("}", quoted=quoted and op[0] not in "#%")
        if self._peek() and self._peek() != "}":
            raise ShellSyntaxError("bad substitution")
        self._closing("}")
        return Param(name[0], quoted, op, arg)

    def _backquoted(self, *, quoted: bool) -> Part:
        start = self._pos
        match = re.compile(r"((?:[^`\\]|\\.)*)`", re.DOTALL).match(self._text, start)
        if match is None:
            raise ShellSyntaxError("no closing quote")
        self._pos = match.end()
        inner = type(self)(re.sub(r"\\([$`\\])", r"\1", match[1]))
        inner._depth = self._depth + 1  # noqa: SLF001 - the same class: nesting is bounded across both
        body = inner._script()  # noqa: SLF001
        if inner._peek():  # noqa: SLF001
            inner._unexpected()  # noqa: SLF001
        return Substitution(body, quoted)
