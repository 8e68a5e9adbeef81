"""Parse shell text into a syntax tree: the part of mksh's grammar that our scripts and typed commands need.

``&``, here-documents, arithmetic and ``[[`` are syntax errors here. One class parses both words and commands, because
each contains the other: ``$( … )`` is a script inside a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, NoReturn, TypeAlias

_MAX_DEPTH: Final = 40
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PARAM: Final = re.compile(r"[A-Za-z_]\w*|[0-9?@*#$]", re.ASCII)
_BRACED_PARAM: Final = re.compile(r"(#(?=[A-Za-z_0-9@*]))?([A-Za-z_]\w*|[0-9]+|[?@*#$])", re.ASCII)
_PARAM_OPERATOR: Final = re.compile(r":[-+]|##|%%|[-+#%]")
_SINGLE_QUOTED: Final = re.compile(r"([^']*)'")
_BACKQUOTED: Final = re.compile(r"((?:[^`\\]|\\.)*)`", re.DOTALL)
_BLANKS_AND_COMMENT: Final = re.compile(r"(?:[ \t]|\\\n)*(?:#[^\n]*)?")
_RESERVED: Final = re.compile(r"(?:[a-z]+|[{}!])(?![^\s;&|<>()])")
_TOKEN: Final = re.compile(r"[;&|<>()]{1,2}|[^\s;&|<>()]+")
_SPECIAL_CHARS: Final = "'\"\\$`"
_WORD_END_CHARS: Final = " \t\n;&|<>()"
_CLOSING_WORDS: Final = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
_FUNCTION_HEADER: Final = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*\([ \t]*\)", re.ASCII)
_REDIRECT: Final = re.compile(r"([0-9]?)(>>|>&|<&|>|<)(?![<>(])")


class LiteralText(NamedTuple):
    """Literal characters. Unless `quoted`, ``* ? [`` among them form patterns."""

    text: str
    quoted: bool


class ParameterExpansion(NamedTuple):
    """``$name`` or ``${name op arg}``; `op` is empty, ``length`` or one of ``# ## % %% - :- + :+``."""

    name: str
    quoted: bool
    op: str = ""
    arg: Word = ()


class CommandSubstitution(NamedTuple):
    """``$(body)``."""

    body: Script
    quoted: bool


class RedirectedCommand(NamedTuple):
    """A command with ``fd op target`` redirections, in their order."""

    command: Command
    redirects: tuple[tuple[int, str, Word], ...]


class SimpleCommand(NamedTuple):
    """``name=value … word …``."""

    assigns: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]


class Pipeline(NamedTuple):
    """``[!] command | command …``."""

    commands: tuple[Command, ...]
    negated: bool


class CommandGroup(NamedTuple):
    """``{ …; }``, or ``( … )`` if `subshell`."""

    body: Script
    subshell: bool


class ForLoop(NamedTuple):
    """``for name in words; do body; done``; `words` is ``None`` without ``in``."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


class WhileLoop(NamedTuple):
    """``while condition; do body; done``, or ``until`` if `negated`."""

    condition: Script
    body: Script
    negated: bool


class IfCommand(NamedTuple):
    """``if condition; then body; elif …; else otherwise; fi``."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script


class CaseCommand(NamedTuple):
    """``case word in pattern|pattern) body;; … esac``."""

    word: Word
    arms: tuple[tuple[tuple[Word, ...], Script], ...]


class FunctionDefinition(NamedTuple):
    """``name() body``."""

    name: str
    body: Command


WordPart: TypeAlias = LiteralText | ParameterExpansion | CommandSubstitution
Word: TypeAlias = tuple[WordPart, ...]
Command: TypeAlias = (
    SimpleCommand
    | RedirectedCommand
    | CommandGroup
    | ForLoop
    | WhileLoop
    | IfCommand
    | CaseCommand
    | FunctionDefinition
)
AndOrList: TypeAlias = tuple[tuple[str, Pipeline], ...]
"""Pipelines, each with the ``&&`` or ``||`` before it; empty before the first."""
Script: TypeAlias = tuple[AndOrList, ...]


class ShellSyntaxError(Exception):
    """The text is not shell, or not the part of it that is supported. The message is worded like mksh's."""


