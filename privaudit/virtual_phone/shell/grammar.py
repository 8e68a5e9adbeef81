"""Reads shell text into a tree: the part of mksh's grammar that the demo phone's shell knows.

Not known, and refused as a syntax error: ``&``, here-documents, arithmetic and ``[[``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from privaudit.virtual_phone.shell.lexer import ShellLexer
from privaudit.virtual_phone.shell.tree import (
    AndOrList,
    CaseCommand,
    Command,
    CommandGroup,
    ForLoop,
    FunctionDefinition,
    IfCommand,
    Pipeline,
    RedirectedCommand,
    Script,
    SimpleCommand,
    WhileLoop,
    Word,
)

_CLOSING_WORDS: Final = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
_FUNCTION_HEADER: Final = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*\([ \t]*\)", re.ASCII)
_REDIRECT: Final = re.compile(r"([0-9]?)(>>|>&|<&|>|<)(?![<>(])")


class ShellParser(ShellLexer):
    """Reads `text` a line at a time, as a shell does: what stands before a mistake still runs."""

    def parse_line(self) -> Script | None:
        """The next complete line of commands, which may span several lines of text; ``None`` at the end.

        Raises:
            ShellSyntaxError: it is not shell.
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
        """Commands up to a closing word, ``)`` or ``;;``, which is not taken."""
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
        return AndOrList(tuple(steps))

    def _parse_pipeline(self) -> Pipeline:
        negated = self._peek_word() == "!"
        self._pos += negated
        commands = [self._parse_command()]
        while self._accept("|"):
            self._skip_newlines()
            commands.append(self._parse_command())
        return Pipeline(tuple(commands), negated=negated)

    def _parse_command(self) -> Command:
        with self._nested():
            word = self._peek_word()
            compound: dict[str, Callable[[], Command]] = {
                "{": self._parse_group,
                "for": self._parse_for,
                "while": self._parse_while,
                "until": self._parse_while,
                "if": self._parse_if,
                "case": self._parse_case,
            }
            if word in _CLOSING_WORDS:
                self._raise_unexpected()
            function = _FUNCTION_HEADER.match(self._text, self._pos)
            if self._peek() == "(":
                return self._with_redirects(self._parse_subshell())
            if word in compound:
                return self._with_redirects(compound[word]())
            if function:
                self._pos = function.end()
                self._skip_newlines()
                return FunctionDefinition(function[1], self._parse_command())
            return self._parse_simple_command()

    def _parse_subshell(self) -> CommandGroup:
        self._pos += 1
        body = self._parse_script()
        if not self._accept(")"):
            self._raise_unexpected()
        return CommandGroup(body, subshell=True)

    def _parse_group(self) -> CommandGroup:
        self._expect_keyword("{")
        body = self._parse_script()
        self._expect_keyword("}")
        return CommandGroup(body, subshell=False)

    def _parse_for(self) -> ForLoop:
        self._expect_keyword("for")
        name = self._expect_name()
        self._skip_newlines()
        words: list[Word] | None = None
        if self._peek_word() == "in":
            self._expect_keyword("in")
            words = []
            while word := self._parse_word():
                words.append(word)
        self._accept(";")
        self._expect_keyword("do")
        body = self._parse_script()
        self._expect_keyword("done")
        return ForLoop(name, None if words is None else tuple(words), body)

    def _parse_while(self) -> WhileLoop:
        negated = self._expect_keyword("while", "until") == "until"
        condition = self._parse_script(empty=False)
        self._expect_keyword("do")
        body = self._parse_script()
        self._expect_keyword("done")
        return WhileLoop(condition, body, negated=negated)

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
            if not self._accept(")"):
                self._raise_unexpected()
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
            assign = None if words else _ASSIGNMENT.match(self._text, self._pos)
            if assign:
                self._pos = assign.end()
                assigns.append((assign[1], self._parse_adjacent_word()))
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
        found: list[tuple[int, str, Word]] = []
        self._skip_blanks()
        while match := _REDIRECT.match(self._text, self._pos):
            self._pos = match.end()
            default = 0 if match[2].startswith("<") else 1
            found.append((int(match[1] or default), match[2], self._parse_word() or self._raise_unexpected()))
            self._skip_blanks()
        return found
