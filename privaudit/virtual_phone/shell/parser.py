"""Parse shell text into a tree: the part of mksh's grammar that our scripts and a person at the prompt need.

``&``, here-documents, arithmetic and ``[[`` are syntax errors here. Words and commands are parsed by one class, because
each holds the other: ``$( … )`` is a script inside a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from privaudit.virtual_phone.shell import tree
from privaudit.virtual_phone.shell.tree import Command, Script, Word, WordPart

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


class ShellSyntaxError(Exception):
    """The text is not shell, or not the part of it that is supported. The message is worded like mksh's."""


class ShellParser:
    """Parses `text` line by line, as a shell does: the lines before a syntax error still run."""

    def __init__(self, text: str, *, depth: int = 0) -> None:
        self._text = text
        self._pos = 0
        self._depth = depth

    # --- commands ---

    def parse_line(self) -> Script | None:
        """Return the next complete command line, which may span several lines of text; ``None`` at the end.

        Raises:
            ShellSyntaxError: a syntax error.
        """
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
        commands: list[tree.AndOrList] = []
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

    def _parse_and_or(self) -> tree.AndOrList:
        steps = [("", self._parse_pipeline())]
        while operator := next((o for o in ("&&", "||") if self._accept(o)), ""):
            self._skip_newlines()
            steps.append((operator, self._parse_pipeline()))
        return tree.AndOrList(tuple(steps))

    def _parse_pipeline(self) -> tree.Pipeline:
        negated = self._peek_word() == "!"
        self._pos += negated
        commands = [self._parse_command()]
        while self._accept("|"):
            self._skip_newlines()
            commands.append(self._parse_command())
        return tree.Pipeline(tuple(commands), negated=negated)

    def _parse_command(self) -> Command:
        compound: dict[str, Callable[[], Command]] = {
            "{": lambda: tree.CommandGroup(self._parse_block("{", "}"), subshell=False),
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
                group = tree.CommandGroup(self._parse_script(), subshell=True)
                self._expect(")")
                return self._with_redirects(group)
            if word in compound:
                return self._with_redirects(compound[word]())
            if function := self._match(_FUNCTION_HEADER):
                self._skip_newlines()
                return tree.FunctionDefinition(function[1], self._parse_command())
            return self._parse_simple_command()

    def _parse_block(self, opening: str, closing: str) -> Script:
        self._expect_keyword(opening)
        body = self._parse_script()
        self._expect_keyword(closing)
        return body

    def _parse_for(self) -> tree.ForLoop:
        self._expect_keyword("for")
        self._skip_blanks()
        name = self._match(_NAME) or self._raise_unexpected()
        self._skip_newlines()
        words: tuple[Word, ...] | None = None
        if self._peek_word() == "in":
            self._expect_keyword("in")
            words = tuple(iter(self._parse_word, ()))
        self._accept(";")
        return tree.ForLoop(name[0], words, self._parse_block("do", "done"))

    def _parse_while(self) -> tree.WhileLoop:
        negated = self._expect_keyword("while", "until") == "until"
        condition = self._parse_script(empty=False)
        return tree.WhileLoop(condition, self._parse_block("do", "done"), negated=negated)

    def _parse_if(self) -> tree.IfCommand:
        branches = []
        otherwise: Script = ()
        while (word := self._expect_keyword("if", "elif", "else", "fi")) in {"if", "elif"}:
            condition = self._parse_script(empty=False)
            self._expect_keyword("then")
            branches.append((condition, self._parse_script(empty=False)))
        if word == "else":
            otherwise = self._parse_script(empty=False)
            self._expect_keyword("fi")
        return tree.IfCommand(tuple(branches), otherwise)

    def _parse_case(self) -> tree.CaseCommand:
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
        return tree.CaseCommand(word, tuple(arms))

    def _parse_simple_command(self) -> Command:
        assigns: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects = self._parse_redirects()
        while True:
            if not words and (assign := self._match(_ASSIGNMENT)):
                assigns.append((assign[1], self._parse_adjacent_word()))
            elif word := self._parse_word():
                words.append(word)
            else:
                break
            redirects += self._parse_redirects()
        if not (assigns or words or redirects) or self._peek() == "(":
            self._raise_unexpected()
        simple = tree.SimpleCommand(tuple(assigns), tuple(words))
        return tree.RedirectedCommand(simple, tuple(redirects)) if redirects else simple

    def _with_redirects(self, command: Command) -> Command:
        redirects = self._parse_redirects()
        return tree.RedirectedCommand(command, tuple(redirects)) if redirects else command

    def _parse_redirects(self) -> list[tuple[int, str, Word]]:
        redirects: list[tuple[int, str, Word]] = []
        self._skip_blanks()
        while match := self._match(_REDIRECT):
            default = 0 if match[2].startswith("<") else 1
            redirects.append((int(match[1] or default), match[2], self._parse_word() or self._raise_unexpected()))
            self._skip_blanks()
        return redirects

    # --- tokens ---

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

    # --- words ---

    def _parse_word(self) -> Word:
        """Parse the word that comes next; empty if there is none."""
        self._skip_blanks()
        return self._parse_adjacent_word()

    def _parse_adjacent_word(self) -> Word:
        return self._parse_word_parts(_WORD_END_CHARS, quoted=False)

    def _parse_word_parts(self, ends: str, *, quoted: bool) -> Word:
        """Parse up to the next unquoted character of `ends`, which is not consumed."""
        parts: list[WordPart] = []
        while (char := self._peek()) and char not in ends:
            self._pos += 1
            if char == "'" and not quoted:
                parts.append(tree.LiteralText((self._match(_SINGLE_QUOTED) or self._raise_unclosed())[1], quoted=True))
            elif char == '"':
                # Empty quotes are a word, too.
                parts += self._parse_word_parts('"', quoted=True) or (tree.LiteralText("", quoted=True),)
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
                parts.append(tree.LiteralText(self._text[start : self._pos], quoted))
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
        return [tree.LiteralText(char, quoted=True)]

    def _parse_dollar(self, *, quoted: bool) -> WordPart:
        if self._text.startswith("((", self._pos):
            raise ShellSyntaxError("syntax error: no arithmetic on the demo phone")
        if self._peek() == "(":
            self._pos += 1
            with self._nested():
                body = self._parse_script()
            self._expect(")")
            return tree.CommandSubstitution(body, quoted)
        if self._peek() == "{":
            self._pos += 1
            return self._parse_braced_parameter(quoted=quoted)
        match = self._match(_PARAM)
        return tree.ParameterExpansion(match[0], quoted) if match else tree.LiteralText("$", quoted=True)

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
        return tree.ParameterExpansion(match[2], quoted, op, arg)

    def _parse_backquotes(self, *, quoted: bool) -> WordPart:
        match = self._match(_BACKQUOTED) or self._raise_unclosed()
        inner = ShellParser(re.sub(r"\\([$`\\])", r"\1", match[1]), depth=self._depth + 1)
        body = inner._parse_script()
        if inner._peek():
            inner._raise_unexpected()
        return tree.CommandSubstitution(body, quoted)