class ShellParser:
    """Parses `text` line by line, as a shell does: the lines before a `ShellSyntaxError` still run."""

    def __init__(self, text: str, *, depth: int = 0) -> None:
        self._text = text
        self._pos = 0
        self._depth = depth

    def parse_line(self) -> Script | None:
        """Parse the next command line, which may span several lines of text; ``None`` at the end."""
        self._skip_newlines()
        if self._pos >= len(self._text):
            return None
        commands = [self._parse_and_or()]
        while self._accept(";"):
            self._skip_blanks()
            if self._peek() in {"", "\n"}:
                break
            commands.append(self._parse_and_or())
        if self._peek() not in {"", "\n"}:
            self._raise_unexpected()
        return tuple(commands)

    def _parse_script(self, *, empty: bool = True) -> Script:
        """Parse commands up to a closing word, ``)`` or ``;;``, which is not consumed."""
        commands: list[AndOrList] = []
        self._skip_newlines()
        while self._peek() not in {"", ")"} and not self._text.startswith(";;", self._pos):
            if self._peek_word() in _CLOSING_WORDS:
                break
            commands.append(self._parse_and_or())
            if not self._accept(";") and self._peek() != "\n":
                break
            self._skip_newlines()
        if not commands and not empty:
            self._raise_unexpected()
        return tuple(commands)

    def _parse_and_or(self) -> AndOrList:
        steps = [("", self._parse_pipeline())]
        while operator := next((o for o in ("&&", "||") if self._accept(o)), ""):
            self._skip_newlines()
            steps.append((operator, self._parse_pipeline()))
        return tuple(steps)

    def _parse_pipeline(self) -> Pipeline:
        negated = self._peek_word() == "!"
        self._pos += negated
        commands = [self._parse_command()]
        while self._accept("|"):
            self._skip_newlines()
            commands.append(self._parse_command())
        return Pipeline(tuple(commands), negated=negated)

    def _parse_command(self) -> Command:
        compound: dict[str, Callable[[], Command]] = {
            "{": lambda: CommandGroup(self._parse_block("{", "}"), subshell=False),
            "for": self._parse_for,
            "while": self._parse_while,
            "until": self._parse_while,
            "if": self._parse_if,
            "case": self._parse_case,
        }
        with self._nested():
            word = self._peek_word()
            if word in _CLOSING_WORDS:
                self._raise_unexpected()
            if self._accept("("):
                group = CommandGroup(self._parse_script(), subshell=True)
                self._expect(")")
                return self._with_redirects(group)
            if word in compound:
                return self._with_redirects(compound[word]())
            if function := self._match(_FUNCTION_HEADER):
                self._skip_newlines()
                return FunctionDefinition(function[1], self._parse_command())
            return self._parse_simple_command()

    def _parse_block(self, opening: str, closing: str) -> Script:
        self._expect_keyword(opening)
        body = self._parse_script()
        self._expect_keyword(closing)
        return body

    def _parse_for(self) -> ForLoop:
        self._expect_keyword("for")
        self._skip_blanks()
        name = self._match(_NAME) or self._raise_unexpected()
        self._skip_newlines()
        words: tuple[Word, ...] | None = None
        if self._peek_word() == "in":
            self._expect_keyword("in")
            words = tuple(iter(self._parse_word, ()))
        self._accept(";")
        return ForLoop(name[0], words, self._parse_block("do", "done"))

    def _parse_while(self) -> WhileLoop:
        negated = self._expect_keyword("while", "until") == "until"
        condition = self._parse_script(empty=False)
        return WhileLoop(condition, self._parse_block("do", "done"), negated=negated)

    def _parse_if(self) -> IfCommand:
        branches = []
        otherwise: Script = ()
        while (word := self._expect_keyword("if", "elif", "else", "fi")) in {"if", "elif"}:
            condition = self._parse_script(empty=False)
            self._expect_keyword("then")
            branches.append((condition, self._parse_script(empty=False)))
        if word == "else":
            otherwise = self._parse_script(empty=False)
            self._expect_keyword("fi")
        return IfCommand(tuple(branches), otherwise)

    def _parse_case(self) -> CaseCommand:
        self._expect_keyword("case")
        word = self._parse_word() or self._raise_unexpected()
        self._expect_keyword("in")
        arms = []
        self._skip_newlines()
        while self._peek_word() != "esac":
            self._accept("(")
            patterns = [self._parse_word() or self._raise_unexpected()]
            while self._accept("|"):
                patterns.append(self._parse_word() or self._raise_unexpected())
            self._expect(")")
            arms.append((tuple(patterns), self._parse_script()))
            if not self._accept(";;"):
                break
            self._skip_newlines()
        self._expect_keyword("esac")
        return CaseCommand(word, tuple(arms))

    def _parse_simple_command(self) -> Command:
        assigns: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects = self._parse_redirects()
        while True:
            if not words and (assign := self._match(_ASSIGNMENT)):
                assigns.append((assign[1], self._parse_word_parts(_WORD_END_CHARS, quoted=False)))
            elif word := self._parse_word():
                words.append(word)
            else:
                break
            redirects += self._parse_redirects()
        if not (assigns or words or redirects) or self._peek() == "(":
            self._raise_unexpected()
        simple = SimpleCommand(tuple(assigns), tuple(words))
        return RedirectedCommand(simple, tuple(redirects)) if redirects else simple

    def _with_redirects(self, command: Command) -> Command:
        redirects = self._parse_redirects()
        return RedirectedCommand(command, tuple(redirects)) if redirects else command

    def _parse_redirects(self) -> list[tuple[int, str, Word]]:
        redirects: list[tuple[int, str, Word]] = []
        self._skip_blanks()
        while match := self._match(_REDIRECT):
            default = 0 if match[2].startswith("<") else 1
            redirects.append((int(match[1] or default), match[2], self._parse_word() or self._raise_unexpected()))
            self._skip_blanks()
        return redirects

    def _peek(self) -> str:
        return self._text[self._pos : self._pos + 1]

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Consume what `pattern` matches here."""
        match = pattern.match(self._text, self._pos)
        self._pos = match.end() if match else self._pos
        return match

    def _skip_blanks(self) -> None:
        self._match(_BLANKS_AND_COMMENT)

    def _skip_newlines(self) -> None:
        self._skip_blanks()
        while self._peek() == "\n":
            self._pos += 1
            self._skip_blanks()

    def _accept(self, operator: str) -> bool:
        """Consume `operator` if it comes next and is not the start of a longer one: ``|`` is not half of ``||``."""
        self._skip_blanks()
        longer = {";": ";;", "|": "||"}.get(operator, "\0")
        if not self._text.startswith(operator, self._pos) or self._text.startswith(longer, self._pos):
            return False
        self._pos += len(operator)
        return True

    def _expect(self, operator: str) -> None:
        if not self._accept(operator):
            self._raise_unexpected()

    def _peek_word(self) -> str:
        """Return the unquoted word that comes next, without consuming it."""
        self._skip_blanks()
        match = _RESERVED.match(self._text, self._pos)
        return match[0] if match else ""

    def _expect_keyword(self, *words: str) -> str:
        self._skip_newlines()
        word = self._peek_word()
        if word not in words:
            self._raise_unexpected()
        self._pos += len(word)
        return word

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

    def _parse_word(self) -> Word:
        """Parse the word that comes next; empty if there is none."""
        self._skip_blanks()
        return self._parse_word_parts(_WORD_END_CHARS, quoted=False)

    def _parse_word_parts(self, ends: str, *, quoted: bool) -> Word:
        """Parse up to the next unquoted character of `ends`, which is not consumed."""
        parts: list[WordPart] = []
        while (char := self._peek()) and char not in ends:
            self._pos += 1
            if char == "'" and not quoted:
                parts.append(LiteralText((self._match(_SINGLE_QUOTED) or self._raise_unclosed())[1], quoted=True))
            elif char == '"':
                # Empty quotes are a word, too.
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

    def _raise_unclosed(self) -> NoReturn:
        raise ShellSyntaxError("no closing quote")

    def _expect_closing(self, mark: str) -> None:
        if self._peek() != mark:
            self._raise_unclosed()
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
            self._expect(")")
            return CommandSubstitution(body, quoted)
        if self._peek() == "{":
            self._pos += 1
            return self._parse_braced_parameter(quoted=quoted)
        match = self._match(_PARAM)
        return ParameterExpansion(match[0], quoted) if match else LiteralText("$", quoted=True)

    def _parse_braced_parameter(self, *, quoted: bool) -> WordPart:
        match = self._match(_BRACED_PARAM)
        if match is None:
            raise ShellSyntaxError("bad substitution")
        operator = None if match[1] else self._match(_PARAM_OPERATOR)
        op = "length" if match[1] else operator[0] if operator else ""
        arg: Word = ()
        if operator:
            with self._nested():
                arg = self._parse_word_parts("}", quoted=quoted and op[0] not in "#%")
        if self._peek() and self._peek() != "}":
            raise ShellSyntaxError("bad substitution")
        self._expect_closing("}")
        return ParameterExpansion(match[2], quoted, op, arg)

    def _parse_backquotes(self, *, quoted: bool) -> WordPart:
        match = self._match(_BACKQUOTED) or self._raise_unclosed()
        inner = ShellParser(re.sub(r"\\([$`\\])", r"\1", match[1]), depth=self._depth + 1)
        body = inner._parse_script()
        if inner._peek():
            inner._raise_unexpected()
        return CommandSubstitution(body, quoted)
